"""The list of contestants, and the page of each."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.models import Fitted
from arena.leaderboard.pictures import file_name
from arena.leaderboard.visits import kept_from_caches, kept_page, snapshot_asked
from arena.reports.contestants import (
    ALL,
    contestant_data,
    contestant_figures,
    contestant_page,
    index_page,
)
from arena.reports.contestants_figures import Subject, subject_of
from arena.reports.figures import figure_named
from arena.reports.responses import figure_response
from arena.reports.roster import roster_of

# The page as data, beside its figures.
WHOLE = "profile"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return kept_page(request, "contestants", lambda: index_made(request), frozenset())


def index_made(request: HttpRequest) -> HttpResponse:
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "reports/contestants.html", {"nothing": nothing})
    page = index_page(
        snapshot,
        roster_of(snapshot, request.GET.get("snapshot", "")),
        search=request.GET.get("q", "")[:200],
        whole=request.GET.get("show") == ALL,
    )
    response = render(request, "reports/contestants.html", {"page": page})
    return kept_from_caches(response, snapshot)


@require_safe
def contestant(request: HttpRequest, slug: str) -> HttpResponse:
    """One revision; kept for a while, which is how long what the catalog says may be old."""
    name = f"contestant {slug}"
    return kept_page(request, name, lambda: made(request, slug), frozenset({"revision"}))


def made(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "reports/contestant.html", {"nothing": nothing})
    subject = asked(request, snapshot, slug)
    page = contestant_page(subject, whole=request.GET.get("show") == ALL)
    response = render(request, "reports/contestant.html", {"page": page})
    return kept_from_caches(response, snapshot)


def asked(request: HttpRequest, snapshot: Fitted, slug: str) -> Subject:
    """The revision that an address names. Raises Unknown, saying what exists."""
    roster = roster_of(snapshot, request.GET.get("snapshot", ""))
    return subject_of(snapshot, roster, roster.get(slug, request.GET.get("revision", "")))


@require_safe
def figure(request: HttpRequest, slug: str, name: str, form: str) -> HttpResponse:
    """A figure of the page, or all that the page says as JSON."""
    snapshot = snapshot_asked(request)
    subject = asked(request, snapshot, slug)
    if name == WHOLE and form == "json":
        response: HttpResponse = JsonResponse(contestant_data(subject))
        file = f"{file_name(snapshot, f'models-{slug}')}.json"
        disposition = content_disposition_header(as_attachment=True, filename=file)
        response["Content-Disposition"] = disposition
        return kept_from_caches(response, snapshot)
    found = figure_named(contestant_figures(subject, name), name)
    of = f"{slug} {subject.known.number}"
    return figure_response(request, snapshot, found, form=form, of=of)
