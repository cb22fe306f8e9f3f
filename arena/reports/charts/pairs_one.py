"""The chart of a pair's page. Importing this imports altair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.leaderboard.charts import about
from arena.leaderboard.models import Fitted
from arena.leaderboard.sentences import joined
from arena.reports.contestants_words import share
from arena.reports.pairs_words import record_note, record_words
from ranking.plots.sheets import Layer, Sheet, over, ring_style, table
from ranking.plots.themes import Theme

# Pixels of the axis, and of a row: its name stands above its marks, so that both are in sight on
# a phone.
LEFT, AXIS, HEIGHT = 6.0, 400.0, 42


def record_chart(
    snapshot: Fitted,
    names: tuple[str, str],
    title: str,
    rows: Sequence[Mapping[str, Any]],
    theme: Theme,
) -> alt.LayerChart:
    """The first one's score, observed with its interval and as each board expects it."""
    shown = [
        {
            **row,
            "above": HEIGHT * (i + 0.3),
            "y": HEIGHT * (i + 0.72),
            "figure": share(row["share"]),
        }
        for i, row in enumerate(rows)
    ]
    sheet = Sheet(theme, shown, width=LEFT + AXIS + 52, height=HEIGHT * len(rows))
    colours = sheet.colours
    scale = alt.Scale(domain=[0, 1], range=[LEFT, LEFT + AXIS], nice=False)
    axis = alt.Axis(
        orient="top",
        title=_("Score of %(name)s, ties half") % {"name": names[0]},
        format=".0%",
        values=[0, 0.25, 0.5, 0.75, 1],
    )

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    tips = [
        alt.Tooltip("what:N", title=_("Score")),
        alt.Tooltip("figure:N", title=pgettext("part of all", "Share")),
    ]

    def point(kind: str, **style: Any) -> alt.Chart:
        chosen = sheet.marks().transform_filter(f"datum.kind == '{kind}'")
        return chosen.mark_point(**style).encode(x=x("share"), tooltip=tips)

    dot: dict[str, Any] = {"shape": "circle", "size": 62, "filled": True, "opacity": 1}
    half = alt.Chart(table([{"half": 0.5}])).mark_rule(color=colours.edge)
    whisker = sheet.marks().mark_rule(color=colours.ink_2, strokeWidth=1.5)
    hollow = {"shape": "circle", "size": 52, "strokeWidth": 2, "opacity": 1}
    layers: list[Layer] = [
        over(
            half.encode(x=x("half")),
            whisker.encode(x=x("lower"), x2="upper"),
            point("observed", **dot, color=colours.ink),
            point("raw", **ring_style(colours)),
            point("controlled", **dot, color=colours.controlled),
            point("level", **hollow, fill=colours.page, stroke=colours.controlled),
        ),
        sheet.column("what", LEFT, y="above", shade="ink_2"),
        sheet.column("figure", sheet.width, align="right", bold=True),
    ]
    told = joined(
        " – ".join(names) + ".",
        *about(snapshot),
        record_note(),
    )
    return sheet.chart(layers, title=title, told=told, words=record_words(rows))
