"""Results as files: JSON, and tables as CSV and Parquet, in the field's column names if it has any.

All tables name a contestant `model_name`, and count `moved_ranks` positive up.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ranking.calibration import Calibration
from ranking.errors import VoteFileError
from ranking.influence import Fragility
from ranking.io import write_votes
from ranking.ledger import Ledger, LedgerRow
from ranking.path import Attribution
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


def path_table(attributions: Sequence[Attribution], controls: Sequence[str]) -> pa.Table:
    """What control of style moved, in the controlled order.

    Per control `<control>_rating`, its points, and `<control>_difference`, by how many of its
    scales the contestant's answers exceed those they met.
    """
    schema = {
        "model_name": pa.string(),
        "rating": pa.float64(),
        "rank": pa.int64(),
        "raw_rating": pa.float64(),
        "raw_rank": pa.int64(),
        "moved_ranks": pa.int64(),
        "moved_rating": pa.float64(),
    }
    for control in controls:
        schema |= {f"{control}_rating": pa.float64(), f"{control}_difference": pa.float64()}
    rows = []
    for entry in attributions:
        row: dict[str, Any] = {
            "model_name": entry.contestant,
            "rating": entry.controlled,
            "rank": entry.controlled_rank,
            "raw_rating": entry.raw,
            "raw_rank": entry.raw_rank,
            "moved_ranks": entry.ranks,
            "moved_rating": entry.rating,
        }
        for term in entry.terms:
            row[f"{term.control}_rating"] = term.rating
            row[f"{term.control}_difference"] = term.difference
        rows.append(row)
    return pa.Table.from_pylist(rows, pa.schema(schema))


def ledger_table(ledger: Ledger) -> pa.Table:
    """What moved since, by rank on the later board.

    Per cause `<letter>_ranks` (a decimal; the JSON has the exact fraction) and `<letter>_rating`,
    null for who entered or left. Causes that cannot be told apart share the columns of all their
    letters.
    """
    schema = {
        "model_name": pa.string(),
        "status": pa.string(),
        "rank_before": pa.int64(),
        "rank_after": pa.int64(),
        "rating_before": pa.float64(),
        "rating_after": pa.float64(),
        "moved_ranks": pa.int64(),
        "moved_rating": pa.float64(),
    }
    causes = ["".join(ledger.causes)] if ledger.joint and ledger.causes else ledger.causes
    for cause in causes:
        schema |= {f"{cause}_ranks": pa.float64(), f"{cause}_rating": pa.float64()}
    return pa.Table.from_pylist([_ledger_row(row) for row in ledger.rows], pa.schema(schema))


def _ledger_row(row: LedgerRow) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "model_name": row.contestant,
        "status": row.status,
        "rank_before": row.rank_before,
        "rank_after": row.rank_after,
        "rating_before": row.rating_before,
        "rating_after": row.rating_after,
        "moved_ranks": row.ranks,
        "moved_rating": row.rating,
    }
    for term in row.terms:
        cells[f"{term.cause}_ranks"] = float(term.ranks)
        cells[f"{term.cause}_rating"] = term.rating
    return cells


def fragility_table(found: Sequence[Fragility]) -> pa.Table:
    """How few votes or voters turn each order; `before` and `after` are the leader's points."""
    schema = {
        "model_name": pa.string(),
        "opponent": pa.string(),
        "unit": pa.string(),
        "before": pa.float64(),
        "fewest": pa.int64(),
        "share": pa.float64(),
        "predicted": pa.int64(),
        "after": pa.float64(),
    }
    rows = [
        {
            "model_name": one.contestant,
            "opponent": one.opponent,
            "unit": one.unit,
            "before": one.before,
            "fewest": one.fewest,
            "share": one.share,
            "predicted": one.predicted,
            "after": one.after,
        }
        for one in found
    ]
    return pa.Table.from_pylist(rows, pa.schema(schema))


def reliability_table(found: Calibration) -> pa.Table:
    """The reliability curve, a row per bin; the folds and scores are in the JSON only."""
    schema = {
        "predicted": pa.float64(),
        "observed": pa.float64(),
        "lower": pa.float64(),
        "upper": pa.float64(),
        "votes": pa.int64(),
    }
    return pa.Table.from_pylist([asdict(one) for one in found.reliability], pa.schema(schema))


def as_csv(table: pa.Table) -> str:
    """The text of a CSV file; names that a spreadsheet would run as formulas get an apostrophe."""
    text = io.StringIO()
    writer = csv.DictWriter(text, table.column_names, lineterminator="\n")
    writer.writeheader()
    for row in table.to_pylist():
        writer.writerow({name: _unformula(value) for name, value in row.items()})
    return text.getvalue()


def _unformula(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def write_text(path: Path, text: str) -> None:
    """Write a file. Raises VoteFileError when it cannot be written."""
    _writing(path, lambda: path.write_text(text, encoding="utf-8", newline="\n"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file. Raises VoteFileError when it cannot be written."""
    _writing(path, lambda: path.write_bytes(content))


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table. Raises VoteFileError when it cannot be written."""
    _writing(path, lambda: pq.write_table(table, path, compression="zstd"))


def write_simulated(path: Path, table: pa.Table) -> None:
    """Write a vote table as .parquet, .csv or .jsonl, whichever the name ends in.

    Raises VoteFileError for another ending and when the file cannot be written.
    """
    check_votes_path(path)
    _writing(path, lambda: _VOTE_WRITERS[path.suffix.lower()](table, path))


def check_votes_path(path: Path) -> None:
    """Ask before the work whether votes can be written; VoteFileError says why not."""
    if path.suffix.lower() not in _VOTE_WRITERS:
        known = ", ".join(_VOTE_WRITERS)
        raise VoteFileError(f"{path}: votes are written as one of {known}.")
    check_writable(path)


def _write_votes_csv(table: pa.Table, path: Path) -> None:
    pacsv.write_csv(_plain(table), path)


def _write_votes_jsonl(table: pa.Table, path: Path) -> None:
    """A vote per line, its time as ISO 8601."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for batch in _plain(table).to_batches(max_chunksize=1 << 14):
            for row in batch.to_pylist():
                row["timestamp"] = row["timestamp"].isoformat()
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def _plain(table: pa.Table) -> pa.Table:
    """The table with names and choices as text."""
    kinds = [
        pa.field(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(kinds))


_VOTE_WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".parquet": write_votes,
    ".csv": _write_votes_csv,
    ".jsonl": _write_votes_jsonl,
}


def check_writable(path: Path) -> None:
    """Ask before the work whether its result can be written; VoteFileError says why not."""
    reason = None
    if path.is_dir():
        reason = "it is a folder"
    elif not path.parent.is_dir():
        reason = f"there is no folder {path.parent}"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        reason = "permission denied"
    if reason:
        raise VoteFileError(f"{path}: cannot be written ({reason}).")


def _writing(path: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror or error})."
        raise VoteFileError(message) from error
