"""How well a spec predicts votes it has not seen.

Forward chaining: the votes are cut into blocks one after another in time, each block is predicted
by a fit to all earlier ones, and the first block is only learnt from. Cross-validation at random
would let a fit learn from the future.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import special

from ranking.arrays import FloatArray, IndexArray, IntArray, SmallIntArray
from ranking.covariates import CONTROLS, pair_difference
from ranking.errors import SpecError
from ranking.fitting import fit
from ranking.result import Counts, Leaderboard
from ranking.selection import select_votes
from ranking.spec import RankingSpec
from ranking.votes import A_WINS, B_WINS, BOTH_BAD, OUTCOMES, TIE, Votes

_LATER = "not yet cast"


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Held-out votes whose favourite had about the same expected score.

    predicted, observed: mean expected and actual score of the favourite (a tie ½), in [0, 1].
    lower, upper: interval of `observed` at the spec's confidence, of independent votes.
    """

    predicted: float
    observed: float
    lower: float
    upper: float
    votes: int


@dataclass(frozen=True, slots=True)
class Fold:
    """One block: votes learnt from, predicted and not predictable, and its mean losses."""

    learnt: int
    predicted: int
    unpredicted: int
    log_loss: float | None
    brier: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Held-out scores of a spec; every predicted vote counts alike, whatever its weight.

    order: "time", or "row" where the time of a counted vote is unknown. predicted, unpredicted:
    held-out votes between contestants that the earlier votes place, and others. log_loss: mean of
    −ln P(outcome) in the outcomes of the likelihood (with half-win ties −[y ln p + (1−y) ln(1−p)]),
    so it compares specs of one likelihood; baseline_log_loss: the same of a coin, or of the
    earlier votes' shares of outcomes. brier: mean of (y − E y)², y the score with ½ for ties and
    both bad; it compares all specs. calibration_error: mean |observed − predicted| over the
    reliability curve, weighted by votes.
    """

    spec: RankingSpec
    order: str
    predicted: int
    unpredicted: int
    log_loss: float
    baseline_log_loss: float
    brier: float
    calibration_error: float
    reliability: tuple[ReliabilityBin, ...]
    folds: tuple[Fold, ...]
    counts: Counts
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with a fixed order of keys."""
        data = asdict(self)
        data["spec"], data["counts"] = self.spec.to_dict(), self.counts.to_dict()
        return data


