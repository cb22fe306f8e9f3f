"""Parquet columns of any type: converted, refused by name, or refused row by row."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from ranking import VoteFileError, Votes
from ranking.io import Reject, VoteFile, read_votes, write_votes
from ranking.records import NESTED, ONE_HOT
from ranking.tables import COLUMNS

Store = Callable[..., Path]

THREE: dict[str, Any] = {
    "model_a": ["x", "y", "z"],
    "model_b": ["y", "z", "x"],
    "winner": ["model_a", "tie", "model_b"],
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    def store(table: pa.Table | None = None, **columns: Any) -> Path:
        path = tmp_path / "votes.parquet"
        pq.write_table(pa.table({**THREE, **columns}) if table is None else table, path)
        return path

    return store


def column(read: VoteFile, name: str) -> list[Any]:
    return read.table[name].to_pylist()


# -- What is taken ---------------------------------------------------------------------------

WORDS = ["x", "y", "z"]


@pytest.mark.parametrize(
    "names",
    [
        pa.array(WORDS, pa.large_string()),
        pa.array(WORDS, pa.string_view()),
        pa.array(WORDS).dictionary_encode(),
        pa.array(WORDS, pa.large_string()).dictionary_encode(),
        pa.array(WORDS, pa.dictionary(pa.int8(), pa.binary())),
        pa.array([b"x", b"y", b"z"], pa.binary()),
        pa.array([b"x", b"y", b"z"], pa.large_binary()),
        pa.array([b"x", b"y", b"z"], pa.binary_view()),
        pa.array([b"x", b"y", b"z"], pa.binary(1)),
    ],
    ids=lambda names: str(names.type),
)
@pytest.mark.parametrize("name", ["model_a", "voter"])
def test_text_of_every_kind_is_text(store: Store, name: str, names: pa.Array) -> None:
    read = read_votes(store(**{name: names}))

    assert column(read, name) == WORDS
    assert read.table.schema.field(name).type == COLUMNS[name]


@pytest.mark.parametrize(
    ("voters", "texts"),
    [
        (pa.array([1, None, 255], pa.uint8()), ["1", None, "255"]),
        (pa.array([-1, 2**60 + 1, 0], pa.int64()), ["-1", "1152921504606846977", "0"]),
        (pa.array([1.0, float("nan"), 3.0]), ["1", None, "3"]),
        (pa.array([Decimal("1.00"), None, Decimal("20.00")]), ["1", None, "20"]),
        (pa.nulls(3), [None, None, None]),
    ],
    ids=["uint8", "int64", "double", "decimal", "null"],
)
def test_whole_numbers_are_labels(store: Store, voters: pa.Array, texts: list[Any]) -> None:
    assert column(read_votes(store(voter=voters)), "voter") == texts


def test_a_uuid_is_its_text(store: Store) -> None:
    ids = [uuid.UUID(int=n) for n in range(3)]
    stored = pa.array([one.bytes for one in ids], pa.uuid())

    assert column(read_votes(store(id=stored)), "id") == [str(one) for one in ids]


@pytest.mark.parametrize(
    "numbers",
    [
        pa.array([1, None, 3], pa.uint8()),
        pa.array([1, None, 3], pa.int64()),
        pa.array([np.float16(1), None, np.float16(3)], pa.float16()),
        pa.array([1.0, float("nan"), 3.0], pa.float32()),
        pa.array([Decimal(1), None, Decimal(3)], pa.decimal128(5, 2)),
        pa.array(["1", None, "3.0"], pa.large_string()),
        pa.array(["1", "", "3.0"]).dictionary_encode(),
    ],
    ids=lambda numbers: str(numbers.type),
)
def test_numbers_of_every_kind_are_numbers(store: Store, numbers: pa.Array) -> None:
    read = read_votes(store(tokens_b=numbers, evaluation_order=numbers))

    assert column(read, "tokens_b") == column(read, "evaluation_order") == [1, None, 3]
    assert read.table.schema.field("tokens_b").type == pa.float64()
    assert read.table.schema.field("evaluation_order").type == pa.int64()


NOON = datetime(2025, 5, 29, 12, tzinfo=UTC)
MIDNIGHT = datetime(2025, 5, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "kind", "expected"),
    [
        (MIDNIGHT.date(), pa.date32(), MIDNIGHT),
        (MIDNIGHT.date(), pa.date64(), MIDNIGHT),
        (NOON.replace(tzinfo=None), pa.timestamp("s"), NOON),
        (NOON, pa.timestamp("ms", "America/New_York"), NOON),
        (NOON, pa.timestamp("ns", "UTC"), NOON),
        (int(NOON.timestamp()), pa.int64(), NOON),
        (NOON.timestamp(), pa.float64(), NOON),
        (int(NOON.timestamp()), pa.decimal128(12, 0), NOON),
        ("2025-05-29T14:00:00+02:00", pa.string_view(), NOON),
    ],
    ids=str,
)
def test_times_of_every_kind_are_moments(
    store: Store, moment: Any, kind: pa.DataType, expected: datetime
) -> None:
    read = read_votes(store(timestamp=pa.array([moment, None, moment], kind)))

    assert column(read, "timestamp") == [expected, None, expected]


def test_flags_may_be_zeros_and_ones(store: Store) -> None:
    read = read_votes(store(is_code=pa.array([1.0, 0.0, None])))

    assert column(read, "is_code") == [True, False, None]


def test_55k_marks_of_every_kind(store: Store) -> None:
    marks = pa.table(
        {
            "model_a": WORDS,
            "model_b": ["y", "z", "x"],
            "winner_model_a": pa.array([1, 0, 0], pa.uint8()),
            "winner_model_b": [False, True, False],
            "winner_tie": pa.array([0, 0, 1], pa.decimal128(3, 1)),
        }
    )

    assert column(read_votes(store(marks)), "winner") == ["model_a", "model_b", "tie"]


def test_typed_columns_beside_nested_ones(store: Store) -> None:
    read = read_votes(
        store(
            timestamp=pa.array([NOON] * 3, pa.timestamp("ms", "UTC")),
            id=pa.array([7, 8, 9]),
            conv_metadata=[{"sum_assistant_a_tokens": 5, "sum_assistant_b_tokens": 6}] * 3,
            category_tag=[{"math": {"math": True}}] * 3,
        )
    )

    assert read.schema == "140k"
    assert column(read, "timestamp") == [NOON] * 3
    assert column(read, "id") == ["7", "8", "9"]
    assert column(read, "tokens_b") == [6.0] * 3
    assert column(read, "category_tag.math.math") == [True] * 3


# -- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "kind", "expected"),
    [
        ("model_a", [["x"]] * 3, "list<element: string>", "text or a whole number"),
        ("id", [{"oid": "x"}] * 3, "struct<oid: string>", "text or a whole number"),
        ("winner", [True] * 3, "bool", "text or a whole number"),
        ("voter", [1.5, 2.0, 3.0], "double", "text or a whole number"),
        ("voter", [Decimal("1.5")] * 3, "decimal128(2, 1)", "text or a whole number"),
        ("tokens_b", [[1]] * 3, "list<element: int64>", "a number"),
        ("duration_a", [timedelta(seconds=1)] * 3, "duration[us]", "a number"),
        ("tokens_a", [NOON.date()] * 3, "date32[day]", "a number"),
        ("timestamp", [time(12)] * 3, "time64[us]", "a timestamp, a date"),
        ("is_code", [date(2025, 1, 1)] * 3, "date32[day]", "true or false"),
        ("category_tag.x", [[True]] * 3, "list<element: bool>", "true or false, a number"),
    ],
)
@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_column_of_a_useless_type_is_named(
    store: Store, name: str, values: list[Any], kind: str, expected: str, skip_bad: bool
) -> None:
    with pytest.raises(VoteFileError) as caught:
        read_votes(store(**{name: values}), skip_bad=skip_bad)

    assert f"votes.parquet: column {name!r} is {kind}, where {expected}" in str(caught.value)


def test_bytes_that_are_no_text_refuse_their_rows_only(store: Store) -> None:
    names, voters = pa.array([b"x", b"\xff", b"z"]), pa.array([b"u", b"v", b"\xc3"])
    latin = pa.Array.from_buffers(pa.string(), 3, voters.buffers())
    for voter in (voters, latin):
        read = read_votes(store(model_a=names, voter=voter), skip_bad=True)

        assert read.rejects == (
            Reject(2, "model_a is not UTF-8 text"),
            Reject(3, "voter is not UTF-8 text"),
        )
        assert column(read, "model_a") == ["x"]


@pytest.mark.parametrize(
    "times",
    [
        pa.array([0, 2**62, -(2**62)], pa.timestamp("ms")),
        pa.array([0, 2**31 - 1, -(2**31)], pa.date32()),
        pa.array([0, 1.7e12, float("inf")]),
        pa.array(["1970-01-01", "0000-01-01", "9999-12-31T23:59:59-01:00"]),
    ],
    ids=lambda times: str(times.type),
)
def test_times_that_no_calendar_has_are_refused(store: Store, times: pa.Array) -> None:
    read = read_votes(store(timestamp=times), skip_bad=True)

    assert [reject.line for reject in read.rejects] == [2, 3]
    assert all("timestamp is not a time" in reject.reason for reject in read.rejects)
    assert column(read, "timestamp") == [datetime(1970, 1, 1, tzinfo=UTC)]


def test_no_rows(store: Store) -> None:
    with pytest.raises(VoteFileError, match="holds no votes"):
        read_votes(store(pa.table(THREE).slice(0, 0)))


def test_a_column_twice(store: Store) -> None:
    table = pa.table(THREE)
    with pytest.raises(VoteFileError, match="two columns named 'winner'"):
        read_votes(store(table.append_column("winner", table["winner"])))


def test_thousands_of_columns_that_say_nothing(store: Store) -> None:
    noise = {f"noise {n}": ["q"] * 3 for n in range(5_000)}

    assert read_votes(store(**noise)).table.column_names == list(THREE)
    with pytest.raises(VoteFileError, match="no accepted schema") as caught:
        read_votes(store(pa.table(noise)))
    assert len(str(caught.value)) < 2_000


def test_several_row_groups_with_their_own_dictionaries(tmp_path: Path) -> None:
    path = tmp_path / "votes.parquet"
    pairs = [("a", "b"), ("c", "b"), ("b", "a"), ("d", "d")]
    tables = [pa.table({"model_a": [a], "model_b": [b], "winner": ["tie"]}) for a, b in pairs]
    pq.write_table(pa.concat_tables(tables), path, row_group_size=1)
    read = read_votes(path, skip_bad=True)

    assert list(zip(column(read, "model_a"), column(read, "model_b"), strict=True)) == pairs[:3]
    assert read.rejects == (Reject(4, "'d' is set against itself"),)


# -- Anything --------------------------------------------------------------------------------

NESTED_KINDS = [
    pa.list_(pa.string()),
    pa.large_list(pa.int8()),
    pa.list_(pa.float32(), 2),
    pa.struct([("model", pa.string()), ("n", pa.int32())]),
    pa.struct([("model", pa.struct([("n", pa.timestamp("ns"))]))]),
    pa.map_(pa.string(), pa.string()),
    pa.list_(pa.struct([("role", pa.string()), ("content", pa.binary())])),
]
FLAT_KINDS = [
    *(pa.null(), pa.bool_(), pa.bool8(), pa.uuid(), pa.json_()),
    *(pa.int8(), pa.uint8(), pa.int32(), pa.int64(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64()),
    *(pa.decimal32(5, 2), pa.decimal128(30, 0), pa.decimal256(60, 10)),
    *(pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3), pa.binary(16)),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time64("ns"), pa.duration("ns")),
    *(pa.timestamp("s"), pa.timestamp("ms", "Asia/Tokyo"), pa.timestamp("us", "+05:30")),
    *(pa.timestamp("ns", "Mars/Olympus"), pa.dictionary(pa.int8(), pa.string())),
    *(pa.dictionary(pa.int16(), pa.large_string()), pa.dictionary(pa.int8(), pa.int64())),
    *(pa.dictionary(pa.int32(), pa.binary()), pa.dictionary(pa.int8(), pa.timestamp("s"))),
]
NAMES = [*COLUMNS, *ONE_HOT, *NESTED, "category_tag.x", "anony", "judge", "tstamp", "question_id"]
TEXTS = [*WORDS, "model_a", "both_bad", "1", "-0.0", "1e999", "2025-02-30", "", "\x00", "true"]


def array(kind: pa.DataType, seeds: list[Any]) -> pa.Array:
    """An array of `kind` made from bytes: what they spell where they can, else null."""
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, array(kind.storage_type, seeds))
    if pa.types.is_dictionary(kind):
        return array(kind.value_type, seeds).dictionary_encode().cast(kind)
    width = 0 if pa.types.is_null(kind) or pa.types.is_nested(kind) else _width(kind)
    if width:
        raw = b"".join(seed.ljust(width, b"\x01")[:width] for seed in seeds)
        valid = pa.array([bool(seed) for seed in seeds]).buffers()[1]
        return pa.Array.from_buffers(kind, len(seeds), [valid, pa.py_buffer(raw)])
    if pa.types.is_nested(kind):
        return pa.array([_nested(kind, seed) for seed in seeds], kind)
    return pa.nulls(len(seeds), kind) if pa.types.is_null(kind) else _texts(kind, seeds)


def _width(kind: pa.DataType) -> int:
    try:
        return int(kind.bit_width) // 8
    except ValueError:
        return 0


def _texts(kind: pa.DataType, seeds: list[bytes]) -> pa.Array:
    if pa.types.is_boolean(kind):
        return pa.array([bool(seed) for seed in seeds])
    plain = pa.array([seed or None for seed in seeds], pa.binary())
    if pa.types.is_binary(kind) or pa.types.is_string(kind):
        return pa.Array.from_buffers(kind, len(seeds), plain.buffers())
    return pa.array([seed.decode(errors="replace") for seed in seeds]).cast(kind)


def _nested(kind: pa.DataType, seed: bytes) -> Any:
    if not seed:
        return None
    if pa.types.is_map(kind):
        return [("key", "value")]
    if pa.types.is_struct(kind):
        return {"model": None if pa.types.is_struct(kind.field(0).type) else "x"}
    return [None] * 2


SEEDS = st.lists(
    st.binary(max_size=16) | st.sampled_from([text.encode() for text in TEXTS]),
    min_size=1,
    max_size=9,
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.sampled_from([*FLAT_KINDS, *NESTED_KINDS]),
    SEEDS,
    st.booleans(),
    st.booleans(),
)
def test_whatever_type_a_column_has_only_our_error_comes_of_it(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    kind: pa.DataType,
    seeds: list[bytes],
    one_hot: bool,
    skip: bool,
) -> None:
    path = tmp_path_factory.getbasetemp() / "typed.parquet"
    columns = {key: (values * 3)[: len(seeds)] for key, values in THREE.items()}
    if one_hot:
        columns |= {mark: [mark == "winner_tie"] * len(seeds) for mark in ONE_HOT}
    try:
        pq.write_table(pa.table({**columns, name: array(kind, seeds)}), path)
    except pa.ArrowInvalid:
        reject()  # Parquet itself cannot hold this value.
    try:
        read = read_votes(path, skip_bad=skip)
    except VoteFileError as error:
        assert str(path) in str(error)
    else:
        assert len(Votes.from_arrow(read.table)) == read.table.num_rows
        write_votes(read.table, path)
        again = read_votes(path).table
        assert again.schema == read.table.schema
        assert again.to_pylist() == read.table.to_pylist()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(TEXTS)
    | st.text(st.sampled_from("x\ud800\x00é"), max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*NAMES, "category_tag.\ud800"]), st.lists(VALUES, min_size=1, max_size=4))
def test_whatever_json_holds_only_our_error_comes_of_it(
    tmp_path_factory: pytest.TempPathFactory, name: str, values: list[Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "typed.json"
    vote = {"model_a": "x", "model_b": "y", "winner": "tie"}
    path.write_text(json.dumps([vote | {name: value} for value in values]))
    try:
        read = read_votes(path, skip_bad=True)
    except VoteFileError as error:
        assert str(path) in str(error)
    else:
        assert len(Votes.from_arrow(read.table)) == len(read.table.to_pylist())
