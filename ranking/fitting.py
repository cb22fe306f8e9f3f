"""From votes and a spec to a Leaderboard: place, fit, measure the uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ranking.arrays import FloatArray, IndexArray
from ranking.bounds import unplaced
from ranking.design import POSITION, PairDesign
from ranking.diagnostics import NOBODY_PLACED, ONE_VOTER, cluster_warnings, separation
from ranking.errors import ConvergenceError, SpecError
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
from ranking.likelihoods import LEVEL, TIE
from ranking.newton import NoEstimateError, Solution, evaluate, penalty, residuals, solve
from ranking.ranks import rank_sets, ranks_of
from ranking.result import Coefficient, Leaderboard, Standing
from ranking.selection import Prepared, prepare
from ranking.separation import separating_direction
from ranking.spec import RankingSpec
from ranking.votes import Votes

_UNREACHED = (
    "these votes have a finite estimate, but Newton's method did not come near enough to it to "
    "prove so. Strengths or coefficients are extreme; a prior in the spec keeps them moderate."
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A fit with what its uncertainty is made of.

    residual: (n,) or (C, n) by rows of the design, as ranking.newton.residuals gives it. bread,
    meat, vote_meat: (M + K, M + K); meat is clustered when `clusters` is given, and neither meat
    has been floored.
    """

    prepared: Prepared
    design: PairDesign
    solution: Solution
    residual: FloatArray
    bread: FloatArray
    vote_meat: FloatArray
    meat: FloatArray
    clusters: Clusters | None

    @property
    def expected_meat(self) -> FloatArray:
        """What vote_meat is expected to be if the model is right, (M + K, M + K)."""
        if self.design.weight is None:
            return self.solution.hessian
        # A score of weight w has the variance w² times that of one of weight 1.
        squared = replace(self.design, weight=self.design.weight**2)
        point = np.concatenate([self.solution.theta, self.solution.gamma])
        return evaluate(squared, point).hessian


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
    solution = solved(prepared, design)
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


def solved(prepared: Prepared, design: PairDesign) -> Solution:
    """The maximum-likelihood estimate alone. Raises SeparationError where there is none.

    Where Newton's method does not reach its certificate a linear programme decides whether there
    is one; it knows no level, whose models are taken at the last step's word.
    """
    try:
        return solve(design)
    except (NoEstimateError, ConvergenceError) as error:
        along = error.step if isinstance(error, NoEstimateError) else None
        if not design.likelihood.levelled:
            direction = separating_direction(design)
            if direction is None:
                raise ConvergenceError(_UNREACHED) from error
            along = direction if along is None else along
        if along is None:
            raise
        raise separation(along, prepared.labels, design.coefficients) from None


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
    point = np.concatenate([solution.theta, solution.gamma])
    covariance = covariance_of(fitted, fitted.meat)
    quantiles = quantile(spec.confidence, clusters)
    coefficients = _coefficients(fitted, covariance, quantiles)
    special = {name: coefficients.pop(name, None) for name in (POSITION, TIE, LEVEL)}
    return Leaderboard(
        spec=spec,
        standings=_standings(fitted, covariance, quantiles),
        unplaced=unplaced(prepared, design, solution),
        coefficients=tuple(coefficients.values()),
        position=special[POSITION],
        counts=prepared.counts,
        clusters=None if clusters is None else clusters.number,
        effective_voters=None if clusters is None else clusters.effective,
        converged=True,
        iterations=solution.iterations,
        gradient_norm=solution.gradient_norm,
        step=solution.step,
        certificate=solution.certificate,
        log_likelihood=penalty(design, point) - solution.loss,
        warnings=(*prepared.warnings, *_warnings(fitted)),
        tie=special[TIE],
        level=special[LEVEL],
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


def covariance_of(fitted: Estimate, meat: FloatArray) -> FloatArray:
    """Sandwich covariance of the centred strengths and the coefficients, floored if asked."""
    if not fitted.prepared.spec.floor:
        return sandwich(fitted.bread, meat)
    votes = fitted.design.votes_of()
    covariance = sandwich(fitted.bread, floored(meat, fitted.expected_meat, votes))
    return recentred(covariance, established(votes), votes.size)


def _standings(fitted: Estimate, covariance: FloatArray, quantiles: float) -> tuple[Standing, ...]:
    spec, design, theta = fitted.prepared.spec, fitted.design, fitted.solution.theta
    labels, m = fitted.prepared.labels, design.contestants
    unclustered = covariance
    if fitted.clusters is not None:
        unclustered = covariance_of(fitted, fitted.vote_meat)
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


def simultaneous(fitted: Estimate) -> bool:
    """Whether the clusters are more than the parameters, so that the joint error is known."""
    clusters = fitted.clusters
    return clusters is None or clusters.number > fitted.solution.hessian.shape[0]


def _rank_sets(fitted: Estimate, covariance: FloatArray) -> tuple[IndexArray, IndexArray] | None:
    """Simultaneous rank sets, None where the clusters are no more than the parameters."""
    spec, m, clusters = fitted.prepared.spec, fitted.design.contestants, fitted.clusters
    if not simultaneous(fitted):
        return None
    return rank_sets(
        fitted.solution.theta,
        covariance[:m, :m],
        confidence=spec.confidence,
        draws=spec.draws,
        seed=spec.seed,
        degrees=None if clusters is None else clusters.effective - 1.0,
    )


def _coefficients(
    fitted: Estimate, covariance: FloatArray, quantiles: float
) -> dict[str, Coefficient]:
    """Every coefficient by name, the likelihood's own ones, of scale 1, among them."""
    m, design, elo = fitted.design.contestants, fitted.design, fitted.prepared.spec.elo
    error = _errors(covariance)[m:]
    scales = (*design.scales, *(1.0 for _ in design.likelihood.parameters))
    return {
        name: Coefficient(
            name=name,
            value=float(value),
            se=float(se),
            lower=float(value - quantiles * se),
            upper=float(value + quantiles * se),
            scale=scale,
            elo=float(value * elo),
        )
        for name, value, se, scale in zip(
            design.coefficients, fitted.solution.gamma, error, scales, strict=True
        )
    }


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
