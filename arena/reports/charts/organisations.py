"""Exposure, open against closed over time, and the releases of one organisation, drawn."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.leaderboard.sentences import grouped, joined
from arena.leaderboard.templatetags.glyphs import doubt, whole
from arena.reports import organisations_words as words
from arena.reports.makers import Exposed, Maker, Member
from arena.reports.openness import Lead, Moment, Openness, Record
from arena.reports.organisations import Index, Shown
from ranking.plots.sheets import (
    ROW,
    Layer,
    Sheet,
    dot_style,
    finished,
    name_room,
    over,
    ring_style,
    row_y,
    table,
)
from ranking.plots.themes import Palette, Theme, palette_of

MOST_ROWS = 100
# Pixels.
SHARES, WIDE, TALL, NARROW = 250.0, 900, 360, 500
LABEL = 11.5
# Of a name's letters and its line, in pixels.
LETTER, LINE = 6.7, 16.0

Row = Mapping[str, Any]


# -- Exposure --------------------------------------------------------------------------------


def exposure_chart(page: Index, title: str, theme: Theme) -> alt.LayerChart:
    """Dot: share of the places in votes; bar: the fair one."""
    shown = [maker for maker in page.makers if maker.shown][:MOST_ROWS]
    rows = [exposure_row(i, maker, maker.shown) for i, maker in enumerate(shown) if maker.shown]
    left = name_room([row["name"] for row in rows])
    right = left + 16 + SHARES
    sheet = Sheet(theme, rows, width=right + 150, height=ROW * len(rows))
    most = max(max(row["share"], row["fair"]) for row in rows)
    scale = alt.Scale(domain=[0, most * 1.04], range=[left + 16, right], nice=False)
    axis = alt.Axis(orient="top", title=None, tickCount=4, labelFlush=False, format="%")
    share, fair = (alt.X(f"{name}:Q", scale=scale, axis=axis) for name in ("share", "fair"))
    colours = sheet.colours
    told = [
        alt.Tooltip("name:N", title=_("Organisation")),
        alt.Tooltip("share:Q", title=_("Share of places"), format=".1%"),
        alt.Tooltip("fair:Q", title=_("Fair share"), format=".1%"),
    ]
    line = sheet.marks().mark_rule(color=colours.ink_2).encode(x=share, x2="fair")
    bar = sheet.marks().mark_tick(
        color=colours.ink, thickness=2, size=12, orient="vertical", opacity=1
    )
    dot = sheet.marks().mark_point(**dot_style(colours) | {"fill": colours.ink})
    layers: list[Layer] = [
        sheet.hairlines(),
        over(line, bar.encode(x=fair), dot.encode(x=share, tooltip=told)),
        sheet.column("name", 0, limit=left),
        sheet.heading(_("times fair"), right + 74, align="right"),
        sheet.column("times", right + 74, align="right", bold=True),
    ]
    if page.has_variants:
        layers += [
            sheet.heading(_("variants"), sheet.width, align="right"),
            sheet.column("variants", sheet.width, align="right"),
        ]
    return sheet.chart(
        layers, title=title, told=joined(*simulated(page.is_simulated), words.exposure_key()),
        words=words.exposure_words(shown),
    )  # fmt: skip


def exposure_row(i: int, maker: Maker, shown: Exposed) -> dict[str, Any]:
    return {
        "y": row_y(i),
        "name": words.maker_name(maker),
        "share": shown.share,
        "fair": shown.fair,
        "times": words.times(shown.times),
        "variants": grouped(len(maker.variants)),
    }


def simulated(is_simulated: bool) -> Iterable[str]:
    return (_("Simulated demo data."),) if is_simulated else ()


# -- Open against closed ---------------------------------------------------------------------


def frontier_chart(page: Index, openness: Openness, title: str, theme: Theme) -> alt.LayerChart:
    """The best open and the best closed so far by date of release, rated by the same votes."""
    colours = palette_of(theme)
    sides = (
        (_("closed"), openness.closed_records, "circle", [1, 0], -1),
        (_("open"), openness.open_records, "diamond", [5, 4], 1),
    )
    layers: list[Layer] = []
    every = [record_row(record, name) for name, records, *_ in sides for record in records]
    for name, records, shape, dash, way in sides:
        rows = [record_row(record, name) for record in records]
        layers += [
            steps(rows, page.made_at.date(), colours, dash),
            whiskers(rows, colours),
            *spots(rows, page.board, colours, shape),
            *labels(rows, every, colours, way),
            end_label(rows, page.made_at.date(), name, colours),
        ]
    return finished(
        over(*layers).properties(width=WIDE, height=TALL),
        theme,
        WIDE,
        title=title,
        told=joined(*simulated(page.is_simulated), words.frontier_key()),
        words=words.records_words(openness),
    )


def record_row(record: Record, side: str) -> dict[str, Any]:
    return member_row(record.member) | {"side": side, "hollow": record.could_be_none}


def member_row(member: Member) -> dict[str, Any]:
    assert member.place is not None
    return {
        "date": words.day(member),
        "name": member.name,
        "rating": round(member.place.rating, 2),
        "lower": round(member.place.lower, 2),
        "upper": round(member.place.upper, 2),
        "told": f"{whole(member.place.rating)} {doubt(member.place.half)}",
        "hollow": False,
    }


def dates() -> alt.X:
    axis = alt.Axis(title=None, format="%Y-%m", grid=False, tickCount=8)
    return alt.X("date:T", scale=alt.Scale(type="utc", padding=24, nice=False), axis=axis)


def ratings(field: str = "rating") -> alt.Y:
    axis = alt.Axis(title=_("Rating"), tickCount=6, format="d")
    return alt.Y(f"{field}:Q", scale=alt.Scale(zero=False, padding=18), axis=axis)


def steps(rows: Sequence[Row], until: date, colours: Palette, dash: list[int]) -> alt.Chart:
    """Each level holds until the next release, and the last one until the publication."""
    ends = [*rows, {"date": later(rows, until), "rating": rows[-1]["rating"]}]
    line = alt.Chart(table(ends)).mark_line(
        interpolate="step-after", color=colours.ink_2, strokeWidth=1.6, strokeDash=dash
    )
    return line.encode(x=dates(), y=ratings())


def later(rows: Sequence[Row], until: date) -> str:
    return max(until.isoformat(), rows[-1]["date"])


def whiskers(rows: Sequence[Row], colours: Palette) -> alt.Chart:
    rule = alt.Chart(table(rows)).mark_rule(color=colours.edge, strokeWidth=1.2)
    return rule.encode(x=dates(), y=ratings("lower"), y2="upper")


def spots(rows: Sequence[Row], board: str, colours: Palette, shape: str) -> list[alt.Chart]:
    """Dots of a controlled board, rings of a raw one; hollow and dashed what could be nothing."""
    told = [
        alt.Tooltip("name:N", title=_("Contestant")),
        alt.Tooltip("date:N", title=pgettext("when", "Released")),
        alt.Tooltip("told:N", title=_("Rating")),
    ]
    drawn = []
    for hollow in (False, True):
        style = spot_style(board, colours, hollow=hollow) | {"shape": shape}
        chosen = [row for row in rows if row["hollow"] == hollow]
        if chosen:
            mark = alt.Chart(table(chosen)).mark_point(**style)
            drawn.append(mark.encode(x=dates(), y=ratings(), tooltip=told))
    return drawn


def spot_style(board: str, colours: Palette, *, hollow: bool) -> dict[str, Any]:
    style = ring_style(colours) if board == "raw" else dot_style(colours) | {"size": 72}
    if not hollow:
        return style
    colour = colours.raw if board == "raw" else colours.controlled
    return style | {
        "fill": colours.page,
        "stroke": colour,
        "strokeWidth": 1.6,
        "strokeDash": [2.4, 2],
    }


def labels(
    rows: Sequence[Row], every: Sequence[Row], colours: Palette, way: int
) -> list[alt.Chart]:
    """Names above and left of their points, or below and right; none where it would meet another.

    every: all that is drawn, by which the room between two is known.
    """
    names = alt.Chart(table(roomy(rows, every))).encode(x=dates(), y=ratings(), text="name:N")
    style: dict[str, Any] = {
        "align": "right" if way < 0 else "left",
        "baseline": "middle",
        "dx": 6 * way,
        "dy": 12 * way,
        "fontSize": LABEL,
        "limit": 180,
    }
    # Lines that pass through a name stay clear of its letters.
    clear: dict[str, Any] = {"color": colours.page, "stroke": colours.page, "strokeWidth": 4}
    return [names.mark_text(**style, **clear), names.mark_text(**style, color=colours.ink)]


def roomy(rows: Sequence[Row], every: Sequence[Row]) -> list[Row]:
    """From the last back, those whose names stand clear of each other."""
    days = [date.fromisoformat(row["date"]).toordinal() for row in every]
    lower, upper = min(row["lower"] for row in every), max(row["upper"] for row in every)
    across = WIDE / max(max(days) - min(days), 1)
    up = TALL / max(upper - lower, 1.0)
    kept: list[tuple[float, float, Row]] = []
    for row in reversed(rows):
        x, y = across * date.fromisoformat(row["date"]).toordinal(), up * row["rating"]
        wide = LETTER * min(len(row["name"]), 28)
        if all(abs(y - other_y) > LINE or abs(x - other_x) > wide for other_x, other_y, _ in kept):
            kept.append((x, y, row))
    return [row for *_at, row in kept]


def end_label(rows: Sequence[Row], until: date, name: str, colours: Palette) -> alt.Chart:
    ends = [{"date": later(rows, until), "rating": rows[-1]["rating"], "text": name}]
    mark = alt.Chart(table(ends)).mark_text(
        align="left", dx=6, fontSize=LABEL, fontWeight="bold", color=colours.ink_2
    )
    return mark.encode(x=dates(), y=ratings(), text="text:N")


def gap_chart(page: Index, openness: Openness, title: str, theme: Theme) -> alt.LayerChart:
    """The lead of the best closed over the best open, publication by publication."""
    colours = palette_of(theme)
    rows = [gap_row(moment) for moment in openness.moments]
    order = [row["when"] for row in rows]
    x = alt.X("when:O", sort=order, axis=alt.Axis(title=None, labelAngle=0, labelOverlap=True))
    axis = alt.Axis(title=_("Points by which closed leads"), tickCount=6)
    y, ends = (alt.Y(f"{field}:Q", axis=axis) for field in ("lead", "lower"))
    zero = alt.Chart(table([{"lead": 0}])).mark_rule(color=colours.ink).encode(y=y)
    known = [row for row in rows if row["lower"] is not None]
    bars = alt.Chart(table(known)).mark_rule(color=colours.edge, strokeWidth=1.6)
    told = [
        alt.Tooltip("when:N", title=_("Publication")),
        alt.Tooltip("closed:N", title=_("Best closed")),
        alt.Tooltip("open:N", title=_("Best open")),
        alt.Tooltip("told:N", title=_("Lead")),
    ]
    layers: list[Layer] = [zero, bars.encode(x=x, y=ends, y2="upper")]
    for hollow in (False, True):
        chosen = [row for row in rows if row["hollow"] == hollow]
        if chosen:
            style = spot_style(page.board, colours, hollow=hollow)
            mark = alt.Chart(table(chosen)).mark_point(**style)
            layers.append(mark.encode(x=x, y=y, tooltip=told))
    return finished(
        over(*layers).properties(width=NARROW, height=240),
        theme,
        NARROW,
        title=title,
        told=joined(*simulated(page.is_simulated), words.gap_key()),
        words=words.moments_words(openness),
    )


def gap_row(moment: Moment) -> dict[str, Any]:
    lead: Lead = moment.lead
    return {
        "when": f"{moment.number} · {date_format(moment.published_at, 'SHORT_DATE_FORMAT')}",
        "lead": round(lead.points, 2),
        "lower": None if lead.lower is None else round(lead.lower, 2),
        "upper": None if lead.upper is None else round(lead.upper, 2),
        "told": words.lead_words(lead),
        "open": moment.open,
        "closed": moment.closed,
        "hollow": lead.could_be_nothing,
    }


# -- One organisation ------------------------------------------------------------------------


def releases_chart(shown: Shown, title: str, theme: Theme) -> alt.LayerChart:
    """Its releases by date, before the line of the best of all so far."""
    colours = palette_of(theme)
    rows = [member_row(member) for member in shown.releases]
    best = [member_row(member) for member in shown.records]
    until = shown.made_at.date()
    layers: list[Layer] = [
        steps(best, until, colours, [1, 0]),
        whiskers(rows, colours),
        *spots(rows, shown.board, colours, "circle"),
        *labels(rows, [*rows, *best], colours, -1),
        end_label(best, until, _("best of all"), colours),
    ]
    return finished(
        over(*layers).properties(width=WIDE, height=TALL),
        theme,
        WIDE,
        title=title,
        told=joined(*simulated(shown.is_simulated), words.releases_key()),
        words=words.releases_words(shown.releases),
    )
