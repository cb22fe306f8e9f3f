"""Estimates with a few rows more or fewer, told apart without a fit wherever a bound decides.

Let f be the loss of all rows with its minimum at β₀, A its Hessian there, and δf the loss of the
rows that come, less that of those that go. While no row's log-odds lie further than δ from where
they are at β₀, curvatures change by a factor between e^−δ and e^δ, so that f + δf is at least
e^−δ(1 − t) times as curved as A, with t = λ_max(A⁻¹D) <= tr(A⁻¹D) for the curvature D of the rows
that go. With the gradient G of f + δf at a point β and λ² = GᵀA⁻¹G, the estimate β* is then no
further away than

    ‖β* − β‖_A <= r = 2 e^δ λ / (1 − t)     where  ρ r <= ½

and ρ is the largest row in the norm of A⁻¹: on the sphere of that radius the loss rises outwards
(as with the self-concordance of Bach 2010). So an estimate exists, everybody is placed by it, and
θ_i − θ_j is known to r times its model-based standard error.

The gradient of δf costs only its rows. That of f is known at a few points, its bases; from one of
them it is A(β − β_b) away but for (e^δ − 1) ‖β − β_b‖_A. Near enough to a base nothing has to be
read; otherwise one pass over the rows, of the gradient alone, makes a new base.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from scipy import linalg

from ranking.arrays import FloatArray, IndexArray
from ranking.design import PairDesign, blocks_of
from ranking.fitting import Estimate
from ranking.newton import evaluate, gauge, gradient
from ranking.ranks import SAME, contrast_errors

_PASSES = 4
_BASES = 8
# Steps along a parabola, and how short the last one is, of the way, when nothing is left to gain.
_CHORDS = 30
_CLOSE = 1e-7
# So far may log-odds move before a fit is the better judge.
_FURTHEST = 1.5
# A trace that bounds the largest eigenvalue well enough, and bounds of it that are tried otherwise.
_LITTLE = 0.05
_SHARES = (0.1, 0.3, 0.6, 0.85)

_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Near:
    """Where an estimate is: theta and gamma to within bounds.

    spread: (M, M) by how much θ_i − θ_j may differ from what theta says.
    """

    theta: FloatArray
    gamma: FloatArray
    spread: FloatArray

    def above(self, i: int) -> tuple[int, int]:
        """How many are above contestant i: for certain, and at most."""
        lead, wide = self.theta - self.theta[i], self.spread[i]
        return int((lead - wide > SAME).sum()), int((lead + wide > SAME).sum())

    def leads(self, i: int, j: int) -> bool | None:
        """Whether i is above j; None where the bound does not tell."""
        lead, wide = float(self.theta[i] - self.theta[j]), float(self.spread[i, j])
        if lead - wide > SAME:
            return True
        return False if lead + wide <= SAME else None


@dataclass(frozen=True, slots=True)
class _Base:
    """A point, (M + K,), its distance δ from the estimate in log-odds, and f's gradient there."""

    point: FloatArray
    reach: float
    gradient: FloatArray


@dataclass(frozen=True, slots=True)
class _Changed:
    """Rows that come or go, about the inverse of the curvature with them, and the share t lost."""

    rows: PairDesign
    inverse: FloatArray
    lost: float


