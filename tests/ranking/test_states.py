"""What counts as a difference between two boards, and as which."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import BoardState, RankingSpec, SpecError, VotesError, fit, movement_ledger
from tests.ranking.making import simulated
from tests.ranking.test_ledger import (
    LENGTH,
    assert_adds_up,
    changed,
    first,
    taken,
    without,
)


def test_settings_of_intervals_are_no_cause() -> None:
    before, _ = changed(7, "")
    after = replace(before, spec=RankingSpec(cluster=False, seed=5, confidence=0.9, floor=False))
    assert movement_ledger(before, after).causes == ()


def test_ids_tell_votes_apart_in_any_order() -> None:
    before, after = changed(12, "VX")
    ids = np.array([f"vote {k}" for k in range(500)])
    order = np.random.default_rng(1).permutation(500)
    assert after.votes.excluded is not None
    shuffled = replace(
        after.votes, **taken(after.votes, order), excluded=after.votes.excluded[order]
    )
    named = movement_ledger(
        replace(before, ids=ids[:250]), replace(after, votes=shuffled, ids=ids[order])
    )

    assert named.changes == movement_ledger(before, after).changes
    assert named.changes["V"] == {"arrived": 250, "left": 0}
    for row in movement_ledger(before, after).rows:
        assert [t.ranks for t in named.row(row.contestant).terms] == [t.ranks for t in row.terms]


def test_votes_that_are_gone_are_a_change_of_votes() -> None:
    table = simulated(13, votes=500, contestants=7)
    ledger = movement_ledger(BoardState(table), BoardState(first(table, 400)))

    assert ledger.causes == ("V",)
    assert ledger.changes["V"] == {"arrived": 0, "left": 100}


def test_exclusions_are_told_per_rule() -> None:
    table = simulated(14, votes=500, contestants=7, voters=40)
    assert table.voter is not None
    one, other = without(table, range(40), "old rule"), without(table, range(20, 70), "new rule")
    ledger = movement_ledger(BoardState(one), BoardState(other))
    voters = set(table.voter[40:70].tolist()) - {-1}

    assert ledger.changes == {
        "X": {"excluded": {"new rule": 30}, "lifted": {"old rule": 20}, "voters": len(voters)}
    }


def test_a_new_vote_that_is_excluded_at_once_plays_no_part() -> None:
    table = simulated(15, votes=500, contestants=7)
    ledger = movement_ledger(
        BoardState(first(table, 400)), BoardState(without(table, range(400, 500)))
    )
    assert ledger.causes == ()


def test_what_differs_in_weights_controls_and_method_is_told() -> None:
    ledger = movement_ledger(*changed(16, "WCM"))

    assert ledger.changes["W"] == {"settings": {}, "votes": 500}
    assert ledger.changes["C"]["added"] == ["length"]
    assert ledger.changes["C"]["removed"] == []
    assert ledger.changes["M"] == {"both_bad": {"before": "half", "after": "drop"}}


def test_every_setting_belongs_to_a_cause() -> None:
    votes = simulated(20, votes=500, contestants=7)
    day = np.arange(500) * 86_400.0
    before = BoardState(replace(votes, time=day, draw_probability=np.full(500, 0.1)))
    for cause, spec in (
        ("W", RankingSpec(weights="inverse_pair", pair_floor=3)),
        ("W", RankingSpec(half_life_days=90)),
        ("M", RankingSpec(likelihood="davidson")),
        ("M", RankingSpec(likelihood="four_outcome")),
        ("M", RankingSpec(prior_strengths=1.0)),
        ("M", RankingSpec(position=False)),
        ("M", RankingSpec(anchor="model 1")),
    ):
        ledger = movement_ledger(before, replace(before, spec=spec))
        assert ledger.causes == (cause,)
        assert_adds_up(ledger)
    both = RankingSpec(weights="draw_probability", likelihood="rao_kupper", controls=("length",))
    ledger = movement_ledger(before, replace(before, spec=both))
    assert ledger.causes == ("W", "C", "M")
    assert_adds_up(ledger)


def test_a_control_that_only_new_votes_carry_is_added_after_them() -> None:
    table = simulated(21, votes=600, contestants=7)
    a, b = (np.array(column) for column in table.features["tokens"])
    a[:300] = np.nan
    later = replace(table, features={"tokens": (a, b)})
    earlier = replace(first(table, 300), features={})
    ledger = movement_ledger(BoardState(earlier), BoardState(later, LENGTH))

    assert ledger.causes == ("V", "C")
    assert ledger.changes["V"] == {"arrived": 300, "left": 0}
    assert (ledger.orders, ledger.orders_left_out) == (1, 1)
    assert_adds_up(ledger)


def test_measured_scales_are_no_cause_of_their_own() -> None:
    before, after = changed(17, "V")
    boards = [replace(board, spec=fit(board.votes, LENGTH).spec) for board in (before, after)]
    assert boards[0].spec.scales != boards[1].spec.scales
    assert movement_ledger(*boards).causes == ("V",)


def test_boards_are_checked() -> None:
    votes = simulated(19)
    with pytest.raises(SpecError, match="'model 1' fills more than one place"):
        BoardState(votes, revisions={"x": "model 1", "y": "model 1"})
    with pytest.raises(SpecError, match="'nobody', which is no place"):
        BoardState(votes, roster=("model 1", "nobody"))
    with pytest.raises(VotesError, match=r"column 'id', row 7.*occurs twice"):
        BoardState(votes, ids=np.where(np.arange(400) == 7, 3, np.arange(400)))
    with pytest.raises(VotesError, match="399 values for 400 votes"):
        BoardState(votes, ids=np.arange(399))
    with pytest.raises(KeyError):
        movement_ledger(BoardState(votes), BoardState(votes)).row("nobody")
