"""The drawing of a voter's own page: how often they side with the board."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from arena.leaderboard.personal import Agreement
from arena.leaderboard.templatetags.glyphs import percent

register = template.Library()


@register.simple_tag
def agreement_bar(found: Agreement) -> SafeString:
    """The share with its interval from 0 to 100, and the board's own odds as a ring.

    The sentences beside it say the same numbers.
    """
    return format_html(
        '<svg class="agreement-bar" aria-hidden="true">'
        '<line class="scale" x1="0" x2="100%" y1="18" y2="18"/>'
        '<rect class="band" x="{}" y="12" width="{}" height="12" rx="6"/>'
        '<circle class="ring" cx="{}" cy="18" r="4.6"/>'
        '<circle class="dot" cx="{}" cy="18" r="4.6"/>'
        '<g class="ticks"><text x="0" y="42">0</text><text x="50%" y="42">50</text>'
        '<text x="100%" y="42">100</text></g></svg>',
        percent(100 * found.lower),
        percent(100 * (found.upper - found.lower)),
        percent(100 * found.expected),
        percent(100 * found.share),
    )
