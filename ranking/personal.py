"""What one person's own votes say: a ranking that owns up to how little they may say.

Few votes have no finite maximum-likelihood estimate, and what their residuals add up to is no
error. So the strengths have a stated prior: under Bradley-Terry θ − mean θ ~ N(0, σ²) for the M
contestants that the person met, the same for all of them. With H the Hessian of

    −ℓ(θ) + |θ − mean θ|²/(2σ²)

at its minimum θ̂, the posterior is taken as N(θ̂, P H⁻¹ P), P = I − 11ᵀ/M (Laplace's
approximation; Tierney & Kadane 1986). The prior tells no contestant from another, so whatever
order comes out is the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ranking.arrays import BoolArray, FloatArray
from ranking.design import PairDesign, build_design
from ranking.errors import SpecError
from ranking.inference import fisher, quantile
from ranking.newton import solve
from ranking.ranks import JointDraws, joint_draws, ranks_of
from ranking.selection import select_votes
from ranking.spec import RankingSpec
from ranking.votes import Votes

# In rating points. Two thirds of the contestants within 300 points of their mean is more spread
# than boards have, so that the votes and not the prior decide; two contestants who met nobody
# else are told apart from seven unanimous votes on.
PRIOR_SD = 300.0


@dataclass(frozen=True, slots=True)
class PersonalStanding:
    """One contestant that the person met.

    rating, rating_lower, rating_upper: rating points, with the marginal interval; the mean of
    those met is the spec's `center`. rank: by the estimates alone. rank_lower, rank_upper: where
    it may stand, all contestants considered at once. votes: the person's on this contestant.
    """

    contestant: str
    rating: float
    rating_lower: float
    rating_upper: float
    rank: int
    rank_lower: int
    rank_upper: int
    votes: int


@dataclass(frozen=True, slots=True)
class PersonalRanking:
    """A person's ranking, the best first.

    votes: those counted. settled: (better, worse) of every pair that the votes part, all pairs
    considered at once; it is what the rank sets are made of.
    """

    spec: RankingSpec
    votes: int
    standings: tuple[PersonalStanding, ...]
    settled: tuple[tuple[str, str], ...]


def personal_spec(prior_sd: float = PRIOR_SD) -> RankingSpec:
    """The spec of a personal ranking: the stated prior, no style and no position.

    One person's votes cannot tell what position did to them from taste. Sides are drawn by lot,
    so leaving it out adds noise and favours nobody. Raises SpecError.
    """
    if not prior_sd > 0.0:
        raise SpecError(f"the prior's deviation must be positive, not {prior_sd}.")
    precision = (RankingSpec().elo / prior_sd) ** 2
    return RankingSpec(position=False, cluster=False, floor=False, prior_strengths=precision)


def personal_ranking(votes: Votes, spec: RankingSpec | None = None) -> PersonalRanking:
    """Rank the contestants of one person's votes; those that a rule excludes are left out.

    spec: as `personal_spec` makes it. Rank sets are the board's, with the posterior in the place
    of the estimate's distribution, except that nothing is said of two contestants whom no chain
    of votes connects: between them stands the prior alone. A set of 1 … M says nothing.
    """
    spec = spec or personal_spec()
    rows = np.flatnonzero(select_votes(votes, spec)[0])
    met = np.zeros(len(votes.contestants), dtype=bool)
    met[votes.a[rows]] = met[votes.b[rows]] = True
    if not rows.size:
        return PersonalRanking(spec, 0, (), ())
    labels = [votes.contestants[i] for i in np.flatnonzero(met)]
    return _ranked(labels, spec, build_design(votes, spec, rows, met))


def _ranked(labels: list[str], spec: RankingSpec, design: PairDesign) -> PersonalRanking:
    solution = solve(design)
    theta, covariance = solution.theta, fisher(design, solution)
    joint = joint_draws(theta, covariance, draws=spec.draws, seed=spec.seed, degrees=None)
    above = _above(joint, design, spec.confidence)
    names = [labels[i] for i in joint.order]
    return PersonalRanking(
        spec=spec,
        votes=len(design),
        standings=_standings(names, spec, design, covariance, joint, above),
        settled=tuple((names[i], names[j]) for i, j in np.argwhere(above)),
    )


def _above(joint: JointDraws, design: PairDesign, confidence: float) -> BoolArray:
    """(M, M) whether the row's contestant is surely above the column's, in the draws' order."""
    reach = float(np.quantile(joint.widest(), confidence)) * joint.error
    lead = joint.theta[:, None] - joint.theta
    return np.asarray((lead > reach) & _connected(design)[np.ix_(joint.order, joint.order)])


def _connected(design: PairDesign) -> BoolArray:
    """(M, M) whether a chain of votes leads from one contestant to the other."""
    m = design.contestants
    ends, pairs = (design.first, design.second), np.ones(design.first.size)
    _, group = csgraph.connected_components(sparse.coo_array((pairs, ends), shape=(m, m)))
    return np.asarray(group[:, None] == group)


def _standings(
    names: list[str],
    spec: RankingSpec,
    design: PairDesign,
    covariance: FloatArray,
    joint: JointDraws,
    above: BoolArray,
) -> tuple[PersonalStanding, ...]:
    rating = spec.center + spec.elo * joint.theta
    half = quantile(spec.confidence, None) * spec.elo * np.sqrt(covariance.diagonal())[joint.order]
    rank, votes = ranks_of(joint.theta), design.votes_of()[joint.order]
    return tuple(
        PersonalStanding(
            contestant=name,
            rating=float(rating[i]),
            rating_lower=float(rating[i] - half[i]),
            rating_upper=float(rating[i] + half[i]),
            rank=int(rank[i]),
            rank_lower=1 + int(above[:, i].sum()),
            rank_upper=len(names) - int(above[i].sum()),
            votes=int(votes[i]),
        )
        for i, name in enumerate(names)
    )
