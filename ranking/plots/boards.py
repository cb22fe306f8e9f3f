"""A board: ratings with their intervals, and the ranks that contestants may hold."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import altair as alt

from ranking.display import UNPLACED_REASONS, so_many, told_rank_set
from ranking.errors import PlotError
from ranking.plots.sheets import (
    ROW,
    Layer,
    Sheet,
    band_style,
    listed,
    minus,
    name_room,
    over,
    row_y,
)
from ranking.plots.themes import Theme
from ranking.result import Leaderboard, Standing, Unplaced

# An interval wider than so many times the usual one runs off the axis.
_WIDEST = 4.0
_NAME_AT = 34


def interval_chart(
    board: Leaderboard, *, raw: Leaderboard | None = None, theme: Theme = "light"
) -> alt.LayerChart:
    """Each contestant's rating with its interval, and the ranks that it may hold.

    raw: the board without control, whose ratings are drawn as rings. Contestants that the votes
    do not place stand below, with the reason and the bound there is. Raises PlotError for a board
    without contestants.
    """
    if not board.standings and not board.unplaced:
        raise PlotError("there is nothing to draw: the board has no contestants.")
    before = {s.contestant: s.rating for s in raw.standings} if raw is not None else {}
    ends = _rating_ends(board.standings, list(before.values()))
    placed = len(board.standings)
    rows = [_placed_row(s, before.get(s.contestant), ends) for s in board.standings]
    rows += [_unplaced_row(entry) for entry in board.unplaced]
    rows = [row | {"y": row_y(i)} for i, row in enumerate(rows)]
    right = _NAME_AT + name_room(row["name"] for row in rows)
    sheet = Sheet(theme, rows, width=right + 810, height=ROW * len(rows))
    layers: list[Layer] = [sheet.hairlines()]
    if placed:
        layers += [
            _intervals(sheet, right + 26, ends, board),
            _rank_sets(sheet, right + 540, placed),
        ]
    layers += [
        sheet.column("rank", 22, align="right", bold=True),
        sheet.heading("contestant", _NAME_AT),
        sheet.column("name", _NAME_AT, limit=right - _NAME_AT),
        sheet.column("figure", right + 510, align="right"),
        sheet.column("set", right + 690, shade="ink_3"),
        sheet.heading("votes", sheet.width, align="right"),
        sheet.column("count", sheet.width, align="right", shade="ink_2"),
        sheet.column("note", right + 16, shade="ink_3"),
    ]
    by = so_many(board.counts.counted, "vote")
    told = f"{so_many(placed, 'contestant')}, placed by {by}."
    if before:
        told += " Ring: without control of style; dot: with it."
    if any(row.get("cut") for row in rows):
        told += " ‹ or ›: the interval reaches past the axis."
    return sheet.chart(layers, title=_leader(board), told=told, words=_board_words(board))


def _placed_row(standing: Standing, raw: float | None, ends: tuple[float, float]) -> dict[str, Any]:
    low, high = ends
    half = (standing.rating_upper - standing.rating_lower) / 2
    cut = "‹" * (standing.rating_lower < low) + "›" * (standing.rating_upper > high)
    return {
        "rank": str(standing.rank),
        "name": standing.contestant,
        "rating": standing.rating,
        "lower": max(low, standing.rating_lower),
        "upper": min(high, standing.rating_upper),
        "raw": raw,
        "figure": f"{standing.rating:,.0f} ±{half:,.0f} {cut}".strip(),
        "cut": cut,
        "at": standing.rank,
        "set_lower": standing.rank_lower,
        "set_upper": standing.rank_upper,
        "set": told_rank_set(standing),
        "count": f"{standing.votes:,}",
        "note": "",
    }


def _unplaced_row(entry: Unplaced) -> dict[str, Any]:
    bound = ""
    if entry.bound is not None:
        bound = f": {'above' if entry.is_lower_bound else 'below'} {minus(entry.bound, ',.0f')}"
    return {
        "rank": "–",
        "name": entry.contestant,
        "figure": "",
        "set": "",
        "note": f"not placed, {UNPLACED_REASONS[entry.reason]}{bound}",
        "count": f"{entry.votes:,}",
    }


def _rating_ends(standings: Sequence[Standing], others: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis that holds every rating and every interval of usual width.

    A contestant of very few votes would otherwise squeeze all others together.
    """
    if not standings:
        return 0.0, 1.0
    widths = [standing.rating_upper - standing.rating_lower for standing in standings]
    usual = _WIDEST * median(widths)
    values = [*others, *(standing.rating for standing in standings)]
    for standing, width in zip(standings, widths, strict=True):
        if width <= usual:
            values += [standing.rating_lower, standing.rating_upper]
    room = 0.02 * (max(values) - min(values)) or 1.0
    return min(values) - room, max(values) + room


def _intervals(
    sheet: Sheet, left: float, ends: tuple[float, float], board: Leaderboard
) -> alt.LayerChart:
    colours = sheet.colours
    scale = alt.Scale(domain=list(ends), range=[left, left + 390], nice=False, zero=False)
    title = f"rating, {board.spec.confidence:.0%} interval"
    axis = alt.Axis(orient="top", title=title, tickCount=5, format="d")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    band = sheet.marks().mark_bar(orient="horizontal", **band_style(colours, 10))
    told = [alt.Tooltip(f"{field}:N", title=field) for field in ("name", "rating", "set")]
    return over(
        band.encode(x=x("lower"), x2="upper"),
        sheet.marks().mark_rule(color=colours.ink_3).encode(x=x("raw"), x2="rating"),
        sheet.ring().encode(x=x("raw")),
        sheet.dot().encode(x=x("rating"), tooltip=told),
    )


def _rank_sets(sheet: Sheet, left: float, placed: int) -> alt.LayerChart:
    colours = sheet.colours
    scale = alt.Scale(domain=[1, max(placed, 2)], range=[left, left + 140], nice=False, zero=False)
    ends = sorted({1, placed})
    axis = alt.Axis(orient="top", title="ranks it may hold", values=ends, format="d", grid=False)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    band = sheet.marks().mark_bar(orient="horizontal", **band_style(colours, 7))
    at = sheet.marks().mark_tick(
        color=colours.ink, thickness=2, size=11, orient="vertical", opacity=1
    )
    return over(
        band.encode(x=x("set_lower"), x2="set_upper"),
        at.encode(x=x("at")),
    )


def _leader(board: Leaderboard) -> str:
    if not board.standings:
        return "These votes place nobody."
    first, *others = board.standings
    level = sum(other.rank == 1 for other in others)
    may = 1 + sum(other.rank_lower == 1 for other in others)
    if level:
        told = f"{first.contestant} and {so_many(level, 'other')} share the highest rating"
    elif first.rank_upper is None:
        told = f"{first.contestant} has the highest rating"
    elif first.rank_upper == 1:
        told = f"{first.contestant} is first"
    else:
        told = f"{first.contestant} leads"
    if may > 1 + level:
        told += f", but {may:,} contestants may be first"
    return f"{told}."


def _board_words(board: Leaderboard) -> str:
    rows = [
        f"{s.rank}. {s.contestant} {s.rating:.0f} ({s.rating_lower:.0f} to {s.rating_upper:.0f})"
        + (f", ranks {told_rank_set(s)}" if s.rank_lower is not None else "")
        for s in board.standings
    ]
    words = [f"Ratings with {board.spec.confidence:.0%} intervals: {listed(rows)}"] if rows else []
    if board.unplaced:
        words.append(f"Not placed: {listed([entry.contestant for entry in board.unplaced])}")
    return " ".join(words)
