"""Uncertainty, against the same sums done densely."""

from dataclasses import replace

import numpy as np
import pytest

import ranking.inference
import ranking.threads
from ranking import RankingSpec, SpecError, Votes, fit
from ranking.ranks import _widest, joint_draws, rank_sets
from tests.ranking.making import (
    CONTROLLED,
    Array,
    assert_same_numbers,
    repeated,
    rows_of,
    simulated,
)

ELO = 400 / np.log(10)


def scores(votes: Votes, spec: RankingSpec) -> tuple[Array, Array]:
    """Per-vote scores (n, M + K) at the board's estimate, and the Hessian's inverse, centred."""
    board, m = fit(votes, spec), len(votes.contestants)
    theta = {standing.contestant: standing.theta for standing in board.standings}
    gamma = [c.value for c in board.coefficients]
    gamma += [board.position.value] if board.position else []
    point = np.array([*(theta[name] for name in votes.contestants), *gamma])
    z, y = rows_of(votes, spec)
    p = 1.0 / (1.0 + np.exp(-(z @ point)))
    inverse = np.linalg.pinv((z.T * (p * (1 - p))) @ z)
    inverse[:m] -= inverse[:m].mean(axis=0)
    return (y - p)[:, None] * z, inverse


def clustered(votes: Votes, s: Array) -> Array:
    """G/(G−1) Σ_g s_g s_gᵀ, an unknown voter a cluster of its own."""
    assert votes.voter is not None
    keys = np.where(votes.voter < 0, 10_000 + np.arange(len(votes)), votes.voter)
    groups = np.array([s[keys == key].sum(axis=0) for key in np.unique(keys)])
    return len(groups) / (len(groups) - 1) * groups.T @ groups


def errors(votes: Votes, spec: RankingSpec) -> Array:
    by_name = {standing.contestant: standing.se for standing in fit(votes, spec).standings}
    return np.array([by_name[name] for name in votes.contestants])


