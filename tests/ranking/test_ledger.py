"""What moved each contestant between two boards, against fits of every state in every order."""

import json
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import (
    BoardState,
    Ledger,
    RankingSpec,
    SeparationError,
    Votes,
    fit,
    movement_ledger,
)
from ranking.states import AFTER, CAUSES
from tests.ranking.making import plain, simulated, turned

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=12, deadline=None)

LENGTH = RankingSpec(controls=("length",))
NAMES = tuple(f"model {i}" for i in range(7))
FAMILY = {**{name: name for name in NAMES[:5]}, "family": "model 5"}
SWAPPED = {**{name: name for name in NAMES[:5]}, "family": "model 6"}
FEWER = tuple(name for name in FAMILY if name != "model 4")


def first(votes: Votes, rows: int) -> Votes:
    """The first rows of a table."""
    assert votes.shown_first is not None
    assert votes.voter is not None
    return replace(
        votes,
        a=votes.a[:rows],
        b=votes.b[:rows],
        outcome=votes.outcome[:rows],
        shown_first=votes.shown_first[:rows],
        voter=votes.voter[:rows],
        features={name: (a[:rows], b[:rows]) for name, (a, b) in votes.features.items()},
        weight=None if votes.weight is None else votes.weight[:rows],
        excluded=None if votes.excluded is None else votes.excluded[:rows],
    )


def without(votes: Votes, rows: Iterable[int], rule: str = "lockstep") -> Votes:
    """The same votes, some of them excluded."""
    excluded = np.full(len(votes), -1)
    excluded[list(rows)] = 0
    return replace(votes, excluded=excluded, rules=(rule,))


def weighed(votes: Votes, seed: int = 0) -> Votes:
    return replace(votes, weight=np.random.default_rng(seed).uniform(0.2, 3.0, len(votes)))


