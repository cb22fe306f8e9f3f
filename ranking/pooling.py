"""Categories with few votes: each borrows from all other votes as much as these resemble it.

In category c the strengths are θ_c = θ + δ_c with δ_c ~ N(0, τ²) for every contestant; θ are the
strengths in all votes outside the category, so that no vote is used twice. One minimisation over
(θ, θ_c, γ) of

    −ℓ_outside(θ, γ) − ℓ_c(θ_c, γ) + |θ_c − θ|²/(2τ²)

gives both. A category of few votes stays near θ, one of many goes where its votes lead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize

from ranking.arrays import BoolArray, FloatArray
from ranking.design import PairDesign, build_design
from ranking.errors import ConvergenceError, SpecError, VotesError
from ranking.fitting import anchor_theta, solved
from ranking.inference import (
    Clusters,
    cluster_meat,
    clusters_of,
    floored,
    quantile,
    vote_meat,
)
from ranking.newton import Evaluation, evaluate, residuals
from ranking.ranks import ranks_of
from ranking.selection import Prepared, prepare
from ranking.spec import RankingSpec
from ranking.votes import Votes

_TOLERANCE = 1e-9
_ITERATIONS = 100
_HALVINGS = 40
_NOISE = 1e-12
_LOWEST, _HIGHEST = math.log(0.005), math.log(3.0)
_FINE = 0.02
_STEP = 0.1

_UNBOUNDED = (
    "The votes do not bound how much the categories differ, so hardly anything is pooled and the "
    "intervals leave out that τ is uncertain."
)


@dataclass(frozen=True, slots=True)
class PooledStanding:
    """One contestant in one category.

    rating, se, rating_lower, rating_upper: rating points against the mean of placed contestants;
    the error holds that of the category's votes, of all others, of the prior and of τ.
    deviation: rating points by which the category differs from the votes outside it.
    pooled: share of the deviation's prior variance that the category's votes leave, 1 where all
    is borrowed and 0 where nothing is. votes: those in the category.
    """

    contestant: str
    rating: float
    se: float
    rating_lower: float
    rating_upper: float
    rank: int
    deviation: float
    pooled: float
    votes: int


@dataclass(frozen=True, slots=True)
class PooledCategory:
    """A category's counted votes, the mean of its contestants' `pooled`, and its standings."""

    name: str
    votes: int
    pooled: float
    standings: tuple[PooledStanding, ...]


@dataclass(frozen=True, slots=True)
class PooledCategories:
    """Partially pooled categories; tau is τ in rating points, one for all of them."""

    spec: RankingSpec
    tau: float
    categories: tuple[PooledCategory, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with a fixed order of keys."""
        return asdict(self) | {"spec": self.spec.to_dict()}


@dataclass(frozen=True, slots=True)
class _Slice:
    """A category's design, in which contestant i of M has the id M + i in its `votes` votes."""

    name: str
    design: PairDesign
    votes: int


def pooled_categories(
    votes: Votes, categories: Mapping[str, npt.ArrayLike], spec: RankingSpec | None = None
) -> PooledCategories:
    """Ratings per category, pooled with all other votes as far as the data ask for it.

    categories: name -> (n,) booleans, whether each vote belongs to it; they may overlap, and each
    is set against all votes outside it. Whoever all the votes together place is placed in every
    category.

    τ is estimated by empirical Bayes: the maximum over τ of Σ_c ln ∫ likelihood · prior, by
    Laplace's approximation (Tierney & Kadane 1986), plus ln τ, which keeps it off the boundary
    τ = 0 where intervals would be too narrow (Chung, Rabe-Hesketh, Dorie, Gelman & Liu 2013).
    With A the objective's Hessian and B the summed squares of scores, by voter where voters are
    known, the covariance is A⁻¹(B + prior's precision)A⁻¹, plus (dθ_c/d ln τ)² Var(ln τ), because τ
    is estimated too (Kass & Steffey 1989), Var(ln τ) from the curvature of what is maximised.

    Raises SpecError for a likelihood other than bradley_terry, a spec with a prior of its own,
    no category and when nobody is placed; VotesError for a malformed or empty category; and what
    `fit` raises.
    """
    spec = spec or RankingSpec()
    _check(spec, categories)
    prepared = prepare(votes, spec)
    if prepared.design is None:
        raise SpecError("nobody is placed by these votes, so no category can borrow from them.")
    slices = [
        _sliced(prepared, prepared.design, name, _mask(name, inside, len(votes)))
        for name, inside in categories.items()
    ]
    solution = solved(prepared, prepared.design)
    start = np.concatenate([solution.theta, solution.theta, solution.gamma])
    pooling = _estimate_tau(slices, start)
    found = tuple(
        _category(prepared, part, point, pooling.tau, drift)
        for part, point, drift in zip(slices, pooling.points, pooling.drift, strict=True)
    )
    warnings = (*prepared.warnings, *pooling.warnings)
    return PooledCategories(prepared.spec, pooling.tau * spec.elo, found, warnings)


