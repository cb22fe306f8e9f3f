"""Small drawings of the board: intervals, rank sets, movements and the slope chart.

Each is inline SVG made from values alone. A ring is raw, a dot is controlled. Nothing here
carries a style attribute, because the content security policy refuses them: classes name what
is drawn and the stylesheets say how. Where a drawing repeats numbers that stand beside it as
text, it is hidden from screen readers. Coordinates are written by `percent` and by format strings,
never by the page's language, in which 1.5 may be 1,5.
"""

from collections.abc import Iterable, Sequence

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.leaderboard.page import Axis, BoardPage, ControlTag, Moved, Row, Term, Why

register = template.Library()

MINUS = "\N{MINUS SIGN}"

# Units of the slope chart; 16 of them are 1 rem, so that it grows with the table's rows.
ROW_HEIGHT = 39
SLOPE_WIDTH = 172
RING_X = 42
DOT_X = 158
OVERSHOOT = 5.0
SHAPES = {"up": "M6 1.5 11 10H1Z", "down": "M6 10.5 1 2h10Z", "level": "M2 6h8"}
WIDE_ENOUGH = 9.0
FAR = 4
"""From so many places on, a line of the slope chart takes colour."""


# -- Numbers ---------------------------------------------------------------------------------


@register.filter
def whole(value: float) -> str:
    """1148.2 as 1148, with a true minus."""
    return f"{value:.0f}".replace("-0", "0").replace("-", MINUS)


@register.filter
def signed(value: float) -> str:
    """A difference: +11, −36 or 0."""
    return f"{value:+.0f}".replace("+0", "0").replace("-0", "0").replace("-", MINUS)


@register.filter
def doubt(half: float) -> str:
    """±17; below 1 with a decimal, because ±0 would claim to know."""
    return f"±{half:.0f}" if half >= 0.95 else f"±{number_format(round(half, 1), 1)}"


@register.filter
def magnitude(value: int) -> int:
    return abs(value)


# -- Intervals -------------------------------------------------------------------------------


def share(value: float, axis: Axis) -> float:
    """Where a rating stands on the axis, in percent of its width, kept within it."""
    span = axis.high - axis.low
    return min(max(100 * (value - axis.low) / span, 0), 100) if span > 0 else 50


def end(value: float, axis: Axis) -> float:
    """Where a band ends: off the drawing where the interval goes beyond the axis."""
    if value < axis.low:
        return -OVERSHOOT
    return 100 + OVERSHOOT if value > axis.high else share(value, axis)


def percent(value: float) -> str:
    return f"{value:.2f}%"


def interval(
    *, rating: float, lower: float, upper: float, axis: Axis, raw: float | None, board: str
) -> SafeString:
    """The band of an interval with its dot, and the ring of the raw rating where there is one."""
    # Of numbers alone, so nothing needs escaping: a board has hundreds of these.
    left, right = end(lower, axis), end(upper, axis)
    band = (
        f'<rect class="band" x="{percent(left)}" y="50%" width="{percent(right - left)}"'
        ' height="12" rx="6" transform="translate(0 -6)"/>'
    )
    if lower == upper:
        # Where no interval is known none is drawn.
        band = ""
    middle = percent(share(rating, axis))
    if board == "raw":
        return SafeString(band + mark("ring", middle))
    if raw is None:
        return SafeString(band + mark("dot", middle))
    from_raw = percent(share(raw, axis))
    tilt = f'<line class="tilt" x1="{from_raw}" x2="{middle}" y1="50%" y2="50%"/>'
    return SafeString(band + tilt + mark("ring", from_raw) + mark("dot", middle))


def mark(name: str, x: str) -> str:
    return f'<circle class="{name}" cx="{x}" cy="50%" r="4.6"/>'


def gridlines(axis: Axis) -> SafeString:
    return format_html_join(
        "",
        '<line x1="{0}" x2="{0}" y1="0" y2="100%"/>',
        ((percent(share(tick, axis)),) for tick in axis.ticks),
    )


