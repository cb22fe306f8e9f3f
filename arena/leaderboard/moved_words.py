"""The sentences of a ledger, computed from its terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from arena.catalog.models import Stage
from arena.leaderboard.sentences import LABELS, grouped, joined, listed
from ranking import Ledger, LedgerRow, Term

CAUSES = {
    "V": gettext_lazy("New votes"),
    "S": gettext_lazy("Revision swap"),
    "X": gettext_lazy("Exclusions"),
    "W": gettext_lazy("Weights"),
    "C": gettext_lazy("Control set"),
    "R": gettext_lazy("Roster"),
    "M": gettext_lazy("Method"),
}
WEIGHTS = {
    None: gettext_lazy("every vote counts alike"),
    "inverse_pair": gettext_lazy("votes of pairs that met often count less"),
    "draw_probability": gettext_lazy("battles are weighted by how likely their pair was drawn"),
}
MODELS = {
    "bradley_terry": gettext_lazy("ties as half a win"),
    "davidson": gettext_lazy("ties as an outcome (Davidson)"),
    "rao_kupper": gettext_lazy("ties as an outcome (Rao-Kupper)"),
    "four_outcome": gettext_lazy("ties and both bad as outcomes"),
}
MOST_NAMED = 3
# Terms below this many points are not worth a number.
NEXT_TO_NOTHING = 1.0
LEAST_SHOWN = 0.1


@dataclass(frozen=True)
class Standing:
    """What a board says of a revision, as far as a ledger's sentences need it."""

    votes: int
    se: float
    rank_lower: int | None
    rank_upper: int | None


@dataclass(frozen=True)
class Told:
    """What sentences are made from.

    names: what a row is called. stages: of revisions. before, after: their standings.
    """

    ledger: Ledger
    names: Mapping[str, str]
    stages: Mapping[str, str]
    before: Mapping[str, Standing]
    after: Mapping[str, Standing]


# -- The whole ledger ------------------------------------------------------------------------


def headline(told: Told, moved: Sequence[LedgerRow]) -> str:
    """moved: rows that changed place by more than the roster."""
    if not told.ledger.causes:
        return _("Nothing moved: votes, method and roster are the same in both publications.")
    if not moved:
        return _("Nobody changed place for reasons of their own.")
    first = ngettext(
        "%(rows)s row moved for reasons of its own.",
        "%(rows)s rows moved for reasons of their own.",
        len(moved),
    ) % {"rows": grouped(len(moved))}
    second = not_by_votes(told, moved)
    return _("%(first)s %(second)s") % {"first": first, "second": second} if second else first


def not_by_votes(told: Told, moved: Sequence[LedgerRow]) -> str:
    """For which of them something else than new votes did most."""
    if told.ledger.joint or "V" not in told.ledger.causes or len(told.ledger.causes) == 1:
        return ""
    others = [row for row in moved if main_cause(row) != "V"]
    if not others:
        return _("New votes were the main reason for all of them.")
    if len(others) == len(moved):
        return _("New votes were not the main reason.")
    if len(others) == 1:
        name = {"name": told.names[others[0].contestant]}
        return _("For one of them, %(name)s, new votes were not the main reason.") % name
    return ngettext(
        "For %(rows)s of them new votes were not the main reason.",
        "For %(rows)s of them new votes were not the main reason.",
        len(others),
    ) % {"rows": grouped(len(others))}


def main_cause(row: LedgerRow) -> str:
    """What moved it most, beside who came and went."""
    own = [term for term in row.terms if term.cause != "R"]
    return max(own, key=lambda term: (abs(term.ranks), abs(term.rating))).cause if own else ""


def subtitle(told: Told, moved: Sequence[LedgerRow]) -> str:
    """moved: rows that changed place by more than the roster."""
    ledger = told.ledger
    newcomers = [row for row in ledger.rows if row.status == "entered"]
    sentences = [newcomers_sentence(told, newcomers)] if newcomers else []
    sentences.append(chance_summary(told, moved))
    number = len(ledger.causes)
    if ledger.joint:
        sentences.append(
            _("No order of its causes could be followed, so each change of rank is told as one.")
        )
    elif number == 1:
        cause = str(CAUSES[ledger.causes[0]])
        sentences.append(_("One thing differs between them: %(cause)s.") % {"cause": lower(cause)})
    elif number:
        sentences.append(
            ngettext(
                "Each change of rank is split into %(number)s cause that adds up to it exactly, "
                "and a row that stood still is listed when its parts did not.",
                "Each change of rank is split into %(number)s causes that add up to it exactly, "
                "and a row that stood still is listed when its parts did not.",
                number,
            )
            % {"number": number}
        )
    return joined(*sentences)


