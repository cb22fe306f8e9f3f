"""Exact maximum likelihood by damped Newton over block passes, with a certificate.

Minimises the loss f(θ, γ) = −Σ log-likelihood over M strengths and K coefficients, where
η = θ_first − θ_second + x·γ. Gradient −Zᵀr and Hessian ZᵀDZ with rows z = (e_first − e_second, x).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ranking.arrays import FloatArray
from ranking.design import PairDesign, assemble, pair_sums
from ranking.errors import ConvergenceError
from ranking.likelihoods import bradley_terry

TOLERANCE = 1e-9
CERTIFICATE = 0.5
ITERATIONS = 100
_HALVINGS = 40
_NOISE = 1e-13
_SINGULAR = 1e-13


class NoEstimateError(Exception):
    """The loss falls for ever along `step`, (M + K,), scaled to change some row's η by 1."""

    def __init__(self, step: FloatArray) -> None:
        super().__init__("the likelihood has no maximum")
        self.step = step


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Loss at a point with its gradient (M + K,) and Hessian (M + K, M + K)."""

    loss: float
    gradient: FloatArray
    hessian: FloatArray


@dataclass(frozen=True, slots=True)
class Solution:
    """The minimum: theta (M,), of mean 0 in each group; gamma (K,), per unit of each scale.

    loss, gradient_norm (largest absolute entry) and hessian are those of the last evaluation,
    which lies within `step` (bound on the change of any η, < 1e-9) of the solution.
    certificate is R·λ/√μ (<= 1/2) there, slope the constraint's multiplier (0 without one).
    """

    theta: FloatArray
    gamma: FloatArray
    loss: float
    hessian: FloatArray
    iterations: int
    gradient_norm: float
    step: float
    certificate: float
    slope: float = 0.0


def _odds(design: PairDesign, point: FloatArray) -> Callable[[int, int], FloatArray]:
    """A function of a block that gives η of its rows at (θ, γ)."""
    theta, gamma = point[: design.contestants], point[design.contestants :]
    gap, counts = theta[design.first] - theta[design.second], design.counts

    def of_block(low: int, high: int) -> FloatArray:
        eta: FloatArray = np.repeat(gap[low:high], counts[low:high])
        if gamma.size:
            eta += gamma @ design.x[:, design.starts[low] : design.starts[high]]
        return eta

    return of_block


def evaluate(design: PairDesign, point: FloatArray) -> Evaluation:
    """Loss, gradient and Hessian at (θ, γ), (M + K,), in one pass over the rows."""
    odds, pairs, k = _odds(design, point), design.first.size, len(design.names)
    pair_r, pair_v, pair_vx = np.empty(pairs), np.empty(pairs), np.empty((k, pairs))

    def work(low: int, high: int) -> tuple[float, FloatArray, FloatArray]:
        begin, end = design.starts[low], design.starts[high]
        x, offsets = design.x[:, begin:end], design.starts[low:high] - begin
        weight = None if design.weight is None else design.weight[begin:end]
        y = design.y[begin:end]
        loss, residual, curvature = bradley_terry(odds(low, high), y, weight)
        np.add.reduceat(residual, offsets, out=pair_r[low:high])
        xx = pair_sums(curvature, x, offsets, pair_v[low:high], pair_vx[:, low:high])
        return loss, x @ residual, xx

    losses, xr, xx = zip(*design.each_block(work), strict=True)
    gradient = -np.concatenate([design.scatter(pair_r, -pair_r), np.sum(xr, axis=0)])
    hessian = assemble(design, pair_v, pair_vx, np.sum(xx, axis=0))
    return Evaluation(float(np.sum(losses)), gradient, hessian)


def residuals(design: PairDesign, theta: FloatArray, gamma: FloatArray) -> FloatArray:
    """w (y − p) of every row, (n,): the score is residual · z."""
    odds = _odds(design, np.concatenate([theta, gamma]))

    def work(low: int, high: int) -> FloatArray:
        begin, end = design.starts[low], design.starts[high]
        weight = None if design.weight is None else design.weight[begin:end]
        return bradley_terry(odds(low, high), design.y[begin:end], weight)[1]

    return np.concatenate(design.each_block(work))


def gauge(design: PairDesign, hessian: FloatArray) -> FloatArray:
    """(M + K, M + K) added to a Hessian to fix the mean of each group and change nothing else.

    The Hessian maps each group's constant vector to 0; this gives it an eigenvalue as large as
    the largest diagonal entry, so the smallest eigenvalue of the sum is the Hessian's own.
    """
    m = design.contestants
    same = (design.group[:, None] == design.group[None, :]).astype(float)
    added = np.zeros_like(hessian)
    added[:m, :m] = same * (hessian.diagonal().max() / same.sum(axis=1))
    return added


def solve(
    design: PairDesign, *, start: FloatArray | None = None, constraint: FloatArray | None = None
) -> Solution:
    """The maximum-likelihood estimate.

    start: (M + K,) first point (None: 0). constraint: (M,) contrast c that keeps the value
    cᵀθ it has at the start.

    Full Newton steps, halved until the loss falls. A small gradient alone is never convergence:
    the last step must change no η by 1e-9 or more, and R·λ/√μ <= ½ with λ² = gᵀH⁻¹g,
    μ = λ_min(H + gauge) and R the largest row norm must show that a minimum lies nearby
    (the logistic loss is self-concordant with |η|, Bach 2010).

    Raises NoEstimateError when there is no minimum, ConvergenceError when it was not reached.
    """
    size = design.contestants + len(design.names)
    point = np.zeros(size) if start is None else start.copy()
    c = None if constraint is None else np.concatenate([constraint, np.zeros(len(design.names))])
    here = evaluate(design, point)
    step = np.zeros(size)
    for iteration in range(1, ITERATIONS + 1):
        step, slope = _step(design, here, c, step)
        change = _largest_change(design, step)
        point += step
        if change < TOLERANCE:
            return _certified(design, point, here, step, iteration, slope)
        here = _descend(design, point, here, step)
    raise NoEstimateError(step / change)


def _step(
    design: PairDesign, here: Evaluation, c: FloatArray | None, last: FloatArray
) -> tuple[FloatArray, float]:
    """Newton's step −H⁻¹g, along which cᵀθ does not change, and c's multiplier."""
    matrix = here.hessian + gauge(design, here.hessian)
    try:
        factor = linalg.cho_factor(matrix, lower=True, check_finite=False)
    except linalg.LinAlgError:
        raise _gone(design, last) from None
    if factor[0].diagonal().min() ** 2 < _SINGULAR * matrix.diagonal().max():
        raise _gone(design, last)
    step: FloatArray = -linalg.cho_solve(factor, here.gradient, check_finite=False)
    if c is None:
        return step, 0.0
    toward = linalg.cho_solve(factor, c, check_finite=False)
    slope = -float(c @ step) / float(c @ toward)
    return step + slope * toward, slope


def _gone(design: PairDesign, step: FloatArray) -> NoEstimateError:
    return NoEstimateError(step / (_largest_change(design, step) or 1.0))


def _largest_change(design: PairDesign, step: FloatArray) -> float:
    """Bound on |Δη| of any row under a step of (θ, γ)."""
    m = design.contestants
    gap = np.abs(step[design.first] - step[design.second]).max()
    return float(gap + design.reach @ np.abs(step[m:]))


def _descend(
    design: PairDesign, point: FloatArray, here: Evaluation, step: FloatArray
) -> Evaluation:
    """The evaluation at `point`, which moves back towards the last one until the loss falls."""
    slack = _NOISE * abs(here.loss)
    back = step.copy()
    for _ in range(_HALVINGS):
        there = evaluate(design, point)
        if there.loss <= here.loss + slack:
            return there
        back *= 0.5
        point -= back
    if _certificate(design, here, step) > CERTIFICATE:
        raise _gone(design, step)
    raise ConvergenceError(
        f"Newton's method cannot lower the loss {here.loss:.6g} further; its largest gradient "
        f"entry is {np.abs(here.gradient).max():.3g}."
    )


def _certificate(design: PairDesign, here: Evaluation, step: FloatArray) -> float:
    """R·λ/√μ, a bound on the distance in η to a minimum when it is at most ½."""
    matrix = here.hessian + gauge(design, here.hessian)
    smallest = float(linalg.eigh(matrix, eigvals_only=True, subset_by_index=[0, 0])[0])
    decrement = float(np.sqrt(abs(step @ here.hessian @ step)))
    return design.row_norm * decrement / float(np.sqrt(smallest)) if smallest > 0.0 else np.inf


def _certified(
    design: PairDesign,
    point: FloatArray,
    here: Evaluation,
    step: FloatArray,
    iteration: int,
    slope: float,
) -> Solution:
    m = design.contestants
    bound = _certificate(design, here, step)
    if bound > CERTIFICATE:
        raise _gone(design, step)
    theta, gamma = point[:m].copy(), point[m:].copy()
    means = np.bincount(design.group, weights=theta) / np.bincount(design.group)
    return Solution(
        theta=theta - means[design.group],
        gamma=gamma,
        loss=here.loss,
        hessian=here.hessian,
        iterations=iteration,
        gradient_norm=float(np.abs(here.gradient).max()),
        step=_largest_change(design, step),
        certificate=bound,
        slope=slope,
    )
