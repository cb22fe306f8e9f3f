"""Online Elo: one vote after another, and how much their order alone decides.

After each vote of a and b with score y (1, 0, ½),

    R_a += K (y − p),   R_b −= K (y − p),   p = 1/(1 + 10^((R_b − R_a)/scale))

(Elo 1978). Unlike a fit it forgets: what is left at the end depends on the order of the votes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special

from ranking.arrays import FloatArray, IntArray
from ranking.errors import SpecError
from ranking.ranks import ranks_of
from ranking.result import Counts
from ranking.scores import Scores, scores_of
from ranking.spec import RankingSpec
from ranking.votes import Votes

_SLAB_VOTES = 1 << 22
"""Votes of all permutations together that are laid out at a time; 17 bytes each."""


@dataclass(frozen=True, slots=True)
class EloRating:
    """One contestant's online Elo.

    rating: after the last vote, in their order. median, lower, upper: over random orders of the
    same votes, at the spec's confidence; None without permutations. rank: 1 + number of
    contestants rated strictly higher.
    """

    contestant: str
    rating: float
    median: float | None
    lower: float | None
    upper: float | None
    rank: int
    votes: int


@dataclass(frozen=True, slots=True)
class OnlineElo:
    """Ratings in order of rank; absent are contestants without a counted vote."""

    spec: RankingSpec
    k: float
    permutations: int
    ratings: tuple[EloRating, ...]
    absent: tuple[str, ...]
    counts: Counts

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with a fixed order of keys."""
        data = asdict(self)
        data["spec"], data["counts"] = self.spec.to_dict(), self.counts.to_dict()
        return data


def online_elo(
    votes: Votes, spec: RankingSpec | None = None, *, k: float = 4.0, permutations: int = 0
) -> OnlineElo:
    """Online Elo in the order of the votes, and its spread over random orders.

    k: rating points a surprising win can be worth, times the vote's weight (mean 1).
    permutations: orders to draw, seeded by the spec; 0 for none. The interval is the spread over
    orders of these very votes: it says nothing of other votes that might have been cast.

    From the spec come exclusions, both_bad, scale, center, anchor, confidence and seed. Position
    is not modelled. Raises SpecError for controls and for values out of range.
    """
    spec = spec or RankingSpec()
    if not (math.isfinite(k) and k > 0.0):
        raise SpecError(f"k must be a positive number of rating points, not {k!r}.")
    if isinstance(permutations, bool) or not isinstance(permutations, int) or permutations < 0:
        raise SpecError(f"permutations must be a whole number, 0 or more, not {permutations!r}.")
    scores = scores_of(votes, spec, method="online Elo")
    step = k * math.log(10.0) / spec.scale
    theta = run(scores, step)
    drawn = run_permuted(scores, step, permutations, spec.seed) if permutations else None
    return _elo(scores, spec, k, theta, drawn)


def run(scores: Scores, step: float) -> FloatArray:
    """(M,) natural-log strengths after all votes in their order, from 0.

    A plain loop: each vote needs the one before it, and one vote is too little for an array.
    """
    theta = [0.0] * len(scores.contestants)
    columns = scores.first.tolist(), scores.second.tolist(), scores.y.tolist(), _steps(scores, step)
    exp = math.exp
    for i, j, y, s in zip(*columns, strict=True):
        # exp overflows from 709; strengths so far apart would need a step of that size.
        gap = theta[j] - theta[i]
        change = s * (y - (1.0 / (1.0 + exp(gap)) if gap < 700.0 else 0.0))
        theta[i] += change
        theta[j] -= change
    return np.array(theta)


def _steps(scores: Scores, step: float) -> list[float]:
    if scores.weight is None:
        return [step] * len(scores)
    weighted: list[float] = (step * scores.weight).tolist()
    return weighted


def run_permuted(scores: Scores, step: float, permutations: int, seed: int) -> FloatArray:
    """(permutations, M) strengths after the votes in as many random orders, each from 0.

    The orders advance side by side: the k-th votes of all of them are one step of arrays. A
    further contestant, M, fills rows of shorter slabs with votes that change nothing.
    """
    m, n = len(scores.contestants), len(scores)
    width = m + 1
    theta = np.zeros(permutations * width)
    base = (np.arange(permutations, dtype=np.int32) * width).astype(np.int32)
    first, second = np.append(scores.first, m), np.append(scores.second, m)
    y = np.append(scores.y, 0.5)
    steps = None if scores.weight is None else np.append(step * scores.weight, 0.0)
    for slab in _slabs(n, permutations, seed):
        i, j = first[slab] + base, second[slab] + base
        _advance(theta, (i, j), y[slab], step if steps is None else steps[slab])
    return theta.reshape(permutations, width)[:, :m]


