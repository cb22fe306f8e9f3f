"""Files of votes in the field's formats: CSV, JSON, JSON Lines and Parquet.

Schemas (columns beyond these are carried when a vote table has them, else ignored):

  tiltyard    our own vote table (ranking.tables.COLUMNS)
  140k        model_a, model_b, winner with conv_metadata, conversations, category_tag, sessions
  100k        model_a, model_b, winner with question_id, judge or judge_hash, anony, tstamp
  55k         model_a, model_b, winner_model_a, winner_model_b, winner_tie
  plain       model_a, model_b, winner, optionally voter, worker or judge
  left_right  left, right, winner (left, right, tie, both_bad), optionally voter, worker or judge

The format is told from the content, not from the file's name. Names lose surrounding blanks, and
otherwise two spellings are two contestants. A vote that a 100k file marks as not anonymous is
read as excluded by the rule "named".
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ranking.errors import VoteFileError
from ranking.records import ALIASES, NESTED, ONE_HOT, Columns, flatten
from ranking.tables import CATEGORY, COLUMNS, normalise

SCHEMAS = {
    "tiltyard": "model_a, model_b, winner and any other column of Tiltyard's vote table",
    "140k": "model_a, model_b, winner, conv_metadata, … (Parquet, JSON, JSON Lines)",
    "100k": "model_a, model_b, winner, question_id, judge or judge_hash, tstamp",
    "55k": "model_a, model_b, winner_model_a, winner_model_b, winner_tie",
    "plain": "model_a, model_b, winner[, voter]",
    "left_right": "left, right, winner[, voter or worker or judge]",
}

_OURS = {"voter", "shown_first", "draw_probability", "pacing", "excluded", "tokens_a"}
_OF_100K = {"question_id", "judge", "judge_hash", "anony", "tstamp"}
_OF_140K = {"conv_metadata", "evaluation_session_id", "conversation_a", "category_tag"}
_SHOWN_REJECTS = 10
_BATCH = 2048

Progress = Callable[[int], None]


class Reject(NamedTuple):
    """A row that was not taken: its line (its row from 1 in Parquet) and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class VoteFile:
    """A file read: its schema, the vote table of the rows taken, and the rows refused."""

    schema: str
    table: pa.Table
    rejects: tuple[Reject, ...]
    rows_read: int


@dataclass(frozen=True, slots=True)
class _Raw:
    """Columns under the vote table's names, not yet checked, and the faults found so far.

    faults: index into the table's rows -> reason. lost: rows that never reached the table.
    line_of: turns indices of table rows into lines of the file.
    """

    schema: str
    table: pa.Table
    line_of: Callable[[list[int]], list[int]]
    faults: dict[int, str]
    lost: tuple[Reject, ...] = ()


def read_votes(
    path: str | Path, *, skip_bad: bool = False, progress: Progress | None = None
) -> VoteFile:
    """Read votes from a file in any of the accepted formats and schemas.

    progress is called with the number of rows read so far.
    Raises VoteFileError when the file is missing, empty, not UTF-8, of no accepted schema or
    damaged; and for any malformed row unless `skip_bad`, which lists such rows in `rejects`.
    """
    path = Path(path)
    report = progress or (lambda rows: None)
    try:
        raw = _READERS[_format(path)](path, report)
    except OSError as error:
        raise VoteFileError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise VoteFileError(_not_utf8(path)) from error
    except pa.ArrowException as error:
        utf8 = "UTF8" in str(error) or "utf-8" in str(error).lower()
        message = _not_utf8(path) if utf8 else f"{path}: is damaged ({error})."
        raise VoteFileError(message) from error
    return _checked(path, raw, skip_bad)


def _checked(path: Path, raw: _Raw, skip_bad: bool) -> VoteFile:
    normal = normalise(raw.table, sides=raw.schema == "left_right")
    faults = dict(sorted({**normal.faults, **raw.faults}.items()))
    table = normal.table
    if raw.faults:
        # Both kinds of fault remove rows of the same table, so filter the unfiltered one.
        keep = np.ones(raw.table.num_rows, dtype=bool)
        keep[list(faults)] = False
        table = normalise(raw.table.filter(pa.array(keep)), sides=raw.schema == "left_right").table
    lines = raw.line_of(list(faults)) if faults else []
    rejects = [Reject(*pair) for pair in zip(lines, faults.values(), strict=True)]
    rejects = sorted([*rejects, *raw.lost])
    rows = raw.table.num_rows + len(raw.lost)
    if rows == 0:
        raise VoteFileError(f"{path}: holds no votes.")
    if rejects and not skip_bad:
        raise VoteFileError(_rejection(path, rejects, rows), rejects=rejects)
    if table.num_rows == 0:
        message = f"{path}: none of its {rows:,} rows is a vote.\n{_listed(rejects)}"
        raise VoteFileError(message, rejects=rejects)
    return VoteFile(raw.schema, table, tuple(rejects), rows)


