"""The sentences of a contestant's page."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from arena.catalog.models import Kind, Licence, Status
from arena.leaderboard.models import BoardName
from arena.leaderboard.page import Row
from arena.leaderboard.sentences import LABELS, grouped, joined, listed
from ranking.covariates import CONTROLS

LABELS_OF_METRICS = {metric: LABELS[control] for control, metric in CONTROLS.items()}
STATUSES = {
    Status.ACTIVE: pgettext_lazy("of a contestant", "Active"),
    Status.PAUSED: pgettext_lazy("of a contestant", "Paused"),
    Status.RETIRED: pgettext_lazy("of a contestant", "Retired"),
    Status.ARCHIVED: pgettext_lazy("of a contestant", "Archived"),
}
KINDS = {
    Kind.OPENAI: gettext_lazy("asked at an OpenAI-compatible server"),
    Kind.ANTHROPIC: gettext_lazy("asked by the Anthropic Messages protocol"),
    Kind.RECORDED: gettext_lazy("answers recorded beforehand"),
    Kind.IMPORTED: gettext_lazy("not served here: its votes were imported"),
}


def status_words(status: str) -> str:
    """In one word; "" for what is not said of it."""
    return str(STATUSES[Status(status)]) if status in STATUSES else ""


def status_sentence(status: str) -> str:
    """Of one that is not drawn for battles now; "" of any other."""
    match status:
        case Status.PAUSED:
            return _("Paused: it is not drawn for battles now.")
        case Status.RETIRED:
            return _("Retired: it is no longer served, and its places stay in the archive.")
        case Status.ARCHIVED:
            return _("It is known from imported votes alone, and was never served here.")
    return ""


def licence_words(licence: str) -> str:
    match licence:
        case Licence.OPEN:
            return pgettext("licence", "Open")
        case Licence.PROPRIETARY:
            return pgettext("licence", "Closed")
    return ""


# -- Places ----------------------------------------------------------------------------------


def headline(row: Row, placed: int, *, has_controlled: bool) -> str:
    """Of one that is placed: where it stands, and where it may."""
    told: dict[str, Any] = {
        "rank": row.rank,
        "placed": grouped(placed),
        "lower": row.rank_lower,
        "upper": row.rank_upper,
        "raw": row.moved.raw_rank if row.moved else None,
    }
    if placed == 1:
        return _("It is the only one that can be placed.")
    if row.rank_lower is None or row.rank_upper is None:
        told["set"] = _("Too few voters to say how sure that place is.")
    elif row.rank_lower == row.rank_upper:
        told["set"] = _("No other place is possible at 95%% confidence.") % {}
    else:
        told["set"] = _("It could stand anywhere from %(lower)s to %(upper)s.") % told
    return _("%(place)s %(set)s") % {
        "place": place_sentence(told, row, has_controlled=has_controlled),
        "set": told["set"],
    }


def place_sentence(told: Mapping[str, Any], row: Row, *, has_controlled: bool) -> str:
    if not has_controlled or row.moved is None:
        return _("It ranks %(rank)s of %(placed)s.") % told
    if row.moved.ranks == 0:
        return _("Raw votes rank it %(raw)s, and so does the board with style controlled.") % told
    return (
        _("Raw votes rank it %(raw)s. With style controlled it ranks %(rank)s of %(placed)s.")
        % told
    )


def nothing_counted(status: str) -> str:
    if status == Status.ACTIVE:
        return _("No vote on it counts in this publication yet, so nothing can be said of it.")
    return _("No vote on it counts in this publication, so nothing can be said of it.")


# -- Why it moved ----------------------------------------------------------------------------


def why_title(terms: Sequence[tuple[str, float]], moved: float, could_be_nothing: bool) -> str:
    """terms: labels with their points."""
    if not terms:
        return _("Style neither gave it points nor cost it any.")
    name, points = max(terms, key=lambda term: abs(term[1]))
    told = {"name": name, "points": signed(points), "moved": signed(moved)}
    if could_be_nothing:
        return _("Control moves its rating by %(moved)s, which could be nothing.") % told
    return (
        _("Control moves its rating by %(moved)s; the largest part is %(name)s, %(points)s.") % told
    )


def why_words(raw: float, terms: Sequence[tuple[str, float]], controlled: float) -> str:
    steps = listed(f"{name} {signed(points)}" for name, points in terms) if terms else "0"
    told = {"raw": decimal(raw), "steps": steps, "controlled": decimal(controlled)}
    return (
        _("Raw rating %(raw)s. Step by step: %(steps)s. Controlled rating %(controlled)s.") % told
    )


# -- How it writes ---------------------------------------------------------------------------


def writing_title(label: str, place: int, of: int) -> str:
    """The trait in which it stands out most. place: from the most."""
    told = {"trait": label, "place": grouped(place), "all": grouped(of)}
    if place == 1:
        return _("%(trait)s: the most of %(all)s.") % told
    if place == of:
        return _("%(trait)s: the least of %(all)s.") % told
    return _("It stands out most in this trait: %(trait)s, place %(place)s of %(all)s.") % told


def writing_words(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    told = [
        _("%(trait)s %(own)s, the median of all %(middle)s, place %(place)s of %(all)s")
        % {
            "trait": row["trait"],
            "own": figure(row["this"]),
            "middle": figure(row["median"]),
            "place": row["place"],
            "all": row["of"],
        }
        for row in rows
    ]
    return f"{name}: {'; '.join(told)}."


# -- Categories ------------------------------------------------------------------------------


def categories_title(higher: Sequence[str], lower: Sequence[str]) -> str:
    """Names of categories in which it stands surely higher, and lower, than in all votes."""
    if not higher and not lower:
        return _("In no category does it stand surely elsewhere than in all votes.")
    said = []
    if higher:
        said.append(_("Surely better than in all votes: %(names)s.") % {"names": listed(higher)})
    if lower:
        said.append(_("Surely worse than in all votes: %(names)s.") % {"names": listed(lower)})
    return joined(*said)


def pooled_words(names: Sequence[str]) -> str:
    if not names:
        return ""
    return ngettext(
        "%(names)s has few votes, so its ratings borrow from all others: drawn dashed.",
        "%(names)s have few votes, so their ratings borrow from all others: drawn dashed.",
        len(names),
    ) % {"names": listed(names)}


def categories_words(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    told = [
        _("%(category)s %(rating)s, rank %(rank)s, from votes: %(votes)s")
        % {
            "category": row["category"],
            "rating": decimal(row["rating"]),
            "rank": row["rank"],
            "votes": grouped(row["votes"]),
        }
        for row in rows
    ]
    return f"{name}: {'; '.join(told)}."


# -- Over time -------------------------------------------------------------------------------


def history_title(first: Mapping[str, Any], last: Mapping[str, Any], publications: int) -> str:
    """Of one revision on one board: where it began and where it is now."""
    told = {
        "publications": grouped(publications),
        "first": decimal(first["rating"], 0),
        "last": decimal(last["rating"], 0),
    }
    if publications == 1:
        return _("It has been in one publication, at %(last)s.") % told
    halves = [half_of(point) for point in (first, last)]
    moved = abs(last["rating"] - first["rating"])
    if None not in halves and moved <= max(half for half in halves if half is not None):
        if (halves[0] or 0.0) > (halves[1] or 0.0) * 1.1:
            return _("More votes narrowed the interval and did not change the answer.")
        return _("Over %(publications)s publications its rating stayed within its interval.") % told
    return (
        _("Over %(publications)s publications its rating went from %(first)s to %(last)s.") % told
    )


def half_of(point: Mapping[str, Any]) -> float | None:
    if point["lower"] is None or point["upper"] is None:
        return None
    return float(point["upper"] - point["lower"]) / 2


def history_words(rows: Sequence[Mapping[str, Any]]) -> str:
    told = [
        _("Publication %(number)s, %(revision)s, %(board)s: %(rating)s, rank %(rank)s")
        % {
            "number": row["publication"],
            "revision": row["revision"],
            "board": board_word(row["board"]),
            "rating": decimal(row["rating"]),
            "rank": row["rank"],
        }
        for row in rows
    ]
    return f"{'; '.join(told)}."


def board_word(board: str) -> str:
    if board == BoardName.RAW:
        return pgettext("board", "raw")
    return pgettext("board", "controlled")


def history_note(*, is_alone: bool) -> str:
    """How to read the chart. is_alone: whether its contestant has no other revision in it."""
    key = _("Ring, dashed: raw; dot: controlled, with its 95% interval.")
    return key if is_alone else joined(key, _("Pale: other revisions of the same contestant."))


def entered_words(name: str) -> str:
    """Beside the line where a revision came in."""
    return _("%(name)s enters") % {"name": name}


# -- Head to head ----------------------------------------------------------------------------


def versus_title(differing: int, compared: int, expected: float) -> str:
    """differing: opponents against whom the record is unlike the board's expectation."""
    told = {
        "number": grouped(differing),
        "all": grouped(compared),
        "chance": grouped(expected),
    }
    if not differing:
        return _("Against every opponent its record fits what the board expects.")
    return (
        ngettext(
            "Against %(number)s of %(all)s opponents its record is unlike what the board expects; "
            "chance alone makes about %(chance)s.",
            "Against %(number)s of %(all)s opponents its record is unlike what the board expects; "
            "chance alone makes about %(chance)s.",
            differing,
        )
        % told
    )


