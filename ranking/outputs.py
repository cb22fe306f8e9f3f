"""Results as files: JSON, and standings as CSV and Parquet in the field's column names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ranking.errors import VoteFileError
from ranking.result import Leaderboard, StyleMovement

_STANDINGS = {
    "model_name": pa.string(),
    "rating": pa.float64(),
    "rating_lower": pa.float64(),
    "rating_upper": pa.float64(),
    "vote_count": pa.int64(),
    "rank": pa.int64(),
    "rank_lower": pa.int64(),
    "rank_upper": pa.int64(),
}
_MOVED = {
    "raw_rank": pa.int64(),
    "raw_rating": pa.float64(),
    "moved_ranks": pa.int64(),
    "moved_rating": pa.float64(),
    "moved_half": pa.float64(),
}


def as_json(data: Any) -> str:
    """The text of a JSON file."""
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def standings_table(board: Leaderboard, moved: StyleMovement | None = None) -> pa.Table:
    """The placed contestants in order of rank; with `moved` also where they stood without control.

    moved_ranks is positive up; moved_half is half the width of the movement's interval.
    """
    rows: list[dict[str, Any]] = [
        {
            "model_name": standing.contestant,
            "rating": standing.rating,
            "rating_lower": standing.rating_lower,
            "rating_upper": standing.rating_upper,
            "vote_count": standing.votes,
            "rank": standing.rank,
            "rank_lower": standing.rank_lower,
            "rank_upper": standing.rank_upper,
        }
        for standing in board.standings
    ]
    if moved is None:
        return pa.Table.from_pylist(rows, pa.schema(_STANDINGS))
    extra = _moved(moved)
    rows = [row | extra[row["model_name"]] for row in rows]
    return pa.Table.from_pylist(rows, pa.schema(_STANDINGS | _MOVED))


def _moved(moved: StyleMovement) -> dict[str, dict[str, Any]]:
    raw = {standing.contestant: standing for standing in moved.raw.standings}
    return {
        movement.contestant: {
            "raw_rank": raw[movement.contestant].rank,
            "raw_rating": raw[movement.contestant].rating,
            "moved_ranks": movement.ranks,
            "moved_rating": movement.rating,
            "moved_half": (movement.upper - movement.lower) / 2.0,
        }
        for movement in moved.movements
    }


def as_csv(table: pa.Table) -> str:
    """The text of a CSV file; names that a spreadsheet would run as formulas get an apostrophe."""
    text = io.StringIO()
    writer = csv.DictWriter(text, table.column_names, lineterminator="\n")
    writer.writeheader()
    for row in table.to_pylist():
        writer.writerow(row | {"model_name": _unformula(row["model_name"])})
    return text.getvalue()


def _unformula(name: str) -> str:
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def write_text(path: Path, text: str) -> None:
    """Write a file. Raises VoteFileError when it cannot be written."""
    _writing(path, lambda: path.write_text(text, encoding="utf-8", newline="\n"))


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table. Raises VoteFileError when it cannot be written."""
    _writing(path, lambda: pq.write_table(table, path, compression="zstd"))


def _writing(path: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror or error})."
        raise VoteFileError(message) from error
