"""Win rates and PageRank against their definitions, written densely."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import ConvergenceError, RankingSpec, SpecError, Votes, pagerank, win_rates
from tests.ranking.making import assert_same_numbers, plain, repeated, simulated, turned

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)


def dense_wins(votes: Votes) -> np.ndarray:
    """(M, M) wins of the row over the column, a tie half a win either way, with weights."""
    m = len(votes.contestants)
    won = np.zeros((m, m))
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight / votes.weight.mean()
    for a, b, outcome, w in zip(votes.a, votes.b, votes.outcome, weight, strict=True):
        y = [1.0, 0.0, 0.5, 0.5][outcome]
        won[a, b] += w * y
        won[b, a] += w * (1.0 - y)
    return won


def test_win_rates_follow_their_definitions() -> None:
    votes = replace(simulated(1, votes=50), weight=np.linspace(1.0, 2.0, 50))
    won = dense_wins(votes)
    met = won + won.T
    result = win_rates(votes)

    for rate in result.rates:
        i = votes.contestants.index(rate.contestant)
        against = met[i] > 0
        assert rate.over_opponents == pytest.approx(np.mean(won[i, against] / met[i, against]))
        assert rate.over_votes == pytest.approx(won[i].sum() / met[i].sum())
        assert rate.opponents == against.sum()
    assert [r.rank for r in result.rates] == sorted(r.rank for r in result.rates)


def test_an_often_met_weak_opponent_counts_once_over_opponents() -> None:
    votes = plain(*["A>B"] * 9, "C>A")
    rate = next(r for r in win_rates(votes).rates if r.contestant == "A")

    assert (rate.over_votes, rate.over_opponents) == (0.9, 0.5)
    assert (rate.opponents, rate.votes) == (2, 10)


def test_pagerank_solves_its_equation() -> None:
    votes = replace(simulated(2, votes=70), weight=np.linspace(1.0, 3.0, 70))
    won = dense_wins(votes)
    transition = won / won.sum(axis=0)
    m, damping = len(votes.contestants), 0.7
    expected = np.linalg.solve(np.eye(m) - damping * transition, np.full(m, (1 - damping) / m))
    result = pagerank(votes, damping=damping)

    shares = {entry.contestant: entry.share for entry in result.shares}
    assert shares == pytest.approx(dict(zip(votes.contestants, expected, strict=True)), abs=1e-11)
    assert result.converged
    assert result.change < 1e-12


def test_an_undefeated_contestant_sends_the_surfer_anywhere() -> None:
    result = pagerank(plain("A>B"), damping=0.85)
    a, b = (entry.share for entry in result.shares)

    # A = .85 (B + A/2) + .15/2, A + B = 1
    assert (a, b) == pytest.approx((0.925 / 1.425, 0.5 / 1.425), abs=1e-11)
    assert [entry.contestant for entry in result.shares] == ["A", "B"]


@few
@given(seeds, seeds)
def test_recording_votes_the_other_way_round_changes_nothing(seed: int, which: int) -> None:
    votes = simulated(seed, votes=80)
    mask = np.random.default_rng(which).random(len(votes)) < 0.5
    other = turned(votes, mask)

    assert_same_numbers(win_rates(votes).to_dict(), win_rates(other).to_dict())
    assert_same_numbers(pagerank(votes).to_dict(), pagerank(other).to_dict())


@few
@given(seeds)
def test_shares_sum_to_one_and_copies_of_all_votes_change_none(seed: int) -> None:
    votes = simulated(seed, votes=40, contestants=8)
    once, thrice = pagerank(votes), pagerank(repeated(votes, 3))

    assert sum(entry.share for entry in once.shares) == pytest.approx(1.0, abs=1e-12)
    for one, other in zip(once.shares, thrice.shares, strict=True):
        assert one.share == pytest.approx(other.share, abs=1e-11)


def test_too_few_iterations_raise() -> None:
    with pytest.raises(ConvergenceError, match="after 3 iterations"):
        pagerank(simulated(3), iterations=3)


def test_who_has_no_vote_has_neither() -> None:
    votes = Votes.from_columns(["x"], ["y"], ["tie"], contestants=["x", "y", "z"])

    assert win_rates(votes).absent == pagerank(votes).absent == ("z",)
    assert [r.over_votes for r in win_rates(votes).rates] == [0.5, 0.5]
    assert [r.rank for r in pagerank(votes).shares] == [1, 1]


@pytest.mark.parametrize(
    "settings",
    [{"damping": 1.0}, {"damping": 0.0}, {"tolerance": 0.0}, {"iterations": 0}],
)
def test_values_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(SpecError, match=next(iter(settings))):
        pagerank(simulated(4), **settings)  # type: ignore[arg-type]


def test_controls_are_refused() -> None:
    spec = RankingSpec(controls=("length",))
    with pytest.raises(SpecError, match="win rate knows no controls"):
        win_rates(simulated(5), spec)
    with pytest.raises(SpecError, match="PageRank knows no controls"):
        pagerank(simulated(5), spec)


def test_the_spec_s_weights_are_used() -> None:
    votes = simulated(6, votes=90)
    pi = np.random.default_rng(6).uniform(0.05, 0.5, 90)
    pi[4] = np.nan
    logged = RankingSpec(weights="draw_probability")
    unknown = np.isnan(pi)
    weighted = replace(
        votes,
        weight=np.where(unknown, 1.0, 1.0 / np.where(unknown, 1.0, pi)),
        excluded=np.where(unknown, 0, -1).astype(np.int32),
        rules=("unknown",),
    )
    asked = win_rates(replace(votes, draw_probability=pi), logged)

    assert asked.counts.unweighted == 1
    assert asked.rates == win_rates(weighted).rates


def test_pagerank_follows_exposure_where_that_is_uneven() -> None:
    """Known and documented: of two contestants alike in every share, the oftener shown leads."""
    even = ["A>C", "C>A", "B>C", "C>B"] * 10
    often = even + ["A>C", "C>A"] * 40
    shares = {entry.contestant: entry.share for entry in pagerank(plain(*often)).shares}
    rates = {rate.contestant: rate.over_opponents for rate in win_rates(plain(*often)).rates}

    assert rates["A"] == rates["B"] == 0.5
    assert shares["A"] > 2.0 * shares["B"]
