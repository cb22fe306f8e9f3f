"""Which two meet next, and with what probability that pair was drawn.

Every organisation's contestants are drawn alike: a pair's weight is what one more vote on it
would tell, and depends on its votes alone. An operator's boosts and exclusions are rows with a
reason, and a share of the draws is uniform whatever the weights say, so that the stored
probability of a pair is never small.
"""

import secrets
import time
from array import array
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, combinations
from typing import NamedTuple

from django.conf import settings

from arena.battles.exceptions import NobodyLooks, NobodyToMeet
from arena.battles.models import Boost, PairExclusion, PairWeights, Prompt
from arena.battles.selectors import (
    revisions_on_record,
    revisions_served,
    standing,
    weights_latest,
)
from arena.catalog.models import Revision

random = secrets.SystemRandom()
KNOWN_SECONDS = 1.0
# By recorded prompt, 0 for prompts of one's own, and whether they come with pictures: when it was
# looked at, and what was seen.
_drawing: "dict[tuple[int, bool], tuple[float, tuple[Entrant, ...], Rules]]" = {}
# One weight of a pair without any votes, where no refit has pushed what it would tell.
UNSEEN = 1.0


@dataclass(frozen=True)
class Pairing:
    """Two revisions by side, drawn by coin; `probability` is that of the unordered pair."""

    a: Revision
    b: Revision
    probability: float


class Entrant(NamedTuple):
    """What the drawing knows of an eligible revision."""

    revision: int
    contestant: int
    family: str


@dataclass(frozen=True)
class Rules:
    """All that decides chances besides who is eligible; equal rules give equal chances.

    weights: id of the pushed weights, 0 for none. boosts: (contestant, factor). apart: pairs
    of contestants that do not meet.
    """

    weights: int = 0
    boosts: tuple[tuple[int, float], ...] = ()
    apart: frozenset[frozenset[int]] = frozenset()
    floor: float = 0.1
    families_apart: bool = False


@dataclass(frozen=True)
class Chances:
    """The eligible pairs, as indices among the entrants, and the sums of their probabilities."""

    first: array  # type: ignore[type-arg]
    second: array  # type: ignore[type-arg]
    sums: array  # type: ignore[type-arg]

    def draw(self) -> tuple[int, int, float]:
        """A pair of indices, and the probability with which it was drawn."""
        last = len(self.sums) - 1
        at = min(bisect(self.sums, random.random() * self.sums[last]), last)
        before = self.sums[at - 1] if at else 0.0
        return self.first[at], self.second[at], self.sums[at] - before


def pair_for(prompt: Prompt | None, *, with_images: bool = False) -> Pairing:
    """Draw among the revisions that can answer: on record for `prompt`, live without one.

    with_images: among those alone that may be asked about pictures.

    Of served revisions a share AA_SHARE of the draws sets one against itself, to see how much
    of voting is noise and how much the side; recorded answers would be the same text twice.
    Raises NobodyToMeet, or NobodyLooks where nobody is left for the pictures.
    """
    entrants, rules = drawing_now(prompt, with_images=with_images)
    share = 0.0 if prompt else settings.AA_SHARE
    try:
        first, second, probability = drawn(entrants, rules, share)
    except NobodyToMeet as error:
        if with_images:
            raise NobodyLooks from error
        raise
    sides = [revision_drawn(first), revision_drawn(second)]
    random.shuffle(sides)
    return Pairing(sides[0], sides[1], probability)


@lru_cache(maxsize=1024)
def revision_drawn(pk: int) -> Revision:
    """A revision never changes, so a process reads each once."""
    return Revision.objects.get(pk=pk)


