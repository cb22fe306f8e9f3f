"""Fewest votes that carry an order, against the enumeration of everything that could be removed."""

import json
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import (
    FitError,
    Fragility,
    RankingSpec,
    SpecError,
    Votes,
    fit,
    fragility,
    rank_fragility,
)
from ranking.ranks import SAME
from tests.ranking.making import CONTROLLED, plain, simulated
from tests.ranking.test_refits import taken

PLAIN = RankingSpec(position=False, draws=100, cluster=False)


def strengths(votes: Votes, spec: RankingSpec) -> dict[str, float]:
    """θ of whom the votes place; nobody's where they place nobody."""
    try:
        return {standing.contestant: standing.theta for standing in fit(votes, spec).standings}
    except FitError:
        return {}


def without(votes: Votes, gone: tuple[int, ...]) -> Votes:
    return taken(votes, np.setdiff1d(np.arange(len(votes)), gone))


def turned(votes: Votes, spec: RankingSpec, leader: str, other: str) -> bool:
    theta = strengths(votes, spec)
    return leader in theta and other in theta and theta[other] - theta[leader] > SAME


def fewest(votes: Votes, leader: str, other: str, most: int) -> int | None:
    """The fewest votes whose removal turns a pair, by trying all sets of up to `most`."""
    for size in range(1, most + 1):
        for gone in combinations(range(len(votes)), size):
            if turned(without(votes, gone), PLAIN, leader, other):
                return size
    return None


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_never_fewer_than_enumeration_finds(seed: int) -> None:
    votes = replace(simulated(seed, votes=16, contestants=3), voter=None)
    if len(strengths(votes, PLAIN)) < 3:
        return
    for found in fragility(votes, PLAIN):
        exact = fewest(votes, found.contestant, found.opponent, 2)
        if found.fewest is None:
            continue
        assert turned(without(votes, found.removed), PLAIN, found.contestant, found.opponent)
        assert len(found.removed) == found.fewest
        assert found.fewest >= (exact or 3)


@pytest.mark.parametrize(("wins", "losses"), [(5, 4), (7, 4), (8, 3), (9, 2)])
def test_two_contestants(wins: int, losses: int) -> None:
    """Only wins of the leader help, and one more than its surplus of them must go."""
    votes = plain(*["A>B"] * wins, *["B>A"] * losses)
    (found,) = fragility(votes, PLAIN)

    assert (found.contestant, found.opponent) == ("A", "B")
    assert found.fewest == wins - losses + 1
    assert found.share == found.fewest / (wins + losses)
    assert all(votes.outcome[row] == 0 for row in found.removed)
    if found.fewest <= 4:
        assert found.fewest == fewest(votes, "A", "B", 4)


def test_three_contestants_as_enumerated() -> None:
    common = ["A>B", "A>B", "B>A", "B>C", "B>C", "C>B", "C>A", "A>C", "A>C", "A=B"]
    votes = plain(*common)
    for found in fragility(votes, PLAIN):
        assert found.fewest == fewest(votes, found.contestant, found.opponent, 3)


@pytest.mark.parametrize("unit", ["vote", "voter"])
def test_the_removal_is_confirmed_by_a_fit_from_scratch(unit: str) -> None:
    votes = simulated(1, votes=800)
    for found in fragility(votes, CONTROLLED, unit=unit):
        assert found.fewest is not None
        theta = strengths(without(votes, found.removed), CONTROLLED)
        gap = theta[found.contestant] - theta[found.opponent]
        assert gap < 0.0 < found.before
        assert found.after == pytest.approx(gap * CONTROLLED.elo, abs=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"likelihood": "davidson"},
        {"likelihood": "four_outcome"},
        {"weights": "inverse_pair", "pair_floor": 30},
        {"prior_strengths": 4.0},
    ],
)
def test_every_kind_of_fit_confirms_its_removals(changes: dict[str, object]) -> None:
    votes, spec = simulated(10, votes=700), replace(CONTROLLED, **changes)
    frozen = fit(votes, spec).spec
    for found in fragility(votes, spec):
        assert found.fewest is not None
        assert turned(without(votes, found.removed), frozen, found.contestant, found.opponent)


def test_voters_go_with_all_their_votes() -> None:
    votes = simulated(2, votes=800)
    assert votes.voter is not None
    for found in fragility(votes, CONTROLLED, unit="voter"):
        known = [voter for voter in found.voters if voter >= 0]
        rows = np.flatnonzero(np.isin(votes.voter, known))
        assert found.fewest == len(found.voters)
        assert set(rows) <= set(found.removed)
        assert len(found.removed) == rows.size + len(found.voters) - len(known)


