"""Who can be placed, why others cannot, and what their votes still say."""

import numpy as np
import pytest

from ranking import Leaderboard, RankingSpec, Unplaced, Votes, fit
from tests.ranking.making import plain

PLAIN = RankingSpec(position=False)


def log_odds(p: float) -> float:
    return float(np.log(p / (1.0 - p)))


CYCLE = ["A>B", "B>C", "C>A", "A>B"]


def board_of(*results: str) -> Leaderboard:
    return fit(plain(*results), PLAIN)


def placed(board: Leaderboard) -> list[str]:
    return sorted(standing.contestant for standing in board.standings)


def entry(board: Leaderboard, name: str) -> Unplaced:
    return next(entry for entry in board.unplaced if entry.contestant == name)


def test_a_cycle_places_everybody() -> None:
    board = board_of(*CYCLE)

    assert placed(board) == ["A", "B", "C"]
    assert board.unplaced == ()


def test_a_tie_connects_both_ways() -> None:
    assert placed(board_of("A=B")) == ["A", "B"]


def test_an_undefeated_contestant_has_a_lower_bound_and_no_rating() -> None:
    board = board_of(*CYCLE, "U>A", "U>B")
    undefeated = entry(board, "U")

    assert placed(board) == ["A", "B", "C"]
    assert (undefeated.reason, undefeated.wins, undefeated.losses) == ("undefeated", 2, 0)
    assert undefeated.bound is not None
    assert undefeated.is_lower_bound
    assert board.counts.unplaced == 2
    assert board.counts.counted == 4


def test_a_winless_contestant_has_the_mirrored_upper_bound() -> None:
    """Every vote turned round turns ratings and bounds round the mean."""
    above = entry(board_of("A>B", "B>C", "C>A", "U>A"), "U")
    below = entry(board_of("B>A", "C>B", "A>C", "A>U"), "U")

    assert below.reason == "winless"
    assert not below.is_lower_bound
    assert above.bound is not None
    assert below.bound == pytest.approx(2000.0 - above.bound, abs=1e-6)


def against_equals(*more: tuple[str, str]) -> Leaderboard:
    """A and B are surely equal; each of `more` is a win of the first over the second."""
    many = 50_000
    a = ["A"] * many + [winner for winner, _ in more]
    b = ["B"] * many + [loser for _, loser in more]
    outcomes = ["model_a", "model_b"] * (many // 2) + ["model_a"] * len(more)
    return fit(Votes.from_columns(a, b, outcomes), PLAIN)


def test_at_the_bound_the_votes_have_a_chance_of_five_percent() -> None:
    """Three wins of three, over opponents who are surely equal."""
    board = against_equals(("U", "A"), ("U", "B"), ("U", "A"))
    t = log_odds(0.05 ** (1 / 3))

    assert entry(board, "U").bound == pytest.approx(1000 + 400 / np.log(10) * t, abs=0.05)


def test_a_chain_of_wins_bounds_through_those_between() -> None:
    """T beat U and U beat A: likeliest with U half-way."""
    board = against_equals(("T", "U"), ("U", "A"))
    t = 2.0 * log_odds(0.05 ** (1 / 2))

    assert entry(board, "T").bound == pytest.approx(1000 + 400 / np.log(10) * t, abs=0.05)


def test_a_group_above_is_reported_with_bounds() -> None:
    board = board_of(*CYCLE, "U>V", "V>U", "U>A", "V>B")
    group = entry(board, "U")

    assert placed(board) == ["A", "B", "C"]
    assert (group.reason, group.group) == ("above", 2)
    assert group.bound is not None


def test_a_separate_group_has_no_bound() -> None:
    board = board_of(*CYCLE, "X>Y", "Y>X")

    assert placed(board) == ["A", "B", "C"]
    assert entry(board, "X").reason == "separate_group"
    assert entry(board, "X").bound is None


def test_groups_that_only_beat_the_same_third_stay_separate() -> None:
    board = board_of(*CYCLE, "X>Y", "Y>X", "A>L", "X>L")

    assert entry(board, "X").reason == "separate_group"
    assert entry(board, "L").reason == "winless"


def test_of_groups_of_one_size_the_one_with_more_votes_is_placed() -> None:
    assert placed(board_of("A=B", "X=Y", "X=Y")) == ["X", "Y"]


def test_who_has_votes_only_against_those_left_out_gets_no_numbers() -> None:
    board = board_of(*CYCLE, "U>A", "W>U", "W>V")

    assert entry(board, "V").bound is None
    assert entry(board, "V").reason == "winless"
    assert entry(board, "W").bound is not None


def test_without_a_return_game_nobody_is_placed() -> None:
    board = board_of("A>B", "B>C")

    assert board.standings == ()
    assert [entry.bound for entry in board.unplaced] == [None, None, None]
    assert board.counts.unplaced == 2
    assert board.warnings
    board.to_dict()


def test_a_contestant_without_counted_votes_is_listed() -> None:
    votes = Votes.from_columns(
        ["A", "B", "N"], ["B", "A", "A"], ["model_a"] * 3, excluded=[None, None, "bot"]
    )
    board = fit(votes, PLAIN)

    assert entry(board, "N").reason == "no_votes"
    assert dict(board.counts.excluded) == {"bot": 1}


def test_an_anchor_shifts_bounds_with_ratings() -> None:
    votes = plain(*CYCLE, "U>A")
    free, anchored = fit(votes, PLAIN), fit(votes, RankingSpec(position=False, anchor="B"))
    shift = 1000.0 - next(s.rating for s in free.standings if s.contestant == "B")
    one, other = entry(free, "U").bound, entry(anchored, "U").bound

    assert one is not None
    assert other == pytest.approx(one + shift, abs=1e-8)


def test_bounds_with_covariates_exist() -> None:
    rng = np.random.default_rng(0)
    a = np.append(np.tile([0, 1, 2], 100), [3] * 8)
    b = np.append(np.tile([1, 2, 0], 100), [0, 1] * 4)
    votes = Votes.from_columns(
        a,
        b,
        np.append(rng.integers(0, 3, 300), [0] * 8),
        contestants=["A", "B", "C", "U"],
        features={"tokens": (rng.uniform(1, 9, 308), rng.uniform(1, 9, 308))},
        shown_first=rng.choice([-1, 1], 308),
    )
    bound = entry(fit(votes, RankingSpec(controls=("length",))), "U").bound

    assert bound is not None
    assert 1000 < bound < 1400
