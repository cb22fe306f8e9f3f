"""Rating against a cost, drawn into the page: it follows the slider, as no picture can.

Coordinates are in percent of the drawing, so that it takes whatever width there is while its text
keeps its size. Classes name what is drawn, and the stylesheet says how. The table beside it has
the same numbers, so it is hidden from screen readers.
"""

from collections.abc import Iterable
from itertools import pairwise

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.leaderboard.templatetags.glyphs import doubt, percent, whole
from arena.reports.prices import Panel, Point
from arena.reports.prices_words import cost_words

register = template.Library()

# Of more contestants only those on the line, and those that could be, show their intervals.
MOST_WHISKERS = 80
# Of a usual drawing, in pixels; names that would meet there give way to numbers.
WIDTH, HEIGHT, LETTER, LINE = 900.0, 400.0, 6.7, 15.0
LONGEST_NAME = 28
# So near to the left edge, in percent, a name stands to the right of its point.
EDGE = 20.0


@register.simple_tag
def scatter(panel: Panel) -> SafeString:
    """A panel's points with the line of those that nobody of no higher cost surpasses."""
    drawn = "".join([*grid(panel), *whiskers(panel), *line(panel), *spots(panel), *names(panel)])
    return SafeString(
        f'<svg class="scatter on-{panel.board}" aria-hidden="true" focusable="false">{drawn}</svg>'
    )


@register.filter
def cost(value: float, kind: str) -> str:
    """Dollars or seconds."""
    return cost_words(kind, value)


def across(point: Point, panel: Panel) -> float:
    return panel.across.at(point.cost)


def up(rating: float, panel: Panel) -> float:
    """From the top down; an interval that reaches beyond the drawing ends at its edge."""
    return min(max(100 - panel.up.at(rating), 0.0), 100.0)


def grid(panel: Panel) -> Iterable[str]:
    for tick in panel.up.ticks:
        y = percent(100 - panel.up.at(tick))
        yield f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        yield f'<text class="tick up" x="-8" y="{y}" dy=".35em">{whole(tick)}</text>'
    free = [0.0] if any(point.cost <= 0 for point in panel.frontier.points) else []
    for tick in (*free, *panel.across.ticks):
        x = percent(panel.across.at(tick))
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="100%"/>'
        label = escape(cost_words(panel.kind, tick))
        yield f'<text class="tick" x="{x}" y="100%" dy="1.5em">{label}</text>'


def whiskers(panel: Panel) -> Iterable[str]:
    points = panel.frontier.points
    for point in points:
        if len(points) > MOST_WHISKERS and point.state == "off":
            continue
        x = percent(across(point, panel))
        top, bottom = (percent(up(end, panel)) for end in (point.rated.upper, point.rated.lower))
        near = "" if point.is_on else " faint"
        yield f'<line class="whisker{near}" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'


def line(panel: Panel) -> Iterable[str]:
    """At each cost, the highest rating to be had for it."""
    corners = [(across(point, panel), up(point.rated.rating, panel)) for point in panel.frontier.on]
    for (x1, y1), (x2, y2) in pairwise(corners):
        yield stroke(x1, y1, x2, y1)
        yield stroke(x2, y1, x2, y2)
    x, y = corners[-1]
    yield stroke(x, y, 100.0, y)


def stroke(x1: float, y1: float, x2: float, y2: float) -> str:
    ends = (percent(end) for end in (x1, x2, y1, y2))
    return '<line class="frontier" x1="{}" x2="{}" y1="{}" y2="{}"/>'.format(*ends)


def spots(panel: Panel) -> Iterable[str]:
    """Those on the line over the others."""
    for point in sorted(panel.frontier.points, key=lambda point: point.is_on):
        x, y = percent(across(point, panel)), percent(up(point.rated.rating, panel))
        size = 5 if point.is_on else 3.4
        yield (
            f'<circle class="spot {point.state}" cx="{x}" cy="{y}" r="{size}">'
            f"<title>{escape(spot_words(point, panel))}</title></circle>"
        )


def spot_words(point: Point, panel: Panel) -> str:
    rated = point.rated
    told = {
        "name": rated.name,
        "cost": cost_words(panel.kind, point.cost),
        "rating": f"{whole(rated.rating)} {doubt(rated.half)}",
    }
    return _("%(name)s: %(cost)s, rated %(rating)s") % told


def names(panel: Panel) -> Iterable[str]:
    """Above the line, where nobody stands; where there is no room for names, their numbers."""
    taken: list[tuple[float, float, float]] = []
    for point in panel.frontier.on:
        x, y = across(point, panel), up(point.rated.rating, panel)
        name, is_left = shortened(point.rated.name), x >= EDGE
        at, width = WIDTH * x / 100, LETTER * len(name)
        box = (at - width, at, HEIGHT * y / 100) if is_left else (at, at + width, HEIGHT * y / 100)
        side = "left" if is_left else "right"
        where = f'x="{percent(x)}" y="{percent(y)}" dx="{-7 if is_left else 7}" dy="-7"'
        if any(meet(box, other) for other in taken):
            yield f'<text class="name {side}" {where}>{point.number}</text>'
            continue
        taken.append(box)
        yield f'<text class="name long {side}" {where}>{escape(name)}</text>'
        yield f'<text class="name short {side}" {where}>{point.number}</text>'


def shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def meet(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    """Whether two lines of text, from left to right at a height, stand on each other."""
    return one[0] < other[1] and other[0] < one[1] and abs(one[2] - other[2]) < LINE
