"""Places over publications as lines, whose right ends are the ranking."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from arena.leaderboard.sentences import joined
from arena.reports.history import HistoryPage, Layout, Line, Place, layout_of
from arena.reports.history_words import figure_key, figure_words, page_words
from ranking.plots.sheets import Layer, dot_style, finished, over, ring_style, table
from ranking.plots.themes import Palette, Theme, palette_of

# Pixels: of a line of text, between dates, from the last column to ranks and to names.
LINE, DATE, RANKS, NAMES = 15.0, 62.0, 32.0, 40.0


def history_chart(page: HistoryPage, title: str, theme: Theme) -> alt.LayerChart:
    """Solid and coloured where the rank sets of both ends do not overlap; dashed from the one of
    its family that somebody joined or replaced."""
    colours = palette_of(theme)
    sheet = layout_of(page)
    marks = [mark for line in page.lines for mark in marks_of(line, page, sheet)]
    pieces = [piece for line in page.lines for piece in pieces_of(line, sheet, colours)]
    joins = [join for line in page.lines for join in joins_of(line, sheet)]
    plain = [piece for piece in pieces if not piece["swap"]]
    swaps = [piece for piece in pieces if piece["swap"]]
    layers: list[Layer] = [
        *([strokes(plain)] if plain else []),
        *([strokes(swaps, strokeDash=[5, 3])] if swaps else []),
        *([dashes(joins, colours)] if joins else []),
        spots(marks, page, colours),
        *texts(page, sheet, colours),
    ]
    simulated = [_("Simulated demo data.")] if page.is_simulated else []
    return finished(
        over(*layers).properties(width=sheet.width, height=sheet.height),
        theme,
        sheet.width,
        title=title,
        told=joined(*simulated, figure_key(page.lines, sheet)),
        words=page_words(page),
    )


def marks_of(line: Line, page: HistoryPage, sheet: Layout) -> Iterable[dict[str, Any]]:
    for column, place in enumerate(line.places):
        if place is None:
            continue
        yield {
            "x": sheet.x(column),
            "y": sheet.y(place.rank),
            "name": line.holders[column],
            "number": page.publications[column].number,
            "rank": rank_told(place),
            "rating": figure_words(place),
        }


def rank_told(place: Place) -> str:
    if place.rank_lower is None or place.rank_lower == place.rank_upper:
        return str(place.rank)
    return f"{place.rank} ({place.rank_lower}–{place.rank_upper})"


def pieces_of(line: Line, sheet: Layout, colours: Palette) -> Iterable[dict[str, Any]]:
    """Between columns next to each other; dashed where another revision stands for the family."""
    for column, (before, after) in enumerate(pairwise(line.places)):
        if before is None or after is None:
            continue
        sure = before.rank != after.rank and not before.could_be(after)
        colour = colours.up if after.rank < before.rank else colours.down
        is_swap = column + 1 in line.swaps
        yield {
            "x": sheet.x(column),
            "y": sheet.y(before.rank),
            "x2": sheet.x(column + 1),
            "y2": sheet.y(after.rank),
            "colour": colour if sure else colours.ink_2 if is_swap else colours.edge,
            "wide": 2.2 if sure else 1.1,
            "swap": is_swap,
        }


def joins_of(line: Line, sheet: Layout) -> Iterable[dict[str, Any]]:
    """From the one of its family to where it came onto the board."""
    if line.joined is None or line.joined_from is None:
        return
    place = line.places[line.joined]
    assert place is not None
    yield {
        "x": sheet.x(line.joined - 1),
        "y": sheet.y(line.joined_from),
        "x2": sheet.x(line.joined),
        "y2": sheet.y(place.rank),
    }


def at(field: str) -> tuple[alt.X, alt.Y]:
    axis: dict[str, Any] = {"scale": None, "axis": None}
    return alt.X("x:Q", **axis), alt.Y(f"{field}:Q", **axis)


def strokes(pieces: Sequence[dict[str, Any]], **style: Any) -> alt.Chart:
    x, y = at("y")
    return (
        alt.Chart(table(pieces))
        .mark_rule(**style)
        .encode(
            x=x,
            y=y,
            x2="x2:Q",
            y2="y2:Q",
            color=alt.Color("colour:N", scale=None),
            strokeWidth=alt.StrokeWidth("wide:Q", scale=None),
        )
    )


def dashes(joins: Sequence[dict[str, Any]], colours: Palette) -> alt.Chart:
    x, y = at("y")
    mark = alt.Chart(table(joins)).mark_rule(
        color=colours.ink_2, strokeDash=[3, 3], strokeWidth=1.4
    )
    return mark.encode(x=x, y=y, x2="x2:Q", y2="y2:Q")


def spots(marks: Sequence[dict[str, Any]], page: HistoryPage, colours: Palette) -> alt.Chart:
    is_raw = page.question.board == "raw"
    style = ring_style(colours) if is_raw else dot_style(colours)
    x, y = at("y")
    told = [
        alt.Tooltip("name:N", title=_("Contestant")),
        alt.Tooltip("number:N", title=_("Publication")),
        alt.Tooltip("rank:N", title=_("Rank")),
        alt.Tooltip("rating:N", title=_("Rating")),
    ]
    mark = alt.Chart(table(marks)).mark_point(**style | {"size": 44})
    return mark.encode(x=x, y=y, tooltip=told)


def texts(page: HistoryPage, sheet: Layout, colours: Palette) -> Iterable[alt.Chart]:
    """Publications above their columns, ranks left of the first, names right of the last."""
    yield written(
        [heading | {"y": 4.0} for heading in headings(page, sheet)],
        {"align": "center", "baseline": "top", "fontSize": 11.5, "color": colours.ink_2},
    )
    starts = [(line, place) for line in page.lines if (place := line.places[0])]
    if starts:
        yield written(
            [
                {"x": sheet.x(0) - 10, "y": sheet.y(place.rank), "text": str(place.rank)}
                for _line, place in starts
            ],
            {"align": "right", "baseline": "middle", "fontSize": 11.5, "color": colours.ink_3},
        )
    ends = ends_of(page, sheet)
    if ends:
        yield written(
            [end | {"x": sheet.end + RANKS, "text": end["rank"]} for end in ends],
            {"align": "right", "baseline": "middle", "fontWeight": "bold", "color": colours.ink},
        )
        yield written(
            [end | {"x": sheet.end + NAMES, "text": end["name"]} for end in ends],
            {"align": "left", "baseline": "middle", "color": colours.ink, "limit": 330},
        )


def headings(page: HistoryPage, sheet: Layout) -> Iterable[dict[str, Any]]:
    every = max(1, round(DATE / sheet.gap + 0.49))
    last = len(page.publications) - 1
    for column, publication in enumerate(page.publications):
        if (last - column) % every == 0:
            day = date_format(publication.published_at, "SHORT_DATE_FORMAT")
            yield {"x": sheet.x(column), "text": day}


def ends_of(page: HistoryPage, sheet: Layout) -> list[dict[str, Any]]:
    """Those with a place at the end, moved apart where they would stand on each other."""
    made: list[dict[str, Any]] = []
    for line in page.lines:
        if line.last is None:
            continue
        y = sheet.y(line.last.rank)
        if made:
            y = max(y, made[-1]["y"] + LINE)
        made.append({"y": y, "rank": str(line.last.rank), "name": line.name})
    return made


def written(rows: Sequence[dict[str, Any]], style: dict[str, Any]) -> alt.Chart:
    x, y = at("y")
    return alt.Chart(table(rows)).mark_text(**style).encode(x=x, y=y, text="text:N")
