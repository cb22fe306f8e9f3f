"""The sentences of the page on places over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.sentences import grouped, joined
from arena.leaderboard.templatetags.glyphs import doubt, whole

if TYPE_CHECKING:
    from arena.reports.history import HistoryPage, Layout, Line, Place

# Of those that came and went so many are named.
MOST_NOTES = 12
ABSENT = "–"


def headline(page: "HistoryPage") -> str:
    if len(page.publications) < 2:
        return _("This is the first publication, so places have no history yet.")
    if not page.lines:
        return _("Nobody had a place in these publications.")
    movers = sure_movers(page.lines)
    told = {"number": grouped(len(page.publications))}
    if not movers:
        return _("Over %(number)s publications nobody shown moved beyond doubt.") % told
    furthest = max(movers, key=lambda line: abs(line.change))
    first, last = furthest.ends
    told |= {"name": furthest.name, "before": grouped(first.rank), "after": grouped(last.rank)}
    if furthest.swaps:
        column = furthest.swaps[-1]
        told["other"] = furthest.holders[column - 1]
        return swapped_headline(furthest.change) % told
    if furthest.change < 0:
        return (
            _("Over %(number)s publications %(name)s fell furthest, from %(before)s to %(after)s.")
            % told
        )
    return (
        _("Over %(number)s publications %(name)s rose furthest, from %(before)s to %(after)s.")
        % told
    )


def swapped_headline(change: int) -> str:
    if change < 0:
        return _(
            "Over %(number)s publications the family of %(name)s fell furthest, from %(before)s "
            "to %(after)s, as it replaced %(other)s."
        )
    return _(
        "Over %(number)s publications the family of %(name)s rose furthest, from %(before)s to "
        "%(after)s, as it replaced %(other)s."
    )


def sure_movers(lines: "Sequence[Line]") -> "list[Line]":
    return [line for line in lines if line.change and not line.could_be_nothing]


def movers_sentence(lines: "Sequence[Line]") -> str:
    movers = len(sure_movers(lines))
    told = {"number": grouped(movers), "all": grouped(len(lines))}
    if not movers:
        return _("None of the %(all)s shown moved beyond doubt.") % told
    return (
        ngettext(
            "%(number)s of the %(all)s shown moved beyond doubt.",
            "%(number)s of the %(all)s shown moved beyond doubt.",
            movers,
        )
        % told
    )


def subtitle(page: "HistoryPage") -> str:
    """What moving means here; how many came and went."""
    if not page.has_history:
        return ""
    said = [_("Beyond doubt: its rank sets at both ends, right for all at once, do not overlap.")]
    if page.joined:
        said.append(
            ngettext(
                "%(number)s came onto the board.",
                "%(number)s came onto the board.",
                len(page.joined),
            )
            % {"number": grouped(len(page.joined))}
        )
    if page.left:
        said.append(
            ngettext("%(number)s left it.", "%(number)s left it.", len(page.left))
            % {"number": grouped(len(page.left))}
        )
    return joined(*said)


def notes(page: "HistoryPage") -> tuple[str, ...]:
    """Who came and went, the latest first."""
    came = [(line.joined or 0, came_note(line, page)) for line in page.joined]
    went = [(line.last_at + 1, went_note(line, page)) for line in page.left]
    swaps = [(at, swap_note(line, at, page)) for line in page.lines for at in line.swaps]
    said = [note for _at, note in sorted([*came, *went, *swaps], reverse=True)]
    more = len(said) - MOST_NOTES
    if more > 0:
        rest = ngettext(
            "And %(number)s more came or went.", "And %(number)s more came or went.", more
        )
        return (*said[:MOST_NOTES], rest % {"number": grouped(more)})
    return tuple(said)


def came_note(line: "Line", page: "HistoryPage") -> str:
    assert line.joined is not None
    told = {
        "name": line.name,
        "number": page.publications[line.joined].number,
        "sibling": line.sibling,
    }
    if not line.sibling:
        return _("Publication %(number)s: %(name)s came onto the board.") % told
    if line.sibling_stayed:
        return (
            _(
                "Publication %(number)s: %(name)s came beside %(sibling)s, which is of the same "
                "family."
            )
            % told
        )
    return (
        _("Publication %(number)s: %(name)s replaced %(sibling)s, which is of the same family.")
        % told
    )


def swap_note(line: "Line", column: int, page: "HistoryPage") -> str:
    before, after = line.places[column - 1], line.places[column]
    assert before is not None and after is not None
    told = {
        "name": line.holders[column],
        "other": line.holders[column - 1],
        "number": page.publications[column].number,
        "before": before.rank,
        "after": after.rank,
    }
    return (
        _(
            "Publication %(number)s: %(name)s took the place of %(other)s in their family, which "
            "went from %(before)s to %(after)s."
        )
        % told
    )


def went_note(line: "Line", page: "HistoryPage") -> str:
    told = {"name": line.name, "number": page.publications[line.last_at + 1].number}
    return _("Publication %(number)s: %(name)s has no place any more.") % told


def line_words(line: "Line") -> str:
    return f"{line.name} {', '.join(rank_words(place) for place in line.places)}"


def rank_words(place: "Place | None") -> str:
    return ABSENT if place is None else str(place.rank)


def page_words(page: "HistoryPage") -> str:
    """All places in words."""
    numbers = ", ".join(str(each.number) for each in page.publications)
    rows = "; ".join(line_words(line) for line in page.lines)
    told = {"numbers": numbers, "rows": rows}
    return _("Ranks in publications %(numbers)s: %(rows)s.") % told


def figure_words(place: "Place") -> str:
    return f"{whole(place.rating)} {doubt(place.half)}"


def figure_key(lines: "Sequence[Line]", sheet: "Layout") -> str:
    """How to read the chart of these lines on that sheet."""
    key = [_("Coloured: moved beyond doubt since the publication before.")]
    if any(line.swaps for line in lines):
        key.append(_("Dashed: another revision of the family took the place."))
    if any(line.joined_from is not None for line in lines):
        key.append(_("Dashed: from another revision of its family."))
    if sheet.is_cut:
        key.append(_("Places below %(rank)s are drawn at the foot.") % {"rank": sheet.deepest})
    return joined(*key)
