"""The vote table: votes at rest as an Arrow table in the field's column names plus ours.

`normalise` turns the text or typed columns that a file holds into that table, column by column,
and says for every row it refuses why. `votes_from_table` turns the table into Votes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranking.arrays import BoolArray, FloatArray, IndexArray, IntArray, SmallIntArray
from ranking.covariates import METRICS, TIMINGS
from ranking.errors import VotesError
from ranking.votes import OUTCOMES, SIDES, Votes

LONGEST_NAME = 200
CATEGORY = "category_tag."

_NAMES = pa.dictionary(pa.int32(), pa.string())
_CHOICE = pa.dictionary(pa.int8(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")

FEATURES = tuple(f"{metric}_{side}" for metric in (*METRICS, *TIMINGS) for side in "ab")

COLUMNS: dict[str, pa.DataType] = {
    "id": pa.string(),
    "model_a": _NAMES,
    "model_b": _NAMES,
    "winner": _CHOICE,
    "voter": pa.string(),
    "shown_first": _CHOICE,
    **dict.fromkeys(FEATURES, pa.float64()),
    "draw_probability": pa.float64(),
    "pacing": pa.string(),
    "timestamp": _TIME,
    "evaluation_session_id": pa.string(),
    "evaluation_order": pa.int64(),
    "language": pa.string(),
    "is_code": pa.bool_(),
    "excluded": pa.string(),
}
"""Every column of a vote table and its type, in order; all but the first model_a, model_b and
winner may be absent, and booleans, numbers or text under `category_tag.` may follow."""

_OUTCOME_NAMES = {
    **{name: code for code, name in enumerate(OUTCOMES)},
    "tie (bothbad)": 3,
    "bothbad": 3,
}
_SIDE_OUTCOMES = {"left": 0, "right": 1, **_OUTCOME_NAMES}
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_MOMENT = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$"


class Fault(NamedTuple):
    """Rows a column refuses: row index and the reason of each."""

    rows: IndexArray
    reason: Callable[[int], str]


class Converted(NamedTuple):
    column: pa.Array
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Normalised:
    """The accepted rows as a vote table, and row index -> reason of those refused."""

    table: pa.Table
    faults: dict[int, str]


def normalise(
    raw: pa.Table, *, sides: bool = False, known: Mapping[int, str] | None = None
) -> Normalised:
    """Vote table of a raw one whose columns carry the vote table's names, typed or as text.

    `known` are faults of rows found before. `sides` says that the outcomes are "left" and
    "right". Names and text lose surrounding blanks; empty text and NaN become null. Refused
    rows: a missing, empty, over-long or unprintable name, an unknown outcome or side, a
    contestant against itself (unless excluded), a number that is none, negative or infinite, a
    probability outside (0, 1], no readable time.
    """
    columns: dict[str, pa.Array] = {}
    faults = dict(known or {})
    for name in [*COLUMNS, *(c for c in raw.column_names if c.startswith(CATEGORY))]:
        if name in raw.column_names:
            converted = _convert(name, _flat(raw.column(name)), sides)
            columns[name] = converted.column
            _note(faults, converted.faults)
    _note(faults, [_self_play(columns)])
    table = pa.table(columns)
    if faults:
        keep = np.ones(table.num_rows, dtype=bool)
        keep[list(faults)] = False
        table = table.filter(pa.array(keep))
    return Normalised(table, dict(sorted(faults.items())))


def _note(faults: dict[int, str], found: Iterable[Fault]) -> None:
    for fault in found:
        for row in fault.rows.tolist():
            faults.setdefault(row, fault.reason(row))


def _flat(column: pa.ChunkedArray) -> pa.Array:
    """One array, dictionaries decoded: what follows looks at distinct values by itself."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _is_text(column: pa.Array) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _where(mask: pa.Array) -> IndexArray:
    """Row indices at which a mask is true (null is not)."""
    return np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False))


def _shown(column: pa.Array, row: int) -> str:
    value = str(column[row].as_py())
    return repr(value if len(value) <= 60 else value[:57] + "…")