def drawing_now(
    prompt: Prompt | None, *, with_images: bool = False
) -> tuple[tuple[Entrant, ...], Rules]:
    """Who may be drawn, and how, as it was a second ago at most: every battle asks for it."""
    key = (prompt.pk if prompt else 0, with_images)
    known = _drawing.get(key)
    if known is None or time.monotonic() - known[0] > KNOWN_SECONDS:
        eligible = (
            revisions_on_record(prompt) if prompt else revisions_served(with_images=with_images)
        )
        rows = eligible.values_list("pk", "contestant_id", "family").order_by("pk")
        known = _drawing[key] = time.monotonic(), entrants_of(rows), rules_now()
    return known[1], known[2]


def drawing_forget() -> None:
    """Look at the catalog and at the operators' rules again with the next draw."""
    _drawing.clear()
    chances_of.cache_clear()
    revision_drawn.cache_clear()


def entrants_of(rows: Iterable[tuple[int, int, str]]) -> tuple[Entrant, ...]:
    return tuple(Entrant(*row) for row in rows)


def drawn(entrants: Sequence[Entrant], rules: Rules, share: float) -> tuple[int, int, float]:
    """Two revisions' ids and the probability of that unordered pair, A/A battles included."""
    chances = chances_of(tuple(entrants), rules)
    if chances is None:
        raise NobodyToMeet
    if random.random() < share:
        alone = random.choice(entrants).revision
        return alone, alone, share / len(entrants)
    first, second, probability = chances.draw()
    return entrants[first].revision, entrants[second].revision, (1.0 - share) * probability


def rules_now() -> Rules:
    """What the operator and the latest refit say."""
    adaptive = settings.SAMPLING == "adaptive"
    weights = weights_latest() if adaptive else None
    boosts = standing(Boost).order_by("pk").values_list("contestant_id", "factor")
    apart = standing(PairExclusion).values_list("first_id", "second_id")
    return Rules(
        weights=weights.pk if weights else 0,
        boosts=tuple(boosts),
        apart=frozenset(frozenset(pair) for pair in apart),
        floor=settings.SAMPLING_FLOOR,
        families_apart=settings.SAME_FAMILY == "forbid",
    )


@lru_cache(maxsize=32)
def chances_of(entrants: tuple[Entrant, ...], rules: Rules) -> Chances | None:
    """Chances of all pairs that may meet; None without any.

    Kept from one draw to the next: with 300 contestants there are 44,850 pairs.
    """
    gain_of, unseen = gains(rules.weights)
    factors = boost_factors(rules.boosts)
    first, second, weights = array("H"), array("H"), array("d")
    for i, j in combinations(range(len(entrants)), 2):
        one, other = entrants[i], entrants[j]
        if not may_meet(one, other, rules):
            continue
        first.append(i)
        second.append(j)
        gain = gain_of.get((one.revision, other.revision), unseen)
        weights.append(gain * factors.get(one.contestant, 1.0) * factors.get(other.contestant, 1.0))
    if not weights:
        return None
    return Chances(first, second, array("d", accumulate(mixed(weights, rules.floor))))


def may_meet(one: Entrant, other: Entrant, rules: Rules) -> bool:
    if rules.families_apart and one.family == other.family:
        return False
    return not rules.apart or {one.contestant, other.contestant} not in rules.apart


def mixed(weights: Sequence[float], floor: float) -> Iterable[float]:
    """Probabilities: a share `floor` of the draws is uniform, the others follow the weights."""
    total, even = sum(weights), floor / len(weights)
    return (even + (1.0 - floor) * weight / total for weight in weights)


def boost_factors(boosts: Iterable[tuple[int, float]]) -> dict[int, float]:
    """Factor of each boosted contestant; several boosts multiply."""
    factors: dict[int, float] = {}
    for contestant, factor in boosts:
        factors[contestant] = factors.get(contestant, 1.0) * factor
    return factors


def gains(weights: int) -> tuple[Mapping[tuple[int, int], float], float]:
    """Gain of each pair of revisions (smaller id first) with votes, and that of any other."""
    pushed = PairWeights.objects.filter(pk=weights).first()
    if pushed is None:
        return {}, UNSEEN
    return {(a, b): gain for a, b, gain in pushed.gains}, pushed.unseen
