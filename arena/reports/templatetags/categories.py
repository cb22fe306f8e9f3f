"""Cells of the heatmap of categories: a page has thousands, which a template is too slow for."""

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString

from arena.reports.categories import Row

register = template.Library()


@register.simple_tag
def heat_cells(row: Row) -> SafeString:
    """A row's cells; one without a place is empty."""
    return SafeString(
        "".join(
            f'<td class="heat {cell.shade}" title="{escape(cell.title)}">{escape(cell.text)}</td>'
            if cell
            else "<td></td>"
            for cell in row.cells
        )
    )
