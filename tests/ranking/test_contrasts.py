"""Pairs compared, and chances of a place, against the fit's own errors and known distributions."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from ranking import Contrasts, RankingSpec, SpecError, fit, pairwise_contrasts
from ranking.ranks import joint_draws, overlap_spread
from tests.ranking.making import CONTROLLED, Array, assert_same_numbers, plain, simulated
from tests.ranking.test_inference import ELO, clustered, scores

SPEC = replace(CONTROLLED, draws=4000)


def compared(seed: int = 1, **changes: object) -> Contrasts:
    return pairwise_contrasts(simulated(seed, votes=600), replace(SPEC, **changes))


def names(found: Contrasts) -> list[str]:
    return [entry.contestant for entry in found.chances]


@pytest.mark.parametrize("cluster", [True, False])
def test_a_pair_s_error_is_that_of_the_difference(cluster: bool) -> None:
    votes, spec = simulated(1, votes=600), replace(SPEC, cluster=cluster)
    found = pairwise_contrasts(votes, spec)
    s, inverse = scores(votes, spec)
    meat = clustered(votes, s) if cluster else s.T @ s
    v = (inverse @ meat @ inverse.T)[:6, :6]
    freedom = found.board.effective_voters

    for pair in found.pairs():
        i, j = (votes.contestants.index(name) for name in (pair.contestant, pair.opponent))
        se = ELO * np.sqrt(v[i, i] + v[j, j] - 2 * v[i, j])
        assert pair.se == pytest.approx(se, rel=1e-7)
        f = stats.t(freedom - 1) if cluster and freedom else stats.norm()
        assert pair.probability == pytest.approx(f.cdf(pair.difference / se), abs=1e-8)
        assert pair.p_value == pytest.approx(2 * f.sf(abs(pair.difference) / se), abs=1e-8)
        assert pair.upper == pytest.approx(pair.difference + f.ppf(0.975) * se, abs=1e-5)


def test_the_board_comes_along_and_differences_are_its_ratings() -> None:
    found = compared()
    rating = {standing.contestant: standing.rating for standing in found.board.standings}

    assert found.board == fit(simulated(1, votes=600), SPEC)
    assert names(found) == list(rating)
    for pair in found.pairs():
        expected = rating[pair.contestant] - rating[pair.opponent]
        assert pair.difference == pytest.approx(expected, abs=1e-9)


def test_the_two_directions_of_a_pair_agree() -> None:
    found = compared()
    one, other = found.of("model 1", "model 4"), found.of("model 4", "model 1")

    assert one.difference == -other.difference
    assert one.probability + other.probability == pytest.approx(1.0, abs=1e-12)
    assert (one.p_value, one.p_adjusted) == (other.p_value, other.p_adjusted)
    assert one.lower_adjusted is not None
    assert other.upper_adjusted == -one.lower_adjusted


@pytest.mark.parametrize("seed", range(4))
def test_adjusted_intervals_part_exactly_whom_the_rank_sets_part(seed: int) -> None:
    found = compared(seed)
    worst = {s.contestant: s.rank_upper for s in found.board.standings}
    best = {s.contestant: s.rank_lower for s in found.board.standings}
    surely_below = dict.fromkeys(best, 0)
    surely_above = dict.fromkeys(best, 0)
    for pair in found.pairs():
        assert pair.lower_adjusted is not None
        if pair.lower_adjusted > 0:
            surely_below[pair.contestant] += 1
            surely_above[pair.opponent] += 1

    assert best == {name: 1 + above for name, above in surely_above.items()}
    assert worst == {name: len(best) - below for name, below in surely_below.items()}


def test_adjustment_never_makes_surer() -> None:
    for pair in compared(2).pairs():
        assert pair.lower_adjusted is not None
        assert pair.upper_adjusted is not None
        assert pair.p_adjusted is not None
        assert pair.lower_adjusted <= pair.lower <= pair.upper <= pair.upper_adjusted
        assert pair.p_adjusted >= pair.p_value - 0.02


def test_with_two_contestants_nothing_needs_adjusting() -> None:
    votes = plain(*["A>B"] * 60, *["B>A"] * 45)
    pair = pairwise_contrasts(votes, RankingSpec(position=False, draws=100_000)).of("A", "B")

    assert pair.p_adjusted == pytest.approx(pair.p_value, abs=0.005)
    assert pair.lower_adjusted == pytest.approx(pair.lower, abs=0.02 * pair.se)


def test_chances_of_two_are_the_probability_that_one_is_better() -> None:
    votes = plain(*["A>B"] * 60, *["B>A"] * 45)
    found = pairwise_contrasts(votes, RankingSpec(position=False, draws=100_000))

    for entry, other in (("A", "B"), ("B", "A")):
        chance = found.chances[names(found).index(entry)]
        assert chance.best == pytest.approx(found.of(entry, other).probability, abs=0.005)
        assert chance.top is not None
        assert chance.top[1] == 1.0


@pytest.mark.parametrize("degrees", [None, 4.0])
def test_rank_chances_are_those_of_independent_strengths(degrees: float | None) -> None:
    """P(best) of independent estimates by simulation from scipy's own distributions."""
    theta, n = np.array([0.3, 0.0, 0.5, -0.2]), 200_000
    covariance = np.diag([0.1, 0.2, 0.05, 0.3])
    joint = joint_draws(theta, covariance, draws=50_000, seed=2, degrees=degrees)
    shared = stats.multivariate_t(np.zeros(4), covariance, df=degrees or np.inf, seed=9)
    rank: Array = np.argsort(np.argsort(-(theta + shared.rvs(n)), axis=1), axis=1)
    expected = [[np.mean(rank[:, i] == k) for k in range(4)] for i in range(4)]

    np.testing.assert_allclose(joint.rank_chances(), expected, atol=0.012)