def _rejection(path: Path, rejects: list[Reject], rows: int) -> str:
    few = "1 row is" if len(rejects) == 1 else f"{len(rejects):,} rows are"
    return (
        f"{path}: {few} malformed, of {rows:,}.\n{_listed(rejects)}\n"
        "Correct the file, or leave such rows out with --skip-bad (skip_bad=True)."
    )


def _listed(rejects: list[Reject]) -> str:
    lines = [f"  line {reject.line}: {reject.reason}" for reject in rejects[:_SHOWN_REJECTS]]
    if len(rejects) > _SHOWN_REJECTS:
        lines.append(f"  … and {len(rejects) - _SHOWN_REJECTS:,} more")
    return "\n".join(lines)


def _not_utf8(path: Path) -> str:
    return f"{path}: is not UTF-8 text. Save it in UTF-8 and try again."


def _format(path: Path) -> str:
    if path.is_dir():
        raise VoteFileError(f"{path}: is a folder, not a file of votes.")
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise VoteFileError(_not_utf8(path))
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise VoteFileError(f"{path}: is empty.")
    return {b"[": "json", b"{": "jsonl"}.get(text[:1], "csv")


def _schema(path: Path, columns: Iterable[str]) -> str:
    """Which schema has these columns; raises VoteFileError listing the accepted ones."""
    have = set(columns)
    if {"model_a", "model_b", *ONE_HOT} <= have:
        return "55k"
    if {"left", "right", "winner"} <= have:
        return "left_right"
    if {"model_a", "model_b", "winner"} <= have:
        return _schema_of_pairs(have)
    accepted = "\n".join(f"  {name}: {about}" for name, about in SCHEMAS.items())
    found = ", ".join(sorted(have)[:12]) or "no columns"
    raise VoteFileError(f"{path}: no accepted schema has its columns ({found}).\n{accepted}")


def _schema_of_pairs(have: set[str]) -> str:
    if have & _OF_140K and not have & {"tstamp", "judge_hash"}:
        return "140k"
    if any(name.startswith(CATEGORY) for name in have) and not have & _OURS:
        return "140k"
    if have & {"question_id", "judge_hash", "anony", "tstamp"}:
        return "100k"
    return "tiltyard" if have & _OURS - {"voter"} else "plain"


def _wanted(columns: Iterable[str]) -> list[str]:
    """Columns of a file that carry something, in its order."""
    return [
        name
        for name in columns
        if ALIASES.get(name, name) in COLUMNS
        or name.startswith(CATEGORY)
        or name in (*NESTED, *ONE_HOT, "anony")
    ]


def _renamed(schema: str, table: pa.Table) -> pa.Table:
    """The table under the vote table's names, with the winner and exclusions made from theirs."""
    columns: dict[str, pa.ChunkedArray] = {}
    for name in table.column_names:
        columns.setdefault(ALIASES.get(name, name), table.column(name))
    if schema == "55k":
        columns["winner"] = _one_hot_winner(columns)
    if schema == "left_right":
        # In these files `id` names the prompt, not the vote.
        columns.pop("id", None)
    if "anony" in columns and "excluded" not in columns:
        columns["excluded"] = _named(columns["anony"])
    kept = {n: c for n, c in columns.items() if n in COLUMNS or n.startswith(CATEGORY)}
    return pa.table(kept)


def _one_hot_winner(columns: dict[str, pa.ChunkedArray]) -> pa.Array:
    """Outcome words from three 0/1 columns; a row without exactly one 1 says what it has."""
    marks = [_words(columns[name]) for name in ONE_HOT]
    ones = [np.isin(mark, ["1", "1.0", "true", "True"]) for mark in marks]
    choice = np.select(ones, list(ONE_HOT.values()), default="")
    single = np.sum(ones, axis=0) == 1
    zeros = np.sum([np.isin(mark, ["0", "0.0", "false", "False"]) for mark in marks], axis=0)
    clear = single & (zeros == len(marks) - 1)
    stated = np.array(["/".join(row) for row in zip(*marks, strict=True)], dtype=object)
    return pa.array(np.where(clear, choice.astype(object), stated), pa.string())


