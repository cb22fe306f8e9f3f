"""The estimate: derivatives, optimality, the certificate, and what happens without a maximum."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    IdentificationError,
    RankingSpec,
    SeparationError,
    Votes,
    fit,
)
from ranking.design import PairDesign
from ranking.newton import evaluate, solve
from ranking.selection import prepare
from tests.ranking.making import (
    CONTROLLED,
    Array,
    assert_same_numbers,
    loss_at,
    rows_of,
    simulated,
)


def design_of(votes: Votes, spec: RankingSpec = CONTROLLED) -> PairDesign:
    design = prepare(votes, spec).design
    assert design is not None
    return design


def derivative(function, point: Array, size: float = 1e-5) -> Array:  # type: ignore[no-untyped-def]
    """Central differences along every coordinate."""
    steps = size * np.eye(point.size)
    return np.array([(function(point + s) - function(point - s)) / (2 * size) for s in steps])


@pytest.fixture
def point() -> Array:
    return np.random.default_rng(7).normal(0.0, 0.5, 6 + 3)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_gradient_is_the_loss_s_slope(point: Array, weighted: bool) -> None:
    votes = simulated(1)
    if weighted:
        weight = np.random.default_rng(2).uniform(0.5, 2.0, len(votes))
        votes = replace(votes, weight=weight)
    design = design_of(votes)
    slope = derivative(lambda p: evaluate(design, p).loss, point)

    np.testing.assert_allclose(evaluate(design, point).gradient, slope, rtol=1e-7, atol=1e-6)


def test_the_hessian_is_the_gradient_s_slope(point: Array) -> None:
    design = design_of(simulated(1))
    slope = derivative(lambda p: evaluate(design, p).gradient, point)

    np.testing.assert_allclose(evaluate(design, point).hessian, slope, rtol=1e-7, atol=1e-6)


def test_the_loss_is_that_of_the_definition(point: Array) -> None:
    votes = simulated(3)
    z, y = rows_of(votes, CONTROLLED)

    assert evaluate(design_of(votes), point).loss == pytest.approx(loss_at(z, y, point), rel=1e-12)


def test_no_point_nearby_is_more_likely() -> None:
    votes = simulated(4)
    z, y = rows_of(votes, CONTROLLED)
    solution = solve(design_of(votes))
    best = np.concatenate([solution.theta, solution.gamma])
    rng = np.random.default_rng(0)

    for size in (1e-3, 1e-2, 0.1, 1.0):
        for _ in range(20):
            elsewhere = best + size * rng.normal(size=best.size)
            assert loss_at(z, y, elsewhere) > loss_at(z, y, best)


def test_the_board_carries_the_certificate() -> None:
    board = fit(simulated(5), CONTROLLED)

    assert board.converged
    assert board.step < 1e-9
    assert board.certificate <= 0.5
    assert board.gradient_norm < 1e-6


def test_strengths_far_apart_are_found_by_halving_steps() -> None:
    """One win in a thousand: the first full Newton steps overshoot."""
    votes = Votes.from_columns(["A"] * 1001, ["B"] * 1001, ["model_a"] * 1000 + ["model_b"])
    board = fit(votes, RankingSpec(position=False))
    gap = board.standings[0].theta - board.standings[1].theta

    assert gap == pytest.approx(np.log(1000), abs=1e-9)


def test_separation_by_a_covariate_names_it() -> None:
    """The longer answer always wins, so its coefficient would be infinite."""
    votes = simulated(6)
    a, b = (np.asarray(column) for column in votes.features["tokens"])
    votes = replace(votes, outcome=np.where(a > b, 0, np.where(a < b, 1, 2)).astype(np.int8))

    with pytest.raises(SeparationError, match="length") as caught:
        fit(votes, RankingSpec(controls=("length", "headers")))
    assert caught.value.covariates == ("length",)


def test_separation_by_position_names_it() -> None:
    """The winner of each game is recorded first."""
    votes = Votes.from_columns([*"ABCBCA"], [*"BCAABC"], ["model_a"] * 6)

    with pytest.raises(SeparationError) as caught:
        fit(votes)
    assert caught.value.covariates == ("position",)


def test_equal_covariates_cannot_be_told_apart() -> None:
    votes = simulated(8)
    votes = replace(votes, features={**votes.features, "bold": votes.features["headers"]})

    with pytest.raises(IdentificationError, match="headers and bold") as caught:
        fit(votes, RankingSpec(controls=("length", "headers", "bold")))
    assert caught.value.covariates == ("headers", "bold")


def test_a_covariate_fixed_by_the_contestants_cannot_be_told_apart() -> None:
    """Every pair is always shown with the same contestant first."""
    votes = simulated(9)
    votes = replace(votes, shown_first=np.where(votes.a < votes.b, 1, -1).astype(np.int8))
    strong = replace(votes, a=np.minimum(votes.a, votes.b), b=np.maximum(votes.a, votes.b))
    two = (strong.a == 0) & (strong.b == 1)
    only = replace(
        strong,
        a=strong.a[two],
        b=strong.b[two],
        outcome=strong.outcome[two],
        shown_first=None,
        voter=None,
        features={},
    )

    with pytest.raises(IdentificationError, match="position follows from which contestants meet"):
        fit(only)


def test_a_covariate_that_never_varies_changes_nothing_and_is_told() -> None:
    votes = simulated(10)
    zeros = np.zeros(len(votes))
    with_code = replace(votes, features={**votes.features, "code": (zeros, zeros)})
    spec = replace(CONTROLLED, controls=("length", "headers", "code"))
    board, without = fit(with_code, spec), fit(votes, CONTROLLED)

    assert [c.name for c in board.coefficients] == ["length", "headers"]
    assert any(warning.startswith("code is equal") for warning in board.warnings)
    assert dict(board.spec.scales or ())["code"] == 0.0
    assert_same_numbers([s.rating for s in board.standings], [s.rating for s in without.standings])


def test_a_covariate_bound_to_the_contestants_is_told() -> None:
    votes = simulated(11)
    length = 10.0 * (1.0 + np.arange(6.0)) ** 2
    noise = np.random.default_rng(0).uniform(0.97, 1.03, (2, len(votes)))
    features = {"tokens": (length[votes.a] * noise[0], length[votes.b] * noise[1])}
    board = fit(replace(votes, features=features), RankingSpec(controls=("length",)))

    assert any("length: 9" in warning for warning in board.warnings)


def test_nearly_collinear_covariates_are_told() -> None:
    votes = simulated(12)
    noise = np.random.default_rng(0).uniform(0.9, 1.1, (2, len(votes)))
    a, b = votes.features["tokens"]
    features = {"tokens": (a, b), "bold": (a * noise[0], b * noise[1])}
    board = fit(replace(votes, features=features), RankingSpec(controls=("length", "bold")))

    assert any(warning.startswith("length and bold: nearly") for warning in board.warnings)
