"""The sentences of the page of categories."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.categories import category_words
from arena.leaderboard.sentences import grouped, joined, listed
from arena.leaderboard.templatetags.glyphs import doubt, signed, whole

if TYPE_CHECKING:
    from arena.reports.categories import Category, Contestant, Place, Table

Json = Mapping[str, Any]
# Words of the picture name so many differences; the files have all.
MOST_TOLD = 100


# -- The page --------------------------------------------------------------------------------


def headline(table: Table, *, is_draft: bool) -> str:
    if is_draft and not table.categories:
        return _("A draft has no categories; they come with its publication.")
    if not table.categories:
        return _("No vote says yet what its prompt was about.")
    reordering = apart(table)
    if reordering:
        return reorders(reordering[0])
    if all(category.is_pooled for category in table.categories):
        return ngettext(
            "The one category has few votes, so it borrows from all others.",
            "All %(categories)s categories have few votes, so each borrows from all others.",
            len(table.categories),
        ) % {"categories": grouped(len(table.categories))}
    return _("No category reorders the board beyond what chance gives.")


def apart(table: Table) -> list[Category]:
    """Categories whose ratings differ from the overall ones beyond chance, the furthest first."""
    found = [category for category in table.categories if table.is_beyond_chance(category)]
    return sorted(found, key=lambda category: -points(category))


def points(category: Category) -> float:
    return category.spread.points if category.spread else 0.0


def reorders(category: Category) -> str:
    assert category.spread is not None
    typical = max(1, round(category.spread.points))
    return ngettext(
        "%(category)s reorders the board most: beyond chance, ratings there lie %(points)s point "
        "from the overall ones.",
        "%(category)s reorders the board most: beyond chance, ratings there lie %(points)s points "
        "from the overall ones.",
        typical,
    ) % {"category": category.label, "points": grouped(typical)}


def subtitle(table: Table, *, is_draft: bool) -> str:
    """How many stand apart there, and who gains and loses most."""
    reordering = apart(table)
    if not reordering:
        return "" if table.categories or is_draft else where_they_come_from()
    category = reordering[0]
    k = table.categories.index(category)
    places = [
        (each, place)
        for each in table.contestants
        if (place := each.places[k]) is not None and place.is_apart
    ]
    assert category.spread is not None
    told = {"apart": grouped(category.spread.apart), "of": grouped(category.spread.of)}
    counted = ngettext(
        "%(apart)s of %(of)s contestants stands clearly apart there.",
        "%(apart)s of %(of)s contestants stand clearly apart there.",
        category.spread.apart,
    )
    return joined(counted % told, extremes(places))


def extremes(places: Sequence[tuple[Contestant, Place]]) -> str:
    moved = sorted(places, key=lambda pair: pair[1].difference or 0.0)
    if not moved:
        return ""
    (least, low), (most, high) = moved[0], moved[-1]
    lost, gained = low.difference or 0.0, high.difference or 0.0
    told = {
        "most": most.name,
        "gained": signed(gained),
        "least": least.name,
        "lost": signed(lost),
    }
    if lost < 0 < gained:
        return _("%(most)s gains most (%(gained)s), %(least)s loses most (%(lost)s).") % told
    if gained > 0:
        return _("%(most)s gains most (%(gained)s).") % told
    return _("%(least)s loses most (%(lost)s).") % told


def where_they_come_from() -> str:
    return _(
        "Categories come from the tags of imported votes and from the prompts of battles held here."
    )


def votes_words(votes: int) -> str:
    return ngettext("%(votes)s vote", "%(votes)s votes", votes) % {"votes": grouped(votes)}


def share(value: float) -> str:
    """Of a hundred; a decimal below ten."""
    percent = 100 * value
    return f"{number_format(round(percent, 1), 1) if percent < 9.95 else round(percent)}%"


def differs(category: Category, *, is_apart: bool) -> str:
    """How far a category is from the overall board; of a thin one, what its votes settle."""
    if category.borrowed is not None:
        settled = number_format(math.ceil(100 * (1 - category.borrowed)))
        return _("pooled: its votes settle %(share)s%% of it") % {"share": settled}
    spread = category.spread
    if spread is None:
        return _("not known")
    told = {"apart": grouped(spread.apart), "of": grouped(spread.of)}
    if not is_apart:
        return _("no more than chance; %(apart)s of %(of)s apart") % told
    typical = max(1, round(spread.points))
    return ngettext(
        "%(points)s point; %(apart)s of %(of)s apart",
        "%(points)s points; %(apart)s of %(of)s apart",
        typical,
    ) % (told | {"points": grouped(typical)})


def pooling(table: Table) -> str:
    thin = [category.label for category in table.categories if category.is_pooled]
    if not thin:
        return ""
    return ngettext(
        "%(names)s has too few votes for a board of its own.",
        "%(names)s have too few votes for boards of their own.",
        len(thin),
    ) % {"names": listed(thin)}


def cell_words(category: Category) -> Callable[[Place, Json | None], str]:
    """What a cell of the category says in words: a function, since a page has hundreds of them."""
    rated = _("%(rating)s %(half)s, rank %(rank)s, of %(votes)s votes")
    compared = _("%(rating)s %(half)s, rank %(rank)s, of %(votes)s votes; overall %(overall)s")
    ending = _("pooled") if category.is_pooled else ""
    beginning = f"{category.label}: "

    def told(place: Place, overall: Json | None) -> str:
        said = {
            "rating": whole(place.rating),
            "half": doubt(place.half),
            "rank": place.rank,
            "votes": place.votes,
            "overall": whole(overall["rating"]) if overall else "",
        }
        sentence = (compared if overall else rated) % said
        return f"{beginning}{sentence}{'; ' + ending if ending else ''}"

    return told


# -- The figure ------------------------------------------------------------------------------


def widest(table: Table) -> str:
    """The largest difference that is one."""
    found = [
        (abs(place.difference), each, category, place)
        for each in table.contestants
        for category, place in zip(table.categories, each.places, strict=True)
        if place is not None and place.difference is not None and place.is_apart
    ]
    if not found:
        return _("No contestant stands clearly apart from its overall rating in any category.")
    _far, each, category, place = max(found, key=lambda one: one[0])
    told = {
        "name": each.name,
        "difference": signed(place.difference or 0.0),
        "half": doubt(place.half),
        "category": category_words(category.name),
    }
    return _("The widest: %(name)s in %(category)s, %(difference)s %(half)s.") % told


def told(table: Table, contestants: Sequence[Contestant]) -> str:
    """Every difference that is one, in words."""
    items = [
        f"{each.name}, {category.label} {signed(place.difference or 0.0)}"
        for each in contestants
        for category, place in zip(table.categories, each.places, strict=True)
        if place is not None and place.is_apart
    ]
    beginning = _(
        "Ratings in each category less the overall rating, where that is more than its error."
    )
    shown = "; ".join(items[:MOST_TOLD])
    if len(items) > MOST_TOLD:
        more = grouped(len(items) - MOST_TOLD)
        shown = _("%(shown)s; and %(more)s more") % {"shown": shown, "more": more}
    return joined(beginning, f"{shown}." if items else "")


def column_label(category: Category) -> str:
    return f"{category.label} ({_('pooled')})" if category.is_pooled else category.label


def key() -> str:
    return _(
        "Coloured by the rating in the category less the overall rating; without colour it could "
        "be nothing."
    )


def headings() -> dict[str, str]:
    return {
        "contestant": _("Contestant"),
        "category": _("Category"),
        "votes": _("Votes"),
        "rating": _("Rating"),
        "half": _("±"),
        "rank": _("Rank"),
        "rank_lower": "",
        "rank_upper": "",
        "overall_rating": _("Overall"),
        "overall_rank": _("Overall rank"),
        "difference": _("Difference"),
        "apart": _("Apart"),
        "pooled": _("Pooled"),
    }
