"""Shares of votes with intervals that know that one voter's votes go together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from ranking.arrays import FloatArray, IndexArray
from ranking.votes import Votes

DIGITS = 6
_SAME = 9


def rounded(value: float) -> float:
    """To the millionth: what is told of shares and scores."""
    return round(float(value), DIGITS)


def voters_of(votes: Votes, rows: IndexArray) -> IndexArray:
    """(rows,) the voter of each row; an unknown one is a voter of its own."""
    voter = np.full(rows.size, -1) if votes.voter is None else votes.voter[rows].astype(np.int64)
    unknown = voter < 0
    first = 1 + int(voter.max(initial=-1))
    voter[unknown] = first + np.arange(int(unknown.sum()))
    return voter


def reach_of(confidence: float) -> float:
    """The normal quantile of a two-sided interval."""
    return float(special.ndtri(0.5 * (1.0 + confidence)))


def clustered_error(values: FloatArray, voter: IndexArray) -> float:
    """Standard error of a mean, its voters as clusters: √(G/(G−1) Σ_g (Σ (v − v̄))²)/n.

    Infinite for a single voter.
    """
    sums = np.bincount(voter, values - values.mean())
    clusters = int((np.bincount(voter) > 0).sum())
    if clusters < 2:
        return math.inf
    return math.sqrt(clusters / (clusters - 1) * float(np.square(sums).sum())) / values.size


def clustered_share(
    values: FloatArray, voter: IndexArray, confidence: float
) -> dict[str, Any] | None:
    """Mean of values in [0, 1] with its interval; None of none.

    Wilson's (1927) interval, which never leaves [0, 1], at the number of independent votes that
    would have the clustered error. Where all values are alike that error says nothing, and the
    effective number of voters n²/Σ n_g² stands in its place.
    """
    if not values.size:
        return None
    share, error = float(values.mean()), clustered_error(values, voter)
    spread = share * (1.0 - share)
    sizes = np.bincount(voter).astype(float)
    n = values.size**2 / float(np.square(sizes).sum())
    if 0.0 < error < math.inf and spread > 0.0:
        n = max(1.0, spread / error**2)
    z = reach_of(confidence)
    middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n)
    reach = z / (1.0 + z * z / n) * math.sqrt(spread / n + z * z / (4.0 * n * n))
    return {
        "votes": int(values.size),
        "share": rounded(share),
        "lower": rounded(max(0.0, middle - reach)),
        "upper": rounded(min(1.0, middle + reach)),
    }


def equal_parts(values: FloatArray, parts: int) -> list[IndexArray]:
    """Indices in parts of about equally many, by rising value; ties, but for rounding, by order."""
    order = np.argsort(values.round(_SAME), kind="stable")
    return [part for part in np.array_split(order, max(1, parts)) if part.size]
