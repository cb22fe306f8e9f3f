"""What a figure is answered with, in each of its forms."""

from django.http import HttpRequest, HttpResponse

from arena.leaderboard.models import Fitted
from arena.reports.figures import Figure


def figure_response(
    request: HttpRequest, snapshot: Fitted, figure: Figure, *, form: str, of: str
) -> HttpResponse:
    """The figure as svg or png (drawn once and kept), csv, json, or vega (its chart, for pages).

    of: all that decides what it shows beside the publication, such as the page's path.
    """
    raise NotImplementedError
