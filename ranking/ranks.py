"""Ranks, and sets of ranks that hold for all contestants at once."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import linalg

from ranking.arrays import FloatArray, IndexArray
from ranking.threads import in_order

# Estimates are certified to 1e-9, so what lies closer than that is a tie.
SAME = 1e-9
_CHUNK = 256


def ranks_of(theta: FloatArray) -> IndexArray:
    """1 + number of contestants strictly above each, (M,)."""
    above = theta[None, :] - theta[:, None] > SAME
    return np.asarray(1 + above.sum(axis=1))


def rank_sets(
    theta: FloatArray,
    covariance: FloatArray,
    *,
    confidence: float,
    draws: int,
    seed: int,
    degrees: float | None,
) -> tuple[IndexArray, IndexArray]:
    """Best and worst rank of each of M contestants, all of them right at once with `confidence`.

    theta: (M,). covariance: (M, M) of theta as contrasts. degrees: of t when clustered, None for
    normal. With s_ij the standard error of θ_i − θ_j and c the quantile of
    max_{i<j} |Z_i − Z_j|/s_ij over seeded draws Z ~ N(0, V), contestant i is below j only when
    θ_j − θ_i > c·s_ij (Tukey-Kramer with the fit's own correlations; rank sets after
    Al Mohamad, Goeman & van Zwet 2022). The draws follow the order of theta, not of the labels,
    so that relabelling changes nothing.
    """
    m = theta.size
    if m < 2:
        return np.ones(m, dtype=np.intp), np.ones(m, dtype=np.intp)
    order = np.argsort(-theta, kind="stable")
    v, t = covariance[np.ix_(order, order)], theta[order]
    variance = v.diagonal()
    error = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * v, 0.0))
    widest = _widest_gaps(v, error, draws, seed, degrees)
    reach = float(np.quantile(widest, confidence)) * error
    lead = t[:, None] - t[None, :]
    best, worst = np.empty(m, dtype=np.intp), np.empty(m, dtype=np.intp)
    best[order] = 1 + (-lead > reach).sum(axis=1)
    worst[order] = m - (lead > reach).sum(axis=1)
    return best, worst


def _widest_gaps(
    v: FloatArray, error: FloatArray, draws: int, seed: int, degrees: float | None
) -> FloatArray:
    """(draws,) the largest standardised gap between any two contestants of each draw."""
    m = v.shape[0]
    generator = np.random.default_rng(seed)
    normal = generator.standard_normal((draws, m - 1))
    # Contrasts with the last contestant: the covariance itself is singular along the constant.
    contrast = v[:-1, :-1] - v[:-1, -1:] - v[-1:, :-1] + v[-1, -1]
    z = np.zeros((m, draws))
    z[:-1] = _root(contrast) @ normal.T
    inverse = np.divide(1.0, error, out=np.zeros_like(error), where=error > 0.0)
    chunks = [z[:, start : start + _CHUNK] for start in range(0, draws, _CHUNK)]
    widest = np.concatenate(in_order(partial(_widest, inverse=inverse), chunks))
    if degrees is not None:
        widest /= np.sqrt(generator.chisquare(degrees, draws) / degrees)
    return widest


def _root(covariance: FloatArray) -> FloatArray:
    """L with L Lᵀ = covariance, also of a singular one (votes that a fit explains fully)."""
    try:
        return np.asarray(linalg.cholesky(covariance, lower=True))
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(covariance)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _widest(z: FloatArray, inverse: FloatArray) -> FloatArray:
    """max_{i<j} |Z_i − Z_j|/s_ij of each column of z, (M, draws).

    In single precision: its error of 1e-6 is far below that of a quantile of 10,000 draws.
    """
    z, inverse = z.astype(np.float32), inverse.astype(np.float32)
    widest = np.zeros(z.shape[1], dtype=np.float32)
    gaps = np.empty_like(z)
    for i in range(z.shape[0] - 1):
        gap = np.subtract(z[i + 1 :], z[i], out=gaps[i + 1 :])
        gap *= inverse[i + 1 :, i : i + 1]
        np.maximum(widest, np.abs(gap, out=gap).max(axis=0), out=widest)
    return widest.astype(np.float64)
