"""The charts of a contestant's page. Importing this imports altair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
from django.utils.translation import gettext as _

from arena.leaderboard.charts import about, so_shown
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.sentences import grouped, joined
from arena.reports import contestants_words as words
from arena.reports.charts.axes import rating_axis
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

Data = Mapping[str, Any]

# Of opponents so many have a row in a picture.
MOST_ROWS = 150
# Pixels of plots and axes.
WIDTH, HEIGHT, AXIS, STRIP = 520.0, 280.0, 330.0, 300.0


def told_of(snapshot: Fitted, name: str, *more: str) -> str:
    return joined(f"{name}.", *about(snapshot), *more)


# -- Why it moved ----------------------------------------------------------------------------


def why_chart(
    snapshot: Fitted, name: str, title: str, rows: Sequence[Data], theme: Theme
) -> alt.LayerChart:
    """A waterfall: raw, what each control is worth, controlled."""
    colours = palette_of(theme)
    steps = [step_row(row) for row in rows]
    order = [row["step"] for row in rows]
    joints = [{**step, "next": after} for step, after in zip(steps, order[1:], strict=False)]
    x = alt.X(
        "step:N",
        sort=order,
        scale=alt.Scale(domain=order),
        title=None,
        axis=alt.Axis(labelAngle=0, labelLimit=76, labelColor=colours.ink_2, labelFontSize=11.5),
    )
    y = alt.Y(
        "top:Q", title=None, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(format="d")
    )
    tips = [alt.Tooltip("step:N", title=_("Step")), alt.Tooltip("label:N", title=_("Points"))]
    layers: list[Layer] = [
        alt.Chart(table(joints)).mark_rule(color=colours.edge).encode(x=x, x2="next:N", y="at:Q")
    ]
    if steps[-1]["lower"] is not None:
        band = of_kind(steps, "controlled").mark_bar(**(band_style(colours, 12)))
        layers.append(band.encode(x=x, y=alt.Y("lower:Q"), y2="upper:Q"))
    for kind in ("gain", "loss"):
        if any(step["kind"] == kind for step in steps):
            shade = colours.up if kind == "gain" else colours.down
            bar = of_kind(steps, kind).mark_bar(size=30, color=shade)
            layers += [
                bar.encode(x=x, y=y, y2="bottom:Q", tooltip=tips),
                label_of(steps, kind, shade, x, dy=-8 if kind == "gain" else 10),
            ]
    layers += [
        end_of(steps, "raw", ring_style(colours), x),
        end_of(steps, "controlled", dot_style(colours), x),
        label_of(steps, "raw", colours.raw, x, dy=-14),
        label_of(steps, "controlled", colours.controlled, x, dx=12),
    ]
    sized = over(*layers).properties(width=max(WIDTH, 62.0 * len(rows)), height=HEIGHT)
    told = told_of(
        snapshot, name, _("Rating points; each bar is what one trait of its answers was worth.")
    )
    described = words.why_words(
        rows[0]["rating"],
        [(row["step"], row["points"]) for row in rows if row["points"] is not None],
        rows[-1]["rating"],
    )
    return finished(sized, theme, WIDTH, title=title, told=told, words=described)


def step_row(row: Data) -> dict[str, Any]:
    """What a bar is drawn from; at: where the line to the next one runs."""
    points = row["points"]
    if points is None:
        label, at = words.decimal(row["rating"], 0), row["rating"]
        ends = {"top": at, "bottom": at, "mark": at}
    else:
        label, at = words.signed(points), row["to"]
        top, bottom = max(row["from"], row["to"]), min(row["from"], row["to"])
        ends = {"top": top, "bottom": bottom, "mark": top if points > 0 else bottom}
    return {**row, **ends, "label": label, "at": at}


def of_kind(steps: Sequence[Data], kind: str) -> alt.Chart:
    return alt.Chart(table([step for step in steps if step["kind"] == kind]))


def end_of(steps: Sequence[Data], kind: str, style: dict[str, Any], x: alt.X) -> alt.Chart:
    tips = [alt.Tooltip("step:N", title=_("Board")), alt.Tooltip("label:N", title=_("Rating"))]
    point = of_kind(steps, kind).mark_point(**style)
    return point.encode(x=x, y=alt.Y("at:Q"), tooltip=tips)


def label_of(
    steps: Sequence[Data], kind: str, shade: str, x: alt.X, *, dx: float = 0, dy: float = 0
) -> alt.Chart:
    """Figures: of a bar above or below it, of an end beside its mark."""
    text = of_kind(steps, kind).mark_text(
        dx=dx,
        dy=dy,
        align="left" if dx else "center",
        color=shade,
        fontWeight="bold",
        fontSize=12,
    )
    return text.encode(x=x, y=alt.Y("mark:Q"), text="label:N")


# -- How it writes ---------------------------------------------------------------------------


def writing_chart(
    snapshot: Fitted, name: str, title: str, traits: Sequence[Data], theme: Theme
) -> alt.LayerChart:
    """Each trait among all contestants': ticks, the median thick, this one a diamond."""
    rows = [
        {**trait, "y": row_y(i), "shown": str(trait["place"])} for i, trait in enumerate(traits)
    ]
    left = name_room([trait["trait"] for trait in traits]) + 16
    sheet = Sheet(theme, rows, width=left + STRIP + 190, height=ROW * len(rows))
    ticks = [
        {"y": row_y(i), "tick": tick} for i, trait in enumerate(traits) for tick in trait["ticks"]
    ]
    scale = alt.Scale(domain=[-2, 102], range=[left, left + STRIP], nice=False)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=None)

    colours = sheet.colours
    y = alt.Y("y:Q", scale=None, axis=None)
    tick = alt.Chart(table(ticks)).mark_tick(
        color=colours.edge, thickness=1, size=11, orient="vertical", opacity=0.75
    )
    middle = sheet.marks().mark_tick(
        color=colours.ink, thickness=2.5, size=15, orient="vertical", opacity=1
    )
    own = sheet.marks().mark_point(
        shape="diamond", size=95, filled=True, color=colours.ink, opacity=1
    )
    tips = [
        alt.Tooltip("trait:N", title=_("Trait")),
        alt.Tooltip("own:N", title=_("This one")),
        alt.Tooltip("usual:N", title=_("Median of all")),
        alt.Tooltip("shown:N", title=_("Place")),
    ]
    layers: list[Layer] = [
        sheet.hairlines(),
        over(
            tick.encode(x=x("tick"), y=y),
            middle.encode(x=x("middle")),
            own.encode(x=x("at"), tooltip=tips),
        ),
        sheet.column("trait", 0),
        sheet.heading(_("This one"), left + STRIP + 70, align="right"),
        sheet.column("own", left + STRIP + 70, align="right", bold=True),
        sheet.heading(_("Median"), left + STRIP + 134, align="right"),
        sheet.column("usual", left + STRIP + 134, align="right", shade="ink_2"),
        sheet.heading(_("Place"), sheet.width, align="right"),
        sheet.column("shown", sheet.width, align="right"),
    ]
    told = told_of(
        snapshot,
        name,
        _("Left the least of all, right the most. Thin: the others; thick: the median of all."),
    )
    described = words.writing_words(name, traits)
    return sheet.chart(layers, title=title, told=told, words=described)


