"""Which pair to show next, and how many votes it takes to tell two contestants apart.

A further vote on pair p lowers the standard error of its win rate by

    √(Σ_p/n_p) − √(Σ_p/(n_p + 1))

and pairs are drawn in proportion to that (Chiang et al. 2024, §5). Here n_p counts the votes on
the pair and a prior of one vote of variance ¼, so that the rule says something about a pair that
never met: its win rate then has standard error ½, the largest one that a number in [0, 1] can
have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import special

from ranking.arrays import FloatArray, IndexArray
from ranking.contrasts import pairwise_contrasts
from ranking.errors import SpecError
from ranking.scores import Scores, scores_of
from ranking.spec import RankingSpec
from ranking.votes import Votes

PRIOR_VOTES = 1.0
PRIOR_SECOND_MOMENT = 0.5
"""E y² of a prior vote: a fair coin's, so that its variance is ¼."""
UNSEEN_GAIN = 0.5 * (1.0 - math.sqrt(0.5))
"""Gain of a pair without votes, √(¼/1) − √(¼/2), at PRIOR_VOTES."""


@dataclass(frozen=True, slots=True)
class PairChance:
    """One eligible pair: its votes, the variance Σ of one vote, and its chance of being next.

    gain: fall of the standard error of the pair's win rate by one more vote.
    """

    first: str
    second: str
    votes: int
    variance: float
    gain: float
    probability: float


