"""Bootstrap by weights: every replicate is the same design, its rows counted more or less often.

Resampling n votes with replacement counts vote k some multinomial number of times, so a replicate
needs no copy of the votes: sort, columns and blocks are shared and Newton starts at the estimate.
Blocks of voters are resampled as a whole where voters are known (Efron 1979; Field & Welsh 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from ranking.arrays import BoolArray, FloatArray
from ranking.errors import SpecError
from ranking.fitting import Estimate, board, estimate, fit
from ranking.inference import Clusters, clusters_of, established
from ranking.ranks import ranks_of
from ranking.refits import refit
from ranking.result import Leaderboard, Standing
from ranking.selection import prepare
from ranking.spec import RankingSpec
from ranking.votes import Votes

LEAST_REPLICATES = 10

By = Literal["auto", "vote", "voter"]


@dataclass(frozen=True, slots=True)
class BootstrapStanding:
    """One contestant over the replicates that place it.

    rating: of the votes themselves. se: standard deviation over replicates. rating_lower,
        rating_upper: percentile interval of the contrast with the mean (with the floor: of those
        that are not of few votes). rank_lower, rank_upper: percentiles of its rank among those
        placed. All of these None where fewer than two replicates place it.
    placed, unplaced: replicates that do and do not.
    """

    contestant: str
    rating: float
    se: float | None
    rating_lower: float | None
    rating_upper: float | None
    rank: int
    rank_lower: int | None
    rank_upper: int | None
    placed: int
    unplaced: int


@dataclass(frozen=True, slots=True)
class BootstrapCoefficient:
    """A covariate's effect over the replicates that have it; None where fewer than two do."""

    name: str
    value: float
    se: float | None
    lower: float | None
    upper: float | None
    missing: int


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """B replicates of a board.

    by: "vote" or "voter", what was resampled. standings in the board's order; coefficients in the
    fit's: controls, position, the likelihood's own parameters. ratings: (B, M) read-only, a row
    per replicate and a column per standing, NaN where the replicate does not place the contestant.
    without_estimate: replicates in which nothing can be fitted (nobody placed, or a covariate
    separates wins from losses).
    """

    board: Leaderboard
    by: str
    replicates: int
    standings: tuple[BootstrapStanding, ...]
    coefficients: tuple[BootstrapCoefficient, ...]
    ratings: FloatArray
    without_estimate: int
    warnings: tuple[str, ...]

    def __post_init__(self) -> None:
        self.ratings.flags.writeable = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form: the summary, not the replicates."""
        return {
            "board": self.board.to_dict(),
            "by": self.by,
            "replicates": self.replicates,
            "standings": [asdict(standing) for standing in self.standings],
            "coefficients": [asdict(coefficient) for coefficient in self.coefficients],
            "without_estimate": self.without_estimate,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class _Replicates:
    """theta: (B, M) less the estimate, centred; rank: (B, M); gamma: (B, K). NaN where not."""

    theta: FloatArray
    rank: FloatArray
    gamma: FloatArray


def bootstrap_fit(
    votes: Votes,
    spec: RankingSpec | None = None,
    *,
    replicates: int = 200,
    by: By = "auto",
    progress: Callable[[int], None] | None = None,
) -> Bootstrap:
    """Fit the votes and `replicates` resamples of them.

    by: "vote" resamples votes; "voter" resamples voters with all their votes, an unknown voter
        being one of a single vote; "auto" does what the spec's intervals do.
    progress: called with the number of replicates done after each.

    Replicate k depends on the spec's seed and k alone, so that more replicates extend fewer.
    A contestant that a replicate cannot place has no rating there: such replicates are counted,
    never filled in. Weights of the votes multiply the resampled counts.

    Raises SpecError for too few replicates or unknown voters, and what `fit` raises.
    """
    if replicates < LEAST_REPLICATES:
        raise SpecError(f"a bootstrap needs at least {LEAST_REPLICATES} replicates.")
    if by not in ("auto", "vote", "voter"):
        raise SpecError(f"by must be auto, vote or voter, not {by!r}.")
    prepared = prepare(votes, spec or RankingSpec())
    if prepared.design is None:
        empty = fit(votes, prepared.spec)
        nothing = np.zeros((replicates, 0))
        return Bootstrap(empty, "vote", replicates, (), (), nothing, replicates, empty.warnings)
    fitted = estimate(prepared, prepared.design)
    blocks = _blocks(fitted, by)
    drawn = _replicates(fitted, blocks, replicates, progress or (lambda done: None))
    return _summary(fitted, drawn, "vote" if blocks is None else "voter")


def _blocks(fitted: Estimate, by: By) -> Clusters | None:
    """The voters to resample, None to resample votes."""
    if by == "vote":
        return None
    if by == "auto" or fitted.clusters is not None:
        return fitted.clusters
    voter = fitted.prepared.votes.voter
    if voter is None or not (voter[fitted.design.rows] >= 0).any():
        raise SpecError("voters cannot be resampled: no counted vote has a known voter.")
    return clusters_of(fitted.design, voter)


def _replicates(
    fitted: Estimate, blocks: Clusters | None, replicates: int, progress: Callable[[int], None]
) -> _Replicates:
    design, solution = fitted.design, fitted.solution
    reference = _reference(fitted)
    shape = replicates, design.contestants
    theta, rank = np.full(shape, np.nan), np.full(shape, np.nan)
    gamma = np.full((replicates, solution.gamma.size), np.nan)
    draw = _resampler(len(design), blocks)
    for k in range(replicates):
        times = draw(np.random.default_rng([fitted.prepared.spec.seed, k]))
        found = refit(fitted, times)
        if found is not None:
            moved = found.theta - solution.theta
            # Who is missing must not shift the others: the mean is of the same contestants.
            common = reference & found.placed
            theta[k] = moved - moved[common if common.any() else found.placed].mean()
            rank[k, found.placed] = ranks_of(found.theta[found.placed])
            gamma[k] = found.gamma
        progress(k + 1)
    return _Replicates(theta, rank, gamma)


def _reference(fitted: Estimate) -> BoolArray:
    """(M,) the contestants whose mean ratings are contrasts with."""
    if not fitted.prepared.spec.floor:
        return np.ones(fitted.design.contestants, dtype=bool)
    member = np.zeros(fitted.design.contestants, dtype=bool)
    member[established(fitted.design.votes_of())] = True
    return member


def _resampler(n: int, blocks: Clusters | None) -> Callable[[np.random.Generator], FloatArray]:
    """Draws how often a resample counts each row, (n,), into the same memory every time.

    Fresh memory for a column of all rows can cost more than a replicate's arithmetic.
    """
    if blocks is None:
        return lambda generator: _multinomial(generator, n)
    number, several, code = blocks.number, blocks.sizes.size, blocks.code
    alone, times = np.flatnonzero(code < 0), np.empty(n)

    def draw(generator: np.random.Generator) -> FloatArray:
        drawn = _multinomial(generator, number)
        # Rows that are alone have the code −1, which takes the last entry until their own follows.
        np.take(np.append(drawn[:several], 0.0), code, mode="wrap", out=times)
        times[alone] = drawn[several:]
        return times

    return draw


def _multinomial(generator: np.random.Generator, size: int) -> FloatArray:
    """How often each of `size` things occurs among `size` draws with replacement."""
    return np.bincount(generator.integers(0, size, size), minlength=size).astype(np.float64)


def _summary(fitted: Estimate, drawn: _Replicates, by: str) -> Bootstrap:
    ranked, spec = board(fitted), fitted.prepared.spec
    index = {label: i for i, label in enumerate(fitted.prepared.labels)}
    order = [index[standing.contestant] for standing in ranked.standings]
    rating = np.array([standing.rating for standing in ranked.standings])
    ratings = rating + spec.elo * drawn.theta[:, order]
    standings = tuple(
        _standing(standing, ratings[:, i], drawn.rank[:, order[i]], spec.confidence)
        for i, standing in enumerate(ranked.standings)
    )
    placed_any = ~np.isnan(drawn.theta).all(axis=1)
    without = int((~placed_any).sum())
    replicates = len(ratings)
    return Bootstrap(
        board=ranked,
        by=by,
        replicates=replicates,
        standings=standings,
        coefficients=_coefficients(fitted, drawn.gamma),
        ratings=ratings,
        without_estimate=without,
        warnings=(*ranked.warnings, *_warnings(standings, replicates, without)),
    )


def _standing(
    standing: Standing, ratings: FloatArray, ranks: FloatArray, confidence: float
) -> BootstrapStanding:
    se, lower, upper = _spread(ratings, confidence)
    placed = int((~np.isnan(ratings)).sum())
    ends: tuple[int | None, int | None] = None, None
    if placed > 1:
        tail = 0.5 * (1.0 - confidence)
        present = ranks[~np.isnan(ranks)]
        ends = (
            int(np.quantile(present, tail, method="lower")),
            int(np.quantile(present, 1.0 - tail, method="higher")),
        )
    return BootstrapStanding(
        contestant=standing.contestant,
        rating=standing.rating,
        se=se,
        rating_lower=lower,
        rating_upper=upper,
        rank=standing.rank,
        rank_lower=ends[0],
        rank_upper=ends[1],
        placed=placed,
        unplaced=ratings.size - placed,
    )


def _coefficients(fitted: Estimate, gamma: FloatArray) -> tuple[BootstrapCoefficient, ...]:
    confidence, found = fitted.prepared.spec.confidence, []
    for k, name in enumerate(fitted.design.coefficients):
        se, lower, upper = _spread(gamma[:, k], confidence)
        missing = int(np.isnan(gamma[:, k]).sum())
        value = float(fitted.solution.gamma[k])
        found.append(BootstrapCoefficient(name, value, se, lower, upper, missing))
    return tuple(found)


def _spread(
    values: FloatArray, confidence: float
) -> tuple[float | None, float | None, float | None]:
    """Standard deviation and percentile interval of those that are not NaN."""
    present = values[~np.isnan(values)]
    if present.size < 2:
        return None, None, None
    tail = 0.5 * (1.0 - confidence)
    lower, upper = np.quantile(present, [tail, 1.0 - tail])
    return float(present.std(ddof=1)), float(lower), float(upper)


def _warnings(standings: tuple[BootstrapStanding, ...], replicates: int, without: int) -> list[str]:
    said = []
    if without:
        said.append(
            f"{without} of {replicates} replicates have no estimate at all and are in no interval."
        )
    for standing in standings:
        if standing.unplaced > without:
            said.append(
                f"{standing.contestant}: {standing.unplaced} of {replicates} replicates cannot "
                "place it, so its interval is of the others and may be too narrow."
            )
    return said
