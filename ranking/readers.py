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

from ranking.arrow import settled
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
    wanted = [name for name in wanted_columns(header) if name not in _OBJECTS]
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
    table, faults = _gathered(path, reader, reader.schema, report)
    return Raw(
        schema,
        renamed(schema, table),
        lambda rows: _csv_lines(path, _logical(rows, [row for row, _ in bad])),
        faults,
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
        return next((row for row in csv.reader(stream) if row), [])


def _gathered(
    path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema, report: Progress
) -> tuple[pa.Table, dict[int, str]]:
    """One table of all the batches, answers' texts turned into style metrics, and its faults."""
    flat = [name for name in schema.names if name not in NESTED]
    taken, style, faults, rows = [], Columns(), {}, 0
    for batch in batches:
        if len(flat) < len(schema.names):
            for record in _records(path, batch):
                style.append(flatten(record))
        part, bad = settled(path, batch.select(flat))
        faults.update({rows + row: reason for row, reason in bad.items()})
        taken.append(part)
        rows += batch.num_rows
        report(rows)
    table = pa.Table.from_batches(taken, None if taken else pa.schema(map(schema.field, flat)))
    metrics, more = style.table()
    for name in metrics.column_names:
        if name not in flat:
            table = table.append_column(name, metrics.column(name))
    return table, more | faults


def _records(path: Path, batch: pa.RecordBatch) -> list[dict[str, Any]]:
    nested = batch.select([name for name in batch.schema.names if name in NESTED])
    try:
        records: list[dict[str, Any]] = nested.to_pylist()
    except (ValueError, LookupError, OverflowError, pa.ArrowException) as error:
        # Arrow holds values that Python cannot: times past 9999, structs with a name twice.
        message = f"{path}: {', '.join(nested.schema.names)} cannot be read ({error})."
        raise VoteFileError(message) from error
    return records


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
    if not file.metadata.num_rows:
        raise VoteFileError(f"{path}: holds no votes.")
    size = _BATCH if set(wanted) & set(NESTED) else 1 << 17
    batches = file.iter_batches(batch_size=size, columns=wanted)
    taken = pa.schema([file.schema_arrow.field(name) for name in wanted])
    table, faults = _gathered(path, batches, taken, report)
    return Raw(schema, renamed(schema, table), _after(1), faults)


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
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = decode(text, at)
        except json.JSONDecodeError as error:
            raise _broken(path, text, error.pos, error.msg) from error
        except (ValueError, RecursionError) as error:
            raise _broken(path, text, at, str(error)) from error
        yield line, value
        at = skip(text, at).end()
        if text[at : at + 1] == ",":
            at = skip(text, at + 1).end()
        elif text[at : at + 1] != "]":
            raise _broken(path, text, at, "a comma or a bracket is missing")
    if rest := text[at + 1 :].lstrip():
        raise _broken(path, text, len(text) - len(rest), "the array has ended before")


def _broken(path: Path, text: str, at: int, why: str) -> VoteFileError:
    """Says where an array is no JSON: what follows cannot be told apart, so none is taken."""
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    if not text[at:].strip():
        return VoteFileError(f"{path}: the JSON array breaks off after line {line}.")
    return VoteFileError(
        f"{path}: line {line}, column {column} is not valid JSON ({why}). "
        "Correct it; only JSON Lines can be read without its bad rows."
    )


READERS: dict[str, Callable[[Path, Progress], Raw]] = {
    "csv": _read_csv,
    "parquet": _read_parquet,
    "json": _read_json,
    "jsonl": _read_jsonl,
}
