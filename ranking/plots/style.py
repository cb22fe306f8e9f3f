"""What control of style moves: from the raw board to the controlled one, and the way between."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from ranking.errors import PlotError
from ranking.path import ControlPath, PathPoint, PathStanding
from ranking.plots.sheets import (
    ROW,
    STROKE,
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
    stroke,
    table,
    way,
)
from ranking.plots.themes import Theme
from ranking.result import Movement, Standing, StyleMovement


def slope_chart(movement: StyleMovement, *, theme: Theme = "light") -> alt.LayerChart:
    """From the raw board to the controlled one: the right ends of the lines are the rows.

    Raises PlotError when the votes place nobody.
    """
    if not movement.movements:
        raise PlotError("there is nothing to draw: these votes place nobody.")
    raw = {s.contestant: (i, s) for i, s in enumerate(movement.raw.standings)}
    controlled = {s.contestant: s for s in movement.controlled.standings}
    rows = [
        _moved_row(i, moved, *raw[moved.contestant], controlled[moved.contestant])
        for i, moved in enumerate(movement.movements)
    ]
    right = 276 + name_room(row["name"] for row in rows)
    sheet = Sheet(theme, rows, width=right + 304, height=ROW * len(rows))
    layers: list[Layer] = [
        sheet.hairlines(left=234),
        _slopes(sheet, rows),
        sheet.heading("raw", 36, align="right", shade="raw"),
        sheet.column("raw_rank", 22, align="right", shade="raw", y="from"),
        sheet.heading("controlled", 226, align="right", shade="controlled"),
        sheet.column("rank", 262, align="right", bold=True),
        sheet.heading("contestant", 276),
        sheet.column("name", 276, limit=right - 276),
        sheet.heading("raw", right + 58, align="right", shade="raw"),
        sheet.column("raw_rating", right + 58, align="right", shade="raw"),
        sheet.heading("controlled", right + 130, align="right", shade="controlled"),
        sheet.column("rating", right + 130, align="right", shade="controlled"),
        sheet.heading("moved", right + 164),
        sheet.column("arrow", right + 164, shade="way:"),
        sheet.column("ranks", right + 200, align="right", shade="way:"),
        sheet.heading("points", sheet.width, align="right"),
        sheet.column("points", sheet.width, align="right", shade="ink_2"),
    ]
    return sheet.chart(
        layers,
        title=_furthest(movement, {name: s.rank for name, (_, s) in raw.items()}),
        told="Hollow arrow: could be no movement at all.",
        words=_slope_words(movement),
    )


def _moved_row(i: int, moved: Movement, start: int, before: Standing, after: Standing) -> Row:
    return {
        "y": row_y(i),
        "from": row_y(start),
        "down": i - start,
        "name": moved.contestant,
        "raw_rank": str(before.rank),
        "rank": str(after.rank),
        "raw_rating": f"{before.rating:,.0f}",
        "rating": f"{after.rating:,.0f}",
        "arrow": arrow(moved.ranks, sure=moved.lower > 0.0 or moved.upper < 0.0),
        "way": way(moved.ranks),
        "ranks": str(abs(moved.ranks)) if moved.ranks else "–",
        "points": f"{minus(moved.rating)} ±{(moved.upper - moved.lower) / 2:.1f}",
    }


def _slopes(sheet: Sheet, rows: Sequence[Row]) -> alt.LayerChart:
    """Lines that leave and arrive level, so that each end reads as part of its row."""
    left, right = 36, 226
    lines = [
        {"name": row["name"], "x": x, "y": row["from"] if x < 100 else row["y"]}
        | stroke(sheet, -row["down"])
        for row in rows
        for x in (left, left + 24, right - 24, right)
    ]
    drawn = alt.Chart(table(lines)).mark_line(interpolate="monotone")
    return over(
        drawn.encode(
            x=alt.X("x:Q", scale=None, axis=None),
            y=alt.Y("y:Q", scale=None, axis=None),
            detail="name:N",
            **STROKE,
        ),
        sheet.ring(y="from").encode(x=alt.value(left)),
        sheet.dot().encode(x=alt.value(right)),
    )


def _furthest(movement: StyleMovement, raw: dict[str, int]) -> str:
    moved = [one for one in movement.movements if one.ranks]
    if not moved:
        return "With style controlled nobody changes place."
    most = max(moved, key=lambda one: (abs(one.ranks), abs(one.rating)))
    start = raw[most.contestant]
    return (
        f"With style controlled, {change_place(len(moved), len(movement.movements))}. "
        f"{most.contestant} {'rises' if most.ranks > 0 else 'falls'} furthest, "
        f"from {start} to {start - most.ranks}."
    )


def _slope_words(movement: StyleMovement) -> str:
    raw = {s.contestant: s.rank for s in movement.raw.standings}
    rows = [
        f"{one.contestant} from {raw[one.contestant]} to {raw[one.contestant] - one.ranks} "
        f"({minus(one.rating)} points)"
        for one in movement.movements
    ]
    return f"Ranks without and with control: {listed(rows)}"


def path_chart(path: ControlPath, *, steps: int = 21, theme: Theme = "light") -> alt.LayerChart:
    """Places along the control path, from raw to controlled, at `steps` strengths of control.

    Where lines cross one contestant passes another; the right ends are the rows. Raises SpecError
    for fewer than two steps, and what `ControlPath.grid` raises.
    """
    points = path.grid(steps)
    raw = {s.contestant: (i, s) for i, s in enumerate(points[0].standings)}
    rows = [_walked_row(i, *raw[end.contestant], end) for i, end in enumerate(points[-1].standings)]
    right = 606 + name_room(raw)
    sheet = Sheet(theme, rows, width=right + 250, height=ROW * len(rows))
    layers: list[Layer] = [
        sheet.hairlines(left=564),
        _walks(sheet, points),
        sheet.column("raw_rank", 22, align="right", shade="raw", y="from"),
        sheet.column("rank", 592, align="right", bold=True),
        sheet.heading("contestant", 606),
        sheet.column("name", 606, limit=right - 606),
        sheet.heading("raw", right + 58, align="right", shade="raw"),
        sheet.column("raw_rating", right + 58, align="right", shade="raw"),
        sheet.heading("controlled", right + 130, align="right", shade="controlled"),
        sheet.column("rating", right + 130, align="right", shade="controlled"),
        sheet.heading("moved", right + 160),
        sheet.column("ranks", right + 198, align="right", shade="way:"),
        sheet.heading("points", sheet.width, align="right"),
        sheet.column("points", sheet.width, align="right", shade="ink_2"),
    ]
    told = f"Controlled for {', '.join(path.features) or 'nothing that differs in these votes'}."
    return sheet.chart(layers, title=_pulled(rows), told=told, words=_path_words(rows))


def _walked_row(i: int, start: int, before: PathStanding, after: PathStanding) -> Row:
    ranks = before.rank - after.rank
    return {
        "y": row_y(i),
        "from": row_y(start),
        "down": i - start,
        "name": after.contestant,
        "raw_rank": str(before.rank),
        "rank": str(after.rank),
        "raw_rating": f"{before.rating:,.0f}",
        "rating": f"{after.rating:,.0f}",
        "change": after.rating - before.rating,
        "way": way(ranks),
        "ranks": minus(ranks, "+d") if ranks else "–",
        "points": minus(after.rating - before.rating),
    }


def _walks(sheet: Sheet, points: Sequence[PathPoint]) -> alt.LayerChart:
    strokes = {row["name"]: stroke(sheet, -row["down"]) for row in sheet.rows}
    places = [
        {"name": s.contestant, "strength": point.strength, "y": row_y(i)} | strokes[s.contestant]
        for point in points
        for i, s in enumerate(point.standings)
    ]
    scale = alt.Scale(domain=[0, 1], range=[36, 556], nice=False)
    title = "strength of control, raw at 0 and controlled at 1"
    ticks = [0, 0.25, 0.5, 0.75, 1]
    axis = alt.Axis(orient="top", title=title, values=ticks, format=".2~f")
    drawn = alt.Chart(table(places)).mark_line(interpolate="monotone")
    return over(
        drawn.encode(
            x=alt.X("strength:Q", scale=scale, axis=axis),
            y=alt.Y("y:Q", scale=None, axis=None),
            detail="name:N",
            tooltip="name:N",
            **STROKE,
        ),
        sheet.ring(y="from").encode(x=alt.value(36)),
        sheet.dot().encode(x=alt.value(556), tooltip="name:N"),
    )


def _pulled(rows: Sequence[Row]) -> str:
    most = max(rows, key=lambda row: abs(row["change"]))
    if abs(most["change"]) < 0.05:
        return "Control of style moves nobody."
    verb = "lifts" if most["change"] > 0 else "lowers"
    return f"Control of style {verb} {most['name']} most, by {abs(most['change']):.1f} points."


def _path_words(rows: Sequence[Row]) -> str:
    told = [f"{row['name']} from {row['raw_rating']} to {row['rating']}" for row in rows]
    return f"Ratings without and with control of style: {listed(told)}"