def _words(column: pa.ChunkedArray) -> Any:
    return pc.cast(column, pa.string()).fill_null("").to_numpy().astype(str)


def _named(anonymous: pa.ChunkedArray) -> pa.ChunkedArray:
    words = pc.utf8_lower(pc.cast(anonymous, pa.string()))
    named = pc.is_in(words, value_set=pa.array(["false", "0"]))
    return pc.if_else(named, pa.scalar("named"), pa.scalar(None, pa.string()))


def _read_csv(path: Path, report: Progress) -> _Raw:
    header = _csv_header(path)
    schema = _schema(path, header)
    wanted = [name for name in _wanted(header) if name not in ("conv_metadata", "category_tag")]
    bad: list[tuple[int, str]] = []

    def refuse(row: pacsv.InvalidRow) -> str:
        bad.append((row.number - 2, f"{row.actual_columns} fields, not {row.expected_columns}"))
        return "skip"

    reader = pacsv.open_csv(
        path,
        read_options=pacsv.ReadOptions(use_threads=False, block_size=1 << 24),
        parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=refuse),
        convert_options=pacsv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=False,
        ),
    )
    table = _with_style(_gather(reader, report))
    return _Raw(
        schema,
        _renamed(schema, table),
        lambda rows: _csv_lines(path, _logical(rows, [row for row, _ in bad])),
        {},
        tuple(map(Reject, _csv_lines(path, [row for row, _ in bad]), (why for _, why in bad))),
    )


def _csv_header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = next((row for row in csv.reader(stream) if row), [])
    twice = [name for name in header if header.count(name) > 1 and _wanted([name])]
    if twice:
        raise VoteFileError(f"{path}: has two columns named {twice[0]!r}. Keep one.")
    return header


def _gather(batches: Iterable[pa.RecordBatch], report: Progress) -> pa.Table:
    taken, rows, schema = [], 0, getattr(batches, "schema", None)
    for batch in batches:
        taken.append(batch)
        rows += batch.num_rows
        report(rows)
    return pa.Table.from_batches(taken, schema)


def _with_style(table: pa.Table) -> pa.Table:
    """Style metrics from columns of answers' text, which are then dropped."""
    texts = [name for name in table.column_names if name in NESTED]
    if not texts:
        return table
    columns = Columns()
    for batch in table.select(texts).to_batches(_BATCH):
        for record in batch.to_pylist():
            columns.append(flatten(record))
    style = columns.table()[0]
    table = table.drop_columns(texts)
    for name in style.column_names:
        table = table.append_column(name, style.column(name))
    return table


def _logical(rows: list[int], lost: list[int]) -> list[int]:
    """Data rows of the file (from 0) of table rows, given the data rows that were lost."""
    logical, skipped, gone = [], 0, sorted(lost)
    for row in sorted(rows):
        while skipped < len(gone) and gone[skipped] <= row + skipped:
            skipped += 1
        logical.append(row + skipped)
    return logical


def _csv_lines(path: Path, rows: list[int]) -> list[int]:
    """First line of each given data row, blank lines and line ends inside quotes counted."""
    wanted, lines = set(rows), {}
    limit = csv.field_size_limit(1 << 30)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader, start, index = csv.reader(stream), 1, -2
            for row in reader if wanted else ():
                index += bool(row)
                if row and index in wanted:
                    lines[index] = start
                start = reader.line_num + 1
    finally:
        csv.field_size_limit(limit)
    # Arrow and the csv module may count rows differently only where quoting is broken.
    return [lines.get(row, row + 2) for row in rows]


def _read_parquet(path: Path, report: Progress) -> _Raw:
    file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    schema, wanted = _schema(path, names), _wanted(names)
    batches = file.iter_batches(batch_size=1 << 17, columns=wanted)
    if not set(wanted) & set(NESTED):
        taken = file.schema_arrow.empty_table().select(wanted).schema
        table = pa.Table.from_batches(_reported(batches, report), taken)
        return _Raw(schema, _renamed(schema, table), _after(1), {})
    records = (
        record
        for batch in file.iter_batches(batch_size=_BATCH, columns=wanted)
        for record in batch.to_pylist()
    )
    return _collected(schema, records, _after(1), report)


