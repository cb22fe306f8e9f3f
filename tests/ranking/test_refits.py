"""A design fitted again under other weights is the fit to the votes that those weights count."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ranking import RankingSpec, Votes, fit
from ranking.fitting import Estimate, estimate
from ranking.refits import Refit, refit
from ranking.selection import prepare
from tests.ranking.making import CONTROLLED, Array, plain, simulated


def taken(votes: Votes, rows: Array) -> Votes:
    """Some of the votes, in this order, some of them perhaps several times."""

    def some(column: Array | None) -> Array | None:
        return None if column is None else column[rows]

    return replace(
        votes,
        a=votes.a[rows],
        b=votes.b[rows],
        outcome=votes.outcome[rows],
        shown_first=some(votes.shown_first),
        voter=some(votes.voter),
        weight=some(votes.weight),
        features={name: (a[rows], b[rows]) for name, (a, b) in votes.features.items()},
    )


def origin(votes: Votes, spec: RankingSpec) -> Estimate:
    prepared = prepare(votes, spec)
    assert prepared.design is not None
    return estimate(prepared, prepared.design)


def assert_is_the_fit_to(found: Refit | None, fitted: Estimate, votes: Votes) -> None:
    """The same placed contestants, strengths and coefficients as a fit from scratch."""
    board = fit(votes, replace(fitted.prepared.spec, cluster=False))
    labels = np.array(fitted.prepared.labels)
    if found is None:
        assert not board.standings
        return
    assert {*labels[found.placed]} == {standing.contestant for standing in board.standings}
    theta = dict(zip(labels, found.theta, strict=True))
    for standing in board.standings:
        assert theta[standing.contestant] == pytest.approx(standing.theta, abs=1e-8)
    gamma = [*board.coefficients, *([board.position] if board.position else [])]
    fitted_gamma = found.gamma[~np.isnan(found.gamma)]
    np.testing.assert_allclose(fitted_gamma, [c.value for c in gamma], atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), votes=st.integers(12, 60))
def test_a_refit_is_the_fit_to_the_votes_that_count(seed: int, votes: int) -> None:
    """Also where the votes left do not connect everybody any more."""
    data, spec = simulated(seed, votes=votes, contestants=5), RankingSpec(position=False, draws=100)
    assume(len(fit(data, spec).standings) == len(data.contestants))
    fitted = origin(data, spec)
    times = np.random.default_rng(seed).integers(0, 3, len(fitted.design))
    assume(times.any())

    found = refit(fitted, times.astype(float))

    assert_is_the_fit_to(found, fitted, taken(data, np.repeat(fitted.design.rows, times)))


def test_with_controls_voters_and_weights() -> None:
    votes = simulated(3, votes=800)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, len(votes))
    votes = replace(votes, weight=weight)
    fitted = origin(votes, CONTROLLED)
    times = np.random.default_rng(2).poisson(1.0, len(fitted.design))

    found = refit(fitted, times.astype(float))

    assert_is_the_fit_to(found, fitted, taken(votes, np.repeat(fitted.design.rows, times)))


def test_a_contestant_that_is_cut_off_has_no_strength() -> None:
    votes = plain("A>B", "B>C", "C>A", "A>B", "D>A", "A>D")
    fitted = origin(votes, RankingSpec(position=False))
    times = np.where(fitted.design.rows == 5, 0.0, 1.0)

    found = refit(fitted, times)

    assert found is not None
    assert found.placed.tolist() == [True, True, True, False]
    assert np.isnan(found.theta[3])
    assert_is_the_fit_to(found, fitted, taken(votes, np.arange(5)))


def test_a_column_that_does_not_vary_any_more_has_no_coefficient() -> None:
    votes = simulated(5)
    a, b = (np.array(column) for column in votes.features["headers"])
    b[10:] = a[10:]
    votes = replace(votes, features={**votes.features, "headers": (a, b)})
    fitted = origin(votes, CONTROLLED)
    times = np.where(fitted.design.rows < 10, 0.0, 1.0)

    found = refit(fitted, times)

    assert found is not None
    assert np.isnan(found.gamma).tolist() == [False, True, False]
    assert_is_the_fit_to(found, fitted, taken(votes, np.arange(10, len(votes))))


def test_separated_votes_have_no_estimate() -> None:
    """Of the votes left, every one is won by the longer answer."""
    votes = simulated(6, votes=300)
    longer = votes.features["tokens"][0] > votes.features["tokens"][1]
    fitted = origin(votes, CONTROLLED)
    agrees = (votes.outcome == 0) & longer | (votes.outcome == 1) & ~longer

    assert refit(fitted, agrees[fitted.design.rows].astype(float)) is None


def test_no_votes_have_no_estimate() -> None:
    fitted = origin(simulated(7), CONTROLLED)
    assert refit(fitted, np.zeros(len(fitted.design))) is None


@pytest.mark.parametrize("likelihood", ["davidson", "rao_kupper", "four_outcome"])
def test_other_likelihoods(likelihood: str) -> None:
    votes, spec = simulated(8, votes=700), replace(CONTROLLED, likelihood=likelihood)
    fitted = origin(votes, spec)
    times = np.random.default_rng(3).poisson(1.0, len(fitted.design)).astype(float)

    found = refit(fitted, times)

    assert found is not None
    assert found.gamma.size == len(fitted.design.coefficients)
    counted = np.repeat(fitted.design.rows, times.astype(int))
    theta = {
        s.contestant: s.theta for s in fit(taken(votes, counted), fitted.prepared.spec).standings
    }
    for name, value in zip(fitted.prepared.labels, found.theta, strict=True):
        assert value == pytest.approx(theta[name], abs=1e-8)


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": "inverse_pair", "pair_floor": 20},
        {"prior_strengths": 2.0},
        {"prior_coefficients": 5.0},
        {"weights": "inverse_pair", "pair_floor": 20, "prior_strengths": 2.0},
    ],
)
def test_pair_weights_and_priors(changes: dict[str, object]) -> None:
    votes, spec = simulated(9, votes=700), replace(CONTROLLED, **changes)
    fitted = origin(votes, spec)
    times = np.random.default_rng(4).poisson(1.0, len(fitted.design)).astype(float)

    found = refit(fitted, times)

    assert_is_the_fit_to(
        found, fitted, taken(votes, np.repeat(fitted.design.rows, times.astype(int)))
    )