def chance_summary(told: Told, moved: Sequence[LedgerRow]) -> str:
    """For how many of them chance alone does as much as new votes did."""
    votes = [(row, term) for row in moved for term in row.terms if term.cause == "V" and term.ranks]
    by_chance = sum(could_be_chance(told, row, term) for row, term in votes)
    if not by_chance:
        return ""
    told_numbers = {"rows": grouped(by_chance), "all": grouped(len(votes))}
    words = ngettext(
        "New votes moved %(all)s of them, and chance alone can do as much for %(rows)s.",
        "New votes moved %(all)s of them, and chance alone can do as much for %(rows)s.",
        by_chance,
    )
    return words % told_numbers


def newcomers_sentence(told: Told, newcomers: Sequence[LedgerRow]) -> str:
    pushed = sum(
        1 for row in told.ledger.rows for term in row.terms if term.cause == "R" and term.ranks < 0
    )
    number = len(newcomers)
    values = {"names": some_names(told, newcomers), "pushed": grouped(pushed)}
    if not pushed:
        return ngettext("%(names)s entered.", "%(names)s entered.", number) % values
    return (
        ngettext(
            "%(names)s entered and pushed %(pushed)s other down.",
            "%(names)s entered and pushed %(pushed)s others down.",
            pushed,
        )
        % values
    )


def cause_detail(told: Told, cause: str) -> str:
    """A few words on what differs, from the ledger's changes."""
    change = told.ledger.changes[cause]
    match cause:
        case "V":
            parts = [(change["arrived"], _("%(n)s counted")), (change["left"], _("%(n)s gone"))]
            return counted(parts)
        case "S":
            return ngettext("%(n)s family", "%(n)s families", len(change)) % {
                "n": grouped(len(change))
            }
        case "X":
            return excluded_words(change)
        case "C":
            return control_words(change)
        case "R":
            entered, left = len(change["entered"]), len(change["left"])
            return counted([(entered, _("%(n)s entered")), (left, _("%(n)s left"))])
        case "W":
            return weight_words(change)
    return method_words(change)


def counted(parts: Sequence[tuple[int, str]]) -> str:
    return ", ".join(words % {"n": grouped(number)} for number, words in parts if number)


def excluded_words(change: Mapping[str, Any]) -> str:
    """212 votes, 3 voters."""
    excluded, lifted = (sum(change[name].values()) for name in ("excluded", "lifted"))
    voters = change["voters"]
    parts = [
        (excluded, ngettext("%(n)s vote", "%(n)s votes", excluded)),
        (voters, ngettext("%(n)s voter", "%(n)s voters", voters)),
        (lifted, _("%(n)s counted again")),
    ]
    return counted(parts)


def control_words(change: Mapping[str, Any]) -> str:
    parts = [
        words % {"controls": control_names(change[name])}
        for name, words in (("added", _("%(controls)s added")), ("removed", _("%(controls)s gone")))
        if change[name]
    ]
    return ", ".join(parts) or _("which votes carry all controls")


def control_names(names: Sequence[str]) -> str:
    return listed(lower(str(LABELS.get(name, name))) for name in names)


def weight_words(change: Mapping[str, Any]) -> str:
    settings = change["settings"]
    if "weights" in settings:
        return str(WEIGHTS[settings["weights"]["after"]])
    if "half_life_days" in settings:
        days = settings["half_life_days"]["after"]
        if days is None:
            return _("old votes count like new ones")
        return _("votes weigh half after %(days)s days") % {"days": number_format(days)}
    if settings:
        return _("other limits of the weights")
    votes = change["votes"]
    return ngettext("%(n)s vote weighs otherwise", "%(n)s votes weigh otherwise", votes) % {
        "n": grouped(votes)
    }


def method_words(change: Mapping[str, Any]) -> str:
    if "likelihood" in change:
        return str(MODELS[change["likelihood"]["after"]])
    if "both_bad" in change:
        if change["both_bad"]["after"] == "drop":
            return _("votes for neither are left out")
        return _("votes for neither count half for each")
    if "position" in change:
        if change["position"]["after"]:
            return _("the side shown first is accounted for")
        return _("the side shown first is not accounted for")
    return _("other settings: %(names)s") % {"names": ", ".join(sorted(change))}


