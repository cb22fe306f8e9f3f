"""From votes and a spec to a Leaderboard: place, fit, measure the uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking.arrays import FloatArray, IndexArray
from ranking.bounds import unplaced
from ranking.design import POSITION, PairDesign
from ranking.diagnostics import NOBODY_PLACED, ONE_VOTER, cluster_warnings, separation
from ranking.errors import SpecError
from ranking.inference import (
    Clusters,
    bread,
    cluster_meat,
    clusters_of,
    established,
    floored,
    quantile,
    recentred,
    sandwich,
    vote_meat,
)
from ranking.newton import NoEstimateError, Solution, residuals, solve
from ranking.ranks import rank_sets, ranks_of
from ranking.result import Coefficient, Leaderboard, Standing
from ranking.selection import Prepared, prepare
from ranking.spec import RankingSpec
from ranking.votes import Votes


@dataclass(frozen=True, slots=True)
class Estimate:
    """A fit with what its uncertainty is made of.

    residual: (n,) by rows of the design. bread, meat, vote_meat: (M + K, M + K); meat is
    clustered when `clusters` is given, and neither meat has been floored.
    """

    prepared: Prepared
    design: PairDesign
    solution: Solution
    residual: FloatArray
    bread: FloatArray
    vote_meat: FloatArray
    meat: FloatArray
    clusters: Clusters | None


def fit(votes: Votes, spec: RankingSpec | None = None) -> Leaderboard:
    """Fit a ranking by maximum likelihood.

    Contestants outside the main group (see ranking.graph) are reported as unplaced. When nobody
    can be placed the board has no standings and is still a board.

    Raises SpecError when the votes lack what the spec names, IdentificationError when covariates
    cannot be told apart, SeparationError when a covariate splits wins from losses, and
    ConvergenceError when the certificate was not reached.
    """
    prepared = prepare(votes, spec or RankingSpec())
    if prepared.design is None:
        return _empty(prepared)
    return board(estimate(prepared, prepared.design))


def estimate(prepared: Prepared, design: PairDesign, clusters: Clusters | None = None) -> Estimate:
    """Fit a design of prepared votes and gather the parts of its uncertainty.

    clusters: those of another fit to the same rows, None to find them.
    """
    try:
        solution = solve(design)
    except NoEstimateError as error:
        raise separation(error.step, prepared.labels, design.names) from None
    residual = residuals(design, solution.theta, solution.gamma)
    clusters = clusters or _clusters(prepared, design)
    each = vote_meat(design, residual)
    return Estimate(
        prepared=prepared,
        design=design,
        solution=solution,
        residual=residual,
        bread=bread(design, solution),
        vote_meat=each,
        meat=each if clusters is None else cluster_meat(design, clusters, residual),
        clusters=clusters,
    )


def _clusters(prepared: Prepared, design: PairDesign) -> Clusters | None:
    """Voters as clusters, None where every vote stands on its own."""
    asked, voter = prepared.spec.cluster, prepared.votes.voter
    known = voter is not None and bool((voter[design.rows] >= 0).any())
    if asked is True and not known:
        raise SpecError("cluster is asked for, but no counted vote has a known voter.")
    if asked is False or voter is None or not known:
        return None
    clusters = clusters_of(design, voter)
    if clusters.effective >= 2.0:
        return clusters
    if asked is True:
        raise SpecError("intervals cannot be clustered: one voter cast nearly all the votes.")
    return None


def board(fitted: Estimate) -> Leaderboard:
    """The Leaderboard of an estimate."""
    prepared, design, solution = fitted.prepared, fitted.design, fitted.solution
    spec, clusters = prepared.spec, fitted.clusters
    covariance = _covariance(fitted, fitted.meat)
    quantiles = quantile(spec.confidence, clusters)
    coefficients = _coefficients(fitted, covariance, quantiles)
    return Leaderboard(
        spec=spec,
        standings=_standings(fitted, covariance, quantiles),
        unplaced=unplaced(prepared, design, solution),
        coefficients=tuple(c for c in coefficients if c.name != POSITION),
        position=next((c for c in coefficients if c.name == POSITION), None),
        counts=prepared.counts,
        clusters=None if clusters is None else clusters.number,
        effective_voters=None if clusters is None else clusters.effective,
        converged=True,
        iterations=solution.iterations,
        gradient_norm=solution.gradient_norm,
        step=solution.step,
        certificate=solution.certificate,
        log_likelihood=-solution.loss,
        warnings=(*prepared.warnings, *_warnings(fitted)),
    )


def _warnings(fitted: Estimate) -> list[str]:
    """What to say about the voters behind the intervals."""
    prepared, clusters = fitted.prepared, fitted.clusters
    if clusters is not None:
        parameters = fitted.solution.hessian.shape[0]
        return cluster_warnings(clusters.number, clusters.effective, parameters)
    voter = prepared.votes.voter
    known = voter is not None and bool((voter[fitted.design.rows] >= 0).any())
    return [ONE_VOTER] if known and prepared.spec.cluster == "auto" else []


def _covariance(fitted: Estimate, meat: FloatArray) -> FloatArray:
    """Sandwich covariance of the centred strengths and the coefficients, floored if asked."""
    if not fitted.prepared.spec.floor:
        return sandwich(fitted.bread, meat)
    votes = fitted.design.votes_of()
    covariance = sandwich(fitted.bread, floored(meat, fitted.solution.hessian, votes))
    return recentred(covariance, established(votes), votes.size)


def _standings(fitted: Estimate, covariance: FloatArray, quantiles: float) -> tuple[Standing, ...]:
    spec, design, theta = fitted.prepared.spec, fitted.design, fitted.solution.theta
    labels, m = fitted.prepared.labels, design.contestants
    unclustered = covariance
    if fitted.clusters is not None:
        unclustered = _covariance(fitted, fitted.vote_meat)
    error, alone = (_errors(v)[:m] * spec.elo for v in (covariance, unclustered))
    rating = spec.center + spec.elo * (theta - anchor_theta(fitted.prepared, theta))
    rank, sets, votes = ranks_of(theta), _rank_sets(fitted, covariance), design.votes_of()
    standings = [
        Standing(
            contestant=labels[i],
            rating=float(rating[i]),
            se=float(error[i]),
            rating_lower=float(rating[i] - quantiles * error[i]),
            rating_upper=float(rating[i] + quantiles * error[i]),
            rank=int(rank[i]),
            rank_lower=None if sets is None else int(sets[0][i]),
            rank_upper=None if sets is None else int(sets[1][i]),
            votes=int(votes[i]),
            theta=float(theta[i]),
            se_unclustered=float(alone[i]),
        )
        for i in range(m)
    ]
    return tuple(sorted(standings, key=lambda standing: (standing.rank, standing.contestant)))


def _errors(covariance: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(covariance.diagonal(), 0.0))


def anchor_theta(prepared: Prepared, theta: FloatArray) -> float:
    """θ at which ratings equal `center`: the anchor's, or 0, the mean."""
    anchor = prepared.spec.anchor
    if anchor is None:
        return 0.0
    if anchor not in prepared.labels:
        raise SpecError(f"the anchor {anchor!r} cannot be placed by these votes.")
    return float(theta[prepared.labels.index(anchor)])


