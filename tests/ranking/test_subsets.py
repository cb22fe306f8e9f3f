"""The boards under every subset of controls, each against the fit of its own spec."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from ranking import (
    FitError,
    IdentificationError,
    Leaderboard,
    RankingSpec,
    SeparationError,
    SpecError,
    Votes,
    control_subsets,
    fit,
)
from tests.ranking.making import Array, numbers, simulated

SPEC = RankingSpec(draws=100)
TOGGLES = ("length", "markdown", "emoji")
SEARCH = ("iterations", "gradient_norm", "step", "certificate")


def styled(seed: int, **sizes: Any) -> Votes:
    """Simulated votes whose answers have lists, bold, emoji, code and a duration as well."""
    votes = simulated(seed, **sizes)
    rng = np.random.default_rng(seed)
    more = {
        name: tuple(rng.poisson(2.0 + column / 20.0) for column in votes.features["tokens"])
        for name in ("lists", "bold", "emoji", "code", "duration")
    }
    return replace(votes, features={**votes.features, **more})


def with_feature(votes: Votes, name: str, a: Array, b: Array) -> Votes:
    return replace(votes, features={**votes.features, name: (a, b)})


def with_split(votes: Votes) -> Votes:
    """The same votes, in which whoever showed more emoji has won."""
    wins = [(votes.outcome == side).astype(float) for side in (0, 1)]
    return with_feature(votes, "emoji", *wins)


def with_undefeated(votes: Votes) -> Votes:
    """The same votes, in which model 0 never loses or ties."""
    a, b = votes.a == 0, votes.b == 0
    return replace(votes, outcome=np.where(a, 0, np.where(b, 1, votes.outcome)).astype(np.int8))


def spec_of(spec: RankingSpec, on: Sequence[str], toggles: Sequence[str]) -> RankingSpec:
    every = RankingSpec(controls=(*spec.controls, *toggles)).controls
    always = tuple(name for name in spec.controls if name not in RankingSpec(controls=on).controls)
    return replace(spec, controls=(*always, *on), complete_for=every)


def assert_same_board(board: Leaderboard, expected: Leaderboard) -> None:
    """Equal but for where the search started, intervals to 1e-9 of themselves.

    Intervals rest on the Hessian before the last step, which may have moved log-odds by 1e-9.
    """
    assert board.spec == expected.spec
    assert board.warnings == expected.warnings
    assert [s.contestant for s in board.standings] == [s.contestant for s in expected.standings]
    assert [s.rating for s in board.standings] == pytest.approx(
        [s.rating for s in expected.standings], rel=0, abs=1e-9
    )
    found, wanted = (
        dict(numbers({k: v for k, v in b.to_dict().items() if k not in SEARCH}))
        for b in (board, expected)
    )
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert board.step < 1e-9
    assert board.certificate <= 0.5


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        replace(SPEC, cluster=False, floor=False),
        replace(SPEC, likelihood="davidson", anchor="model 2"),
        replace(SPEC, likelihood="rao_kupper", both_bad="drop", position=False),
        replace(SPEC, likelihood="four_outcome"),
        replace(SPEC, weights="inverse_pair", pair_floor=1),
        replace(SPEC, prior_strengths=2.0, prior_coefficients=50.0),
    ],
    ids=lambda spec: f"{spec.likelihood} {spec.weights} {spec.cluster} {spec.prior_strengths}",
)
def test_every_board_is_the_fit_of_its_spec(spec: RankingSpec) -> None:
    votes = styled(1)
    for subset in control_subsets(votes, spec, TOGGLES):
        assert subset.board is not None
        assert_same_board(subset.board, fit(votes, spec_of(spec, subset.on, TOGGLES)))


def test_a_board_s_own_spec_gives_it_again() -> None:
    votes = styled(16)
    for subset in control_subsets(votes, SPEC, ("length", "emoji")):
        assert subset.board is not None
        assert_same_board(subset.board, fit(votes, subset.board.spec))


def test_five_toggles_are_thirty_two_boards() -> None:
    votes, toggles = styled(2), ("duration", "code", *TOGGLES)
    boards = control_subsets(votes, SPEC, toggles)

    assert len(boards) == 32
    for subset in boards:
        assert_same_board(boards.board(subset.on), fit(votes, spec_of(SPEC, subset.on, toggles)))


def test_they_come_from_all_off_to_all_on_and_are_asked_by_name() -> None:
    boards = control_subsets(styled(3), SPEC, ["markdown", "length"])

    assert boards.toggles == ("markdown", "length")
    assert [subset.on for subset in boards] == [
        (),
        ("markdown",),
        ("length",),
        ("markdown", "length"),
    ]
    assert [subset.board.spec.controls for subset in boards if subset.board] == [
        (),
        ("headers", "lists", "bold"),
        ("length",),
        ("length", "headers", "lists", "bold"),
    ]
    last = boards.subsets[-1].board
    assert boards.board(frozenset({"length", "markdown"})) is last
    assert boards.board(("length", "markdown")) is last
    assert boards.board("length") is boards.subsets[2].board
    with pytest.raises(SpecError, match=r"'emoji' is no toggle. Toggles are markdown, length\."):
        boards.board({"emoji"})


def test_all_boards_count_the_same_votes() -> None:
    votes = styled(4)
    headers, emoji = (
        tuple(np.array(x, float) for x in votes.features[n]) for n in ("headers", "emoji")
    )
    headers[0][:30] = np.nan
    emoji[1][20:50] = np.nan
    votes = with_feature(with_feature(votes, "headers", *headers), "emoji", *emoji)

    for subset in control_subsets(votes, SPEC, TOGGLES):
        assert subset.board is not None
        assert subset.board.counts.missing == 50
        assert_same_board(subset.board, fit(votes, spec_of(SPEC, subset.on, TOGGLES)))


def test_who_is_not_placed_has_a_bound_on_every_board() -> None:
    votes = with_undefeated(styled(5))
    for subset in control_subsets(votes, SPEC, ("length", "emoji")):
        assert subset.board is not None
        assert [entry.contestant for entry in subset.board.unplaced] == ["model 0"]
        assert_same_board(subset.board, fit(votes, spec_of(SPEC, subset.on, ("length", "emoji"))))


def test_controls_outside_the_toggles_are_on_every_board() -> None:
    votes, spec = styled(6), replace(SPEC, controls=("headers", "length"))
    boards = control_subsets(votes, spec, ["emoji"])

    assert [subset.board.spec.controls for subset in boards if subset.board] == [
        ("length", "headers"),
        ("length", "headers", "emoji"),
    ]
    assert_same_board(boards.board(()), fit(votes, spec_of(spec, (), ["emoji"])))


def test_frozen_scales_hold_on_every_board() -> None:
    votes = styled(7)
    scales = {"length": 0.5, "emoji": 0.25}
    spec = replace(SPEC, controls=("length", "emoji"), scales=scales)
    boards = control_subsets(votes, spec, ["length", "emoji"])

    assert [subset.board.spec.scales for subset in boards if subset.board] == [
        (),
        (("length", 0.5),),
        (("emoji", 0.25),),
        (("length", 0.5), ("emoji", 0.25)),
    ]
    with pytest.raises(SpecError, match="scales must name exactly the controls"):
        control_subsets(votes, spec, ["headers"])


def test_a_control_that_never_differs_is_told_where_it_is_on() -> None:
    alike = np.ones(400)
    votes = with_feature(styled(8), "emoji", alike, alike)
    for subset in control_subsets(votes, SPEC, ("length", "emoji")):
        assert subset.board is not None
        told = any("emoji is equal on both sides" in warning for warning in subset.board.warnings)
        assert told == ("emoji" in subset.on)
        assert_same_board(subset.board, fit(votes, spec_of(SPEC, subset.on, ("length", "emoji"))))


def test_separation_on_some_boards_leaves_the_others() -> None:
    votes = with_split(styled(9))
    boards = control_subsets(votes, SPEC, TOGGLES)

    for subset in boards:
        spec = spec_of(SPEC, subset.on, TOGGLES)
        if "emoji" not in subset.on:
            assert_same_board(boards.board(subset.on), fit(votes, spec))
            continue
        with pytest.raises(SeparationError) as alone:
            fit(votes, spec)
        with pytest.raises(SeparationError, match=r"emoji on: .* separates wins") as raised:
            boards.board(subset.on)
        assert str(raised.value).endswith(str(alone.value))
        assert str(raised.value).startswith(f"The board with {', '.join(subset.on)} on: ")
        assert raised.value.covariates == alone.value.covariates
        assert raised.value.contestants == alone.value.contestants


def test_collinear_controls_spoil_only_the_boards_that_have_both() -> None:
    votes = styled(10)
    votes = with_feature(votes, "emoji", *votes.features["tokens"])
    toggles = ("length", "emoji", "markdown")
    for subset in control_subsets(votes, SPEC, toggles):
        if {"length", "emoji"} <= set(subset.on):
            assert isinstance(subset.error, IdentificationError)
            assert subset.error.covariates == ("length", "emoji")
        else:
            assert subset.board is not None
            assert_same_board(subset.board, fit(votes, spec_of(SPEC, subset.on, toggles)))


def test_an_error_may_be_raised_again_and_holds_no_votes() -> None:
    boards = control_subsets(with_split(styled(11)), SPEC, ["emoji"])
    told = set()
    for _ in range(2):
        with pytest.raises(FitError) as raised:
            boards.board(["emoji"])
        told.add(str(raised.value))
        assert raised.value.__context__ is None
    assert len(told) == 1


def test_where_nobody_is_placed_every_board_says_so() -> None:
    votes = replace(simulated(6, votes=1), outcome=np.array([0]))
    for subset in control_subsets(votes, SPEC, ["length", "headers"]):
        assert subset.board is not None
        assert_same_board(subset.board, fit(votes, spec_of(SPEC, subset.on, ["length", "headers"])))
        assert subset.board.standings == ()


def test_progress_counts_the_boards() -> None:
    done: list[int] = []
    control_subsets(styled(12), SPEC, TOGGLES, progress=done.append)
    assert done == list(range(1, 9))


@pytest.mark.parametrize(
    ("toggles", "says"),
    [
        ((), "at least one toggle"),
        (("wit",), "unknown control 'wit'"),
        (("style", "bold"), "'style' and 'bold' both switch 'bold'"),
        (("length", "length"), "both switch 'length'"),
        (("length", "latency"), "'first_token' cannot be controlled for"),
    ],
)
def test_toggles_that_cannot_be_are_named(toggles: tuple[str, ...], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        control_subsets(styled(13), SPEC, toggles)


def test_what_spoils_every_board_is_raised_at_once() -> None:
    with pytest.raises(SpecError, match="'nobody' is not among"):
        control_subsets(styled(14), replace(SPEC, anchor="nobody"), TOGGLES)


def test_the_order_of_the_toggles_changes_no_board() -> None:
    votes = styled(15)
    one = control_subsets(votes, SPEC, TOGGLES)
    other = control_subsets(votes, SPEC, TOGGLES[::-1])
    for size in range(4):
        for on in combinations(TOGGLES, size):
            assert_same_board(one.board(on), other.board(on))
