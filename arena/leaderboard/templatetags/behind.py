"""The way to the pages behind the board: those that have something to say."""

from collections.abc import Iterator
from typing import NamedTuple

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.catalog.models import Contestant
from arena.leaderboard.models import Fitted
from arena.leaderboard.selectors import latest_snapshot, part_names

register = template.Library()

AROUND = frozenset(
    f"leaderboard:{name}"
    for name in (
        *("board", "board-category", "moved", "moved-log", "sure", "sure-pairs"),
        *("archive", "archive-publication"),
    )
)


class Page(NamedTuple):
    """Where it is, what it is called, and the addresses' names at which a reader is on it."""

    address: str
    label: str
    at: tuple[str, ...]


@register.inclusion_tag("leaderboard/_behind.html", takes_context=True)
def pages_behind(context: template.Context) -> dict[str, object]:
    """On the board and the pages around it; elsewhere nothing."""
    request = context.get("request")
    match = request.resolver_match if request else None
    if match is None or not (match.view_name in AROUND or "reports" in match.namespaces):
        return {"pages": []}
    latest = latest_snapshot()
    return {"pages": list(pages(latest)) if latest else [], "at": match.view_name}


def pages(snapshot: Fitted) -> Iterator[Page]:
    names = part_names(snapshot)
    stated = snapshot.content.get("catalog", {}).values()
    yield page("contestant", "contestants", label=pgettext("page", "Contestants"))
    if snapshot.content["pairs"]["rows"]:
        yield page("pair", "pairs", label=pgettext("page", "Pairs"))
    if any(name.startswith("family/") for name in names):
        yield page("family", "families", label=pgettext("page", "Families"))
    if any(name.startswith("category/") for name in names):
        yield page("categories", label=pgettext("page", "Categories"))
    if any("organisation" in said or "licence" in said for said in stated):
        label = pgettext("page", "Organisations")
        yield page("organisation", "organisations", label=label)
    if Contestant.objects.filter(price_out__isnull=False, price_in__isnull=False).exists():
        yield page("prices", label=_("Price and speed"))
    yield page("history", label=_("Over time"))
    archive = ("leaderboard:archive", "leaderboard:archive-publication")
    yield Page(archive[0], pgettext("page", "Archive"), archive)


def page(*names: str, label: str) -> Page:
    """A page of reports; the last name is that of its address without arguments."""
    at = tuple(f"reports:{name}" for name in names)
    return Page(at[-1], label, at)
