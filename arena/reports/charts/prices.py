"""Rating against price, and against the time to the first token, as pictures to take away."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
from django.utils.translation import gettext as _

from arena.leaderboard.sentences import joined
from arena.leaderboard.templatetags.glyphs import doubt, whole
from arena.reports.prices import MAYBE_OFF, MAYBE_ON, OFF, ON, Panel, Point, PricePage, Scale
from arena.reports.prices_words import cost_words, panel_words
from ranking.plots.sheets import Layer, dot_style, finished, over, ring_style, table
from ranking.plots.themes import Palette, Theme, palette_of

WIDTH, HEIGHT = 900, 460
Row = Mapping[str, Any]


def cost_chart(page: PricePage, panel: Panel, theme: Theme) -> alt.LayerChart:
    """The frontier drawn through those on it; hollow is who may be on the wrong side of it."""
    colours = palette_of(theme)
    rows = [point_row(point, panel) for point in panel.frontier.points]
    on = [row for row in rows if row["state"] in (ON, MAYBE_ON)]
    layers: list[Layer] = [
        whiskers(rows, panel, colours),
        frontier(on, panel, colours),
        *(
            spots([row for row in rows if row["state"] == state], state, panel, colours)
            for state in (OFF, MAYBE_OFF, MAYBE_ON, ON)
            if any(row["state"] == state for row in rows)
        ),
        names(on, panel, colours),
    ]
    told = [_("Simulated demo data.")] if page.is_simulated else []
    told.append(
        _("%(mix)s. Dashed: the votes leave open on which side of the line it belongs.")
        % {"mix": page.mix_words}
        if panel.is_price
        else _("Dashed: the votes leave open on which side of the line it belongs.")
    )
    told.append(_("Raw ratings.") if panel.board == "raw" else "")
    told.append(_("Bars: 95% intervals. The axis of ratings is cut."))
    return finished(
        over(*layers).properties(width=WIDTH, height=HEIGHT),
        theme,
        WIDTH,
        title=panel.title,
        told=joined(*told),
        words=panel_words(panel),
    )


def point_row(point: Point, panel: Panel) -> dict[str, Any]:
    rated = point.rated
    return {
        # What costs nothing has no logarithm: it stands at the edge.
        "cost": max(point.cost, panel.across.low),
        "told_cost": cost_words(panel.kind, point.cost),
        "name": rated.name,
        "rating": round(rated.rating, 2),
        "lower": round(max(rated.lower, panel.up.low), 2),
        "upper": round(min(rated.upper, panel.up.high), 2),
        "told": f"{whole(rated.rating)} {doubt(rated.half)}",
        "state": point.state,
    }


def cost(panel: Panel) -> alt.X:
    title = _("Dollars per million tokens") if panel.is_price else _("Seconds to the first token")
    axis = alt.Axis(title=title, values=list(panel.across.ticks), format="~g")
    domain = [panel.across.low, panel.across.high]
    return alt.X("cost:Q", scale=alt.Scale(type="log", domain=domain, nice=False), axis=axis)


def rating(field: str, up: Scale) -> alt.Y:
    axis = alt.Axis(title=_("Rating"), values=list(up.ticks), format="d")
    scale = alt.Scale(domain=[up.low, up.high], nice=False, zero=False)
    return alt.Y(f"{field}:Q", scale=scale, axis=axis)


def whiskers(rows: Sequence[Row], panel: Panel, colours: Palette) -> alt.Chart:
    rule = alt.Chart(table(rows)).mark_rule(color=colours.edge, strokeWidth=1, opacity=0.7)
    return rule.encode(x=cost(panel), y=rating("lower", panel.up), y2="upper")


def frontier(on: Sequence[Row], panel: Panel, colours: Palette) -> alt.Chart:
    """At each cost, the highest rating to be had for it."""
    corners = [{"cost": row["cost"], "rating": row["rating"]} for row in on]
    path = corners[:1]
    for before, after in pairwise(corners):
        path += [{"cost": after["cost"], "rating": before["rating"]}, after]
    path.append({"cost": panel.across.high, "rating": corners[-1]["rating"]})
    rows = [point | {"order": order} for order, point in enumerate(path)]
    line = alt.Chart(table(rows)).mark_line(color=colours.ink_2, strokeWidth=1.6)
    return line.encode(x=cost(panel), y=rating("rating", panel.up), order="order:Q")


def spots(rows: Sequence[Row], state: str, panel: Panel, colours: Palette) -> alt.Chart:
    told = [
        alt.Tooltip("name:N", title=_("Contestant")),
        alt.Tooltip("told_cost:N", title=_("Cost")),
        alt.Tooltip("told:N", title=_("Rating")),
    ]
    mark = alt.Chart(table(rows)).mark_point(**spot_style(panel.board, state, colours))
    return mark.encode(x=cost(panel), y=rating("rating", panel.up), tooltip=told)


def spot_style(board: str, state: str, colours: Palette) -> dict[str, Any]:
    """Rings are raw and dots controlled; dashed is who may be on the wrong side."""
    is_raw = board == "raw"
    style = ring_style(colours) if is_raw else dot_style(colours)
    style = style | {"size": 74 if state in (ON, MAYBE_ON) else 34}
    if state in (MAYBE_ON, MAYBE_OFF):
        colour = colours.raw if is_raw else colours.controlled
        hollow = {"fill": colours.page, "stroke": colour, "strokeWidth": 1.6}
        style = style | hollow | {"strokeDash": [2.2, 1.8]}
    return style | ({"opacity": 0.55} if state == OFF else {})


def names(on: Sequence[Row], panel: Panel, colours: Palette) -> alt.Chart:
    text = alt.Chart(table(on)).mark_text(
        align="right", baseline="bottom", dx=-7, dy=-5, fontSize=11.5, color=colours.ink, limit=190
    )
    return text.encode(x=cost(panel), y=rating("rating", panel.up), text="name:N")
