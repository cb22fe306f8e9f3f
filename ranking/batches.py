"""What the readers hand on: checked votes in batches, and where to go on after each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from ranking.arrays import IndexArray
from ranking.columns import normalise
from ranking.schemas import renamed
from ranking.tables import CATEGORY, COLUMNS


class Mark(NamedTuple):
    """How far a file is read: its rows, and in JSON the byte and the line after them."""

    rows: int = 0
    offset: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True)
class VoteBatch:
    """Some rows of a file: those taken as a vote table, and why the others are not.

    places: of each row taken, where the file has it; the reader turns places into lines.
    faults: place -> reason. rows: how many were read. mark: where the next batch begins.
    """

    table: pa.Table
    places: IndexArray
    faults: Mapping[int, str]
    rows: int
    mark: Mark


class RawBatch(NamedTuple):
    """Some rows as they were read: a table, the place of each row, and what is wrong so far.

    faults: row of the table -> reason. lost: place -> reason of rows that no table holds.
    """

    table: pa.Table
    places: IndexArray
    faults: Mapping[int, str]
    lost: Mapping[int, str]
    mark: Mark


class Reader(Protocol):
    """A file in one of the formats."""

    schema: str
    share: float
    """How much of the file the latest pass has read: 0 to 1."""

    def batches(self, after: Mark) -> Iterator[VoteBatch]:
        """Its votes; from a mark on the same batches as without."""

    def lines(self, places: Iterable[int]) -> dict[int, int]:
        """The line of each place."""


def checked(schema: str, raw: RawBatch) -> VoteBatch:
    """The batch of rows read from a file of that schema."""
    table = renamed(schema, raw.table)
    normal = normalise(table, sides=schema == "left_right", known=raw.faults)
    kept = np.ones(table.num_rows, dtype=bool)
    kept[list(normal.faults)] = False
    faults = {int(raw.places[row]): reason for row, reason in normal.faults.items()}
    rows = table.num_rows + len(raw.lost)
    return VoteBatch(normal.table, raw.places[kept], {**faults, **raw.lost}, rows, raw.mark)


def common_schema(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """The schema that vote tables of these schemas can all be brought to by `conformed`.

    A tag that is of several kinds is text, and one that is null everywhere a boolean.
    """
    kinds: dict[str, set[pa.DataType]] = {}
    for schema in schemas:
        for field in schema:
            kinds.setdefault(field.name, set()).add(field.type)
    known = [(name, kind) for name, kind in COLUMNS.items() if name in kinds]
    tags = [(name, _tag_kind(kinds[name])) for name in kinds if name.startswith(CATEGORY)]
    return pa.schema([*known, *tags])


def _tag_kind(kinds: set[pa.DataType]) -> pa.DataType:
    kinds = kinds - {pa.null()}
    if not kinds:
        return pa.bool_()
    return next(iter(kinds)) if len(kinds) == 1 else pa.string()


def conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly the columns of a schema, null where it has none of them."""
    columns = [
        _cast(table[field.name], field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if column.type != kind and pa.types.is_dictionary(kind):
        column = column.cast(pa.string()).dictionary_encode()
    return column.cast(kind)
