"""Boards between two boards: what differs, and what a board would be with only some of it changed.

Seven causes can differ, each with its letter: new votes (V), the revision that fills a place (S),
exclusions (X), weights (W), the control set (C), the roster (R) and the method (M). A state is
the set of causes that have their later value; the others have their earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from ranking.arrays import AnyArray, BoolArray, FloatArray, IndexArray
from ranking.covariates import CONTROLS
from ranking.errors import FitError, SpecError, VotesError
from ranking.fitting import solved
from ranking.selection import prepare
from ranking.shapley import State
from ranking.spec import RankingSpec
from ranking.votes import Votes

CAUSES = ("V", "S", "X", "W", "C", "R", "M")
# A revision or a newcomer is known by votes: without them there is nothing to exchange or to add.
AFTER = {"S": "V", "R": "V"}

_WEIGHTS = ("weights", "pair_floor", "half_life_days")
_CONTROLS = ("controls", "complete_for", "scales")
# What an interval is and how strengths are shown moves nobody.
_INTERVALS = ("cluster", "floor", "confidence", "seed", "draws")
_USUAL = {
    name: RankingSpec().to_dict()[name] for name in (*_INTERVALS, "anchor", "center", "scale")
}


@dataclass(frozen=True, eq=False)
class BoardState:
    """A board as it was displayed: a fit, and which rows of it are shown under which name.

    revisions: place (what a row is called, such as a family) -> the contestant that fills it.
        None: every contestant is a place of its own.
    roster: places that are shown and counted. None: all of them.
    ids: (n,) identity of each vote, unique. None: the later table continues the earlier one, and
        the rows in which they begin alike are the same votes.

    Places that the votes cannot place are not on the board. Raises SpecError when two places name
    one contestant or the roster names no place, VotesError when `ids` do not fit the votes.
    """

    votes: Votes
    spec: RankingSpec = field(default_factory=RankingSpec)
    revisions: Mapping[str, str] | None = None
    roster: Collection[str] | None = None
    ids: AnyArray | None = None

    def __post_init__(self) -> None:
        filled = list(self.places.values())
        twice = sorted({revision for revision in filled if filled.count(revision) > 1})
        if twice:
            raise SpecError(f"{twice[0]!r} fills more than one place; give it one.")
        unknown = sorted(set(self.roster or ()) - set(self.places))
        if unknown:
            raise SpecError(f"the roster names {unknown[0]!r}, which is no place of this board.")
        if self.ids is not None:
            _check_ids(np.asarray(self.ids), len(self.votes))

    @cached_property
    def places(self) -> dict[str, str]:
        """Place -> the contestant that fills it."""
        if self.revisions is None:
            return {name: name for name in self.votes.contestants}
        return dict(self.revisions)


def _check_ids(ids: AnyArray, n: int) -> None:
    remedy = "Give every vote an id of its own."
    if ids.shape != (n,):
        raise VotesError(f"has {ids.size} values for {n} votes", column="id", remedy=remedy)
    order = np.argsort(ids, kind="stable")
    again = np.flatnonzero(ids[order][1:] == ids[order][:-1])
    if again.size:
        row = int(order[again + 1].min())
        raise VotesError(f"{ids[row]!r} occurs twice", column="id", row=row, remedy=remedy)


Fits = dict[Any, Mapping[str, float]]
"""Strengths by what was fitted."""


@dataclass(frozen=True)
class Comparison:
    """Two boards, the votes they share, and every state between them, each fitted once.

    rows: for either board the rows of the votes that both have, in the same order. progress:
    called with the number of fits after each.
    """

    before: BoardState
    after: BoardState
    rows: tuple[IndexArray, IndexArray]
    progress: Callable[[int], None] | None = None
    _fitted: Fits = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        before: BoardState,
        after: BoardState,
        progress: Callable[[int], None] | None = None,
        fits: Fits | None = None,
    ) -> Comparison:
        """Compare two boards. fits: of the same votes and specs, None: none is known."""
        known = {} if fits is None else fits
        return cls(before, after, _shared(before, after), progress, known)

    @property
    def fits(self) -> int:
        """Boards fitted so far."""
        return len(self._fitted)

    @cached_property
    def causes(self) -> tuple[str, ...]:
        """Letters of the causes that differ, in the order of CAUSES."""
        before, after = self.places
        differs = {
            "V": any(self.unshared(side).any() for side in (0, 1)),
            "S": any(before[place] != after[place] for place in before.keys() & after.keys()),
            "X": bool((self.left_out(0) != self.left_out(1)).any()),
            "W": bool(self.settings("W")) or self.reweighted.any(),
            "C": self._controls(0) != self._controls(1),
            "R": self.shown[0] != self.shown[1],
            "M": bool(self.settings("M")),
        }
        return tuple(cause for cause in CAUSES if differs[cause])

    @cached_property
    def boards(self) -> tuple[BoardState, BoardState]:
        return self.before, self.after

    @cached_property
    def places(self) -> tuple[dict[str, str], dict[str, str]]:
        """Place -> contestant of either board."""
        return self.before.places, self.after.places

    @cached_property
    def ends(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """θ of everybody whom either board's own fit places."""
        before, after = (
            self._once((side,), board.votes, board.spec) for side, board in enumerate(self.boards)
        )
        return before, after

    @cached_property
    def common(self) -> frozenset[str]:
        """Places on both boards."""
        return self.shown[0] & self.shown[1]

    @cached_property
    def shown(self) -> tuple[frozenset[str], frozenset[str]]:
        """Places on either board: those of its roster that its votes place."""
        before, after = (
            frozenset(
                place
                for place in (board.places if board.roster is None else board.roster)
                if board.places[place] in theta
            )
            for board, theta in zip(self.boards, self.ends, strict=True)
        )
        return before, after

    def unshared(self, side: int) -> BoolArray:
        """(n,) counted votes of one board that the other does not have."""
        votes = self.boards[side].votes
        alone = np.ones(len(votes), dtype=bool)
        alone[self.rows[side]] = False
        return alone & ~_left_out(votes)

    def left_out(self, side: int) -> BoolArray:
        """Which of the shared votes one board leaves out."""
        return np.asarray(_left_out(self.boards[side].votes)[self.rows[side]])

    @cached_property
    def reweighted(self) -> BoolArray:
        """Which of the shared votes have another weight of their own."""
        given = (board.votes.weight for board in self.boards)
        one, other = (
            np.ones(rows.size) if weight is None else weight[rows]
            for weight, rows in zip(given, self.rows, strict=True)
        )
        return np.asarray(one != other)

    def _controls(self, side: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        spec = self.boards[side].spec
        return spec.controls, spec.required

    def settings(self, cause: str) -> dict[str, tuple[Any, Any]]:
        """Settings of weights (W) or method (M) that differ, with their values on either board."""
        before, after = (board.spec.to_dict() for board in self.boards)
        return {
            name: (before[name], after[name])
            for name in before
            if self._cause_of(name) == cause and before[name] != after[name]
        }

    def _cause_of(self, setting: str) -> str:
        """The cause that a setting of the spec belongs to, "" for one that moves nobody."""
        if setting == "scales":
            return self._cause_of_scales
        if setting in _INTERVALS:
            return ""
        if setting in _CONTROLS:
            return "C"
        return "W" if setting in _WEIGHTS else "M"

    @cached_property
    def _cause_of_scales(self) -> str:
        """Scales are measured: on the same controls they differ because the votes do."""
        if self._controls(0) != self._controls(1):
            return "C"
        if any(self.unshared(side).any() for side in (0, 1)):
            return "V"
        return "X" if (self.left_out(0) != self.left_out(1)).any() else "M"

    def spec(self, state: State) -> RankingSpec:
        """The spec of a state."""
        names = (field.name for field in fields(RankingSpec))
        changed = [name for name in names if self._cause_of(name) in state]
        return replace(
            self.before.spec, **{name: getattr(self.after.spec, name) for name in changed}
        )

    def strengths(self, state: State) -> Mapping[str, float]:
        """θ of every contestant that a state places; none where it has no estimate."""
        # Who fills a place and who is counted changes no estimate.
        fitted = state - {"S", "R"}
        if not fitted:
            return self.ends[0]
        if fitted == frozenset(self.causes) - {"S", "R"}:
            return self.ends[1]
        # Of tables that say the same the later one may carry more, such as a new control.
        v = int("V" in state or "V" not in self.causes)
        x, w = (int(cause in state) if cause in self.causes else v for cause in "XW")
        # Settings that move nobody must not make two fits of one.
        spec = replace(self.spec(state), **_USUAL)
        try:
            return self._once((v, x, w, spec), self.votes(v, x, w), spec)
        except (FitError, SpecError):
            return {}

    def _once(self, key: tuple[Any, ...], votes: Votes, spec: RankingSpec) -> Mapping[str, float]:
        if key not in self._fitted:
            self._fitted[key] = _strengths(votes, spec)
            if self.progress is not None:
                self.progress(self.fits)
        return self._fitted[key]

    def votes(self, v: int, x: int, w: int) -> Votes:
        """One board's votes with the exclusions and the weights of the same or the other board.

        A vote that only one board has is left out by that board's word, whichever asks.
        """
        votes = self.boards[v].votes
        if x != v:
            out = _left_out(votes)
            out[self.rows[v]] = self.left_out(x)
            votes = replace(votes, excluded=out.astype(np.int32) - 1, rules=("left out",))
        if w != v:
            votes = replace(votes, weight=self._weight(v, w))
        return votes

    def _weight(self, v: int, w: int) -> FloatArray | None:
        """Weights of board v's votes by the word of board w."""
        own, given = self.boards[v].votes.weight, self.boards[w].votes.weight
        if given is None:
            return None
        shared = given[self.rows[w]]
        # A vote that is nowhere weighed counts like the mean of those that are.
        usual = float(shared.mean()) if shared.size else 1.0
        weight = np.full(len(self.boards[v].votes), usual) if own is None else own.copy()
        weight[self.rows[v]] = shared
        return weight

    def revision(self, place: str, state: State) -> str:
        """The contestant that fills a place; where only one board has the place, that board's."""
        first, second = self.places if "S" in state else self.places[::-1]
        return second[place] if place in second else first[place]

    def roster(self, state: State) -> frozenset[str]:
        """The places that are counted."""
        return self.shown["R" in state]

    def is_placeable(self, state: State) -> bool:
        """Whether everybody who is counted has a strength."""
        theta = self.strengths(state)
        return all(self.revision(place, state) in theta for place in self.roster(state))

    def changes(self, cause: str) -> dict[str, Any]:
        """What differs in a cause, in numbers and names for a sentence; JSON-able."""
        (before, after), (was, now) = self.places, self.shown
        if cause == "V":
            left, arrived = (int(self.unshared(side).sum()) for side in (0, 1))
            return {"arrived": arrived, "left": left}
        if cause == "S":
            swapped = sorted(p for p in before.keys() & after.keys() if before[p] != after[p])
            return {p: {"before": before[p], "after": after[p]} for p in swapped}
        if cause == "X":
            return self._exclusions()
        if cause == "C":
            first, second = (board.spec for board in self.boards)
            return {
                "added": [name for name in second.controls if name not in first.controls],
                "removed": [name for name in first.controls if name not in second.controls],
                "required": {"before": list(first.required), "after": list(second.required)},
            }
        if cause == "R":
            return {"entered": sorted(now - was), "left": sorted(was - now)}
        settings = {
            name: {"before": first, "after": second}
            for name, (first, second) in self.settings(cause).items()
        }
        if cause == "M":
            return settings
        return {"settings": settings, "votes": int(self.reweighted.sum())}

    def _exclusions(self) -> dict[str, Any]:
        out = [self.left_out(side) for side in (0, 1)]
        newly, lifted = self.rows[1][out[1] & ~out[0]], self.rows[0][out[0] & ~out[1]]
        voter = self.after.votes.voter
        voters = np.unique(voter[newly]) if voter is not None else np.empty(0)
        return {
            "excluded": _per_rule(self.after.votes, newly),
            "lifted": _per_rule(self.before.votes, lifted),
            "voters": int((voters >= 0).sum()),
        }


def _per_rule(votes: Votes, rows: IndexArray) -> dict[str, int]:
    if votes.excluded is None:
        return {}
    counts = np.bincount(votes.excluded[rows], minlength=len(votes.rules))
    return {rule: int(n) for rule, n in zip(votes.rules, counts, strict=True) if n}


def _strengths(votes: Votes, spec: RankingSpec) -> Mapping[str, float]:
    prepared = prepare(votes, spec)
    if prepared.design is None:
        return {}
    theta = solved(prepared, prepared.design).theta
    return dict(zip(prepared.labels, theta.tolist(), strict=True))


def _left_out(votes: Votes) -> BoolArray:
    if votes.excluded is None:
        return np.zeros(len(votes), dtype=bool)
    return np.asarray(votes.excluded >= 0)


def _shared(before: BoardState, after: BoardState) -> tuple[IndexArray, IndexArray]:
    """Rows of the votes that two boards share, in either's table."""
    metrics = {CONTROLS[name] for board in (before, after) for name in board.spec.required}
    if before.ids is None or after.ids is None:
        rows = np.arange(min(len(before.votes), len(after.votes)))
        differs = ~_same(before.votes, after.votes, rows, rows, metrics)
        rows = rows[: int(differs.argmax()) if differs.any() else rows.size]
        return rows, rows
    _, one, other = np.intersect1d(before.ids, after.ids, assume_unique=True, return_indices=True)
    same = _same(before.votes, after.votes, one, other, metrics)
    return one[same], other[same]


def _same(
    one: Votes, other: Votes, rows: IndexArray, other_rows: IndexArray, metrics: set[str]
) -> BoolArray:
    """Whether rows of two tables say the same, as far as strengths depend on it."""
    code = {label: k for k, label in enumerate(other.contestants)}
    recoded = np.array([code.get(label, -1) for label in one.contestants])
    same: BoolArray = recoded[one.a[rows]] == other.a[other_rows]
    same &= recoded[one.b[rows]] == other.b[other_rows]
    same &= one.outcome[rows] == other.outcome[other_rows]
    same &= _shown_first(one)[rows] == _shown_first(other)[other_rows]
    # A column that only one table has cannot tell its votes from the other's.
    for metric in sorted(metrics & one.features.keys() & other.features.keys()):
        for left, right in zip(one.features[metric], other.features[metric], strict=True):
            x, y = left[rows], right[other_rows]
            same &= (x == y) | (np.isnan(x) & np.isnan(y))
    return same


def _shown_first(votes: Votes) -> AnyArray:
    return np.ones(len(votes), dtype=np.int8) if votes.shown_first is None else votes.shown_first