def tick_labels(axis: Axis, y: str) -> SafeString:
    return format_html_join(
        "",
        '<text x="{}" y="{}">{}</text>',
        ((percent(share(tick, axis)), y, whole(tick)) for tick in axis.ticks),
    )


@register.simple_tag
def interval_axis(axis: Axis) -> SafeString:
    """The header of the interval column. Its rows reuse the gridlines that it defines."""
    return format_html(
        '<svg class="axis" data-low="{}" data-high="{}" aria-hidden="true">'
        '<defs><g id="axis-grid">{}</g></defs>{}</svg>',
        f"{axis.low:.3f}",
        f"{axis.high:.3f}",
        gridlines(axis),
        tick_labels(axis, "100%"),
    )


@register.simple_tag
def interval_glyph(row: Row, page: BoardPage) -> SafeString:
    """A row's interval on the axis that all rows share."""
    drawn = interval(
        rating=row.rating,
        lower=row.lower,
        upper=row.upper,
        axis=page.axis,
        raw=row.moved.raw_rating if row.moved else None,
        board=page.board,
    )
    return SafeString(
        '<svg class="interval" aria-hidden="true"><use class="grid" href="#axis-grid"/>'
        f"{drawn}</svg>"
    )


@register.simple_tag
def interval_chart(
    rating: float,
    lower: float,
    upper: float,
    raw: float | None,
    axis: Axis,
    board: str = "controlled",
) -> SafeString:
    """One interval with an axis of its own, for where no table stands around it."""
    ring_label = SafeString("")
    if raw is not None and board != "raw":
        ring_label = format_html(
            '<text class="ring-label" x="{}" y="12">{}</text>', percent(share(raw, axis)), _("raw")
        )
    return format_html(
        '<svg class="interval-chart" aria-hidden="true">'
        '<svg y="18" height="28"><g class="grid">{}</g>{}</svg>{}<g class="ticks">{}</g></svg>',
        gridlines(axis),
        interval(rating=rating, lower=lower, upper=upper, axis=axis, raw=raw, board=board),
        ring_label,
        tick_labels(axis, "62"),
    )


# -- Ranks and movements ---------------------------------------------------------------------


@register.simple_tag
def rank_set(row: Row, total: int) -> SafeString:
    """The places a contestant may have, as a bar on 1 … total; none where they are not known."""
    bar = ""
    if row.rank_lower is not None and row.rank_upper is not None:
        per_place = 100 / total
        start, width = row.rank_lower - 1, row.rank_upper - row.rank_lower + 1
        bar = (
            f'<rect class="band" x="{percent(start * per_place)}" y="2"'
            f' width="{percent(width * per_place)}" height="7" rx="2"/>'
            f'<rect class="point" x="{percent((row.rank - 0.5) * per_place)}" y="0" width="2"'
            ' height="11"/>'
        )
    return SafeString(
        '<svg class="rank-set" aria-hidden="true">'
        f'<line x1="0" x2="100%" y1="50%" y2="50%"/>{bar}</svg>'
    )


@register.simple_tag
def arrow(moved: Moved) -> SafeString:
    """Up, down or a dash; hollow where the movement could be nothing."""
    hollow = " hollow" if moved.is_hollow and moved.direction != "level" else ""
    return SafeString(
        f'<svg class="arrow{hollow}" viewBox="0 0 12 12" aria-hidden="true">'
        f'<path d="{SHAPES[moved.direction]}"/></svg>'
    )


@register.simple_tag
def control_bar(control: ControlTag, strongest: float) -> SafeString:
    """What a control is worth beside the strongest; hollow where it could be worth nothing."""
    return format_html(
        '<svg class="control-bar{}" aria-hidden="true">'
        '<rect x="0" y="0" width="{}" height="4"/></svg>',
        " hollow" if abs(control.elo) <= control.half else "",
        percent(100 * abs(control.elo) / strongest if strongest else 0),
    )