def _text(column: pa.Array) -> pa.Array:
    if not _is_text(column):
        return pc.cast(column, pa.string())
    stripped = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    return pc.if_else(pc.equal(stripped, ""), pa.scalar(None, pa.string()), stripped)


def _convert(name: str, column: pa.Array, sides: bool) -> Converted:
    kind = COLUMNS.get(name)
    if kind is None:
        return Converted(_text(column) if _is_text(column) else column)
    if kind is _NAMES:
        return _convert_names(name, column)
    if name == "winner":
        return _convert_choice(name, column, _SIDE_OUTCOMES if sides else _OUTCOME_NAMES, OUTCOMES)
    if name == "shown_first":
        return _convert_choice(name, column, {s: i for i, s in enumerate(SIDES)}, SIDES)
    if pa.types.is_string(kind):
        return Converted(_text(column))
    if kind is _TIME:
        return _convert_time(name, column)
    if pa.types.is_boolean(kind):
        return _convert_flag(name, column)
    return _convert_number(name, column, kind)


def _convert_names(name: str, column: pa.Array) -> Converted:
    encoded = pc.dictionary_encode(pc.cast(column, pa.string()))
    spellings = encoded.dictionary.to_pylist()
    trimmed = pa.array([spelling.strip() for spelling in spellings], pa.string())
    wrong = {code: why for code, why in enumerate(map(_why_no_name, trimmed.to_pylist())) if why}
    codes = encoded.indices.fill_null(-1).to_numpy()
    bad = np.flatnonzero(np.isin(codes, [-1, *wrong]))
    names = pc.dictionary_encode(trimmed.take(encoded.indices))
    fault = Fault(bad, lambda row: f"{name} {wrong.get(int(codes[row]), 'is missing')}")
    return Converted(names, (fault,))


def _why_no_name(name: str) -> str | None:
    if not name:
        return "is empty"
    if len(name) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in _BIDI for c in name):
        return "holds a control character"
    return None


def _convert_choice(
    name: str, column: pa.Array, codes: dict[str, int], choices: tuple[str, ...]
) -> Converted:
    """A column of few known words; an unknown word is a fault, and so is no winner at all."""
    text = _text(column)
    found = pc.index_in(text, value_set=pa.array(list(codes), pa.string()))
    code = pa.array(list(codes.values()), pa.int8()).take(found)
    known = "outcome" if name == "winner" else name
    faults = [
        Fault(
            _where(pc.and_(pc.is_null(found), pc.is_valid(text))),
            lambda row: f"unknown {known} {_shown(text, row)}",
        )
    ]
    if name == "winner":
        faults.append(Fault(_where(pc.is_null(text)), lambda row: "winner is missing"))
    words = pa.DictionaryArray.from_arrays(code, pa.array(choices, pa.string()))
    return Converted(words, tuple(faults))


def _convert_number(name: str, column: pa.Array, kind: pa.DataType) -> Converted:
    faults = []
    number = column
    if _is_text(column):
        text = _text(column)
        text = pc.if_else(pc.equal(pc.utf8_lower(text), "nan"), pa.scalar(None, pa.string()), text)
        readable = pc.match_substring_regex(text, _NUMBER)
        faults.append(Fault(_where(pc.invert(readable)), _reason(name, column, "is not a number")))
        number = pc.if_else(readable, text, pa.scalar(None, pa.string()))
    floats = pc.cast(number, pa.float64())
    floats = pc.if_else(pc.is_nan(floats), pa.scalar(None, pa.float64()), floats)
    wrong, why = _out_of_range(name, floats)
    faults.append(Fault(_where(wrong), _reason(name, column, why)))
    if pa.types.is_integer(kind):
        fits = pc.and_(pc.less(floats, 2.0**53), pc.equal(floats, pc.trunc(floats)))
        faults.append(Fault(_where(pc.invert(fits)), _reason(name, column, "is not whole")))
        floats = pc.if_else(fits, floats, pa.scalar(None, pa.float64()))
        floats = pc.cast(floats, kind)
    return Converted(floats, tuple(faults))


def _reason(name: str, column: pa.Array, why: str) -> Callable[[int], str]:
    return lambda row: f"{name} {why}: {_shown(column, row)}"


