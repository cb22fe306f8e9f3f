"""Weights of votes: by pair, by the chance of being drawn, by age; and votes from counts."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ranking import RankingSpec, SpecError, Votes, VotesError, fit, style_movement
from ranking.newton import solve
from ranking.selection import prepare
from tests.ranking.making import CONTROLLED, assert_same_numbers, simulated

Golden = Mapping[str, Any]
DAY = 86_400.0


def weights_of(votes: Votes, spec: RankingSpec) -> Any:
    """The weights by vote, as the design has them."""
    design = prepare(votes, spec).design
    assert design is not None
    assert design.weight is not None
    weight = np.zeros(len(votes))
    weight[design.rows] = design.weight
    return weight


def cycle(*times: int) -> Votes:
    """Games of A-B, B-C and C-A, so often each."""
    rows = [
        (pair[k % 2], pair[1 - k % 2])
        for pair, n in zip(("AB", "BC", "CA"), times, strict=True)
        for k in range(n)
    ]
    won = ["model_a" if k % 3 else "model_b" for k in range(len(rows))]
    return Votes.from_columns([a for a, _ in rows], [b for _, b in rows], won)


def test_inverse_pair_weighs_pairs_alike_above_the_floor() -> None:
    weight = weights_of(
        cycle(20, 10, 4), RankingSpec(position=False, weights="inverse_pair", pair_floor=8)
    )

    assert weight.mean() == pytest.approx(1.0)
    assert weight[:20].sum() == pytest.approx(weight[20:30].sum())
    assert weight[30:].sum() == pytest.approx(weight[:20].sum() * 4 / 8)


def test_weights_in_the_spec_are_weights_in_the_votes() -> None:
    votes = cycle(20, 10, 4)
    by_hand = replace(votes, weight=np.repeat([1 / 20, 1 / 10, 1 / 8], [20, 10, 4]))
    spec = RankingSpec(position=False)
    one = fit(votes, replace(spec, weights="inverse_pair", pair_floor=8))

    assert_same_numbers(
        [(s.theta, s.se) for s in one.standings],
        [(s.theta, s.se) for s in fit(by_hand, spec).standings],
    )


@pytest.fixture
def drawn() -> Votes:
    votes = simulated(1)
    probability = np.random.default_rng(0).uniform(0.01, 0.5, len(votes))
    probability[::5] = np.nan
    return replace(votes, draw_probability=probability)


def test_votes_without_a_draw_probability_are_left_out_everywhere(drawn: Votes) -> None:
    spec = replace(CONTROLLED, weights="draw_probability")
    moved = style_movement(drawn, spec)

    for board in (moved.raw, moved.controlled):
        assert board.counts.unweighted == 80
        assert board.counts.counted == 320
    weight = weights_of(drawn, spec)
    known = weight > 0
    assert weight[known].mean() == pytest.approx(1.0)
    assert drawn.draw_probability is not None
    product = weight[known] * drawn.draw_probability[known]
    np.testing.assert_allclose(product, product[0])


def test_weighing_by_what_is_not_there_is_refused() -> None:
    with pytest.raises(SpecError, match="draw_probability"):
        fit(simulated(1), RankingSpec(weights="draw_probability"))
    with pytest.raises(SpecError, match="timestamp"):
        fit(simulated(1), RankingSpec(half_life_days=30))


def test_a_half_life_halves() -> None:
    votes = simulated(2)
    age = np.arange(len(votes)) % 4 * 10.0
    time = 1.7e9 - DAY * age
    time[0] = np.nan
    weight = weights_of(replace(votes, time=time), RankingSpec(half_life_days=10.0))

    assert weight[0] == 0.0
    newest = weight[4]
    np.testing.assert_allclose(weight[1:], newest * 0.5 ** (age[1:] / 10.0))


def test_the_mean_is_over_the_votes_that_count() -> None:
    """Weights of excluded votes, and of those of nobody placed, change no number."""
    votes = Votes.from_columns(
        [*"ABBCCAU"],
        [*"BACBACA"],
        ["model_a"] * 7,
        weight=[1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 1.0],
    )
    spec = RankingSpec(position=False)
    heavier = replace(votes, weight=np.array([1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 50.0]))

    assert fit(heavier, spec).log_likelihood == fit(votes, spec).log_likelihood


def test_the_floor_knows_that_a_weight_counts_squared() -> None:
    """A rare contestant of heavy votes is no surer than one of light ones."""
    games = [("A", "B")] * 300 + [("B", "A")] * 300 + [("X", "A"), ("A", "X")]
    votes = Votes.from_columns([a for a, _ in games], [b for _, b in games], ["model_a"] * 602)
    heavy = replace(votes, weight=np.repeat([1.0, 25.0], [600, 2]))
    spec = RankingSpec(position=False, draws=100)

    def error(votes: Votes) -> float:
        return next(s.se for s in fit(votes, spec).standings if s.contestant == "X")

    assert error(heavy) == pytest.approx(error(votes), rel=0.01)


def test_times_and_probabilities_come_from_arrow() -> None:
    table = pa.table(
        {
            "model_a": ["A", "B"],
            "model_b": ["B", "A"],
            "winner": ["model_a", "model_a"],
            "draw_probability": [0.25, None],
            "timestamp": pa.array([1_500_000, None], pa.timestamp("us", "UTC")),
        }
    )
    votes = Votes.from_arrow(table)

    np.testing.assert_array_equal(votes.time, [1.5, np.nan])
    np.testing.assert_array_equal(votes.draw_probability, [0.25, np.nan])


@pytest.mark.parametrize("value", [0.0, 1.5, -0.1, np.inf])
def test_a_probability_lies_in_0_to_1(value: float) -> None:
    with pytest.raises(VotesError, match=r"draw_probability.*row 1"):
        Votes.from_columns(["A"] * 2, ["B"] * 2, ["tie"] * 2, draw_probability=[0.5, value])


def test_votes_from_counts() -> None:
    votes = Votes.from_counts(["A", "B", "C"], [[0, 1], [2, 0]], [[2, 0, 1, 0], [0, 1, 0, 2]])

    assert votes.contestants == ("A", "B", "C")
    assert votes.a.tolist() == [0, 0, 0, 2, 2, 2]
    assert votes.b.tolist() == [1, 1, 1, 0, 0, 0]
    assert votes.outcome.tolist() == [0, 0, 2, 1, 3, 3]


@pytest.mark.parametrize(
    ("pairs", "counts", "message"),
    [
        ([[0, 1]], [[1, -1]], "row 0: a negative count"),
        ([[0, 1], [0, 2]], [[1, 1]], "1 rows for 2 pairs"),
        ([[0, 1], [0, 2]], [[1, 1], [1, 1]], "row 1: names no model"),
        ([[0, 0]], [[1, 1]], "meets itself"),
        ([[0, 1]], [[0.5, 1]], "whole numbers"),
        ([[0, 1]], [1, 1], "shape"),
        ([[0, 1]], [[1, 1, 1, 1, 1]], "shape"),
        ([[0, 1]], [[0, 0]], "no votes"),
    ],
)
def test_counts_that_are_none_are_refused(pairs: Any, counts: Any, message: str) -> None:
    with pytest.raises(VotesError, match=message):
        Votes.from_counts(["A", "B"], pairs, counts)


def test_golden_likelihoods_of_counted_votes(real_votes: Path, golden: Golden) -> None:
    data = json.loads((real_votes / "chatbotarena_20240814.json").read_text(encoding="utf-8"))
    votes, want = Votes.from_counts(data["models"], data["X"], data["Y"]), golden["chatbot_arena"]
    spec = RankingSpec(position=False, both_bad="drop")

    def solved(likelihood: str) -> tuple[float, Any]:
        design = prepare(votes, replace(spec, likelihood=likelihood)).design
        assert design is not None
        assert len(design) == want["votes"]
        solution = solve(design)
        return solution.loss / len(design), solution.gamma

    assert solved("bradley_terry")[0] == pytest.approx(want["half_win"], abs=1e-8)
    loss, (tie,) = solved("rao_kupper")
    assert (loss, tie) == pytest.approx((want["rao_kupper"], want["rao_kupper_c"]), abs=1e-6)
    loss, (tie,) = solved("davidson")
    assert (loss, tie) == pytest.approx((want["davidson"], want["davidson_ln_nu"]), abs=1e-6)