@register.simple_tag
def account_bar(why: Why) -> SafeString:
    """The terms of a movement end to end: losses left of zero, gains right of it."""
    return format_html(
        '<svg class="account-bar" aria-hidden="true">{}<line class="zero" x1="{}" x2="{}" y1="0"'
        ' y2="100%"/></svg>',
        format_html_join(
            "",
            '<g class="{}"><rect x="{}" y="3" width="{}" height="22"/>{}</g>',
            (
                (
                    "gain" if term.points > 0 else "loss",
                    percent(term.start),
                    percent(term.width),
                    term_label(term),
                )
                for term in why.terms
                if term.points
            ),
        ),
        percent(why.zero),
        percent(why.zero),
    )


def term_label(term: Term) -> SafeString:
    """Its figure within its bar, where that is wide enough."""
    if term.width < WIDE_ENOUGH:
        return SafeString("")
    return format_html(
        '<text x="{}" y="18">{}</text>', percent(term.start + term.width / 2), signed(term.points)
    )


# -- The slope chart -------------------------------------------------------------------------


def row_centre(place: float) -> float:
    """How far down the centre of the row of a place stands."""
    return (place - 0.5) * ROW_HEIGHT


def slope_path(start: float, end: float) -> str:
    middle = (RING_X + DOT_X) / 2
    return f"M{RING_X} {start:g}C{middle:g} {start:g} {middle:g} {end:g} {DOT_X} {end:g}"


def slope_classes(row: Row, moved: Moved, furthest: int) -> str:
    """Short movements stay thin and grey; the longest of all is the thickest line."""
    names = ["slope"]
    if abs(moved.ranks) >= FAR:
        names.append(moved.direction)
        if abs(moved.ranks) == furthest:
            names.append("furthest")
    if moved.ranks and moved.could_be_nothing:
        names.append("hollow")
    if row.why:
        names.append("opened")
    return " ".join(names)


def slope_line(row: Row, moved: Moved, start: float, furthest: int) -> SafeString:
    end = row_centre(row.place)
    return format_html(
        '<g class="{}" data-contestant="{}"><title>{}</title>'
        '<path d="{}"/><text x="{}" y="{}">{}</text>'
        '<circle class="ring" cx="{}" cy="{}" r="4.6"/>'
        '<circle class="dot" cx="{}" cy="{}" r="4.6"/></g>',
        slope_classes(row, moved, furthest),
        row.name,
        _("%(name)s: raw %(raw)s, controlled %(controlled)s")
        % {"name": row.name, "raw": moved.raw_rank, "controlled": row.rank},
        slope_path(start, end),
        RING_X - 12,
        f"{start:g}",
        moved.raw_rank,
        RING_X,
        f"{start:g}",
        DOT_X,
        f"{end:g}",
    )


def drawn_last(lines: Iterable[tuple[Row, Moved]]) -> list[tuple[Row, Moved]]:
    """Longer movements over shorter ones, so that no grey line crosses a coloured one."""
    return sorted(lines, key=lambda line: (line[0].why is not None, abs(line[1].ranks)))


@register.simple_tag
def slope_chart(rows: Sequence[Row]) -> SafeString:
    """From each contestant's place in the order of the raw board to its row of the table that
    stands beside the chart."""
    lines = [(row, row.moved) for row in rows if row.moved]
    furthest = max((abs(moved.ranks) for _, moved in lines), default=0)
    centres = [row_centre(row.place) for row in rows]
    height = centres[-1] + ROW_HEIGHT / 2 if centres else 0
    return format_html(
        '<svg class="slopes" viewBox="0 0 {0} {1}" width="{2}rem" height="{3}rem" role="img"'
        ' aria-label="{4}">{5}</svg>',
        SLOPE_WIDTH,
        f"{height:g}",
        SLOPE_WIDTH / 16,
        f"{height / 16:g}",
        _(
            "Raw ranks on the left, each joined to its row of the board. "
            "The column Moved from raw has the same numbers."
        ),
        format_html_join(
            "",
            "{}",
            (
                (slope_line(row, moved, centres[row.began - 1], furthest),)
                for row, moved in drawn_last(lines)
            ),
        ),
    )
