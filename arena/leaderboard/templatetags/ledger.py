"""Drawings of a ledger: all movement by cause, and each row's terms stacked from zero.

As in `glyphs`, classes name what is drawn and the stylesheets say how; coordinates are never
written in the page's language. What a drawing says stands beside it in words and in the table.
"""

from collections.abc import Iterable
from fractions import Fraction

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.leaderboard.moved import Account, Cause, Part, Row, Scale
from arena.leaderboard.moved_words import decimal
from arena.leaderboard.templatetags.glyphs import MINUS, percent

register = template.Library()

# From so many percent of the axis on, a segment holds its letter, or letter and figure.
LETTER_FITS = 5.0
FIGURE_FITS = 13.0


@register.filter
def cause_class(letter: str) -> str:
    """Several causes in one share a look of their own."""
    return f"cause-{letter.lower()}" if len(letter) == 1 else "cause-joint"


@register.filter
def cause_letters(letter: str) -> str:
    return "+".join(letter)


@register.filter
def fraction(value: Fraction) -> str:
    """Exactly: +5/3, −1, 0."""
    sign = "+" if value > 0 else MINUS if value else ""
    return f"{sign}{abs(value)}"


@register.filter
def points(value: float | None) -> str:
    """With a decimal and a true minus."""
    if value is None:
        return ""
    shown = number_format(abs(round(value, 1)), 1)
    sign = "" if round(value, 1) == 0 else "+" if value > 0 else MINUS
    return f"{sign}{shown}"


@register.filter
def part_of(row: Row, letter: str) -> Part | None:
    return next((part for part in row.parts if part.letter == letter), None)


# -- All the movement ------------------------------------------------------------------------


@register.simple_tag
def cause_bar(account: Account) -> SafeString:
    return format_html(
        '<svg class="cause-bar" aria-hidden="true">{}</svg>',
        format_html_join("", "{}", ((share(cause),) for cause in account.causes if cause.width)),
    )


def share(cause: Cause) -> SafeString:
    return format_html(
        '<rect class="{}" x="{}" y="0.5" width="{}" height="17"/>',
        cause_class(cause.letter),
        percent(cause.start),
        percent(cause.width),
    )


# -- Rows ------------------------------------------------------------------------------------


def at(value: float, scale: Scale) -> float:
    """In percent of the axis."""
    return 100 * (value - scale.low) / (scale.high - scale.low)


@register.simple_tag
def ledger_axis(scale: Scale) -> SafeString:
    """The header of the column. Its rows reuse the lines that it defines."""
    lines = format_html_join(
        "",
        '<line class="{}" x1="{}" x2="{}" y1="-100%" y2="200%"/>',
        (("zero" if tick == 0 else "", *[percent(at(tick, scale))] * 2) for tick in scale.ticks),
    )
    labels = format_html_join(
        "",
        '<text x="{}" y="1rem">{}</text>',
        ((percent(at(tick, scale)), signed(tick)) for tick in scale.ticks),
    )
    return format_html(
        '<svg class="ledger-axis" aria-hidden="true">'
        '<defs><g id="ledger-grid">{}</g></defs>{}</svg>',
        lines,
        labels,
    )


def signed(value: int) -> str:
    return f"{value:+d}".replace("-", MINUS) if value else "0"


@register.simple_tag
def ledger_bar(row: Row, scale: Scale) -> SafeString:
    """A row's terms, stacked from zero to either side, and a mark at what they sum to."""
    return format_html(
        '<svg class="ledger-bar" role="img" aria-label="{}">'
        '<use class="grid" href="#ledger-grid"/>{}{}</svg>',
        spoken(row),
        format_html_join("", "{}", ((segment(*each, scale),) for each in stacked(row))),
        net(row, scale),
    )


def stacked(row: Row) -> Iterable[tuple[Part, float]]:
    """Each term that moved it, with the end of it that is nearer to zero."""
    reached = {True: Fraction(0), False: Fraction(0)}
    for part in row.parts:
        if part.ranks:
            side = part.ranks > 0
            yield part, float(reached[side])
            reached[side] += part.ranks


def segment(part: Part, start: float, scale: Scale) -> SafeString:
    ends = at(start, scale), at(start + float(part.ranks), scale)
    left, width = min(ends), abs(ends[1] - ends[0])
    look = "hollow" if part.could_be_chance else cause_class(part.letter)
    box = format_html(
        '<rect class="{}" x="{}" y="10" width="{}" height="22"/>',
        look,
        percent(left),
        percent(width),
    )
    label = segment_label(part, width)
    if not label:
        return box
    return box + format_html(
        '<text class="{}" x="{}" y="25">{}</text>',
        look if part.could_be_chance else f"on-{look}",
        percent(left + width / 2),
        label,
    )


def segment_label(part: Part, width: float) -> str:
    letters = cause_letters(part.letter)
    if width >= FIGURE_FITS + 2 * len(letters):
        return f"{letters} {decimal(abs(part.ranks))}"
    return letters if width >= LETTER_FITS * len(part.letter) else ""


def net(row: Row, scale: Scale) -> SafeString:
    return format_html(
        '<svg class="net" x="{}" y="35" width="12" height="8" aria-hidden="true">'
        '<path d="M0 0 4.5 7h-9Z"/></svg>',
        percent(at(row.ranks or 0, scale)),
    )


def spoken(row: Row) -> str:
    """The terms, for who cannot see them."""
    parts = [f"{cause_letters(part.letter)} {fraction(part.ranks)}" for part in row.parts]
    told = {"net": signed(row.ranks or 0), "terms": ", ".join(parts)}
    return _("%(terms)s; together %(net)s") % told