def _rank_sets(fitted: Estimate, covariance: FloatArray) -> tuple[IndexArray, IndexArray] | None:
    """Simultaneous rank sets, None where the clusters are no more than the parameters."""
    spec, m, clusters = fitted.prepared.spec, fitted.design.contestants, fitted.clusters
    if clusters is not None and clusters.number <= fitted.solution.hessian.shape[0]:
        return None
    return rank_sets(
        fitted.solution.theta,
        covariance[:m, :m],
        confidence=spec.confidence,
        draws=spec.draws,
        seed=spec.seed,
        degrees=None if clusters is None else clusters.effective - 1.0,
    )


def _coefficients(fitted: Estimate, covariance: FloatArray, quantiles: float) -> list[Coefficient]:
    m, design, elo = fitted.design.contestants, fitted.design, fitted.prepared.spec.elo
    error = _errors(covariance)[m:]
    return [
        Coefficient(
            name=name,
            value=float(value),
            se=float(se),
            lower=float(value - quantiles * se),
            upper=float(value + quantiles * se),
            scale=scale,
            elo=float(value * elo),
        )
        for name, value, se, scale in zip(
            design.names, fitted.solution.gamma, error, design.scales, strict=True
        )
    ]


def _empty(prepared: Prepared) -> Leaderboard:
    """The board of votes that connect no two contestants both ways."""
    return Leaderboard(
        spec=prepared.spec,
        standings=(),
        unplaced=unplaced(prepared, None, None),
        coefficients=(),
        position=None,
        counts=prepared.counts,
        clusters=None,
        effective_voters=None,
        converged=True,
        iterations=0,
        gradient_norm=0.0,
        step=0.0,
        certificate=0.0,
        log_likelihood=0.0,
        warnings=(NOBODY_PLACED,),
    )