# -- One row ---------------------------------------------------------------------------------


def row_sentence(told: Told, row: LedgerRow) -> str:
    match row.status:
        case "entered":
            return entered_sentence(told, row)
        case "left":
            return _("Left the board from place %(rank)s.") % {"rank": row.rank_before}
    if told.ledger.joint:
        return joint_sentence(told, row)
    terms = {term.cause: term for term in row.terms}
    ordered = sorted(terms.values(), key=lambda term: (-abs(term.ranks), -abs(term.rating)))
    sentences = [told_cause(told, row, term.cause, term.ranks, term.rating) for term in ordered]
    own = [term for term in ordered if term.cause != "R" and term.ranks]
    if not own and not is_swapped(told, row):
        return quiet_sentence(told, row, sentences)
    if not row.ranks and own:
        sentences.insert(0, _("It stands where it stood, because these cancel out."))
    return joined(*sentences)


def quiet_sentence(told: Told, row: LedgerRow, sentences: Sequence[str]) -> str:
    """Of one that only who came and went moved, or nothing did."""
    roster = [term for term in row.terms if term.cause == "R" and term.ranks]
    if roster:
        others = others_sentence(told, row, roster[0].ranks)
        return joined(_("It did nothing differently."), others)
    return joined(*sentences) or _("Nothing moved it.")


def entered_sentence(told: Told, row: LedgerRow) -> str:
    standing = told.after.get(row.revision_after or "")
    if standing is None:
        return _("Entered.")
    sentence = ngettext(
        "Entered with %(votes)s vote.", "Entered with %(votes)s votes.", standing.votes
    ) % {"votes": grouped(standing.votes)}
    if standing.rank_lower is None:
        return sentence
    if standing.rank_lower == standing.rank_upper:
        return joined(sentence, _("Its place is certain."))
    ranks = {"lower": standing.rank_lower, "upper": standing.rank_upper}
    return joined(sentence, _("Its rank set is %(lower)s–%(upper)s.") % ranks)


def joint_sentence(told: Told, row: LedgerRow) -> str:
    names = {"causes": listed(lower(str(CAUSES[cause])) for cause in told.ledger.causes)}
    if not row.ranks:
        return _("It kept its place. Told as one: %(causes)s.") % names
    names["places"] = places(abs(Fraction(row.ranks)))
    if row.ranks > 0:
        return _("Up %(places)s by all together: %(causes)s.") % names
    return _("Down %(places)s by all together: %(causes)s.") % names


def told_cause(told: Told, row: LedgerRow, cause: str, ranks: Fraction, rating: float) -> str:
    """The sentence on one cause; "" where it did nothing worth one."""
    match cause:
        case "V":
            return votes_sentence(told, row, ranks, rating)
        case "S" if is_swapped(told, row):
            return swap_sentence(told, row, rating)
        case "R" if ranks:
            return others_sentence(told, row, ranks)
    if not ranks:
        return ""
    if cause == main_cause(row):
        return joined(change_sentence(told, cause), effect_sentence(ranks))
    return side_sentence(cause, ranks)


def votes_sentence(told: Told, row: LedgerRow, ranks: Fraction, rating: float) -> str:
    points = {"points": spelt_points(abs(rating)), "places": places(abs(ranks))}
    if not ranks:
        if abs(rating) < NEXT_TO_NOTHING:
            return _("New votes changed almost nothing.")
        return _("New votes moved it by %(points)s and past nobody.") % points
    new = new_votes(told, row)
    if new:
        subject = ngettext("%(n)s new vote", "%(n)s new votes", new) % {"n": grouped(new)}
    else:
        subject = _("New votes")
    points["votes"] = subject
    if ranks * rating < 0 and abs(rating) >= NEXT_TO_NOTHING:
        # Others moved further, so what chance does to its own rating is no matter here.
        return overtaken_sentence(points, ranks)
    if ranks > 0:
        sentence = _("%(votes)s raised it %(places)s (%(points)s).") % points
    else:
        sentence = _("%(votes)s lowered it %(places)s (%(points)s).") % points
    return joined(sentence, chance_sentence(told, row, rating))


def overtaken_sentence(told: Mapping[str, str], ranks: Fraction) -> str:
    if ranks > 0:
        return (
            _("%(votes)s lowered its rating by %(points)s, but others fell further: up %(places)s.")
            % told
        )
    return (
        _("%(votes)s raised its rating by %(points)s, but others rose further: down %(places)s.")
        % told
    )


