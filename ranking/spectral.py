"""Rankings from the win graph alone: average win rate and PageRank.

Neither needs the maximum-likelihood estimate to exist, and neither corrects for whom a
contestant was set against as a fit does. They stand beside a fit, not in its place.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ranking.arrays import FloatArray
from ranking.errors import ConvergenceError, SpecError
from ranking.ranks import ranks_of
from ranking.result import Counts
from ranking.scores import Scores, scores_of
from ranking.spec import RankingSpec
from ranking.votes import Votes


@dataclass(frozen=True, slots=True)
class WinRate:
    """One contestant's share of wins, a tie half a win; each in [0, 1].

    over_opponents: mean over the opponents it met of its share against each. over_votes: share
    of all its votes, in which often met opponents count more. opponents: how many it met.
    rank: 1 + number of contestants with a strictly higher over_opponents.
    """

    contestant: str
    over_opponents: float
    over_votes: float
    opponents: int
    rank: int
    votes: int


@dataclass(frozen=True, slots=True)
class WinRates:
    """Win rates in order of rank; absent are contestants without a counted vote."""

    spec: RankingSpec
    rates: tuple[WinRate, ...]
    absent: tuple[str, ...]
    counts: Counts

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with a fixed order of keys."""
        return _document(self)


@dataclass(frozen=True, slots=True)
class PageRankShare:
    """One contestant's share of the surfer's time (all sum to 1) and its rank by it."""

    contestant: str
    share: float
    rank: int
    votes: int


