"""Files of votes in the field's formats: CSV, JSON, JSON Lines and Parquet.

Schemas (columns beyond these are carried when a vote table has them, else ignored):

  tiltyard    our own vote table (ranking.tables.COLUMNS)
  140k        model_a, model_b, winner with conv_metadata, conversations, category_tag, sessions
  100k        model_a, model_b, winner with question_id, judge or judge_hash, anony, tstamp
  55k         model_a, model_b, winner_model_a, winner_model_b, winner_tie
  plain       model_a, model_b, winner, optionally voter, worker or judge
  left_right  left, right, winner (left, right, tie, both_bad), optionally voter, worker or judge

The format is told from the content, not from the file's name. A column that differs from a known
one in case or surrounding blanks only, or holds a type of no use there, is refused by its name.
Names lose surrounding blanks, and otherwise two spellings are two contestants. A vote that a 100k
file marks as not anonymous is read as excluded by the rule "named".
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ranking.columns import normalise
from ranking.errors import VoteFileError
from ranking.readers import READERS, Progress, Raw, Reject
from ranking.tables import CATEGORY, COLUMNS

__all__ = ["Progress", "Reject", "VoteFile", "read_votes", "write_votes"]

_SHOWN_REJECTS = 10


@dataclass(frozen=True, slots=True)
class VoteFile:
    """A file read: its schema, the vote table of the rows taken, and the rows refused."""

    schema: str
    table: pa.Table
    rejects: tuple[Reject, ...]
    rows_read: int


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
        return _checked(path, READERS[_format(path)](path, report), skip_bad)
    except OSError as error:
        raise VoteFileError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise VoteFileError(_not_utf8(path)) from error
    except (pa.ArrowException, csv.Error) as error:
        utf8 = "UTF8" in str(error) or "utf-8" in str(error).lower()
        message = _not_utf8(path) if utf8 else f"{path}: is damaged ({error})."
        raise VoteFileError(message) from error


def _checked(path: Path, raw: Raw, skip_bad: bool) -> VoteFile:
    normal = normalise(raw.table, sides=raw.schema == "left_right", known=raw.faults)
    table, faults = normal.table, normal.faults
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
