"""The heatmap of contestants in categories, as an altair chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
from django.utils.translation import gettext as _

from arena.leaderboard.charts import about
from arena.leaderboard.models import Fitted
from arena.leaderboard.sentences import grouped, joined
from arena.leaderboard.templatetags.glyphs import doubt, whole
from arena.reports import categories_words as words
from arena.reports.categories import (
    RANK,
    Contestant,
    Place,
    Table,
    difference_of,
    rank_of,
    shade_of,
)
from ranking.plots.sheets import finished, over, table
from ranking.plots.themes import Palette, Theme, palette_of

CELL, ROW = 46, 24
NAMES, LABELS = 190, 150
STRENGTHS = {"1": 0.22, "2": 0.5, "3": 0.95}
# Names of rows and columns are told apart by their places, which their labels leave out.
LABEL = "slice(datum.label, indexof(datum.label, ' ') + 1)"


def heatmap(
    snapshot: Fitted, shown: Table, contestants: Sequence[Contestant], cells: str, theme: Theme
) -> alt.LayerChart:
    """A row for each contestant, a column for each category, the largest first."""
    rows = [f"{i} {each.name}" for i, each in enumerate(contestants)]
    columns = [f"{k} {words.column_label(each)}" for k, each in enumerate(shown.categories)]
    values = values_of(shown, contestants, cells, palette_of(theme))
    filled = alt.Chart(table([value for value in values if value["fill"]])).mark_rect()
    number = alt.Chart(table(values)).mark_text(fontSize=11)
    layers = [
        filled.encode(
            *where(rows, columns),
            color=alt.Color("fill:N", scale=None),
            opacity=alt.Opacity("strength:Q", scale=None),
        ),
        number.encode(
            *where(rows, columns),
            text="text:N",
            color=alt.Color("ink:N", scale=None),
            tooltip=[alt.Tooltip(f"{name}:N", title=title) for name, title in tooltips()],
        ),
    ]
    placed = over(*layers).properties(width=alt.Step(CELL), height=alt.Step(ROW))
    return finished(
        placed,
        theme,
        CELL * len(columns) + NAMES,
        title=words.widest(shown),
        told=joined(*about(snapshot), words.key()),
        words=words.told(shown, contestants),
    )


def where(rows: Sequence[str], columns: Sequence[str]) -> tuple[alt.X, alt.Y]:
    shared: dict[str, Any] = {"title": None, "labelExpr": LABEL, "labelOverlap": False}
    x = alt.X(
        "column:N",
        scale=alt.Scale(domain=list(columns)),
        axis=alt.Axis(orient="top", labelAngle=-90, labelLimit=LABELS, **shared),
    )
    axis = alt.Axis(labelLimit=NAMES, **shared)
    return x, alt.Y("row:N", scale=alt.Scale(domain=list(rows)), axis=axis)


def tooltips() -> list[tuple[str, str]]:
    return [
        ("name", _("Contestant")),
        ("category", _("Category")),
        ("rating", _("Rating")),
        ("overall", _("Overall")),
        ("place", _("Rank")),
        ("votes", _("Votes")),
    ]


def values_of(
    shown: Table, contestants: Sequence[Contestant], cells: str, colours: Palette
) -> list[dict[str, Any]]:
    says = rank_of if cells == RANK else difference_of
    return [
        {
            "row": f"{i} {each.name}",
            "column": f"{k} {words.column_label(category)}",
            "text": says(place),
            **look(place, colours),
            "name": each.name,
            "category": category.label,
            "rating": f"{whole(place.rating)} {doubt(place.half)}",
            "overall": whole(each.overall["rating"]) if each.overall else "–",
            "place": str(place.rank),
            "votes": grouped(place.votes),
        }
        for i, each in enumerate(contestants)
        for k, (category, place) in enumerate(zip(shown.categories, each.places, strict=True))
        if place
    ]


def look(place: Place, colours: Palette) -> dict[str, Any]:
    """Without a fill and quiet where it could be no difference."""
    way, _dash, far = shade_of(place).partition("-")
    if not way:
        return {"fill": "", "strength": 0.0, "ink": colours.ink_3}
    return {
        "fill": colours.up if way == "up" else colours.down,
        "strength": STRENGTHS[far],
        "ink": colours.page if far == "3" else colours.ink,
    }
