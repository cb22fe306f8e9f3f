"""Organisations: all of them, each its own, and what is drawn of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.visits import kept_from_caches, kept_page, snapshot_asked
from arena.reports import organisations_words as words
from arena.reports.figures import Figure, Shown, figure_named
from arena.reports.makers import Maker, Member
from arena.reports.openness import Openness, Record
from arena.reports.organisations import Index, index_page, organisation_page
from arena.reports.organisations import Shown as OnePage
from arena.reports.responses import figure_response

if TYPE_CHECKING:
    from ranking.plots.themes import Theme

EXPOSURE, FRONTIER, GAP, RELEASES = "exposure", "frontier", "gap", "releases"
# Of the address of one organisation's figure.
OF = "organisation"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return kept_page(request, "organisations", lambda: index_made(request), frozenset())


def index_made(request: HttpRequest) -> HttpResponse:
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "reports/organisations.html", {"nothing": nothing})
    page = index_page(snapshot, request.GET.get("snapshot", ""))
    shown = {figure.name: shown_at(figure, page.query) for figure in index_figures(page)}
    response = render(request, "reports/organisations.html", {"page": page, "figures": shown})
    return kept_from_caches(response, snapshot)


@require_safe
def organisation(request: HttpRequest, slug: str) -> HttpResponse:
    name = f"organisations/{slug}"
    return kept_page(request, name, lambda: organisation_made(request, slug), frozenset())


def organisation_made(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "reports/organisation.html", {"nothing": nothing})
    page = organisation_page(snapshot, slug, request.GET.get("snapshot", ""))
    query = f"{page.query}{'&' if page.query else '?'}{OF}={slug}"
    figures = [shown_at(figure, query) for figure in one_figures(page)]
    response = render(request, "reports/organisation.html", {"page": page, "figures": figures})
    return kept_from_caches(response, snapshot)


@require_safe
def figure(request: HttpRequest, name: str, form: str) -> HttpResponse:
    snapshot, slug = snapshot_asked(request), request.GET.get(OF, "")
    named = request.GET.get("snapshot", "")
    if slug:
        figures = one_figures(organisation_page(snapshot, slug, named))
    else:
        figures = index_told(index_page(snapshot, named), form)
    found = figure_named(figures, name)
    return figure_response(request, snapshot, found, form=form, of=f"organisations {name} {slug}")


def shown_at(figure: Figure, query: str) -> Shown:
    address = reverse("reports:organisations-figure", args=[figure.name, "svg"])
    return Shown(figure, address.removesuffix(".svg"), query)


# -- All of them -----------------------------------------------------------------------------


def index_told(page: Index, form: str) -> Iterable[Figure]:
    """What the page draws; as data the table of all, also where nothing says who was shown."""
    if form in ("csv", "json") and page.has_organisations and not page.has_shown:
        yield exposure_figure(page)
    yield from index_figures(page)


def index_figures(page: Index) -> Iterable[Figure]:
    if page.has_organisations and page.has_shown:
        yield exposure_figure(page)
    openness = page.openness
    if openness is not None and openness.has_records:
        yield frontier_figure(page, openness)
    if openness is not None and len(openness.moments) > 1:
        yield gap_figure(page, openness)


def exposure_figure(page: Index) -> Figure:
    title = words.exposure_sentence(page.makers) or _("How often each organisation is shown.")

    def draw(theme: Theme) -> Any:
        from arena.reports.charts import organisations as charts

        return charts.exposure_chart(page, title, theme)

    return Figure(
        name=EXPOSURE,
        title=title,
        words=words.exposure_words(page.makers) if page.has_shown else "",
        rows=[maker_row(maker, page) for maker in page.makers],
        draw=draw,
        size=(570, 22 * len(page.makers) + 30),
        note=words.exposure_key(),
        headings={
            "organisation": _("Organisation"),
            "contestants": _("Contestants"),
            "votes": _("Votes"),
            "share": _("Share of places"),
            "fair_share": _("Fair share"),
            "times_fair": _("Times fair"),
            "variants": _("Variants tested"),
            "best": pgettext("of an organisation", "Best"),
            "best_rank": _("Its rank"),
            "best_raw": _("Best raw"),
            "best_raw_rank": _("Its raw rank"),
            "open": _("Open"),
            "closed": _("Closed"),
        },
    )


def maker_row(maker: Maker, page: Index) -> dict[str, Any]:
    """As it is downloaded; a column that nothing is known for is left out."""
    best, raw = maker.best, maker.best_raw
    row: dict[str, Any] = {
        "organisation": maker.name,
        "contestants": len(maker.members),
        "votes": maker.votes,
        "best": best.name if best else None,
        "best_rank": best.place.rank if best and best.place else None,
    }
    if page.has_raw:
        row |= {
            "best_raw": raw.name if raw else None,
            "best_raw_rank": raw.raw.rank if raw and raw.raw else None,
        }
    if page.has_stages:
        row["variants"] = len(maker.variants)
    if page.has_licences:
        row |= {"open": maker.open, "closed": maker.closed}
    if page.has_shown:
        row |= {
            "share": round(maker.shown.share, 6) if maker.shown else None,
            "fair_share": round(maker.shown.fair, 6) if maker.shown else None,
            "times_fair": round(maker.shown.times, 4) if maker.shown else None,
        }
    return row


def frontier_figure(page: Index, openness: Openness) -> Figure:
    title = words.records_sentence(openness)

    def draw(theme: Theme) -> Any:
        from arena.reports.charts import organisations as charts

        return charts.frontier_chart(page, openness, title, theme)

    sides = (("closed", openness.closed_records), ("open", openness.open_records))
    return Figure(
        name=FRONTIER,
        title=title,
        words=words.records_words(openness),
        rows=[record_row(record, side) for side, records in sides for record in records],
        draw=draw,
        size=(1000, 392),
        note=words.frontier_key(),
        headings=released_headings() | {"licence": _("Licence"), "lead": _("Above the one before")},
    )


def record_row(record: Record, side: str) -> dict[str, Any]:
    lead = record.lead
    return (
        {"licence": side}
        | member_row(record.member)
        | {
            "lead": None if lead is None else round(lead.points, 2),
            "lead_half": None if lead is None or lead.half is None else round(lead.half, 2),
        }
    )


def released_headings() -> dict[str, str]:
    return {
        "contestant": _("Contestant"),
        "released": pgettext("when", "Released"),
        "rating": _("Rating"),
        "rating_lower": pgettext("end of an interval", "From"),
        "rating_upper": pgettext("end of an interval", "To"),
        "rank": _("Rank"),
        "lead_half": _("±"),
    }


def member_row(member: Member) -> dict[str, Any]:
    assert member.place is not None
    return {
        "contestant": member.name,
        "released": words.day(member),
        "rating": round(member.place.rating, 2),
        "rating_lower": round(member.place.lower, 2),
        "rating_upper": round(member.place.upper, 2),
        "rank": member.place.rank,
    }


def gap_figure(page: Index, openness: Openness) -> Figure:
    title = words.moments_sentence(openness)

    def draw(theme: Theme) -> Any:
        from arena.reports.charts import organisations as charts

        return charts.gap_chart(page, openness, title, theme)

    return Figure(
        name=GAP,
        title=title,
        words=words.moments_words(openness),
        rows=[
            {
                "publication": moment.number,
                "published_at": moment.published_at.date().isoformat(),
                "closed": moment.closed,
                "open": moment.open,
                "lead": round(moment.lead.points, 2),
                "half": None if moment.lead.half is None else round(moment.lead.half, 2),
            }
            for moment in openness.moments
        ],
        draw=draw,
        size=(572, 266),
        note=words.gap_key(),
        headings={
            "publication": _("Publication"),
            "published_at": _("Date"),
            "closed": _("Best closed"),
            "open": _("Best open"),
            "lead": _("Lead"),
            "half": _("±"),
        },
    )


# -- One of them -----------------------------------------------------------------------------


def one_figures(page: OnePage) -> Iterable[Figure]:
    if not page.has_timeline:
        return
    title = words.releases_sentence(page)

    def draw(theme: Theme) -> Any:
        from arena.reports.charts import organisations as charts

        return charts.releases_chart(page, title, theme)

    yield Figure(
        name=RELEASES,
        title=title,
        words=words.releases_words(page.releases),
        rows=[member_row(member) for member in page.releases],
        draw=draw,
        size=(1000, 392),
        note=words.releases_key(),
        headings=released_headings(),
    )