def new_votes(told: Told, row: LedgerRow) -> int:
    """Counted votes of the revision that both boards show, since the earlier one."""
    if row.revision_before != row.revision_after:
        return 0
    name = row.revision_after or ""
    if name not in told.before or name not in told.after:
        return 0
    return max(told.after[name].votes - told.before[name].votes, 0)


def chance_sentence(told: Told, row: LedgerRow, rating: float) -> str:
    """Whether more votes of the same kind do as much by chance."""
    half = chance_half(told, row)
    if half is None:
        return ""
    if abs(rating) <= half:
        return _("Chance alone can do as much.")
    return _("Chance alone rarely does as much.")


def could_be_chance(told: Told, row: LedgerRow, term: Term) -> bool:
    """Whether new votes do as much by chance alone; False where that is not known."""
    half = chance_half(told, row) if term.cause == "V" else None
    return half is not None and abs(term.rating) <= half


def chance_half(told: Told, row: LedgerRow) -> float | None:
    """95% of what new votes move a rating by where nothing but chance is in them.

    An estimate from more votes is, to first order, uncorrelated with its difference from the
    earlier one, so the variance of that difference is var(before) − var(after) (Hausman 1978).
    None where something else than votes changed the estimate, or the later one is no surer.
    """
    if set(told.ledger.causes) & set("XWCM") or row.revision_before != row.revision_after:
        return None
    name = row.revision_after or ""
    if name not in told.before or name not in told.after:
        return None
    gained = told.before[name].se ** 2 - told.after[name].se ** 2
    return 1.96 * gained**0.5 if gained > 0 else None


def is_swapped(told: Told, row: LedgerRow) -> bool:
    return row.status == "stayed" and row.revision_before != row.revision_after


def swap_sentence(told: Told, row: LedgerRow, rating: float) -> str:
    was, now = row.revision_before or "", row.revision_after or ""
    points = {"before": was, "after": now, "points": spelt_points(abs(rating))}
    if (told.stages.get(was), told.stages.get(now)) == (Stage.EXPERIMENTAL, Stage.RELEASED):
        return experimental_sentence(points, rating)
    if abs(rating) < NEXT_TO_NOTHING:
        return _("%(before)s was replaced by %(after)s, which rates the same.") % points
    if rating < 0:
        return _("%(before)s was replaced by %(after)s, which rates %(points)s lower.") % points
    return _("%(before)s was replaced by %(after)s, which rates %(points)s higher.") % points


def experimental_sentence(points: Mapping[str, str], rating: float) -> str:
    if abs(rating) < NEXT_TO_NOTHING:
        return _(
            "The experimental revision was replaced by the released one, which rates the same."
        )
    if rating < 0:
        return (
            _(
                "The experimental revision was replaced by the released one, which rates "
                "%(points)s lower."
            )
            % points
        )
    return (
        _(
            "The experimental revision was replaced by the released one, which rates "
            "%(points)s higher."
        )
        % points
    )


def others_sentence(told: Told, row: LedgerRow, ranks: Fraction) -> str:
    """Who came or went above it."""
    entered = [
        other
        for other in told.ledger.rows
        if other.status == "entered" and (other.rank_after or 0) < (row.rank_after or 0)
    ]
    left = [
        other
        for other in told.ledger.rows
        if other.status == "left" and (other.rank_before or 0) < (row.rank_before or 0)
    ]
    sentences = []
    if entered:
        sentences.append(_("%(names)s entered above it.") % {"names": some_names(told, entered)})
    if left:
        sentences.append(
            _("%(names)s, which stood above it, left.") % {"names": some_names(told, left)}
        )
    return joined(*sentences) or effect_sentence(ranks)


def change_sentence(told: Told, cause: str) -> str:
    change = told.ledger.changes[cause]
    match cause:
        case "S":
            names = listed(told.names.get(place, place) for place in list(change)[:MOST_NAMED])
            return _("Another revision stands for %(names)s.") % {"names": names}
        case "X":
            return exclusions_sentence(change)
        case "C":
            return controls_sentence(change)
        case "W":
            return _("Weights changed: %(what)s.") % {"what": weight_words(change)}
    return _("The method changed: %(what)s.") % {"what": method_words(change)}


