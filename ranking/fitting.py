"""From votes and a spec to a Leaderboard: place, fit, measure the uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ranking.arrays import FloatArray, IndexArray
from ranking.bounds import unplaced
from ranking.design import POSITION, Design, PairDesign
from ranking.diagnostics import NOBODY_PLACED, ONE_VOTER, cluster_warnings, separation
from ranking.errors import ConvergenceError, SpecError
from ranking.inference import (
    Clusters,
    ClusterTotals,
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
from ranking.newton import NoEstimateError, Solution, expected_meat, penalty, residuals, solve
from ranking.ranks import rank_sets, ranks_of
from ranking.result import Coefficient, Leaderboard, Standing
from ranking.selection import Prepared, Selection, prepare
from ranking.separation import separating_direction
from ranking.spec import RankingSpec
from ranking.votes import Votes

_UNREACHED = (
    "these votes have a finite estimate, but Newton's method did not come near enough to it to "
    "prove so. Strengths or coefficients are extreme; a prior in the spec keeps them moderate."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fit with the sums that its uncertainty is made of; all that a board needs.

    bread, meat, vote_meat: (M + K, M + K); meat is clustered when `clusters` is given, and neither
    meat has been floored. known_voters: whether any row has one.
    """

    prepared: Selection
    design: Design
    solution: Solution
    bread: FloatArray
    vote_meat: FloatArray
    meat: FloatArray
    clusters: Clusters | ClusterTotals | None
    known_voters: bool

    @property
    def expected_meat(self) -> FloatArray:
        """What vote_meat is expected to be if the model is right, (M + K, M + K)."""
        if not self.design.weighted:
            return self.solution.hessian
        point = np.concatenate([self.solution.theta, self.solution.gamma])
        return expected_meat(self.design, point)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Fitted):
    """The same of votes in memory, with every row's part in it.

    residual: (n,) or (C, n) by rows of the design, as ranking.newton.residuals gives it.
    """

    prepared: Prepared
    design: PairDesign
    clusters: Clusters | None
    residual: FloatArray


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
        return empty_board(prepared)
    return board(estimate(prepared, prepared.design))


def estimate(prepared: Prepared, design: PairDesign, clusters: Clusters | None = None) -> Estimate:
    """Fit a design of prepared votes and gather the parts of its uncertainty.

    clusters: those of another fit to the same rows, None to find them.
    """
    return estimate_at(prepared, design, solved(prepared, design), clusters)


def estimate_at(
    prepared: Prepared, design: PairDesign, solution: Solution, clusters: Clusters | None = None
) -> Estimate:
    """The same from a solution that is known already."""
    residual = residuals(design, solution.theta, solution.gamma)
    known = clusters is not None or _known_voters(prepared, design)
    if clusters is None and known:
        clusters = _clusters(prepared, design)
    clusters = usable_clusters(prepared.spec, clusters)
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
        known_voters=known,
    )


def solved(prepared: Selection, design: Design, start: FloatArray | None = None) -> Solution:
    """The maximum-likelihood estimate alone. Raises SeparationError where there is none.

    start: (M + K,) a point near it, None: all alike.
    Where Newton's method does not reach its certificate a linear programme decides whether there
    is one; it knows no level, whose models are taken at the last step's word.
    """
    try:
        return solve(design, start=start)
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


def _known_voters(prepared: Prepared, design: PairDesign) -> bool:
    voter = prepared.votes.voter
    return voter is not None and bool((voter[design.rows] >= 0).any())


def _clusters(prepared: Prepared, design: PairDesign) -> Clusters | None:
    """Voters, some of whom are known, as clusters; None where the spec wants none."""
    voter = prepared.votes.voter
    return None if voter is None or prepared.spec.cluster is False else clusters_of(design, voter)


_Clusters = TypeVar("_Clusters", Clusters, ClusterTotals)


def usable_clusters(spec: RankingSpec, found: _Clusters | None) -> _Clusters | None:
    """The clusters where they can carry intervals, None where every vote stands on its own.

    found: voters as clusters, None where none is known or the spec wants none.
    Raises SpecError when the spec insists on clusters and they cannot.
    """
    if found is not None and found.effective >= 2.0:
        return found
    if spec.cluster is True:
        raise SpecError(
            "cluster is asked for, but no counted vote has a known voter."
            if found is None
            else "intervals cannot be clustered: one voter cast nearly all the votes."
        )
    return None


def board(fitted: Fitted) -> Leaderboard:
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


def _warnings(fitted: Fitted) -> list[str]:
    """What to say about the voters behind the intervals."""
    clusters = fitted.clusters
    if clusters is not None:
        parameters = fitted.solution.hessian.shape[0]
        return cluster_warnings(clusters.number, clusters.effective, parameters)
    return [ONE_VOTER] if fitted.known_voters and fitted.prepared.spec.cluster == "auto" else []


def covariance_of(fitted: Fitted, meat: FloatArray) -> FloatArray:
    """Sandwich covariance of the centred strengths and the coefficients, floored if asked."""
    if not fitted.prepared.spec.floor:
        return sandwich(fitted.bread, meat)
    votes = fitted.design.votes_of()
    covariance = sandwich(fitted.bread, floored(meat, fitted.expected_meat, votes))
    return recentred(covariance, established(votes), votes.size)


def _standings(fitted: Fitted, covariance: FloatArray, quantiles: float) -> tuple[Standing, ...]:
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


def anchor_theta(prepared: Selection, theta: FloatArray) -> float:
    """θ at which ratings equal `center`: the anchor's, or 0, the mean."""
    anchor = prepared.spec.anchor
    if anchor is None:
        return 0.0
    if anchor not in prepared.labels:
        raise SpecError(f"the anchor {anchor!r} cannot be placed by these votes.")
    return float(theta[prepared.labels.index(anchor)])


def simultaneous(fitted: Fitted) -> bool:
    """Whether the clusters are more than the parameters, so that the joint error is known."""
    clusters = fitted.clusters
    return clusters is None or clusters.number > fitted.solution.hessian.shape[0]


def _rank_sets(fitted: Fitted, covariance: FloatArray) -> tuple[IndexArray, IndexArray] | None:
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
    fitted: Fitted, covariance: FloatArray, quantiles: float
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


def empty_board(prepared: Selection) -> Leaderboard:
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
