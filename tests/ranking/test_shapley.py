"""Shares of causes, against the average over listed orders."""

from fractions import Fraction
from itertools import permutations
from math import factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.exact import closed, points, units
from ranking.shapley import State, walks
from ranking.states import AFTER, CAUSES

tables = st.dictionaries(st.frozensets(st.sampled_from(CAUSES)), st.integers(-50, 50), max_size=128)


def test_votes_come_before_revision_and_roster_in_a_third_of_the_orders() -> None:
    walked = walks(CAUSES, AFTER)

    assert walked.orders == 1680 == factorial(7) // 3
    assert all("V" in step.state for step in walked.steps if step.cause in "SR")
    assert walks("XWCM", AFTER).orders == 24
    assert walks("SX", AFTER).orders == 2


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(CAUSES), max_size=5), tables, st.sets(st.integers(1, 30)))
def test_shares_are_averages_over_all_allowed_orders(
    playing: set[str], table: dict[State, int], closed_states: set[int]
) -> None:
    causes = sorted(playing)

    def value(state: State) -> list[int]:
        return [table.get(state, len(state)), len(state) ** 2]

    def possible(state: State) -> bool:
        number = sum(1 << causes.index(cause) for cause in state)
        return number not in closed_states or state == frozenset(causes)

    walked = walks(causes, AFTER, possible)
    listed = [order for order in permutations(causes) if _allowed(order, possible)]
    assert walked.orders == len(listed)
    shares = walked.split(value)
    for cause in causes:
        for k in range(2):
            total = 0
            for order in listed:
                before = frozenset(order[: order.index(cause)])
                total += value(before | {cause})[k] - value(before)[k]
            assert shares[cause][k] == total


def _allowed(order: tuple[str, ...], possible) -> bool:
    for cause, first in AFTER.items():
        if cause in order and first in order and order.index(cause) < order.index(first):
            return False
    return all(possible(frozenset(order[:k])) for k in range(1, len(order) + 1))


@settings(max_examples=60, deadline=None)
@given(tables)
def test_shares_add_up_and_causes_that_do_the_same_share_alike(table: dict[State, int]) -> None:
    causes = ("X", "W", "C", "M")

    def value(state: State) -> list[int]:
        alike = "XW" if {"X", "W"} <= state else ("X" if {"X", "W"} & state else "")
        told = frozenset(alike) | (state & {"C"})
        return [table.get(told, 0)]

    walked = walks(causes, AFTER)
    shares = walked.split(value)

    assert sum(share[0] for share in shares.values()) == walked.orders * (
        value(frozenset(causes))[0] - value(frozenset())[0]
    )
    assert shares["X"] == shares["W"]
    assert shares["M"] == [0]


def test_no_order_is_left_when_every_way_is_shut() -> None:
    walked = walks(("V", "X"), AFTER, lambda state: False)
    assert walked.orders == 0
    assert walked.steps == ()


def test_a_state_is_asked_about_once_and_only_when_it_is_reached() -> None:
    asked: list[State] = []

    def possible(state: State) -> bool:
        asked.append(state)
        return "X" not in state

    walks(("X", "W", "C"), AFTER, possible)
    assert len(asked) == len(set(asked)) == 6
    assert all(len(state) < 3 for state in asked)


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=8), st.floats(-1e-6, 1e-6), st.randoms())
def test_points_add_up_in_any_order(terms: list[float], miss: float, order) -> None:
    total = units(sum(terms) + miss)
    whole = closed([Fraction(term) * 2**32 for term in terms], total)
    shown = [points(one) for one in whole]
    order.shuffle(shown)

    assert sum(shown) == points(total)
    assert [points(one) for one in whole] == pytest.approx(terms, abs=2e-6)


def test_what_did_nothing_stays_at_zero() -> None:
    assert closed([0.0, 10.4, -3.3], 8) == [0, 11, -3]
    assert closed([], 0) == []
