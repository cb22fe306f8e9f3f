"""A stated prior, and what separates wins from losses without one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ranking import ConvergenceError, RankingSpec, SeparationError, SpecError, Votes, fit
from ranking.inference import fisher
from ranking.newton import evaluate, penalty, solve
from ranking.separation import separating_direction
from tests.ranking.making import CONTROLLED, Array, loss_at, plain, rows_of, simulated
from tests.ranking.test_newton import derivative, design_of

PRIOR = replace(CONTROLLED, prior_strengths=0.7, prior_coefficients=2.0)


@pytest.mark.parametrize("model", ["bradley_terry", "davidson", "rao_kupper", "four_outcome"])
def test_the_prior_is_in_objective_gradient_and_hessian(model: str) -> None:
    votes, spec = simulated(1), replace(PRIOR, likelihood=model)
    design, without = (
        design_of(votes, spec),
        design_of(votes, replace(CONTROLLED, likelihood=model)),
    )
    size = design.contestants + len(design.coefficients)
    point = np.append(np.random.default_rng(0).normal(0.0, 0.5, 9), [0.6, 0.2])[:size]
    here, theta, gamma = evaluate(design, point), point[:6], point[6:9]
    stated = 0.35 * np.sum((theta - theta.mean()) ** 2) + np.sum(gamma**2)

    assert penalty(design, point) == pytest.approx(stated)
    assert here.loss == pytest.approx(evaluate(without, point).loss + stated)
    slope = derivative(lambda p: evaluate(design, p).loss, point)
    np.testing.assert_allclose(here.gradient, slope, rtol=1e-7, atol=1e-6)
    bend = derivative(lambda p: evaluate(design, p).gradient, point)
    np.testing.assert_allclose(here.hessian, bend, rtol=1e-7, atol=1e-6)


def test_no_point_nearby_is_more_probable() -> None:
    votes = simulated(2)
    z, y = rows_of(votes, CONTROLLED)
    solution = solve(design_of(votes, PRIOR))
    best, rng = np.concatenate([solution.theta, solution.gamma]), np.random.default_rng(0)

    def objective(point: Array) -> float:
        theta, gamma = point[:6], point[6:]
        stated = 0.35 * np.sum((theta - theta.mean()) ** 2) + np.sum(gamma**2)
        return loss_at(z, y, point) + float(stated)

    for size in (1e-3, 1e-2, 0.1):
        for _ in range(20):
            assert objective(best + size * rng.normal(size=best.size)) > objective(best)
    assert fit(votes, PRIOR).log_likelihood == pytest.approx(-loss_at(z, y, best), rel=1e-12)


def test_the_golden_ridge_on_the_coefficient(golden: Mapping[str, Any]) -> None:
    rows = [(a, b) for a, b, times in golden["wikipedia"]["wins"] for _ in range(times)]
    wave = np.cos(np.arange(22))
    votes = Votes.from_columns(
        [a for a, _ in rows],
        [b for _, b in rows],
        ["model_a"] * 22,
        features={"tokens": (0.5 + 0.5 * wave, 0.5 - 0.5 * wave)},
    )
    spec = RankingSpec(
        controls=("length",), scales={"length": 1.0}, position=False, prior_coefficients=1.0
    )
    board, want = fit(votes, spec), golden["contextual"]["ridge_1_on_gamma"]
    theta = {standing.contestant: standing.theta for standing in board.standings}

    assert [theta[name] for name in "ABCD"] == pytest.approx(want["theta"], abs=1e-8)
    assert board.coefficients[0].value == pytest.approx(want["gamma"], abs=1e-8)


def test_the_intervals_know_of_the_prior() -> None:
    """A prior far stronger than the votes leaves its own width to the model's errors."""
    votes = simulated(3)
    design = design_of(votes, replace(PRIOR, prior_coefficients=1e6))
    errors = np.sqrt(fisher(design, solve(design)).diagonal())

    np.testing.assert_allclose(errors[6:], 1e-3, rtol=1e-3)
    assert fit(votes, replace(PRIOR, prior_coefficients=1e6)).coefficients[0].se < 1e-3


def separated(seed: int = 6) -> Votes:
    """The longer answer always wins."""
    votes = simulated(seed)
    a, b = (np.asarray(column) for column in votes.features["tokens"])
    return replace(votes, outcome=np.where(a > b, 0, np.where(a < b, 1, 2)).astype(np.int8))


@pytest.mark.parametrize("model", ["bradley_terry", "davidson", "rao_kupper"])
def test_separation_raises_and_a_prior_answers(model: str) -> None:
    votes, spec = separated(), replace(CONTROLLED, likelihood=model)
    with pytest.raises(SeparationError, match="length") as caught:
        fit(votes, spec)
    assert "length" in caught.value.covariates

    board = fit(votes, replace(spec, prior_coefficients=1.0))
    assert np.isfinite([s.rating_upper for s in board.standings]).all()
    assert board.coefficients[0].value > 1.0


def test_a_prior_on_strengths_places_whom_votes_connect() -> None:
    votes = plain("A>B", "B>C", "U>A", "X>Y")
    board = fit(votes, RankingSpec(position=False, prior_strengths=1.0))

    assert [s.contestant for s in board.standings] == ["U", "A", "B", "C"]
    assert [(u.contestant, u.bound) for u in board.unplaced] == [("X", None), ("Y", None)]
    assert min(s.se for s in board.standings) > 0.0


@pytest.mark.parametrize("name", ["prior_strengths", "prior_coefficients"])
def test_a_precision_is_not_negative(name: str) -> None:
    with pytest.raises(SpecError, match=name):
        RankingSpec(**{name: -1.0})  # type: ignore[arg-type]


def test_the_programme_finds_a_direction_that_separates() -> None:
    design = design_of(separated(), CONTROLLED)
    direction = separating_direction(design)
    assert direction is not None
    z = direction[:6][design.first] - direction[:6][design.second]
    odds = np.repeat(z, design.counts) + direction[6:] @ design.x

    assert ((2.0 * design.y - 1.0) * odds)[design.y != 0.5].min() > -1e-6
    assert np.abs(odds[design.y == 0.5]).max(initial=0.0) < 1e-6
    assert np.abs(odds).max() > 0.9


@pytest.mark.parametrize("model", ["bradley_terry", "davidson", "rao_kupper"])
def test_the_programme_finds_none_where_an_estimate_exists(model: str) -> None:
    for seed in range(5):
        design = design_of(simulated(seed, votes=60), replace(CONTROLLED, likelihood=model))
        solve(design)
        assert separating_direction(design) is None


def test_the_programme_adds_rows_until_none_is_broken() -> None:
    """One vote of many breaks the separation, and is not among the first rows looked at."""
    votes = simulated(7, votes=9_000)
    a, b = (np.asarray(column) for column in votes.features["tokens"])
    outcome = np.where(a > b, 0, np.where(a < b, 1, 2)).astype(np.int8)
    assert separating_direction(design_of(replace(votes, outcome=outcome))) is not None

    outcome[np.flatnonzero(a > b)[4321]] = 1
    assert separating_direction(design_of(replace(votes, outcome=outcome))) is None


def test_what_newton_cannot_reach_is_told_apart_from_what_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ranking.newton.ITERATIONS", 1)
    with pytest.raises(ConvergenceError, match="finite estimate"):
        fit(simulated(8), CONTROLLED)
    with pytest.raises(SeparationError, match="length"):
        fit(separated(8), CONTROLLED)
