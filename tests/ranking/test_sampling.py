"""Next-pair probabilities, votes to tell two apart, and what adaptive exposure does to ratings."""

from dataclasses import replace
from itertools import combinations
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import (
    NextPairs,
    RankingSpec,
    SpecError,
    Votes,
    fit,
    next_pairs,
    votes_needed,
    votes_to_separate,
)
from tests.ranking.making import plain, simulated, turned

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)
ELO = 400.0 / np.log(10.0)


def chances(result: NextPairs) -> dict[tuple[str, str], float]:
    return {(pair.first, pair.second): pair.probability for pair in result.pairs}


@few
@given(seeds, st.floats(0.0, 1.0), st.floats(0.01, 5.0))
def test_probabilities_follow_the_rule_and_sum_to_one(
    seed: int, floor: float, prior: float
) -> None:
    votes = simulated(seed, votes=40, contestants=7)
    result = next_pairs(votes, floor=floor, prior_votes=prior)
    gains = []
    for pair in result.pairs:
        ids = {votes.contestants.index(pair.first), votes.contestants.index(pair.second)}
        y = [
            ([1.0, 0.0, 0.5, 0.5][outcome], a)
            for a, b, outcome in zip(votes.a, votes.b, votes.outcome, strict=True)
            if {a, b} == ids
        ]
        scores = np.array([s if a == min(ids) else 1.0 - s for s, a in y])
        n = scores.size
        values = np.concatenate([scores, [0.0, 1.0]])
        mass = np.concatenate([np.ones(n), [prior / 2, prior / 2]]) / (n + prior)
        sigma = mass @ values**2 - (mass @ values) ** 2
        gains.append(np.sqrt(sigma / (n + prior)) - np.sqrt(sigma / (n + prior + 1)))
        assert pair.votes == n
        assert pair.variance == pytest.approx(sigma)
        assert pair.gain == pytest.approx(gains[-1])
    expected = (1 - floor) * np.array(gains) / np.sum(gains) + floor / len(gains)

    assert list(chances(result).values()) == pytest.approx(expected.tolist())
    assert sum(chances(result).values()) == pytest.approx(1.0, abs=1e-12)
    assert min(chances(result).values()) >= floor / len(gains) * (1 - 1e-12)


@few
@given(seeds, seeds)
def test_recording_votes_the_other_way_round_changes_nothing(seed: int, which: int) -> None:
    votes = simulated(seed, votes=60)
    mask = np.random.default_rng(which).random(len(votes)) < 0.5

    assert next_pairs(votes) == next_pairs(turned(votes, mask))


def test_a_pair_that_never_met_comes_before_one_that_met_often() -> None:
    result = next_pairs(plain(*["A>B", "B>A"] * 20, "A>C"), contestants=["A", "B", "C", "new"])
    chance = chances(result)

    assert chance["A", "new"] == chance["B", "C"] == chance["C", "new"]
    assert chance["B", "C"] > chance["A", "C"] > chance["A", "B"]
    unseen = next(pair for pair in result.pairs if pair.second == "new")
    assert (unseen.votes, unseen.variance) == (0, 0.25)
    assert unseen.gain == pytest.approx(0.5 - np.sqrt(0.125))


def test_for_many_votes_the_prior_does_not_matter() -> None:
    votes = simulated(1, votes=20_000, contestants=4)
    one, other = (chances(next_pairs(votes, floor=0.0, prior_votes=p)) for p in (1.0, 1e-6))

    assert one == pytest.approx(other, rel=2e-3)


def test_only_eligible_pairs_are_drawn_as_they_are_given() -> None:
    pairs = [("model 3", "model 0"), ("model 1", "model 2")]
    result = next_pairs(simulated(2), eligible=pairs, floor=0.0)

    assert list(chances(result)) == pairs
    assert sum(chances(result).values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"floor": 1.5}, "floor"),
        ({"prior_votes": 0.0}, "prior_votes"),
        ({"contestants": ["A"]}, "no pair is eligible"),
        ({"eligible": []}, "no pair is eligible"),
        ({"eligible": [("A", "A")]}, "against itself"),
        ({"eligible": [("A", "B"), ("B", "A")]}, "given twice"),
        ({"spec": RankingSpec(controls=("length",))}, "knows no controls"),
    ],
)
def test_what_cannot_be_drawn_is_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        next_pairs(plain("A>B"), **settings)  # type: ignore[arg-type]


def test_votes_needed_give_the_asked_for_power() -> None:
    """Draw as many votes as it says, many times over: the interval excludes 0 that often."""
    gap, ties = 60.0, 0.2
    n = votes_needed(gap, confidence=0.95, power=0.8, tie_rate=ties)
    p = 1.0 / (1.0 + 10.0 ** (-gap / 400.0))
    rng = np.random.default_rng(3)
    wins, tied, _ = rng.multinomial(n, [p - ties / 2, ties, 1 - p - ties / 2], 20_000).T
    mean = (wins + 0.5 * tied) / n
    variance = (wins + 0.25 * tied) / n - mean**2
    theta, error = np.log(mean / (1 - mean)), np.sqrt(variance / n) / (mean * (1 - mean))

    assert np.mean(theta > 1.96 * error) == pytest.approx(0.8, abs=0.02)
    assert votes_needed(-gap, tie_rate=ties) == n
    assert votes_needed(gap / 2) > 3.5 * votes_needed(gap)
    assert votes_needed(0.0) == np.inf


