"""Readers of the file formats: each gives raw columns, the faults so far, and lines of rows."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ranking.errors import VoteFileError
from ranking.records import NESTED, ONE_HOT, Columns, flatten
from ranking.schemas import renamed, schema_of, wanted_columns

Progress = Callable[[int], None]

_BATCH = 2048
_OBJECTS = ("conv_metadata", "category_tag")


class Reject(NamedTuple):
    """A row that was not taken: its line (its row from 1 in Parquet) and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Raw:
    """Columns under the vote table's names, not yet checked, and the faults found so far.

    faults: index into the table's rows -> reason. lost: rows that never reached the table.
    line_of: turns indices of table rows into lines of the file.
    """

    schema: str
    table: pa.Table
    line_of: Callable[[list[int]], list[int]]
    faults: dict[int, str]
    lost: tuple[Reject, ...] = ()


def _read_csv(path: Path, report: Progress) -> Raw:
    _check_utf8(path)
    header = _csv_header(path)
    schema = schema_of(path, header)
    wanted = [
        name for name in wanted_columns(header) if name not in ("conv_metadata", "category_tag")
    ]
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
    return Raw(
        schema,
        renamed(schema, table),
        lambda rows: _csv_lines(path, _logical(rows, [row for row, _ in bad])),
        {},
        tuple(map(Reject, _csv_lines(path, [row for row, _ in bad]), (why for _, why in bad))),
    )


def _check_utf8(path: Path) -> None:
    """Raise UnicodeDecodeError for a file that is not UTF-8: Arrow looks at some columns only."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 24):
            decoder.decode(chunk)
    decoder.decode(b"", final=True)


def _csv_header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = next((row for row in csv.reader(stream) if row), [])
    twice = [name for name in header if header.count(name) > 1 and wanted_columns([name])]
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


def _read_parquet(path: Path, report: Progress) -> Raw:
    file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    schema, wanted = schema_of(path, names), wanted_columns(names)
    batches = file.iter_batches(batch_size=1 << 17, columns=wanted)
    if not set(wanted) & set(NESTED):
        taken = file.schema_arrow.empty_table().select(wanted).schema
        table = pa.Table.from_batches(_reported(batches, report), taken)
        return Raw(schema, renamed(schema, table), _after(1), {})
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
) -> Raw:
    columns, rows = Columns(), 0
    for rows, record in enumerate(records, start=1):
        columns.append(flatten(record))
        if rows % _BATCH == 0:
            report(rows)
    report(rows)
    table, faults = columns.table()
    return Raw(schema, renamed(schema, _complete(table, schema)), line_of, faults)


def _complete(table: pa.Table, schema: str) -> pa.Table:
    """Required columns that no record had, all null, so that each row is refused for it."""
    needed = ["model_a", "model_b", *(ONE_HOT if schema == "55k" else ["winner"])]
    for name in needed:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return table


def _read_jsonl(path: Path, report: Progress) -> Raw:
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
    schema = schema_of(path, {key for record in first for key in record})

    def again() -> Iterator[dict[str, Any]]:
        yield from first
        yield from records

    return schema, again()


def _read_json(path: Path, report: Progress) -> Raw:
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


READERS: dict[str, Callable[[Path, Progress], Raw]] = {
    "csv": _read_csv,
    "parquet": _read_parquet,
    "json": _read_json,
    "jsonl": _read_jsonl,
}
