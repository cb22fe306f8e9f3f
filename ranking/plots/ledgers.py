"""What moved contestants between two boards, stacked by cause."""

from __future__ import annotations

from typing import Any

import altair as alt

from ranking.errors import PlotError
from ranking.ledger import CAUSE_NAMES, Ledger, LedgerRow
from ranking.plots.sheets import (
    ROW,
    Layer,
    Row,
    Sheet,
    arrow,
    change_place,
    listed,
    minus,
    name_room,
    over,
    row_y,
    table,
    way,
)
from ranking.plots.themes import Theme, letter_on

# Pixels of the stacks' axis.
_REACH = 430.0


def ledger_chart(ledger: Ledger, *, theme: Theme = "light") -> alt.LayerChart:
    """Each contestant's change of rank, stacked by cause: up to the right, down to the left.

    Raises PlotError for a ledger without rows.
    """
    if not ledger.rows:
        raise PlotError("there is nothing to draw: neither board has contestants.")
    rows = [_ledger_row(i, row) for i, row in enumerate(ledger.rows)]
    right = name_room(row["name"] for row in rows)
    sheet = Sheet(theme, rows, width=right + 720, height=ROW * len(rows))
    layers: list[Layer] = [
        sheet.hairlines(),
        _stacks(sheet, right + 190, ledger),
        sheet.heading("contestant", 0),
        sheet.column("name", 0, limit=right),
        sheet.heading("rank", right + 20),
        sheet.column("places", right + 20),
        sheet.heading("moved", right + 110),
        sheet.column("arrow", right + 110, shade="way:"),
        sheet.column("moved", right + 146, align="right", shade="way:"),
        sheet.heading("points", sheet.width, align="right"),
        sheet.column("points", sheet.width, align="right", shade="ink_2"),
        sheet.column("status", right + 110, shade="ink_3"),
    ]
    told = "Places by cause: up to the right, down to the left. Triangle: all together."
    return sheet.chart(layers, title=_causes_told(ledger), told=told, words=_ledger_words(ledger))


def _ledger_row(i: int, row: LedgerRow) -> Row:
    places = ("new" if row.rank_before is None else row.rank_before, row.rank_after or "gone")
    ranks = row.ranks or 0
    return {
        "y": row_y(i),
        "under": row_y(i) + 8,
        "name": row.contestant,
        "places": f"{places[0]} → {places[1]}",
        "net": row.ranks if any(term.ranks for term in row.terms) else None,
        "arrow": arrow(ranks, sure=True),
        "way": way(ranks),
        "moved": "" if row.ranks is None else str(abs(ranks) or "–"),
        "points": "" if row.rating is None else minus(row.rating),
        "status": "" if row.status == "stayed" else row.status,
    }


def _segments(sheet: Sheet, ledger: Ledger) -> list[dict[str, Any]]:
    """The rows' terms, laid end to end from zero on the side that each moves to."""
    found = []
    for row, ledger_row in zip(sheet.rows, ledger.rows, strict=True):
        reach = {True: 0.0, False: 0.0}
        for term in ledger_row.terms:
            ranks = float(term.ranks)
            start = reach[ranks > 0]
            reach[ranks > 0] = start + ranks
            if ranks:
                found.append(
                    {
                        "name": ledger_row.contestant,
                        "cause": term.cause,
                        "key": _key(term.cause),
                        "ink": letter_on(sheet.theme, term.cause),
                        "start": start,
                        "end": start + ranks,
                        "middle": start + ranks / 2,
                        "top": row["y"] - 8,
                        "bottom": row["y"] + 5,
                        "y": row["y"] - 1.5,
                        "places": minus(ranks, "+.2f"),
                    }
                )
    return found


def _stacks(sheet: Sheet, left: float, ledger: Ledger) -> alt.LayerChart:
    segments = _segments(sheet, ledger)
    reach = [x for segment in segments for x in (segment["start"], segment["end"])]
    low, high = min([-1.0, *reach]), max([1.0, *reach])
    scale = alt.Scale(domain=[low, high], range=[left, left + _REACH], nice=False)
    signed = "datum.value ? format(datum.value, '+d') : '0'"
    axis = alt.Axis(orient="top", title="places", labelExpr=signed, tickMinStep=1, tickCount=7)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    causes = ["".join(ledger.causes)] if ledger.joint else list(ledger.causes)
    fills = [sheet.colours.causes.get(cause, sheet.colours.ink_3) for cause in causes]
    legend = alt.Legend(orient="top", title=None, symbolType="square", columns=4, labelLimit=260)
    keys = alt.Scale(domain=[_key(cause) for cause in causes], range=fills)
    # A letter wider than its segment would stand on the next one.
    room = 12.0 * (high - low) / _REACH
    lettered = [s for s in segments if abs(s["end"] - s["start"]) > room]
    box = alt.Chart(table(segments)).mark_rect(stroke=sheet.colours.ink_2, strokeWidth=0.6)
    letter = alt.Chart(table(lettered)).mark_text(fontSize=10, fontWeight="bold")
    net = sheet.marks(y="under").mark_point(shape="triangle-up", filled=True, size=30, opacity=1)
    zero = alt.Chart(table([{"zero": 0}])).mark_rule(color=sheet.colours.ink)
    return over(
        box.encode(
            x=x("start"),
            x2="end",
            y=alt.Y("top:Q", scale=None, axis=None),
            y2="bottom",
            color=alt.Color("key:N", scale=keys, legend=legend),
            tooltip=["name:N", "key:N", "places:N"],
        ),
        letter.encode(
            x=x("middle"),
            y=alt.Y("y:Q", scale=None, axis=None),
            text="cause:N",
            color=alt.Color("ink:N", scale=None),
        ),
        zero.encode(x=x("zero")),
        net.encode(x=x("net"), color=alt.value(sheet.colours.ink)),
    ).resolve_scale(color="independent")


def _key(cause: str) -> str:
    """A cause's letter and name; several that could not be told apart are one."""
    return f"{cause}  {_name(cause)}"


def _name(cause: str) -> str:
    return CAUSE_NAMES.get(cause, "not to be told apart")


def _causes_told(ledger: Ledger) -> str:
    moved = sum(bool(row.ranks) for row in ledger.rows)
    stayed = sum(row.status == "stayed" for row in ledger.rows)
    if not moved:
        went = {s: sum(row.status == s for row in ledger.rows) for s in ("entered", "left")}
        others = " and ".join(f"{number:,} {status}" for status, number in went.items() if number)
        return f"Nobody changes place{others and f', but {others}'}."
    told = change_place(moved, stayed)
    if ledger.joint:
        return f"{told}, by causes that cannot be told apart."
    cause = max(ledger.totals, key=lambda c: ledger.totals[c])
    return f"{told}, mostly by {CAUSE_NAMES[cause]}."


def _ledger_words(ledger: Ledger) -> str:
    rows = []
    for row in ledger.rows:
        terms = [
            f"{t.cause} {_name(t.cause)} {minus(float(t.ranks), '+.2f')}"
            for t in row.terms
            if t.ranks
        ]
        rows.append(f"{row.contestant} {', '.join(terms) or row.status}")
    return f"Places by cause: {listed(rows)}"