def exclusions_sentence(change: Mapping[str, Any]) -> str:
    sentences = []
    if change["excluded"]:
        votes = sum(change["excluded"].values())
        rules = listed(change["excluded"])
        told = {"votes": grouped(votes), "voters": grouped(change["voters"]), "rules": rules}
        if change["voters"]:
            words = ngettext(
                "%(votes)s votes by %(voters)s voter were excluded (%(rules)s).",
                "%(votes)s votes by %(voters)s voters were excluded (%(rules)s).",
                change["voters"],
            )
        else:
            words = ngettext(
                "%(votes)s vote was excluded (%(rules)s).",
                "%(votes)s votes were excluded (%(rules)s).",
                votes,
            )
        sentences.append(words % told)
    if change["lifted"]:
        votes = sum(change["lifted"].values())
        words = ngettext(
            "%(votes)s vote counts again (%(rules)s).",
            "%(votes)s votes count again (%(rules)s).",
            votes,
        )
        sentences.append(words % {"votes": grouped(votes), "rules": listed(change["lifted"])})
    return joined(*sentences)


def controls_sentence(change: Mapping[str, Any]) -> str:
    sentences = []
    if change["added"]:
        names = {"controls": capital(control_names(change["added"]))}
        sentences.append(_("%(controls)s joined the control set.") % names)
    if change["removed"]:
        names = {"controls": capital(control_names(change["removed"]))}
        sentences.append(_("%(controls)s left the control set.") % names)
    return joined(*sentences) or _("Other votes carry all the controls.")


def side_sentence(cause: str, ranks: Fraction) -> str:
    """On a cause that is not the row's main one: the legend says what it is."""
    told = {"cause": CAUSES[cause], "places": places(abs(ranks))}
    if ranks > 0:
        return _("%(cause)s: up %(places)s.") % told
    return _("%(cause)s: down %(places)s.") % told


def effect_sentence(ranks: Fraction) -> str:
    if ranks > 0:
        return _("That raised it %(places)s.") % {"places": places(ranks)}
    return _("That lowered it %(places)s.") % {"places": places(-ranks)}


# -- Words -----------------------------------------------------------------------------------


def some_names(told: Told, rows: Sequence[LedgerRow]) -> str:
    """The first few by name, then how many more."""
    names = [told.names[row.contestant] for row in rows]
    if len(names) <= MOST_NAMED:
        return listed(names)
    more = len(names) - MOST_NAMED + 1
    rest = ngettext("%(n)s other", "%(n)s others", more) % {"n": grouped(more)}
    return listed([*names[: MOST_NAMED - 1], rest])


def places(number: Fraction) -> str:
    """1 place, 2.5 places; below 2 it takes the form of 0, which some languages call singular."""
    form = 1 if number == 1 else 0 if number < 2 else 2
    return ngettext("%(n)s place", "%(n)s places", form) % {"n": decimal(number)}


def spelt_points(points: float) -> str:
    if points >= NEXT_TO_NOTHING:
        number = round(points)
        return ngettext("%(n)s point", "%(n)s points", number) % {"n": grouped(number)}
    if points < LEAST_SHOWN:
        return _("less than %(n)s points") % {"n": number_format(LEAST_SHOWN, 1)}
    return _("%(n)s points") % {"n": number_format(round(points, 1), 1)}


def decimal(number: Fraction) -> str:
    """3 as 3, 34/5 as 6.8."""
    if number.denominator == 1:
        return grouped(int(number))
    # Rounded first: formatting alone cuts digits off.
    return str(number_format(round(float(number), 1), 1, force_grouping=True))


def lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# -- In a paragraph --------------------------------------------------------------------------


def differing(causes: Sequence[tuple[str, str]]) -> str:
    """Each cause with its details."""
    if not causes:
        return ""
    told = [f"{lower(name)} ({detail})" if detail else lower(name) for name, detail in causes]
    return _("What differs: %(causes)s.") % {"causes": listed(told)}


def row_in_a_line(name: str, before: int | None, after: int | None, sentence: str) -> str:
    told = {"name": name, "before": before, "after": after, "sentence": sentence}
    if before is None:
        return _("%(name)s (new, place %(after)s): %(sentence)s") % told
    if after is None:
        return _("%(name)s: %(sentence)s") % told
    return _("%(name)s (%(before)s → %(after)s): %(sentence)s") % told


def more_rows(number: int) -> str:
    return ngettext("%(n)s other row moved too.", "%(n)s other rows moved too.", number) % {
        "n": grouped(number)
    }
