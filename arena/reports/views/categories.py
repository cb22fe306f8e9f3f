"""The page of categories, and its heatmap as a figure."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.visits import kept_from_caches, kept_page, snapshot_asked
from arena.reports import categories
from arena.reports.figures import figure_named
from arena.reports.responses import figure_response

TEMPLATE = "reports/categories.html"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    def made() -> HttpResponse:
        try:
            snapshot = snapshot_asked(request)
        except NothingPublished as nothing:
            return render(request, TEMPLATE, {"nothing": nothing})
        page = categories.categories_page(snapshot, request.GET)
        return kept_from_caches(render(request, TEMPLATE, {"page": page}), snapshot)

    is_usual = request.GET.get("rows", "") in ("", categories.ALL)
    return kept_page(request, "categories", made, categories.KNOWN if is_usual else frozenset())


@require_safe
def figure(request: HttpRequest, name: str, form: str) -> HttpResponse:
    snapshot = snapshot_asked(request)
    asked, figures = categories.figures_asked(snapshot, request.GET)
    of = f"categories {asked.query()}"
    return figure_response(request, snapshot, figure_named(figures, name), form=form, of=of)
