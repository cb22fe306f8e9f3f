"""Columns of a file checked and converted into those of the vote table.

`normalise` goes column by column and says for every row it refuses why.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranking.arrays import IndexArray
from ranking.tables import CATEGORY, COLUMNS
from ranking.times import from_epoch, from_iso, from_ticks
from ranking.votes import OUTCOMES, SIDES

LONGEST_NAME = 200

_OUTCOME_NAMES = {
    **{name: code for code, name in enumerate(OUTCOMES)},
    "tie (bothbad)": 3,
    "bothbad": 3,
}
_SIDE_OUTCOMES = {"left": 0, "right": 1, **_OUTCOME_NAMES}
_SIDE_CODES = {side: code for code, side in enumerate(SIDES)}
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"


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
    probability outside (0, 1], no readable time, a rule of exclusion that is no sane label.
    """
    columns: dict[str, pa.Array] = {}
    faults = dict(known or {})
    for name in [*COLUMNS, *(c for c in raw.column_names if c.startswith(CATEGORY))]:
        if name in raw.column_names:
            converted = _convert(name, raw.column(name), sides)
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


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """One array out of the column's pieces, of which there may be none."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return _whole(column.unify_dictionaries())


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


def _convert(name: str, column: pa.ChunkedArray, sides: bool) -> Converted:
    kind = COLUMNS.get(name)
    if name in ("model_a", "model_b"):
        return _convert_names(name, _encoded(column))
    if name == "winner":
        codes = _SIDE_OUTCOMES if sides else _OUTCOME_NAMES
        return _convert_choice(name, _encoded(column), codes, OUTCOMES)
    if name == "shown_first":
        return _convert_choice(name, _encoded(column), _SIDE_CODES, SIDES)
    array = _whole(column)
    if name == "excluded":
        return _convert_rules(name, array)
    if kind is None:
        return Converted(_text(array) if _is_text(array) else array)
    if pa.types.is_string(kind):
        return Converted(_text(array))
    if pa.types.is_timestamp(kind):
        return _convert_time(name, array)
    if pa.types.is_boolean(kind):
        return _convert_flag(name, array)
    return _convert_number(name, array, kind)


def _convert_names(name: str, encoded: pa.DictionaryArray) -> Converted:
    spellings = [spelling.strip() for spelling in encoded.dictionary.to_pylist()]
    trimmed = pc.dictionary_encode(pa.array(spellings, pa.string()))
    wrong = {code: why for code, why in enumerate(map(_why_no_label, spellings)) if why}
    codes = encoded.indices.fill_null(-1).to_numpy()
    bad = np.flatnonzero(np.isin(codes, [-1, *wrong]))
    indices = trimmed.indices.take(encoded.indices)
    names = pa.DictionaryArray.from_arrays(indices, trimmed.dictionary)
    fault = Fault(bad, lambda row: f"{name} {wrong.get(int(codes[row]), 'is missing')}")
    return Converted(names, (fault,))


def _convert_rules(name: str, column: pa.Array) -> Converted:
    rules = _text(column)
    why = {rule: _why_no_label(rule) for rule in rules.unique().to_pylist() if rule is not None}
    wrong = pa.array([rule for rule, reason in why.items() if reason], pa.string())
    bad = _where(pc.is_in(rules, value_set=wrong))
    return Converted(rules, (Fault(bad, lambda row: f"{name} {why[rules[row].as_py()]}"),))


def _why_no_label(label: str) -> str | None:
    if not label:
        return "is empty"
    if len(label) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in _BIDI for c in label):
        return "holds a control character"
    return None


def _convert_choice(
    name: str, encoded: pa.DictionaryArray, codes: dict[str, int], choices: tuple[str, ...]
) -> Converted:
    """A column of few known words; an unknown word is a fault, and so is no winner at all."""
    words = _text(encoded.dictionary)
    found = pc.index_in(words, value_set=pa.array(list(codes), pa.string()))
    code = pa.array(list(codes.values()), pa.int8()).take(found).take(encoded.indices)
    strange = pc.and_(found.is_null(), words.is_valid()).take(encoded.indices)
    known = "outcome" if name == "winner" else name
    faults = [Fault(_where(strange), lambda row: f"unknown {known} {_shown(encoded, row)}")]
    if name == "winner":
        missing = words.is_null().take(encoded.indices).fill_null(True)
        faults.append(Fault(_where(missing), lambda row: "winner is missing"))
    chosen = pa.DictionaryArray.from_arrays(code, pa.array(choices, pa.string()))
    return Converted(chosen, tuple(faults))


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
    """ISO 8601 text (UTC where no zone is given), seconds since 1970, or an Arrow time."""
    if _is_text(column):
        stated = _text(column)
        number = pc.match_substring_regex(stated, _NUMBER)
        seconds = pc.cast(pc.if_else(number, stated, pa.scalar(None, pa.string())), pa.float64())
        time = pc.coalesce(from_iso(stated), from_epoch(seconds))
    elif pa.types.is_floating(column.type):
        stated = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        time = from_epoch(stated)
    else:
        # A date's seconds fit 64 bits whatever the date.
        times = column if pa.types.is_timestamp(column.type) else _midnights(column)
        stated = pc.cast(times, pa.int64())
        time = from_ticks(stated, times.type.unit)
    bad = pc.and_(stated.is_valid(), time.is_null())
    return Converted(time, (Fault(_where(bad), _reason(name, stated, "is not a time")),))


def _midnights(dates: pa.Array) -> pa.Array:
    return pc.cast(dates, pa.timestamp("ms" if pa.types.is_date64(dates.type) else "s"))


def _self_play(columns: dict[str, pa.Array]) -> Fault:
    a, b = columns["model_a"], columns["model_b"]
    names_of_b = pc.index_in(b.dictionary, value_set=a.dictionary)
    same = pc.equal(a.indices, names_of_b.take(b.indices))
    if "excluded" in columns:
        same = pc.and_(same, pc.is_null(columns["excluded"]))
    return Fault(_where(same), lambda row: f"{_shown(a, row)} is set against itself")
