"""Places over publications: the page and its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.visits import kept_from_caches, kept_page, snapshot_asked
from arena.reports import history_words as words
from arena.reports.figures import Figure, Shown, figure_named
from arena.reports.history import HistoryPage, history_page, layout_of, rows_of
from arena.reports.responses import figure_response

if TYPE_CHECKING:
    from ranking.plots.themes import Theme

PLACES = "places"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return kept_page(
        request, "history", lambda: index_made(request), frozenset({"board", "rows", "top"})
    )


def index_made(request: HttpRequest) -> HttpResponse:
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "reports/history.html", {"nothing": nothing})
    page = history_page(snapshot, request.GET)
    shown = shown_at(page) if page.has_history else None
    response = render(request, "reports/history.html", {"page": page, "shown": shown})
    return kept_from_caches(response, snapshot)


@require_safe
def figure(request: HttpRequest, name: str, form: str) -> HttpResponse:
    snapshot = snapshot_asked(request)
    page = history_page(snapshot, request.GET)
    found = figure_named([figure_of(page)] if page.has_history else [], name)
    question = page.question
    of = f"history {question.board} {question.rows} {question.top} {' '.join(question.chosen)}"
    return figure_response(request, snapshot, found, form=form, of=of)


def shown_at(page: HistoryPage) -> Shown:
    address = reverse("reports:history-figure", args=[PLACES, "svg"])
    return Shown(figure_of(page), address.removesuffix(".svg"), page.question.query())


def figure_of(page: HistoryPage) -> Figure:
    title, layout = words.movers_sentence(page.lines), layout_of(page)

    def draw(theme: Theme) -> Any:
        from arena.reports.charts import history as charts

        return charts.history_chart(page, title, theme)

    return Figure(
        name=PLACES,
        title=title,
        words=words.page_words(page),
        rows=rows_of(page),
        draw=draw,
        size=(round(layout.width) + 28, round(layout.height) + 8),
        note=words.figure_key(page.lines, layout),
        headings={
            "contestant": _("Contestant"),
            "publication": _("Publication"),
            "published_at": _("Date"),
            "rank": _("Rank"),
            "rank_lower": pgettext("end of an interval", "From"),
            "rank_upper": pgettext("end of an interval", "To"),
            "rating": _("Rating"),
            "half": _("±"),
        },
    )
