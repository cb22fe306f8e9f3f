"""Categories with few votes: each borrows from all other votes as much as these resemble it.

In category c the strengths are θ_c = θ + δ_c with δ_c ~ N(0, τ²) for every contestant; θ are the
strengths in all votes outside the category, so that no vote is used twice. One minimisation over
(θ, θ_c, γ) of

    −ℓ_outside(θ, γ) − ℓ_c(θ_c, γ) + |θ_c − θ|²/(2τ²)

gives both. A category of few votes stays near θ, one of many goes where its votes lead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize

from ranking.arrays import BoolArray, FloatArray, IndexArray
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
from ranking.ranks import rank_sets, ranks_of
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
    rank_lower, rank_upper: the simultaneous rank set, None where the voters are no more than the
    category's parameters.
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
    rank_lower: int | None
    rank_upper: int | None
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
class _Sketch:
    """What τ is estimated from: a category's own votes, and all others in the second order.

    rows: (n,) whether each vote is a counted one of the category. inside: the design of those.
    best: (M + K,) the fit to all votes. slope, curvature: (M + K,) and (M + K, M + K), gradient
    and Hessian there of the loss of the votes outside.
    """

    name: str
    rows: BoolArray
    inside: PairDesign
    best: FloatArray
    slope: FloatArray
    curvature: FloatArray


def pooled_categories(
    votes: Votes,
    categories: Mapping[str, npt.ArrayLike],
    spec: RankingSpec | None = None,
    *,
    beside: Mapping[str, npt.ArrayLike] | None = None,
) -> PooledCategories:
    """Ratings per category, pooled with all other votes as far as the data ask for it.

    categories: name -> (n,) booleans, whether each vote belongs to it; they may overlap, and each
    is set against all votes outside it. Whoever all the votes together place is placed in every
    category. beside: further ones that only tell how much categories differ.

    τ is estimated by empirical Bayes: the maximum over τ of Σ_c ln ∫ likelihood · prior, by
    Laplace's approximation (Tierney & Kadane 1986), plus ln τ, which keeps it off the boundary
    τ = 0 where intervals would be too narrow (Chung, Rabe-Hesketh, Dorie, Gelman & Liu 2013).
    For τ the votes outside a category are taken in the second order about the fit to all votes, as
    Laplace's approximation takes everything; at the τ found every category is minimised exactly.
    With A the objective's Hessian and B the summed squares of scores, by voter where voters are
    known, the covariance is A⁻¹(B + prior's precision)A⁻¹, plus (dθ_c/d ln τ)² Var(ln τ), because τ
    is estimated too (Kass & Steffey 1989), Var(ln τ) from the curvature of what is maximised.

    Raises SpecError for a likelihood other than bradley_terry, a spec with a prior of its own,
    no category and when nobody is placed; VotesError for a malformed or empty category; and what
    `fit` raises.
    """
    spec = spec or RankingSpec()
    _check(spec, categories)
    masks = {name: _mask(name, inside, len(votes)) for name, inside in categories.items()}
    others = {name: _mask(name, inside, len(votes)) for name, inside in (beside or {}).items()}
    prepared = prepare(votes, spec)
    if prepared.design is None:
        raise SpecError("nobody is placed by these votes, so no category can borrow from them.")
    sketches = _sketches(prepared, prepared.design, [*masks.items(), *others.items()])
    names, rows = prepared.design.names, np.sort(prepared.design.rows).astype(np.intp)
    # The design of all votes is as large as each category's, which is built on its own below.
    prepared = replace(prepared, design=None)
    pooling = _estimate_tau(sketches)
    found = []
    for sketch, start, drift in zip(sketches[: len(masks)], *pooling.of_each, strict=False):
        design = _doubled(prepared, sketch, rows, names)
        point, _ = _minimum(partial(_penalised, design, tau=pooling.tau), start)
        found.append(_category(prepared, sketch.name, design, point, pooling.tau, drift))
    warnings = (*prepared.warnings, *pooling.warnings)
    return PooledCategories(prepared.spec, pooling.tau * spec.elo, tuple(found), warnings)


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


def _sketches(
    prepared: Prepared, design: PairDesign, categories: list[tuple[str, BoolArray]]
) -> list[_Sketch]:
    solution = solved(prepared, design)
    best = np.concatenate([solution.theta, solution.gamma])
    everything = evaluate(design, best)
    counted = np.zeros(len(prepared.votes), dtype=bool)
    counted[design.rows] = True
    sketches = []
    for name, inside in categories:
        rows = counted & inside
        if not rows.any():
            raise VotesError("has no counted vote", column=name, remedy="Leave the category out.")
        own = _design_of(prepared, prepared.votes, np.flatnonzero(rows), design.names, 1)
        here = evaluate(own, best)
        slope, curvature = (
            everything.gradient - here.gradient,
            everything.hessian - here.hessian,
        )
        sketches.append(_Sketch(name, rows, own, best, slope, curvature))
    return sketches


def _design_of(
    prepared: Prepared, votes: Votes, rows: IndexArray, names: tuple[str, ...], times: int
) -> PairDesign:
    """The design of some rows with these columns, whose contestants are the placed ones, so many
    times over."""
    main = np.tile(prepared.placement.main, times)
    built = build_design(votes, prepared.spec, rows, main)
    return built.columns([built.names.index(name) for name in names])


def _doubled(
    prepared: Prepared, sketch: _Sketch, rows: IndexArray, names: tuple[str, ...]
) -> PairDesign:
    """All counted votes, in which contestant i of M has the id M + i in those of the category."""
    votes, m = prepared.votes, len(prepared.votes.contestants)
    shift = np.where(sketch.rows, np.int32(m), np.int32(0))
    doubled = replace(
        votes,
        contestants=(
            *votes.contestants,
            *(f"{label} ({sketch.name})" for label in votes.contestants),
        ),
        a=votes.a + shift,
        b=votes.b + shift,
    )
    return _design_of(prepared, doubled, rows, names, 2)


@dataclass(frozen=True, slots=True)
class _Pooling:
    """τ in units of θ, the minimum of each sketch there, and how each moves with ln τ.

    drift: (2M + K,) change of each minimum by one standard error of ln τ.
    """

    tau: float
    points: list[FloatArray]
    drift: list[FloatArray]
    warnings: tuple[str, ...]

    @property
    def of_each(self) -> tuple[list[FloatArray], list[FloatArray]]:
        return self.points, self.drift


def _estimate_tau(sketches: list[_Sketch]) -> _Pooling:
    """Maximise the penalised marginal likelihood over τ.

    Each minimum is sought from the fit to all votes, which is the limit of complete pooling.
    """

    def at(log_tau: float, starts: list[FloatArray]) -> tuple[float, list[FloatArray]]:
        total, points, tau = -log_tau, [], math.exp(log_tau)
        for sketch, begin in zip(sketches, starts, strict=True):
            point, here = _minimum(partial(_sketched, sketch, tau=tau), begin)
            total -= _log_marginal(2 * sketch.inside.contestants, here, tau)
            points.append(point)
        return total, points

    everywhere = [_start(sketch) for sketch in sketches]
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


def _start(sketch: _Sketch) -> FloatArray:
    m = sketch.inside.contestants
    return np.concatenate([sketch.best[:m], sketch.best])


def _sketched(sketch: _Sketch, point: FloatArray, tau: float) -> Evaluation:
    """The objective at (θ, θ_c, γ), (2M + K,), with the votes outside in the second order."""
    m = sketch.inside.contestants
    outside = np.delete(np.arange(point.size), np.s_[m : 2 * m])
    away = point[outside] - sketch.best
    pull = sketch.curvature @ away
    own = evaluate(sketch.inside, point[m:])
    gradient, hessian = np.zeros(point.size), np.zeros((point.size, point.size))
    gradient[m:] = own.gradient
    hessian[m:, m:] = own.hessian
    gradient[outside] += sketch.slope + pull
    hessian[np.ix_(outside, outside)] += sketch.curvature
    loss = own.loss + float(sketch.slope @ away + 0.5 * away @ pull)
    return _with_prior(Evaluation(loss, gradient, hessian), point, m, tau)


def _penalised(design: PairDesign, point: FloatArray, tau: float) -> Evaluation:
    """The objective at (θ, θ_c, γ), (2M + K,)."""
    return _with_prior(evaluate(design, point), point, design.contestants // 2, tau)


def _with_prior(here: Evaluation, point: FloatArray, m: int, tau: float) -> Evaluation:
    """With the prior's part, and the gauge of all strengths in the Hessian."""
    deviation = (point[m : 2 * m] - point[:m]) / tau**2
    gradient = here.gradient.copy()
    gradient[:m] -= deviation
    gradient[m : 2 * m] += deviation
    hessian = here.hessian + _precision(m, point.size, tau)
    hessian[: 2 * m, : 2 * m] += 1.0 / (2 * m)
    loss = here.loss + 0.5 * tau**2 * float(deviation @ deviation)
    return Evaluation(loss, gradient, hessian)


def _precision(m: int, size: int, tau: float) -> FloatArray:
    """(2M + K, 2M + K) the prior's: τ⁻² [[I, −I], [−I, I]] over (θ, θ_c)."""
    precision = np.zeros((size, size))
    outside, inside = np.arange(m), np.arange(m, 2 * m)
    precision[outside, outside] = precision[inside, inside] = tau**-2
    precision[outside, inside] = precision[inside, outside] = -(tau**-2)
    return precision


def _minimum(
    objective: Callable[[FloatArray], Evaluation], start: FloatArray
) -> tuple[FloatArray, Evaluation]:
    """The minimum by Newton's method with halved steps, and the evaluation there.

    Raises ConvergenceError where the last step still moves a strength by 1e-9 or more.
    """
    point = start.copy()
    here = objective(point)
    for _ in range(_ITERATIONS):
        step = -linalg.solve(here.hessian, here.gradient, assume_a="pos")
        if np.abs(step).max() < _TOLERANCE:
            return point, here
        slack = _NOISE * abs(here.loss)
        for _ in range(_HALVINGS):
            there = objective(point + step)
            if there.loss <= here.loss + slack:
                break
            step *= 0.5
        point, here = point + step, there
    raise ConvergenceError(
        f"the pooled strengths did not settle in {_ITERATIONS} steps; the largest gradient entry "
        f"is {np.abs(here.gradient).max():.3g}."
    )


def _log_marginal(strengths: int, here: Evaluation, tau: float) -> float:
    """ln ∫ likelihood · prior by Laplace's approximation, up to what does not depend on τ.

    The common level of all strengths is held by the gauge in A. That of the deviations has no
    likelihood: its prior's normaliser cancels against its part of ln det A.
    """
    log_determinant = float(np.linalg.slogdet(here.hessian)[1])
    return -here.loss - 0.5 * log_determinant - 0.5 * strengths * math.log(tau)


def _category(
    prepared: Prepared,
    name: str,
    design: PairDesign,
    point: FloatArray,
    tau: float,
    drift: FloatArray,
) -> PooledCategory:
    """A category from its doubled design and the minimum there."""
    spec = prepared.spec
    m, labels = design.contestants // 2, prepared.labels
    clusters = _clusters(prepared, design)
    moved = drift[m : 2 * m] - drift[m : 2 * m].mean()
    covariance = _covariance(design, point, tau, clusters, spec.floor) + np.outer(moved, moved)
    error = spec.elo * np.sqrt(covariance.diagonal())
    theta = point[m : 2 * m] - point[m : 2 * m].mean()
    rating = spec.center + spec.elo * (theta - anchor_theta(prepared, theta))
    deviation = spec.elo * (point[m : 2 * m] - point[:m])
    reach, rank = quantile(spec.confidence, clusters), ranks_of(theta)
    sets = None
    if clusters is None or clusters.number > point.size - m:
        sets = rank_sets(
            theta,
            covariance,
            confidence=spec.confidence,
            draws=spec.draws,
            seed=spec.seed,
            degrees=None if clusters is None else clusters.effective - 1.0,
        )
    pooled, votes = _pooled(design, point, tau), design.votes_of()[m:]
    standings = [
        PooledStanding(
            contestant=labels[i],
            rating=float(rating[i]),
            se=float(error[i]),
            rating_lower=float(rating[i] - reach * error[i]),
            rating_upper=float(rating[i] + reach * error[i]),
            rank=int(rank[i]),
            rank_lower=None if sets is None else int(sets[0][i]),
            rank_upper=None if sets is None else int(sets[1][i]),
            deviation=float(deviation[i]),
            pooled=float(pooled[i]),
            votes=int(votes[i]),
        )
        for i in range(m)
    ]
    standings.sort(key=lambda standing: (standing.rank, standing.contestant))
    inside = int(design.counts[design.first >= m].sum())
    return PooledCategory(name, inside, float(pooled.mean()), tuple(standings))


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


def _covariance(
    design: PairDesign, point: FloatArray, tau: float, clusters: Clusters | None, floor: bool
) -> FloatArray:
    """(M, M) of θ_c less their mean, at the τ given."""
    m = design.contestants // 2
    residual = residuals(design, point[: 2 * m], point[2 * m :])
    meat = vote_meat(design, residual)
    if clusters is not None:
        meat = cluster_meat(design, clusters, residual)
    if floor:
        meat = floored(meat, evaluate(design, point).hessian, design.votes_of())
    bread = linalg.inv(_penalised(design, point, tau).hessian)[m : 2 * m]
    bread -= bread.mean(axis=0)
    return np.asarray(bread @ (meat + _precision(m, point.size, tau)) @ bread.T)


def _pooled(design: PairDesign, point: FloatArray, tau: float) -> FloatArray:
    """(M,) diagonal of (H_c + τ⁻² I)⁻¹/τ²: what the category's votes leave of the prior."""
    m = design.contestants // 2
    own = evaluate(design, point).hessian[m : 2 * m, m : 2 * m]
    return np.asarray(linalg.inv(tau**2 * own + np.eye(m)).diagonal())
