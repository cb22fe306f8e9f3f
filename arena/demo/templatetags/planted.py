"""Drawings of what was planted beside what was recovered.

As everywhere a ring is raw and a dot is controlled; what was planted is an ink stroke. The numbers
drawn stand beside every drawing as text, so that all of them are hidden from screen readers.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.demo.planted import Beside, Effect, Row, Share
from arena.leaderboard.page import Axis
from arena.leaderboard.templatetags.glyphs import (
    MINUS,
    gridlines,
    percent,
    share,
    tick_labels,
    whole,
)

register = template.Library()

# Of the plot's view box: its width, and the margins to the left, below and elsewhere.
SIZE, LEFT, BELOW, ROOM = 560, 48, 42, 12
TICK = 100
# So far apart, in rating points, names and marks do not meet.
NEAR = 60
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
MOST_TICKS = 6


@register.filter
def odds(value: float) -> str:
    """Log-odds with two decimals and a true minus."""
    return str(number_format(round(value, 2) + 0.0, 2)).replace("-", MINUS)


# -- The plot --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plot:
    """A square in which ratings run along both sides alike."""

    low: int
    high: int

    @property
    def per_point(self) -> float:
        return (SIZE - LEFT - ROOM) / (self.high - self.low)

    @property
    def height(self) -> int:
        return SIZE - LEFT + BELOW

    @property
    def ticks(self) -> range:
        return range(math.ceil(self.low / TICK) * TICK, self.high + 1, TICK)

    def x(self, rating: float) -> str:
        return f"{LEFT + (rating - self.low) * self.per_point:.1f}"

    def y(self, rating: float) -> str:
        return f"{ROOM + (self.high - rating) * self.per_point:.1f}"


@register.simple_tag
def planted_plot(rows: Sequence[Row]) -> SafeString:
    """Planted ratings along the foot, those of both boards above; on the diagonal they are one."""
    values = [value for row in rows for value in drawn_values(row)]
    plot = Plot(math.floor(min(values) / 50) * 50, math.ceil(max(values) / 50) * 50)
    return format_html(
        '<svg class="planted-plot" viewBox="0 0 {} {}" aria-hidden="true">{}{}{}{}</svg>',
        SIZE,
        plot.height,
        plot_frame(plot),
        format_html_join("", "{}", ((plot_point(row, plot),) for row in rows if not row.told)),
        format_html_join("", "{}", ((plot_point(row, plot),) for row in rows if row.told)),
        format_html_join("", "{}", ((plot_name(row, rows, plot),) for row in rows if row.told)),
    )


def drawn_values(row: Row) -> Iterable[float]:
    return row.rating.planted, row.rating.lower, row.rating.upper, row.raw.found


def plot_frame(plot: Plot) -> SafeString:
    ends = plot.x(plot.low), plot.x(plot.high)
    return format_html(
        '<g class="grid">{}</g><g class="ticks">{}{}</g>'
        '<line class="truth" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text class="title" x="{}" y="{}">{}</text>'
        '<text class="title end" x="{}" y="{}">{}</text>',
        format_html_join(
            "",
            '<line x1="{}" x2="{}" y1="{}" y2="{}"/>',
            ((*ends, plot.y(tick), plot.y(tick)) for tick in plot.ticks),
        ),
        format_html_join(
            "",
            '<text class="end" x="{}" y="{}" dy="0.35em">{}</text>',
            ((LEFT - 8, plot.y(tick), whole(tick)) for tick in plot.ticks),
        ),
        format_html_join(
            "",
            '<text class="middle" x="{}" y="{}">{}</text>',
            ((plot.x(tick), plot.height - BELOW + 20, whole(tick)) for tick in plot.ticks),
        ),
        *(*ends, plot.y(plot.low), plot.y(plot.high)),
        *(LEFT + 6, ROOM + 4, _("↑ recovered")),
        *(ends[1], plot.height - 3, _("planted →")),
    )


def plot_point(row: Row, plot: Plot) -> SafeString:
    x, raw, found = plot.x(row.rating.planted), plot.y(row.raw.found), plot.y(row.rating.found)
    return format_html(
        '<g{}><title>{}</title><line class="tilt" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<line class="doubt" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<circle class="ring" cx="{}" cy="{}" r="4.2"/>'
        '<circle class="dot" cx="{}" cy="{}" r="4.2"/></g>',
        format_html(' class="{}"', row.told) if row.told else "",
        row.name,
        *(x, x, raw, found),
        *(x, x, plot.y(row.rating.lower), plot.y(row.rating.upper)),
        *(x, raw),
        *(x, found),
    )


def plot_name(row: Row, rows: Sequence[Row], plot: Plot) -> SafeString:
    """Clear of everything that is drawn near by, with a line that leads to the ring."""
    near = [each for each in rows if abs(each.rating.planted - row.rating.planted) < NEAR]
    drawn = [value for each in near for value in drawn_values(each)]
    above = row.raw.found > row.rating.found
    x, end = plot.x(row.rating.planted), plot.y(max(drawn) if above else min(drawn))
    return format_html(
        '<line class="leader" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text class="name middle" x="{}" y="{}" dy="{}">{}</text>',
        *(x, x, plot.y(row.raw.found), end),
        *(x, end, "-0.8em" if above else "1.6em", row.name),
    )


# -- In tables -------------------------------------------------------------------------------


@register.simple_tag
def rating_axis(rows: Sequence[Row]) -> Axis:
    return axis_of([value for row in rows for value in drawn_values(row)])


@register.simple_tag
def effect_axis(effects: Sequence[Effect]) -> Axis:
    found = [each.points for each in effects]
    return axis_of([v for each in found for v in (0.0, each.planted, each.lower, each.upper)])


@register.simple_tag
def share_axis(shares: Sequence[Share]) -> Axis:
    return axis_of([float(v) for each in shares for v in (0, each.planted, each.found)])


def axis_of(values: Sequence[float]) -> Axis:
    """An axis that holds all of these, with round ticks."""
    low, high = min(values), max(values)
    step = next((step for step in STEPS if (high - low) / step <= MOST_TICKS), STEPS[-1])
    low, high = low - step * 0.1, high + step * 0.1
    return Axis(low, high, tuple(range(math.ceil(low / step) * step, math.floor(high) + 1, step)))


@register.simple_tag
def axis_head(axis: Axis) -> SafeString:
    return format_html('<svg class="scale" aria-hidden="true">{}</svg>', tick_labels(axis, "100%"))


@register.simple_tag
def beside_glyph(beside: Beside, axis: Axis, raw: Beside | None = None) -> SafeString:
    """An interval with its dot, the raw ring where there is one, and a stroke at the truth."""
    left, right = share(beside.lower, axis), share(beside.upper, axis)
    found = percent(share(beside.found, axis))
    ring = SafeString("")
    if raw is not None:
        at = percent(share(raw.found, axis))
        ring = format_html(
            '<line class="tilt" x1="{}" x2="{}" y1="50%" y2="50%"/>{}',
            at,
            found,
            circle("ring", at),
        )
    interval = format_html(
        '<rect class="band" x="{}" y="50%" width="{}" height="12" rx="6"'
        ' transform="translate(0 -6)"/>{}{}',
        percent(left),
        percent(right - left),
        ring,
        circle("dot", found),
    )
    return drawing(axis, interval, beside.planted)


@register.simple_tag
def share_glyph(term: Share, axis: Axis) -> SafeString:
    """A bar from zero as long as was accounted for, and a stroke at the truth."""
    zero, found = share(0.0, axis), share(term.found, axis)
    return drawing(
        axis,
        format_html(
            '<rect class="bar" x="{}" y="50%" width="{}" height="10" transform="translate(0 -5)"/>',
            percent(min(zero, found)),
            percent(abs(found - zero)),
        ),
        term.planted,
    )


def circle(name: str, x: str) -> SafeString:
    return format_html('<circle class="{}" cx="{}" cy="50%" r="4.6"/>', name, x)


def drawing(axis: Axis, found: SafeString, planted: float) -> SafeString:
    at = percent(share(planted, axis))
    return format_html(
        '<svg class="beside" aria-hidden="true"><g class="grid">{}</g>{}'
        '<rect class="planted" x="{}" y="50%" width="3" height="20"'
        ' transform="translate(-1.5 -10)"/></svg>',
        gridlines(axis),
        found,
        at,
    )
