"""What must not change any number: how votes were recorded, in which order, under which labels."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import StyleMovement, Votes, style_movement
from tests.ranking.making import (
    CONTROLLED,
    assert_same_numbers,
    repeated,
    simulated,
    turned,
)

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def by_name(moved: StyleMovement) -> dict[str, object]:
    """Everything about each contestant and each coefficient, whatever the order."""
    data = moved.to_dict()
    boards = {
        f"{which} {row['contestant']}": row
        for which in ("raw", "controlled")
        for row in data[which]["standings"]
    }
    moves = {f"move {row['contestant']}": row for row in data["movements"]}
    fitted = {c["name"]: c for c in data["controlled"]["coefficients"]}
    return {**boards, **moves, **fitted, "position": data["controlled"]["position"]}


@few
@given(seeds, seeds)
def test_recording_votes_the_other_way_round_changes_no_number(seed: int, which: int) -> None:
    votes = simulated(seed)
    mask = np.random.default_rng(which).random(len(votes)) < 0.5
    before = style_movement(votes, CONTROLLED).to_dict()
    after = style_movement(turned(votes, mask), CONTROLLED).to_dict()

    assert_same_numbers(before, after, tolerance=1e-9)


@few
@given(seeds, seeds)
def test_the_order_of_votes_changes_no_number(seed: int, shuffle: int) -> None:
    votes = simulated(seed)
    order = np.random.default_rng(shuffle).permutation(len(votes))
    assert votes.shown_first is not None
    assert votes.voter is not None
    shuffled = replace(
        votes,
        a=votes.a[order],
        b=votes.b[order],
        outcome=votes.outcome[order],
        shown_first=votes.shown_first[order],
        voter=votes.voter[order],
        features={name: (a[order], b[order]) for name, (a, b) in votes.features.items()},
    )

    assert_same_numbers(
        by_name(style_movement(votes, CONTROLLED)), by_name(style_movement(shuffled, CONTROLLED))
    )


@few
@given(seeds, seeds)
def test_other_labels_change_no_number(seed: int, shuffle: int) -> None:
    votes = simulated(seed)
    order = np.random.default_rng(shuffle).permutation(len(votes.contestants))
    position = np.argsort(order)
    relabelled = replace(
        votes,
        contestants=tuple(votes.contestants[i] for i in order),
        a=position[votes.a],
        b=position[votes.b],
    )

    assert_same_numbers(
        by_name(style_movement(votes, CONTROLLED)),
        by_name(style_movement(relabelled, CONTROLLED)),
    )


@few
@given(seeds, st.integers(2, 4))
def test_every_vote_several_times_leaves_the_estimates(seed: int, times: int) -> None:
    votes = simulated(seed)
    one = style_movement(votes, CONTROLLED)
    many = style_movement(repeated(votes, times), CONTROLLED)

    assert_same_numbers(
        [(s.contestant, s.theta) for s in one.controlled.standings],
        [(s.contestant, s.theta) for s in many.controlled.standings],
    )


@few
@given(seeds)
def test_the_same_votes_give_the_same_bytes(seed: int) -> None:
    votes: Votes = simulated(seed)

    assert style_movement(votes, CONTROLLED) == style_movement(votes, CONTROLLED)
