"""Record batches as NDJSON, column by column: every line is one row as a JSON object."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# What JSON wants escaped, and what readers take for the end of a line though it is none.
_ESCAPED = '["\\\\\x00-\x1f\x7f\x85\u2028\u2029]'


def ndjson(batch: pa.RecordBatch) -> bytes:
    """The rows as UTF-8 lines, each with every column in order; null where a value is missing.

    Text and dictionaries of text, numbers (shortest digits that give the same double back; null
    for NaN and infinities), booleans, times (ISO 8601 in UTC), and whatever `json` can spell. One
    batch may give 2 GB of text at most. No rows give no bytes.
    """
    if not batch.num_rows:
        return b""
    pieces: list[Any] = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        pieces += [f"{', ' if pieces else '{'}{json.dumps(name)}: ", _spelled(column)]
    lines = pc.binary_join_element_wise(*pieces, "}\n", "")
    text, ends = lines.buffers()[2], np.frombuffer(lines.buffers()[1], np.int32)
    return bytes(memoryview(text)[ends[lines.offset] : ends[lines.offset + len(lines)]])


def _spelled(column: pa.Array) -> pa.Array:
    """The column as JSON text, with no nulls."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return pc.fill_null(_spelled(column.dictionary).take(column.indices), "null")
    if pa.types.is_string(kind):
        text = _quoted(column)
    elif pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        text = pc.cast(column, pa.string())
    elif pa.types.is_floating(kind):
        finite = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
        text = pc.cast(finite, pa.string())
    elif pa.types.is_timestamp(kind):
        utc = pc.cast(pc.cast(column, pa.timestamp(kind.unit, "UTC")), pa.string())
        text = pc.replace_substring(_in_quotes(utc), " ", "T", max_replacements=1)
    else:
        text = pa.array([json.dumps(value, allow_nan=False) for value in column.to_pylist()])
    return pc.fill_null(text, "null")


def _quoted(text: pa.Array) -> pa.Array:
    quoted = _in_quotes(text)
    if _is_plain(text):
        return quoted
    odd = pc.match_substring_regex(text, _ESCAPED).fill_null(False)
    escaped = [json.dumps(value) for value in text.filter(odd).to_pylist()]
    return pc.replace_with_mask(quoted, odd, pa.array(escaped, pa.string()))


def _is_plain(text: pa.Array) -> bool:
    """Whether all its bytes are ASCII that needs no escaping: a look at the column's buffer costs
    a twentieth of a regular expression on every row."""
    offsets, data = text.buffers()[1:]
    if data is None:
        return True
    ends = np.frombuffer(offsets, np.int32)
    used = np.frombuffer(data, np.uint8)[ends[text.offset] : ends[text.offset + len(text)]]
    return not _IS_ODD[used].any()


_IS_ODD = np.array([not 0x20 <= byte < 0x7F or chr(byte) in '"\\' for byte in range(256)])


def _in_quotes(text: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', text, '"', "")
