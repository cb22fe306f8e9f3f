"""The control path and what each feature did on it, against fits done the slow and obvious way."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import (
    Attribution,
    RankingSpec,
    SpecError,
    Votes,
    attribute,
    control_path,
    fit,
    style_movement,
)
from ranking.movement import raw_of
from tests.ranking.making import CONTROLLED, Array, assert_same_numbers, rows_of, simulated, turned

ELO = 400 / np.log(10)
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def free_fit(votes: Votes, spec: RankingSpec, fixed: Array) -> Array:
    """(M,) centred strengths with the style part `fixed`, (n,), of every vote's log-odds given."""
    z, y = rows_of(votes, spec)
    m, k = len(votes.contestants), len(spec.controls)
    free = np.delete(z, np.arange(m, m + k), axis=1)
    free = np.column_stack([free[:, 1:m] - 0.0, free[:, m:]])
    point = np.zeros(free.shape[1])
    for _ in range(30):
        p = 1.0 / (1.0 + np.exp(-(free @ point + fixed)))
        point += np.linalg.solve((free.T * (p * (1 - p))) @ free, free.T @ (y - p))
    theta = np.append(0.0, point[: m - 1])
    return theta - theta.mean()


def style_of(votes: Votes, spec: RankingSpec) -> Array:
    """(n, F) each feature's part of every vote's log-odds at full strength."""
    z, _ = rows_of(votes, spec)
    gamma = [coefficient.value for coefficient in fit(votes, spec).coefficients]
    m = len(votes.contestants)
    return z[:, m : m + len(gamma)] * gamma


def test_the_ends_are_the_raw_and_the_controlled_board() -> None:
    votes = simulated(1)
    path, moved = control_path(votes, CONTROLLED), style_movement(votes, CONTROLLED)

    for strength, board in ((0.0, moved.raw), (1.0, moved.controlled)):
        shown = path.at(strength)
        assert shown.strength == strength
        assert [(s.contestant, s.rating, s.rank) for s in shown.standings] == [
            (s.contestant, s.rating, s.rank) for s in board.standings
        ]
    assert path.spec == moved.controlled.spec


@pytest.mark.parametrize("strength", [0.1, 0.5, 0.75, 0.999])
def test_between_them_it_is_the_fit_with_that_much_style_given(strength: float) -> None:
    votes = simulated(2)
    theta = free_fit(votes, CONTROLLED, strength * style_of(votes, CONTROLLED).sum(axis=1))
    expected = dict(zip(votes.contestants, 1000 + ELO * theta, strict=True))

    for standing in control_path(votes, CONTROLLED).at(strength).standings:
        assert standing.rating == pytest.approx(expected[standing.contestant], abs=1e-7)
        better = sum(rating > expected[standing.contestant] for rating in expected.values())
        assert standing.rank == 1 + better


def test_the_grid_says_what_single_strengths_say() -> None:
    path = control_path(simulated(3), CONTROLLED)
    grid = path.grid(5)

    assert [shown.strength for shown in grid] == [0.0, 0.25, 0.5, 0.75, 1.0]
    for shown in grid:
        assert_same_numbers(
            [(s.rating, s.rank) for s in shown.standings],
            [(s.rating, s.rank) for s in path.at(shown.strength).standings],
        )


def test_each_feature_s_term_is_the_integral_of_its_own_pull() -> None:
    """Pulls by finite differences of dense fits, their integral by Simpson's rule."""
    votes = simulated(4)
    parts, tiny, steps = style_of(votes, CONTROLLED), 1e-4, 8
    weights = np.array([1, 4, 2, 4, 2, 4, 2, 4, 1]) / (3 * steps)
    expected = np.zeros((2, len(votes.contestants)))
    for strength, weight in zip(np.linspace(0, 1, steps + 1), weights, strict=True):
        for f in (0, 1):
            up, down = (
                free_fit(
                    votes, CONTROLLED, strength * parts.sum(axis=1) + tiny * sign * parts[:, f]
                )
                for sign in (1, -1)
            )
            expected[f] += weight * ELO * (up - down) / (2 * tiny)

    for found in control_path(votes, CONTROLLED).attributions:
        i = votes.contestants.index(found.contestant)
        assert [term.control for term in found.terms] == ["length", "headers"]
        assert [term.rating for term in found.terms] == pytest.approx(expected[:, i], abs=1e-4)


@few
@given(seeds)
def test_terms_are_the_whole_movement_exactly(seed: int) -> None:
    votes = simulated(seed, votes=300)
    moved = {m.contestant: m for m in style_movement(votes, CONTROLLED).movements}
    for found in control_path(votes, CONTROLLED).attributions:
        assert sum(term.rating for term in found.terms) == found.rating
        assert found.raw + sum(term.rating for term in found.terms) == found.controlled
        assert found.rating == pytest.approx(moved[found.contestant].rating, abs=1e-8)
        assert found.ranks == moved[found.contestant].ranks


@few
@given(seeds, seeds)
def test_recording_votes_the_other_way_round_changes_no_term(seed: int, which: int) -> None:
    votes = simulated(seed)
    mask = np.random.default_rng(which).random(len(votes)) < 0.5

    assert_same_numbers(
        control_path(votes, CONTROLLED).to_dict(3),
        control_path(turned(votes, mask), CONTROLLED).to_dict(3),
    )


