"""The drawings of a contestant's and of a pair's page.

As in glyphs of the board: inline SVG without style attributes, made of numbers alone. Each stands
in a table that says the same in figures, so it is hidden from screen readers.
"""

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from arena.leaderboard.page import Axis
from arena.leaderboard.templatetags.glyphs import gridlines, interval, percent, tick_labels
from arena.reports.contestants import ContestantPage, Division, Meeting
from arena.reports.contestants_figures import Trait
from arena.reports.pairs import Outcome

register = template.Library()

QUARTERS = (0, 25, 50, 75, 100)


@register.simple_tag
def trait_strip(trait: Trait) -> SafeString:
    """All contestants as ticks, the median thick, this one a diamond."""
    ticks = "".join(
        f'<line x1="{percent(tick)}" x2="{percent(tick)}" y1="6" y2="18"/>' for tick in trait.ticks
    )
    middle, at = percent(trait.middle), percent(trait.at)
    return SafeString(
        f'<svg class="strip" aria-hidden="true"><g class="others">{ticks}</g>'
        f'<line class="middle" x1="{middle}" x2="{middle}" y1="3" y2="21"/>'
        f'<svg class="own" x="{at}" y="12"><path d="M0-6 6 0 0 6-6 0Z"/></svg></svg>'
    )


# -- By category -----------------------------------------------------------------------------


@register.simple_tag
def division_axis(page: ContestantPage) -> SafeString:
    """The header of the intervals. Its rows reuse the gridlines that it defines."""
    assert page.axis is not None
    return format_html(
        '<svg class="axis" aria-hidden="true"><defs><g id="division-grid">{}</g></defs>{}</svg>',
        gridlines(page.axis),
        tick_labels(fewer(page.axis), "100%"),
    )


def fewer(axis: Axis) -> Axis:
    """Every second label, where half a page would be too narrow for all."""
    ticks = axis.ticks if len(axis.ticks) <= 5 else axis.ticks[::2]
    return Axis(axis.low, axis.high, ticks, axis.cut)


@register.simple_tag
def division_glyph(division: Division, page: ContestantPage) -> SafeString:
    assert page.axis is not None
    drawn = interval(
        rating=division.rating,
        lower=division.lower,
        upper=division.upper,
        axis=page.axis,
        raw=division.raw,
        board=page.board,
    )
    pooled = " pooled" if division.is_pooled else ""
    return SafeString(
        f'<svg class="interval{pooled}" aria-hidden="true">'
        f'<use class="grid" href="#division-grid"/>{drawn}</svg>'
    )


# -- Head to head ----------------------------------------------------------------------------


@register.simple_tag
def share_axis() -> SafeString:
    """From nothing won to everything."""
    return format_html(
        '<svg class="axis" aria-hidden="true"><defs><g id="share-grid">{}</g></defs>{}</svg>',
        format_html_join(
            "",
            '<line class="{1}" x1="{0}" x2="{0}" y1="0" y2="100%"/>',
            ((percent(share), "even" if share == 50 else "") for share in QUARTERS),
        ),
        format_html_join(
            "", '<text x="{}" y="100%">{}%</text>', ((percent(x), x) for x in QUARTERS[1:-1])
        ),
    )


@register.simple_tag
def meeting_glyph(meeting: Meeting) -> SafeString:
    """Observed as a dot with its interval, expected as a bar."""
    drawn = '<use class="grid" href="#share-grid"/>'
    if meeting.observed is not None:
        low, high = (percent(100 * share) for share in (meeting.lower, meeting.upper))
        drawn += f'<line class="whisker" x1="{low}" x2="{high}" y1="50%" y2="50%"/>'
    if meeting.expected is not None:
        drawn += (
            f'<rect class="expected" x="{percent(100 * meeting.expected)}" y="50%" width="3"'
            ' height="15" transform="translate(-1.5 -7.5)"/>'
        )
    if meeting.observed is not None:
        drawn += (
            f'<circle class="observed" cx="{percent(100 * meeting.observed)}" cy="50%" r="4.2"/>'
        )
    return SafeString(f'<svg class="interval meeting" aria-hidden="true">{drawn}</svg>')


# -- A pair's battles ------------------------------------------------------------------------


@register.simple_tag
def outcome_bar(outcomes: Sequence[Outcome]) -> SafeString:
    """How their battles ended, end to end: what the first won on the left."""
    return format_html(
        '<svg class="outcome-bar" aria-hidden="true">{}</svg>',
        format_html_join(
            "",
            '<rect class="{}" x="{}" y="0" width="{}" height="100%"/>',
            ((each.name, percent(each.start), percent(each.width)) for each in outcomes),
        ),
    )
