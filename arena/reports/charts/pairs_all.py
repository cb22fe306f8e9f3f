"""Heatmaps of all pairs: observed and predicted scores, and how many votes they have."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
from django.utils.translation import gettext as _

from arena.leaderboard.charts import about
from arena.leaderboard.models import Fitted
from arena.leaderboard.sentences import joined
from arena.reports import pairs_all_words as words
from arena.reports.pairs_matrix import NUMBERED, Pairs, cell_size
from ranking.plots.sheets import finished, over, table
from ranking.plots.themes import Palette, Theme, palette_of

Values = list[dict[str, Any]]
Colour = tuple[float, float, float]

# With so many votes a cell has half its colour.
FEW = 5.0
NAMES = 170


def heatmap(
    snapshot: Fitted, pairs: Pairs, chosen: np.ndarray[Any, Any], kind: str, theme: Theme
) -> alt.LayerChart:
    """kind: observed, predicted or votes."""
    colours, names = palette_of(theme), [pairs.names[i] for i in chosen]
    values, cell = values_of(pairs, chosen, kind, colours), cell_size(len(names))
    drawn = alt.Chart(table(values)).encode(
        x=alt.X("column:N", scale=alt.Scale(domain=names), axis=names_axis("top", labelAngle=-90)),
        y=alt.Y("row:N", scale=alt.Scale(domain=names), axis=names_axis("left")),
        # Of cells and of the numbers upon them.
        tooltip=[alt.Tooltip(f"{name}:N", title=said) for name, said in tooltips(kind)],
    )
    legend = None if len(names) <= NUMBERED else legend_of(kind)
    shade = (votes_shade if kind == "votes" else score_shade)(values, colours, legend)
    layers = [
        drawn.mark_rect().encode(
            color=shade,
            opacity=alt.Opacity("sure:Q", scale=None),
        )
    ]
    if len(names) <= NUMBERED:
        number = drawn.mark_text(fontSize=10.5).encode(
            text="text:N",
            color=alt.Color("ink:N", scale=None),
        )
        layers.append(number)
    placed = (
        over(*layers)
        .resolve_scale(color="independent")
        .properties(width=alt.Step(cell), height=alt.Step(cell))
    )
    return finished(
        placed,
        theme,
        cell * len(names) + NAMES,
        title=words.title(pairs, chosen, kind),
        told=joined(*about(snapshot), words.caption(pairs, kind, len(names))),
        words=words.told(pairs, chosen, kind),
    )


def names_axis(orient: Any, **others: Any) -> alt.Axis:
    return alt.Axis(
        orient=orient,
        title=None,
        labelLimit=NAMES,
        labelOverlap=False,
        labelFontSize=11.5,
        **others,
    )


def tooltips(kind: str) -> list[tuple[str, str]]:
    said = [
        ("row", _("Row")),
        ("column", _("Column")),
        ("observed", _("Observed score")),
        ("predicted", _("Predicted score")),
        ("votes", _("Votes")),
    ]
    return [said[0], said[1], said[4]] if kind == "votes" else said


def legend_of(kind: str) -> alt.Legend:
    numbers = {"tickCount": 4} if kind == "votes" else {"values": [0, 0.5, 1], "format": ".0%"}
    return alt.Legend(
        title=words.legend(kind),
        titleFontWeight="normal",
        orient="top",
        **numbers,
    )


def values_of(pairs: Pairs, chosen: np.ndarray[Any, Any], kind: str, colours: Palette) -> Values:
    """A cell for each two that the chart says something of."""
    votes, observed = pairs.votes, pairs.observed
    drawn = {"observed": observed, "predicted": pairs.level, "votes": votes}[kind]
    met = votes[np.ix_(chosen, chosen)]
    low, high = met[met > 0].min(initial=met.max()), met.max()
    found = []
    for i, j in ((i, j) for i in chosen for j in chosen if i != j):
        if kind != "predicted" and not votes[i, j]:
            continue
        value = float(drawn[i, j])
        sure = votes[i, j] / (votes[i, j] + FEW) if kind == "observed" else 1.0
        if kind == "votes":
            fill = mixed(colours.sunk, colours.ink_3, (value - low) / max(high - low, 1))
        else:
            end = colours.up if value > 0.5 else colours.down
            fill = mixed(colours.hairline, end, abs(2 * value - 1))
        found.append(
            {
                "row": pairs.names[i],
                "column": pairs.names[j],
                "value": round(value, 3),
                "text": f"{value:.0f}" if kind == "votes" else words.percent(value),
                "votes": f"{votes[i, j]:.0f}",
                "observed": f"{words.percent(observed[i, j])}%" if votes[i, j] else "–",
                "predicted": f"{words.percent(pairs.level[i, j])}%",
                "sure": round(sure, 2),
                "ink": ink_on(mixed(rgb(colours.page), fill, sure), colours),
            }
        )
    return found


def mixed(start: str | Colour, end: str | Colour, share: float) -> Colour:
    first, last = (rgb(each) if isinstance(each, str) else each for each in (start, end))
    red, green, blue = (a + (b - a) * share for a, b in zip(first, last, strict=True))
    return red, green, blue


def rgb(colour: str) -> Colour:
    """Of "#RRGGBB", each from 0 to 1."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue


def ink_on(fill: Colour, colours: Palette) -> str:
    """What can be read on it better."""
    return max((colours.page, colours.ink), key=lambda each: contrast(rgb(each), fill))


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2."""
    low, high = sorted(luminance(each) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def score_shade(values: Values, colours: Palette, legend: alt.Legend | None) -> alt.Color:
    """From losing over even to winning; the number and the place of a cell say the same."""
    scale = alt.Scale(
        domain=[0, 0.5, 1],
        range=[colours.down, colours.hairline, colours.up],
        interpolate="lab",
    )
    return alt.Color("value:Q", scale=scale, legend=legend)


def votes_shade(values: Values, colours: Palette, legend: alt.Legend | None) -> alt.Color:
    """From the fewest to the most, as counts of an even draw differ little."""
    votes = [value["value"] for value in values] or [0.0]
    scale = alt.Scale(
        domain=[min(votes), max(votes)], range=[colours.sunk, colours.ink_3], interpolate="lab"
    )
    return alt.Color("value:Q", scale=scale, legend=legend)
