"""Categories of a publication: who stands where in each, and which of them reorder the board."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from arena.core.exceptions import BadInput, Unknown
from arena.leaderboard.categories import category_definition, category_label
from arena.leaderboard.models import Fitted
from arena.leaderboard.selectors import board_document, board_name, part_get
from arena.leaderboard.templatetags.glyphs import signed, whole
from arena.leaderboard.viewing import query_of
from arena.reports import categories_words as words
from arena.reports.figures import Figure, Shown
from arena.reports.roster import Roster, roster_of

if TYPE_CHECKING:
    from ranking.pictures import Chart
    from ranking.plots.themes import Theme

Json = Mapping[str, Any]

DIFFERENCE, RANK = "difference", "rank"
ALL = "all"
KNOWN = frozenset({"snapshot", "cells", "sort", "rows"})
# So many contestants are shown at first, and so many at most in the picture.
ROWS_AT_FIRST, MOST_DRAWN = 40, 30
# Rating points from which a cell's colour grows.
STEPS = (20.0, 50.0)
# What chance alone gives to some category less often than this is no chance.
CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Spread:
    """How far a category's ratings lie from the overall ones: in points beyond chance, and how
    many contestants of how many stand apart from their overall rating. p_value: of no difference.
    """

    points: float
    p_value: float
    apart: int
    of: int


@dataclass(frozen=True, slots=True)
class Category:
    """borrowed: of a thin category, how much of its difference its votes leave open."""

    name: str
    label: str
    definition: str
    address: str
    votes: int
    share: float
    borrowed: float | None
    spread: Spread | None

    @property
    def is_pooled(self) -> bool:
        return self.borrowed is not None


@dataclass(frozen=True, slots=True)
class Place:
    """A contestant in a category. difference: from its overall rating, each against the mean of
    whom both place; None where the overall board does not place it."""

    votes: int
    rating: float
    half: float
    rank: int
    rank_lower: int | None
    rank_upper: int | None
    difference: float | None

    @property
    def is_apart(self) -> bool:
        """Whether its interval in the category leaves the overall rating out."""
        return self.difference is not None and abs(self.difference) > self.half


@dataclass(frozen=True, slots=True)
class Contestant:
    """overall: its row of the default board; None where that does not place it. places: in each
    category, None where that does not place it."""

    name: str
    overall: Json | None
    places: tuple[Place | None, ...]


@dataclass(frozen=True)
class Table:
    """Every contestant, in the order of the default board, in every category, largest first."""

    categories: tuple[Category, ...]
    contestants: tuple[Contestant, ...]

    def is_beyond_chance(self, category: Category) -> bool:
        """Whether its ratings differ from the overall ones, all categories looked at at once."""
        compared = sum(each.spread is not None for each in self.categories)
        return category.spread is not None and category.spread.p_value * compared < CHANCE


def table_of(snapshot: Fitted, named: str = "") -> Table | None:
    """None where no vote says what it is about. named: the snapshot as the address names it."""
    part = part_get(snapshot, "categories")
    if part is None:
        return None
    document = board_document(snapshot, board_name(snapshot, ""))
    overall = {row["contestant"]: row for row in document["standings"]}
    columns = [places_of(part, k) for k in range(len(part["categories"]))]
    contestants = [
        Contestant(name, overall.get(name), tuple(column[i] for column in columns))
        for i, name in enumerate(part["contestants"])
    ]
    contestants.sort(key=place_overall)
    counted = document["counts"]["counted"]
    return Table(
        categories=tuple(
            category_of(part, k, counted, named) for k in range(len(part["categories"]))
        ),
        contestants=tuple(contestants),
    )


def place_overall(contestant: Contestant) -> tuple[bool, int, str]:
    row = contestant.overall
    return row is None, row["rank"] if row else 0, contestant.name


def places_of(part: Json, k: int) -> list[Place | None]:
    fields = ("votes", "ratings", "halves", "ranks", "rank_lower", "rank_upper", "differences")
    return [
        None if values[1] is None else Place(*values)
        for values in zip(*(part[name][k] for name in fields), strict=True)
    ]


def category_of(part: Json, k: int, counted: int, named: str) -> Category:
    name, spread = part["categories"][k], part["spread"][k]
    return Category(
        name=name,
        label=category_label(name),
        definition=category_definition(name),
        address=reverse("leaderboard:board-category", args=[name])
        + query_of([("snapshot", named)] if named else []),
        votes=part["counted"][k],
        share=part["counted"][k] / counted if counted else 0.0,
        borrowed=part["borrowed"][k],
        spread=Spread(**spread) if spread else None,
    )


# -- What is asked for -----------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """cells: what a cell says. sort: the category that orders the rows, "" for the board's own
    order. is_whole: whether all rows are shown. snapshot: as the address names it."""

    cells: str = DIFFERENCE
    sort: str = ""
    is_whole: bool = False
    snapshot: str = ""

    def query(self, **others: str) -> str:
        """What names this in an address."""
        asked = {
            "snapshot": self.snapshot,
            "cells": "" if self.cells == DIFFERENCE else self.cells,
            "sort": self.sort,
            "rows": ALL if self.is_whole else "",
        }
        return query_of((name, value) for name, value in (asked | others).items() if value)


def asked_of(query: QueryDict, table: Table, named: str = "") -> Asked:
    """Raises BadInput or Unknown, saying what exists. named: the snapshot, if the address does."""
    cells = query.get("cells", DIFFERENCE)
    if cells not in (DIFFERENCE, RANK):
        told = {"name": cells[:40], "known": f"{DIFFERENCE}, {RANK}"}
        raise BadInput(_("Cells cannot show '%(name)s'. They can show: %(known)s.") % told)
    sort = query.get("sort", "")
    known = [category.name for category in table.categories]
    if sort and sort not in known:
        told = {"name": sort[:80], "known": ", ".join(known) or _("none yet")}
        raise Unknown(_("There is no category '%(name)s'. These exist: %(known)s.") % told)
    return Asked(cells, sort, query.get("rows") == ALL, named)


def ordered(table: Table, asked: Asked) -> tuple[Contestant, ...]:
    """The contestants as asked for; whoever the sorting category does not place comes last."""
    if not asked.sort:
        return table.contestants
    k = [category.name for category in table.categories].index(asked.sort)
    value = by_rank if asked.cells == RANK else by_difference
    placed = [each for each in table.contestants if value(each.places[k]) is not None]
    others = [each for each in table.contestants if value(each.places[k]) is None]
    return (*sorted(placed, key=lambda each: value(each.places[k]) or 0.0), *others)


def by_rank(place: Place | None) -> float | None:
    return place.rank if place else None


def by_difference(place: Place | None) -> float | None:
    """The largest gain first."""
    return -place.difference if place and place.difference is not None else None


# -- The page --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """A link to the same page otherwise."""

    label: str
    address: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Head:
    """A column's header. sorting: the address that orders the rows by it. about: in few words,
    how many votes it rests on."""

    category: Category
    sorting: str
    is_sorted: bool
    about: str


@dataclass(frozen=True, slots=True)
class Cell:
    """shade: a class of the stylesheet, "" where it could be no difference. title: in words."""

    text: str
    shade: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    address: str
    overall: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A category in their list. share: of all counted votes. differs: how far its ratings are from
    the overall ones, in words. is_apart: whether that is more than chance gives."""

    category: Category
    share: str
    differs: str
    is_apart: bool


