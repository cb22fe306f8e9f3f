"""Files of votes packed, large, counted, repeated: read in batches, and bounded."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from ranking import VoteFileError, record_readers, streams, table_readers
from ranking.io import Mark, Reject, VoteBatch, VoteStream, VoteWriter, common_schema, read_votes
from ranking.repeats import Ids

Write = Callable[..., Path]
Pack = Callable[[bytes], bytes]

PACKINGS = {"plain": bytes, "gz": gzip.compress, "zst": zstandard.compress}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str | bytes, name: str = "votes") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def vote(number: int, **more: Any) -> dict[str, Any]:
    pair = {"model_a": f"m{number % 7}", "model_b": f"m{number % 7 + 1}", "winner": "tie"}
    return {"id": f"é{number}", **pair, **more}


def as_lines(votes: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in votes).encode()


def as_array(votes: list[dict[str, Any]]) -> bytes:
    return json.dumps(votes, ensure_ascii=False, indent=1).encode()


def as_csv(votes: list[dict[str, Any]]) -> bytes:
    rows = [",".join(map(str, one.values())) for one in votes]
    return "\n".join([",".join(votes[0]), *rows]).encode()


def as_parquet(votes: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(votes), out, row_group_size=30)
    return out.getvalue()


FORMATS = {"jsonl": as_lines, "json": as_array, "csv": as_csv, "parquet": as_parquet}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few rows, so that a small file has many."""
    monkeypatch.setattr(record_readers, "_BATCH_ROWS", 10)
    monkeypatch.setattr(record_readers, "_WINDOW_BYTES", 1 << 8)
    monkeypatch.setattr(table_readers, "_BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(table_readers, "_FLAT_ROWS", 10)


# -- Packing ---------------------------------------------------------------------------------


def test_a_file_that_begins_with_a_skippable_frame(write: Write) -> None:
    """As parallel packers write it."""
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    packed = skipped + zstandard.compress(as_csv([vote(1), vote(2)]))

    assert read_votes(write(packed)).rows_read == 2


@pytest.mark.parametrize("inner", [gzip.compress, zstandard.compress, lambda b: b"PK\x03\x04" + b])
def test_a_file_packed_twice_is_said_to_be(write: Write, inner: Pack) -> None:
    with pytest.raises(VoteFileError, match="packed twice"):
        read_votes(write(gzip.compress(inner(as_csv([vote(1)])))))


def test_a_header_without_end_is_not_read_whole(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_readers, "_BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(streams, "_BUFFER", 1 << 10)
    read = []
    monkeypatch.setattr(
        streams, "refuse_bomb", lambda path, unpacked, *limits: read.append(unpacked)
    )
    with pytest.raises(VoteFileError):
        read_votes(write(gzip.compress(b"x," * (1 << 19))))

    assert max(read) < 1 << 17


def test_a_quote_that_is_never_closed(write: Write, small: None) -> None:
    rows = b"\n".join(as_csv([vote(n) for n in range(200)]).splitlines()[1:])
    with pytest.raises(VoteFileError, match="quote that is opened and never closed"):
        read_votes(write(b'id,model_a,model_b,winner\n"' + rows))


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
@pytest.mark.parametrize("spell", FORMATS.values(), ids=FORMATS)
def test_every_format_in_every_packing(write: Write, spell: Any, pack: Pack) -> None:
    read = read_votes(write(pack(spell([vote(number) for number in range(50)]))))

    assert read.table["id"].to_pylist() == [f"é{number}" for number in range(50)]
    assert read.rows_read == 50


def test_packed_pieces_one_after_another_are_one_file(write: Write) -> None:
    halves = [as_lines([vote(number) for number in part]) for part in (range(5), range(5, 9))]
    for pack in (gzip.compress, zstandard.compress):
        assert read_votes(write(b"".join(map(pack, halves)))).rows_read == 9


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("spell", FORMATS.values(), ids=FORMATS)
def test_a_packed_file_that_breaks_off(write: Write, spell: Any, pack: Pack) -> None:
    whole = pack(spell([vote(number) for number in range(500)]))

    with pytest.raises(VoteFileError, match="breaks off: its packed bytes end too early"):
        read_votes(write(whole[:-20]), skip_bad=True)


def test_a_packed_file_that_is_damaged(write: Write) -> None:
    whole = gzip.compress(as_lines([vote(number) for number in range(500)]))

    with pytest.raises(VoteFileError, match="is damaged"):
        read_votes(write(whole[:-8] + bytes(8)))


def test_a_bomb_is_named_before_it_fills_anything(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = write(gzip.compress(as_array([vote(1)]) + b" " * 3_000_000))
    with pytest.raises(VoteFileError, match=r"unpacks to more than 1,000,000 bytes.*max_bytes"):
        read_votes(bomb, max_bytes=1_000_000)

    monkeypatch.setattr(streams, "_FREE_BYTES", 1_000_000)
    with pytest.raises(VoteFileError, match="200 times its size"):
        read_votes(bomb)


def test_archives_are_to_be_unpacked_first(write: Write) -> None:
    with pytest.raises(VoteFileError, match=r"is a ZIP archive\. Unpack it"):
        read_votes(write(b"PK\x03\x04 and so on"))


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
@pytest.mark.parametrize("spell", [as_lines, as_csv])
def test_the_line_of_another_encoding_is_named(write: Write, spell: Any, pack: Pack) -> None:
    text = spell([vote(number) for number in range(5)]).replace("é3".encode(), b"\xe93")
    line = 4 if spell is as_lines else 5

    with pytest.raises(VoteFileError, match=f"line {line} is not UTF-8 text"):
        read_votes(write(pack(text)), skip_bad=True)


# -- Batches ---------------------------------------------------------------------------------


def batches_of(path: Path, after: Mark = Mark()) -> list[VoteBatch]:  # noqa: B008
    return list(VoteStream(path).batches(after))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("spell", FORMATS.values(), ids=FORMATS)
def test_reading_goes_on_after_any_batch(write: Write, spell: Any) -> None:
    votes = [vote(number, tokens_a=-1 if number % 9 == 5 else 3) for number in range(150)]
    path = write(spell(votes))
    whole = batches_of(path)
    assert len(whole) > 2

    for done in range(len(whole)):
        rest = batches_of(path, whole[done].mark)
        assert [batch.mark for batch in rest] == [batch.mark for batch in whole[done + 1 :]]
        for again, first in zip(rest, whole[done + 1 :], strict=True):
            assert again.table.equals(first.table)
            assert (again.places.tolist(), again.faults) == (first.places.tolist(), first.faults)


@pytest.mark.usefixtures("small")
def test_lines_hold_across_batches(write: Write) -> None:
    rows = [f"m{number},n,tie" for number in range(500)]
    for bad, row in {3: "x,y", 200: "x,x,tie", 201: '"x\ny",z,tie', 499: "x,y"}.items():
        rows[bad] = row
    path = write("model_a,model_b,winner\n\n" + "\n".join(rows))

    lines = [reject.line for reject in read_votes(path, skip_bad=True).rejects]
    assert lines == [6, 203, 204, 503]


def test_no_vote_is_lost_behind_the_first_hundred(write: Write) -> None:
    assert read_votes(write(as_lines([vote(number) for number in range(103)]))).rows_read == 103


@pytest.mark.usefixtures("small")
def test_a_tag_may_be_of_another_kind_in_every_batch(write: Write) -> None:
    kinds: list[Any] = [None] * 12 + [1.0] * 12 + [True] * 12 + ["no"] * 3
    votes = [vote(n, category_tag={"if": {"score": kind}}) for n, kind in enumerate(kinds)]
    column = read_votes(write(as_lines(votes))).table["category_tag.if.score"]

    assert column.to_pylist() == [None] * 12 + ["1"] * 12 + ["true"] * 12 + ["no"] * 3


def test_times_may_be_written_either_way(write: Write) -> None:
    votes = [vote(1, timestamp=1718000000.5), vote(2, timestamp="2024-06-10T06:13:20.5Z")]
    first, second = read_votes(write(as_lines(votes))).table["timestamp"].to_pylist()

    assert first == second


def test_a_record_without_end_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_readers, "LONGEST_RECORD", 1 << 20)
    monkeypatch.setattr(record_readers, "_WINDOW_BYTES", 1 << 10)
    endless = '{"model_a": "' + "x" * (3 << 20)
    for text in (endless, "[\n" + endless):
        with pytest.raises(VoteFileError, match=r"line \d begins a record of more than 1 MB"):
            read_votes(write(text))


def test_the_bytes_written_do_not_tell_how_votes_were_batched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ranking.io._GROUP_ROWS", 20)
    source = tmp_path / "votes"
    source.write_bytes(as_lines([vote(number) for number in range(90)]))
    table = read_votes(source).table
    written = []
    for size in (7, 20, 90):
        path = tmp_path / f"{size}.parquet"
        with VoteWriter(path, common_schema([table.schema])) as writer:
            for start in range(0, 90, size):
                writer.write(table.slice(start, size))
        written.append(path.read_bytes())

    assert written[0] == written[1] == written[2]
    assert pq.read_table(path).to_pylist() == table.to_pylist()


# -- Ids that occur twice --------------------------------------------------------------------


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("spell", FORMATS.values(), ids=FORMATS)
def test_an_id_that_occurs_twice_names_both_lines(write: Write, spell: Any) -> None:
    path = write(spell([vote(number) for number in [*range(40), 3, 40, 40, 3]]))
    stream = read_votes(path, skip_bad=True)
    first_line = {as_lines: 1, as_array: 2, as_csv: 2, as_parquet: 1}[spell]
    per_vote = 6 if spell is as_array else 1

    def line(row: int) -> int:
        return first_line + row * per_vote

    assert stream.rejects == (
        Reject(line(40), f"id 'é3' is that of line {line(3)} too"),
        Reject(line(42), f"id 'é40' is that of line {line(41)} too"),
        Reject(line(43), f"id 'é3' is that of line {line(3)} too"),
    )
    assert len(set(stream.table["id"].to_pylist())) == stream.table.num_rows == 41
    with pytest.raises(VoteFileError, match="3 rows are malformed, of 44"):
        read_votes(path)


def test_an_array_on_one_line_hides_none_of_its_bad_rows(write: Write) -> None:
    votes = [vote(1), vote(1), 5, vote(2, winner="?"), vote(3, winner="?"), vote(2), vote(1)]
    read = read_votes(write(json.dumps(votes)), skip_bad=True)

    assert (read.rows_read, read.table.num_rows) == (7, 2)
    assert len(read.rejects) == 5


def test_ids_are_remembered_over_many_batches() -> None:
    seen, ids = Ids(), np.random.default_rng(1).integers(0, 3_000, 5_000)
    first: dict[int, int] = {}
    for start in range(0, 5_000, 37):
        part = ids[start : start + 37].tolist()
        places = np.arange(start, start + len(part))
        found = seen.repeats(pa.chunked_array([[str(one) for one in part]]), places)

        expected = {}
        for row, one in enumerate(part):
            if first.setdefault(one, start + row) != start + row:
                expected[row] = first[one]
        assert found == expected


def test_votes_without_an_id_repeat_nothing(write: Write) -> None:
    text = "id,model_a,model_b,winner\n,x,y,tie\n,x,y,tie\n"

    assert read_votes(write(text)).rejects == ()


# -- Counts per pair -------------------------------------------------------------------------

COUNTS = {"models": ["x", "y", "z"], "X": [[0, 1], [2, 0]], "Y": [[2, 1, 0, 1], [0, 0, 3, 0]]}
EXPANDED = [
    *[("x", "y", "model_a")] * 2,
    ("x", "y", "model_b"),
    ("x", "y", "both_bad"),
    *[("z", "x", "tie")] * 3,
]


def outcomes(table: pa.Table) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for row in table.to_pylist()]


def test_counts_as_json(write: Write) -> None:
    read = read_votes(write(json.dumps(COUNTS, indent=2)))

    assert (read.schema, read.rows_read) == ("counts", 7)
    assert outcomes(read.table) == EXPANDED


def test_counts_as_csv(write: Write) -> None:
    head = "model_a,model_b,wins,losses,ties"
    with_bad = write(gzip.compress(f"{head},both_bad\nx,y,2,1,0,1\nz,x,0,0,3,0\n".encode()))
    assert outcomes(read_votes(with_bad).table) == EXPANDED

    without = write(f"{head}\nx,y,2,1,0\n")
    assert outcomes(read_votes(without).table) == EXPANDED[:3]


def test_counts_of_the_field(real_votes: Path) -> None:
    batches = VoteStream(real_votes / "chatbotarena_20240814.json").batches()

    assert sum(batch.table.num_rows for batch in batches) == 1_670_250


def test_bad_counts_are_named(write: Write) -> None:
    text = "model_a,model_b,wins,losses,ties\nx,y,1,1,1\nx,y,-1,1,1\nx,x,1,1,1\nx,y,1,,1\nx\n"
    read = read_votes(write(text), skip_bad=True)
    assert read.rejects == (
        Reject(3, "wins is not a whole number: '-1'"),
        Reject(4, "'x' is set against itself"),
        Reject(5, "losses is not a whole number: ''"),
        Reject(6, "1 fields, not 5"),
    )
    assert read.table.num_rows == 3

    pairs = {"X": [[0, 1], [0, 3], [1, 1]], "Y": [[1, 1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]]}
    read = read_votes(write(json.dumps(COUNTS | pairs)), skip_bad=True)
    assert [reject.line for reject in read.rejects] == [2, 3]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"models": ["x"], "X": [], "Y": []}, "holds no votes"),
        ({"models": ["x"], "X": [[0, 0]], "Y": []}, "'X' has 1 pairs and 'Y' 0"),
        ({"models": "x", "X": [], "Y": []}, "'models' is no list"),
        ({"models": [1], "X": [], "Y": []}, "no text"),
        (COUNTS | {"models": ["ant", "bee", "\ud800"]}, "holds something that is no text"),
        (COUNTS | {"Y": [[10**14, 0, 0, 0], [1, 0, 0, 0]]}, "its counts are 100,000,000,000,001"),
    ],
)
def test_counts_that_cannot_be_read_say_why(write: Write, counts: Any, message: str) -> None:
    with pytest.raises(VoteFileError, match=message):
        read_votes(write(json.dumps(counts)))


def test_our_own_columns_are_kept(write: Write) -> None:
    ours = {"revision_a": "r1", "revision_b": "r2", "answer_sha256_a": "0a", "flags": "identity_a"}
    read = read_votes(write(as_lines([vote(1, **ours)])))

    assert read.schema == "tiltyard"
    assert {name: read.table[name][0].as_py() for name in ours} == ours
