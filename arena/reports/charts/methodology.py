"""The charts of the methodology page. Importing this imports altair.

Each takes plain rows and the sentences that stand on it. Raw is a ring, controlled a dot, all else
ink; what could be nothing is hollow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
from django.utils.translation import gettext as _

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

Json = Mapping[str, Any]

# Pixels: of a chart that stands in half a page, and of a square one.
WIDTH, SQUARE = 600.0, 340.0
# Beside the axis stand figures.
FIGURES = 130.0


@dataclass(frozen=True)
class Said:
    """title: the finding. told: the key beneath it. words: the chart in words."""

    title: str
    told: str
    words: str


def funnel_chart(rows: Sequence[Json], low: float, said: Said, theme: Theme) -> alt.LayerChart:
    """Votes read, what each rule takes, and what counts. rows: label, start, end, figure, whole;
    the axis begins at low."""
    placed = [
        dict(row) | {"y": row_y(i), "start": max(low, row["start"])} for i, row in enumerate(rows)
    ]
    room = name_room(row["label"] for row in rows)
    sheet = Sheet(theme, placed, width=WIDTH, height=ROW * len(rows))
    most = max(row["end"] for row in rows)
    scale = alt.Scale(domain=[low, most], range=[room + 16, WIDTH - 80], nice=False, zero=False)
    axis = alt.Axis(orient="top", title=None, tickCount=4, format=",d")
    x = alt.X("start:Q", scale=scale, axis=axis)
    shade = alt.condition(
        "datum.whole", alt.value(sheet.colours.ink_2), alt.value(sheet.colours.edge)
    )
    layers: list[Layer] = [
        over(
            sheet.marks()
            .mark_bar(orient="horizontal", size=14)
            .encode(x=x, x2="end", color=shade, tooltip=["label:N", "votes:Q"])
        ),
        sheet.column("label", 0, limit=room),
        sheet.column("figure", WIDTH, align="right"),
    ]
    if low > 0:
        breaks = [row | {"mark": "//"} for row in placed if row["whole"]]
        cut = alt.Chart(table(breaks)).mark_text(
            fontWeight="bold", fontSize=15, color=sheet.colours.page, baseline="middle"
        )
        layers.append(
            cut.encode(x=alt.value(room + 26), y=alt.Y("y:Q", scale=None, axis=None), text="mark:N")
        )
    return sheet.chart(layers, title=said.title, told=said.told, words=said.words)


def exposure_chart(rows: Sequence[Json], said: Said, theme: Theme) -> alt.LayerChart:
    """Share of the places and the fair share, joined. rows: label, share, fair_share, hollow,
    times_said, tried_said."""
    placed = [dict(row) | {"y": row_y(i)} for i, row in enumerate(rows)]
    room = name_room(row["label"] for row in rows)
    sheet = Sheet(theme, placed, width=WIDTH, height=ROW * len(rows))
    numbers = [row[name] for row in rows for name in ("share", "fair_share")]
    reach = max(0.005, 0.06 * (max(numbers) - min(numbers)))
    scale = alt.Scale(
        domain=[max(0.0, min(numbers) - reach), max(numbers) + reach],
        range=[room + 16, WIDTH - FIGURES - 20],
        nice=False,
        zero=False,
    )
    axis = alt.Axis(orient="top", title=None, tickCount=4, format=".1~%")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    fair = sheet.marks().mark_tick(
        orient="vertical", thickness=2, size=14, color=sheet.colours.ink, opacity=1
    )
    layers: list[Layer] = [
        sheet.hairlines(),
        over(
            sheet.marks()
            .mark_rule(color=sheet.colours.ink_2, strokeWidth=1.5)
            .encode(x=x("fair_share"), x2="share"),
            fair.encode(x=x("fair_share")),
            ink_dots(sheet, hollow_by="hollow").encode(
                x=x("share"), tooltip=["label:N", "share:Q", "fair_share:Q"]
            ),
        ),
        sheet.column("label", 0, limit=room),
        sheet.heading(_("times fair"), WIDTH - 62, align="right"),
        sheet.column("times_said", WIDTH - 62, align="right"),
        sheet.heading(_("variants"), WIDTH, align="right"),
        sheet.column("tried_said", WIDTH, align="right"),
    ]
    return sheet.chart(layers, title=said.title, told=said.told, words=said.words)


def ink_dots(sheet: Sheet, *, hollow_by: str = "") -> alt.Chart:
    """Dots in ink, those hollow of which the field says so."""
    colours = sheet.colours
    dots = sheet.marks().mark_point(
        shape="circle", size=58, filled=True, stroke=colours.ink, strokeWidth=1.6, opacity=1
    )
    if not hollow_by:
        return dots.encode(fill=alt.value(colours.ink))
    return dots.encode(
        fill=alt.condition(f"datum.{hollow_by}", alt.value(colours.page), alt.value(colours.ink))
    )


def coefficients_chart(rows: Sequence[Json], said: Said, theme: Theme) -> alt.LayerChart:
    """What a typical difference is worth in points. rows: label, elo, lower, upper, figure,
    hollow."""
    placed = [dict(row) | {"y": row_y(i)} for i, row in enumerate(rows)]
    room = name_room(row["label"] for row in rows)
    sheet = Sheet(theme, placed, width=WIDTH, height=ROW * len(rows))
    colours = sheet.colours
    ends = [0.0, *(row[name] for row in rows for name in ("lower", "upper"))]
    reach = 0.04 * (max(ends) - min(ends))
    scale = alt.Scale(
        domain=[min(ends) - reach, max(ends) + reach],
        range=[room + 16, WIDTH - 90],
        nice=False,
        zero=False,
    )
    label = "replace(format(datum.value, 'd'), '-', '−')"
    axis = alt.Axis(orient="top", title=None, tickCount=5, labelExpr=label)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    dots = sheet.marks().mark_point(
        shape="circle", size=58, filled=True, stroke=colours.controlled, strokeWidth=2, opacity=1
    )
    band = sheet.marks().mark_bar(orient="horizontal", **band_style(colours, 11))
    zero = alt.Chart(table([{"lower": 0}])).mark_rule(color=colours.ink_3)
    layers: list[Layer] = [
        over(
            zero.encode(x=x("lower")),
            band.encode(x=x("lower"), x2="upper"),
            dots.encode(
                x=x("elo"),
                fill=alt.condition(
                    "datum.hollow", alt.value(colours.page), alt.value(colours.controlled)
                ),
                tooltip=["label:N", "elo:Q", "lower:Q", "upper:Q"],
            ),
        ),
        sheet.column("label", 0, limit=room),
        sheet.heading(_("Elo"), WIDTH, align="right"),
        sheet.column("figure", WIDTH, align="right"),
    ]
    return sheet.chart(layers, title=said.title, told=said.told, words=said.words)


def position_style(board: str, colours: Palette) -> dict[str, Any]:
    """Of mark_point: a ring for raw, a dot for controlled."""
    return ring_style(colours) if board == "raw" else dot_style(colours)


def forecasts_chart(rows: Sequence[Json], board: str, said: Said, theme: Theme) -> alt.LayerChart:
    """What the favourite scored against what was forecast. rows: expected, share, lower, upper."""
    colours = palette_of(theme)
    numbers = [row[name] for row in rows for name in ("expected", "lower", "upper")]
    ends = [max(0.0, min(0.5, *numbers) - 0.02), min(1.0, max(numbers) + 0.02)]
    scale = alt.Scale(domain=ends, nice=False, zero=False)
    beneath = alt.Axis(title=_("forecast score of the favourite"), format=".0%", tickCount=6)
    beside = alt.Axis(title=_("its score"), format=".0%", tickCount=6)
    x = alt.X("expected:Q", scale=scale, axis=beneath)
    y = alt.Y("share:Q", scale=scale, axis=beside)
    even = table([{"expected": end, "share": end} for end in ends])
    curve = alt.Chart(table(rows))
    band = curve.mark_bar(orient="vertical", **band_style(colours, 9))
    if board == "raw":
        band = curve.mark_bar(orient="vertical", size=9, cornerRadius=4.5, color=colours.hairline)
    drawn = over(
        alt.Chart(even).mark_line(strokeDash=[4, 4], color=colours.ink_3).encode(x=x, y=y),
        band.encode(x=x, y=alt.Y("lower:Q", scale=scale, axis=beside), y2="upper:Q"),
        curve.mark_point(**position_style(board, colours)).encode(
            x=x, y=y, tooltip=["expected:Q", "share:Q", "votes:Q"]
        ),
    ).properties(width=SQUARE, height=SQUARE)
    return finished(drawn, theme, SQUARE, title=said.title, told=said.told, words=said.words)


def scores_chart(rows: Sequence[Json], said: Said, theme: Theme) -> alt.LayerChart:
    """Brier scores of boards, and of a forecast that knows nobody. rows: label, board, brier,
    brier_without, figure, loss_said."""
    placed = [dict(row) | {"y": row_y(i)} for i, row in enumerate(rows)]
    room = name_room(row["label"] for row in rows)
    sheet = Sheet(theme, placed, width=WIDTH, height=ROW * len(rows))
    colours = sheet.colours
    numbers = [row[name] for row in rows for name in ("brier", "brier_without")]
    reach = max(0.001, 0.06 * (max(numbers) - min(numbers)))
    scale = alt.Scale(
        domain=[min(numbers) - reach, max(numbers) + reach],
        range=[room + 16, WIDTH - FIGURES - 20],
        nice=False,
        zero=False,
    )
    axis = alt.Axis(orient="top", title=None, tickCount=4, format=".3f")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    coin = sheet.marks().mark_tick(
        orient="vertical", thickness=2, size=14, color=colours.ink_3, opacity=1
    )
    dots = ink_dots(sheet).transform_filter("datum.board != 'raw' && datum.board != 'controlled'")
    layers: list[Layer] = [
        sheet.hairlines(),
        over(
            coin.encode(x=x("brier_without")),
            dots.encode(x=x("brier"), tooltip=["label:N", "brier:Q", "log_loss:Q"]),
            sheet.ring().transform_filter("datum.board == 'raw'").encode(x=x("brier")),
            sheet.dot().transform_filter("datum.board == 'controlled'").encode(x=x("brier")),
        ),
        sheet.column("label", 0, limit=room),
        sheet.heading(_("Brier"), WIDTH - 62, align="right"),
        sheet.column("figure", WIDTH - 62, align="right"),
        sheet.heading(_("log loss"), WIDTH, align="right"),
        sheet.column("loss_said", WIDTH, align="right", shade="ink_2"),
    ]
    return sheet.chart(layers, title=said.title, told=said.told, words=said.words)


def levels_chart(rows: Sequence[Json], beneath: str, said: Said, theme: Theme) -> alt.LayerChart:
    """A share with its interval along points. rows: mean, share, lower, upper."""
    colours = palette_of(theme)
    x = alt.X(
        "mean:Q",
        scale=alt.Scale(nice=False, zero=False, padding=14),
        axis=alt.Axis(title=beneath, format=",d", tickCount=6),
    )
    scale = alt.Scale(domain=[0.0, max(row["upper"] for row in rows)], nice=True)
    axis = alt.Axis(title=None, format=".0%", tickCount=5)
    curve = alt.Chart(table(rows))
    y = alt.Y("share:Q", scale=scale, axis=axis)
    drawn = over(
        curve.mark_line(color=colours.edge).encode(x=x, y=y),
        curve.mark_rule(color=colours.ink_2, strokeWidth=2).encode(
            x=x, y=alt.Y("lower:Q", scale=scale, axis=axis), y2="upper:Q"
        ),
        curve.mark_point(shape="circle", size=58, filled=True, fill=colours.ink, opacity=1).encode(
            x=x, y=y, tooltip=["mean:Q", "share:Q", "votes:Q"]
        ),
    ).properties(width=WIDTH - 60, height=190)
    return finished(drawn, theme, WIDTH, title=said.title, told=said.told, words=said.words)


def voters_chart(rows: Sequence[Json], said: Said, theme: Theme) -> alt.LayerChart:
    """Share of the votes by share of the voters, the busiest first. rows: voters, votes."""
    colours = palette_of(theme)
    least = min(row["voters"] for row in rows)
    x = alt.X(
        "voters:Q",
        scale=alt.Scale(type="log", domain=[least, 1.0]),
        axis=alt.Axis(
            title=_("share of voters, the busiest first"), format="~%", tickCount=5, grid=False
        ),
    )
    y = alt.Y(
        "votes:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(title=_("share of votes"), format=".0%", tickCount=5),
    )
    alike = [dict(row) | {"votes": row["voters"]} for row in rows]
    drawn = over(
        alt.Chart(table(alike)).mark_line(strokeDash=[4, 4], color=colours.ink_3).encode(x=x, y=y),
        alt.Chart(table(rows)).mark_line(color=colours.ink, strokeWidth=2.5).encode(x=x, y=y),
        alt.Chart(table(rows))
        .mark_point(size=40, opacity=0)
        .encode(x=x, y=y, tooltip=["voters:Q", "votes:Q"]),
    ).properties(width=WIDTH - 70, height=200)
    return finished(drawn, theme, WIDTH, title=said.title, told=said.told, words=said.words)


def draws_chart(rows: Sequence[Json], said: Said, theme: Theme) -> alt.LayerChart:
    """Votes of pairs by the chance they were drawn with, against how many were due. rows: label,
    due, met, figure."""
    placed = [dict(row) | {"y": row_y(i)} for i, row in enumerate(rows)]
    room = name_room(row["label"] for row in rows)
    sheet = Sheet(theme, placed, width=WIDTH, height=ROW * len(rows))
    most = max(row[name] for row in rows for name in ("due", "met"))
    scale = alt.Scale(domain=[0, 1.04 * most], range=[room + 16, WIDTH - FIGURES - 20], nice=False)
    axis = alt.Axis(orient="top", title=None, tickCount=4, format=",d")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    due = sheet.marks().mark_tick(
        orient="vertical", thickness=2, size=14, color=sheet.colours.ink, opacity=1
    )
    layers: list[Layer] = [
        sheet.hairlines(),
        over(
            due.encode(x=x("due")),
            ink_dots(sheet).encode(x=x("met"), tooltip=["label:N", "due:Q", "met:Q"]),
        ),
        sheet.column("label", 0, limit=room),
        sheet.heading(_("met of those due"), WIDTH, align="right"),
        sheet.column("figure", WIDTH, align="right"),
    ]
    return sheet.chart(layers, title=said.title, told=said.told, words=said.words)


def circles_chart(rows: Sequence[Json], said: Said, theme: Theme) -> alt.LayerChart:
    """What pairs scored against what was forecast. rows: label, observed_share, expected_share,
    figure, hollow."""
    placed = [dict(row) | {"y": row_y(i)} for i, row in enumerate(rows)]
    room = name_room(row["label"] for row in rows)
    sheet = Sheet(theme, placed, width=WIDTH, height=ROW * len(rows))
    scale = alt.Scale(domain=[0, 1], range=[room + 20, WIDTH - 60], nice=False)
    axis = alt.Axis(orient="top", title=None, tickCount=5, format=".0%")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    forecast = sheet.marks().mark_tick(
        orient="vertical", thickness=2, size=14, color=sheet.colours.ink_2, opacity=1
    )
    layers: list[Layer] = [
        sheet.hairlines(),
        over(
            sheet.marks()
            .mark_rule(color=sheet.colours.edge)
            .encode(x=x("expected_share"), x2="observed_share"),
            forecast.encode(x=x("expected_share")),
            ink_dots(sheet, hollow_by="hollow").encode(
                x=x("observed_share"), tooltip=["label:N", "observed_share:Q", "expected_share:Q"]
            ),
        ),
        sheet.column("label", 0, limit=room),
        sheet.heading(_("votes"), WIDTH, align="right"),
        sheet.column("figure", WIDTH, align="right", shade="ink_2"),
    ]
    return sheet.chart(layers, title=said.title, told=said.told, words=said.words)
