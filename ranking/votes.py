"""Votes: columns of integer ids, validated once so that no kernel has to look again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ranking.arrays import AnyArray, BoolArray, FloatArray, IntArray, SmallIntArray
from ranking.errors import VotesError

if TYPE_CHECKING:
    import pyarrow as pa

OUTCOMES = ("model_a", "model_b", "tie", "both_bad")
A_WINS, B_WINS, TIE, BOTH_BAD = range(4)
SIDES = ("model_a", "model_b")

_REMEDY_LENGTH = "Give every column one value per vote."


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """n votes as columns; row k says that contestants a[k] and b[k] met with outcome[k].

    contestants: the M labels that ids index, unique. Some may have no vote.
    a, b: (n,) int32 ids in [0, M). Different, except where the vote is excluded.
    outcome: (n,) int8, index into OUTCOMES.
    shown_first: (n,) int8, +1 where a was shown first, −1 where b was; None: a everywhere.
    voter: (n,) int32 voter ids, −1 unknown; None: all unknown.
    features: metric name -> two (n,) float64 columns for a and b; NaN where missing.
    weight: (n,) float64 > 0; None: all 1.
    draw_probability: (n,) float64 in (0, 1], with which the unordered pair was drawn; NaN or
        None: unknown. time: (n,) float64 seconds since 1970; NaN or None: unknown.
    excluded: (n,) int32 index into `rules` where the vote does not count, −1 where it does.

    Arrays are made read-only. Raises VotesError naming column, first offending row and remedy.
    """

    contestants: tuple[str, ...]
    a: IntArray
    b: IntArray
    outcome: SmallIntArray
    shown_first: SmallIntArray | None = None
    voter: IntArray | None = None
    features: Mapping[str, tuple[FloatArray, FloatArray]] = field(default_factory=dict)
    weight: FloatArray | None = None
    excluded: IntArray | None = None
    rules: tuple[str, ...] = ()
    draw_probability: FloatArray | None = None
    time: FloatArray | None = None

    def __post_init__(self) -> None:
        _check_labels("contestants", self.contestants)
        if len(np.atleast_1d(self.a)) == 0:
            raise VotesError("no votes", column="model_a", remedy="Give at least one vote.")
        self._store_required()
        self._store_optional()
        features = {
            name: (_feature(f"{name}_a", a, len(self)), _feature(f"{name}_b", b, len(self)))
            for name, (a, b) in self.features.items()
        }
        object.__setattr__(self, "features", features)
        self._check_no_self_play()

    def __len__(self) -> int:
        return int(self.a.size)

    def _store(self, name: str, column: AnyArray) -> None:
        object.__setattr__(self, name, _read_only(column))

    def _store_required(self) -> None:
        n, labels = len(self.a), len(self.contestants)
        self._store("a", _codes("model_a", self.a, n, 0, labels, np.int32))
        self._store("b", _codes("model_b", self.b, n, 0, labels, np.int32))
        self._store("outcome", _codes("winner", self.outcome, n, 0, len(OUTCOMES), np.int8))

    def _store_optional(self) -> None:
        n = len(self)
        if self.shown_first is not None:
            shown = _codes("shown_first", self.shown_first, n, -1, 2, np.int8)
            _refuse("shown_first", shown == 0, "neither +1 nor −1", "Use +1 where a was first.")
            self._store("shown_first", shown)
        if self.voter is not None:
            self._store("voter", _codes("voter", self.voter, n, -1, 1 << 31, np.int32))
        if self.weight is not None:
            self._store("weight", _weight(self.weight, n))
        if self.draw_probability is not None:
            self._store("draw_probability", _probability(self.draw_probability, n))
        if self.time is not None:
            self._store("time", _time(self.time, n))
        if self.excluded is not None:
            rules = len(self.rules)
            self._store("excluded", _codes("excluded", self.excluded, n, -1, rules, np.int32))

    def _check_no_self_play(self) -> None:
        same = self.a == self.b
        if self.excluded is not None:
            same &= self.excluded < 0
        remedy = "Leave the vote out, or mark it excluded."
        _refuse("model_b", same, "a contestant meets itself", remedy)

    @classmethod
    def from_columns(
        cls,
        model_a: Sequence[str] | AnyArray,
        model_b: Sequence[str] | AnyArray,
        winner: Sequence[str] | AnyArray,
        *,
        contestants: Sequence[str] | None = None,
        voter: Sequence[Any] | AnyArray | None = None,
        shown_first: Sequence[str | None] | AnyArray | None = None,
        features: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]] | None = None,
        weight: npt.ArrayLike | None = None,
        excluded: Sequence[str | None] | None = None,
        draw_probability: npt.ArrayLike | None = None,
        time: npt.ArrayLike | None = None,
    ) -> Votes:
        """Votes from columns of labels or of integer ids.

        model_a, model_b: labels; or ids into `contestants`. With labels, `contestants` may list
            more than occur; without it those that occur are taken, sorted.
        winner: one of OUTCOMES, or its index. shown_first: one of SIDES, None for model_a; or
            +1/−1. voter: any labels, None for unknown; or integers, −1 unknown.
        features: metric -> columns of a and b, NaN for missing. weight: positive.
        excluded: the rule by which a vote does not count, None where it counts.
        draw_probability, time: as the class has them.

        Raises VotesError as the class does, and for a label outside `contestants`.
        """
        labels, a, b = _contestants(model_a, model_b, contestants)
        rules, excluded_codes = _rules(excluded)
        return cls(
            contestants=labels,
            a=a,
            b=b,
            outcome=_choice("winner", winner, OUTCOMES),
            shown_first=_sides(shown_first),
            voter=_voters(voter),
            features={name: (_floats(a), _floats(b)) for name, (a, b) in (features or {}).items()},
            weight=None if weight is None else _floats(weight),
            excluded=excluded_codes,
            rules=rules,
            draw_probability=None if draw_probability is None else _floats(draw_probability),
            time=None if time is None else _floats(time),
        )

    @classmethod
    def from_counts(
        cls, models: Sequence[str], pairs: npt.ArrayLike, counts: npt.ArrayLike
    ) -> Votes:
        """One vote per counted one, pair after pair, from counts per pair.

        models: the M labels. pairs: (P, 2) indices into them. counts: (P, C) whole numbers of
        votes with each outcome, C from 2 to 4 columns in the order of OUTCOMES: wins of the
        first, wins of the second, ties, both bad.

        Raises VotesError as the class does, and for counts that are not counts; its rows are
        then those of `pairs` and `counts`.
        """
        met = _table("pairs", pairs, (2, 2))
        times = _table("counts", counts, (2, len(OUTCOMES)))
        if len(met) != len(times):
            message = f"has {len(times)} rows for {len(met)} pairs"
            raise VotesError(message, column="counts", remedy="Give each pair one row of counts.")
        _refuse("counts", times.min(axis=1) < 0, "a negative count", "Count from 0.")
        outside = (met.min(axis=1) < 0) | (met.max(axis=1) >= len(models))
        _refuse("pairs", outside, "names no model", "Use indices into the models.")
        _refuse("pairs", met[:, 0] == met[:, 1], "a contestant meets itself", "Leave it out.")
        of_pair = np.repeat(np.arange(len(met)), times.sum(axis=1))
        outcomes = np.arange(times.shape[1], dtype=np.int8)
        outcome = np.repeat(np.tile(outcomes, len(met)), times.ravel())
        return cls(contestants=tuple(models), a=met[of_pair, 0], b=met[of_pair, 1], outcome=outcome)

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Votes:
        """Votes of an Arrow table in the package's vote columns (see ranking.io).

        Timings of votes whose `pacing` is "equal" become 0: both answers were shown alike.
        Raises VotesError as the class does, and when a required column is absent.
        """
        from ranking.tables import votes_from_table

        return votes_from_table(table)


def _read_only(column: AnyArray) -> AnyArray:
    view = column.view()
    view.flags.writeable = False
    return view


def _refuse(column: str, bad: BoolArray, message: str, remedy: str) -> None:
    if bad.any():
        raise VotesError(message, column=column, row=int(bad.argmax()), remedy=remedy)


def _check_length(column: str, values: AnyArray, n: int) -> None:
    if values.ndim != 1 or values.size != n:
        shape = "×".join(map(str, values.shape)) or "a single value"
        message = f"has {shape} values for {n} votes"
        raise VotesError(message, column=column, remedy=_REMEDY_LENGTH)


def _check_labels(column: str, labels: Sequence[str]) -> None:
    seen: set[str] = set()
    for row, label in enumerate(labels):
        if not isinstance(label, str) or not label.strip():
            raise VotesError(
                f"{label!r} is not a name", column=column, row=row, remedy="Give it a name."
            )
        if label in seen:
            remedy = "Name each contestant once."
            raise VotesError(f"{label!r} occurs twice", column=column, row=row, remedy=remedy)
        seen.add(label)


def _codes(
    column: str, values: npt.ArrayLike, n: int, low: int, high: int, dtype: type[np.generic]
) -> AnyArray:
    """`values` as `dtype`, each in [low, high)."""
    codes = np.asarray(values)
    _check_length(column, codes, n)
    if codes.dtype.kind not in "iu":
        message = f"holds {codes.dtype} where whole-number ids are needed"
        raise VotesError(message, column=column, remedy="Encode labels with Votes.from_columns.")
    if codes.min() < low or codes.max() >= high:
        _refuse(
            column,
            (codes < low) | (codes >= high),
            f"an id outside {low} … {high - 1}",
            "Use ids that the labels cover.",
        )
    return codes.astype(dtype, copy=False)


def _floats(values: npt.ArrayLike) -> FloatArray:
    array: FloatArray = np.asarray(values, dtype=np.float64)
    return array


def _feature(column: str, values: npt.ArrayLike, n: int) -> FloatArray:
    floats = _floats(values)
    _check_length(column, floats, n)
    # fmin and fmax skip NaN, which means missing here.
    if np.fmin.reduce(floats) < 0 or np.fmax.reduce(floats) == np.inf:
        bad = (floats < 0) | np.isinf(floats)
        _refuse(column, bad, "negative or infinite", "Give a count or seconds; NaN if unknown.")
    return _read_only(floats)  # type: ignore[return-value]


def _weight(values: npt.ArrayLike, n: int) -> FloatArray:
    weight = _floats(values)
    _check_length("weight", weight, n)
    bad = ~(np.isfinite(weight) & (weight > 0))
    _refuse("weight", bad, "not a positive finite number", "Leave out votes without weight.")
    return weight


def _probability(values: npt.ArrayLike, n: int) -> FloatArray:
    probability = _floats(values)
    _check_length("draw_probability", probability, n)
    bad = ~(np.isnan(probability) | ((probability > 0.0) & (probability <= 1.0)))
    remedy = "Give the chance with which the pair was drawn; NaN if unknown."
    _refuse("draw_probability", bad, "not in (0, 1]", remedy)
    return probability


def _time(values: npt.ArrayLike, n: int) -> FloatArray:
    time = _floats(values)
    _check_length("timestamp", time, n)
    _refuse("timestamp", np.isinf(time), "infinite", "Give seconds since 1970; NaN if unknown.")
    return time


def _table(column: str, values: npt.ArrayLike, width: tuple[int, int]) -> npt.NDArray[np.intp]:
    """`values` as a table of whole numbers with from width[0] to width[1] columns."""
    table = np.asarray(values)
    if table.ndim != 2 or not width[0] <= table.shape[1] <= width[1]:
        shape = "×".join(map(str, table.shape)) or "a single value"
        remedy = f"Give rows of {' to '.join(map(str, sorted(set(width))))} numbers."
        raise VotesError(f"has the shape {shape}", column=column, remedy=remedy)
    if table.dtype.kind not in "iu":
        message = f"holds {table.dtype} where whole numbers are needed"
        raise VotesError(message, column=column, remedy="Give whole numbers.")
    return table.astype(np.intp)


def _encode(labels: Iterable[Any], index: Mapping[Any, int], column: str) -> IntArray:
    try:
        return np.fromiter(map(index.__getitem__, labels), dtype=np.int32)
    except (KeyError, TypeError):
        pass  # The slow search below finds the row that is at fault and raises.
    for row, label in enumerate(labels):
        if isinstance(label, float) or label not in index:
            known = ", ".join(map(str, list(index)[:8])) + (", …" if len(index) > 8 else "")
            message = f"unknown value {label!r}"
            raise VotesError(message, column=column, row=row, remedy=f"Known are: {known}.")
    raise AssertionError("a label that the index lacks must have been found")


def _as_list(values: Sequence[Any] | AnyArray) -> Sequence[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else values


def _is_coded(values: object) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind in "iu"


def _contestants(
    model_a: Sequence[str] | AnyArray,
    model_b: Sequence[str] | AnyArray,
    contestants: Sequence[str] | None,
) -> tuple[tuple[str, ...], IntArray, IntArray]:
    if _is_coded(model_a) and _is_coded(model_b):
        if contestants is None:
            remedy = "Give their labels as `contestants`."
            raise VotesError("ids without labels", column="contestants", remedy=remedy)
        return tuple(contestants), np.asarray(model_a), np.asarray(model_b)
    a, b = _as_list(model_a), _as_list(model_b)
    if contestants is None:
        return _occurring(a, b)
    labels = tuple(contestants)
    index = {label: code for code, label in enumerate(labels)}
    return labels, _encode(a, index, "model_a"), _encode(b, index, "model_b")


def _occurring(a: Sequence[Any], b: Sequence[Any]) -> tuple[tuple[str, ...], IntArray, IntArray]:
    """The labels that occur, sorted, and where among them those of each side are.

    Each label is looked up once: that takes most of the time of a plain fit.
    """
    met: defaultdict[Any, int] = defaultdict(count().__next__)
    of_a, of_b = (np.fromiter(map(met.__getitem__, side), dtype=np.int32) for side in (a, b))
    for label in met:
        if not isinstance(label, str):
            column, side = ("model_a", a) if label in a else ("model_b", b)
            remedy, row = "Give the contestant's name.", side.index(label)
            raise VotesError(f"{label!r} is no name", column=column, row=row, remedy=remedy)
    labels = tuple(sorted(met))
    place = np.empty(len(labels), dtype=np.int32)
    place[[met[label] for label in labels]] = np.arange(len(labels))
    return labels, place[of_a], place[of_b]


def _choice(
    column: str, values: Sequence[Any] | AnyArray, choices: tuple[str, ...]
) -> npt.NDArray[Any]:
    if _is_coded(values):
        return np.asarray(values)
    index = {choice: code for code, choice in enumerate(choices)}
    return _encode(_as_list(values), index, column)


def _sides(values: Sequence[str | None] | AnyArray | None) -> npt.NDArray[Any] | None:
    if values is None or _is_coded(values):
        return None if values is None else np.asarray(values)
    index = {None: 1, "model_a": 1, "model_b": -1}
    return _encode(_as_list(values), index, "shown_first").astype(np.int8)


def _voters(values: Sequence[Any] | AnyArray | None) -> IntArray | None:
    """Voter ids from labels, or from integers of any size; −1 where unknown."""
    if values is None:
        return None
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        return _dense_voters(values)
    labels = _as_list(values)
    index: dict[Any, int] = {label: code for code, label in enumerate(dict.fromkeys(labels))}
    if any(isinstance(label, float) for label in index):
        row = next(row for row, label in enumerate(labels) if isinstance(label, float))
        remedy = "Use text or whole numbers, and None for an unknown voter."
        raise VotesError(f"{labels[row]!r} is no voter", column="voter", row=row, remedy=remedy)
    if None in index:
        index[None] = -1
    return np.fromiter(map(index.__getitem__, labels), dtype=np.int32, count=len(labels))


def _dense_voters(values: AnyArray) -> IntArray:
    if values.size and int(values.min()) >= -1 and int(values.max()) < 4 * values.size:
        return values.astype(np.int32, copy=False)
    codes = np.unique(values, return_inverse=True)[1].astype(np.int32)
    codes[values == -1] = -1
    return codes


def _rules(
    excluded: Sequence[str | None] | None,
) -> tuple[tuple[str, ...], IntArray | None]:
    if excluded is None:
        return (), None
    rules = tuple(sorted({rule for rule in excluded if rule is not None}))
    index: dict[str | None, int] = {rule: code for code, rule in enumerate(rules)}
    index[None] = -1
    return rules, _encode(excluded, index, "excluded")