def changed(seed: int, causes: Iterable[str], votes: int = 500) -> tuple[BoardState, BoardState]:
    """Two boards that differ in the given causes."""
    table = simulated(seed, votes=votes, contestants=7)
    given = frozenset(causes)
    later = without(table, range(0, votes // 2, 7)) if "X" in given else table
    later = weighed(later, seed) if "W" in given else later
    earlier = first(table, votes // 2) if "V" in given else table
    before = BoardState(earlier, RankingSpec(), FAMILY)
    spec = LENGTH if "C" in given else RankingSpec()
    after = BoardState(
        later,
        replace(spec, both_bad="drop") if "M" in given else spec,
        SWAPPED if "S" in given else FAMILY,
        FEWER if "R" in given else None,
    )
    return before, after


def assert_adds_up(ledger: Ledger) -> None:
    for row in ledger.rows:
        if row.status != "stayed":
            assert row.terms == ()
            continue
        assert row.ranks is not None
        assert sum((term.ranks for term in row.terms), Fraction(0)) == row.ranks
        assert sum(term.rating for term in row.terms) == row.rating
        assert row.rating_before is not None
        assert row.rating_before + sum(term.rating for term in row.terms) == row.rating_after
        if not ledger.joint:
            assert tuple(term.cause for term in row.terms) == ledger.causes


def test_boards_that_are_alike_have_nothing_to_account_for() -> None:
    before, _ = changed(1, "")
    ledger = movement_ledger(before, before)

    assert ledger.causes == ()
    assert ledger.fits == 2
    assert [row.rank_after for row in ledger.rows] == [row.rank_before for row in ledger.rows]
    assert all(row.terms == () and row.rating == 0.0 for row in ledger.rows)


def test_ranks_and_ratings_are_those_of_the_boards() -> None:
    before, after = changed(2, "VXC")
    ledger = movement_ledger(before, after)

    for board, which in ((before, "before"), (after, "after")):
        standings = fit(board.votes, board.spec).standings
        rated = {s.contestant: s.rating for s in standings if s.contestant != "model 6"}
        mean = sum(rated.values()) / len(rated)
        for place, revision in FAMILY.items():
            row = ledger.row(place).to_dict()
            better = sum(rating > rated[revision] for rating in rated.values())
            assert row[f"rank_{which}"] == 1 + better
            assert row[f"rating_{which}"] == pytest.approx(rated[revision] - mean, abs=1e-6)


@pytest.mark.parametrize("cause", CAUSES)
def test_a_single_cause_has_done_it_all(cause: str) -> None:
    before, after = changed(3, cause)
    ledger = movement_ledger(before, after)

    assert ledger.causes == (cause,)
    assert ledger.orders == 1
    assert ledger.fits == 2
    assert_adds_up(ledger)
    stayed = [row for row in ledger.rows if row.status == "stayed"]
    assert any(row.terms[0].ranks or row.terms[0].rating for row in stayed)


@few
@given(seeds, st.sets(st.sampled_from(CAUSES), min_size=1, max_size=5))
def test_terms_add_up_exactly(seed: int, causes: set[str]) -> None:
    ledger = movement_ledger(*changed(seed, causes, votes=400))

    assert set(ledger.causes) == causes
    assert_adds_up(ledger)


def test_terms_are_averages_over_the_orders_each_state_fitted_afresh() -> None:
    before, after = changed(4, "VSXCR")
    ledger = movement_ledger(before, after)
    table = simulated(4, votes=500, contestants=7)

    @cache
    def ranks(state: frozenset[str]) -> dict[str, int]:
        votes = without(table, range(0, 250, 7)) if "X" in state else table
        board = fit(
            votes if "V" in state else first(votes, 250), LENGTH if "C" in state else RankingSpec()
        )
        theta = {s.contestant: s.theta for s in board.standings}
        places = SWAPPED if "S" in state else FAMILY
        counted = {place: theta[places[place]] for place in (FEWER if "R" in state else FAMILY)}
        return {p: 1 + sum(t > counted[p] for t in counted.values()) for p in counted}

    orders = [
        order
        for order in permutations("VSXCR")
        if all(order.index(late) > order.index(early) for late, early in AFTER.items())
    ]
    assert ledger.orders == len(orders) == 40
    for row in ledger.rows:
        if row.status != "stayed":
            continue
        for term in row.terms:
            total = 0
            for order in orders:
                so_far = frozenset(order[: order.index(term.cause)])
                place = row.contestant
                total += ranks(so_far)[place] - ranks(so_far | {term.cause})[place]
            assert term.ranks == Fraction(total, len(orders))


def test_every_distinct_fit_is_made_once() -> None:
    made: list[int] = []
    ledger = movement_ledger(*changed(5, CAUSES), progress=lambda fits, most: made.append(fits))

    assert ledger.orders == 1680
    assert ledger.fits == 32
    assert made == list(range(1, 33))
    assert_adds_up(ledger)


@few
@given(seeds)
def test_a_change_that_changes_nothing_has_no_terms(seed: int) -> None:
    """Excluding votes that the board drops anyway moves nobody, nor does another anchor."""
    table, spec = simulated(seed, votes=500, contestants=7), RankingSpec(both_bad="drop")
    later = without(table, np.flatnonzero(table.outcome == 3))
    before = BoardState(first(table, 300), spec)
    after = BoardState(later, replace(spec, anchor="model 2", center=0.0))
    ledger = movement_ledger(before, after)

    assert ledger.causes == ("V", "X", "M")
    for row in ledger.rows:
        assert [(t.ranks, t.rating) for t in row.terms if t.cause in "XM"] == [(0, 0.0)] * 2
    assert_adds_up(ledger)


def test_roster_and_rank_of_who_is_counted() -> None:
    before, after = changed(8, "R")
    ledger = movement_ledger(before, after)

    assert ledger.changes == {"R": {"entered": [], "left": ["model 4"]}}
    gone = ledger.row("model 4")
    assert (gone.status, gone.rank_after, gone.ranks, gone.terms) == ("left", None, None, ())
    assert ledger.rows[-1] == gone
    assert gone.rank_before is not None
    for row in ledger.rows[:-1]:
        assert row.rank_before is not None
        assert row.terms[0].ranks == (1 if row.rank_before > gone.rank_before else 0)
        assert row.terms[0].rating == 0.0


def test_a_newcomer_is_listed_and_pushes_the_others() -> None:
    votes = simulated(9, votes=600, contestants=7)
    new = (votes.a == 6) | (votes.b == 6)
    order = np.argsort(new, kind="stable")
    arranged = replace(votes, **taken(votes, order))
    old = first(arranged, int((~new).sum()))
    ledger = movement_ledger(BoardState(old), BoardState(arranged))

    assert ledger.causes == ("V", "R")
    assert ledger.changes["V"] == {"arrived": int(new.sum()), "left": 0}
    assert ledger.changes["R"] == {"entered": ["model 6"], "left": []}
    assert ledger.orders == 1
    entered = ledger.row("model 6")
    assert (entered.status, entered.revision_before, entered.terms) == ("entered", "model 6", ())
    assert entered.rank_after is not None
    for row in ledger.rows:
        if row.status == "stayed":
            assert row.rank_after is not None
            pushed = {term.cause: term.ranks for term in row.terms}["R"]
            assert pushed == (-1 if row.rank_after > entered.rank_after else 0)
    assert_adds_up(ledger)


def taken(votes: Votes, order: Any) -> dict[str, Any]:
    assert votes.shown_first is not None
    assert votes.voter is not None
    return {
        "a": votes.a[order],
        "b": votes.b[order],
        "outcome": votes.outcome[order],
        "shown_first": votes.shown_first[order],
        "voter": votes.voter[order],
        "features": {name: (a[order], b[order]) for name, (a, b) in votes.features.items()},
    }


def test_a_new_revision_fills_the_place_of_the_old_one() -> None:
    before, after = changed(10, "S")
    ledger = movement_ledger(before, after)
    rated = {s.contestant: s.rating for s in fit(before.votes).standings}
    row = ledger.row("family")

    assert ledger.changes == {"S": {"family": {"before": "model 5", "after": "model 6"}}}
    assert (row.revision_before, row.revision_after) == ("model 5", "model 6")
    others = [ledger.row(name).terms[0].rating for name in NAMES[:5]]
    assert row.terms[0].rating - others[0] == pytest.approx(
        rated["model 6"] - rated["model 5"], abs=1e-6
    )
    assert max(others) - min(others) < 1e-6


@few
@given(seeds, st.sets(st.sampled_from("XWCM"), min_size=1))
def test_the_way_back_has_the_same_terms_with_the_other_sign(seed: int, causes: set[str]) -> None:
    before, after = changed(seed, causes, votes=400)
    there, back = movement_ledger(before, after), movement_ledger(after, before)

    for row in there.rows:
        returned = back.row(row.contestant)
        assert [(t.cause, -t.ranks) for t in returned.terms] == [
            (t.cause, t.ranks) for t in row.terms
        ]
        assert [-t.rating for t in returned.terms] == pytest.approx(
            [t.rating for t in row.terms], abs=1e-6
        )


@few
@given(seeds, seeds)
def test_recording_votes_the_other_way_round_changes_no_term(seed: int, which: int) -> None:
    before, after = changed(seed, "VXC", votes=400)
    mask = np.random.default_rng(which).random(400) < 0.5
    swapped = movement_ledger(
        replace(before, votes=turned(before.votes, mask[:200])),
        replace(after, votes=turned(after.votes, mask)),
    )
    for row in movement_ledger(before, after).rows:
        other = swapped.row(row.contestant)
        assert [t.ranks for t in other.terms] == [t.ranks for t in row.terms]
        assert [t.rating for t in other.terms] == pytest.approx([t.rating for t in row.terms])


def test_the_same_boards_give_the_same_bytes() -> None:
    before, after = changed(11, "VSXCR")
    texts = [
        json.dumps(movement_ledger(before, after).to_dict(), allow_nan=False) for _ in range(2)
    ]
    data = json.loads(texts[0])

    assert texts[0] == texts[1]
    assert [cause["cause"] for cause in data["causes"]] == list("VSXCR")
    stayed = next(row for row in data["rows"] if row["status"] == "stayed")
    assert sum(Fraction(term["ranks"]) for term in stayed["terms"]) == stayed["ranks"]
    assert sum(Fraction(text) for text in data["totals"].values()) == sum(
        abs(Fraction(term["ranks"])) for row in data["rows"] for term in row["terms"]
    )


def test_an_order_through_a_board_that_cannot_be_is_left_out() -> None:
    """Without the old votes between A and B only the new ones place A: they have to come first."""
    old = plain("A>B", "B>A", "B>C", "C>B", "C>D", "D>C", "C>D")
    new = plain("A>B", "B>A", "B>C", "C>B", "C>D", "D>C", "C>D", "A>C", "C>A", "A>D", "D>A", "A>C")
    spec = RankingSpec(position=False)
    ledger = movement_ledger(BoardState(old, spec), BoardState(without(new, (0, 1)), spec))

    assert ledger.causes == ("V", "X")
    assert (ledger.orders, ledger.orders_left_out) == (1, 1)
    assert_adds_up(ledger)


def test_with_no_order_left_there_is_one_joint_term() -> None:
    """A's votes leave, and are lifted; B's are excluded, and arrive: neither can come first."""
    spec = RankingSpec(position=False)
    core, a, b = ("C>D", "D>C", "D>C"), ("A>C", "C>A", "A>D"), ("B>C", "C>B", "D>B")
    before = BoardState(without(plain(*core, *a, *a, *b), (6, 7, 8)), spec, ids=np.arange(12))
    after = BoardState(
        without(plain(*core, *a, *b, *b), (6, 7, 8)), spec, ids=np.array([0, 1, 2, *range(6, 15)])
    )
    ledger = movement_ledger(before, after)

    assert ledger.causes == ("V", "X")
    assert ledger.joint
    assert (ledger.orders, ledger.orders_left_out) == (0, 2)
    assert {term.cause for row in ledger.rows for term in row.terms} == {"VX"}
    assert_adds_up(ledger)


def test_a_board_that_cannot_be_fitted_is_refused() -> None:
    votes = replace(
        simulated(18, votes=200),
        outcome=np.where(simulated(18, votes=200).shown_first == 1, 0, 1),
    )
    with pytest.raises(SeparationError):
        movement_ledger(BoardState(votes), BoardState(votes))
