"""Rows as lines of JSON: what comes back from them is what went in."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.ndjson import ndjson
from ranking.tables import COLUMNS


def back(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows again, as a reader sees them that knows every line end of Unicode."""
    return [json.loads(line) for line in ndjson(batch).decode().splitlines()]


TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KINDS = {
    "text": (pa.string(), TEXTS),
    "name": (pa.dictionary(pa.int32(), pa.string()), TEXTS),
    "float": (pa.float64(), st.none() | st.floats(allow_nan=False, allow_infinity=False)),
    "whole": (pa.int64(), st.none() | st.integers(-(2**63), 2**63 - 1)),
    "flag": (pa.bool_(), st.none() | st.booleans()),
    'odd "name"\n': (pa.list_(pa.string()), st.none() | st.lists(st.text(max_size=3), max_size=2)),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: values for name, (_, values) in KINDS.items()}), min_size=1
)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(0, 3))
def test_every_value_comes_back(rows: list[dict[str, Any]], start: int) -> None:
    schema = pa.schema([(name, kind) for name, (kind, _) in KINDS.items()])
    (batch,) = pa.Table.from_pylist(rows, schema).to_batches()

    assert back(batch.slice(start)) == rows[start:]


def test_a_vote_table() -> None:
    moment = datetime(2025, 5, 29, 14, 48, 41, 602925, UTC)
    schema = pa.schema(COLUMNS.items())
    row = {"id": "n:1", "model_a": "x", "model_b": "y", "winner": "tie", "timestamp": moment}
    table = pa.Table.from_pylist([row | {"tokens_a": 5.0, "draw_probability": 0.1}], schema)
    (vote,) = back(table.to_batches()[0])

    assert list(vote) == list(COLUMNS)
    assert (vote["timestamp"], vote["winner"]) == ("2025-05-29T14:48:41.602925Z", "tie")
    assert (vote["tokens_a"], vote["draw_probability"], vote["voter"]) == (5, 0.1, None)


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.timestamp("ns", "Asia/Tokyo")])
def test_times_are_of_utc(kind: pa.DataType) -> None:
    moments = pa.array([0, None], pa.int64()).cast(kind)
    first, second = (row["t"] for row in back(pa.RecordBatch.from_pydict({"t": moments})))

    assert datetime.fromisoformat(first) == datetime(1970, 1, 1, tzinfo=UTC)
    assert second is None


def test_what_json_has_no_number_for_is_null() -> None:
    floats = pa.array([math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7e308])

    values = [row["x"] for row in back(pa.RecordBatch.from_pydict({"x": floats}))]
    assert values == [None, None, None, 0.0, 5e-324, 1.7e308]


def test_no_rows_are_no_bytes() -> None:
    assert ndjson(pa.RecordBatch.from_pydict({"x": pa.array([], pa.string())})) == b""
