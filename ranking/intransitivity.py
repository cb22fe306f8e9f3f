"""Does one scale explain the votes? Circles among the pairs, and pairs that fit it badly.

The log-odds of all pairs are a flow on the graph of pairs. By the Hodge decomposition weighted by
votes (Jiang, Lim, Yao & Ye 2011) it splits into a gradient, which ratings explain exactly, and a
flow around closed loops, which no ratings explain. Noise alone makes loops, so the share is held
against the shares of votes simulated from the fitted model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import linalg, optimize, special

from ranking.arrays import FloatArray, IndexArray
from ranking.design import PairDesign
from ranking.errors import SpecError
from ranking.fitting import solved
from ranking.newton import Solution, gauge
from ranking.result import Counts
from ranking.selection import prepare
from ranking.spec import RankingSpec
from ranking.votes import Votes

_HALF_A_VOTE = 0.5
_LEAST_VARIANCE = 1e-9
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class PairResidual:
    """How far one pair's votes lie from what the fit expects of them.

    observed, expected: wins of the first (a tie half a win), with the votes' weights.
    standardised: (observed − expected)/standard deviation, less the pair's own pull on the fit;
    0 where the pair alone decides its own expectation. p_value: two-sided; p_adjusted: so that
    with the spec's confidence no pair is flagged if the model is right (Holm 1979).
    """

    first: str
    second: str
    votes: int
    observed: float
    expected: float
    standardised: float
    p_value: float
    p_adjusted: float
    flagged: bool


@dataclass(frozen=True, slots=True)
class Intransitivity:
    """Circles among the placed contestants.

    curl_share: share of the flow's energy, weighted by votes, that runs around closed loops; 0
    where one scale explains every pair's log-odds, 1 where it explains none. loops: independent
    loops there are (pairs − contestants + 1); with none the share is 0 whatever the votes.
    null_mean, null_upper: mean and upper quantile (at the spec's confidence) of the share under
    the fitted model. p_value: (1 + simulations with at least as much energy in loops)/(1 +
    simulations); of the energy and not of the share, which is large by chance among equals.
    residuals: per pair, the most striking first.
    """

    spec: RankingSpec
    curl_share: float
    loops: int
    null_mean: float
    null_upper: float
    p_value: float
    simulations: int
    residuals: tuple[PairResidual, ...]
    counts: Counts
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with a fixed order of keys."""
        data = asdict(self)
        data["spec"], data["counts"] = self.spec.to_dict(), self.counts.to_dict()
        return data


@dataclass(frozen=True, slots=True)
class PairTotals:
    """Votes and scores of the P pairs of M contestants, and what the fit expects of them.

    first, second: (P,) ids. n, weight: (P,) votes and Σ w. observed, expected: (P,) Σ w y and
    Σ w p. variance: (P,) of Σ w y under the fit. score: (P,) Σ y. chance: (P,) mean p.
    ties: (P,) chance of a tie.
    """

    contestants: int
    first: IndexArray
    second: IndexArray
    n: FloatArray
    weight: FloatArray
    observed: FloatArray
    expected: FloatArray
    variance: FloatArray
    score: FloatArray
    chance: FloatArray
    ties: FloatArray


def measure_intransitivity(
    votes: Votes, spec: RankingSpec | None = None, *, simulations: int = 200
) -> Intransitivity:
    """The curl share of the votes with its null distribution, and the residual of every pair.

    A pair's log-odds are ln((s + ½)/(n − s + ½)), s the score of its n votes (Haldane 1956), and
    its weight is n. The null draws as many votes on the same pairs from the fitted Bradley-Terry
    model, `simulations` times, seeded by the spec: with probability p the fit's mean on the pair,
    ties with probability κ p(1 − p) taken equally from wins and losses, κ such that there are as
    many as observed. Its votes are independent: of voters who vote alike real shares are larger.

    Raises SpecError for a likelihood other than bradley_terry, for too few simulations and when
    nobody is placed, and what `fit` raises.
    """
    spec = spec or RankingSpec()
    if spec.likelihood != "bradley_terry":
        raise SpecError("circles are measured against bradley_terry; ask for that likelihood.")
    if isinstance(simulations, bool) or not isinstance(simulations, int) or simulations < 20:
        raise SpecError(f"simulations must be a whole number of at least 20, not {simulations!r}.")
    prepared = prepare(votes, spec)
    design = prepared.design
    if design is None:
        raise SpecError("nobody is placed by these votes, so there are no circles to look for.")
    solution = solved(prepared, design)
    pairs = _totals(design, solution)
    loops, energy = circulation(pairs, pairs.score[None, :])
    null_loops, null_energy = circulation(pairs, simulated_scores(pairs, simulations, spec.seed))
    null = _shares(null_loops, null_energy)
    return Intransitivity(
        spec=prepared.spec,
        curl_share=float(_shares(loops, energy)[0]),
        loops=design.first.size - design.contestants + 1,
        null_mean=float(null.mean()),
        null_upper=float(np.quantile(null, spec.confidence)),
        p_value=_p_value(float(loops[0]), null_loops, pairs.n),
        simulations=simulations,
        residuals=_residuals(prepared.labels, pairs, _pull(design, solution), spec.confidence),
        counts=prepared.counts,
        warnings=prepared.warnings,
    )


def _totals(design: PairDesign, solution: Solution) -> PairTotals:
    n = design.counts.astype(np.float64)
    p = _probabilities(design, solution)
    weight = np.ones(len(design)) if design.weight is None else design.weight
    spread = p * (1.0 - p)

    def summed(rows: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduceat(rows, design.starts[:-1]))

    kappa = tie_factor(spread, p, float((design.y == _HALF_A_VOTE).sum()))
    ties = _tie_chance(kappa, spread, p)
    return PairTotals(
        contestants=design.contestants,
        first=design.first,
        second=design.second,
        n=n,
        weight=summed(weight),
        observed=summed(weight * design.y),
        expected=summed(weight * p),
        # A tie scores ½ instead of 0 or 1 and so takes a quarter off the variance of its vote.
        variance=summed(weight**2 * (spread - 0.25 * ties)),
        score=summed(design.y),
        chance=summed(p) / n,
        ties=summed(ties) / n,
    )


def _probabilities(design: PairDesign, solution: Solution) -> FloatArray:
    """(n,) the fit's probability that each row's first contestant wins."""
    gap = solution.theta[design.first] - solution.theta[design.second]
    eta = np.repeat(gap, design.counts)
    if design.names:
        eta += solution.gamma @ design.x
    return np.asarray(special.expit(eta))


def tie_factor(spread: FloatArray, p: FloatArray, ties: float) -> float:
    """κ at which Σ min(κ p(1 − p), 2 min(p, 1 − p)) is the number of ties; spread = p(1 − p).

    The bound leaves no negative chance of winning. Infinite where all votes must be ties.
    """
    if ties >= _tie_chance(np.inf, spread, p).sum():
        return np.inf

    def excess(kappa: float) -> float:
        return float(_tie_chance(kappa, spread, p).sum()) - ties

    high = 4.0
    while excess(high) < 0.0:
        high *= 2.0
    return float(optimize.brentq(excess, 0.0, high))


def _tie_chance(kappa: float, spread: FloatArray, p: FloatArray) -> FloatArray:
    most = 2.0 * np.minimum(p, 1.0 - p)
    return most if np.isinf(kappa) else np.minimum(kappa * spread, most)


def circulation(pairs: PairTotals, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Energy Σ n Y² in loops and in all of the flow, for each row of scores; (R,) each.

    scores: (R, P) wins of the pairs' first contestants. Least squares with weights n gives the
    gradient; what it leaves runs in loops.
    """
    flow = np.log((scores + _HALF_A_VOTE) / (pairs.n - scores + _HALF_A_VOTE))
    divergence = np.zeros((scores.shape[0], pairs.contestants))
    for row, total in zip(flow * pairs.n, divergence, strict=True):
        total += np.bincount(pairs.first, row, minlength=pairs.contestants)
        total -= np.bincount(pairs.second, row, minlength=pairs.contestants)
    laplacian = _weighted_laplacian(pairs)
    potential: FloatArray = linalg.solve(laplacian, divergence.T, assume_a="pos").T
    left = flow - (potential[:, pairs.first] - potential[:, pairs.second])
    return (pairs.n * left**2).sum(axis=1), (pairs.n * flow**2).sum(axis=1)


def _shares(loops: FloatArray, energy: FloatArray) -> FloatArray:
    return np.asarray(np.divide(loops, energy, out=np.zeros_like(energy), where=energy > 0.0))


def _p_value(loops: float, null: FloatArray, n: FloatArray) -> float:
    """Share of the null, and the votes themselves, with as much energy in loops."""
    # Without a loop all are 0 but for rounding, and none is larger than another.
    same = _ROUNDING * float(n.sum())
    return float((1 + (null >= loops - same).sum()) / (1 + null.size))


def _weighted_laplacian(pairs: PairTotals) -> FloatArray:
    """(M, M) Σ n (e_first − e_second)(…)ᵀ, made invertible along the constant."""
    m = pairs.contestants
    laplacian = np.zeros((m, m))
    laplacian[pairs.first, pairs.second] = laplacian[pairs.second, pairs.first] = -pairs.n
    laplacian[range(m), range(m)] = -laplacian.sum(axis=1)
    return np.asarray(laplacian + laplacian.diagonal().max() / m)


def simulated_scores(pairs: PairTotals, simulations: int, seed: int) -> FloatArray:
    """(simulations, P) wins of the first (a tie half a win) in votes drawn from the fit."""
    generator = np.random.default_rng(seed)
    half = 0.5 * pairs.ties
    chances = np.stack([pairs.chance - half, pairs.ties, 1.0 - pairs.chance - half], axis=1)
    chances = np.maximum(chances, 0.0)
    chances /= chances.sum(axis=1, keepdims=True)
    counts = pairs.n.astype(np.int64)
    drawn = [generator.multinomial(counts, chances) for _ in range(simulations)]
    return np.array([outcome[:, 0] + 0.5 * outcome[:, 1] for outcome in drawn])


def _pull(design: PairDesign, solution: Solution) -> FloatArray:
    """(P,) share of each pair's residual variance that the fit takes away by following it.

    With information I_p = Σ w p(1 − p) it is I_p (e_i − e_j)ᵀ H⁻¹ (e_i − e_j): the hat matrix of
    the last Newton step, of the strengths alone.
    """
    p = _probabilities(design, solution)
    weight = 1.0 if design.weight is None else design.weight
    information = np.add.reduceat(weight * p * (1.0 - p), design.starts[:-1])
    inverse = linalg.inv(solution.hessian + gauge(design, solution.hessian))
    variance, i, j = inverse.diagonal(), design.first, design.second
    return np.asarray(information * (variance[i] + variance[j] - 2.0 * inverse[i, j]))


def _residuals(
    labels: list[str], pairs: PairTotals, pull: FloatArray, confidence: float
) -> tuple[PairResidual, ...]:
    variance = pairs.variance * np.maximum(1.0 - pull, 0.0)
    free = variance > _LEAST_VARIANCE * pairs.n
    gap = pairs.observed - pairs.expected
    standardised = np.divide(gap, np.sqrt(variance), out=np.zeros_like(gap), where=free)
    p_value = np.ones(gap.size)
    weight = pairs.weight[free]
    p_value[free] = tail_probability(
        pairs.observed[free] / weight, pairs.expected[free] / weight, variance[free] / weight**2
    )
    p_adjusted = holm(p_value)
    order = np.lexsort((np.arange(gap.size), -np.abs(standardised)))
    return tuple(
        PairResidual(
            first=labels[pairs.first[k]],
            second=labels[pairs.second[k]],
            votes=int(pairs.n[k]),
            observed=float(pairs.observed[k]),
            expected=float(pairs.expected[k]),
            standardised=float(standardised[k]),
            p_value=float(p_value[k]),
            p_adjusted=float(p_adjusted[k]),
            flagged=bool(p_adjusted[k] < 1.0 - confidence),
        )
        for k in order
    )


def tail_probability(rate: FloatArray, p: FloatArray, variance: FloatArray) -> FloatArray:
    """Two-sided probability of a mean score as far from p, (P,), of the given variance.

    The binomial tail, continued to real numbers by the incomplete beta function, of the number of
    votes n = p(1 − p)/variance that has this variance. A normal tail would call single upsets
    of strong favourites impossible.
    """
    n = p * (1.0 - p) / variance
    wins = np.clip(rate, 0.0, 1.0) * n
    # P(X >= s) = I_p(s, n − s + 1), and P(X <= s) the same of losses.
    high = special.betainc(np.maximum(wins, 1e-300), n - wins + 1.0, p)
    low = special.betainc(np.maximum(n - wins, 1e-300), wins + 1.0, 1.0 - p)
    return np.asarray(np.minimum(1.0, 2.0 * np.minimum(high, low)))


def holm(p_value: FloatArray) -> FloatArray:
    """p-values adjusted for their number by Holm's (1979) step-down rule; (P,)."""
    order = np.argsort(p_value, kind="stable")
    stepped = p_value[order] * np.arange(p_value.size, 0, -1)
    adjusted = np.empty(p_value.size)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return adjusted
