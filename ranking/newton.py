"""Exact maximum likelihood by damped Newton over block passes, with a certificate.

Minimises the loss f(θ, γ) = −Σ log-likelihood − log-prior over M strengths and K coefficients,
where η = θ_first − θ_second + x·γ. Gradient −Zᵀr and Hessian ZᵀDZ with rows
z = (e_first − e_second, x), summed over the parts of a design wherever those lie. The last
coefficients are the likelihood's own parameters, where it has any (see ranking.likelihoods); a vote
then has several channels (see ranking.channels).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import linalg, special

from ranking.arrays import BoolArray, FloatArray
from ranking.channels import ChannelSums
from ranking.design import Design, PairDesign, assemble, pair_sums
from ranking.errors import ConvergenceError
from ranking.likelihoods import LEVEL, TIE, bradley_terry

TOLERANCE = 1e-9
MOST_TIED = 1.0 - 1e-9
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

    def __add__(self, other: Evaluation) -> Evaluation:
        return Evaluation(
            self.loss + other.loss, self.gradient + other.gradient, self.hessian + other.hessian
        )


@dataclass(frozen=True, slots=True)
class Solution:
    """The minimum: theta (M,), of mean 0 in each group; gamma (K,), per unit of each scale, the
    likelihood's own parameters last.

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


_Channels = tuple[FloatArray, float, FloatArray | None]


def _channels(design: PairDesign, point: FloatArray) -> Callable[[int, int], _Channels]:
    """A function of a block that gives what its rows predict at (θ, γ): η, tie, level."""
    theta, gamma = point[: design.contestants], point[design.contestants :]
    own = dict(zip(design.likelihood.parameters, gamma[len(design.names) :], strict=True))
    gamma, tie = gamma[: len(design.names)], float(own.get(TIE, 0.0))
    gap, counts = theta[design.first] - theta[design.second], design.counts
    mean = None
    if LEVEL in own:
        mean = own[LEVEL] + 0.5 * (theta[design.first] + theta[design.second])

    def of_block(low: int, high: int) -> _Channels:
        eta: FloatArray = np.repeat(gap[low:high], counts[low:high])
        if gamma.size:
            eta += gamma @ design.x[:, design.starts[low] : design.starts[high]]
        return eta, tie, None if mean is None else np.repeat(mean[low:high], counts[low:high])

    return of_block


def evaluate(design: Design, point: FloatArray) -> Evaluation:
    """Loss, gradient and Hessian at (θ, γ), (M + K,), in one pass over the rows."""
    return _with_prior(design, point, design.summed(partial(_of_rows, point=point)))


def gradient(design: PairDesign, point: FloatArray) -> FloatArray:
    """The gradient of Bradley-Terry's loss alone, (M + K,), for less than half of an evaluation."""
    odds, pair_r = _channels(design, point), np.empty(design.first.size)

    def work(low: int, high: int) -> FloatArray:
        begin, end = design.starts[low], design.starts[high]
        residual = design.y[begin:end] - special.expit(odds(low, high)[0])
        if design.weight is not None:
            residual *= design.weight[begin:end]
        np.add.reduceat(residual, design.starts[low:high] - begin, out=pair_r[low:high])
        return np.asarray(design.x[:, begin:end] @ residual)

    columns = np.sum(design.each_block(work), axis=0)
    rows = -np.concatenate([design.scatter(pair_r, -pair_r), columns])
    return rows + _prior_gradient(design, point)


def expected_meat(design: Design, point: FloatArray) -> FloatArray:
    """What Σ s sᵀ over the rows is expected to be if the model is right, (M + K, M + K).

    The Hessian, except that a score of weight w has the variance w² times that of one of weight 1.
    """
    rows = design.summed(partial(_of_rows_with_squared_weights, point=point))
    return _with_prior(design, point, rows).hessian


def _of_rows_with_squared_weights(part: PairDesign, point: FloatArray) -> Evaluation:
    squared = None if part.weight is None else part.weight**2
    return _of_rows(replace(part, weight=squared), point)


