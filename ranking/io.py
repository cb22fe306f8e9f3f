"""Files of votes in the field's formats: CSV, JSON, JSON Lines and Parquet.

Schemas (columns beyond these are carried when a vote table has them, else ignored):

  tiltyard    our own vote table (ranking.tables.COLUMNS)
  140k        model_a, model_b, winner with conv_metadata, conversations, category_tag, sessions
  100k        model_a, model_b, winner with question_id, judge or judge_hash, anony, tstamp
  55k         model_a, model_b, winner_model_a, winner_model_b, winner_tie
  plain       model_a, model_b, winner, optionally voter, worker or judge
  left_right  left, right, winner (left, right, tie, both_bad), optionally voter, worker or judge
  counts      model_a, model_b, wins, losses, ties, optionally both_bad; or as JSON
              {"models": [names], "X": [[index, index]], "Y": [[wins, losses, ties, both bad]]}

Each may be packed as gz or zst. Format and packing are told from the content, not from the file's
name. A column that differs from a known one in case or surrounding blanks only, or holds a type of
no use there, is refused by its name. Names lose surrounding blanks, and otherwise two spellings
are two contestants. A vote that a 100k file marks as not anonymous is read as excluded by the rule
"named". A vote whose id another vote of the file had before it is refused.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ranking.batches import Mark, VoteBatch, common_schema, conformed
from ranking.errors import VoteFileError
from ranking.readers import reader_of
from ranking.repeats import Ids
from ranking.streams import MAX_BYTES, not_utf8, source_of

__all__ = [
    "Mark",
    "Progress",
    "Reject",
    "VoteBatch",
    "VoteFile",
    "VoteStream",
    "VoteWriter",
    "common_schema",
    "read_votes",
    "write_votes",
]

Progress = Callable[[int], None]

_SHOWN_REJECTS = 10
_MOST_REJECTS = 1_000_000
_GROUP_ROWS = 1 << 17


class Reject(NamedTuple):
    """A row that was not taken, and why.

    line: its line; in Parquet its row from 1, in counts per pair as JSON its pair from 1.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class VoteFile:
    """A file read: its schema, the vote table of the rows taken, and the rows refused."""

    schema: str
    table: pa.Table
    rejects: tuple[Reject, ...]
    rows_read: int


class VoteStream:
    """A file of votes, read in batches whose size does not depend on the file's.

    Every method raises VoteFileError where the file is missing, empty, not UTF-8, of no accepted
    schema, damaged, or unpacks to more than `max_bytes`.
    """

    def __init__(self, path: str | Path, *, max_bytes: int = MAX_BYTES) -> None:
        self.path = Path(path)
        with _errors_of(self.path):
            self._reader = reader_of(source_of(self.path, max_bytes))
        self.schema = self._reader.schema
        self.rows_read = 0
        self._ids = Ids()
        self._faults: dict[int, str] = {}
        self._repeats: dict[int, tuple[str, int]] = {}

    @property
    def share(self) -> float:
        """How much of the file has been read: 0 to 1."""
        return self._reader.share

    def batches(self, after: Mark = Mark()) -> Iterator[VoteBatch]:  # noqa: B008 - immutable
        """The votes as they stand in the file, after a mark that an earlier batch bore.

        The same file gives the same batches. Rows are checked one by one, and not yet against
        each other: that is what `take` is for.
        """
        with _errors_of(self.path):
            yield from self._reader.batches(after)

    def take(self, batch: VoteBatch) -> VoteBatch:
        """The batch without votes whose id was there before; its refused rows are noted.

        Every batch of the file goes through here once and in order.
        Raises VoteFileError when a million rows have been refused.
        """
        self.rows_read += batch.rows
        self._faults |= batch.faults
        batch = self._without_repeats(batch)
        if len(self._faults) + len(self._repeats) > _MOST_REJECTS:
            raise VoteFileError(
                f"{self.path}: more than {_MOST_REJECTS:,} of its first {self.rows_read:,} rows "
                "are malformed. It is not the file of votes that it seems to be."
            )
        return batch

    def rejects(self) -> tuple[Reject, ...]:
        """Why rows of the batches taken were refused, by line."""
        places = {*self._faults, *self._repeats, *(first for _, first in self._repeats.values())}
        with _errors_of(self.path):
            lines = self._reader.lines(places)
        found = [Reject(lines[place], reason) for place, reason in self._faults.items()]
        for place, (name, first) in self._repeats.items():
            reason = f"id {name[:60]!r} is that of line {lines[first]} too"
            found.append(Reject(lines[place], reason))
        return tuple(sorted(found))

    def check(self, taken: int, skip_bad: bool) -> tuple[Reject, ...]:
        """The rejects of the whole file, of which `taken` rows were taken, if it can be used.

        Raises VoteFileError where it holds no votes, or rows were refused unless `skip_bad`.
        """
        if self.rows_read == 0:
            raise VoteFileError(f"{self.path}: holds no votes.")
        rejects = self.rejects()
        if rejects and not skip_bad:
            message = _rejection(self.path, rejects, self.rows_read)
            raise VoteFileError(message, rejects=rejects)
        if not taken:
            message = f"{self.path}: none of its {self.rows_read:,} rows is a vote."
            raise VoteFileError(f"{message}\n{_listed(rejects)}", rejects=rejects)
        return rejects

    def _without_repeats(self, batch: VoteBatch) -> VoteBatch:
        if "id" not in batch.table.column_names:
            return batch
        ids = batch.table["id"]
        repeats = self._ids.repeats(ids, batch.places)
        if not repeats:
            return batch
        for row, first in repeats.items():
            self._repeats[int(batch.places[row])] = (ids[row].as_py(), first)
        kept = np.ones(batch.table.num_rows, dtype=bool)
        kept[list(repeats)] = False
        table = batch.table.filter(pa.array(kept))
        return VoteBatch(table, batch.places[kept], batch.faults, batch.rows, batch.mark)