def _check(spec: RankingSpec, categories: Mapping[str, npt.ArrayLike]) -> None:
    if spec.likelihood != "bradley_terry":
        raise SpecError("categories are pooled under bradley_terry; ask for that likelihood.")
    if spec.prior_strengths or spec.prior_coefficients:
        raise SpecError("pooling has a prior of its own; leave the spec's priors at 0.")
    if not categories:
        raise SpecError("give at least one category.")


def _mask(name: str, inside: npt.ArrayLike, n: int) -> BoolArray:
    mask = np.asarray(inside)
    remedy = "Give one True or False per vote."
    if mask.dtype != np.bool_:
        raise VotesError(f"holds {mask.dtype}, not booleans", column=name, remedy=remedy)
    if mask.shape != (n,):
        raise VotesError(f"has shape {mask.shape} for {n} votes", column=name, remedy=remedy)
    return mask


def _sliced(prepared: Prepared, design: PairDesign, name: str, inside: BoolArray) -> _Slice:
    """The design of all counted votes in which those of the category are among doubles."""
    votes, m = prepared.votes, len(prepared.votes.contestants)
    rows = np.sort(design.rows).astype(np.intp)
    size = int(inside[rows].sum())
    if not size:
        raise VotesError("has no counted vote", column=name, remedy="Leave the category out.")
    shift = np.where(inside, np.int32(m), np.int32(0))
    doubled = replace(
        votes,
        contestants=(*votes.contestants, *(f"{label} ({name})" for label in votes.contestants)),
        a=votes.a + shift,
        b=votes.b + shift,
    )
    main = prepared.placement.main
    built = build_design(doubled, prepared.spec, rows, np.concatenate([main, main]))
    return _Slice(name, built.columns([built.names.index(n) for n in design.names]), size)


@dataclass(frozen=True, slots=True)
class _Pooling:
    """τ in units of θ, the minimum of each slice there, and how each moves with ln τ.

    drift: (2M + K,) change of each slice's minimum by one standard error of ln τ.
    """

    tau: float
    points: list[FloatArray]
    drift: list[FloatArray]
    warnings: tuple[str, ...]


def _estimate_tau(slices: list[_Slice], start: FloatArray) -> _Pooling:
    """Maximise the penalised marginal likelihood over τ.

    start: (2M + K,) the fit to all votes, which is the limit of complete pooling.
    """

    def at(log_tau: float, starts: list[FloatArray]) -> tuple[float, list[FloatArray]]:
        total, points, tau = -log_tau, [], math.exp(log_tau)
        for part, begin in zip(slices, starts, strict=True):
            point, here = _minimum(part.design, begin, tau)
            total -= _log_marginal(part.design, here, tau)
            points.append(point)
        return total, points

    everywhere = [start] * len(slices)
    best = float(
        optimize.minimize_scalar(
            lambda log_tau: at(log_tau, everywhere)[0],
            bounds=(_LOWEST, _HIGHEST),
            method="bounded",
            options={"xatol": _FINE},
        ).x
    )
    cost, points = at(best, everywhere)
    (less, below), (more, above) = at(best - _STEP, points), at(best + _STEP, points)
    curvature = (less - 2.0 * cost + more) / _STEP**2
    known = curvature > 0.0 and best < _HIGHEST - 2.0 * _FINE
    error = 1.0 / math.sqrt(curvature) if known else 0.0
    drift = [error * (b - a) / (2.0 * _STEP) for a, b in zip(below, above, strict=True)]
    return _Pooling(math.exp(best), points, drift, () if known else (_UNBOUNDED,))


def _penalised(design: PairDesign, point: FloatArray, tau: float) -> Evaluation:
    """The objective at (θ, θ_c, γ), (2M + K,), with the gauge of all strengths in its Hessian."""
    here, m = evaluate(design, point), design.contestants // 2
    deviation = (point[m : 2 * m] - point[:m]) / tau**2
    gradient = here.gradient.copy()
    gradient[:m] -= deviation
    gradient[m : 2 * m] += deviation
    hessian = here.hessian + _precision(design, tau)
    hessian[: 2 * m, : 2 * m] += 1.0 / (2 * m)
    loss = here.loss + 0.5 * tau**2 * float(deviation @ deviation)
    return Evaluation(loss, gradient, hessian)


def _precision(design: PairDesign, tau: float) -> FloatArray:
    """(2M + K, 2M + K) the prior's: τ⁻² [[I, −I], [−I, I]] over (θ, θ_c)."""
    m, size = design.contestants // 2, design.contestants + len(design.names)
    precision = np.zeros((size, size))
    outside, inside = np.arange(m), np.arange(m, 2 * m)
    precision[outside, outside] = precision[inside, inside] = tau**-2
    precision[outside, inside] = precision[inside, outside] = -(tau**-2)
    return precision


