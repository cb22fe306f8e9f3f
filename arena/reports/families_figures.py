"""What is drawn of a family, and its data to take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.leaderboard.models import Fitted
from arena.reports import families_words as words
from arena.reports.families import Compared, FamilyPage, Member, Picked, Rated
from arena.reports.figures import Figure

if TYPE_CHECKING:
    from ranking.plots.themes import Theme


RATINGS, WRITING, PICKED = "ratings", "writing", "picked"


def figures(snapshot: Fitted, page: FamilyPage) -> Iterator[Figure]:
    """Those that have something to show."""
    if page.placed:
        yield ratings_figure(snapshot, page)
    if page.telling is not None and page.telling.shares:
        yield writing_figure(snapshot, page.telling)
    if page.picked is not None and page.picked.is_choice:
        yield picked_figure(snapshot, page.picked, is_raw=not page.has_raw)


def ratings_figure(snapshot: Fitted, page: FamilyPage) -> Figure:
    title = words.ratings_title(page.members)

    def draw(theme: Theme) -> Any:
        from arena.reports.charts import families as charts

        return charts.ratings_chart(snapshot, page, title, theme)

    return Figure(
        name=RATINGS,
        title=title,
        words=words.ratings_words(page.members),
        rows=[rating_row(member, page) for member in page.placed],
        draw=draw,
        note=words.ratings_key(has_raw=page.has_raw),
        size=(780, 22 * len(page.placed) + 44),
        headings={
            "revision": _("Revision"),
            "stage": _("Stage"),
            "votes": _("Votes"),
            "rating": _("Rating"),
            "rating_lower": pgettext("end of an interval", "From"),
            "rating_upper": pgettext("end of an interval", "To"),
            "rank": _("Rank"),
            "rank_lower": "",
            "rank_upper": "",
            "raw_rating": _("Raw"),
            "raw_lower": pgettext("end of an interval", "From"),
            "raw_upper": pgettext("end of an interval", "To"),
            "raw_rank": _("Raw rank"),
            "first_vote": "",
            "last_vote": "",
        },
    )


def rating_row(member: Member, page: FamilyPage) -> dict[str, Any]:
    place, raw = member.place, member.raw
    assert place is not None
    row: dict[str, Any] = {
        "revision": member.name,
        "stage": member.stage,
        "votes": member.votes,
        "rating": round(place.rating, 2),
        "rating_lower": round(place.lower, 2),
        "rating_upper": round(place.upper, 2),
        "rank": place.rank,
        "rank_lower": place.rank_lower,
        "rank_upper": place.rank_upper,
    }
    if page.has_raw:
        row |= {
            "raw_rating": round(raw.rating, 2) if raw else None,
            "raw_lower": round(raw.lower, 2) if raw else None,
            "raw_upper": round(raw.upper, 2) if raw else None,
            "raw_rank": raw.rank if raw else None,
        }
    if page.has_times:
        row |= {
            "first_vote": member.first.isoformat() if member.first else None,
            "last_vote": member.last.isoformat() if member.last else None,
        }
    return row


def writing_figure(snapshot: Fitted, compared: Compared) -> Figure:
    title = words.writing_title(compared)

    def draw(theme: Theme) -> Any:
        from arena.reports.charts import families as charts

        return charts.writing_chart(snapshot, compared, title, theme)

    return Figure(
        name=WRITING,
        title=title,
        words=words.writing_words(compared),
        rows=[
            {
                "metric": words.metric_label(metric),
                "from": begin,
                "first": round(first, 4),
                "second": round(second, 4),
            }
            for metric in compared.drawn
            for shares in (compared.shares[metric],)
            for begin, first, second in zip(
                shares["from"], shares["first"], shares["second"], strict=True
            )
        ],
        draw=draw,
        note=words.writing_key(compared),
        size=(sum(panel_room(compared.shares[metric]) for metric in compared.drawn), 171),
        headings={
            "metric": _("Metric"),
            "from": pgettext("end of an interval", "From"),
            "first": compared.first,
            "second": compared.second,
        },
    )


def panel_room(shares: Mapping[str, Sequence[float]]) -> int:
    """Pixels that a metric's panel takes with its axis."""
    return 160 + 14 * max(0, len(shares["from"]) - 4)


def picked_figure(snapshot: Fitted, picked: Picked, *, is_raw: bool) -> Figure:
    title = words.picked_title(picked)

    def draw(theme: Theme) -> Any:
        from arena.reports.charts import families as charts

        return charts.picked_chart(snapshot, picked, title, theme, is_raw=is_raw)

    return Figure(
        name=PICKED,
        title=title,
        words=words.picked_words(picked),
        rows=picked_rows(picked),
        draw=draw,
        note=words.picked_key(is_raw=is_raw),
        size=(780, 22 * (len(picked.variants) + 2) + 60),
        headings={
            "revision": _("Revision"),
            "votes": _("Votes"),
            "rating": _("Rating"),
            "rating_lower": pgettext("end of an interval", "From"),
            "rating_upper": pgettext("end of an interval", "To"),
            "note": _("Note"),
        },
    )


def picked_rows(picked: Picked) -> list[dict[str, Any]]:
    rows = [picked_row(rated, _("the best") if rated.is_best else "") for rated in picked.variants]
    rows.append(
        picked_row(picked.best, _("without what picking the best adds by chance"))
        | {
            "rating": round(picked.corrected, 2),
            "rating_lower": round(picked.corrected - picked.half, 2),
            "rating_upper": round(picked.corrected + picked.half, 2),
        }
    )
    if picked.published is not None:
        rows.append(picked_row(picked.published.rated, _("released; votes since then alone")))
    return rows


def picked_row(rated: Rated, note: str) -> dict[str, Any]:
    return {
        "revision": rated.name,
        "votes": rated.votes,
        "rating": round(rated.rating, 2),
        "rating_lower": round(rated.lower, 2),
        "rating_upper": round(rated.upper, 2),
        "note": note,
    }
