"""The sentences of the pages on families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from arena.leaderboard.sentences import grouped, joined, listed
from arena.leaderboard.sure_words import share
from arena.leaderboard.templatetags.glyphs import MINUS, doubt, signed, whole

if TYPE_CHECKING:
    from arena.reports.families import Compared, Direct, Line, Member, Picked, Test

    Telling = tuple[Member, Member, Compared]

# Of an error that lists what exists, so many are named.
MOST_NAMED = 60
# p is told no smaller than that.
SMALLEST_P = 0.001
METRICS = {
    "tokens": gettext_lazy("Length, in tokens"),
    "headers": gettext_lazy("Headers"),
    "lists": gettext_lazy("List items"),
    "bold": gettext_lazy("Bold spans"),
    "code": gettext_lazy("Code blocks"),
    "emoji": gettext_lazy("Emoji"),
    "outcome": gettext_lazy("How they fared"),
    "substance": gettext_lazy("How they fared, style controlled"),
}
NAMES = {
    "tokens": gettext_lazy("length"),
    "headers": gettext_lazy("headers"),
    "lists": gettext_lazy("lists"),
    "bold": gettext_lazy("bold"),
    "code": gettext_lazy("code"),
    "emoji": gettext_lazy("emoji"),
}
OUTCOME, SUBSTANCE = "outcome", "substance"


def unknown(slug: str, slugs: Sequence[str]) -> str:
    told = {"name": slug[:80]}
    if not slugs:
        return (
            _(
                "There is no family '%(name)s': no family of this publication has several "
                "revisions with counted votes."
            )
            % told
        )
    named = [*slugs[:MOST_NAMED], *(["…"] if len(slugs) > MOST_NAMED else [])]
    return _(
        "There is no family '%(name)s' of several revisions with counted votes. "
        "These exist: %(names)s."
    ) % (told | {"names": listed(named)})


def untold() -> str:
    return _("Of families only publications tell; a draft, or one of an earlier form, does not.")


# -- Numbers ---------------------------------------------------------------------------------


def span(lower: int | None, upper: int | None) -> str:
    """A rank set; "" where it is not known."""
    if lower is None or upper is None:
        return ""
    return str(lower) if lower == upper else f"{lower}–{upper}"


def metric_label(metric: str) -> str:
    return str(METRICS.get(metric, metric))


def metric_note(metric: str) -> str:
    """What the two values of a metric are."""
    if metric in (OUTCOME, SUBSTANCE):
        return _("mean score less what is expected of both alike")
    return _("median")


def median(value: float) -> str:
    return str(number_format(value, 0 if value == round(value) else 1, force_grouping=True))


def score(value: float) -> str:
    """Percentage points above or below what was expected."""
    written = number_format(round(100 * value, 1) + 0.0, 1)
    sign = "+" if value > 0 else ""
    return _("%(points)s pp") % {"points": f"{sign}{written}".replace("-", MINUS)}


def p_said(p: float) -> str:
    """Within a sentence."""
    if p < SMALLEST_P:
        return f"p {p_words(p)}"
    return f"p = {p_words(p)}"


def p_words(p: float) -> str:
    if p < SMALLEST_P:
        return f"< {number_format(SMALLEST_P, 3)}"
    digits = 3 if p < 0.1 else 2
    return str(number_format(round(p, digits), digits))


# -- What stands at the top ------------------------------------------------------------------


def headline(name: str, members: Sequence[Member], telling: Telling | None) -> str:
    if telling is None:
        return ngettext(
            "%(name)s has %(number)s revision with counted votes.",
            "%(name)s has %(number)s revisions with counted votes.",
            len(members),
        ) % {"name": name, "number": grouped(len(members))}
    first, second, compared = telling
    told = {"first": first.name, "second": second.name} | ranks(first, second)
    if not compared.is_apart:
        return (
            _(
                "Nothing in their answers tells %(first)s and %(second)s apart: they may be one "
                "model."
            )
            % told
        )
    if not compared.is_alike:
        return (
            _(
                "%(first)s and %(second)s answer unlike one model, unless it was asked different "
                "things."
            )
            % told
        )
    is_swap = first.is_unreleased and not second.is_unreleased and "rank" in told
    if compared.has_substance and SUBSTANCE not in compared.apart:
        if is_swap and first.raw and second.raw:
            return (
                _(
                    "Tested at #%(raw)s raw, %(first)s is not what was released: %(second)s stands "
                    "at #%(second_raw)s, and in substance nothing sets them apart."
                )
                % told
            )
        return (
            _("%(first)s and %(second)s write differently; in substance nothing sets them apart.")
            % told
        )
    if is_swap:
        return (
            _(
                "Tested at #%(rank)s, %(first)s is not what was released: %(second)s stands at "
                "#%(second_rank)s."
            )
            % told
        )
    return _("%(first)s and %(second)s did not give their answers as one model would.") % told


def ranks(first: Member, second: Member) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if first.place and second.place:
        told |= {"rank": first.place.rank, "second_rank": second.place.rank}
    if first.raw and second.raw:
        told |= {"raw": first.raw.rank, "second_raw": second.raw.rank}
    return told


def subtitles(
    members: Sequence[Member], telling: Telling | None, picked: Picked | None
) -> list[str]:
    said = []
    if telling is not None:
        first, second, _compared = telling
        if first.place and second.place and first.raw and second.raw:
            said.append(
                _(
                    "Raw, %(points)s points lie between them, and %(controlled)s with style "
                    "controlled for."
                )
                % {
                    "points": whole(abs(first.raw.rating - second.raw.rating)),
                    "controlled": whole(abs(first.place.rating - second.place.rating)),
                }
            )
    if picked is not None:
        said.append(tested_sentence(picked))
    elif telling is not None:
        said.append(telling[2].how)
    return said


def tested_sentence(picked: Picked) -> str:
    told = {"number": grouped(picked.tested), "chance": whole(picked.chance)}
    if not picked.is_choice:
        return ngettext(
            "Before the release %(number)s variant was tested, so none was picked from several.",
            "Before the release %(number)s variants were tested, of which these votes place one.",
            picked.tested,
        ) % {"number": grouped(picked.tested)}
    return (
        _(
            "Before the release %(number)s variants were tested: even if all were the same, the "
            "best of them would look %(chance)s points better than it is."
        )
        % told
    )


# -- Direct battles --------------------------------------------------------------------------


def never_met(members: Sequence[Member], direct: Sequence[Direct]) -> str:
    """Of who was tried out and who was released, where no vote set one against the other."""
    met = {frozenset((row.one, row.other)) for row in direct}
    tried = [member for member in members if member.is_unreleased]
    released = [member for member in members if member.stage == "released"]
    apart = [
        (one, other)
        for one in tried
        for other in released
        if frozenset((one.name, other.name)) not in met
    ]
    if not apart:
        return ""
    if len(apart) > 1:
        return ngettext(
            "In %(number)s pair of an unreleased and a released one no counted vote set one "
            "against the other.",
            "In %(number)s pairs of an unreleased and a released one no counted vote set one "
            "against the other.",
            len(apart),
        ) % {"number": grouped(len(apart))}
    one, other = apart[0]
    told = {"one": one.name, "other": other.name}
    if one.last and other.first and one.last < other.first:
        return (
            _(
                "%(one)s and %(other)s never met: the last vote on the one came before the first "
                "on the other."
            )
            % told
        )
    return _("%(one)s and %(other)s never met in a counted vote.") % told


# -- One model? ------------------------------------------------------------------------------


def one_model(
    pair: Mapping[str, Any], apart: frozenset[str], tests: Sequence[Test], *, is_alike: bool
) -> str:
    """is_alike: whether the prompts were the same, so far as is known."""
    style = [str(NAMES[test.metric]) for test in tests if test.metric in apart & NAMES.keys()]
    told = {
        "first": pair["first"],
        "second": pair["second"],
        "p": p_said(pair["p"]),
        "style": listed(style) if style else "",
    }
    if not apart:
        return (
            _(
                "One model could have given the answers of %(first)s and %(second)s: nothing that "
                "was compared sets them apart (%(p)s)."
            )
            % told
        )
    said = _("No one model, asked in one way, gave the answers of both.")
    if not is_alike:
        said = _("No one model, asked the same things, would give the answers of both.")
    return joined(said, apart_sentence(told, apart, tests))


def apart_sentence(told: Mapping[str, str], apart: frozenset[str], tests: Sequence[Test]) -> str:
    """In what they differ, and in what not."""
    if not told["style"]:
        return _("%(first)s and %(second)s write alike, but do not fare alike.") % told
    if SUBSTANCE in apart:
        return (
            _(
                "%(first)s and %(second)s differ in %(style)s, and they fare differently with "
                "style controlled for as well."
            )
            % told
        )
    if SUBSTANCE in {test.metric for test in tests}:
        return (
            _(
                "%(first)s and %(second)s differ in %(style)s. With style controlled for they fare "
                "alike, so far as these votes can tell."
            )
            % told
        )
    return _("%(first)s and %(second)s differ in %(style)s.") % told


def how_compared(pair: Mapping[str, Any]) -> str:
    first, second = pair["answers"]
    told = {
        "answers": grouped(first),
        "others": grouped(second),
        "shared": grouped(pair["shared"] or 0),
        "units": grouped(pair["units"][0]),
        "other_units": grouped(pair["units"][1]),
    }
    if pair["prompts"] == "same":
        return (
            _(
                "Compared are their answers to the %(shared)s prompts that both answered, in "
                "%(answers)s and %(others)s votes; answers are exchanged within each prompt."
            )
            % told
        )
    if pair["prompts"] == "battle":
        return (
            _(
                "Compared are the two answers of each of their %(answers)s direct battles, which "
                "are to one prompt; and how each fared against others."
            )
            % told
        )
    told["unit"] = {
        "answer": _("Answers that came again are one, however often they were shown."),
        "voter": _("All answers to one voter are exchanged together."),
        "vote": _("Voters are not known, so every vote stands on its own."),
    }[pair["unit"]]
    return joined(
        _(
            "Compared are %(answers)s answers of the one and %(others)s of the other. These votes "
            "do not name their prompts, so prompts that differ would make answers differ too."
        )
        % told,
        told["unit"],
    )


# -- The best of N ---------------------------------------------------------------------------


def picked_sentences(picked: Picked) -> tuple[str, ...]:
    said = [choice_sentence(picked)] if picked.is_choice else [tested_sentence(picked)]
    published = picked.published
    if published is None:
        said.append(_("None of the family has been released with counted votes yet."))
        return tuple(said)
    told = {
        "name": published.rated.name,
        "rating": whole(published.rated.rating),
        "half": doubt(published.rated.half),
        "best": picked.best.name,
        "points": signed(published.lead),
        "doubt": doubt(published.lead_half),
    }
    if published.could_be_nothing:
        said.append(
            _(
                "From votes since its release alone, %(name)s is rated %(rating)s %(half)s: "
                "%(points)s %(doubt)s against %(best)s, which could be nothing."
            )
            % told
        )
    else:
        said.append(
            _(
                "From votes since its release alone, %(name)s is rated %(rating)s %(half)s: "
                "%(points)s %(doubt)s against %(best)s."
            )
            % told
        )
    if published.left_out:
        said.append(
            ngettext(
                "%(number)s vote on it from before its release is left out here.",
                "%(number)s votes on it from before its release are left out here.",
                published.left_out,
            )
            % {"number": grouped(published.left_out)}
        )
    elif published.released is None:
        said.append(_("The day of its release is not stated; all of its votes count here."))
    return tuple(said)


def choice_sentence(picked: Picked) -> str:
    told = {
        "number": grouped(len(picked.variants)),
        "best": picked.best.name,
        "chance": whole(picked.chance),
        "inflation": whole(picked.inflation),
        "rating": whole(picked.best.rating),
        "corrected": whole(picked.corrected),
        "half": doubt(picked.half),
        "p": p_said(picked.p_identical),
        "spread": whole(picked.spread),
    }
    if picked.spread < 0.5:
        return (
            _(
                "Nothing shows that the %(number)s variants differ (%(p)s). Picking the best "
                "of so many that are the same adds %(chance)s points by chance: %(best)s, at "
                "%(rating)s, comes to %(corrected)s %(half)s without them."
            )
            % told
        )
    return (
        _(
            "The %(number)s variants differ by about %(spread)s points (%(p)s if all were the "
            "same). Picking the best of so many that differ by that much adds %(inflation)s points "
            "by chance, and %(chance)s if all were the same: %(best)s, at %(rating)s, comes to "
            "%(corrected)s %(half)s without them."
        )
        % told
    )


# -- In figures ------------------------------------------------------------------------------


def ratings_title(members: Sequence[Member]) -> str:
    """What the chart of all members shows."""
    placed = [member for member in members if member.place]
    best = max(placed, key=lambda member: member.place.rating if member.place else 0.0)
    worst = min(placed, key=lambda member: member.place.rating if member.place else 0.0)
    assert best.place is not None and worst.place is not None
    told = {
        "best": best.name,
        "worst": worst.name,
        "points": whole(best.place.rating - worst.place.rating),
    }
    if len(placed) == 1:
        return _("%(best)s is the only one of the family that these votes place.") % told
    raws = [member.raw.rating for member in placed if member.raw]
    if len(raws) == len(placed):
        told["raw"] = whole(max(raws) - min(raws))
        return (
            _("The family spans %(raw)s points raw, and %(points)s with style controlled for.")
            % told
        )
    return _("From %(best)s to %(worst)s, the family spans %(points)s points.") % told


def ratings_words(members: Sequence[Member]) -> str:
    said = []
    for member in members:
        if member.place is None:
            said.append(_("%(name)s: not placed") % {"name": member.name})
            continue
        told = {
            "name": member.name,
            "rating": whole(member.place.rating),
            "half": doubt(member.place.half),
            "rank": member.place.rank,
        }
        if member.raw is None:
            said.append(_("%(name)s: %(rating)s %(half)s, rank %(rank)s") % told)
        else:
            told |= {"raw": whole(member.raw.rating), "raw_rank": member.raw.rank}
            said.append(
                _("%(name)s: %(rating)s %(half)s, rank %(rank)s; raw %(raw)s, rank %(raw_rank)s")
                % told
            )
    return f"{'. '.join(said)}."


def writing_title(compared: Compared) -> str:
    told = {"first": compared.first, "second": compared.second}
    style = [str(NAMES[test.metric]) for test in compared.tests if test.metric in NAMES]
    apart = [str(NAMES[m.metric]) for m in compared.tests if m.metric in NAMES and m.is_apart]
    if not apart:
        return _("%(first)s and %(second)s write alike in all that was compared.") % told
    told["style"] = listed(apart)
    if len(apart) == len(style) > 1:
        return _("%(first)s and %(second)s write unlike in everything that was compared.") % told
    return _("%(first)s and %(second)s write unlike in %(style)s.") % told


def writing_words(compared: Compared) -> str:
    said = [
        _("%(label)s: median %(first_value)s of %(first)s, %(second_value)s of %(second)s")
        % {
            "label": test.label,
            "first": compared.first,
            "second": compared.second,
            "first_value": test.first,
            "second_value": test.second,
        }
        for test in compared.tests
        if test.metric in NAMES
    ]
    return f"{'. '.join(said)}."


def picked_title(picked: Picked) -> str:
    return _("Picking the best of %(number)s adds %(inflation)s points by chance.") % {
        "number": grouped(len(picked.variants)),
        "inflation": whole(picked.inflation),
    }


def picked_words(picked: Picked) -> str:
    said = [
        _("%(name)s: %(rating)s %(half)s")
        % {"name": rated.name, "rating": whole(rated.rating), "half": doubt(rated.half)}
        for rated in picked.variants
    ]
    return joined(f"{'; '.join(said)}.", *picked.sentences)


# -- All families ----------------------------------------------------------------------------


def index_headline(lines: Sequence[Line]) -> str:
    """In how many families what was tested is not what was released."""
    if not lines:
        return _("No family of this publication has several revisions with counted votes.")
    tested = sum(line.tested for line in lines)
    apart = sum(line.is_apart for line in lines)
    told = {
        "families": grouped(len(lines)),
        "tested": grouped(tested),
        "apart": grouped(apart),
    }
    if not tested:
        return (
            ngettext(
                "%(families)s family has several revisions with counted votes; none was tested "
                "before its release.",
                "%(families)s families have several revisions with counted votes; none was tested "
                "before its release.",
                len(lines),
            )
            % told
        )
    if not apart and not all(line.is_level for line in lines if line.tested):
        return tested_words(tested)
    if not apart:
        return (
            ngettext(
                "%(tested)s variant was tested before its release, and nothing tells it from what "
                "was released.",
                "%(tested)s variants were tested before a release, and nothing tells them from "
                "what was released.",
                tested,
            )
            % told
        )
    return (
        ngettext(
            "In %(apart)s family, what was tested is not what was released.",
            "In %(apart)s families, what was tested is not what was released.",
            apart,
        )
        % told
    )


def index_subtitle(lines: Sequence[Line]) -> str:
    """Where the headline is about something else."""
    tested = sum(line.tested for line in lines)
    return tested_words(tested) if any(line.is_apart for line in lines) else ""


def tested_words(tested: int) -> str:
    return ngettext(
        "%(tested)s variant was tested before a release.",
        "%(tested)s variants were tested before a release.",
        tested,
    ) % {"tested": grouped(tested)}


def share_words(value: float | None) -> str:
    return "" if value is None else share(value)


def ratings_key(*, has_raw: bool) -> str:
    if has_raw:
        return _("Ring: raw; dot: style-controlled; each with its 95% interval.")
    return _("Raw, with 95% intervals.")


def writing_key(compared: Compared) -> str:
    return _(
        "Filled: %(first)s; outlined: %(second)s. Bars are shares of answers that have from so "
        "many up to the next number."
    ) % {"first": compared.first, "second": compared.second}


def picked_key(*, is_raw: bool) -> str:
    if is_raw:
        return _("Diamond: the best of them without what picking the best adds by chance.")
    return _("Hollow: the best of them without what picking the best adds by chance.")


def corrected_name(name: str) -> str:
    return _("%(name)s, corrected") % {"name": name}


def since_release(name: str) -> str:
    return _("%(name)s, since its release") % {"name": name}