@pytest.mark.parametrize(
    "spec",
    [
        replace(CONTROLLED, likelihood="davidson"),
        replace(CONTROLLED, likelihood="rao_kupper"),
        replace(CONTROLLED, likelihood="four_outcome"),
        replace(CONTROLLED, prior_strengths=2.0, prior_coefficients=50.0),
        replace(CONTROLLED, weights="inverse_pair", pair_floor=1),
        replace(CONTROLLED, position=False),
    ],
    ids=lambda spec: f"{spec.likelihood} {spec.weights} {spec.prior_strengths} {spec.position}",
)
def test_every_model_has_a_path_that_closes(spec: RankingSpec) -> None:
    votes = simulated(13)
    path, moved = control_path(votes, spec), style_movement(votes, spec)

    for strength, board in ((0.0, moved.raw), (1.0, moved.controlled)):
        assert {s.contestant: s.rating for s in path.at(strength).standings} == pytest.approx(
            {s.contestant: s.rating for s in board.standings}, abs=1e-9
        )
    movements = {m.contestant: m.rating for m in moved.movements}
    for found in path.attributions:
        assert sum(term.rating for term in found.terms) == found.rating
        assert found.rating == pytest.approx(movements[found.contestant], abs=1e-8)


def test_one_feature_has_done_it_all() -> None:
    spec = RankingSpec(controls=("length",))
    for found in control_path(simulated(5), spec).attributions:
        assert [term.rating for term in found.terms] == [found.rating]
        assert found.main == found.terms[0]


def test_a_feature_that_never_differs_has_done_nothing() -> None:
    votes = simulated(6)
    alike = np.ones(len(votes))
    votes = replace(votes, features={**votes.features, "headers": (alike, alike)})
    path = control_path(votes, CONTROLLED)

    assert path.features == ("length",)
    for found in path.attributions:
        assert found.terms[1].rating == found.terms[1].difference == 0.0


def test_a_term_says_how_the_contestant_s_answers_differ() -> None:
    votes = simulated(7)
    z, _ = rows_of(votes, CONTROLLED)
    m, path = len(votes.contestants), control_path(votes, CONTROLLED)
    for found in path.attributions:
        side = z[:, votes.contestants.index(found.contestant)]
        own = (side[:, None] * z[:, m : m + 2])[side != 0].mean(axis=0)
        assert [term.difference for term in found.terms] == pytest.approx(list(own))


def test_an_anchor_holds_the_path_and_leaves_the_account() -> None:
    votes = simulated(8)
    anchored = control_path(votes, replace(CONTROLLED, anchor="model 0"))

    for shown in anchored.grid(4):
        assert {s.contestant: s.rating for s in shown.standings}["model 0"] == 1000.0
    assert anchored.attributions == control_path(votes, CONTROLLED).attributions


def test_why_one_contestant_moves() -> None:
    votes = simulated(9)
    why = attribute(votes, CONTROLLED, "model 3")

    assert isinstance(why, Attribution)
    assert why == control_path(votes, CONTROLLED).attribution("model 3")
    assert why.main == max(why.terms, key=lambda term: abs(term.rating))
    with pytest.raises(SpecError, match="'nobody' is not among"):
        attribute(votes, CONTROLLED, "nobody")


def test_the_path_is_json() -> None:
    data = control_path(simulated(10), CONTROLLED).to_dict(3)
    assert json.loads(json.dumps(data, allow_nan=False)) == json.loads(json.dumps(data))
    assert [len(shown["standings"]) for shown in data["path"]] == [6, 6, 6]
    assert len(data["attributions"]) == 6


def test_votes_that_lack_a_control_are_on_neither_end() -> None:
    votes = simulated(11)
    a, b = (np.array(column) for column in votes.features["headers"])
    a[:50] = np.nan
    votes = replace(votes, features={**votes.features, "headers": (a, b)})
    raw = fit(votes, raw_of(CONTROLLED))

    assert [s.rating for s in control_path(votes, CONTROLLED).at(0).standings] == [
        s.rating for s in raw.standings
    ]


def test_errors_say_what_to_do() -> None:
    votes = simulated(12)
    with pytest.raises(SpecError, match="at least one control"):
        control_path(votes, RankingSpec())
    with pytest.raises(SpecError, match="place nobody"):
        control_path(replace(simulated(6, votes=1), outcome=np.array([0])), CONTROLLED)
    path = control_path(votes, CONTROLLED)
    for strength in (-0.1, 1.1, float("nan")):
        with pytest.raises(SpecError, match="between 0 and 1"):
            path.at(strength)
    with pytest.raises(SpecError, match="at least 2"):
        path.grid(1)


def test_style_that_is_equal_everywhere_moves_nobody() -> None:
    votes = Votes.from_columns(
        ["x", "y", "x"],
        ["y", "x", "y"],
        ["model_a", "model_a", "model_b"],
        features={"tokens": ([5.0, 5.0, 5.0], [5.0, 5.0, 5.0])},
    )
    path = control_path(votes, RankingSpec(controls=("length",), position=False))

    assert [entry.rating for entry in path.attributions] == [0.0, 0.0]
