"""The label that demo data carries on every page."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from arena.catalog.models import Revision
from arena.integrity.selectors import simulated_votes


@dataclass(frozen=True)
class Simulated:
    contestants: int
    """Their revisions, which are what boards list."""
    votes: int
    alone: bool
    """Whether there is no contestant but invented ones."""


def simulated(request: HttpRequest) -> dict[str, Any]:
    """What of this arena is invented, asked for by templates that say it."""
    return {"simulated": SimpleLazyObject(invented_here)}


def invented_here() -> Simulated | None:
    """It follows from the data, so no setting can hide it."""
    invented = Count("pk", filter=Q(contestant__simulated=True))
    counts = Revision.objects.aggregate(invented=invented, all=Count("pk"))
    if not counts["invented"]:
        return None
    alone = counts["invented"] == counts["all"]
    return Simulated(counts["invented"], simulated_votes(), alone)
