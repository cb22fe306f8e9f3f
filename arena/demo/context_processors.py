"""The label that demo data carries on every page."""

from dataclasses import dataclass

from django.http import HttpRequest

from arena.catalog.models import Contestant
from arena.integrity.selectors import simulated_votes


@dataclass(frozen=True)
class Simulated:
    contestants: int
    votes: int


def simulated(request: HttpRequest) -> dict[str, Simulated | None]:
    """What of this arena is invented; it follows from the data, so no setting can hide it."""
    contestants = Contestant.objects.filter(simulated=True).count()
    return {"simulated": Simulated(contestants, simulated_votes()) if contestants else None}