def _of_rows(part: PairDesign, point: FloatArray) -> Evaluation:
    """The evaluation of some rows, without the prior."""
    by_rows = _one_channel if not part.likelihood.parameters else _several_channels
    return by_rows(part, point)


def _one_channel(design: PairDesign, point: FloatArray) -> Evaluation:
    odds, pairs, k = _channels(design, point), design.first.size, len(design.names)
    pair_r, pair_v, pair_vx = np.empty(pairs), np.empty(pairs), np.empty((k, pairs))

    def work(low: int, high: int) -> tuple[float, FloatArray, FloatArray]:
        begin, end = design.starts[low], design.starts[high]
        x, offsets = design.x[:, begin:end], design.starts[low:high] - begin
        weight = None if design.weight is None else design.weight[begin:end]
        y = design.y[begin:end]
        loss, residual, curvature = bradley_terry(odds(low, high)[0], y, weight)
        np.add.reduceat(residual, offsets, out=pair_r[low:high])
        xx = pair_sums(curvature, x, offsets, pair_v[low:high], pair_vx[:, low:high])
        return loss, x @ residual, xx

    losses, xr, xx = zip(*design.each_block(work), strict=True)
    gradient = -np.concatenate([design.scatter(pair_r, -pair_r), np.sum(xr, axis=0)])
    hessian = assemble(design, pair_v, pair_vx, np.sum(xx, axis=0))
    return Evaluation(float(np.sum(losses)), gradient, hessian)


def _several_channels(design: PairDesign, point: FloatArray) -> Evaluation:
    channels, sums = _channels(design, point), ChannelSums(design)
    pair_r = np.empty((1 + len(design.likelihood.parameters), design.first.size))

    def work(low: int, high: int) -> tuple[float, FloatArray]:
        begin, end = design.starts[low], design.starts[high]
        weight = None if design.weight is None else design.weight[begin:end]
        # Outside its domain (a threshold below 0, an overflow) the loss is NaN or infinite,
        # never smaller than another, and the step that led there is halved.
        with np.errstate(all="ignore"):
            loss, residual, curvature = design.likelihood.rows(
                *channels(low, high), design.y[begin:end], weight
            )
        offsets = design.starts[low:high] - begin
        np.add.reduceat(residual, offsets, axis=1, out=pair_r[:, low:high])
        with np.errstate(invalid="ignore"):
            sums.add(low, high, curvature)
        return loss, design.x[:, begin:end] @ residual[0]

    losses, xr = zip(*design.each_block(work), strict=True)
    to_first, to_second = design.likelihood.sides
    strengths = design.scatter(to_first @ pair_r, to_second @ pair_r)
    gradient = -np.concatenate([strengths, np.sum(xr, axis=0), pair_r[1:].sum(axis=1)])
    return Evaluation(float(np.sum(losses)), gradient, sums.matrix())


def _with_prior(design: Design, point: FloatArray, found: Evaluation) -> Evaluation:
    """Add ½ p_θ Σ (θ − mean θ)² + ½ p_γ Σ γ², the second over the columns' coefficients."""
    if not (design.prior_strengths or design.prior_coefficients):
        return found
    m, k = design.contestants, len(design.names)
    hessian = found.hessian.copy()
    hessian[:m, :m] += design.prior_strengths * (np.eye(m) - 1.0 / m)
    hessian[range(m, m + k), range(m, m + k)] += design.prior_coefficients
    gradient = found.gradient + _prior_gradient(design, point)
    return Evaluation(found.loss + penalty(design, point), gradient, hessian)


def _prior_gradient(design: Design, point: FloatArray) -> FloatArray:
    m, k = design.contestants, len(design.names)
    added = np.zeros(point.size)
    added[:m] = design.prior_strengths * (point[:m] - point[:m].mean())
    added[m : m + k] = design.prior_coefficients * point[m : m + k]
    return added


