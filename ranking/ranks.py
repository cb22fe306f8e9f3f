"""Ranks, and sets of ranks that hold for all contestants at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import linalg

from ranking.arrays import FloatArray, IndexArray
from ranking.threads import in_order

# Estimates are certified to 1e-9, so what lies closer than that is a tie.
SAME = 1e-9
_CHUNK = 256
# Of fewer contestants all pairs are looked at, of more those of so many that are furthest out, and
# of every contestant so many pairs whose errors go together most. Single precision is this good.
_FEW, _OUTERMOST, _CLOSE = 80, 24, 3
_ROUNDED = 1.0 + 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class JointDraws:
    """Seeded draws of the joint error of M strengths.

    order: (M,) contestants by falling strength; the other arrays are in this order, so that
    relabelling changes nothing. theta: (M,). error: (M, M) s_ij of θ_i − θ_j.
    z: (M, draws) of N(0, V). stretch: (draws,) √(χ²_ν/ν) that makes them t, None for normal.
    seed: of the draws.
    """

    order: IndexArray
    theta: FloatArray
    error: FloatArray
    z: FloatArray
    stretch: FloatArray | None
    seed: int

    def widest(self) -> FloatArray:
        """(draws,) max_{i<j} |Z_i − Z_j|/s_ij of each draw."""
        inverse = np.divide(1.0, self.error, out=np.zeros_like(self.error), where=self.error > 0.0)
        outermost = _Outermost.of(self.error, inverse)
        work = partial(_widest, inverse=inverse) if outermost is None else outermost.widest
        widest = np.concatenate(in_order(work, _chunks(self.z)))
        return widest if self.stretch is None else widest / self.stretch

    def rank_chances(self) -> FloatArray:
        """(M, M) share of draws of θ + error in which each contestant has rank 1, 2, … M.

        In the order of labels. Strengths that even a draw leaves level are ordered by lot.
        """
        m, draws = self.z.shape
        error = self.z if self.stretch is None else self.z / self.stretch
        lot = np.random.default_rng([self.seed, 1]).standard_normal((m, draws))
        chunks = _chunks(self.theta[:, None] + error + SAME * lot)
        counts = np.sum(in_order(_rank_counts, chunks), axis=0)
        chances = np.empty((m, m))
        chances[self.order] = counts / draws
        return chances


def ranks_of(theta: FloatArray) -> IndexArray:
    """1 + number of contestants strictly above each, (M,)."""
    above = theta[None, :] - theta[:, None] > SAME
    return np.asarray(1 + above.sum(axis=1))


def contrast_errors(covariance: FloatArray) -> FloatArray:
    """(M, M) standard errors s_ij of θ_i − θ_j: s_ij² = V_ii + V_jj − 2V_ij."""
    variance = covariance.diagonal()
    return np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * covariance, 0.0))


def joint_draws(
    theta: FloatArray, covariance: FloatArray, *, draws: int, seed: int, degrees: float | None
) -> JointDraws:
    """Draws of the error of M >= 2 strengths theta, (M,), with covariance (M, M) as contrasts.

    degrees: of t when clustered, None for normal.
    """
    order = np.argsort(-theta, kind="stable")
    v, m = covariance[np.ix_(order, order)], theta.size
    generator = np.random.default_rng(seed)
    normal = generator.standard_normal((draws, m - 1))
    # Contrasts with the last contestant: the covariance itself is singular along the constant.
    contrast = v[:-1, :-1] - v[:-1, -1:] - v[-1:, :-1] + v[-1, -1]
    z = np.zeros((m, draws))
    z[:-1] = _root(contrast) @ normal.T
    stretch = None
    if degrees is not None:
        stretch = np.sqrt(generator.chisquare(degrees, draws) / degrees)
    return JointDraws(order, theta[order], contrast_errors(v), z, stretch, seed)


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
    joint = joint_draws(theta, covariance, draws=draws, seed=seed, degrees=degrees)
    reach = float(np.quantile(joint.widest(), confidence)) * joint.error
    lead = joint.theta[:, None] - joint.theta[None, :]
    best, worst = np.empty(m, dtype=np.intp), np.empty(m, dtype=np.intp)
    best[joint.order] = 1 + (-lead > reach).sum(axis=1)
    worst[joint.order] = m - (lead > reach).sum(axis=1)
    return best, worst


def overlap_spread(lower: FloatArray, upper: FloatArray) -> tuple[IndexArray, IndexArray]:
    """The field's "rank spread": best and worst rank by intervals that do not overlap; (M,) each.

    Contestant i counts as below j only when upper_i < lower_j. It is not a confidence set: the
    intervals are marginal and ignore how the two estimates vary together.
    """
    below = upper[:, None] < lower[None, :]
    return np.asarray(1 + below.sum(axis=1)), np.asarray(lower.size - below.sum(axis=0))


def _chunks(columns: FloatArray) -> list[FloatArray]:
    return [columns[:, start : start + _CHUNK] for start in range(0, columns.shape[1], _CHUNK)]


def _rank_counts(sample: FloatArray) -> IndexArray:
    """(M, M) in how many columns of a sample, (M, draws), each row has each rank."""
    m = sample.shape[0]
    at = np.argsort(-sample, axis=0)
    cell = at * m + np.arange(m)[:, None]
    return np.bincount(cell.ravel(), minlength=m * m).reshape(m, m)


def _root(covariance: FloatArray) -> FloatArray:
    """L with L Lᵀ = covariance, also of a singular one (votes that a fit explains fully)."""
    try:
        return np.asarray(linalg.cholesky(covariance, lower=True))
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(covariance)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


@dataclass(frozen=True, slots=True, eq=False)
class _Outermost:
    """The widest gap of a draw from the contestants that lie furthest out in it.

    With κ_ij = √(v_i + v_j)/s_ij, v_i the variance of Z_i − mean Z, and C_i that difference, a gap
    |Z_i − Z_j|/s_ij is at most κ_ij √(C_i²/v_i + C_j²/v_j) (Cauchy-Schwarz), and the widest one of
    many pairs is nearly that. So no pair needs looking at with a contestant too far in for this
    bound to reach what those further out make.

    inverse: (M, M) 1/s_ij. scale: (M,) 1/v_i. close: two (C,) ids of the pairs of largest κ, which
    are looked at in every draw. bend: the largest κ of the others.
    """

    inverse: FloatArray
    scale: FloatArray
    close: tuple[IndexArray, IndexArray]
    bend: float

    @classmethod
    def of(cls, error: FloatArray, inverse: FloatArray) -> _Outermost | None:
        """None where looking at every pair is no more work, or an error is 0."""
        m, squares = len(error), error**2
        # ½ s_ij² is a semivariogram, whose double centring is the covariance of the differences.
        variance = squares.mean(axis=0) - 0.5 * squares.mean()
        first, second = np.triu_indices(m, 1)
        apart = error[first, second]
        if m < _FEW or not (apart.min() > 0.0 and variance.min() > 0.0):
            return None
        bend = np.sqrt(variance[first] + variance[second]) / apart
        rank = np.argpartition(bend, -_CLOSE * m)
        close = rank[-_CLOSE * m :]
        largest = float(bend[rank[: -_CLOSE * m]].max())
        return cls(inverse, 1.0 / variance, (first[close], second[close]), largest)

    def widest(self, z: FloatArray) -> FloatArray:
        """As `_widest`, to the last bit."""
        m = z.shape[0]
        out = (z - z.mean(axis=0)) ** 2 * self.scale[:, None]
        top = np.argpartition(out, m - _OUTERMOST, axis=0)[m - _OUTERMOST :]
        known = np.take_along_axis(out, top, axis=0)
        near, inverse = z.astype(np.float32), self.inverse.astype(np.float32)
        one, other = self.close
        widest = (np.abs(near[one] - near[other]) * inverse[one, other][:, None]).max(axis=0)
        there = np.take_along_axis(near, top, axis=0)
        for i in range(_OUTERMOST - 1):
            gap = np.abs(there[i + 1 :] - there[i]) * inverse[top[i + 1 :], top[i]]
            np.maximum(widest, gap.max(axis=0), out=widest)
        bound = self.bend * np.sqrt(known.max(axis=0) + known.min(axis=0))
        found: FloatArray = widest.astype(np.float64)
        unsure = bound * _ROUNDED >= found
        if unsure.any():
            found[unsure] = _widest(z[:, unsure], self.inverse)
        return found


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