def read_votes(
    path: str | Path,
    *,
    skip_bad: bool = False,
    progress: Progress | None = None,
    max_bytes: int = MAX_BYTES,
) -> VoteFile:
    """Read votes from a file in any of the accepted formats and schemas.

    progress is called with the number of rows read so far. max_bytes bounds what a packed file
    may unpack to. Raises VoteFileError when the file is missing, empty, not UTF-8, of no accepted
    schema or damaged; and for any malformed row unless `skip_bad`, which lists such rows in
    `rejects`.
    """
    stream = VoteStream(path, max_bytes=max_bytes)
    report = progress or (lambda rows: None)
    tables: list[pa.Table] = []
    for batch in stream.batches():
        tables.append(stream.take(batch).table)
        report(stream.rows_read)
    rejects = stream.check(sum(map(len, tables)), skip_bad)
    schema = common_schema(table.schema for table in tables)
    whole = pa.concat_tables([conformed(table, schema) for table in tables])
    return VoteFile(stream.schema, whole.unify_dictionaries(), rejects, stream.rows_read)


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """Whatever goes wrong with the file is said in our terms."""
    try:
        yield
    except OSError as error:
        raise VoteFileError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise VoteFileError(not_utf8(path)) from error
    except (pa.ArrowException, csv.Error) as error:
        raise VoteFileError(_damage(path, str(error))) from error


def _damage(path: Path, error: str) -> str:
    if "UTF8" in error or "utf-8" in error.lower():
        return not_utf8(path)
    if "straddling" in error:
        return f"{path}: has a row of more than 16 MB, or a quote that is opened and never closed."
    return f"{path}: is damaged ({error})."


def _rejection(path: Path, rejects: tuple[Reject, ...], rows: int) -> str:
    few = "1 row is" if len(rejects) == 1 else f"{len(rejects):,} rows are"
    return (
        f"{path}: {few} malformed, of {rows:,}.\n{_listed(rejects)}\n"
        "Correct the file, or leave such rows out with --skip-bad (skip_bad=True)."
    )


def _listed(rejects: tuple[Reject, ...]) -> str:
    lines = [f"  line {reject.line}: {reject.reason}" for reject in rejects[:_SHOWN_REJECTS]]
    if len(rejects) > _SHOWN_REJECTS:
        lines.append(f"  … and {len(rejects) - _SHOWN_REJECTS:,} more")
    return "\n".join(lines)


class VoteWriter:
    """Writes vote tables one after another to a Parquet file, when used in a `with` statement.

    The file's bytes depend on the votes and the columns alone, not on how votes were batched.
    """

    def __init__(self, path: str | Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._file = pq.ParquetWriter(path, schema, compression="zstd")
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        if kind is None:
            self._write(pa.concat_tables([*self._waiting, self._schema.empty_table()]))
        self._file.close()

    def write(self, table: pa.Table) -> None:
        """Add votes, brought to the file's columns by `conformed`."""
        self._waiting.append(conformed(table, self._schema))
        self._rows += table.num_rows
        if self._rows >= _GROUP_ROWS:
            whole = pa.concat_tables(self._waiting)
            full = self._rows - self._rows % _GROUP_ROWS
            for start in range(0, full, _GROUP_ROWS):
                self._write(whole.slice(start, _GROUP_ROWS))
            self._waiting, self._rows = [whole.slice(full)], self._rows - full

    def _write(self, group: pa.Table) -> None:
        columns = [_afresh(group[name]) for name in group.column_names]
        self._file.write_table(pa.table(columns, schema=self._schema))


def _afresh(column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece, its dictionary in the order in which its rows name the words."""
    if not pa.types.is_dictionary(column.type):
        return column.combine_chunks()
    words = column.cast(pa.string()).combine_chunks()
    return words.dictionary_encode().cast(column.type)


def write_votes(table: pa.Table, path: str | Path) -> None:
    """Write a vote table as Parquet, in the order of its columns that COLUMNS gives.

    Raises VoteFileError when the file cannot be written.
    """
    try:
        with VoteWriter(path, common_schema([table.schema])) as writer:
            writer.write(table)
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror or error})."
        raise VoteFileError(message) from error