def test_votes_to_separate_add_to_what_is_known() -> None:
    votes = simulated(4, votes=400, contestants=4)
    spec = RankingSpec(position=False, floor=False, cluster=False)
    result = votes_to_separate(votes, "model 0", "model 1", spec)
    rating = {s.contestant: s.rating for s in fit(votes, spec).standings}
    p = 1.0 / (1.0 + np.exp(-result.gap / ELO))
    reached = (1.0 / result.se**2 + result.votes * p * (1.0 - p) / ELO**2) ** -0.5

    assert result.gap == pytest.approx(rating["model 0"] - rating["model 1"])
    assert result.votes > 0
    assert abs(result.gap) / reached == pytest.approx(1.959964 + 0.841621, rel=2e-3)
    assert result.to_dict()["votes"] == result.votes
    more = votes_to_separate(votes, "model 1", "model 0", spec, power=0.99)
    assert more.votes > result.votes


def test_who_is_already_told_apart_needs_no_vote_and_equals_never_are() -> None:
    spec = RankingSpec(position=False, cluster=False)
    clear = votes_to_separate(plain(*["A>B"] * 90, *["B>A"] * 10), "A", "B", spec)
    level = votes_to_separate(plain("A>B", "B>A"), "A", "B", spec)

    assert clear.votes == 0.0
    assert level.votes == np.inf
    assert level.to_dict()["votes"] is None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"gap": np.nan}, "gap"),
        ({"gap": 50.0, "power": 1.0}, "power"),
        ({"gap": 50.0, "confidence": 0.0}, "confidence"),
        ({"gap": 400.0, "tie_rate": 0.5}, "tie_rate"),
        ({"gap": 50.0, "scale": 0.0}, "scale"),
    ],
)
def test_impossible_plans_are_refused(settings: dict[str, float], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        votes_needed(**settings)


@pytest.mark.parametrize("pair", [("model 0", "nobody"), ("model 0", "model 0")])
def test_only_two_placed_contestants_can_be_told_apart(pair: tuple[str, str]) -> None:
    with pytest.raises(SpecError):
        votes_to_separate(simulated(5), *pair)


# An intransitive arena: the first three beat each other in a circle, by much and by little.
PAIRS = np.array(list(combinations(range(4), 2)))
TRUTH = np.array([0.95, 0.5, 0.6, 0.9, 0.7, 0.5])  # of the first of each pair
NAMES = ["rock", "scissors", "paper", "well"]


def exposed(rng: np.random.Generator, rounds: int, size: int) -> Votes:
    """Votes on pairs drawn by the rule from the votes so far, with their π as logged."""
    pair = rng.integers(0, 6, 30)
    pi = np.full(30, 1 / 6)
    won = rng.random(30) < TRUTH[pair]
    eligible = [(NAMES[a], NAMES[b]) for a, b in PAIRS]
    for _ in range(rounds):
        chance = np.array(
            [p.probability for p in next_pairs(as_votes(pair, won), eligible=eligible).pairs]
        )
        drawn = rng.choice(6, size, p=chance)
        pair, pi = np.append(pair, drawn), np.append(pi, chance[drawn])
        won = np.append(won, rng.random(size) < TRUTH[drawn])
    return replace(as_votes(pair, won), draw_probability=pi)


def as_votes(pair: np.ndarray, won: np.ndarray) -> Votes:
    a, b = PAIRS[pair].T.astype(np.int32)
    return Votes.from_columns(a, b, np.where(won, 0, 1), contestants=NAMES)


def thetas(votes: Votes, weights: Literal["draw_probability"] | None = None) -> np.ndarray:
    spec = RankingSpec(position=False, cluster=False, draws=100, weights=weights)
    theta = {s.contestant: s.theta for s in fit(votes, spec).standings}
    return np.array([theta[name] for name in NAMES])


def test_weights_of_the_logged_probability_undo_adaptive_exposure() -> None:
    """No strengths are right here, so they depend on who meets whom; 1/π asks for all alike."""
    uniform = as_votes(np.repeat(np.arange(6), 2), np.tile([True, False], 6))
    target = thetas(replace(uniform, weight=np.stack([TRUTH, 1 - TRUTH], axis=1).ravel()))
    rng = np.random.default_rng(8)
    runs = [exposed(rng, rounds=10, size=600) for _ in range(40)]
    weighted = np.array([thetas(votes, "draw_probability") for votes in runs]) - target
    plainly = np.array([thetas(votes) for votes in runs]) - target

    def bias_in_errors(off: np.ndarray) -> np.ndarray:
        return np.abs(off.mean(axis=0)) / (off.std(axis=0, ddof=1) / np.sqrt(len(runs)))

    assert bias_in_errors(plainly).max() > 6.0
    assert bias_in_errors(weighted).max() < 3.0
    assert np.abs(weighted.mean(axis=0)).max() < 0.3 * np.abs(plainly.mean(axis=0)).max()
