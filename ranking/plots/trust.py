"""How far to trust a board: the votes that hold its orders, and its forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from ranking.calibration import Calibration
from ranking.display import so_many
from ranking.errors import PlotError
from ranking.influence import Fragility
from ranking.plots.sheets import (
    ROW,
    Layer,
    Sheet,
    band_style,
    dot_style,
    finished,
    listed,
    name_room,
    over,
    row_y,
    table,
)
from ranking.plots.themes import Theme, palette_of


def fragility_chart(found: Sequence[Fragility], *, theme: Theme = "light") -> alt.LayerChart:
    """How few votes, or voters, turn each order: the shorter the bar, the less it holds.

    Raises PlotError for no order at all.
    """
    if not found:
        raise PlotError("there is nothing to draw: no two contestants stand in an order.")
    rows = [
        {
            "y": row_y(i),
            "name": one.contestant,
            "opponent": one.opponent,
            "fewest": one.fewest or 0,
            "told": "none found" if one.fewest is None else f"{one.fewest:,} ({one.share:.2%})",
            "lead": f"{one.before:.1f}",
        }
        for i, one in enumerate(found)
    ]
    wide = name_room(name for one in found for name in (one.contestant, one.opponent))
    right = 2 * wide + 16
    sheet = Sheet(theme, rows, width=right + 540, height=ROW * len(rows))
    most = max([one.fewest for one in found if one.fewest is not None], default=1)
    scale = alt.Scale(domain=[0, most], range=[right + 90, right + 400], nice=False)
    title = f"fewest {found[0].unit}s that turn the order"
    axis = alt.Axis(orient="top", title=title, tickCount=5, tickMinStep=1, format=",d")
    fewest = alt.X("fewest:Q", scale=scale, axis=axis)
    bar = sheet.marks().mark_rule(strokeWidth=11, color=sheet.colours.ink_2)
    label = sheet.marks().mark_text(align="left", dx=6, color=sheet.colours.ink)
    layers: list[Layer] = [
        sheet.hairlines(),
        over(
            bar.transform_filter("datum.fewest > 0").encode(x=fewest, x2=alt.datum(0)),
            label.encode(x=fewest, text="told:N"),
        ),
        sheet.heading("contestant", 0),
        sheet.column("name", 0, limit=wide),
        sheet.heading("ahead of", wide + 16),
        sheet.column("opponent", wide + 16, limit=wide),
        sheet.heading("by, points", right + 70, align="right"),
        sheet.column("lead", right + 70, align="right", shade="ink_2"),
    ]
    turned = any(one.fewest is not None for one in found)
    return sheet.chart(
        layers,
        title=_weakest(found),
        told="Confirmed by exact refits; fewer might be enough." if turned else "",
        words=f"{title.capitalize()}: {listed([_held(one) for one in found])}",
    )


def _weakest(found: Sequence[Fragility]) -> str:
    turned = [one for one in found if one.fewest is not None]
    if not turned:
        return "No removal that was tried turns any of these orders."
    least = min(turned, key=lambda one: one.fewest or 0)
    many = so_many(least.fewest or 0, least.unit)
    return f"Without {many}, {least.opponent} would stand ahead of {least.contestant}."


def _held(one: Fragility) -> str:
    fewest = "none found" if one.fewest is None else f"{one.fewest:,}"
    return f"{one.contestant} ahead of {one.opponent} {fewest}"


def reliability_chart(found: Calibration, *, theme: Theme = "light") -> alt.LayerChart:
    """What the favourite scored against what was expected, on votes that the fit had not seen."""
    colours, size = palette_of(theme), 420
    values = [
        {
            "predicted": one.predicted,
            "observed": one.observed,
            "lower": one.lower,
            "upper": one.upper,
            "votes": one.votes,
        }
        for one in found.reliability
    ]
    numbers = [v[field] for v in values for field in ("predicted", "lower", "upper")]
    ends = [max(0.0, min(0.5, *numbers) - 0.02), min(1.0, max(numbers) + 0.02)]
    scale = alt.Scale(domain=ends, nice=False, zero=False)
    axis: dict[str, Any] = {"format": ".0%", "tickCount": 6}
    x = alt.X("predicted:Q", scale=scale, axis=alt.Axis(title="expected score", grid=False, **axis))
    side = alt.Axis(title="score of the favourite", **axis)
    y = alt.Y("observed:Q", scale=scale, axis=side)
    even = table([{"predicted": end, "observed": end} for end in ends])
    curve = alt.Chart(table(values))
    span = curve.encode(x=x, y=alt.Y("lower:Q", scale=scale, axis=side), y2="upper:Q")
    dots = curve.mark_point(**dot_style(colours))
    layers: list[Layer] = [
        alt.Chart(even).mark_line(strokeDash=[4, 4], color=colours.ink_3).encode(x=x, y=y),
        span.mark_bar(orient="vertical", **band_style(colours, 9)),
        dots.encode(x=x, y=y, tooltip=["predicted:Q", "observed:Q", "votes:Q"]),
    ]
    drawn = over(*layers).properties(width=size, height=size)
    points = 100 * found.calibration_error
    bins = [f"expected {v['predicted']:.0%}, scored {v['observed']:.0%}" for v in values]
    return finished(
        drawn,
        theme,
        size,
        title=f"Forecasts are {points:.1f} points off on average.",
        told=f"{so_many(found.predicted, 'vote')}, each forecast by a fit to earlier ones. Bands: "
        f"{found.spec.confidence:.0%}. Dashed: as often as forecast.",
        words=f"Score of the favourite: {listed(bins)}",
    )
