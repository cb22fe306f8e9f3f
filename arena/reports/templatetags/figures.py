"""Figures on pages."""

from django import template

from arena.reports.figures import THEMES, Shown, table_of

register = template.Library()

# From so many pixels on a chart would be too small if a phone made it smaller.
WIDE = 700


@register.inclusion_tag("reports/_figure.html")
def figure(shown: Shown) -> dict[str, object]:
    figure = shown.figure
    width, height = figure.size
    return {
        "figure": figure,
        "width": width,
        "height": height,
        "is_wide": width > WIDE,
        "table": table_of(figure) if figure.rows else None,
        **{theme: shown.on_page("svg", theme) for theme in THEMES},
        "charts": [(theme, shown.on_page("vega", theme)) for theme in THEMES],
        "files": [(form.upper(), shown.file(form)) for form in ("svg", "png", "csv", "json")],
        "drawn": ("SVG", "PNG"),
    }