@dataclass(slots=True)
class Nearby:
    """What is near an estimate of Bradley-Terry without weights.

    metric: (M + K, M + K) A, and inverse. errors: (M, M) model-based ones of θ_i − θ_j. widest: ρ.
    """

    fitted: Estimate
    metric: FloatArray
    inverse: FloatArray
    errors: FloatArray
    widest: float
    bases: list[_Base] = field(default_factory=list)

    @classmethod
    def of(cls, fitted: Estimate) -> Nearby | None:
        """None where the bounds do not hold: other likelihoods, or rows with weights."""
        design, solution = fitted.design, fitted.solution
        if design.weighted or design.likelihood.parameters:
            return None
        metric = solution.hessian + gauge(design, solution.hessian)
        inverse = np.asarray(linalg.inv(metric, check_finite=False))
        smallest = float(linalg.eigh(metric, eigvals_only=True, subset_by_index=[0, 0])[0])
        m, point = design.contestants, np.concatenate([solution.theta, solution.gamma])
        found = cls(
            fitted=fitted,
            metric=metric,
            inverse=inverse,
            errors=contrast_errors(inverse[:m, :m]),
            widest=design.row_norm / np.sqrt(smallest),
        )
        found.bases.append(_Base(point, 0.0, gradient(design, point)))
        return found

    def settle(self, change: PairDesign, tell: Callable[[Near], _Told | None]) -> _Told | None:
        """What is told of the estimate with `change`, as soon as bounds allow; None: they do not.

        change: rows that come, of weight 1, or that go, of weight −1.
        """
        changed = self._changed(change)
        if changed is None:
            return None
        start = self._chord(changed, self.bases[0])
        base = min(self.bases, key=lambda known: self._size(start - known.point))
        for passes in range(_PASSES + 1):
            point = self._chord(changed, base)
            reach = self._reach(point - self.bases[0].point)
            if not reach <= _FURTHEST:
                return None
            near = self._near(changed, base, point, reach)
            told = None if near is None else tell(near)
            if told is not None:
                return told
            if passes < _PASSES:
                base = _Base(point, reach, gradient(self.fitted.design, point))
                self.bases = [self.bases[0], *self.bases[1:][1 - _BASES :], base]
        return None

    def _changed(self, change: PairDesign) -> _Changed | None:
        """A change with what it does to the curvature; None where too much is lost."""
        assert change.weight is not None
        gone = -np.minimum(change.weight, 0.0)
        if not gone.any():
            return _Changed(change, self.inverse, 0.0)
        curvature = evaluate(replace(change, weight=gone), self.bases[0].point).hessian
        lost = float((self.inverse * curvature).sum())
        if lost <= _LITTLE:
            return _Changed(change, self.inverse, lost)
        for share in _SHARES:
            if _is_positive(share * self.metric - curvature):
                inverse = linalg.inv(self.metric - curvature, check_finite=False)
                return _Changed(change, inverse, share)
        return None

    def _near(self, changed: _Changed, base: _Base, point: FloatArray, reach: float) -> Near | None:
        """How far the estimate may be from a point; None where that is too far to say."""
        left = self._left(changed, base, point)
        bends = np.expm1(max(reach, base.reach))
        if base.reach == 0.0 and reach > 0.0:
            # From the estimate itself the change of the curvature grows along the way.
            bends = (bends - reach) / reach
        size = float(np.sqrt(np.maximum(left @ self.inverse @ left, 0.0)))
        size += float(bends) * self._size(point - base.point)
        radius = 2.0 * float(np.exp(reach)) / (1.0 - changed.lost) * size
        if self.widest * radius > 0.5:
            return None
        m = self.fitted.design.contestants
        return Near(point[:m], point[m:], radius * self.errors)

    def _chord(self, changed: _Changed, base: _Base) -> FloatArray:
        """The estimate with the change as it is if f is the parabola that a base tells of."""
        point, last = base.point.copy(), np.inf
        for _ in range(_CHORDS):
            step = -changed.inverse @ self._left(changed, base, point)
            size = self._size(step)
            if not size < last:
                break
            point += step
            if size <= _CLOSE * self._size(point - base.point):
                break
            last = size
        return point

    def _left(self, changed: _Changed, base: _Base, point: FloatArray) -> FloatArray:
        """The gradient of f + δf at a point, f's taken from a base."""
        of_all = base.gradient + self.metric @ (point - base.point)
        return of_all + gradient(changed.rows, point)

    def _size(self, away: FloatArray) -> float:
        return float(np.sqrt(np.maximum(away @ self.metric @ away, 0.0)))

    def _reach(self, away: FloatArray) -> float:
        """Bound on the change of any row's log-odds."""
        design = self.fitted.design
        m = design.contestants
        gap = np.abs(away[design.first] - away[design.second]).max()
        return float(gap + design.reach @ np.abs(away[m:]))


def _is_positive(matrix: FloatArray) -> bool:
    try:
        linalg.cholesky(matrix, lower=True, check_finite=False)
    except linalg.LinAlgError:
        return False
    return True


def few_rows(design: PairDesign, rows: IndexArray, y: FloatArray, weight: FloatArray) -> PairDesign:
    """A design of some rows of another, which may repeat, with outcomes and weights of their own.

    rows: (k,) positions, k >= 1. y: (k,) for the pair's first. It has no prior.
    """
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    pair = np.searchsorted(design.starts, rows, side="right") - 1
    begins = np.flatnonzero(np.append(True, pair[1:] != pair[:-1]))
    starts = np.append(begins, rows.size)
    met = pair[begins]
    return replace(
        design,
        first=design.first[met],
        second=design.second[met],
        starts=starts,
        y=y[order],
        x=design.x[:, rows],
        weight=weight[order],
        rows=design.rows[rows],
        blocks=blocks_of(starts),
        prior_strengths=0.0,
        prior_coefficients=0.0,
    )
