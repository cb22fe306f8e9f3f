"""Families of several revisions: all of them, each its own page, and what is drawn of it."""

import pyarrow as pa
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.models import Fitted
from arena.leaderboard.pictures import file_name
from arena.leaderboard.visits import kept_from_caches, kept_page, snapshot_asked
from arena.reports.families import (
    IndexPage,
    family_data,
    family_page,
    index_data,
    index_page,
)
from arena.reports.families_figures import figures
from arena.reports.figures import Shown, figure_named
from arena.reports.responses import figure_response
from ranking.outputs import as_csv

# The index in another form than the page; and the page as data, beside its figures.
AS, FORMS = "as", ("csv", "json")
WHOLE = "family"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    known = frozenset({AS}) if request.GET.get(AS, FORMS[0]) in FORMS else frozenset()
    return kept_page(request, "families", lambda: index_made(request), known)


def index_made(request: HttpRequest) -> HttpResponse:
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "reports/families.html", {"nothing": nothing})
    page = index_page(snapshot, request.GET.get("snapshot", ""))
    if request.GET.get(AS) in FORMS:
        return kept_from_caches(index_file(snapshot, page, request.GET[AS]), snapshot)
    response = render(request, "reports/families.html", {"page": page})
    return kept_from_caches(response, snapshot)


def index_file(snapshot: Fitted, page: IndexPage, form: str) -> HttpResponse:
    data = index_data(snapshot, page)
    if form == "csv":
        columns = list(data["families"][0]) if data["families"] else ["family"]
        table = pa.table({name: [row[name] for row in data["families"]] for name in columns})
        response = HttpResponse(as_csv(table), content_type="text/csv; charset=utf-8")
    else:
        response = JsonResponse(data)
    return attached(response, snapshot, f"families.{form}")


@require_safe
def family(request: HttpRequest, slug: str) -> HttpResponse:
    return kept_page(request, f"families/{slug}", lambda: family_made(request, slug), frozenset())


def family_made(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "reports/family.html", {"nothing": nothing})
    page = family_page(snapshot, slug, request.GET.get("snapshot", ""))
    address = reverse("reports:family-figure", args=[slug, WHOLE, "json"])
    shown = {
        figure.name: Shown(figure, address.replace(f"{WHOLE}.json", figure.name), page.query)
        for figure in figures(snapshot, page)
    }
    told = {"page": page, "figures": shown, "data": f"{address}{page.query}"}
    return kept_from_caches(render(request, "reports/family.html", told), snapshot)


@require_safe
def figure(request: HttpRequest, slug: str, name: str, form: str) -> HttpResponse:
    """A figure of a family, or all that its page says as JSON."""
    snapshot = snapshot_asked(request)
    if name == WHOLE and form == "json":
        response = JsonResponse(family_data(snapshot, slug))
        return kept_from_caches(attached(response, snapshot, f"families-{slug}.json"), snapshot)
    page = family_page(snapshot, slug, request.GET.get("snapshot", ""))
    found = figure_named(figures(snapshot, page), name)
    return figure_response(request, snapshot, found, form=form, of=f"families/{slug}")


def attached(response: HttpResponse, snapshot: Fitted, what: str) -> HttpResponse:
    file = file_name(snapshot, what)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file)
    return response
