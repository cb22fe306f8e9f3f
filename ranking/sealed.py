"""Votes at rest: files that never change, and exclusions that are applied on reading them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ranking.arrays import IndexArray
from ranking.errors import SnapshotError
from ranking.snapshots import NATIVE, Exclusions, SegmentEntry
from ranking.spec import RankingSpec
from ranking.tables import CATEGORY, COLUMNS, FEATURES

FITTED_COLUMNS = frozenset(
    {"model_a", "model_b", "winner", "voter", "shown_first", "pacing", "excluded", *FEATURES}
)
"""What a fit needs of a vote; the rest is carried for those who read the files."""

PUBLISHED_COLUMNS = FITTED_COLUMNS | {
    *("draw_probability", "flags", "timestamp", "language", "is_code", "prompt_id"),
}
"""What a whole publication needs, beside the categories."""


@dataclass(frozen=True, slots=True)
class SealedVotes:
    """The votes of some segments, and the excluded names that none of them bears."""

    table: pa.Table
    unknown: tuple[str, ...]


def columns_for(spec: RankingSpec) -> frozenset[str]:
    """The columns that a fit with this spec reads."""
    extra = {
        "draw_probability": spec.weights == "draw_probability",
        "timestamp": spec.half_life_days is not None,
    }
    return FITTED_COLUMNS | {name for name, needed in extra.items() if needed}


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sealed(
    entries: Sequence[SegmentEntry],
    exclusions: Exclusions,
    find: Callable[[str], Path],
    columns: Collection[str] = FITTED_COLUMNS,
    *,
    categories: bool = False,
) -> SealedVotes:
    """The votes of all entries, in their order, those excluded marked by their rule.

    find: where the file of a SHA-256 is. categories: whether the tags are read too. Raises
    SnapshotError for one that cannot be read.
    """
    rows, ids = _by_what_they_name(exclusions)
    tables = []
    for entry in entries:
        with_ids = entry.origin == NATIVE and bool(ids)
        wanted = {*columns, "id"} if with_ids else columns
        table = _read(find(entry.sha256), wanted, categories)
        with_ids = with_ids and "id" in table.column_names
        named = rows.pop(entry.sha256, {})
        rules = {row: rule for row, rule in named.items() if row < table.num_rows}
        if len(rules) < len(named):
            rows[entry.sha256] = {row: rule for row, rule in named.items() if row not in rules}
        if with_ids:
            rules |= {row: ids.pop(name) for name, row in rows_of_ids(table, ids).items()}
            table = table.drop_columns(["id"] if "id" not in columns else [])
        tables.append(with_exclusions(table, rules))
    joined = pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
    left = [f"{file}:{row}" for file, named in rows.items() for row in named]
    return SealedVotes(joined, (*ids, *left))


def ids_at(path: Path, rows: Collection[int]) -> dict[int, str]:
    """What the votes in these rows of a file are called; only the groups of rows that hold them
    are read. Raises OSError, and SnapshotError for a file that names no votes."""
    found: dict[int, str] = {}
    with pq.ParquetFile(path) as file:
        if "id" not in file.schema_arrow.names:
            raise SnapshotError(f"{path.name} has no column id.")
        begin = 0
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            here = [row for row in rows if begin <= row < end]
            if here:
                ids = file.read_row_group(group, columns=["id"]).column("id")
                found |= {row: str(ids[row - begin].as_py()) for row in here}
            begin = end
    return found


def _by_what_they_name(
    exclusions: Exclusions,
) -> tuple[dict[str, dict[int, str]], dict[str, str]]:
    """Rules by file and row, and rules by id."""
    rows: dict[str, dict[int, str]] = {}
    ids: dict[str, str] = {}
    for rule, names in exclusions.items():
        for name in names:
            file, _, row = name.partition(":")
            if file == "n":
                ids[name] = rule
            else:
                rows.setdefault(file, {})[int(row)] = rule
    return rows, ids


def why_no_votes(schema: pa.Schema) -> str | None:
    """What keeps a file of this schema from being one of sealed votes, None where nothing does.

    Every such file was written with the types of COLUMNS, so no other is ever converted.
    """
    for name in ("model_a", "model_b", "winner"):
        if name not in schema.names:
            return f"it has no column {name}"
    for field in schema:
        if schema.names.count(field.name) > 1:
            return f"it has two columns {field.name}"
        if field.type != COLUMNS.get(field.name, field.type):
            return f"its column {field.name} is {field.type!s:.80}, not {COLUMNS[field.name]}"
    return None


def _read(path: Path, columns: Collection[str], categories: bool) -> pa.Table:
    try:
        file = pq.ParquetFile(path)
        if why := why_no_votes(file.schema_arrow):
            raise SnapshotError(f"{path}: is no file of votes ({why}).")
        names = file.schema_arrow.names
        tags = [name for name in names if categories and name.startswith(CATEGORY)]
        return file.read([*(name for name in names if name in columns), *tags])
    except (OSError, pa.ArrowException) as error:
        raise SnapshotError(f"{path}: cannot be read as a file of votes ({error}).") from error


def rows_of_ids(table: pa.Table, names: Iterable[str]) -> dict[str, int]:
    """The row, from 0, of each name that the table's column `id` holds."""
    wanted = list(names)
    ids = table["id"].combine_chunks()
    rows = pc.index_in(pa.array(wanted, pa.string()), value_set=ids).to_pylist()
    return {name: row for name, row in zip(wanted, rows, strict=True) if row is not None}


def with_exclusions(table: pa.Table, rules: Mapping[int, str]) -> pa.Table:
    """The table with the rule of each excluded row, from 0, in its column `excluded`."""
    if not rules:
        return table
    rows: IndexArray = np.array(sorted(rules))
    mask = np.zeros(table.num_rows, dtype=bool)
    mask[rows] = True
    kind = COLUMNS["excluded"]
    named = pa.array([rules[row] for row in rows.tolist()], kind)
    if "excluded" not in table.column_names:
        nothing = pa.nulls(table.num_rows, kind)
        return table.append_column("excluded", pc.replace_with_mask(nothing, mask, named))
    before = table["excluded"].cast(kind).combine_chunks()
    after = pc.replace_with_mask(before, pa.array(mask), named)
    return table.set_column(table.column_names.index("excluded"), "excluded", after)