def versus_words(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    told = [
        _("%(opponent)s: won %(observed)s of votes: %(votes)s, expected %(expected)s")
        % {
            "opponent": row["opponent"],
            "observed": share(row["observed"]),
            "votes": grouped(row["votes"]),
            "expected": share(row["expected"]) if row["expected"] is not None else _("not known"),
        }
        for row in rows
        if row["observed"] is not None
    ]
    return f"{name}. {'; '.join(told)}."


# -- How easily it could change --------------------------------------------------------------


def climb_sentence(climb: Mapping[str, Any]) -> str:
    told = {
        "above": climb["above"],
        "gap": decimal(climb["gap"]),
        "wins": grouped(climb["wins"] or 0),
    }
    if not climb["wins"]:
        return _("%(above)s stands next above it, %(gap)s points ahead.") % told
    return (
        ngettext(
            "To climb over %(above)s, %(gap)s points ahead, it would need about %(wins)s more win "
            "and not one loss.",
            "To climb over %(above)s, %(gap)s points ahead, it would need about %(wins)s more wins "
            "and not one loss.",
            climb["wins"],
        )
        % told
    )


def top_sentence() -> str:
    return _("Nobody stands above it.")


# -- Where style and vote disagree -----------------------------------------------------------


def disagreements_sentence(against: int, decided: int) -> str:
    told = {
        "against": grouped(against),
        "decided": grouped(decided),
        "share": share(against / decided),
    }
    return (
        ngettext(
            "Style clearly favoured one answer in %(decided)s of its decided battles; it was not "
            "the one preferred in %(against)s, %(share)s.",
            "Style clearly favoured one answer in %(decided)s of its decided battles; it was not "
            "the one preferred in %(against)s, %(share)s.",
            decided,
        )
        % told
    )


def disagreement_words(opponent: str, *, won: bool) -> str:
    if won:
        return _("Preferred to %(opponent)s") % {"opponent": opponent}
    return _("%(opponent)s preferred to it") % {"opponent": opponent}


# -- Numbers ---------------------------------------------------------------------------------


def share(value: float) -> str:
    """In whole percent, but what is not all or nothing never reads so."""
    whole = round(100 * value)
    if whole in (0, 100) and 0 < value < 1:
        return _("%(share)s%%") % {"share": "<1" if whole == 0 else ">99"}
    return _("%(share)s%%") % {"share": number_format(whole)}


def decimal(value: float, places: int = 1) -> str:
    """With a true minus."""
    written = str(number_format(round(value, places) + 0.0, places, force_grouping=False))
    return written.replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    return f"+{decimal(value)}" if round(value, 1) > 0 else decimal(value)


def figure(value: float) -> str:
    """Counts and seconds with as many digits as say something."""
    is_whole = abs(value) >= 100 or abs(value - round(value)) < 0.005
    places = 0 if is_whole else 1 if abs(value) >= 10 else 2
    return str(number_format(round(value, places), places))


# -- The list of all -------------------------------------------------------------------------


def index_headline(contestants: int, placed: int) -> str:
    told = {"contestants": grouped(contestants), "placed": grouped(placed)}
    if not contestants:
        return _("No contestant has been published yet.")
    if not placed:
        return (
            ngettext(
                "%(contestants)s contestant, which cannot be placed yet.",
                "%(contestants)s contestants, none of which can be placed yet.",
                contestants,
            )
            % told
        )
    return (
        ngettext(
            "%(contestants)s contestant; the board ranks %(placed)s of its revisions.",
            "%(contestants)s contestants; the board ranks %(placed)s of their revisions.",
            contestants,
        )
        % told
    )
