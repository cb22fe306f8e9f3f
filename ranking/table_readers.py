"""Readers of votes in rows and columns: CSV, and Parquet, flat or nested."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ranking.arrays import IndexArray
from ranking.arrow import settled
from ranking.batches import Mark, RawBatch, VoteBatch, checked
from ranking.errors import VoteFileError
from ranking.records import NESTED, Columns, flatten
from ranking.schemas import schema_of, wanted_columns
from ranking.streams import Source, Unpacked, refuse_bomb

_BLOCK_BYTES = 1 << 24
_FLAT_ROWS = 1 << 17
_NESTED_ROWS, _NESTED_BYTES = 1 << 11, 1 << 25
_OBJECTS = ("conv_metadata", "category_tag")

# The limit is the process's: raised once, because around each reading another thread, which may be
# reading meanwhile, would see it fall.
csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))


class TableReader:
    """Votes as rows of a table, or counts per pair."""

    schema: str
    share = 0.0

    def batches(self, after: Mark) -> Iterator[VoteBatch]:
        for raw in self.raw(after):
            yield checked(self.schema, raw)

    def raw(self, after: Mark) -> Iterator[RawBatch]:
        """The rows as they stand in the file, not yet checked."""
        raise NotImplementedError

    def lines(self, places: Iterable[int]) -> dict[int, int]:
        """The line of each place."""
        raise NotImplementedError


class CsvReader(TableReader):
    """CSV with a header. A place is the number of the data row, from 0."""

    def __init__(self, source: Source) -> None:
        self._source = source
        header = self._first_row()
        self.schema = schema_of(source.path, header)
        self._wanted = [n for n in wanted_columns(self.schema, header) if n not in _OBJECTS]

    def raw(self, after: Mark) -> Iterator[RawBatch]:
        bad: list[tuple[int, str]] = []

        def refuse(row: pacsv.InvalidRow) -> str:
            why = f"{row.actual_columns} fields, not {row.expected_columns}"
            bad.append((row.number - 2, why))
            return "skip"

        start, lost = 0, 0
        with self._source.open() as stream:
            reader = self._parsed(stream, refuse)
            for batch in reader:
                self.share = stream.share
                places = _places(start, batch.num_rows, bad)
                start += batch.num_rows
                # Arrow reads ahead: some of the bad rows belong to later batches.
                here = [row for row in bad[lost:] if places.size and row[0] < places[-1]]
                lost += len(here)
                if start + lost > after.rows:
                    table, faults = _flattened(self._source, batch)
                    yield RawBatch(table, places, faults, dict(here), Mark(start + lost))
        rest = dict(bad[lost:])
        if rest and start + len(bad) > after.rows:
            none = reader.schema.empty_table().select(self._flat)
            yield RawBatch(none, _places(0, 0, []), {}, rest, Mark(start + len(bad)))

    def lines(self, places: Iterable[int]) -> dict[int, int]:
        """First line of each data row, blank lines and line ends inside quotes counted."""
        wanted, lines = set(places), {}
        with self._text() as text:
            reader, start, index = csv.reader(text), 1, -2
            for row in reader if wanted else ():
                index += bool(row)
                if row and index in wanted:
                    lines[index] = start
                start = reader.line_num + 1
        # Arrow and the csv module may count rows differently only where quoting is broken.
        return {place: lines.get(place, place + 2) for place in wanted}

    @property
    def _flat(self) -> list[str]:
        return [name for name in self._wanted if name not in NESTED]

    def _first_row(self) -> list[str]:
        # Arrow wants the header in the first block too; a file without line ends has no other.
        with self._text() as text:
            first = io.StringIO(text.read(_BLOCK_BYTES), newline="")
            return next((row for row in csv.reader(first) if row), [])

    def _text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(self._source.open(), encoding="utf-8-sig", newline="")

    def _parsed(self, stream: Unpacked, refuse: Any) -> pacsv.CSVStreamingReader:
        return pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=refuse),
            convert_options=pacsv.ConvertOptions(
                include_columns=self._wanted,
                column_types=dict.fromkeys(self._wanted, pa.string()),
                strings_can_be_null=False,
            ),
        )


def _places(start: int, rows: int, lost: list[tuple[int, str]]) -> IndexArray:
    """Data rows of the file (from 0) of table rows from `start` on, given those that were lost."""
    taken = np.arange(start, start + rows)
    before = np.array([row for row, _ in lost], dtype=np.intp) - np.arange(len(lost))
    return taken + np.searchsorted(before, taken, side="right")


class ParquetReader(TableReader):
    """Parquet, flat or nested. A place is the number of the row, from 1."""

    def __init__(self, source: Source) -> None:
        self._source = source
        with self._open() as file:
            names, metadata = file.schema_arrow.names, file.metadata
        self.schema = schema_of(source.path, names)
        self._wanted = wanted_columns(self.schema, names)
        self._rows: int = metadata.num_rows
        groups = map(metadata.row_group, range(metadata.num_row_groups))
        self._bytes: int = sum(group.total_byte_size for group in groups)
        refuse_bomb(source.path, self._bytes, source.path.stat().st_size, source.max_bytes)

    def raw(self, after: Mark) -> Iterator[RawBatch]:
        start = 0
        with self._open() as file:
            for batch in file.iter_batches(batch_size=self._batch_rows, columns=self._wanted):
                mark = Mark(start + batch.num_rows)
                self.share = mark.rows / self._rows
                if mark.rows > after.rows:
                    table, faults = _flattened(self._source, batch)
                    places = np.arange(start + 1, mark.rows + 1)
                    yield RawBatch(table, places, faults, {}, mark)
                start = mark.rows

    def lines(self, places: Iterable[int]) -> dict[int, int]:
        return {place: place for place in places}

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        # A buffer has Arrow read a column piece by piece, not a row group at once.
        with self._source.seekable() as file, pq.ParquetFile(file, buffer_size=1 << 20) as parquet:
            yield parquet

    @property
    def _batch_rows(self) -> int:
        if not set(self._wanted) & set(NESTED):
            return _FLAT_ROWS
        per_row = self._bytes // max(self._rows, 1) + 1
        return min(_NESTED_ROWS, _NESTED_BYTES // per_row + 1)


def _flattened(source: Source, batch: pa.RecordBatch) -> tuple[pa.Table, dict[int, str]]:
    """A batch without its nested columns, their answers turned into style metrics."""
    flat = [name for name in batch.schema.names if name not in NESTED]
    part, faults = settled(source.path, batch.select(flat))
    table = pa.Table.from_batches([part])
    if len(flat) == len(batch.schema.names):
        return table, faults
    style = Columns()
    for record in _records(source, batch):
        style.append(flatten(record))
    metrics, more = style.table()
    for name in metrics.column_names:
        if name not in flat:
            table = table.append_column(name, metrics.column(name))
    return table, more | faults


def _records(source: Source, batch: pa.RecordBatch) -> list[dict[str, Any]]:
    nested = batch.select([name for name in batch.schema.names if name in NESTED])
    try:
        records: list[dict[str, Any]] = nested.to_pylist()
    except (ValueError, LookupError, OverflowError, pa.ArrowException) as error:
        # Arrow holds values that Python cannot: times past 9999, structs with a name twice.
        message = f"{source.path}: {', '.join(nested.schema.names)} cannot be read ({error})."
        raise VoteFileError(message) from error
    return records
