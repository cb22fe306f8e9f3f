"""Pairs: all of them at once, and each on its own page."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.models import Fitted
from arena.leaderboard.pictures import file_name
from arena.leaderboard.visits import kept_from_caches, kept_page, snapshot_asked
from arena.reports import pairs_all
from arena.reports.figures import figure_named
from arena.reports.pairs import Pair, pair_data, pair_of, pair_page, record_figure
from arena.reports.pairs_matrix import pairs_of
from arena.reports.responses import figure_response
from arena.reports.roster import roster_of

# The page as data, beside its figure.
WHOLE = "pair"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    def made() -> HttpResponse:
        try:
            snapshot = snapshot_asked(request)
        except NothingPublished as nothing:
            return render(request, "reports/pairs.html", {"nothing": nothing})
        page = pairs_all.pairs_page(snapshot, request.GET)
        return kept_from_caches(render(request, "reports/pairs.html", {"page": page}), snapshot)

    return kept_page(request, "pairs", made, pairs_all.KNOWN)


@require_safe
def index_figure(request: HttpRequest, name: str, form: str) -> HttpResponse:
    snapshot = snapshot_asked(request)
    asked = pairs_all.asked_of(snapshot, request.GET)
    pairs = pairs_of(snapshot, asked.board)
    figure = figure_named(pairs_all.figures(snapshot, pairs, asked), name)
    of = f"pairs {asked.query()}"
    return figure_response(request, snapshot, figure, form=form, of=of)


@require_safe
def pair(request: HttpRequest, first: str, second: str) -> HttpResponse:
    """Not kept: what would turn the pair may be being worked out, and texts may be erased."""
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "reports/pair.html", {"nothing": nothing})
    asked = pair_asked(request, snapshot, first, second)
    page = pair_page(asked, page=request.GET.get("page", ""), opened=request.GET.get("battle", ""))
    response = render(request, "reports/pair.html", {"page": page})
    add_never_cache_headers(response)
    return response


def pair_asked(request: HttpRequest, snapshot: Fitted, first: str, second: str) -> Pair:
    """Raises Unknown, saying what exists, or BadInput where both are the same."""
    roster = roster_of(snapshot, request.GET.get("snapshot", ""))
    numbers = request.GET.get("first", ""), request.GET.get("second", "")
    return pair_of(snapshot, roster, *roster.two(first, second, numbers))


@require_safe
def figure(request: HttpRequest, first: str, second: str, name: str, form: str) -> HttpResponse:
    """The figure of the record, or all that the page says as JSON."""
    snapshot = snapshot_asked(request)
    asked = pair_asked(request, snapshot, first, second)
    if name == WHOLE and form == "json":
        response: HttpResponse = JsonResponse(pair_data(asked))
        file = f"{file_name(snapshot, f'pairs-{first}-{second}')}.json"
        disposition = content_disposition_header(as_attachment=True, filename=file)
        response["Content-Disposition"] = disposition
        return kept_from_caches(response, snapshot)
    record = record_figure(asked)
    found = figure_named([record] if record else [], name)
    of = f"{first} {asked.first.number} {second} {asked.second.number}"
    return figure_response(request, snapshot, found, form=form, of=of)