def _out_of_range(name: str, number: pa.Array) -> tuple[pa.Array, str]:
    if name == "draw_probability":
        inside = pc.and_(pc.greater(number, 0.0), pc.less_equal(number, 1.0))
        return pc.invert(inside), "is not in (0, 1]"
    inside = pc.and_(pc.greater_equal(number, 0.0), pc.is_finite(number))
    return pc.invert(inside), "is negative or infinite"


def _convert_flag(name: str, column: pa.Array) -> Converted:
    if pa.types.is_boolean(column.type):
        return Converted(column)
    text = pc.utf8_lower(_text(column))
    true = pc.is_in(text, value_set=pa.array(["true", "1"]))
    false = pc.is_in(text, value_set=pa.array(["false", "0"]))
    known = pc.or_(true, false)
    bad = pc.and_(pc.is_valid(text), pc.invert(known))
    flag = pc.if_else(known, true, pa.scalar(None, pa.bool_()))
    return Converted(flag, (Fault(_where(bad), _reason(name, column, "is not true or false")),))


def _convert_time(name: str, column: pa.Array) -> Converted:
    """ISO 8601 text (UTC where no zone is given), seconds since 1970, or an Arrow timestamp."""
    if pa.types.is_timestamp(column.type):
        zoned = column if column.type.tz else pc.assume_timezone(column, "UTC")
        return Converted(pc.cast(zoned, _TIME, safe=False))
    if not _is_text(column):
        return Converted(_from_epoch(pc.cast(column, pa.float64())))
    text = _text(column)
    epoch = pc.match_substring_regex(text, _NUMBER)
    moment = pc.match_substring_regex(text, _MOMENT)
    seconds = pc.cast(pc.if_else(epoch, text, pa.scalar(None, pa.string())), pa.float64())
    iso = pc.if_else(moment, text, pa.scalar(None, pa.string()))
    time = pc.coalesce(_from_iso(iso), _from_epoch(seconds))
    bad = pc.and_(pc.is_valid(text), pc.is_null(time))
    return Converted(time, (Fault(_where(bad), _reason(name, column, "is not a time")),))


def _from_epoch(seconds: pa.Array) -> pa.Array:
    inside = pc.less(pc.abs(seconds), 1e11)
    seconds = pc.if_else(inside, seconds, pa.scalar(None, pa.float64()))
    micros = pc.cast(pc.round(pc.multiply(seconds, 1e6)), pa.int64())
    return pc.cast(micros, _TIME)


def _from_iso(text: pa.Array) -> pa.Array:
    text = pc.replace_substring_regex(text, r"(\.\d{6})\d+", r"\1")
    zoned = pc.match_substring_regex(text, r"(Z|[+-]\d\d:?\d\d)$")
    text = pc.if_else(zoned, text, pc.binary_join_element_wise(_with_clock(text), "Z", ""))
    try:
        return pc.cast(text, _TIME)
    except pa.ArrowInvalid:
        # A shape that fits but names no moment (month 13): find out which, one by one.
        return pa.concat_arrays([_one_time(text.slice(row, 1)) for row in range(len(text))])


def _with_clock(text: pa.Array) -> pa.Array:
    """A bare date gets a midnight: Arrow reads a zone only after a time of day."""
    bare = pc.equal(pc.utf8_length(text), 10)
    return pc.if_else(bare, pc.binary_join_element_wise(text, " 00:00", ""), text)


def _one_time(text: pa.Array) -> pa.Array:
    try:
        return pc.cast(text, _TIME)
    except pa.ArrowInvalid:
        return pa.nulls(1, _TIME)


def _self_play(columns: dict[str, pa.Array]) -> Fault:
    same = pc.equal(
        pc.cast(columns["model_a"], pa.string()), pc.cast(columns["model_b"], pa.string())
    )
    if "excluded" in columns:
        same = pc.and_(same, pc.is_null(columns["excluded"]))
    names = columns["model_a"]
    return Fault(_where(same), lambda row: f"{_shown(names, row)} is set against itself")


