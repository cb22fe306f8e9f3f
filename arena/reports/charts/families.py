"""The charts of a family's page. Importing this imports altair."""

from __future__ import annotations

from typing import Any

import altair as alt
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.leaderboard.charts import about
from arena.leaderboard.models import Fitted
from arena.leaderboard.sentences import grouped, joined
from arena.leaderboard.templatetags.glyphs import doubt, whole
from arena.reports import families_words as words
from arena.reports.charts.axes import rating_axis
from arena.reports.families import Compared, FamilyPage, Member, Picked, Rated
from ranking.plots.sheets import (
    ROW,
    Layer,
    Sheet,
    band_style,
    dot_style,
    finished,
    name_room,
    over,
    ring_style,
    row_y,
    table,
)
from ranking.plots.themes import Palette, Theme, palette_of

# Pixels of axes and panels.
AXIS, PANEL, TALL, GAP = 380.0, 112, 120, 18
WIDE = 900.0


# -- Ratings ---------------------------------------------------------------------------------


def ratings_chart(snapshot: Fitted, page: FamilyPage, title: str, theme: Theme) -> alt.LayerChart:
    """Every placed member: the controlled interval with its dot, the raw one with its ring."""
    rows = [rating_row(i, member) for i, member in enumerate(page.placed)]
    left = name_room([row["name"] for row in rows]) + 16
    sheet = Sheet(theme, rows, width=left + AXIS + 220, height=ROW * len(rows))
    x = rating_axis(left, AXIS, [v for row in rows for v in ends_of(row)])
    colours = sheet.colours
    band = sheet.marks(y="below").mark_bar(orient="horizontal", **band_style(colours, 9), clip=True)
    drawn: list[Layer] = []
    if page.has_raw:
        raw = sheet.marks(y="above").mark_rule(color=colours.raw, strokeWidth=2)
        tilt = sheet.marks(y="above").mark_rule(color=colours.edge)
        drawn += [
            band.encode(x=x("lower"), x2="upper"),
            raw.encode(x=x("raw_lower"), x2="raw_upper"),
            tilt.encode(x=x("raw"), x2="rating", y2="below:Q"),
            sheet.ring(y="above").encode(x=x("raw"), tooltip=tips()),
            sheet.dot(y="below").encode(x=x("rating"), tooltip=tips()),
        ]
    else:
        raw_band = sheet.marks().mark_rule(color=colours.raw, strokeWidth=2)
        drawn += [
            raw_band.encode(x=x("lower"), x2="upper"),
            sheet.ring().encode(x=x("rating"), tooltip=tips()),
        ]
    right = left + AXIS
    layers: list[Layer] = [
        sheet.hairlines(),
        over(*drawn),
        sheet.column("name", 0, limit=left - 10),
        sheet.heading(_("Rating"), right + 90, align="right"),
        sheet.column("figure", right + 90, align="right", bold=True),
        sheet.heading(_("Rank"), right + 130, align="right"),
        sheet.column("rank", right + 130, align="right"),
        sheet.heading(_("Votes"), sheet.width, align="right"),
        sheet.column("votes", sheet.width, align="right", shade="ink_2"),
    ]
    told = joined(*about(snapshot), words.ratings_key(has_raw=page.has_raw))
    return sheet.chart(layers, title=title, told=told, words=words.ratings_words(page.members))


def rating_row(i: int, member: Member) -> dict[str, Any]:
    place, raw = member.place, member.raw
    assert place is not None
    return {
        "y": row_y(i),
        "above": row_y(i) - 4.5,
        "below": row_y(i) + 4.5,
        "name": member.name,
        "rating": place.rating,
        "lower": place.lower,
        "upper": place.upper,
        "raw": raw.rating if raw else None,
        "raw_lower": raw.lower if raw else None,
        "raw_upper": raw.upper if raw else None,
        "figure": f"{whole(place.rating)} {doubt(place.half)}",
        "raw_figure": f"{whole(raw.rating)} {doubt(raw.half)}" if raw else "",
        "rank": str(place.rank),
        "votes": grouped(member.votes),
    }


def ends_of(row: dict[str, Any]) -> list[float]:
    known = (row[key] for key in ("lower", "upper", "raw_lower", "raw_upper"))
    return [value for value in known if value is not None]


def tips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title=_("Revision")),
        alt.Tooltip("figure:N", title=_("Rating")),
        alt.Tooltip("raw_figure:N", title=_("Raw")),
        alt.Tooltip("votes:N", title=_("Votes")),
    ]


# -- How they write --------------------------------------------------------------------------


def writing_chart(
    snapshot: Fitted, compared: Compared, title: str, theme: Theme
) -> alt.HConcatChart:
    """A panel per metric: which share of the answers of either has so many."""
    colours = palette_of(theme)
    panels = [
        panel(colours, compared, metric, compared.shares[metric]) for metric in compared.drawn
    ]
    drawn = alt.hconcat(*panels, spacing=GAP)
    told = joined(*about(snapshot), words.writing_key(compared))
    described = words.writing_words(compared)
    assert isinstance(drawn, alt.HConcatChart)
    return finished(drawn, theme, WIDE, title=title, told=told, words=described)