# -- By category -----------------------------------------------------------------------------


def categories_chart(
    snapshot: Fitted,
    name: str,
    title: str,
    rows: Sequence[Data],
    theme: Theme,
    *,
    is_raw: bool,
) -> alt.LayerChart:
    """Ratings by category on one axis: bands with dots, rings where raw; pooled bands dashed."""
    left = name_room([row["category"] for row in rows]) + 16
    shown = [
        {
            **row,
            "y": row_y(i),
            "figure": words.decimal(row["rating"], 0),
            "place": str(row["rank"]),
            "of": grouped(row["votes"]),
            "dash": [4, 3] if row["pooled"] else [1, 0],
        }
        for i, row in enumerate(rows)
    ]
    sheet = Sheet(theme, shown, width=left + AXIS + 210, height=ROW * len(shown))
    x = rating_axis(left, AXIS, [v for row in rows for v in spread_of(row)])
    band = sheet.marks().mark_bar(orient="horizontal", clip=True, **band_style(sheet.colours, 10))
    dashed = dict(band_style(sheet.colours, 10), color=sheet.colours.page, strokeDash=[3, 3])
    pooled = sheet.marks().mark_bar(orient="horizontal", clip=True, **dashed)
    drawn: list[Layer] = [
        band.transform_filter("!datum.pooled").encode(x=x("lower"), x2="upper"),
        pooled.transform_filter("datum.pooled").encode(x=x("lower"), x2="upper"),
    ]
    if any(row["raw_rating"] is not None for row in rows):
        tilt = sheet.marks().mark_rule(color=sheet.colours.edge)
        drawn += [
            tilt.encode(x=x("raw_rating"), x2="rating"),
            sheet.ring().encode(x=x("raw_rating")),
        ]
    tips = [
        alt.Tooltip("category:N", title=_("Category")),
        alt.Tooltip("figure:N", title=_("Rating")),
        alt.Tooltip("place:N", title=_("Rank")),
        alt.Tooltip("of:N", title=_("Votes")),
    ]
    drawn.append((sheet.ring() if is_raw else sheet.dot()).encode(x=x("rating"), tooltip=tips))
    layers: list[Layer] = [
        sheet.hairlines(),
        over(*drawn),
        sheet.column("category", 0, limit=left - 10),
        sheet.heading(_("Rating"), left + AXIS + 70, align="right"),
        sheet.column("figure", left + AXIS + 70, align="right", bold=True),
        sheet.heading(_("Rank"), left + AXIS + 130, align="right"),
        sheet.column("place", left + AXIS + 130, align="right"),
        sheet.heading(_("Votes"), sheet.width, align="right"),
        sheet.column("of", sheet.width, align="right", shade="ink_2"),
    ]
    key = _("Raw, with 95% intervals.") if is_raw else _("Ring: raw; dot: controlled.")
    dashes = _("Dashed: few votes, pooled with all others.")
    told = told_of(snapshot, name, key, dashes if any(row["pooled"] for row in rows) else "")
    described = words.categories_words(name, rows)
    return sheet.chart(layers, title=title, told=told, words=described)


