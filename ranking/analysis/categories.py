"""Categories with few votes, and the table of everybody in every category.

A category is thin where half of those whom the publication places have fewer than ENOUGH votes in
it, or where its own votes place too few of them. Thin ones are pooled with all other votes (see
ranking.pooling), as the default board counts and controls; how much categories differ is learnt
from the thin ones and the TELLING largest of the others together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from ranking.analysis.sources import FAILURES, Part, Sources, reason, without
from ranking.arrays import BoolArray, IndexArray
from ranking.graph import WinGraph
from ranking.pooling import PooledCategory, pooled_categories
from ranking.publication import CONTROLLED, RAW, Publication
from ranking.result import Counts
from ranking.selection import placement_by, select_votes
from ranking.spec import RankingSpec
from ranking.votes import Votes

CATEGORY_PARTS = "category/"
POOLED = "pooled"

ENOUGH = 100
"""Votes in a category that make a contestant's place there its own: the same number from which
intervals take the votes' own scatter at its word."""

PLACED_SHARE = 0.9
"""Of those whom all votes place, the category's own have to place so many, or it is thin."""

TELLING = 2
"""Large categories that tell beside the thin ones how far categories differ."""


def pooled_parts(sources: Sources, published: Publication) -> Iterator[Part]:
    """One part `category/<name>/pooled` for each category that is thin."""
    spec = published.default.spec
    chosen, _ = select_votes(sources.votes, spec)
    counted = {
        name: rows.size
        for name, inside in sources.categories.items()
        if (rows := np.flatnonzero(chosen & inside)).size
    }
    names = [standing.contestant for standing in published.default.standings]
    placed = np.isin(sources.votes.contestants, names)
    if not names:
        return
    thin = [
        name
        for name in counted
        if is_thin(sources.votes, chosen & sources.categories[name], placed, spec)
    ]
    if not thin:
        return
    told = sorted(counted.keys() - set(thin), key=lambda name: (-counted[name], name))[:TELLING]
    asked, beside = ({each: sources.categories[each] for each in names} for names in (thin, told))
    try:
        found = pooled_categories(sources.votes, asked, spec, beside=beside)
    except FAILURES as error:
        yield from ((part_name(name), {"error": reason(error)}) for name in thin)
        return
    for category in found.categories:
        counts = counts_of(sources, category, spec)
        document = {"tau": found.tau, "counts": counts.to_dict(), "warnings": list(found.warnings)}
        yield part_name(category.name), {**asdict(category), **document}


def part_name(category: str, board: str = POOLED) -> str:
    return f"{CATEGORY_PARTS}{category}/{board}"


def is_thin(votes: Votes, inside: BoolArray, placed: BoolArray, spec: RankingSpec) -> bool:
    """Whether the counted votes inside are too few for a board of their own.

    inside: (n,) counted votes of the category. placed: (M,) whom all votes place.
    """
    a, b, outcome = votes.a[inside], votes.b[inside], votes.outcome[inside]
    took: IndexArray = np.bincount(a, minlength=placed.size) + np.bincount(b, minlength=placed.size)
    if np.median(took[placed]) < ENOUGH:
        return True
    ground = spec.likelihood == "four_outcome"
    graph = WinGraph.of(placed.size, a, b, outcome, ground=ground)
    alone = placement_by(graph, spec).main
    return bool((alone & placed).sum() < PLACED_SHARE * placed.sum())


def counts_of(sources: Sources, category: PooledCategory, spec: RankingSpec) -> Counts:
    """Where the votes went that are not the category's."""
    out = ~sources.categories[category.name]
    _, counts = select_votes(without(sources.votes, out, f"not {category.name}"), spec)
    return replace(counts, counted=category.votes, unplaced=counts.counted - category.votes)


# -- The table -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A category in the table: its part, whether that is the pooled one, and the raw standings."""

    name: str
    is_pooled: bool
    part: Mapping[str, Any]
    raw: Mapping[str, Mapping[str, Any]]

    @property
    def counted(self) -> int:
        votes: int = self.part["counts"]["counted"]
        return votes