def panel(colours: Palette, compared: Compared, metric: str, shares: dict[str, Any]) -> alt.Chart:
    sides = (("first", compared.first), ("second", compared.second))
    steps = [str(begin) for begin in shares["from"]]
    rows = [
        {
            "step": step,
            "share": share,
            "side": side,
            "name": name,
            "words": words.share_words(share),
        }
        for side, name in sides
        for step, share in zip(steps, shares[side], strict=True)
    ]
    fill = alt.Color(
        "side:N",
        scale=alt.Scale(domain=["first", "second"], range=[colours.ink_2, colours.page]),
        legend=None,
    )
    bar = alt.Chart(table(rows)).mark_bar(stroke=colours.ink_2, strokeWidth=1)
    return bar.encode(
        x=alt.X(
            "step:N",
            sort=steps,
            title=words.metric_label(metric),
            axis=alt.Axis(labelAngle=0, labelFontSize=10, titlePadding=8),
        ),
        xOffset=alt.XOffset("side:N", sort=["first", "second"]),
        y=alt.Y("share:Q", title=None, axis=alt.Axis(format=".0%", tickCount=3)),
        color=fill,
        tooltip=[
            alt.Tooltip("name:N", title=_("Revision")),
            alt.Tooltip("step:N", title=words.metric_label(metric)),
            alt.Tooltip("words:N", title=pgettext("part of all", "Share")),
        ],
    ).properties(width=PANEL + 14 * max(0, len(steps) - 4), height=TALL)


# -- The best of N ---------------------------------------------------------------------------


def picked_chart(
    snapshot: Fitted, picked: Picked, title: str, theme: Theme, *, is_raw: bool
) -> alt.LayerChart:
    """Every variant with its interval; the best without what being picked adds; the released."""
    rows = [picked_row(i, rated) for i, rated in enumerate(picked.variants)]
    best = picked.best
    rows.append(
        picked_row(len(rows), best)
        | {
            "name": words.corrected_name(best.name),
            "kind": "corrected",
            "rating": picked.corrected,
            "lower": picked.corrected - picked.half,
            "upper": picked.corrected + picked.half,
            "figure": f"{whole(picked.corrected)} {doubt(picked.half)}",
            "votes": "",
            "was": best.rating,
        }
    )
    if picked.published is not None:
        row = picked_row(len(rows), picked.published.rated)
        rows.append(row | {"name": words.since_release(picked.published.rated.name)})
    left = name_room([row["name"] for row in rows]) + 16
    sheet = Sheet(theme, rows, width=left + AXIS + 170, height=ROW * len(rows))
    x = rating_axis(left, AXIS, [row[end] for row in rows for end in ("lower", "upper")])
    colours = sheet.colours
    band = sheet.marks().mark_bar(orient="horizontal", clip=True, **band_style(colours, 10))
    mark = sheet.dot()
    hollow = dot_style(colours) | {"fill": colours.page, "stroke": colours.controlled}
    if is_raw:
        band = sheet.marks().mark_rule(color=colours.raw, strokeWidth=2)
        mark, hollow = sheet.ring(), ring_style(colours) | {"shape": "diamond"}
    taken = sheet.marks().mark_rule(color=colours.ink_2, strokeDash=[3, 3])
    corrected = "datum.kind == 'corrected'"
    layers: list[Layer] = [
        sheet.hairlines(),
        over(
            band.encode(x=x("lower"), x2="upper"),
            taken.transform_filter(corrected).encode(x=x("rating"), x2="was"),
            mark.transform_filter(f"!({corrected})").encode(x=x("rating")),
            sheet.marks().mark_point(**hollow).transform_filter(corrected).encode(x=x("rating")),
        ),
        sheet.column("name", 0, limit=left - 10),
        sheet.heading(_("Rating"), left + AXIS + 90, align="right"),
        sheet.column("figure", left + AXIS + 90, align="right", bold=True),
        sheet.heading(_("Votes"), sheet.width, align="right"),
        sheet.column("votes", sheet.width, align="right", shade="ink_2"),
    ]
    told = joined(*about(snapshot), words.picked_key(is_raw=is_raw))
    return sheet.chart(layers, title=title, told=told, words=words.picked_words(picked))


def picked_row(i: int, rated: Rated) -> dict[str, Any]:
    return {
        "y": row_y(i),
        "name": rated.name,
        "kind": "rated",
        "rating": rated.rating,
        "lower": rated.lower,
        "upper": rated.upper,
        "was": None,
        "figure": f"{whole(rated.rating)} {doubt(rated.half)}",
        "votes": grouped(rated.votes),
    }
