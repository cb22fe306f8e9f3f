"""Who is better than whom, how sure that is, and how sure a place among the first is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special

from ranking.arrays import FloatArray
from ranking.errors import SpecError
from ranking.fitting import Estimate, board, covariance_of, estimate, fit, simultaneous
from ranking.inference import Clusters, quantile
from ranking.ranks import SAME, JointDraws, contrast_errors, joint_draws, overlap_spread
from ranking.result import Leaderboard
from ranking.selection import prepare
from ranking.spec import RankingSpec
from ranking.votes import Votes


@dataclass(frozen=True, slots=True)
class Contrast:
    """One pair: `contestant` less `opponent`, in rating points.

    lower, upper: marginal interval. lower_adjusted, upper_adjusted: interval that holds for all
        pairs at once with the spec's confidence.
    probability: that the contestant is the better one (share of the estimate's distribution, normal
        or t, on its side; ½ where they are level).
    p_value: two-sided, of no difference, for this pair alone. p_adjusted: the share of draws in
        which any pair at all stands out as far as this one (single-step).

    The adjusted numbers are None where the voters are too few for simultaneous statements.
    """

    contestant: str
    opponent: str
    difference: float
    se: float
    lower: float
    upper: float
    probability: float
    p_value: float
    lower_adjusted: float | None
    upper_adjusted: float | None
    p_adjusted: float | None


@dataclass(frozen=True, slots=True)
class RankChances:
    """Where one contestant may stand.

    spread_lower, spread_upper: the field's overlap spread, which ranks by marginal intervals that
        do not overlap; for comparison with the simultaneous set, as it is no confidence set.
    best: P(it is the best one). top: P(it is among the first k) for k = 1 … M. From the draws of
        the rank sets; None where the voters are too few for them.
    """

    contestant: str
    rank: int
    spread_lower: int
    spread_upper: int
    best: float | None
    top: tuple[float, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """All pairwise comparisons of a board's M placed contestants.

    chances are in the board's order, and so are rows and columns of the read-only (M, M) arrays:
    difference and se (row less column, rating points), probability, p_value, p_adjusted (None
    without simultaneous statements). reach, adjusted_reach: standard errors on either side of a
    marginal and of a simultaneous interval.
    """

    board: Leaderboard
    chances: tuple[RankChances, ...]
    difference: FloatArray
    se: FloatArray
    probability: FloatArray
    p_value: FloatArray
    p_adjusted: FloatArray | None
    reach: float
    adjusted_reach: float | None

    def __post_init__(self) -> None:
        for array in (self.difference, self.se, self.probability, self.p_value, self.p_adjusted):
            if array is not None:
                array.flags.writeable = False

    def of(self, contestant: str, opponent: str) -> Contrast:
        """The comparison of two placed contestants. Raises SpecError for any other name."""
        names = [entry.contestant for entry in self.chances]
        for name in (contestant, opponent):
            if name not in names:
                raise SpecError(f"{name!r} is not among the placed contestants.")
        return self._pair(names.index(contestant), names.index(opponent))

    def pairs(self) -> Iterator[Contrast]:
        """Every pair once, the higher ranked contestant first."""
        m = len(self.chances)
        return (self._pair(i, j) for i in range(m) for j in range(i + 1, m))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with every pair once."""
        return {
            "board": self.board.to_dict(),
            "chances": [asdict(entry) for entry in self.chances],
            "pairs": [asdict(pair) for pair in self.pairs()],
        }

    def _pair(self, i: int, j: int) -> Contrast:
        difference, se = float(self.difference[i, j]), float(self.se[i, j])
        wide = None if self.adjusted_reach is None else self.adjusted_reach * se
        return Contrast(
            contestant=self.chances[i].contestant,
            opponent=self.chances[j].contestant,
            difference=difference,
            se=se,
            lower=difference - self.reach * se,
            upper=difference + self.reach * se,
            probability=float(self.probability[i, j]),
            p_value=float(self.p_value[i, j]),
            lower_adjusted=None if wide is None else difference - wide,
            upper_adjusted=None if wide is None else difference + wide,
            p_adjusted=None if self.p_adjusted is None else float(self.p_adjusted[i, j]),
        )


