"""Shapley's split of a change among its causes, over the orders in which they could come.

A state is the set of causes that have come already. An order walks from no cause to all of them,
one at a time; a cause's share is the change at its own step, averaged over the orders (Shapley
1953; with orders that some causes forbid, Faigle & Kern 1992). Orders are counted per step instead
of listed: each step from a state has (ways to reach it) · (ways to go on from where it leads).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

State = frozenset[str]


@dataclass(frozen=True, slots=True)
class Step:
    """`cause` comes when those in `state` have come, in `orders` of all orders."""

    state: State
    cause: str
    orders: int


@dataclass(frozen=True, slots=True)
class Walks:
    """Every step that some order takes, and the number of orders; none when it is 0."""

    causes: tuple[str, ...]
    orders: int
    steps: tuple[Step, ...]

    def split(self, value: Callable[[State], Sequence[int]]) -> dict[str, list[int]]:
        """Each cause's share of the change of every entry of `value`, times `orders`.

        value: whole numbers of a state, one per entry, so that the shares of all causes sum to
        orders · (value of all causes − value of none) exactly.
        """
        entries = len(value(frozenset()))
        shares = {cause: [0] * entries for cause in self.causes}
        for step in self.steps:
            before, after = value(step.state), value(step.state | {step.cause})
            share = shares[step.cause]
            for k in range(entries):
                share[k] += step.orders * (after[k] - before[k])
        return shares


def walks(
    causes: Sequence[str],
    after: Mapping[str, str],
    possible: Callable[[State], bool] = lambda state: True,
) -> Walks:
    """The orders of `causes` in which each comes after `after[cause]`, if that is one of them.

    Orders that meet a state that is not `possible` are left out. Each state is asked about once,
    and only when an order gets there; none and all of the causes are not asked about.
    """
    causes, everything = tuple(causes), frozenset(causes)
    ask = cache(lambda state: state == everything or possible(state))
    reached: dict[State, int] = {frozenset(): 1}
    for size in range(len(causes)):
        for state in [state for state in reached if len(state) == size]:
            for there in _next(causes, after, state):
                if ask(there):
                    reached[there] = reached.get(there, 0) + reached[state]
    onward = {everything: 1}
    for state in reversed(reached):
        onward.setdefault(state, sum(onward.get(there, 0) for there in _next(causes, after, state)))
    steps = tuple(
        Step(state, cause, reached[state] * onward[there])
        for state in reached
        for there, cause in _next(causes, after, state).items()
        if onward.get(there)
    )
    return Walks(causes, reached.get(everything, 0), steps)


def _next(causes: Sequence[str], after: Mapping[str, str], state: State) -> dict[State, str]:
    """The states one cause further, and that cause."""
    return {
        state | {cause}: cause
        for cause in causes
        if cause not in state and (after.get(cause) not in causes or after[cause] in state)
    }
