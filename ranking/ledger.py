"""The movement ledger: what moved each contestant between two boards, cause by cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from ranking.exact import closed, points, units
from ranking.ranks import SAME
from ranking.shapley import State, Walks, walks
from ranking.states import AFTER, BoardState, Comparison, Fits

CAUSE_NAMES = {
    "V": "new votes",
    "S": "revision",
    "X": "exclusions",
    "W": "weights",
    "C": "control set",
    "R": "roster",
    "M": "method",
}

# Causes that change an estimate; the others only say who is shown.
_FITTED = frozenset("VXWCM")


@dataclass(frozen=True, slots=True)
class Term:
    """What one cause did to one contestant.

    cause: its letter; where no order of the causes could be followed, the letters of all of them
        in one joint term. ranks: places, + is up; an exact fraction. rating: points.
    """

    cause: str
    ranks: Fraction
    rating: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form; the fraction as text and as a number."""
        return {
            "cause": self.cause,
            "ranks": str(self.ranks),
            "ranks_decimal": float(self.ranks),
            "rating": self.rating,
        }


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One place of either board.

    contestant: the place's name. revision_before, revision_after: who fills it; None where the
        board has no such place. rank_before, rank_after: among the counted; None where it is not
        on that board.
    rating_before, rating_after: points above the mean of the contestants on both boards, whole
        multiples of 2⁻³² (see ranking.exact).
    terms: one per cause in the ledger's order, empty for a contestant that entered or left. Their
        ranks sum to rank_before − rank_after, their ratings to rating_after − rating_before, both
        exactly.
    """

    contestant: str
    revision_before: str | None
    revision_after: str | None
    rank_before: int | None
    rank_after: int | None
    rating_before: float | None
    rating_after: float | None
    terms: tuple[Term, ...]

    @property
    def status(self) -> str:
        """ "stayed", "entered" or "left"."""
        if self.rank_before is None:
            return "entered"
        return "left" if self.rank_after is None else "stayed"

    @property
    def ranks(self) -> int | None:
        """Change of rank, + is up; None for who entered or left."""
        if self.rank_before is None or self.rank_after is None:
            return None
        return self.rank_before - self.rank_after

    @property
    def rating(self) -> float | None:
        """Change of rating in points; None for who entered or left."""
        if self.rating_before is None or self.rating_after is None:
            return None
        return self.rating_after - self.rating_before

    @property
    def main(self) -> Term | None:
        """The term of most ranks, then of most rating points; None where nothing moved it."""
        moved = [term for term in self.terms if term.ranks or term.rating]
        return max(moved, key=lambda term: (abs(term.ranks), abs(term.rating)), default=None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "contestant": self.contestant,
            "status": self.status,
            "revision_before": self.revision_before,
            "revision_after": self.revision_after,
            "rank_before": self.rank_before,
            "rank_after": self.rank_after,
            "ranks": self.ranks,
            "rating_before": self.rating_before,
            "rating_after": self.rating_after,
            "rating": self.rating,
            "terms": [term.to_dict() for term in self.terms],
        }


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of everything between two boards.

    causes: the letters that differ. changes: by letter, in JSON-able numbers what differs.
    rows: by rank on the later board, then those who left by their last rank.
    orders: orders of the causes that were averaged over; orders_left_out: those that met a board
        on which somebody counted has no rating. With no order left every row has one joint term.
    fits: how many boards were fitted.
    """

    causes: tuple[str, ...]
    changes: Mapping[str, Mapping[str, Any]]
    rows: tuple[LedgerRow, ...]
    orders: int
    orders_left_out: int
    fits: int

    @property
    def joint(self) -> bool:
        """Whether no order could be followed, so that the causes are told as one."""
        return self.orders == 0

    def row(self, contestant: str) -> LedgerRow:
        """The row of a place. Raises KeyError when it is on neither board."""
        for row in self.rows:
            if row.contestant == contestant:
                return row
        raise KeyError(contestant)

    @property
    def totals(self) -> dict[str, Fraction]:
        """Ranks that each cause moved contestants by, up or down, in all rows."""
        total: dict[str, Fraction] = {}
        for row in self.rows:
            for term in row.terms:
                total[term.cause] = total.get(term.cause, Fraction(0)) + abs(term.ranks)
        return total

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with a fixed order of keys."""
        return {
            "causes": [{"cause": cause, "name": CAUSE_NAMES[cause]} for cause in self.causes],
            "changes": {cause: dict(detail) for cause, detail in self.changes.items()},
            "orders": self.orders,
            "orders_left_out": self.orders_left_out,
            "joint": self.joint,
            "fits": self.fits,
            "totals": {cause: str(ranks) for cause, ranks in self.totals.items()},
            "rows": [row.to_dict() for row in self.rows],
        }


def movement_ledger(
    before: BoardState,
    after: BoardState,
    *,
    progress: Callable[[int, int], None] | None = None,
    fits: Fits | None = None,
) -> Ledger:
    """Split what moved each contestant between two boards among the causes that differ.

    Shapley's split over the orders of the causes in which votes come before a revision and before
    the roster; of seven causes 1,680 of 5,040 orders. An order that meets a state in which a
    counted contestant cannot be placed is left out. Everybody with counted votes is always
    fitted; the roster only says who is counted. Boards that only differ in revision or roster
    share a fit, so there are at most 32. progress: called after each with the number of fits so far
    and how many there can be. fits: what is known of these votes and specs, with other places,
    and where what is found goes.

    Raises what `fit` raises when one of the two boards cannot be fitted.
    """
    most = 2 ** len(_FITTED)

    def report(fits: int) -> None:
        if progress is not None:
            progress(fits, most)

    compared = Comparison.of(before, after, report, fits)
    most = 2 ** len(_FITTED.intersection(compared.causes))
    walked = walks(compared.causes, AFTER, compared.is_placeable)
    return Ledger(
        causes=compared.causes,
        changes={cause: compared.changes(cause) for cause in compared.causes},
        rows=_rows(compared, walked),
        orders=walked.orders,
        orders_left_out=walks(compared.causes, AFTER).orders - walked.orders,
        fits=compared.fits,
    )


def _rows(compared: Comparison, walked: Walks) -> tuple[LedgerRow, ...]:
    none, everything = frozenset[str](), frozenset(compared.causes)
    was, now = _Shown.of(compared, none), _Shown.of(compared, everything)
    terms = _terms(compared, walked)
    before, after = compared.places
    rows = [
        LedgerRow(
            contestant=place,
            revision_before=before.get(place),
            revision_after=after.get(place),
            rank_before=was.rank.get(place),
            rank_after=now.rank.get(place),
            rating_before=was.points(place),
            rating_after=now.points(place),
            terms=terms.get(place, ()),
        )
        for place in was.rank.keys() | now.rank.keys()
    ]
    last = len(rows) + 1
    return tuple(
        sorted(rows, key=lambda r: (r.rank_after or last, r.rank_before or 0, r.contestant))
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """A state as it would be displayed: rank and rating, in units, of everybody counted."""

    rank: dict[str, int]
    rating: dict[str, int]

    @classmethod
    def of(cls, compared: Comparison, state: State) -> _Shown:
        places = sorted(compared.roster(state))
        strengths, elo = compared.strengths(state), compared.spec(state).elo
        theta = np.array([strengths[compared.revision(place, state)] for place in places])
        common = np.array([place in compared.common for place in places], dtype=bool)
        mean = float(theta[common].mean()) if common.any() else 0.0
        ascending = np.sort(theta)
        above = theta.size - np.searchsorted(ascending, theta + SAME, side="right")
        return cls(
            rank={place: 1 + int(n) for place, n in zip(places, above, strict=True)},
            rating={
                place: units(elo * (float(t) - mean))
                for place, t in zip(places, theta, strict=True)
            },
        )

    def points(self, place: str) -> float | None:
        return points(self.rating[place]) if place in self.rating else None


def _terms(compared: Comparison, walked: Walks) -> dict[str, tuple[Term, ...]]:
    """Terms of everybody on both boards."""
    common = sorted(compared.common)
    shown = cache(lambda state: _Shown.of(compared, state))

    def higher(state: State) -> list[int]:
        return [-shown(state).rank[place] for place in common]

    def rating(state: State) -> list[int]:
        return [shown(state).rating[place] for place in common]

    was, now = shown(frozenset()), shown(frozenset(compared.causes))
    totals = [now.rating[place] - was.rating[place] for place in common]
    if not walked.orders:
        joint = "".join(compared.causes)
        return {
            place: (Term(joint, Fraction(was.rank[place] - now.rank[place]), points(total)),)
            for place, total in zip(common, totals, strict=True)
        }
    ranks, ratings = walked.split(higher), walked.split(rating)
    return {
        place: tuple(
            Term(cause, Fraction(ranks[cause][k], walked.orders), points(whole))
            for cause, whole in zip(
                walked.causes,
                closed([Fraction(ratings[c][k], walked.orders) for c in walked.causes], total),
                strict=True,
            )
        )
        for k, (place, total) in enumerate(zip(common, totals, strict=True))
    }