def _minimum(design: PairDesign, start: FloatArray, tau: float) -> tuple[FloatArray, Evaluation]:
    """The minimum by Newton's method with halved steps, and the evaluation there.

    Raises ConvergenceError where the last step still moves a strength by 1e-9 or more.
    """
    point = start.copy()
    here = _penalised(design, point, tau)
    for _ in range(_ITERATIONS):
        step = -linalg.solve(here.hessian, here.gradient, assume_a="pos")
        if np.abs(step).max() < _TOLERANCE:
            return point, here
        slack = _NOISE * abs(here.loss)
        for _ in range(_HALVINGS):
            there = _penalised(design, point + step, tau)
            if there.loss <= here.loss + slack:
                break
            step *= 0.5
        point, here = point + step, there
    raise ConvergenceError(
        f"the pooled strengths did not settle in {_ITERATIONS} steps; the largest gradient entry "
        f"is {np.abs(here.gradient).max():.3g}."
    )


def _log_marginal(design: PairDesign, here: Evaluation, tau: float) -> float:
    """ln ∫ likelihood · prior by Laplace's approximation, up to what does not depend on τ.

    The common level of all strengths is held by the gauge in A. That of the deviations has no
    likelihood: its prior's normaliser cancels against its part of ln det A.
    """
    log_determinant = float(np.linalg.slogdet(here.hessian)[1])
    return -here.loss - 0.5 * log_determinant - 0.5 * design.contestants * math.log(tau)


def _category(
    prepared: Prepared, part: _Slice, point: FloatArray, tau: float, drift: FloatArray
) -> PooledCategory:
    spec, design = prepared.spec, part.design
    m, labels = design.contestants // 2, prepared.labels
    clusters = _clusters(prepared, design)
    moved = drift[m : 2 * m] - drift[m : 2 * m].mean()
    error = spec.elo * np.sqrt(_variance(design, point, tau, clusters, spec.floor) + moved**2)
    theta = point[m : 2 * m] - point[m : 2 * m].mean()
    rating = spec.center + spec.elo * (theta - anchor_theta(prepared, theta))
    deviation = spec.elo * (point[m : 2 * m] - point[:m])
    reach, rank = quantile(spec.confidence, clusters), ranks_of(theta)
    pooled, votes = _pooled(design, point, tau), design.votes_of()[m:]
    standings = [
        PooledStanding(
            contestant=labels[i],
            rating=float(rating[i]),
            se=float(error[i]),
            rating_lower=float(rating[i] - reach * error[i]),
            rating_upper=float(rating[i] + reach * error[i]),
            rank=int(rank[i]),
            deviation=float(deviation[i]),
            pooled=float(pooled[i]),
            votes=int(votes[i]),
        )
        for i in range(m)
    ]
    standings.sort(key=lambda standing: (standing.rank, standing.contestant))
    return PooledCategory(part.name, part.votes, float(pooled.mean()), tuple(standings))


def _clusters(prepared: Prepared, design: PairDesign) -> Clusters | None:
    """Voters as clusters, where the spec wants them and they are known."""
    voter, asked = prepared.votes.voter, prepared.spec.cluster
    if asked is not False and voter is not None and (voter[design.rows] >= 0).any():
        clusters = clusters_of(design, voter)
        if clusters.effective >= 2.0:
            return clusters
    if asked is True:
        raise SpecError("cluster is asked for, but fewer than two voters of these votes are known.")
    return None


def _variance(
    design: PairDesign, point: FloatArray, tau: float, clusters: Clusters | None, floor: bool
) -> FloatArray:
    """(M,) variance of θ_c less their mean."""
    m = design.contestants // 2
    residual = residuals(design, point[: 2 * m], point[2 * m :])
    meat = vote_meat(design, residual)
    if clusters is not None:
        meat = cluster_meat(design, clusters, residual)
    if floor:
        meat = floored(meat, evaluate(design, point).hessian, design.votes_of())
    bread = linalg.inv(_penalised(design, point, tau).hessian)[m : 2 * m]
    bread -= bread.mean(axis=0)
    return np.asarray(((bread @ (meat + _precision(design, tau))) * bread).sum(axis=1))


def _pooled(design: PairDesign, point: FloatArray, tau: float) -> FloatArray:
    """(M,) diagonal of (H_c + τ⁻² I)⁻¹/τ²: what the category's votes leave of the prior."""
    m = design.contestants // 2
    own = evaluate(design, point).hessian[m : 2 * m, m : 2 * m]
    return np.asarray(linalg.inv(tau**2 * own + np.eye(m)).diagonal())