def votes_from_table(table: pa.Table) -> Votes:
    """Votes of a vote table; see Votes.from_arrow."""
    for name in ("model_a", "model_b", "winner"):
        if name not in table.column_names:
            remedy = "A vote table has model_a, model_b and winner."
            raise VotesError("is absent", column=name, remedy=remedy)
    labels, a, b = _contestants(table)
    rules, excluded = _optional_labels(table, "excluded")
    return Votes(
        contestants=labels,
        a=a,
        b=b,
        outcome=_choice(table, "winner", OUTCOMES),
        shown_first=_shown_first(table),
        voter=_optional_labels(table, "voter")[1],
        features=dict(_features(table)),
        excluded=None if excluded is None else excluded.astype(np.int16),
        rules=rules,
    )


def _optional_labels(table: pa.Table, name: str) -> tuple[tuple[str, ...], IntArray | None]:
    return _labels(table, name) if name in table.column_names else ((), None)


def _labels(table: pa.Table, name: str) -> tuple[tuple[str, ...], IntArray]:
    """Distinct labels that occur, sorted, and each row's index among them (−1 for null)."""
    column = table.column(name)
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column.cast(pa.string()))
    if not len(column):
        return (), np.zeros(0, dtype=np.int32)
    encoded = column.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    codes = encoded.indices.cast(pa.int32()).fill_null(-1).to_numpy()
    occurs = np.bincount(codes + 1, minlength=len(encoded.dictionary) + 1)[1:] > 0
    values = encoded.dictionary.cast(pa.string()).to_pylist()
    labels = sorted({v for v, used in zip(values, occurs, strict=True) if used})
    index = {label: code for code, label in enumerate(labels)}
    recode = np.array([*(index.get(value, -1) for value in values), -1], dtype=np.int32)
    return tuple(labels), recode[codes]


def _contestants(table: pa.Table) -> tuple[tuple[str, ...], IntArray, IntArray]:
    labels_a, a = _labels(table, "model_a")
    labels_b, b = _labels(table, "model_b")
    for name, codes in (("model_a", a), ("model_b", b)):
        if codes.size and codes.min() < 0:
            row = int(codes.argmin())
            raise VotesError("is null", column=name, row=row, remedy="Every vote names two.")
    labels = tuple(sorted({*labels_a, *labels_b}))
    index = {label: code for code, label in enumerate(labels)}
    recode_a = np.array([index[label] for label in labels_a], dtype=np.int32)
    recode_b = np.array([index[label] for label in labels_b], dtype=np.int32)
    return labels, recode_a[a], recode_b[b]


def _choice(table: pa.Table, name: str, choices: tuple[str, ...]) -> SmallIntArray:
    labels, codes = _labels(table, name)
    position = np.array([choices.index(x) if x in choices else -2 for x in labels] + [-1])
    chosen = position[codes]
    unknown: BoolArray = chosen < (0 if name == "winner" else -1)
    if unknown.any():
        row = int(unknown.argmax())
        value = None if codes[row] < 0 else labels[codes[row]]
        remedy = f"Use one of {', '.join(choices)}."
        raise VotesError(f"unknown value {value!r}", column=name, row=row, remedy=remedy)
    return chosen.astype(np.int8)


def _shown_first(table: pa.Table) -> SmallIntArray | None:
    if "shown_first" not in table.column_names:
        return None
    side = _choice(table, "shown_first", SIDES)
    return np.where(side == 1, -1, 1).astype(np.int8)


def _features(table: pa.Table) -> Iterator[tuple[str, tuple[FloatArray, FloatArray]]]:
    """Metric columns that the table has; of a pair that is half there the rest is missing."""
    for metric in (*METRICS, *TIMINGS):
        names = (f"{metric}_a", f"{metric}_b")
        if any(name in table.column_names for name in names):
            a, b = (_floats(table, name) for name in names)
            if metric in TIMINGS and "pacing" in table.column_names:
                alike = pc.equal(table.column("pacing"), "equal").fill_null(False)
                alike = alike.combine_chunks().to_numpy(zero_copy_only=False)
                a, b = np.where(alike, 0.0, a), np.where(alike, 0.0, b)
            yield metric, (a, b)


def _floats(table: pa.Table, name: str) -> FloatArray:
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    floats: FloatArray = pc.cast(table.column(name), pa.float64()).to_numpy()
    return floats
