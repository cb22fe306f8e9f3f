"""The pictures that pages offer for download, as altair charts in the look of `ranking.plots`.

Importing this imports altair, so only what draws a picture does. Rows are of one height and no
picture has more than MOST_ROWS of them. A title states the finding, and the description says the
same in words and numbers.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.leaderboard.models import Fitted
from arena.leaderboard.moved import Account
from arena.leaderboard.moved import Row as MovedRow
from arena.leaderboard.page import Axis, BoardPage
from arena.leaderboard.page import Row as BoardRow
from arena.leaderboard.sentences import grouped, joined
from arena.leaderboard.sure import Row as SureRow
from arena.leaderboard.sure import SurePage
from arena.leaderboard.templatetags.glyphs import doubt, signed, whole
from ranking.plots.sheets import (
    ROW,
    Layer,
    Sheet,
    band_style,
    listed,
    name_room,
    over,
    row_y,
    table,
)
from ranking.plots.themes import letter_on

MOST_ROWS = 300
# Pixels of the axes.
RATINGS, PLACES, CHANCES, CAUSES = 360.0, 150.0, 90.0, 400.0
# A letter wider than its segment would stand on the next one.
LETTER = 12.0


# -- The board -------------------------------------------------------------------------------


def board_chart(snapshot: Fitted, page: BoardPage) -> alt.LayerChart:
    """Ratings with their intervals, rank sets, and how far each stands from raw."""
    shown = page.rows[:MOST_ROWS]
    right = 34 + name_room([row.name for row in shown] or [""])
    rows = [board_row(i, row, page) for i, row in enumerate(shown)]
    sheet = Sheet("light", rows, width=right + 850, height=max(ROW * len(rows), ROW))
    is_raw = page.board == "raw"
    layers: list[Layer] = [
        sheet.hairlines(),
        ratings(sheet, right + 16, page.axis, is_raw=is_raw),
        sheet.heading(_("Rank"), 22, align="right"),
        sheet.column("rank", 22, align="right", bold=True),
        sheet.heading(_("Contestant"), 34),
        sheet.column("name", 34, limit=right - 34),
        sheet.column("figure", right + 476, align="right"),
        places(sheet, right + 510, page.placed),
        sheet.column("set", right + 674, shade="ink_3"),
        sheet.heading(_("Votes"), sheet.width, align="right"),
        sheet.column("votes", sheet.width, align="right", shade="ink_2"),
    ]
    if page.has_moved:
        layers += [
            sheet.heading(_("Moved from raw"), right + 790, align="right"),
            sheet.column("moved", right + 790, align="right", shade="way:"),
        ]
    told = [*about(snapshot), so_shown(len(shown), page.found)]
    told.append(_("Raw, with 95% intervals.") if is_raw else _("Ring: raw; dot: controlled."))
    if page.axis.cut:
        told.append(_("The axis is cut: a band that ends at it reaches further."))
    words = [
        f"{row['rank']}. {row['name']} {row['figure']}"
        + (_(", ranks %(set)s") % {"set": row["set"]} if row["set"] else "")
        for row in rows
    ]
    return sheet.chart(layers, title=page.headline, told=joined(*told), words=listed(words))


def board_row(i: int, row: BoardRow, page: BoardPage) -> dict[str, Any]:
    moved = row.moved
    figure = whole(row.rating) if page.is_between else f"{whole(row.rating)} {doubt(row.half)}"
    return {
        **place_fields(i, row, page.axis),
        "figure": figure,
        "raw": moved.raw_rating if moved and page.board != "raw" else None,
        "votes": grouped(row.votes),
        "moved": moved_words(row),
        "way": moved.direction if moved and moved.direction != "level" else "ink_3",
    }


def moved_words(row: BoardRow) -> str:
    if row.moved is None:
        return ""
    shape = {
        ("up", True): "△",
        ("up", False): "▲",
        ("down", True): "▽",
        ("down", False): "▼",
        ("level", True): "0",
        ("level", False): "0",
    }[row.moved.direction, row.moved.is_hollow]
    ranks = f" {abs(row.moved.ranks)}" if row.moved.ranks else ""
    return f"{shape}{ranks}  {signed(row.moved.rating)}"


def place_fields(i: int, row: BoardRow, axis: Axis) -> dict[str, Any]:
    """What the columns of ratings and places take of a row."""
    has_set = row.rank_lower is not None and row.rank_upper is not None
    return {
        "y": row_y(i),
        "rank": str(row.rank),
        "name": row.name,
        "rating": row.rating,
        "lower": max(axis.low, row.lower),
        "upper": min(axis.high, row.upper),
        "at": row.rank,
        "set_lower": row.rank_lower - 0.5 if row.rank_lower is not None else None,
        "set_upper": row.rank_upper + 0.5 if row.rank_upper is not None else None,
        "set": span(row.rank_lower, row.rank_upper) if has_set else "",
    }


def span(lower: int | None, upper: int | None) -> str:
    return f"{lower}" if lower == upper else f"{lower}–{upper}"


def ratings(sheet: Sheet, left: float, axis: Axis, *, is_raw: bool) -> alt.LayerChart:
    """Bands with dots; rings and the tilt between where a raw rating is known."""
    scale = alt.Scale(
        domain=[axis.low, axis.high], range=[left, left + RATINGS], nice=False, zero=False
    )
    shown = alt.Axis(
        orient="top", title=_("Rating, 95% interval"), values=list(axis.ticks), format="d"
    )

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=shown)

    band = sheet.marks().mark_bar(orient="horizontal", clip=True, **band_style(sheet.colours, 10))
    drawn: list[Layer] = [band.encode(x=x("lower"), x2="upper")]
    if is_raw:
        return over(*drawn, sheet.ring().encode(x=x("rating")))
    if any(row.get("raw") is not None for row in sheet.rows):
        tilt = sheet.marks().mark_rule(color=sheet.colours.edge)
        drawn += [tilt.encode(x=x("raw"), x2="rating"), sheet.ring().encode(x=x("raw"))]
    return over(*drawn, sheet.dot().encode(x=x("rating")))


def places(sheet: Sheet, left: float, placed: int) -> alt.LayerChart:
    """Rank sets as bars, the point rank as a tick; the overlap spread faint where it is known."""
    scale = alt.Scale(
        domain=[0.5, max(placed, 1) + 0.5], range=[left, left + PLACES], nice=False, zero=False
    )
    axis = alt.Axis(
        orient="top", title=_("Places"), values=sorted({1, placed}), format="d", grid=False
    )

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    drawn: list[Layer] = []
    if any(row.get("spread_lower") is not None for row in sheet.rows):
        spread = sheet.marks().mark_bar(orient="horizontal", size=16, color=sheet.colours.hairline)
        drawn.append(spread.encode(x=x("spread_lower"), x2="spread_upper"))
    band = sheet.marks().mark_bar(orient="horizontal", **band_style(sheet.colours, 7))
    tick = sheet.marks().mark_tick(
        color=sheet.colours.ink, thickness=2, size=12, orient="vertical", opacity=1
    )
    drawn += [band.encode(x=x("set_lower"), x2="set_upper"), tick.encode(x=x("at"))]
    return over(*drawn)


# -- Certainty -------------------------------------------------------------------------------


def sure_chart(snapshot: Fitted, page: SurePage) -> alt.LayerChart:
    """Ratings with intervals, the places that may be held, and chances of the first ones."""
    shown = page.rows[:MOST_ROWS]
    right = 34 + name_room([row.board.name for row in shown] or [""])
    rows = [sure_row(i, row, page) for i, row in enumerate(shown)]
    chances = () if page.no_chances else (_("Best"), *map(top_words, page.tops))
    width = right + 750 + (CHANCES + 60) * len(chances)
    sheet = Sheet("light", rows, width=width, height=max(ROW * len(rows), ROW))
    layers: list[Layer] = [
        sheet.hairlines(),
        ratings(sheet, right + 16, page.axis, is_raw=page.board == "raw"),
        sheet.heading(_("Rank"), 22, align="right"),
        sheet.column("rank", 22, align="right", bold=True),
        sheet.heading(_("Contestant"), 34),
        sheet.column("name", 34, limit=right - 34),
        sheet.column("figure", right + 476, align="right"),
        places(sheet, right + 510, page.placed),
        sheet.column("set", right + 674),
    ]
    for number, title in enumerate(chances):
        layers += chance_column(sheet, number, title, right + 750 + (CHANCES + 60) * number)
    told = [*about(snapshot), so_shown(len(shown), page.placed)]
    told.append(_("Bar: rank set, right for all at once with 95% confidence."))
    if any(row["spread_lower"] is not None for row in rows):
        told.append(_("Faint: the field's overlap spread."))
    words = [sure_words_of(row, chances) for row in rows]
    return sheet.chart(layers, title=page.headline, told=joined(*told), words=listed(words))


def sure_row(i: int, row: SureRow, page: SurePage) -> dict[str, Any]:
    values = {f"chance_{number}": chance.value for number, chance in enumerate(row.chances)}
    figures = {
        f"chance_words_{number}": f"{each.figure}%" for number, each in enumerate(row.chances)
    }
    return {
        **place_fields(i, row.board, page.axis),
        **values,
        **figures,
        "figure": f"{whole(row.board.rating)} {doubt(row.board.half)}",
        "spread_lower": None if row.spread_lower is None else row.spread_lower - 0.5,
        "spread_upper": None if row.spread_upper is None else row.spread_upper + 0.5,
    }


def top_words(top: int) -> str:
    return _("Top %(top)s") % {"top": top}


def sure_words_of(row: dict[str, Any], chances: Sequence[str]) -> str:
    told = [f"{row['rank']}. {row['name']} {row['figure']}"]
    if row["set"]:
        told.append(_("ranks %(set)s") % {"set": row["set"]})
    told += [f"{title} {row[f'chance_words_{number}']}" for number, title in enumerate(chances)]
    return pgettext("between names", ", ").join(told)


def chance_column(sheet: Sheet, number: int, title: str, left: float) -> list[Layer]:
    """A chance in figures with its bar from 0 to 1."""
    scale = alt.Scale(domain=[0, 1], range=[left + 58, left + 58 + CHANCES], nice=False)
    x = alt.X(f"chance_{number}:Q", scale=scale, axis=None)
    bar = sheet.marks().mark_bar(orient="horizontal", size=9, color=sheet.colours.ink_2)
    return [
        over(bar.encode(x=x, x2=alt.datum(0))),
        sheet.heading(title, left + 50, align="right"),
        sheet.column(f"chance_words_{number}", left + 50, align="right"),
    ]


# -- The ledger ------------------------------------------------------------------------------


def ledger_chart(snapshot: Fitted, account: Account) -> alt.LayerChart:
    """Places won and lost by cause, end to end from zero: up to the right, down to the left."""
    shown = account.rows[:MOST_ROWS]
    right = name_room([row.name for row in shown] or [""])
    rows = [ledger_row(i, row) for i, row in enumerate(shown)]
    sheet = Sheet("light", rows, width=right + 690, height=max(ROW * len(rows), ROW))
    layers: list[Layer] = [
        sheet.hairlines(),
        stacks(sheet, right + 180, shown, account),
        sheet.heading(_("Contestant"), 0),
        sheet.column("name", 0, limit=right),
        sheet.heading(_("Rank"), right + 20),
        sheet.column("places", right + 20),
        sheet.heading(_("Moved"), right + 150, align="right"),
        sheet.column("moved", right + 150, align="right", shade="way:"),
        sheet.heading(_("Elo"), sheet.width, align="right"),
        sheet.column("points", sheet.width, align="right", shade="ink_2"),
    ]
    told = [*about(snapshot), so_shown(len(shown), len(account.rows)), account.subtitle]
    words = [f"{row.name}: {row.sentence}" for row in shown]
    return sheet.chart(layers, title=account.headline, told=joined(*told), words=listed(words))


def ledger_row(i: int, row: MovedRow) -> dict[str, Any]:
    before, after = (
        "–" if rank is None else str(rank) for rank in (row.rank_before, row.rank_after)
    )
    shape = {"up": "▲ ", "down": "▼ ", "level": ""}[row.direction]
    return {
        "y": row_y(i),
        "name": row.name,
        "places": f"{before} → {after}",
        "moved": "" if row.ranks is None else f"{shape}{abs(row.ranks) or '–'}",
        "way": row.direction if row.ranks else "ink_3",
        "points": "" if row.rating is None else signed(row.rating),
    }


def stacks(sheet: Sheet, left: float, rows: Sequence[MovedRow], account: Account) -> alt.LayerChart:
    segments = [part for i, row in enumerate(rows) for part in segments_of(i, row)]
    reach = [end for segment in segments for end in (segment["start"], segment["end"])]
    low, high = min([-1.0, *reach]), max([1.0, *reach])
    scale = alt.Scale(domain=[low, high], range=[left, left + CAUSES], nice=False)
    label = "datum.value ? format(datum.value, '+d') : '0'"
    axis = alt.Axis(orient="top", title=_("Places"), labelExpr=label, tickMinStep=1, tickCount=7)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    names = {cause.letter: f"{cause.letter}  {cause.name}" for cause in account.causes}
    fills = [sheet.colours.causes.get(letter, sheet.colours.ink_3) for letter in names]
    segments = [segment | {"key": names[segment["cause"]]} for segment in segments]
    room = LETTER * (high - low) / CAUSES
    lettered = [segment for segment in segments if segment["width"] > room]
    legend = alt.Legend(orient="top", title=None, symbolType="square", columns=3, labelLimit=260)
    box = alt.Chart(table(segments)).mark_rect(stroke=sheet.colours.ink_2, strokeWidth=0.6)
    letter = alt.Chart(table(lettered)).mark_text(fontSize=10, fontWeight="bold")
    zero = alt.Chart(table([{"zero": 0}])).mark_rule(color=sheet.colours.ink)
    return over(
        box.encode(
            x=x("start"),
            x2="end",
            y=alt.Y("top:Q", scale=None, axis=None),
            y2="bottom",
            color=alt.Color(
                "key:N", scale=alt.Scale(domain=list(names.values()), range=fills), legend=legend
            ),
        ),
        letter.encode(
            x=x("middle"),
            y=alt.Y("y:Q", scale=None, axis=None),
            text="cause:N",
            color=alt.Color("ink:N", scale=None),
        ),
        zero.encode(x=x("zero")),
    ).resolve_scale(color="independent")


def segments_of(i: int, row: MovedRow) -> Iterable[dict[str, Any]]:
    """The parts of a row end to end from zero, on the side that each moves to."""
    reach = {True: 0.0, False: 0.0}
    for part in row.parts:
        ranks = float(part.ranks)
        start = reach[ranks > 0]
        reach[ranks > 0] = start + ranks
        if ranks:
            yield {
                "cause": part.letter,
                "ink": letter_on("light", part.letter),
                "start": start,
                "end": start + ranks,
                "middle": start + ranks / 2,
                "width": abs(ranks),
                "y": row_y(i),
                "top": row_y(i) - 7,
                "bottom": row_y(i) + 7,
            }


# -- What stands beneath each title ----------------------------------------------------------


def about(snapshot: Fitted) -> list[str]:
    """Whether it is invented, and which publication it is of."""
    told = {
        "snapshot": snapshot.short,
        "date": date_format(snapshot.made_at, "DATE_FORMAT"),
        "votes": grouped(snapshot.counted),
    }
    said = [_("Snapshot %(snapshot)s, %(date)s, %(votes)s votes counted.") % told]
    if snapshot.content["simulated_votes"]:
        return [_("Simulated demo data."), *said]
    return said


def so_shown(shown: int, every: int) -> str:
    """Only where some are left out."""
    if shown == every:
        return ""
    told = {"shown": grouped(shown), "all": grouped(every)}
    return _("The first %(shown)s of %(all)s.") % told