def _reported(batches: Iterable[pa.RecordBatch], report: Progress) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        report(rows)
        yield batch


def _after(first: int) -> Callable[[list[int]], list[int]]:
    return lambda rows: [row + first for row in rows]


def _collected(
    schema: str,
    records: Iterable[dict[str, Any]],
    line_of: Callable[[list[int]], list[int]],
    report: Progress,
) -> _Raw:
    columns, rows = Columns(), 0
    for rows, record in enumerate(records, start=1):
        columns.append(flatten(record))
        if rows % _BATCH == 0:
            report(rows)
    report(rows)
    table, faults = columns.table()
    return _Raw(schema, _renamed(schema, _complete(table, schema)), line_of, faults)


def _complete(table: pa.Table, schema: str) -> pa.Table:
    """Required columns that no record had, all null, so that each row is refused for it."""
    needed = ["model_a", "model_b", *(ONE_HOT if schema == "55k" else ["winner"])]
    for name in needed:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return table


def _read_jsonl(path: Path, report: Progress) -> _Raw:
    lines: list[int] = []
    lost: list[Reject] = []

    def records() -> Iterator[dict[str, Any]]:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.strip():
                    continue
                record = _parsed(line)
                if isinstance(record, dict):
                    lines.append(number)
                    yield record
                else:
                    lost.append(Reject(number, record))

    schema, rest = _peeked(path, records())
    raw = _collected(schema, rest, lambda rows: [lines[row] for row in rows], report)
    return replace(raw, lost=tuple(lost))


def _parsed(line: str) -> dict[str, Any] | str:
    """The object on a line, or why it holds none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"not valid JSON ({error})"
    return record if isinstance(record, dict) else "not a JSON object"


def _peeked(path: Path, records: Iterator[dict[str, Any]]) -> tuple[str, Iterator[dict[str, Any]]]:
    """The schema by the first records' keys, and all the records again."""
    first = [record for record, _ in zip(records, range(100), strict=False)]
    schema = _schema(path, {key for record in first for key in record})

    def again() -> Iterator[dict[str, Any]]:
        yield from first
        yield from records

    return schema, again()


def _read_json(path: Path, report: Progress) -> _Raw:
    text = path.read_text(encoding="utf-8-sig")
    lines: list[int] = []
    lost: list[Reject] = []

    def records() -> Iterator[dict[str, Any]]:
        for line, value in _elements(path, text):
            if isinstance(value, dict):
                lines.append(line)
                yield value
            else:
                lost.append(Reject(line, "not a JSON object"))

    schema, rest = _peeked(path, records())
    raw = _collected(schema, rest, lambda rows: [lines[row] for row in rows], report)
    return replace(raw, lost=tuple(lost))


def _elements(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Elements of a JSON array one by one with the line each starts on."""
    decode, skip = json.JSONDecoder().raw_decode, json.decoder.WHITESPACE.match  # type: ignore[attr-defined]
    at, line, counted = skip(text, text.index("[") + 1).end(), 1, 0
    while at < len(text) and text[at] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = decode(text, at)
        except (ValueError, RecursionError) as error:
            raise VoteFileError(f"{path}: line {line} is not valid JSON ({error}).") from error
        yield line, value
        at = skip(text, at).end()
        if text[at : at + 1] not in (",", "]"):
            raise VoteFileError(f"{path}: the JSON array breaks off after line {line}.")
        if text[at] == ",":
            at = skip(text, at + 1).end()


_READERS: dict[str, Callable[[Path, Progress], _Raw]] = {
    "csv": _read_csv,
    "parquet": _read_parquet,
    "json": _read_json,
    "jsonl": _read_jsonl,
}


def write_votes(table: pa.Table, path: str | Path) -> None:
    """Write a vote table as Parquet, in the order of its columns that COLUMNS gives.

    Raises VoteFileError when the file cannot be written.
    """
    known = [name for name in COLUMNS if name in table.column_names]
    tags = [name for name in table.column_names if name.startswith(CATEGORY)]
    try:
        pq.write_table(table.select([*known, *tags]), path, compression="zstd")
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror or error})."
        raise VoteFileError(message) from error