@dataclass(frozen=True, slots=True)
class NextPairs:
    """Chances of all eligible pairs, summing to 1, in the order of names (or as given)."""

    floor: float
    prior_votes: float
    pairs: tuple[PairChance, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with a fixed order of keys."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Separation:
    """How many votes on a pair tell its contestants apart.

    gap, se: rating points between them as fitted, and its standard error. information: what one
    more vote between them adds to the precision 1/se², without ties (ties make it more).
    votes: further votes between them after which the gap's interval at `confidence` excludes 0
    with probability `power`; infinite where the gap is 0.
    """

    first: str
    second: str
    gap: float
    se: float
    information: float
    votes: float
    confidence: float
    power: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form; an infinite number of votes is null."""
        data = asdict(self)
        return data | {"votes": None if math.isinf(self.votes) else self.votes}


def next_pairs(
    votes: Votes,
    spec: RankingSpec | None = None,
    *,
    contestants: Sequence[str] | None = None,
    eligible: Sequence[tuple[str, str]] | None = None,
    floor: float = 0.1,
    prior_votes: float = PRIOR_VOTES,
) -> NextPairs:
    """With which probability to draw each eligible pair next.

    contestants: whose pairs are eligible (None: all of the votes'), which may be new to the
    votes. eligible: the eligible pairs themselves, instead. floor: share of draws that are
    uniform over eligible pairs, so that every logged probability is at least floor/pairs and
    weights of its inverse stay bounded. prior_votes: weight of the prior, more than 0.

    Every counted vote is one vote here, whatever its weight. Log the probability with the battle:
    weighting by its inverse undoes what adaptive exposure does to ratings.

    Raises SpecError for values out of range, self-play, repeated pairs, and no eligible pair.
    """
    if not 0.0 <= floor <= 1.0:
        raise SpecError(f"floor must lie between 0 and 1, not {floor!r}.")
    if not (math.isfinite(prior_votes) and prior_votes > 0.0):
        raise SpecError(f"prior_votes must be a positive number, not {prior_votes!r}.")
    scores = scores_of(votes, spec or RankingSpec(), method="pair sampling")
    pairs = _eligible(votes.contestants if contestants is None else contestants, eligible)
    n, total, squares = _tallies(scores, pairs)
    variance = pair_variance(n, total, squares, prior_votes)
    gain = pair_gain(variance, n + prior_votes)
    probability = pair_probabilities(gain, floor)
    columns = n.astype(int).tolist(), variance.tolist(), gain.tolist(), probability.tolist()
    chances = tuple(
        PairChance(*pair, *numbers)
        for pair, numbers in zip(pairs, zip(*columns, strict=True), strict=True)
    )
    return NextPairs(float(floor), float(prior_votes), chances)


def pair_variance(
    n: FloatArray, total: FloatArray, squares: FloatArray, prior_votes: float
) -> FloatArray:
    """Σ_p, the variance of one vote's score on each pair, with the prior's votes mixed in.

    n, total, squares: (P,) votes, Σ y and Σ y² of each pair. Between 0 and ¼, never 0.
    """
    weight = n + prior_votes
    mean = (total + 0.5 * prior_votes) / weight
    return np.asarray((squares + PRIOR_SECOND_MOMENT * prior_votes) / weight - mean**2)


def pair_gain(variance: FloatArray, n: FloatArray) -> FloatArray:
    """√(Σ/n) − √(Σ/(n + 1)) of each pair, (P,); written so that no digits cancel."""
    root, more = np.sqrt(n), np.sqrt(n + 1.0)
    return np.asarray(np.sqrt(variance) / (root * more * (root + more)))


def pair_probabilities(gain: FloatArray, floor: float) -> FloatArray:
    """(1 − floor) · gain/Σ gain + floor/P, (P,), summing to 1."""
    mixed = (1.0 - floor) * gain / gain.sum() + floor / gain.size
    return np.asarray(mixed / mixed.sum())


def votes_needed(
    gap: float,
    *,
    confidence: float = 0.95,
    power: float = 0.8,
    tie_rate: float = 0.0,
    scale: float = 400.0,
) -> float:
    """Votes between two contestants, and no others, after which a gap in their ratings shows.

    gap: rating points. The gap's interval at `confidence` excludes 0 with probability `power`
    after ((z_{(1+confidence)/2} + z_power)/gap)²/I votes (Wald's test), I as vote_information
    says. Independent votes are meant: of voters who vote alike it takes more. Infinite where the
    gap is 0.

    Raises SpecError for values out of range, and for more ties than the gap leaves room for.
    """
    _check_share("confidence", confidence)
    _check_share("power", power)
    information = vote_information(gap, tie_rate=tie_rate, scale=scale)
    if gap == 0.0:
        return math.inf
    reach = float(special.ndtri(0.5 * (1.0 + confidence)) + special.ndtri(power))
    return max(1.0, math.ceil((max(reach, 0.0) / gap) ** 2 / information))


def vote_information(gap: float, *, tie_rate: float = 0.0, scale: float = 400.0) -> float:
    """What one vote adds to the precision of a gap, per squared rating point.

    A vote's score has slope p(1 − p) in the log-odds and variance p(1 − p) − t/4, t the rate of
    ties, so per unit of θ it is (p(1 − p))²/(p(1 − p) − t/4).
    """
    if not math.isfinite(gap):
        raise SpecError(f"gap must be a finite number of rating points, not {gap!r}.")
    if not (math.isfinite(scale) and scale > 0.0):
        raise SpecError(f"scale must be positive, not {scale!r}.")
    elo = scale / math.log(10.0)
    p = float(special.expit(-abs(gap) / elo))
    # Neither side can win less often than never.
    if not 0.0 <= tie_rate < 1.0 or tie_rate > 2.0 * p:
        raise SpecError(f"at a gap of {gap:g} the tie_rate is at most {min(1.0, 2.0 * p):.3g}.")
    slope = p * (1.0 - p)
    return slope**2 / (slope - 0.25 * tie_rate) / elo**2


def _check_share(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise SpecError(f"{name} must lie between 0 and 1, not {value!r}.")


def _eligible(
    contestants: Sequence[str], eligible: Sequence[tuple[str, str]] | None
) -> list[tuple[str, str]]:
    """The eligible pairs, each once; those given keep their order and orientation."""
    if eligible is None:
        pairs = list(combinations(sorted(set(contestants)), 2))
    else:
        pairs = [(first, second) for first, second in eligible]
    for first, second in pairs:
        if first == second:
            raise SpecError(f"{first!r} cannot be set against itself.")
    if len({frozenset(pair) for pair in pairs}) < len(pairs):
        raise SpecError("an eligible pair is given twice; its order does not matter.")
    if not pairs:
        raise SpecError("no pair is eligible; give at least two contestants.")
    return pairs


def _tallies(
    scores: Scores, pairs: Sequence[tuple[str, str]]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(P,) votes, Σ y and Σ y² of the given pairs, y the score of the pair's smaller id.

    Exchanging sides turns y into 1 − y and leaves the variance as it is.
    """
    m = len(scores.contestants)
    key = scores.first.astype(np.int64) * m + scores.second
    met, index = np.unique(key, return_inverse=True)
    sums = [
        np.append(np.bincount(index, weights=w, minlength=met.size), 0.0)
        for w in (None, scores.y, scores.y**2)
    ]
    wanted = _keys(scores.contestants, pairs)
    place = np.minimum(np.searchsorted(met, wanted), met.size - 1)
    place = np.where(met[place] == wanted, place, met.size)
    return sums[0][place].astype(np.float64), sums[1][place], sums[2][place]


def _keys(contestants: Sequence[str], pairs: Sequence[tuple[str, str]]) -> IndexArray:
    """(P,) key of each pair among the votes' contestants, −1 where one is new to them."""
    code = {name: i for i, name in enumerate(contestants)}
    m = len(contestants)
    keys = np.full(len(pairs), -1, dtype=np.intp)
    for k, (first, second) in enumerate(pairs):
        i, j = code.get(first, -1), code.get(second, -1)
        if min(i, j) >= 0:
            keys[k] = min(i, j) * m + max(i, j)
    return keys


def votes_to_separate(
    votes: Votes,
    first: str,
    second: str,
    spec: RankingSpec | None = None,
    *,
    power: float = 0.8,
) -> Separation:
    """Votes between two placed contestants that would tell them apart, beyond those there are.

    Takes the fitted gap for the true one and adds the information of new votes between the two to
    the precision that the gap has already. Raises SpecError for power out of range and for
    somebody who is not placed, and what `fit` raises.
    """
    _check_share("power", power)
    compared = pairwise_contrasts(votes, spec)
    if first == second:
        raise SpecError(f"{first!r} cannot be told apart from itself.")
    pair = compared.of(first, second)
    gap, error = pair.difference, pair.se
    reach = max(0.0, compared.reach + float(special.ndtri(power)))
    information = vote_information(gap, scale=compared.board.spec.scale)
    missing = math.inf if gap == 0.0 else (reach / gap) ** 2 - 1.0 / error**2
    return Separation(
        first=first,
        second=second,
        gap=gap,
        se=error,
        information=information,
        votes=max(0.0, math.ceil(missing / information) if missing < math.inf else missing),
        confidence=compared.board.spec.confidence,
        power=power,
    )
