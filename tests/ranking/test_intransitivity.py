"""Circles: none on a scale, all in a ring, and as many as the null says by chance."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ranking import RankingSpec, SpecError, Votes, fit, measure_intransitivity
from ranking.intransitivity import holm, tail_probability, tie_factor
from tests.ranking.making import assert_same_numbers, plain, simulated, turned

SPEC = RankingSpec(position=False, cluster=False)
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def on_a_scale(rng: np.random.Generator, votes: int, contestants: int = 8) -> Votes:
    """Bradley-Terry votes with ties as the null draws them."""
    theta = rng.normal(0.0, 0.6, contestants)
    a = rng.integers(0, contestants, votes)
    b = (a + rng.integers(1, contestants, votes)) % contestants
    p = 1.0 / (1.0 + np.exp(theta[b] - theta[a]))
    tie = 0.6 * p * (1.0 - p)
    u = rng.random(votes)
    outcome = np.where(u < p - tie / 2, 0, np.where(u < p + tie / 2, 2, 1))
    names = [f"m{i}" for i in range(contestants)]
    return Votes.from_columns(a, b, outcome, contestants=names)


def ring(strong: int = 45, weak: int = 5) -> Votes:
    words = [f"{a}>{b}" for a, b in ("RS", "SP", "PR") for _ in range(strong)]
    return plain(*words, *(f"{b}>{a}" for a, b in ("RS", "SP", "PR") for _ in range(weak)))


def test_a_ring_is_all_curl_and_its_pairs_stand_out() -> None:
    result = measure_intransitivity(ring(), SPEC)

    assert result.curl_share == pytest.approx(1.0)
    assert result.loops == 1
    assert result.p_value == pytest.approx(1 / 201)
    assert result.null_upper < 1.0
    assert {r.first + r.second for r in result.residuals} == {"PR", "PS", "RS"}
    assert all(r.flagged for r in result.residuals)
    assert all(r.expected == pytest.approx(25.0) for r in result.residuals)


def test_the_share_is_that_of_dense_weighted_least_squares() -> None:
    votes = simulated(1, votes=150, contestants=7)
    m = len(votes.contestants)
    rows, flow, weight = [], [], []
    for i, j in combinations(range(m), 2):
        one = (votes.a == i) & (votes.b == j)
        other = (votes.a == j) & (votes.b == i)
        n = one.sum() + other.sum()
        if n:
            y = np.choose(votes.outcome, [1.0, 0.0, 0.5, 0.5])
            score = y[one].sum() + (1 - y[other]).sum()
            rows.append(np.eye(m)[i] - np.eye(m)[j])
            flow.append(np.log((score + 0.5) / (n - score + 0.5)))
            weight.append(n)
    root = np.sqrt(weight)
    z, target = np.array(rows) * root[:, None], np.array(flow) * root
    left = target - z @ np.linalg.lstsq(z, target, rcond=None)[0]
    result = measure_intransitivity(votes, SPEC)

    assert result.curl_share == pytest.approx(left @ left / (target @ target), rel=1e-9)
    assert result.loops == len(rows) - m + 1


def test_without_a_loop_there_is_no_curl() -> None:
    result = measure_intransitivity(plain("A>B", "B>A", "B>C", "C>B", "B>C"), SPEC)

    assert result.loops == 0
    assert result.curl_share == pytest.approx(0.0, abs=1e-12)
    assert result.p_value == 1.0
    assert [r.standardised for r in result.residuals] == [0.0, 0.0]
    assert not any(r.flagged for r in result.residuals)


def test_on_a_scale_the_p_values_are_spread_evenly() -> None:
    rng = np.random.default_rng(5)
    p_values, flags = [], 0
    for _ in range(150):
        result = measure_intransitivity(on_a_scale(rng, 1500), SPEC, simulations=60)
        p_values.append(result.p_value)
        flags += any(r.flagged for r in result.residuals)

    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert flags / 150 <= 0.09


def test_standardised_residuals_have_variance_one_on_a_scale() -> None:
    rng = np.random.default_rng(6)
    drawn = [
        r.standardised
        for _ in range(120)
        for r in measure_intransitivity(on_a_scale(rng, 1200), SPEC, simulations=20).residuals
    ]

    assert np.mean(drawn) == pytest.approx(0.0, abs=0.08)
    assert np.var(drawn) == pytest.approx(1.0, abs=0.07)


def test_one_odd_pair_is_found_first() -> None:
    rng = np.random.default_rng(7)
    votes = on_a_scale(rng, 6000)
    odd = (np.minimum(votes.a, votes.b) == 2) & (np.maximum(votes.a, votes.b) == 5)
    outcome = np.where(odd, np.where(votes.a == 2, 0, 1), votes.outcome)
    result = measure_intransitivity(replace(votes, outcome=outcome), SPEC)

    most = result.residuals[0]

    assert (most.first, most.second, most.flagged) == ("m2", "m5", True)
    assert most.observed == most.votes == odd.sum()
    assert most.standardised > 5.0
    assert result.p_value < 0.01


@few
@given(seeds, seeds)
def test_recording_votes_the_other_way_round_changes_nothing(seed: int, which: int) -> None:
    votes = simulated(seed)
    mask = np.random.default_rng(which).random(len(votes)) < 0.5
    spec = RankingSpec(controls=("length",), floor=False)
    one, other = (
        measure_intransitivity(v, spec, simulations=20).to_dict()
        for v in (votes, turned(votes, mask))
    )
    for result in (one, other):
        # Equally striking pairs may come in either order.
        result["residuals"] = sorted(result["residuals"], key=lambda r: (r["first"], r["second"]))

    assert_same_numbers(one, other, tolerance=1e-7)


def test_observed_and_expected_agree_over_each_contestant_s_pairs() -> None:
    """The fit's own equations: nobody's total is off, only how it is spread over opponents."""
    weight = np.random.default_rng(1).uniform(0.5, 2.0, 400)
    result = measure_intransitivity(replace(simulated(8), weight=weight), SPEC)
    off = dict.fromkeys(simulated(8).contestants, 0.0)
    for r in result.residuals:
        off[r.first] += r.observed - r.expected
        off[r.second] -= r.observed - r.expected

    assert np.abs(list(off.values())).max() < 1e-6


def test_the_tail_is_the_binomial_one_where_votes_are_plain() -> None:
    n, p = np.array([10.0, 40.0, 1.0]), np.array([0.3, 0.9, 0.01])
    wins = np.array([7, 30, 1])
    expected = [
        min(1.0, 2 * min(stats.binom.sf(w - 1, k, q), stats.binom.cdf(w, k, q)))
        for w, k, q in zip(wins, n, p, strict=True)
    ]

    assert tail_probability(wins / n, p, p * (1 - p) / n) == pytest.approx(expected)


def test_holm_steps_down() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.5])) == pytest.approx([0.04, 0.09, 0.09, 0.5])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.9])
def test_the_null_has_as_many_ties_as_the_votes(share: float) -> None:
    p = np.linspace(0.1, 0.9, 101)
    kappa = tie_factor(p * (1 - p), p, share * p.size)
    ties = np.minimum(kappa * p * (1 - p), 2 * np.minimum(p, 1 - p))
    possible = 2 * np.minimum(p, 1 - p)

    assert ties.sum() == pytest.approx(min(share * p.size, possible.sum()))


def test_the_same_seed_gives_the_same_result() -> None:
    votes = simulated(9)

    assert measure_intransitivity(votes) == measure_intransitivity(votes)
    assert (
        measure_intransitivity(votes).curl_share
        == measure_intransitivity(votes, RankingSpec(seed=3)).curl_share
    )
    assert fit(votes).counts == measure_intransitivity(votes).counts


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(SpecError, match="simulations"):
        measure_intransitivity(simulated(1), simulations=3)
    with pytest.raises(SpecError, match="nobody is placed"):
        measure_intransitivity(plain("A>B"))