def category_table(
    sources: Sources, published: Publication, told: Mapping[str, dict[str, Any]]
) -> Iterator[Part]:
    """The one part `categories`: of each category everybody's rating and place, largest first.

    told: the parts of categories, by name. Thin categories stand in it pooled; one that has
    neither a board like the default one nor a pooled one is left out.
    """
    board = CONTROLLED if published.controlled is not None else RAW
    found = [column_of(name, board, told) for name in sources.categories]
    columns = [column for column in found if column is not None]
    if not columns:
        return
    columns.sort(key=lambda column: (-column.counted, column.name))
    everywhere = {row.contestant: row.rating for row in published.default.standings}
    of = [standings_of(column.part) for column in columns]
    contestants = sorted({contestant for rows in of for contestant in rows} | set(everywhere))
    apart = [differences(rows, everywhere) for rows in of]

    def each(value: Callable[[Mapping[str, Any]], Any]) -> list[list[Any]]:
        return [
            [value(rows[name]) if name in rows else None for name in contestants] for rows in of
        ]

    table = {
        "categories": [column.name for column in columns],
        "contestants": contestants,
        "board": board,
        "counted": [column.counted for column in columns],
        "pooled": [column.is_pooled for column in columns],
        "borrowed": [column.part[POOLED] if column.is_pooled else None for column in columns],
        "votes": each(lambda row: row["votes"]),
        "ratings": each(lambda row: row["rating"]),
        "halves": each(half),
        "ranks": each(lambda row: row["rank"]),
        "rank_lower": each(lambda row: row["rank_lower"]),
        "rank_upper": each(lambda row: row["rank_upper"]),
        "raw_ratings": [
            [column.raw[name]["rating"] if name in column.raw else None for name in contestants]
            for column in columns
        ],
        "differences": [[found.get(name) for name in contestants] for found in apart],
        "spread": [
            None if column.is_pooled else spread_of(rows, found)
            for column, rows, found in zip(columns, of, apart, strict=True)
        ],
    }
    yield "categories", table


def column_of(name: str, board: str, told: Mapping[str, dict[str, Any]]) -> Column | None:
    raw = standings_of(told.get(part_name(name, RAW), {}))
    for is_pooled, kind in ((True, POOLED), (False, board)):
        part = told.get(part_name(name, kind), {})
        if part.get("standings"):
            return Column(name, is_pooled, part, raw)
    return None


def standings_of(part: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["contestant"]: row for row in part.get("standings", ())}


def half(row: Mapping[str, Any]) -> float:
    """Half the interval of a rating."""
    width: float = row["rating_upper"] - row["rating_lower"]
    return width / 2


def differences(
    rows: Mapping[str, Mapping[str, Any]], everywhere: Mapping[str, float]
) -> dict[str, float]:
    """Rating in the category less the default board's, of whom both place, against their means."""
    both = sorted(rows.keys() & everywhere.keys())
    if not both:
        return {}
    gap = np.array([rows[name]["rating"] - everywhere[name] for name in both])
    return dict(zip(both, (gap - gap.mean()).tolist(), strict=True))


def spread_of(
    rows: Mapping[str, Mapping[str, Any]], found: Mapping[str, float]
) -> dict[str, Any] | None:
    """How far a category's true ratings lie from the overall ones, beyond what chance gives.

    points: their standard deviation by the method of moments (DerSimonian & Laird 1986), 0 where
    the differences are no larger than their errors make them. p_value: of there being none, by
    the chi-squared statistic. The errors are the category's own; that its votes are among all
    votes makes the true ones smaller, so both err towards no difference. apart, of: how many
    contestants' 95 % interval in the category leaves the overall rating out, of how many.
    """
    if len(found) < 2:
        return None
    gap = np.array(list(found.values()))
    variance = np.array([rows[name]["se"] for name in found]) ** 2
    if not (variance > 0.0).all():
        return None
    statistic, degrees = float((gap**2 / variance).sum()), len(found) - 1
    excess = max(0.0, statistic - degrees) / float((1.0 / variance).sum())
    halves = np.array([half(rows[name]) for name in found])
    return {
        "points": math.sqrt(excess),
        "p_value": float(special.chdtrc(degrees, statistic)),
        "apart": int((np.abs(gap) > halves).sum()),
        "of": len(found),
    }