@pytest.mark.parametrize("advantage", [1e-9, 100, 1e9])
def test_clustered_errors(advantage: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether voters' scores go through the sparse or the dense product."""
    monkeypatch.setattr(ranking.inference, "_DENSE_ADVANTAGE", advantage)
    monkeypatch.setattr(ranking.inference, "_CHUNK_ROWS", 64)
    monkeypatch.setattr(ranking.inference, "_CHUNK_BYTES", 8 * 6 * 5)
    votes = simulated(1)
    s, inverse = scores(votes, CONTROLLED)
    variance = (inverse @ clustered(votes, s) @ inverse.T).diagonal()

    np.testing.assert_allclose(errors(votes, CONTROLLED), ELO * np.sqrt(variance[:6]), rtol=1e-8)
    coefficients = fit(votes, CONTROLLED).coefficients
    np.testing.assert_allclose([c.se for c in coefficients], np.sqrt(variance[6:8]), rtol=1e-8)


def test_errors_of_votes_on_their_own() -> None:
    votes, spec = simulated(2), replace(CONTROLLED, cluster=False)
    s, inverse = scores(votes, spec)
    variance = (inverse @ (s.T @ s) @ inverse.T).diagonal()

    np.testing.assert_allclose(errors(votes, spec), ELO * np.sqrt(variance[:6]), rtol=1e-8)


def test_unknown_voters_are_clusters_of_their_own() -> None:
    votes = simulated(3)
    assert votes.voter is not None
    unknown = replace(votes, voter=np.full(len(votes), -1))
    apart = replace(votes, voter=np.arange(len(votes)))

    assert fit(unknown, CONTROLLED).clusters is None
    assert fit(apart, CONTROLLED).clusters == len(votes)
    factor = np.sqrt(len(votes) / (len(votes) - 1))
    np.testing.assert_allclose(
        errors(apart, CONTROLLED), factor * errors(unknown, CONTROLLED), rtol=1e-9
    )


def test_the_effective_number_of_voters() -> None:
    votes = simulated(4, votes=100)
    votes = replace(votes, voter=np.repeat([0, 1, -1], [60, 20, 20]))
    board = fit(votes, CONTROLLED)

    assert board.clusters == 22
    assert board.effective_voters == pytest.approx(100**2 / (60**2 + 20**2 + 20))
    assert any("Few voters" in warning for warning in board.warnings)


def test_with_no_more_voters_than_parameters_there_are_no_rank_sets() -> None:
    votes = simulated(5)
    board = fit(replace(votes, voter=np.arange(len(votes)) % 8), CONTROLLED)

    assert board.clusters == 8
    assert {standing.rank_lower for standing in board.standings} == {None}
    assert any("no simultaneous rank sets" in warning for warning in board.warnings)


def test_one_voter_cannot_be_clustered() -> None:
    votes = simulated(6)
    votes = replace(votes, voter=np.zeros(len(votes), dtype=int))
    board = fit(votes, CONTROLLED)

    assert board.clusters is None
    assert any("One voter" in warning for warning in board.warnings)
    with pytest.raises(SpecError, match="one voter"):
        fit(votes, replace(CONTROLLED, cluster=True))


def test_clusters_asked_for_need_voters() -> None:
    with pytest.raises(SpecError, match="known voter"):
        fit(replace(simulated(7), voter=None), replace(CONTROLLED, cluster=True))


def test_twice_the_votes_have_the_same_ratings_and_smaller_errors() -> None:
    votes, spec = simulated(8), replace(CONTROLLED, cluster=False)
    once, twice = fit(votes, spec), fit(repeated(votes, 2), spec)

    assert_same_numbers([s.theta for s in once.standings], [s.theta for s in twice.standings])
    assert_same_numbers(
        [s.se / np.sqrt(2) for s in once.standings], [s.se for s in twice.standings], 1e-8
    )


def test_intervals_do_not_depend_on_the_gauge() -> None:
    votes = simulated(9)
    free = fit(votes, CONTROLLED)
    anchored = fit(votes, replace(CONTROLLED, anchor="model 3", center=1500.0))

    rating = {s.contestant: s.rating for s in anchored.standings}
    assert rating["model 3"] == pytest.approx(1500.0, abs=1e-9)
    for one, other in zip(free.standings, anchored.standings, strict=True):
        assert one.se == other.se
        assert one.rating_upper - one.rating == pytest.approx(
            other.rating_upper - other.rating, abs=1e-9
        )
        assert (one.rank_lower, one.rank_upper) == (other.rank_lower, other.rank_upper)


def test_clustered_intervals_use_t() -> None:
    votes = simulated(10)
    votes = replace(votes, voter=np.arange(len(votes)) % 12)
    top = fit(votes, CONTROLLED).standings[0]

    # The 97.5 % quantile of t with 11 degrees of freedom.
    assert (top.rating_upper - top.rating) / top.se == pytest.approx(2.20099, abs=1e-4)


def test_rank_sets_of_two_are_the_test_of_their_difference() -> None:
    """With one pair the simultaneous quantile is the normal one."""
    covariance = np.array([[0.25, -0.25], [-0.25, 0.25]])  # The difference has variance 1.

    def sets(gap: float) -> list[list[int]]:
        theta = np.array([gap / 2, -gap / 2])
        bounds = rank_sets(theta, covariance, confidence=0.95, draws=100_000, seed=1, degrees=None)
        return [side.tolist() for side in bounds]

    assert sets(1.90) == [[1, 1], [2, 2]]
    assert sets(2.02) == [[1, 2], [1, 2]]


def test_rank_sets_of_many_use_the_studentised_range() -> None:
    """Three independent contestants: q(.95; 3, ∞)/√2 = 2.344."""
    covariance = np.eye(3) - 1 / 3

    def worst_of_best(gap: float) -> int:
        theta = np.array([gap, 0.0, -50.0])
        return int(
            rank_sets(theta, covariance, confidence=0.95, draws=100_000, seed=1, degrees=None)[1][0]
        )

    assert worst_of_best(2.30 * np.sqrt(2)) == 2
    assert worst_of_best(2.39 * np.sqrt(2)) == 1


def test_rank_sets_widen_with_few_degrees_of_freedom() -> None:
    theta, covariance = np.linspace(0, 6, 5), np.eye(5) - 0.2
    common = {"confidence": 0.95, "draws": 10_000, "seed": 0}
    normal = rank_sets(theta, covariance, degrees=None, **common)
    t = rank_sets(theta, covariance, degrees=3.0, **common)

    assert (t[1] - t[0]).sum() > (normal[1] - normal[0]).sum()
    assert (t[0] <= normal[0]).all()


def test_ranks_count_those_strictly_above() -> None:
    votes = Votes.from_columns(list("ABCA"), list("BCAC"), ["tie", "tie", "tie", "model_a"])
    board = fit(votes, RankingSpec(position=False))

    assert [s.rank for s in board.standings] == [1, 2, 3]
    level = fit(
        Votes.from_columns(list("ABC"), list("BCA"), ["tie"] * 3), RankingSpec(position=False)
    )
    assert [(s.rank, s.contestant) for s in level.standings] == [(1, "A"), (1, "B"), (1, "C")]


def test_votes_that_a_fit_explains_fully_have_a_board_without_the_floor_too() -> None:
    votes = Votes.from_columns(list("ABC"), list("BCA"), ["tie"] * 3)
    board = fit(votes, RankingSpec(position=False, floor=False))

    assert [standing.rating for standing in board.standings] == [1000.0] * 3


@pytest.mark.parametrize("rows", [1, 4])
def test_threads_change_no_bit(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    votes = simulated(11, votes=2000)
    before = fit(votes, CONTROLLED)
    monkeypatch.setattr(ranking.threads, "WORKERS", rows)

    assert fit(votes, CONTROLLED) == before


def test_a_rare_contestant_does_not_widen_the_others_intervals() -> None:
    """The floor is for the contestant of few votes alone: the rest hardly notice it."""
    rng = np.random.default_rng(5)
    names = ["a", "b", "c", "d"]
    sides = [tuple(rng.choice(names, 2, replace=False)) for _ in range(1200)]
    outcomes = ["model_a", "model_b"] * 600
    rare = [("a", "rare"), ("rare", "b")], ["model_a", "model_a"]
    with_it, without = (
        {
            standing.contestant: standing.se
            for standing in fit(
                Votes.from_columns(*zip(*pairs, strict=True), winners), RankingSpec(position=False)
            ).standings
        }
        for pairs, winners in ((sides + rare[0], outcomes + rare[1]), (sides, outcomes))
    )

    assert with_it["rare"] > 150
    for name in names:
        assert with_it[name] == pytest.approx(without[name], rel=0.05)


@pytest.mark.parametrize("kind", ["alike", "few votes for some", "moving together"])
def test_the_widest_gaps_of_many_are_those_of_all_pairs(kind: str) -> None:
    """Looking at the outermost contestants of a draw alone changes no bit."""
    rng, m = np.random.default_rng(1), 120
    variance = np.ones(m) if kind == "alike" else rng.lognormal(0.0, 1.5, m)
    covariance = np.diag(variance)
    if kind == "moving together":
        covariance[:60, :60] += 3.0
        covariance[1, 2] = covariance[2, 1] = 0.99 * np.sqrt(covariance[1, 1] * covariance[2, 2])
    centring = np.eye(m) - 1.0 / m
    covariance = centring @ covariance @ centring
    joint = joint_draws(rng.normal(0.0, 1.0, m), covariance, draws=1_000, seed=2, degrees=None)
    inverse = np.divide(1.0, joint.error, out=np.zeros_like(joint.error), where=joint.error > 0.0)

    assert (joint.widest() == _widest(joint.z, inverse)).all()