@dataclass(frozen=True, slots=True)
class PageRank:
    """PageRank of the win graph in order of rank; absent are contestants without a counted vote.

    converged, iterations, change: the last iteration moved `change` of the surfer's time, and the
    shares lie within change · damping/(1 − damping) of the limit (sum of absolute differences).
    """

    spec: RankingSpec
    damping: float
    converged: bool
    iterations: int
    change: float
    shares: tuple[PageRankShare, ...]
    absent: tuple[str, ...]
    counts: Counts

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with a fixed order of keys."""
        return _document(self)


def _document(result: WinRates | PageRank) -> dict[str, Any]:
    data = asdict(result)
    data["spec"], data["counts"] = result.spec.to_dict(), result.counts.to_dict()
    return data


def win_rates(votes: Votes, spec: RankingSpec | None = None) -> WinRates:
    """Average win rate of each contestant, over its opponents and over its votes.

    Votes count with their weights. Raises SpecError for a spec with controls.
    """
    spec = spec or RankingSpec()
    scores = scores_of(votes, spec, method="the average win rate")
    won, met = _won(scores), _met(scores)
    # Both hold an entry for every ordered pair that met, also where nobody won, in one order.
    share = sparse.csr_array((won.data / met.data, met.indices, met.indptr), shape=met.shape)
    opponents = np.diff(met.indptr)
    votes_of = scores.votes_of()
    present = np.flatnonzero(votes_of)
    over_opponents = _row_sums(share)[present] / opponents[present]
    over_votes = _row_sums(won)[present] / _row_sums(met)[present]
    rank = ranks_of(over_opponents)
    rates = [
        WinRate(
            contestant=scores.contestants[i],
            over_opponents=float(over_opponents[k]),
            over_votes=float(over_votes[k]),
            opponents=int(opponents[i]),
            rank=int(rank[k]),
            votes=int(votes_of[i]),
        )
        for k, i in enumerate(present)
    ]
    rates.sort(key=lambda entry: (entry.rank, entry.contestant))
    return WinRates(spec, tuple(rates), _absent(scores), scores.counts)


def pagerank(
    votes: Votes,
    spec: RankingSpec | None = None,
    *,
    damping: float = 0.85,
    tolerance: float = 1e-12,
    iterations: int = 1000,
) -> PageRank:
    """PageRank of the win graph (Page, Brin, Motwani & Winograd 1999).

    A surfer at a contestant moves on to one that beat it, in proportion to the weight of those
    wins (a tie is half a win either way), and with probability 1 − damping, or where nobody ever
    beat it, to any contestant alike. Stops when an iteration moves less than `tolerance` of the
    surfer's time. Wins are counted, so whoever met others more often collects more of it: where
    exposure is uneven the shares rank exposure more than strength.

    Raises ConvergenceError when that takes more than `iterations`, SpecError for controls and
    for values out of range.
    """
    spec = spec or RankingSpec()
    _check(damping, tolerance, iterations)
    scores = scores_of(votes, spec, method="PageRank")
    votes_of = scores.votes_of()
    present = np.flatnonzero(votes_of)
    won = _won(scores)[present][:, present]
    share, change, taken = stationary(won, damping, tolerance, iterations)
    # Ranks tell apart what the iteration can tell apart, whatever the number of contestants.
    rank = ranks_of(share * share.size)
    shares = [
        PageRankShare(scores.contestants[i], float(share[k]), int(rank[k]), int(votes_of[i]))
        for k, i in enumerate(present)
    ]
    shares.sort(key=lambda entry: (entry.rank, entry.contestant))
    found = tuple(shares), _absent(scores), scores.counts
    return PageRank(spec, float(damping), True, taken, change, *found)


def stationary(
    won: sparse.csr_array, damping: float, tolerance: float, iterations: int
) -> tuple[FloatArray, float, int]:
    """Shares (M,) of a surfer's time by power iteration, the last change, and its number.

    won: (M, M) weight of i's wins over j. Raises ConvergenceError after `iterations`.
    """
    m = won.shape[0]
    lost = np.asarray(won.sum(axis=0)).ravel()
    outward = np.divide(1.0, lost, out=np.zeros(m), where=lost > 0.0)
    share = np.full(m, 1.0 / m)
    change = math.inf
    for iteration in range(1, iterations + 1):
        followed = won @ (outward * share)
        moved = damping * followed + (1.0 - damping * followed.sum()) / m
        change = float(np.abs(moved - share).sum())
        share = moved
        if change < tolerance:
            return share, change, iteration
    raise ConvergenceError(
        f"PageRank still moves {change:.3g} of the surfer's time after {iterations} iterations; "
        "allow more of them, a larger tolerance or a smaller damping."
    )


def _check(damping: float, tolerance: float, iterations: int) -> None:
    if not 0.0 < damping < 1.0:
        raise SpecError(f"damping must lie between 0 and 1, not {damping!r}.")
    if not 0.0 < tolerance < 1.0:
        raise SpecError(f"tolerance must lie between 0 and 1, not {tolerance!r}.")
    if isinstance(iterations, bool) or not isinstance(iterations, int) or iterations < 1:
        raise SpecError(f"iterations must be a whole number of at least 1, not {iterations!r}.")


def _row_sums(matrix: sparse.csr_array) -> FloatArray:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def _won(scores: Scores) -> sparse.csr_array:
    """(M, M) weight of i's wins over j, a tie half a win either way."""
    return _matrix(scores, scores.y, 1.0 - scores.y)


def _met(scores: Scores) -> sparse.csr_array:
    """(M, M) weight of the votes between i and j."""
    ones = np.ones(len(scores))
    return _matrix(scores, ones, ones)


def _matrix(scores: Scores, to_first: FloatArray, to_second: FloatArray) -> sparse.csr_array:
    """(M, M) sums, per ordered pair, of what votes give the contestant of the row."""
    m = len(scores.contestants)
    weight = np.ones(len(scores)) if scores.weight is None else scores.weight
    rows = np.concatenate([scores.first, scores.second])
    columns = np.concatenate([scores.second, scores.first])
    given = np.concatenate([weight * to_first, weight * to_second])
    matrix = sparse.coo_array((given, (rows, columns)), shape=(m, m)).tocsr()
    return matrix


def _absent(scores: Scores) -> tuple[str, ...]:
    return tuple(scores.contestants[i] for i in np.flatnonzero(scores.votes_of() == 0))
