"""Which two meet next, and with what probability that pair was drawn."""

import secrets
from dataclasses import dataclass

from arena.battles.exceptions import NobodyToMeet
from arena.battles.models import Prompt
from arena.battles.selectors import revisions_on_record, revisions_served
from arena.catalog.models import Revision


@dataclass(frozen=True)
class Pairing:
    """Two revisions by side, drawn by coin; `probability` is that of the unordered pair."""

    a: Revision
    b: Revision
    probability: float


def pair_for(prompt: Prompt | None) -> Pairing:
    """Draw among the revisions that can answer: on record for `prompt`, live without one."""
    return draw(revisions_on_record(prompt) if prompt else revisions_served())


def draw(eligible: list[Revision]) -> Pairing:
    """Every unordered pair of different contestants' revisions with the same probability."""
    count = len(eligible)
    if count < 2:
        raise NobodyToMeet
    random = secrets.SystemRandom()
    # `sample` draws an ordered pair, so the sides are tossed as well.
    a, b = random.sample(eligible, 2)
    return Pairing(a, b, 2 / (count * (count - 1)))