def penalty(design: Design, point: FloatArray) -> float:
    """The prior's part of the loss at (θ, γ), (M + K,)."""
    m, k = design.contestants, len(design.names)
    centred, gamma = point[:m] - point[:m].mean(), point[m : m + k]
    of_strengths = design.prior_strengths * float(centred @ centred)
    return 0.5 * (of_strengths + design.prior_coefficients * float(gamma @ gamma))


def residuals(design: PairDesign, theta: FloatArray, gamma: FloatArray) -> FloatArray:
    """−d loss/d channel of every row, (n,) = w (y − p) under Bradley-Terry, else (C, n).

    A row's score is Σ_i residual_i · J_i; with one channel, residual · z.
    """
    channels = _channels(design, np.concatenate([theta, gamma]))

    def work(low: int, high: int) -> FloatArray:
        begin, end = design.starts[low], design.starts[high]
        weight = None if design.weight is None else design.weight[begin:end]
        rows = channels(low, high), design.y[begin:end]
        return design.likelihood.rows(*rows[0], rows[1], weight)[1]

    return np.concatenate(design.each_block(work), axis=-1)


def gauge(design: Design, hessian: FloatArray) -> FloatArray:
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
    design: Design,
    *,
    start: FloatArray | None = None,
    constraint: FloatArray | None = None,
    held: BoolArray | None = None,
) -> Solution:
    """The maximum-likelihood estimate.

    start: (M + K,) first point (None: all alike). constraint: (M,) contrast c that keeps the value
    cᵀθ it has at the start. held: (M + K,) which parameters keep their value at the start; the
    solution's Hessian then has no entries for them.

    Full Newton steps, halved until the loss falls. A small gradient alone is never convergence:
    the last step must change no η by 1e-9 or more, and R·λ/√μ <= ½ with λ² = gᵀH⁻¹g,
    μ = λ_min(H + gauge) and R the largest row norm must show that a minimum lies nearby
    (the logistic loss is self-concordant with |η|, Bach 2010).

    Raises NoEstimateError when there is no minimum, ConvergenceError when it was not reached.
    """
    design = design.merged()
    point = _alike(design) if start is None else start.copy()
    step = np.zeros(point.size)
    c = None
    if constraint is not None:
        c = np.concatenate([constraint, np.zeros(point.size - constraint.size)])
    here = _evaluate(design, point, held)
    for iteration in range(1, ITERATIONS + 1):
        step, slope = _step(design, here, c, step)
        change = _largest_change(design, step)
        point += step
        if change < TOLERANCE:
            return _certified(design, point, here, step, iteration, slope)
        here = _descend(design, point, here, step, held)
    raise NoEstimateError(step / change)


def _evaluate(design: Design, point: FloatArray, held: BoolArray | None) -> Evaluation:
    """The evaluation as if the held parameters had no effect beyond what they have already."""
    here = evaluate(design, point)
    if held is not None:
        here.gradient[held] = 0.0
        here.hessian[held] = here.hessian[:, held] = 0.0
        here.hessian[held, held] = here.hessian.diagonal().max()
    return here


def _alike(design: Design) -> FloatArray:
    """(M + K,) all contestants alike, with the tie parameter that explains the share of ties.

    Raises NoEstimateError when every decided vote is a tie, because then it has none.
    """
    point = np.zeros(design.contestants + len(design.coefficients))
    if design.likelihood.tied:
        at = design.contestants + design.coefficients.index(TIE)
        ties, wins = design.summed(_ties_and_wins).tolist()
        if not wins:
            point[at] = 1.0
            raise NoEstimateError(point)
        # Weights can leave so little to the wins that the share rounds to 1, where no start is.
        point[at] = design.likelihood.start(min(ties / (ties + wins), MOST_TIED))
    return point


def _ties_and_wins(part: PairDesign) -> FloatArray:
    """(2,) weights of the rows that are ties, and of those that are decided."""
    weight = np.ones(len(part)) if part.weight is None else part.weight
    tied, decided = part.y == 0.5, (part.y == 0.0) | (part.y == 1.0)
    return np.array([weight @ tied, weight @ decided])


