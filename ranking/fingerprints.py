"""How contestants write: the spread of a metric over the answers of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ranking.arrays import FloatArray, IndexArray, IntArray
from ranking.covariates import TIMINGS
from ranking.design import sort_by
from ranking.votes import Votes

SHARES = (0.1, 0.5, 0.9)
"""Where a spread is cut: low, median, high."""


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """One metric of M contestants: votes (M,) whose answer carries it, its mean and its SHARES.

    mean: (M,), quantiles: (3, M); NaN without a vote.
    """

    metric: str
    votes: IndexArray
    mean: FloatArray
    quantiles: FloatArray


def fingerprints(
    votes: Votes, rows: IndexArray | None, metrics: Sequence[str]
) -> Iterator[Fingerprint]:
    """Each of these metrics that the votes carry, over some rows of them (None: all).

    A contestant's answers of both sides count alike, each vote once. Timings of 0 are left out:
    that is what a vote says whose answers were shown at one pace (see ranking.tables).
    """
    a, b = (column if rows is None else column[rows] for column in (votes.a, votes.b))
    sides = np.concatenate([a, b])
    order, starts, met = sort_by(sides, len(votes.contestants))
    for metric in metrics:
        if metric in votes.features:
            values = _gathered(votes.features[metric], rows, order)
            if metric in TIMINGS:
                values[values == 0.0] = np.nan
            yield _fingerprint(metric, values, starts, met, len(votes.contestants))


def _gathered(
    sides: tuple[FloatArray, FloatArray], rows: IndexArray | None, order: IntArray
) -> FloatArray:
    """(2n,) values of all answers, contestant after contestant."""
    values = np.concatenate([side if rows is None else side[rows] for side in sides])
    return values[order]


def _fingerprint(
    metric: str, values: FloatArray, starts: IndexArray, met: IndexArray, m: int
) -> Fingerprint:
    count, mean = np.zeros(m, dtype=np.intp), np.full(m, np.nan)
    quantiles = np.full((len(SHARES), m), np.nan)
    for contestant, begin, end in zip(met, starts[:-1], starts[1:], strict=True):
        # NaN sorts last.
        own = np.sort(values[begin:end])
        own = own[: own.size - int(np.isnan(own).sum())]
        if own.size:
            count[contestant] = own.size
            mean[contestant] = own.mean()
            quantiles[:, contestant] = _cut(own)
    return Fingerprint(metric, count, mean, quantiles)


def _cut(own: FloatArray) -> FloatArray:
    """The SHARES of sorted values, interpolated between neighbours."""
    place = np.array(SHARES) * (own.size - 1)
    low = place.astype(np.intp)
    high = np.minimum(low + 1, own.size - 1)
    return np.asarray(own[low] + (place - low) * (own[high] - own[low]))