def _advance(
    theta: FloatArray, sides: tuple[IntArray, IntArray], y: FloatArray, step: float | FloatArray
) -> None:
    """Play the votes of a slab, rows one after another, in all permutations; in place."""
    each = np.broadcast_to(step, y.shape)
    expit, take = special.expit, theta.take
    gap = np.empty(y.shape[1])
    for i, j, score, s in zip(*sides, y, each, strict=True):
        one, other = take(i), take(j)
        np.subtract(one, other, out=gap)
        expit(gap, out=gap)
        np.subtract(score, gap, out=gap)
        np.multiply(gap, s, out=gap)
        one += gap
        other -= gap
        theta[i] = one
        theta[j] = other


def _slabs(n: int, permutations: int, seed: int) -> Iterator[IntArray]:
    """Uniformly random orders of n votes, a slab of (rows, permutations) at a time.

    Every vote is thrown into one of the slabs, and each slab is shuffled (Rao 1961; Sandelius
    1962), so that all orders are never held at once. Index n stands where a slab has no vote
    left.
    """
    slabs = max(1, math.ceil(n * permutations / _SLAB_VOTES))
    children = [np.random.SeedSequence([seed, p]).spawn(slabs + 1) for p in range(permutations)]
    for slab in range(slabs):
        drawn = [_of_slab(n, slab, slabs, seeds) for seeds in children]
        table = np.full((max(map(len, drawn)), permutations), n, dtype=np.int32)
        for column, order in enumerate(drawn):
            table[: order.size, column] = order
        yield table


def _of_slab(n: int, slab: int, slabs: int, seeds: list[np.random.SeedSequence]) -> IntArray:
    """The shuffled votes that one permutation throws into a slab.

    The throws are drawn anew for each slab: that costs less than to keep them.
    """
    if slabs == 1:
        chosen = np.arange(n, dtype=np.int32)
    else:
        kind = np.uint16 if slabs <= 1 << 16 else np.uint32
        thrown = np.random.default_rng(seeds[0]).integers(0, slabs, n, dtype=kind)
        chosen = np.flatnonzero(thrown == slab).astype(np.int32)
    np.random.default_rng(seeds[1 + slab]).shuffle(chosen)
    return chosen


def _elo(
    scores: Scores, spec: RankingSpec, k: float, theta: FloatArray, drawn: FloatArray | None
) -> OnlineElo:
    votes = scores.votes_of()
    present = np.flatnonzero(votes)
    theta = theta - _anchored(scores, spec, theta[None, :])
    rank = dict(zip(present.tolist(), ranks_of(theta[present]).tolist(), strict=True))
    spread: FloatArray | None = None
    if drawn is not None:
        drawn = drawn - _anchored(scores, spec, drawn)[:, None]
        tail = 0.5 * (1.0 - spec.confidence)
        spread = spec.center + spec.elo * np.quantile(drawn, [0.5, tail, 1.0 - tail], axis=0)

    def of(i: int) -> EloRating:
        median, lower, upper = (None,) * 3 if spread is None else map(float, spread[:, i])
        return EloRating(
            contestant=scores.contestants[i],
            rating=float(spec.center + spec.elo * theta[i]),
            median=median,
            lower=lower,
            upper=upper,
            rank=rank[i],
            votes=int(votes[i]),
        )

    rated = sorted(map(of, present.tolist()), key=lambda entry: (entry.rank, entry.contestant))
    absent = tuple(scores.contestants[i] for i in np.flatnonzero(votes == 0))
    permutations = 0 if drawn is None else drawn.shape[0]
    return OnlineElo(spec, k, permutations, tuple(rated), absent, scores.counts)


def _anchored(scores: Scores, spec: RankingSpec, theta: FloatArray) -> FloatArray:
    """(runs,) the anchor's strength in every run of theta, (runs, M); 0 without an anchor."""
    if spec.anchor is None:
        return np.zeros(theta.shape[0])
    if spec.anchor not in scores.contestants:
        raise SpecError(f"the anchor {spec.anchor!r} is not among the contestants.")
    return theta[:, scores.contestants.index(spec.anchor)]