@dataclass(frozen=True)
class CategoriesPage:
    headline: str
    subtitle: str
    snapshot: Fitted
    asked: Asked
    ways: tuple[Way, ...]
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    placed: int
    every: str
    """The address that shows every row; "" where all are shown."""
    own_order: str
    """The address that orders the rows as the board does; "" where they are."""
    lines: tuple[Line, ...]
    pooling: str
    """How many categories borrow; "" where none does."""
    figures: tuple[Shown, ...]
    data: Shown | None
    """The figure with every row, for its files."""
    permalink: str


def categories_page(snapshot: Fitted, query: QueryDict) -> CategoriesPage:
    named = snapshot.short if query.get("snapshot") and not snapshot.is_draft else ""
    every = table_of(snapshot, named) or Table((), ())
    asked = asked_of(query, every, named)
    address = reverse("reports:categories")
    order = ordered(every, asked)
    cut = order if asked.is_whole else order[:ROWS_AT_FIRST]
    figures = figures_of(snapshot, every, cut[:MOST_DRAWN], asked)
    return CategoriesPage(
        headline=words.headline(every, is_draft=snapshot.is_draft),
        subtitle=words.subtitle(every, is_draft=snapshot.is_draft),
        snapshot=snapshot,
        asked=asked,
        ways=ways(asked, address),
        heads=tuple(head_of(category, asked, address) for category in every.categories),
        rows=rows_of(every, cut, asked, roster_of(snapshot, named)) if every.categories else (),
        placed=len(order),
        every=address + asked.query(rows=ALL) if len(cut) < len(order) else "",
        own_order=address + asked.query(sort="") if asked.sort else "",
        lines=tuple(line_of(category, every) for category in every.categories),
        pooling=words.pooling(every),
        figures=tuple(
            Shown(figure, figure_address(figure.name), asked.query()) for figure in figures
        ),
        data=Shown(figures[0], figure_address(HEATMAP), asked.query(rows=ALL)) if figures else None,
        permalink=address + asked.query(snapshot=snapshot.short),
    )