def pairwise_contrasts(votes: Votes, spec: RankingSpec | None = None) -> Contrasts:
    """Fit the votes and compare every two placed contestants.

    With s_ij the standard error of θ_i − θ_j, P(i better than j) = F((θ_i − θ_j)/s_ij), F normal,
    or t with G* − 1 degrees of freedom when clustered. Adjusted intervals and p-values are
    single-step max-|Z| (Hothorn, Bretz & Westfall 2008) over the draws behind the rank sets, so a
    pair's adjusted interval excludes 0 exactly when their rank sets part them.

    Raises what `fit` raises.
    """
    prepared = prepare(votes, spec or RankingSpec())
    if prepared.design is None:
        none = np.zeros((0, 0))
        reach = quantile(prepared.spec.confidence, None)
        return Contrasts(fit(votes, prepared.spec), (), none, none, none, none, None, reach, None)
    return contrasts_of(estimate(prepared, prepared.design))


def contrasts_of(fitted: Estimate) -> Contrasts:
    """The same of a fit that is there already."""
    m, theta, spec = fitted.design.contestants, fitted.solution.theta, fitted.prepared.spec
    covariance = covariance_of(fitted, fitted.meat)[:m, :m]
    ranked = board(fitted)
    index = {label: i for i, label in enumerate(fitted.prepared.labels)}
    order = np.array([index[standing.contestant] for standing in ranked.standings])
    lead = theta[order][:, None] - theta[order]
    error = contrast_errors(covariance)[np.ix_(order, order)]
    z = _standardised(lead, error)
    joint = _joint(fitted, covariance)
    widest = None if joint is None else np.sort(joint.widest())
    return Contrasts(
        board=ranked,
        chances=_chances(ranked, None if joint is None else joint.rank_chances()[order]),
        difference=spec.elo * lead,
        se=spec.elo * error,
        probability=_below(z, fitted.clusters),
        p_value=2.0 * _below(-np.abs(z), fitted.clusters),
        p_adjusted=None if widest is None else _share_as_wide(widest, np.abs(z)),
        reach=quantile(spec.confidence, fitted.clusters),
        adjusted_reach=None if widest is None else float(np.quantile(widest, spec.confidence)),
    )


def _joint(fitted: Estimate, covariance: FloatArray) -> JointDraws | None:
    """The draws behind the rank sets, None where there are none."""
    if not simultaneous(fitted):
        return None
    spec, clusters = fitted.prepared.spec, fitted.clusters
    return joint_draws(
        fitted.solution.theta,
        covariance,
        draws=spec.draws,
        seed=spec.seed,
        degrees=None if clusters is None else clusters.effective - 1.0,
    )


def _standardised(lead: FloatArray, error: FloatArray) -> FloatArray:
    """lead/error; where there is no error, a lead is certain and less than that is none."""
    certain = np.where(np.abs(lead) <= SAME, 0.0, np.copysign(np.inf, lead))
    return np.divide(lead, error, out=certain, where=error > 0.0)


def _below(z: FloatArray, clusters: Clusters | None) -> FloatArray:
    """P(Z <= z) of the distribution that the intervals use."""
    if clusters is None:
        return np.asarray(special.ndtr(z))
    return np.asarray(special.stdtr(clusters.effective - 1.0, z))


def _share_as_wide(widest: FloatArray, size: FloatArray) -> FloatArray:
    """Share of sorted draws at least as large as each size, the observed one among them.

    Counting the observed one keeps a finite number of draws from claiming certainty.
    """
    beyond = widest.size - np.searchsorted(widest, size, side="left")
    share = (1.0 + beyond) / (1.0 + widest.size)
    return np.asarray(np.where(size > 0.0, share, 1.0))


def _chances(ranked: Leaderboard, shares: FloatArray | None) -> tuple[RankChances, ...]:
    """shares: (M, M) share of draws per contestant in the board's order and rank, or None."""
    standings = ranked.standings
    lower = np.array([standing.rating_lower for standing in standings])
    upper = np.array([standing.rating_upper for standing in standings])
    best, worst = overlap_spread(lower, upper)
    top = None if shares is None else np.minimum(np.cumsum(shares, axis=1), 1.0)
    return tuple(
        RankChances(
            contestant=standing.contestant,
            rank=standing.rank,
            spread_lower=int(best[i]),
            spread_upper=int(worst[i]),
            best=None if top is None else float(top[i, 0]),
            top=None if top is None else tuple(top[i].tolist()),
        )
        for i, standing in enumerate(standings)
    )