def test_chances_add_up() -> None:
    found = compared(3)
    top = np.array([entry.top for entry in found.chances])

    assert sum(entry.best or 0 for entry in found.chances) == pytest.approx(1.0)
    np.testing.assert_allclose(top.sum(axis=0), np.arange(1, 7))
    assert (np.diff(top, axis=1) >= 0).all()


def test_those_who_are_level_without_error_share_the_first_place() -> None:
    votes = plain("A=B", "B=C", "C=A")
    found = pairwise_contrasts(votes, RankingSpec(position=False, floor=False))

    for entry in found.chances:
        assert entry.best == pytest.approx(1 / 3, abs=0.03)
    assert found.of("A", "B").probability == 0.5
    assert found.of("A", "B").p_adjusted == 1.0


def test_the_overlap_spread_counts_intervals_that_do_not_overlap() -> None:
    lower, upper = np.array([10.0, 7.0, 0.0, 1.0]), np.array([14.0, 11.0, 6.0, 8.0])
    best, worst = overlap_spread(lower, upper)

    assert best.tolist() == [1, 1, 3, 2]
    assert worst.tolist() == [2, 3, 4, 4]


def test_the_spread_is_the_board_s() -> None:
    found = compared(1)
    for entry, standing in zip(found.chances, found.board.standings, strict=True):
        others = found.board.standings
        above = sum(other.rating_lower > standing.rating_upper for other in others)
        assert entry.spread_lower == 1 + above
        assert entry.spread_lower <= entry.rank <= entry.spread_upper


def test_labels_do_not_matter() -> None:
    votes = simulated(4)
    names = tuple(f"x{i}" for i in (3, 1, 5, 0, 2, 4))
    renamed = replace(votes, contestants=names)
    order = np.argsort(names)
    place = np.empty(6, dtype=int)
    place[order] = np.arange(6)
    moved = replace(votes, contestants=tuple(sorted(names)), a=place[votes.a], b=place[votes.b])

    assert_same_numbers(
        pairwise_contrasts(renamed, SPEC).to_dict(), pairwise_contrasts(moved, SPEC).to_dict()
    )


def test_too_few_voters_for_simultaneous_statements() -> None:
    votes = simulated(5)
    found = pairwise_contrasts(replace(votes, voter=np.arange(len(votes)) % 8), SPEC)
    pair = next(found.pairs())

    assert (pair.lower_adjusted, pair.upper_adjusted, pair.p_adjusted) == (None, None, None)
    assert {(entry.best, entry.top) for entry in found.chances} == {(None, None)}
    assert 0.5 <= pair.probability <= 1.0


def test_nobody_placed() -> None:
    found = pairwise_contrasts(plain("A>B"), RankingSpec(position=False))

    assert found.chances == ()
    assert list(found.pairs()) == []
    assert json.loads(json.dumps(found.to_dict()))["pairs"] == []


def test_a_stranger_cannot_be_compared() -> None:
    with pytest.raises(SpecError, match="'nobody' is not among the placed"):
        compared().of("model 1", "nobody")


def test_it_is_json_and_the_same_each_time() -> None:
    first, second = (json.dumps(compared(6).to_dict()) for _ in "ab")

    assert first == second
    assert len(json.loads(first)["pairs"]) == 15