@dataclass(frozen=True, slots=True)
class Predicted:
    """Held-out votes: their rows, score and expected score of the favourite, and losses; (n,) each.

    baseline: the loss of a coin, or of the earlier votes' shares of outcomes.
    """

    rows: IndexArray
    y: FloatArray
    expected: FloatArray
    loss: FloatArray
    baseline: FloatArray


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What forward chaining predicted, vote by vote; the rest as Calibration has it."""

    order: str
    counts: Counts
    folds: tuple[Fold, ...]
    predicted: Predicted


def calibrate(
    votes: Votes,
    spec: RankingSpec | None = None,
    *,
    folds: int = 5,
    bins: int = 10,
    progress: Callable[[int, int], None] | None = None,
) -> Calibration:
    """Held-out log-loss, Brier score and reliability of a spec, by forward chaining.

    folds: predicted blocks of equal size; one more before them is only learnt from. bins: of the
    reliability curve, with equally many votes each. Votes of unknown time are taken in the order
    of their rows, all of them, and a warning says so. progress: called after each fold with the
    number of folds done and of all.

    Raises SpecError for values out of range, when an outcome occurs that the earlier votes give
    no chance, and when no vote can be predicted; and what `fit` raises.
    """
    spec = spec or RankingSpec()
    _check_least("bins", bins)
    return _calibration(spec, bins, held_out(votes, spec, folds=folds, progress=progress))


def held_out(
    votes: Votes,
    spec: RankingSpec,
    *,
    folds: int = 5,
    progress: Callable[[int, int], None] | None = None,
) -> HeldOut:
    """Every held-out vote with its forecast; as `calibrate`, which sums them up, and raises."""
    _check_least("folds", folds)
    chosen, counts = select_votes(votes, spec)
    rows, order = in_time(votes, np.flatnonzero(chosen))
    if rows.size <= folds:
        raise SpecError(f"{rows.size} counted votes are too few for {folds} folds.")
    cuts = np.linspace(0, rows.size, folds + 2).round().astype(int)
    results = []
    for low, high in pairwise(cuts[1:].tolist()):
        results.append(_fold(votes, spec, rows[:low], rows[low:high]))
        if progress is not None:
            progress(len(results), folds)
    parts = [part for _, part in results]
    joined = Predicted(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS)
    )
    if not joined.y.size:
        raise SpecError("no held-out vote is between contestants that earlier votes place.")
    return HeldOut(order, counts, tuple(fold for fold, _ in results), joined)


_COLUMNS = ("rows", "y", "expected", "loss", "baseline")


def _check_least(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SpecError(f"{name} must be a whole number of at least 1, not {value!r}.")


def in_time(votes: Votes, rows: IndexArray) -> tuple[IndexArray, str]:
    """The rows in the order of time, and "time"; as they are, and "row", where any is unknown."""
    if votes.time is None or np.isnan(votes.time[rows]).any():
        return rows, "row"
    return rows[np.argsort(votes.time[rows], kind="stable")], "time"


def _calibration(spec: RankingSpec, bins: int, held: HeldOut) -> Calibration:
    joined = held.predicted
    curve = reliability(joined.y, joined.expected, bins, spec.confidence)
    off = sum(part.votes * abs(part.observed - part.predicted) for part in curve)
    told = () if held.order == "time" else ("The time of votes is unknown: their order was taken.",)
    return Calibration(
        spec=spec,
        order=held.order,
        predicted=joined.y.size,
        unpredicted=sum(fold.unpredicted for fold in held.folds),
        log_loss=float(joined.loss.mean()),
        baseline_log_loss=float(joined.baseline.mean()),
        brier=float(np.square(joined.y - joined.expected).mean()),
        calibration_error=off / joined.y.size,
        reliability=curve,
        folds=held.folds,
        counts=held.counts,
        warnings=told,
    )


def reliability(
    y: FloatArray, expected: FloatArray, bins: int, confidence: float
) -> tuple[ReliabilityBin, ...]:
    """The reliability curve of scores y and their predictions, (n,), in bins of equal size."""
    order = np.argsort(expected, kind="stable")
    reach = float(special.ndtri(0.5 * (1.0 + confidence)))
    parts = np.array_split(order, min(bins, order.size))
    curve = []
    for part in parts:
        observed, error = float(y[part].mean()), float(y[part].std() / math.sqrt(part.size))
        curve.append(
            ReliabilityBin(
                predicted=float(expected[part].mean()),
                observed=observed,
                lower=max(0.0, observed - reach * error),
                upper=min(1.0, observed + reach * error),
                votes=part.size,
            )
        )
    return tuple(curve)


def _fold(
    votes: Votes, spec: RankingSpec, learnt: IndexArray, held: IndexArray
) -> tuple[Fold, Predicted]:
    """Fit the earlier votes, predict the held-out ones."""
    # Of the fit only the estimates are used, so its uncertainty is done the cheapest way.
    cheap = replace(spec, anchor=None, cluster=False, floor=False, draws=100)
    board = fit(_only(votes, learnt), cheap)
    theta = strengths(votes, board)
    known = held[~np.isnan(theta[votes.a[held]] + theta[votes.b[held]])]
    predicted = _predict(votes, board, theta, learnt, known)
    some = known.size > 0
    fold = Fold(
        learnt=learnt.size,
        predicted=known.size,
        unpredicted=held.size - known.size,
        log_loss=float(predicted.loss.mean()) if some else None,
        brier=float(np.square(predicted.y - predicted.expected).mean()) if some else None,
    )
    return fold, predicted


def _only(votes: Votes, rows: IndexArray) -> Votes:
    """The votes with all but `rows` excluded; those already excluded stay so."""
    later = np.ones(len(votes), dtype=bool)
    later[rows] = False
    excluded: IntArray = np.where(later, np.int32(len(votes.rules)), np.int32(-1))
    if votes.excluded is not None:
        excluded = np.where(votes.excluded >= 0, votes.excluded, excluded)
    return replace(votes, excluded=excluded, rules=(*votes.rules, _LATER))


def _predict(
    votes: Votes, board: Leaderboard, theta: FloatArray, learnt: IndexArray, rows: IndexArray
) -> Predicted:
    a, b, outcome = votes.a[rows], votes.b[rows], votes.outcome[rows]
    gap = leads(votes, board, theta, rows)
    level = None if board.level is None else board.level.value + 0.5 * (theta[a] + theta[b])
    tie = None if board.tie is None else board.tie.value
    chances = outcome_chances(board.spec.likelihood, gap, tie, level)
    score = _SCORE[outcome]
    expected = _SCORE @ chances
    # Of the favourite, so that it does not matter which side a vote was recorded from.
    ahead = expected >= 0.5
    return Predicted(
        rows=rows,
        y=np.where(ahead, score, 1.0 - score),
        expected=np.where(ahead, expected, 1.0 - expected),
        loss=_losses(board.spec.likelihood, chances, outcome),
        baseline=_losses(
            board.spec.likelihood, _shares(board.spec, votes.outcome[learnt], rows.size), outcome
        ),
    )


def leads(votes: Votes, board: Leaderboard, theta: FloatArray, rows: IndexArray) -> FloatArray:
    """η_a − η_b of some votes under a board, of which theta, (M,), are the strengths; (rows,)."""
    gap = theta[votes.a[rows]] - theta[votes.b[rows]]
    for coefficient in board.coefficients:
        one, other = (side[rows] for side in votes.features[CONTROLS[coefficient.name]])
        gap += coefficient.value / coefficient.scale * pair_difference(one, other)
    if board.position is not None:
        gap += board.position.value * (1 if votes.shown_first is None else votes.shown_first[rows])
    return gap


def strengths(votes: Votes, board: Leaderboard) -> FloatArray:
    """θ of the votes' contestants on a board, NaN where it does not place them; (M,)."""
    place = {name: i for i, name in enumerate(votes.contestants)}
    theta = np.full(len(place), np.nan)
    for standing in board.standings:
        theta[place[standing.contestant]] = standing.theta
    return theta


