"""Figures on pages."""

from django import template

from arena.reports.figures import Shown

register = template.Library()


@register.inclusion_tag("reports/_figure.html")
def figure(shown: Shown) -> dict[str, object]:
    return {"shown": shown, "figure": shown.figure}
