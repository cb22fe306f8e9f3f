"""Drawings of what the board says after a vote: chances as one bar, pulls of style on one axis.

As in `glyphs`: inline SVG from values alone, hidden from screen readers, which read the same
numbers as text beside it.
"""

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from arena.leaderboard.reveal import Bar, Forecast
from arena.leaderboard.templatetags.glyphs import percent

register = template.Library()

# Room for the numbers at both ends of the bars, in percent of the drawing.
ENDS = 16
# In percent of the bar: a narrower part has no room for its number.
NARROWEST = 2


@register.simple_tag
def chance_bar(forecast: Forecast) -> SafeString:
    """The four outcomes in their order, each as wide as it is likely; the voter's own is filled."""
    parts = (
        (
            "yours" if segment.is_yours else "other",
            percent(segment.start),
            percent(segment.width),
            percent(segment.start + segment.width / 2),
            segment.chance if segment.width >= NARROWEST else "",
        )
        for segment in forecast.segments
    )
    return format_html(
        '<svg class="chance-bar" aria-hidden="true">{}</svg>',
        format_html_join(
            "",
            '<g class="{0}"><rect x="{1}" y="0" width="{2}" height="100%"/>'
            '<text x="{3}" y="50%">{4}</text></g>',
            parts,
        ),
    )


def zero(bars: Sequence[Bar]) -> float:
    """Where nothing is pulled, in percent of the drawing: what pulls towards A is left of it."""
    left, right = reach(bars)
    return ENDS + (100 - 2 * ENDS) * left / (left + right)


def reach(bars: Sequence[Bar]) -> tuple[float, float]:
    """How far the bars reach to either side, in percentage points."""
    return max(0.0, *(-bar.points for bar in bars)), max(0.0, *(bar.points for bar in bars))


@register.simple_tag
def pull_bar(bar: Bar, bars: Sequence[Bar]) -> SafeString:
    """One difference's bar on the axis that all share, hollow where it could be nothing."""
    middle, width = zero(bars), abs(bar.points) * (100 - 2 * ENDS) / sum(reach(bars))
    is_left = bar.points < 0
    end = middle - width if is_left else middle + width
    return format_html(
        '<svg class="pull-bar {}" aria-hidden="true"><rect x="{}" y="20%" width="{}" height="60%"/>'
        '<line x1="{}" x2="{}" y1="0" y2="100%"/><text x="{}" y="50%" dx="{}">{}</text></svg>',
        " ".join(("left" if is_left else "right", "sure" if bar.is_sure else "hollow")),
        percent(min(end, middle)),
        percent(width),
        percent(middle),
        percent(middle),
        percent(end),
        -6 if is_left else 6,
        bar.shown,
    )


@register.simple_tag
def pull_axis(bars: Sequence[Bar]) -> SafeString:
    """Which way is whose."""
    return format_html(
        '<svg class="pull-axis" aria-hidden="true"><text x="{0}" y="50%" dx="-6">← A</text>'
        '<text class="right" x="{0}" y="50%" dx="6">B →</text></svg>',
        percent(zero(bars)),
    )
