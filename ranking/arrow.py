"""Columns of any Arrow type brought to the few types that the vote table is made from.

A column's name says what it must hold, and that says which types are taken:

  text    strings of every kind and dictionaries of them, UTF-8 bytes, UUIDs, whole numbers
  number  integers, floats, decimals, text
  flag    booleans, text, whole numbers (0 and 1)
  time    timestamps, dates (their midnight), text, numbers (seconds since 1970)
  tag     booleans, numbers, text
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ranking.errors import VoteFileError
from ranking.records import ALIASES, ONE_HOT
from ranking.tables import CATEGORY, COLUMNS

_STRINGS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BYTES = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_binary_view,
)


class _UnfitError(Exception):
    """The column's type holds nothing of what the column is for."""


def settled(path: Path, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[int, str]]:
    """The batch in types that `normalise` takes, and row -> reason where a value is unreadable.

    Columns of few names come out as dictionaries, which take a tenth of the memory.
    Raises VoteFileError naming the first column whose type fits nothing of what it must hold.
    """
    faults: dict[int, str] = {}
    columns = {
        name: _settle(path, name, column, faults)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }
    return pa.RecordBatch.from_pydict(columns), faults


def cast_where_possible(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """The column as `kind`, null where a value cannot be: those are found by halving."""
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        if len(column) == 1:
            return pa.nulls(1, kind)
        half = len(column) // 2
        parts = (column.slice(0, half), column.slice(half))
        return pa.concat_arrays([cast_where_possible(part, kind) for part in parts])


def _settle(path: Path, name: str, column: pa.Array, faults: dict[int, str]) -> pa.Array:
    target = ALIASES.get(name, name)
    settle, wanted = _role(target)
    plain = _plain(column)
    try:
        done = settle(plain)
    except (_UnfitError, pa.ArrowException) as error:
        message = f"column {name!r} is {column.type!s:.80}, where {wanted} is expected"
        raise VoteFileError(f"{path}: {message}. Convert it and try again.") from error
    if _is(plain.type, *_STRINGS, *_BYTES):
        lost = pc.and_(plain.is_valid(), done.is_null())
        for row in pc.indices_nonzero(lost).to_pylist():
            faults.setdefault(row, f"{name} is not UTF-8 text")
    few = target in COLUMNS and pa.types.is_dictionary(COLUMNS[target])
    return done.dictionary_encode() if few else done


def _role(target: str) -> tuple[Callable[[pa.Array], pa.Array], str]:
    """How a column of this name is settled, and what it must hold in words."""
    if target.startswith(CATEGORY):
        return _tag, "true or false, a number or text"
    kind = COLUMNS.get(target)
    if target in ONE_HOT or kind is None or pa.types.is_boolean(kind):
        return _flag, "true or false"
    if pa.types.is_timestamp(kind):
        return _time, "a timestamp, a date, ISO 8601 text or seconds since 1970"
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return _number, "a number"
    return _text, "text or a whole number"


def _is(kind: pa.DataType, *tests: Callable[[pa.DataType], bool]) -> bool:
    return any(test(kind) for test in tests)


def _plain(column: pa.Array) -> pa.Array:
    """The column without its extension type or dictionary."""
    if isinstance(column.type, pa.UuidType):
        return pa.array([value and str(value) for value in column.to_pylist()], pa.string())
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if _is(kind, *_STRINGS, *_BYTES):
        # Parquet's text need not be UTF-8; only the way through bytes has Arrow look.
        return cast_where_possible(pc.cast(column, pa.binary()), pa.string())
    if _is(kind, pa.types.is_integer, pa.types.is_null):
        return pc.cast(column, pa.string())
    if pa.types.is_floating(kind):
        floats = _without_nan(pc.cast(column, pa.float64()))
        return pc.cast(pc.cast(floats, pa.int64()), pa.string())
    if pa.types.is_decimal(kind):
        digits = pc.replace_substring_regex(pc.cast(column, pa.string()), r"\.0+$", "")
        if not pc.any(pc.match_substring(digits, ".")).as_py():
            return digits
    raise _UnfitError


def _without_nan(floats: pa.Array) -> pa.Array:
    """pandas writes NaN where a number is missing."""
    return pc.if_else(pc.is_nan(floats), pa.scalar(None, floats.type), floats)


def _number(column: pa.Array) -> pa.Array:
    numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    if _is(column.type, *numeric):
        return pc.cast(column, pa.float64(), safe=False)
    if _is(column.type, *_STRINGS, *_BYTES):
        return _text(column)
    raise _UnfitError


def _flag(column: pa.Array) -> pa.Array:
    return column if pa.types.is_boolean(column.type) else _text(column)


def _time(column: pa.Array) -> pa.Array:
    if _is(column.type, pa.types.is_timestamp, pa.types.is_date):
        return column
    return _number(column)


def _tag(column: pa.Array) -> pa.Array:
    as_it_is = _is(column.type, pa.types.is_boolean, pa.types.is_null)
    return column if as_it_is else _number(column)
