"""A spec is a value: it round-trips, it hashes, and it refuses what it does not know."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ranking import RankingSpec, SpecError, fit
from tests.ranking.making import CONTROLLED, assert_same_numbers, simulated


def test_json_round_trip() -> None:
    spec = RankingSpec(controls=("markdown", "length"), scales=None, anchor="x", cluster=False)
    data = json.loads(json.dumps(spec.to_dict()))

    assert RankingSpec.from_dict(data) == spec
    assert RankingSpec.from_dict(data).digest() == spec.digest()
    assert spec.controls == ("length", "headers", "lists", "bold")


def test_equal_choices_have_one_digest() -> None:
    assert RankingSpec(scale=400).digest() == RankingSpec(scale=400.0).digest()
    assert RankingSpec(seed=1).digest() != RankingSpec().digest()


def test_a_board_s_spec_gives_the_board_again() -> None:
    votes = simulated(1)
    board = fit(votes, CONTROLLED)
    again = fit(votes, RankingSpec.from_dict(board.to_dict()["spec"]))

    assert set(dict(board.spec.scales or ())) == {"length", "headers"}
    assert again.spec == board.spec
    assert_same_numbers(again.to_dict(), board.to_dict())


def test_frozen_scales_are_the_unit_of_coefficients() -> None:
    votes = simulated(2)
    measured = fit(votes, CONTROLLED)
    doubled = {name: 2 * scale for name, scale in measured.spec.scales or ()}
    board = fit(votes, replace(CONTROLLED, scales=doubled))

    for one, other in zip(measured.coefficients, board.coefficients, strict=True):
        assert other.value == pytest.approx(2 * one.value, rel=1e-9)
    assert_same_numbers(
        [s.rating for s in measured.standings], [s.rating for s in board.standings], 1e-8
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"likelihood": "elo"},
        {"controls": ("size",)},
        {"controls": "length"},
        {"complete_for": ("size",)},
        {"both_bad": "keep"},
        {"cluster": "yes"},
        {"position": 1},
        {"confidence": 1.0},
        {"confidence": "high"},
        {"scale": 0},
        {"center": float("nan")},
        {"anchor": 3},
        {"seed": -1},
        {"seed": 1.5},
        {"draws": 10},
        {"scales": {"length": 1.0}},
        {"controls": ("length",), "scales": {"length": -1.0}},
        {"controls": ("length",), "scales": {"length": "wide"}},
        {"controls": ("length",), "scales": 3},
    ],
)
def test_a_wrong_setting_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        RankingSpec(**changes)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SpecError, match="unknown setting 'ridge'"):
        RankingSpec.from_dict({"ridge": 1.0})


def test_an_anchor_must_be_placed() -> None:
    with pytest.raises(SpecError, match="not among the contestants"):
        fit(simulated(3), RankingSpec(anchor="nobody"))


def test_a_scale_of_zero_must_fit_the_votes() -> None:
    scales = {"length": 0.0, "headers": 1.0}
    with pytest.raises(SpecError, match="frozen scale of 'length' is 0"):
        fit(simulated(4), replace(CONTROLLED, scales=scales))
