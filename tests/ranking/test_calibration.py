"""Held-out scores: against fits by hand, against the likelihoods, and what they tell apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import RankingSpec, SpecError, Votes, calibrate, fit
from ranking.calibration import outcome_chances, reliability
from ranking.likelihoods import BRADLEY_TERRY, DAVIDSON, FOUR_OUTCOMES, RAO_KUPPER
from tests.ranking.making import assert_same_numbers, plain, simulated, turned

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=6, deadline=None)
SPEC = RankingSpec(controls=("length", "headers"))


def part(votes: Votes, rows: np.ndarray) -> Votes:
    assert votes.shown_first is not None
    return replace(
        votes,
        a=votes.a[rows],
        b=votes.b[rows],
        outcome=votes.outcome[rows],
        shown_first=votes.shown_first[rows],
        voter=None,
        time=None,
        features={name: (a[rows], b[rows]) for name, (a, b) in votes.features.items()},
    )


def test_it_predicts_each_block_from_the_votes_before_it() -> None:
    votes = replace(simulated(1, votes=900), time=np.random.default_rng(1).permutation(900))
    order = np.argsort(votes.time)
    losses, briers = [], []
    for low, high in ((300, 600), (600, 900)):
        board = fit(part(votes, order[:low]), SPEC)
        held = part(votes, order[low:high])
        theta = {s.contestant: s.theta for s in board.standings}
        strengths = np.array([theta[name] for name in votes.contestants])
        eta = strengths[held.a] - strengths[held.b] + board.position.value * held.shown_first
        for c, metric in zip(board.coefficients, ("tokens", "headers"), strict=True):
            a, b = held.features[metric]
            eta += c.value / c.scale * (a - b) / (a + b)
        p, y = 1 / (1 + np.exp(-eta)), np.choose(held.outcome, [1.0, 0.0, 0.5, 0.5])
        losses.extend(-(y * np.log(p) + (1 - y) * np.log(1 - p)))
        briers.extend((y - p) ** 2)
    result = calibrate(votes, SPEC, folds=2)

    assert (result.order, result.warnings) == ("time", ())
    assert (result.predicted, result.unpredicted) == (600, 0)
    assert [(f.learnt, f.predicted) for f in result.folds] == [(300, 300), (600, 300)]
    assert result.log_loss == pytest.approx(np.mean(losses), rel=1e-9)
    assert result.brier == pytest.approx(np.mean(briers), rel=1e-9)
    assert result.folds[1].log_loss == pytest.approx(np.mean(losses[300:]), rel=1e-9)
    assert result.baseline_log_loss == pytest.approx(np.log(2.0))


@pytest.mark.parametrize("model", [BRADLEY_TERRY, DAVIDSON, RAO_KUPPER, FOUR_OUTCOMES])
def test_chances_are_those_that_the_likelihoods_fit(model: object) -> None:
    gap, level, tie = np.array([-2.0, 0.3, 1.5]), np.array([0.4, -1.0, 2.0]), 0.7
    chances = outcome_chances(
        model.name, gap, tie if model.tied else None, level if model.levelled else None
    )
    scores = [1.0, 0.0]
    if model.tied:
        scores.append(0.5)
    if model.levelled:
        scores.append(-1.0)
    for score, chance in zip(scores, chances, strict=False):
        for k in range(3):
            y = np.array([score])
            lev = level[k : k + 1] if model.levelled else None
            loss = model.rows(gap[k : k + 1], tie, lev, y, None)[0]
            assert loss == pytest.approx(-np.log(chance[k]), rel=1e-9)

    assert chances.sum(axis=0) == pytest.approx(1.0)


@pytest.mark.parametrize("likelihood", ["davidson", "rao_kupper", "four_outcome"])
def test_models_of_ties_predict_better_than_shares_of_outcomes(likelihood: str) -> None:
    votes = simulated(2, votes=3000, spread=1.0)
    result = calibrate(votes, RankingSpec(likelihood=likelihood), folds=2)
    half = calibrate(votes, RankingSpec(), folds=2)

    assert result.log_loss < result.baseline_log_loss
    assert result.brier == pytest.approx(half.brier, abs=0.003)
    assert result.calibration_error < 0.04


def test_the_right_model_is_calibrated_and_better_than_a_wrong_one() -> None:
    votes = simulated(3, votes=12_000, spread=0.8)
    right, raw = calibrate(votes, SPEC), calibrate(votes, RankingSpec())

    assert right.log_loss < raw.log_loss < np.log(2.0)
    assert right.brier < raw.brier < 0.25
    assert right.calibration_error < 0.02
    assert sum(b.lower <= b.predicted <= b.upper for b in right.reliability) >= 8


def test_strengths_exaggerated_from_little_show_in_the_curve() -> None:
    """Fifteen contestants learnt from 90 votes: the favourites win less often than predicted."""
    result = calibrate(simulated(4, votes=4500, contestants=15), RankingSpec(), folds=49)
    first = result.folds[0]
    late = result.folds[-1]

    assert first.learnt == 90
    assert first.log_loss > late.log_loss


def test_without_times_the_order_of_rows_is_taken_and_told() -> None:
    votes = simulated(5)
    times = np.arange(400.0)
    times[7] = np.nan
    known, partly = calibrate(votes), calibrate(replace(votes, time=times))

    assert known.order == partly.order == "row"
    assert "order was taken" in known.warnings[0]
    assert known.log_loss == partly.log_loss
    assert known.log_loss == calibrate(replace(votes, time=np.arange(400.0))).log_loss


@few
@given(seeds, seeds)
def test_recording_votes_the_other_way_round_changes_nothing(seed: int, which: int) -> None:
    votes = simulated(seed)
    mask = np.random.default_rng(which).random(len(votes)) < 0.5
    one, other = (
        calibrate(v, SPEC, folds=2, bins=3).to_dict() for v in (votes, turned(votes, mask))
    )

    assert_same_numbers(one, other, tolerance=1e-8)


def test_newcomers_are_counted_as_not_predicted() -> None:
    old = ["A>B", "B>A", "A=B"] * 4
    votes = plain(*old, "A>B", "C>A", "B>C", "B>A")
    result = calibrate(votes, RankingSpec(position=False), folds=1)

    assert (result.predicted, result.unpredicted) == (6, 2)


def test_excluded_votes_neither_teach_nor_test() -> None:
    votes = simulated(6)
    rules = ["rigged" if k % 7 == 0 else None for k in range(400)]
    excluded = np.array([-1 if rule is None else 0 for rule in rules], dtype=np.int32)
    marked = replace(votes, excluded=excluded, rules=("rigged",))
    without = part(votes, np.flatnonzero(excluded < 0))

    assert calibrate(marked).log_loss == pytest.approx(calibrate(without).log_loss, rel=1e-9)
    assert calibrate(marked).counts.excluded == (("rigged", 58),)


def test_the_curve_s_bins_hold_every_vote_once() -> None:
    rng = np.random.default_rng(0)
    expected = rng.uniform(0.5, 1.0, 103)
    y = (rng.random(103) < expected).astype(float)
    curve = reliability(y, expected, 10, 0.95)

    assert sum(b.votes for b in curve) == 103
    assert max(b.votes for b in curve) - min(b.votes for b in curve) <= 1
    assert sum(b.votes * b.observed for b in curve) == pytest.approx(y.sum())
    assert [b.predicted for b in curve] == sorted(b.predicted for b in curve)


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(SpecError, match="folds"):
        calibrate(simulated(7), folds=0)
    with pytest.raises(SpecError, match="bins"):
        calibrate(simulated(7), bins=0)
    with pytest.raises(SpecError, match="too few"):
        calibrate(plain("A>B", "B>A"), folds=5)
    with pytest.raises(SpecError, match="no held-out vote"):
        calibrate(plain("A>B", "A>B", "A>B", "A>B"), folds=1)


def test_an_outcome_the_past_gives_no_chance_is_refused() -> None:
    votes = plain(*["A>B", "B>A"] * 5, "A=B", "A>B")
    spec = RankingSpec(likelihood="davidson", position=False)
    with pytest.raises(SpecError, match="gives it no chance"):
        calibrate(votes, spec, folds=1)
