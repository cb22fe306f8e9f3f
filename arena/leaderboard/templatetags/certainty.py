"""The drawings of the page on certainty: intervals, places that may be held, chances, differences.

As in glyphs: inline SVG without style attributes. Each stands in a table or beside a sentence that
says the same in figures, so it is hidden from screen readers.
"""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from arena.leaderboard.page import Axis
from arena.leaderboard.sure import Chance, Gap, Row, SurePage
from arena.leaderboard.templatetags.glyphs import (
    gridlines,
    interval,
    percent,
    share,
    tick_labels,
    whole,
)

register = template.Library()

# Of the widest differences' axis, in points beyond the interval.
GAP_ROOM = 1.15


# -- Ratings ---------------------------------------------------------------------------------


@register.simple_tag
def sure_axis(page: SurePage) -> SafeString:
    """The header of the intervals. Its rows reuse the gridlines that it defines."""
    return format_html(
        '<svg class="axis" aria-hidden="true"><defs><g id="sure-grid">{}</g></defs>{}</svg>',
        gridlines(page.axis),
        tick_labels(page.axis, "100%"),
    )


@register.simple_tag
def sure_interval(row: Row, page: SurePage) -> SafeString:
    shown = row.board
    return format_html(
        '<svg class="interval" aria-hidden="true"><use class="grid" href="#sure-grid"/>{}</svg>',
        interval(
            rating=shown.rating,
            lower=shown.lower,
            upper=shown.upper,
            axis=page.axis,
            raw=None,
            board=page.board,
        ),
    )


# -- Places ----------------------------------------------------------------------------------


def place_middle(place: int, placed: int) -> float:
    return 100 * (place - 0.5) / placed


@register.simple_tag
def place_axis(page: SurePage) -> SafeString:
    """Places from the first to the last."""
    ticks = [(percent(place_middle(place, page.placed)), place) for place in page.places]
    return format_html(
        '<svg class="axis" aria-hidden="true"><defs><g id="place-grid">{}</g></defs>{}</svg>',
        format_html_join(
            "", '<line x1="{0}" x2="{0}" y1="0" y2="100%"/>', ((x,) for x, _place in ticks)
        ),
        format_html_join("", '<text x="{}" y="100%">{}</text>', ticks),
    )


@register.simple_tag
def place_set(row: Row, page: SurePage) -> SafeString:
    """The rank set as a bar, the field's overlap spread faint behind it, the point rank a tick."""
    shown = row.board
    return format_html(
        '<svg class="places" aria-hidden="true"><use class="grid" href="#place-grid"/>{}{}{}</svg>',
        place_bar("spread", row.spread_lower, row.spread_upper, page.placed, 22),
        place_bar("band", shown.rank_lower, shown.rank_upper, page.placed, 10),
        format_html(
            '<rect class="point" x="{}" y="50%" width="3" height="16"'
            ' transform="translate(-1.5 -8)"/>',
            percent(place_middle(shown.rank, page.placed)),
        ),
    )


def place_bar(
    name: str, lower: int | None, upper: int | None, placed: int, height: int
) -> SafeString:
    """From the best place to the worst; nothing where they are not known."""
    if lower is None or upper is None:
        return SafeString("")
    return format_html(
        '<rect class="{}" x="{}" y="50%" width="{}" height="{}" rx="{}"'
        ' transform="translate(0 {})"/>',
        name,
        percent(100 * (lower - 1) / placed),
        percent(100 * (upper - lower + 1) / placed),
        height,
        min(height / 2, 5),
        f"{-height / 2:g}",
    )


# -- Chances ---------------------------------------------------------------------------------


@register.simple_tag
def chance_bar(chance: Chance) -> SafeString:
    """A bar from 0 to 1; hollow where it could be either way."""
    return format_html(
        '<svg class="chance-bar{}" aria-hidden="true">'
        '<line x1="0" x2="100%" y1="50%" y2="50%"/>'
        '<rect x="0" y="50%" width="{}" height="10" transform="translate(0 -5)"/></svg>',
        " hollow" if chance.is_open else "",
        percent(100 * chance.value),
    )


# -- Differences -----------------------------------------------------------------------------


def gap_axis(gap: Gap) -> Axis:
    """As wide on either side of zero as the interval reaches."""
    assert gap.ends is not None
    reach = GAP_ROOM * max(map(abs, gap.ends)) or 1.0
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if reach / step <= 3), 1000)
    last = int(reach // step) * step
    return Axis(-reach, reach, tuple(range(-last, last + 1, step)))


@register.simple_tag
def gap_chart(gap: Gap) -> SafeString:
    """A difference with its interval around zero; the dot is hollow where that includes zero."""
    if gap.ends is None:
        return SafeString("")
    scale = gap_axis(gap)
    left, right = (share(value, scale) for value in gap.ends)
    zero = percent(share(0, scale))
    return format_html(
        '<svg class="gap-chart" aria-hidden="true"><svg height="28"><g class="grid">{}</g>'
        '<line class="zero" x1="{}" x2="{}" y1="0" y2="100%"/>'
        '<rect class="band" x="{}" y="50%" width="{}" height="12" rx="6"'
        ' transform="translate(0 -6)"/>{}</svg><g class="ticks">{}</g></svg>',
        gridlines(scale),
        zero,
        zero,
        percent(left),
        percent(right - left),
        format_html(
            '<circle class="{}" cx="{}" cy="50%" r="4.6"/>',
            "dot hollow" if gap.is_open else "dot",
            percent(share(gap.points, scale)),
        ),
        format_html_join(
            "",
            '<text x="{}" y="44">{}</text>',
            ((percent(share(tick, scale)), signed_tick(tick)) for tick in scale.ticks),
        ),
    )


def signed_tick(tick: int) -> str:
    return f"+{tick}" if tick > 0 else whole(tick)