def _step(
    design: Design, here: Evaluation, c: FloatArray | None, last: FloatArray
) -> tuple[FloatArray, float]:
    """Newton's step −H⁻¹g, along which cᵀθ does not change, and c's multiplier."""
    matrix = here.hessian + gauge(design, here.hessian)
    factor = _factor(matrix, damped=not design.likelihood.concave)
    if factor is None or factor[0].diagonal().min() ** 2 < _SINGULAR * matrix.diagonal().max():
        raise _gone(design, last)
    step: FloatArray = -linalg.cho_solve(factor, here.gradient, check_finite=False)
    if c is None:
        return step, 0.0
    toward = linalg.cho_solve(factor, c, check_finite=False)
    slope = -float(c @ step) / float(c @ toward)
    return step + slope * toward, slope


def _factor(matrix: FloatArray, *, damped: bool) -> tuple[FloatArray, bool] | None:
    """Cholesky's factor; with `damped`, of matrix + κI with the first κ that makes it definite.

    Where a likelihood is not concave a step along negative curvature would go uphill.
    """
    most = float(np.abs(matrix.diagonal()).max())
    for power in range(-9, 2 if damped else -8):
        added = 0.0 if power == -9 else most * 10.0**power
        try:
            shifted = matrix + added * np.eye(len(matrix)) if added else matrix
            return linalg.cho_factor(shifted, lower=True, check_finite=False)  # type: ignore[no-any-return]
        except linalg.LinAlgError:
            continue
    return None


def _gone(design: Design, step: FloatArray) -> NoEstimateError:
    return NoEstimateError(step / (_largest_change(design, step) or 1.0))


def _largest_change(design: Design, step: FloatArray) -> float:
    """Bound on |Δη|, and on the change of any other channel, of any row under a step."""
    m, k = design.contestants, len(design.names)
    gap = np.abs(step[design.first] - step[design.second]).max()
    own = np.abs(step[m + k :]).sum()
    if design.likelihood.levelled:
        own += 0.5 * np.abs(step[design.first] + step[design.second]).max()
    return float(gap + design.reach @ np.abs(step[m : m + k]) + own)


def _descend(
    design: Design,
    point: FloatArray,
    here: Evaluation,
    step: FloatArray,
    held: BoolArray | None,
) -> Evaluation:
    """The evaluation at `point`, which moves back towards the last one until the loss falls."""
    slack = _NOISE * abs(here.loss)
    back = step.copy()
    for _ in range(_HALVINGS):
        there = _evaluate(design, point, held)
        if there.loss <= here.loss + slack:
            return there
        back *= 0.5
        point -= back
    if _certificate(design, point, here, step) > CERTIFICATE:
        raise _gone(design, step)
    raise ConvergenceError(
        f"Newton's method cannot lower the loss {here.loss:.6g} further; its largest gradient "
        f"entry is {np.abs(here.gradient).max():.3g}."
    )


def _certificate(design: Design, point: FloatArray, here: Evaluation, step: FloatArray) -> float:
    """R·λ/√μ, a bound on the distance in η to a minimum when it is at most ½.

    R also covers the tie parameter's own term of the loss, which bends faster as it nears 0.
    """
    matrix = here.hessian + gauge(design, here.hessian)
    if not np.isfinite(matrix).all():
        return np.inf
    smallest = float(linalg.eigh(matrix, eigvals_only=True, subset_by_index=[0, 0])[0])
    decrement = float(np.sqrt(abs(step @ here.hessian @ step)))
    reach = design.row_norm
    if design.likelihood.tied:
        at = design.contestants + design.coefficients.index(TIE)
        reach = max(reach, design.likelihood.reach(float(point[at])))
    return reach * decrement / float(np.sqrt(smallest)) if smallest > 0.0 else np.inf


def _certified(
    design: Design,
    point: FloatArray,
    here: Evaluation,
    step: FloatArray,
    iteration: int,
    slope: float,
) -> Solution:
    m = design.contestants
    bound = _certificate(design, point, here, step)
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