def ways(asked: Asked, address: str) -> tuple[Way, ...]:
    labels = {DIFFERENCE: _("rating, from overall"), RANK: _("rank")}
    return tuple(
        Way(
            label,
            address + asked.query(cells="" if cells == DIFFERENCE else cells),
            cells == asked.cells,
        )
        for cells, label in labels.items()
    )


def head_of(category: Category, asked: Asked, address: str) -> Head:
    return Head(
        category=category,
        sorting=address + asked.query(sort=category.name),
        is_sorted=asked.sort == category.name,
        about=words.votes_words(category.votes),
    )


def line_of(category: Category, table: Table) -> Line:
    is_apart = table.is_beyond_chance(category)
    return Line(
        category=category,
        share=words.share(category.share),
        differs=words.differs(category, is_apart=is_apart),
        is_apart=is_apart,
    )


def rows_of(
    table: Table, contestants: Sequence[Contestant], asked: Asked, roster: Roster
) -> tuple[Row, ...]:
    told = [words.cell_words(category) for category in table.categories]
    field, form = ("rank", str) if asked.cells == RANK else ("rating", whole)
    says: Callable[[Place], str] = rank_of if asked.cells == RANK else difference_of
    rows = []
    for each in contestants:
        known = roster.by_name.get(each.name)
        overall = each.overall
        rows.append(
            Row(
                name=each.name,
                address=roster.address(known) if known else "",
                overall=form(overall[field]) if overall else "–",
                cells=tuple(
                    Cell(says(place), shade_of(place), title(place, overall)) if place else None
                    for place, title in zip(each.places, told, strict=True)
                ),
            )
        )
    return tuple(rows)


def rank_of(place: Place) -> str:
    return str(place.rank)


def difference_of(place: Place) -> str:
    return "–" if place.difference is None else signed(place.difference)


def shade_of(place: Place) -> str:
    """up or down with how far, from 1 to 3; "" for a difference that could be nothing."""
    if place.difference is None or not place.is_apart:
        return ""
    far = 1 + sum(abs(place.difference) >= step for step in STEPS)
    return f"{'up' if place.difference > 0 else 'down'}-{far}"


# -- The figure ------------------------------------------------------------------------------

HEATMAP = "heatmap"


def charts() -> ModuleType:
    """Imported with its libraries where a figure is drawn."""
    from arena.reports.charts import categories

    return categories


def figures_of(
    snapshot: Fitted, table: Table, contestants: Sequence[Contestant], asked: Asked
) -> tuple[Figure, ...]:
    """The heatmap of the first of these contestants; none where there is no category."""
    if not table.categories:
        return ()
    drawn = contestants[:MOST_DRAWN]

    def draw(theme: Theme) -> Chart:
        chart: Chart = charts().heatmap(snapshot, table, drawn, asked.cells, theme)
        return chart

    return (
        Figure(
            name=HEATMAP,
            title=words.widest(table),
            words=words.told(table, contestants),
            rows=data_rows(table, contestants),
            draw=draw,
            size=(120 + 46 * len(table.categories), 160 + 24 * len(drawn)),
            headings=words.headings(),
            note=words.key(),
        ),
    )


def figures_asked(snapshot: Fitted, query: QueryDict) -> tuple[Asked, tuple[Figure, ...]]:
    """What an address asks for, and the figures of it with the rows that its page shows."""
    table = table_of(snapshot) or Table((), ())
    asked = asked_of(query, table)
    order = ordered(table, asked)
    cut = order if asked.is_whole else order[:ROWS_AT_FIRST]
    return asked, figures_of(snapshot, table, cut, asked)


def figure_address(name: str) -> str:
    return reverse("reports:categories-figure", args=[name, "svg"]).removesuffix(".svg")


def data_rows(table: Table, contestants: Sequence[Contestant]) -> list[dict[str, Any]]:
    """A row for each contestant in each category that places it."""
    return [
        {
            "contestant": each.name,
            "category": category.name,
            "votes": place.votes,
            "rating": place.rating,
            "half": place.half,
            "rank": place.rank,
            "rank_lower": place.rank_lower,
            "rank_upper": place.rank_upper,
            "overall_rating": each.overall["rating"] if each.overall else None,
            "overall_rank": each.overall["rank"] if each.overall else None,
            "difference": place.difference,
            "apart": place.is_apart,
            "pooled": category.is_pooled,
        }
        for each in contestants
        for category, place in zip(table.categories, each.places, strict=True)
        if place
    ]