def test_voters_against_enumeration() -> None:
    votes = replace(simulated(3, votes=60, contestants=3), voter=np.arange(60) % 8)
    for found in fragility(votes, PLAIN, unit="voter"):
        sizes = [
            size
            for size in range(1, 4)
            for gone in combinations(range(8), size)
            if turned(
                without(votes, tuple(np.flatnonzero(np.isin(votes.voter, gone)))),
                PLAIN,
                found.contestant,
                found.opponent,
            )
        ]
        if found.fewest is not None and found.fewest <= 3:
            assert found.fewest >= min(sizes)


def test_pairs_are_neighbours_unless_named() -> None:
    votes = simulated(4)
    board = [standing.contestant for standing in fit(votes, CONTROLLED).standings]
    found = fragility(votes, CONTROLLED)

    assert [(f.contestant, f.opponent) for f in found] == list(pairwise(board))
    (named,) = fragility(votes, CONTROLLED, pairs=[(board[3], board[0])])
    assert (named.contestant, named.opponent) == (board[0], board[3])
    assert named.before > found[0].before


def moves(votes: Votes, found: Fragility, spec: RankingSpec) -> int:
    """By how many ranks the removal lifts the contestant, when everybody stays placed."""
    before, after = strengths(votes, spec), strengths(without(votes, found.removed), spec)
    assert before.keys() == after.keys()
    ranks = [
        sum(theta > own[found.contestant] + SAME for theta in own.values())
        for own in (before, after)
    ]
    return ranks[0] - ranks[1]


@pytest.mark.parametrize("ranks", [-3, -1, 1, 2])
@pytest.mark.parametrize("unit", ["vote", "voter"])
def test_a_move_in_ranks_is_confirmed(ranks: int, unit: str) -> None:
    votes = simulated(5, votes=800)
    names = [standing.contestant for standing in fit(votes, CONTROLLED).standings]
    found = rank_fragility(votes, CONTROLLED, contestant=names[2], ranks=ranks, unit=unit)

    assert found.ranks == ranks
    assert found.fewest is not None
    moved = moves(votes, found, CONTROLLED)
    assert moved >= ranks if ranks > 0 else moved <= ranks


def test_one_rank_down_is_the_turn_with_the_next() -> None:
    votes = simulated(6, votes=800)
    pair = fragility(votes, CONTROLLED)[1]
    down = rank_fragility(votes, CONTROLLED, contestant=pair.contestant, ranks=-1)

    assert down.opponent == pair.opponent
    assert down.before == pair.before
    assert pair.fewest is not None
    assert down.fewest is not None
    assert down.fewest <= pair.fewest


def test_what_no_removal_turns() -> None:
    """The other's only win is what places it at all."""
    (found,) = fragility(plain("A>B", "A=B"), PLAIN)

    assert (found.fewest, found.share, found.after, found.removed) == (None, None, None, ())


def test_more_votes_take_more() -> None:
    few = fragility(simulated(7, votes=500), CONTROLLED, pairs=[("model 0", "model 5")])[0]
    votes = simulated(7, votes=500)
    double = taken(votes, np.tile(np.arange(500), 2))
    many = fragility(double, CONTROLLED, pairs=[("model 0", "model 5")])[0]

    assert few.fewest is not None
    assert many.fewest is not None
    assert many.fewest == pytest.approx(2 * few.fewest, abs=2)


def test_settings_are_checked() -> None:
    votes = simulated(8)
    top = fit(votes, CONTROLLED).standings[0].contestant
    with pytest.raises(SpecError, match="'nobody' is not among"):
        fragility(votes, CONTROLLED, pairs=[("nobody", top)])
    with pytest.raises(SpecError, match="level"):
        fragility(votes, CONTROLLED, pairs=[(top, top)])
    with pytest.raises(SpecError, match="vote or voter"):
        fragility(votes, CONTROLLED, unit="pair")
    with pytest.raises(SpecError, match="known voter"):
        fragility(replace(votes, voter=None), CONTROLLED, unit="voter")
    with pytest.raises(SpecError, match="rise by 1 to 0 ranks"):
        rank_fragility(votes, CONTROLLED, contestant=top, ranks=1)
    with pytest.raises(SpecError, match="nobody can be placed"):
        fragility(plain("A>B"), PLAIN)


def test_it_is_json() -> None:
    found = fragility(simulated(9), CONTROLLED)[0]
    assert json.loads(json.dumps(found.to_dict()))["fewest"] == found.fewest
