"""Price and speed: the page, the part of it that follows the slider, and its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from arena.core.kept import is_for_part
from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.visits import kept_from_caches, kept_page, snapshot_asked
from arena.reports.figures import Figure, Shown, figure_named
from arena.reports.prices import MIX_STEP, Panel, PricePage, price_page, rows_of
from arena.reports.prices_words import panel_words
from arena.reports.responses import figure_response

if TYPE_CHECKING:
    from ranking.plots.themes import Theme

MIXES = frozenset({"", *map(str, range(101))})


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    # One mix can be written in any number of ways, with blanks around it.
    is_usual = request.GET.get("mix", "") in MIXES
    known = frozenset({"board", "mix"}) if is_usual else frozenset()
    return kept_page(request, "prices", lambda: index_made(request), known)


def index_made(request: HttpRequest) -> HttpResponse:
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "reports/prices.html", {"nothing": nothing})
    page = price_page(snapshot, request.GET)
    is_part = is_for_part(request)
    template = "reports/_prices_view.html" if is_part else "reports/prices.html"
    shown = {
        "page": page,
        "panels": [(panel, shown_at(page, panel)) for panel in page.panels],
        "is_part": is_part,
        "mix_step": MIX_STEP,
    }
    response = render(request, template, shown)
    patch_vary_headers(response, ("HX-Request",))
    if is_part:
        response["HX-Replace-Url"] = page.address
    return kept_from_caches(response, snapshot)


@require_safe
def figure(request: HttpRequest, name: str, form: str) -> HttpResponse:
    snapshot = snapshot_asked(request)
    page = price_page(snapshot, request.GET)
    found = figure_named([figure_of(page, panel) for panel in page.panels], name)
    of = f"prices {name} {page.question.board} {page.question.mix}"
    return figure_response(request, snapshot, found, form=form, of=of)


def shown_at(page: PricePage, panel: Panel) -> Shown:
    address = reverse("reports:prices-figure", args=[panel.kind, "svg"])
    return Shown(figure_of(page, panel), address.removesuffix(".svg"), page.question.query())


def figure_of(page: PricePage, panel: Panel) -> Figure:
    def draw(theme: Theme) -> Any:
        from arena.reports.charts import prices as charts

        return charts.cost_chart(page, panel, theme)

    return Figure(
        name=panel.kind,
        title=panel.title,
        words=panel_words(panel),
        rows=rows_of(panel),
        draw=draw,
        size=(1000, 520),
        headings={
            "contestant": _("Contestant"),
            "price": _("Price of the mix"),
            "price_in": _("In"),
            "price_out": _("Out"),
            "seconds": _("Seconds"),
            "rating": _("Rating"),
            "rating_lower": pgettext("end of an interval", "From"),
            "rating_upper": pgettext("end of an interval", "To"),
            "frontier": _("On the line"),
            "sure": _("Beyond doubt"),
            "step_points": _("Points above the last"),
            "step_each": _("Per point"),
        },
    )