_SCORE = np.full(len(OUTCOMES), 0.5)
_SCORE[[A_WINS, B_WINS]] = 1.0, 0.0


def outcome_chances(
    likelihood: str, gap: FloatArray, tie: float | None, level: FloatArray | None
) -> FloatArray:
    """(4, n) probability of each of OUTCOMES under a likelihood of ranking.likelihoods.

    gap: (n,) η_a − η_b. tie: the tie parameter, None for the limit without ties. level: (n,)
    (η_a + η_b)/2 above the ground, None without an outcome "both bad". With half-win ties p and
    1 − p, which are the expected scores, stand for the two wins.
    """
    chances = np.zeros((len(OUTCOMES), gap.size))
    if likelihood == "davidson" and tie is not None:
        powers = np.stack([0.5 * gap, -0.5 * gap, np.full(gap.size, tie)])
        chances[:BOTH_BAD] = special.softmax(powers, axis=0)
        return chances
    threshold = 0.0 if tie is None or likelihood == "bradley_terry" else tie
    if level is None:
        chances[A_WINS] = special.expit(gap - threshold)
        chances[B_WINS] = special.expit(-gap - threshold)
        chances[TIE] = np.expm1(2.0 * threshold) * chances[A_WINS] * chances[B_WINS]
        return chances
    one, other = np.exp(level + 0.5 * gap), np.exp(level - 0.5 * gap)
    wide, both = math.exp(threshold), one + other
    first, second = one + wide * other + 1.0, other + wide * one + 1.0
    chances[A_WINS], chances[B_WINS] = one / first, other / second
    chances[BOTH_BAD] = 1.0 / (1.0 + both)
    chances[TIE] = math.expm1(threshold) * (one / first) * (other / second)
    chances[TIE] *= (2.0 + (1.0 + wide) * both) / (1.0 + both)
    return chances


def _losses(likelihood: str, chances: FloatArray, outcome: SmallIntArray) -> FloatArray:
    """−ln P(outcome) of each vote, (n,)."""
    if likelihood == "bradley_terry":
        score = _SCORE[outcome]
        won, lost = np.log(chances[A_WINS]), np.log(chances[B_WINS])
        return np.asarray(-(score * won + (1.0 - score) * lost))
    if likelihood != "four_outcome":
        # As in the fit, both bad is half a win for either, which is what a tie is here.
        outcome = np.where(outcome == BOTH_BAD, np.int8(TIE), outcome)
    chance = chances[outcome, np.arange(outcome.size)]
    impossible = chance <= 0.0
    if impossible.any():
        name = OUTCOMES[int(outcome[impossible][0])]
        raise SpecError(
            f"{name!r} occurs in a held-out block but in no vote before it, so {likelihood} gives "
            "it no chance. Use fewer folds, or half-win ties."
        )
    return np.asarray(-np.log(chance))


def _shares(spec: RankingSpec, outcome: SmallIntArray, n: int) -> FloatArray:
    """(4, n) chances that know no contestant: the earlier votes' shares, sides alike."""
    if spec.likelihood == "bradley_terry":
        share = np.array([0.5, 0.5, 0.0, 0.0])
    else:
        share = np.bincount(outcome, minlength=len(OUTCOMES)) / outcome.size
        share[[A_WINS, B_WINS]] = 0.5 * (share[A_WINS] + share[B_WINS])
        if spec.likelihood != "four_outcome":
            share[TIE], share[BOTH_BAD] = share[TIE] + share[BOTH_BAD], 0.0
    return np.tile(share[:, None], n)
