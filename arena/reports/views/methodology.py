"""How the numbers are made: the page, its figures, the battles drawn so far, the written method."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from arena.core.exceptions import Unknown
from arena.core.kept import is_for_part, kept_response
from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.pictures import file_name
from arena.leaderboard.selectors import latest_digest
from arena.leaderboard.visits import kept_from_caches, kept_page, snapshot_asked
from arena.reports import formulas as written
from arena.reports.figures import figure_named
from arena.reports.methodology import method_data, method_page
from arena.reports.methodology_drawn import drawn_page, has_drawn
from arena.reports.methodology_figures import figures_of, known_of
from arena.reports.responses import figure_response

# The whole page as numbers, beside its figures.
PAGE = "page"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    def make() -> HttpResponse:
        try:
            snapshot = snapshot_asked(request)
        except NothingPublished as nothing:
            return render(request, "reports/methodology.html", {"nothing": nothing})
        page = method_page(snapshot, request.GET.get("snapshot", ""))
        response = render(request, "reports/methodology.html", {"page": page})
        return kept_from_caches(response, snapshot)

    return kept_page(request, "methodology", make, frozenset({"snapshot"}))


@require_safe
def figure(request: HttpRequest, name: str, form: str) -> HttpResponse:
    snapshot = snapshot_asked(request)
    if name == PAGE and form == "json":
        response = JsonResponse(method_data(snapshot))
        file = f"{file_name(snapshot, 'methodology')}.json"
        response["Content-Disposition"] = content_disposition_header(True, file)
        return kept_from_caches(response, snapshot)
    found = figure_named(figures_of(known_of(snapshot)).values(), name)
    return figure_response(request, snapshot, found, form=form, of="methodology")


@require_safe
def drawn(request: HttpRequest) -> HttpResponse:
    """A part of the page that comes later, or a page of its own."""
    if not has_drawn():
        raise Unknown(_("No battle has been drawn here yet."))
    template = "_methodology_drawn" if is_for_part(request) else "methodology_drawn"
    return render(request, f"reports/{template}.html", {"drawn": drawn_page()})


@require_safe
def formulas(request: HttpRequest) -> HttpResponse:
    def make() -> HttpResponse:
        return render(request, "reports/formulas.html", {"chapters": written.chapters()})

    # What stands around the formulas, such as the ways to other pages, is the publication's.
    return kept_response(request, f"formulas {written.digest()} {latest_digest()}", make)