def spread_of(row: Data) -> list[float]:
    known = (row[key] for key in ("rating", "lower", "upper", "raw_rating"))
    return [value for value in known if value is not None]


# -- Over time -------------------------------------------------------------------------------


def history_chart(
    snapshot: Fitted, name: str, title: str, rows: Sequence[Data], theme: Theme
) -> alt.LayerChart:
    """Ratings by publication: this revision with its band, the others of its contestant thin, and
    a line where a revision came in."""
    colours = palette_of(theme)
    shown = [
        {
            **row,
            "key": f"{row['revision']} {row['board']}",
            "own": row["revision"] == name,
            "figure": words.decimal(row["rating"], 0),
            "board_word": words.board_word(row["board"]),
        }
        for row in rows
    ]
    numbers = sorted({row["publication"] for row in rows})
    x = alt.X(
        "published_at:T",
        title=None,
        axis=alt.Axis(
            values=[day_of(rows, number) for number in ticks_of(numbers)],
            format="%-d %b",
            grid=False,
            labelFlush=True,
        ),
    )
    y = alt.Y("rating:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format="d"))
    tips = [
        alt.Tooltip("publication:O", title=_("Publication")),
        alt.Tooltip("revision:N", title=_("Revision")),
        alt.Tooltip("board_word:N", title=_("Board")),
        alt.Tooltip("figure:N", title=_("Rating")),
        alt.Tooltip("rank:O", title=_("Rank")),
    ]
    main = main_board(rows)
    sure = [
        row for row in shown if row["own"] and row["board"] == main and row["lower"] is not None
    ]
    band = alt.Chart(table(sure)).mark_area(color=colours.band, opacity=0.8)
    layers: list[Layer] = [
        *([band.encode(x=x, y=alt.Y("lower:Q"), y2="upper:Q")] if sure else []),
        *entries(colours, rows, name, x),
        *board_lines(shown, colours, x, y, tips, BoardName.RAW),
        *board_lines(shown, colours, x, y, tips, BoardName.CONTROLLED),
        *last_labels(colours, rows, name, x),
    ]
    placed = over(*layers).properties(width=WIDTH, height=HEIGHT)
    note = words.history_note(is_alone=all(row["revision"] == name for row in rows))
    told = told_of(snapshot, name, note)
    described = words.history_words(rows)
    return finished(placed, theme, WIDTH, title=title, told=told, words=described)


def main_board(rows: Sequence[Data]) -> str:
    is_controlled = any(row["board"] == BoardName.CONTROLLED for row in rows)
    return BoardName.CONTROLLED.value if is_controlled else BoardName.RAW.value


def day_of(rows: Sequence[Data], number: int) -> str:
    return str(next(row["published_at"] for row in rows if row["publication"] == number))


def ticks_of(numbers: Sequence[int]) -> Sequence[int]:
    step = max(1, (len(numbers) + 5) // 6)
    return numbers[::-step][::-1]


def board_lines(
    rows: Sequence[Data], colours: Palette, x: alt.X, y: alt.Y, tips: list[Any], board: BoardName
) -> list[Layer]:
    """Of this revision strong, of the others of its contestant pale."""
    is_raw = board == BoardName.RAW
    dashes = {"strokeDash": [4, 3]} if is_raw else {}
    points = ring_style(colours) if is_raw else dot_style(colours)
    layers: list[Layer] = []
    for is_own, opacity in ((True, 1.0), (False, 0.4)):
        these = [row for row in rows if row["own"] == is_own and row["board"] == board]
        if not these:
            continue
        drawn = alt.Chart(table(these))
        line = drawn.mark_line(
            color=colours.raw if is_raw else colours.controlled,
            strokeWidth=1.8,
            opacity=opacity,
            **dashes,  # type: ignore[arg-type]
        )
        point = drawn.mark_point(**{**points, "opacity": opacity})
        layers += [
            line.encode(x=x, y=y, detail="key:N"),
            point.encode(x=x, y=y, tooltip=tips),
        ]
    return layers


def entries(colours: Palette, rows: Sequence[Data], name: str, x: alt.X) -> list[Layer]:
    """A dotted line at the publication in which another revision, or this one, came in."""
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["revision"], row["published_at"])
    begin = min(first.values())
    came = [
        {"published_at": day, "said": words.entered_words(revision)}
        for revision, day in first.items()
        if day != begin
    ]
    if not came:
        return []
    drawn = alt.Chart(table(came))
    return [
        drawn.mark_rule(color=colours.ink_3, strokeDash=[1, 3]).encode(x=x),
        drawn.mark_text(
            align="right", dx=-6, baseline="top", color=colours.ink_2, fontSize=11.5
        ).encode(x=x, y=alt.value(0), text="said:N"),
    ]


def last_labels(colours: Palette, rows: Sequence[Data], name: str, x: alt.X) -> list[Layer]:
    """Its latest ratings, written beside their marks."""
    layers: list[Layer] = []
    for board, shade in (
        (BoardName.RAW, colours.raw),
        (BoardName.CONTROLLED, colours.controlled),
    ):
        own = [row for row in rows if row["revision"] == name and row["board"] == board]
        if own:
            said = f"{words.board_word(board)} {words.decimal(own[-1]['rating'], 0)}"
            last = alt.Chart(table([{**own[-1], "said": said}]))
            text = last.mark_text(
                align="left", dx=9, color=shade, fontWeight="bold", fontSize=12, clip=False
            )
            layers.append(text.encode(x=x, y=alt.Y("rating:Q"), text="said:N"))
    return layers


# -- Head to head ----------------------------------------------------------------------------


def versus_chart(
    snapshot: Fitted,
    name: str,
    title: str,
    rows: Sequence[Data],
    theme: Theme,
    *,
    is_raw: bool,
) -> alt.LayerChart:
    """Shares of votes won against each opponent: observed with its interval, and expected."""
    cut = rows[:MOST_ROWS]
    left = name_room([row["opponent"] for row in cut]) + 16
    shown = [
        {
            **row,
            "y": row_y(i),
            "figure": words.share(row["observed"]),
            "should": words.share(row["expected"]) if row["expected"] is not None else "",
            "met": grouped(row["votes"]),
        }
        for i, row in enumerate(cut)
    ]
    sheet = Sheet(theme, shown, width=left + AXIS + 200, height=ROW * len(shown))
    colours = sheet.colours
    scale = alt.Scale(domain=[0, 1], range=[left, left + AXIS], nice=False)
    axis = alt.Axis(
        orient="top", title=_("Share won, ties half"), format=".0%", values=[0, 0.25, 0.5, 0.75, 1]
    )

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    tips = [
        alt.Tooltip("opponent:N", title=_("Opponent")),
        alt.Tooltip("met:N", title=_("Votes")),
        alt.Tooltip("figure:N", title=_("Observed")),
        alt.Tooltip("should:N", title=_("Expected")),
    ]
    half = alt.Chart(table([{"half": 0.5}])).mark_rule(color=colours.edge)
    whisker = sheet.marks().mark_rule(color=colours.ink_2, strokeWidth=1.5)
    expected = sheet.marks().mark_tick(
        color=colours.raw if is_raw else colours.controlled,
        thickness=3,
        size=14,
        orient="vertical",
        opacity=1,
    )
    observed = sheet.marks().mark_point(
        shape="circle", size=58, filled=True, color=colours.ink, opacity=1
    )
    layers: list[Layer] = [
        sheet.hairlines(),
        over(
            half.encode(x=x("half")),
            whisker.encode(x=x("lower"), x2="upper"),
            expected.encode(x=x("expected")),
            observed.encode(x=x("observed"), tooltip=tips),
        ),
        sheet.column("opponent", 0, limit=left - 10),
        sheet.heading(_("Observed"), left + AXIS + 74, align="right"),
        sheet.column("figure", left + AXIS + 74, align="right", bold=True),
        sheet.heading(_("Expected"), left + AXIS + 142, align="right"),
        sheet.column("should", left + AXIS + 142, align="right", shade="ink_2"),
        sheet.heading(_("Votes"), sheet.width, align="right"),
        sheet.column("met", sheet.width, align="right", shade="ink_2"),
    ]
    told = told_of(
        snapshot,
        name,
        so_shown(len(cut), len(rows)),
        _("Dot: observed with its 95% interval; bar: what the board expects of these battles."),
    )
    return sheet.chart(layers, title=title, told=told, words=words.versus_words(name, cut))
