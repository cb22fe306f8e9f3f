"""Taking files of votes in: whole, or not at all."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from arena.catalog.services import known_names
from arena.core.exceptions import ArenaError
from arena.core.jobs import Cancelled
from arena.core.storage import publish_file, temporary_in
from arena.integrity import files
from arena.integrity.chain import names_in, segment_add_file
from arena.integrity.exceptions import AlreadyImported, VotesRefused
from arena.integrity.models import Origin, Segment
from arena.integrity.parts import Parts, importing, parts_remove, parts_sweep
from ranking import RankingError
from ranking.io import Reject, VoteStream, VoteWriter, common_schema

Progress = Callable[[int, float], None]
"""Called with the rows read so far and the share of the work that is done, 0 to 1."""

# What converting a file takes of the whole work; the rest is writing the segment.
CONVERTING = 0.9
KEPT_WHEN_KILLED = timedelta(days=7)


@dataclass
class Tally:
    """What the votes of a file are: counts, names, times."""

    votes: int = 0
    names: set[str] = field(default_factory=set)
    excluded: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None

    def add(self, table: pa.Table) -> None:
        self.votes += table.num_rows
        self.names |= names_in(table)
        self.excluded += counts_of(table, "excluded")
        self.languages += counts_of(table, "language")
        if "timestamp" in table.column_names:
            span = pc.min_max(table["timestamp"]).as_py()
            self.first = min(filter(None, (self.first, span["min"])), default=None)
            self.last = max(filter(None, (self.last, span["max"])), default=None)


def counts_of(table: pa.Table, name: str) -> Counter[str]:
    """How often each text of a column occurs."""
    if name not in table.column_names:
        return Counter()
    counts = table[name].drop_null().value_counts()
    return Counter({entry["values"].as_py(): entry["counts"].as_py() for entry in counts})


@dataclass(frozen=True)
class Imported:
    """What became of a file; after a dry run, what would.

    segment: None after a dry run. contestants_added: how many names the catalog lacked.
    """

    name: str
    schema: str
    rows_read: int
    tally: Tally
    contestants_added: int
    rejects: tuple[Reject, ...]
    rejects_file: Path | None = None
    segment: Segment | None = None

    def reasons(self) -> Counter[str]:
        """How many rows were refused for each kind of reason."""
        return Counter(kind_of(reject.reason) for reject in self.rejects)

    def as_json(self) -> dict[str, Any]:
        tally = self.tally
        return {
            "file": self.name,
            "schema": self.schema,
            "rows_read": self.rows_read,
            "votes": tally.votes,
            "refused": len(self.rejects),
            "refused_by_reason": dict(self.reasons().most_common(100)),
            "excluded": dict(tally.excluded.most_common(100)),
            "contestants": len(tally.names),
            "contestants_added": self.contestants_added,
            "first_vote": tally.first.isoformat() if tally.first else None,
            "last_vote": tally.last.isoformat() if tally.last else None,
            "languages": dict(tally.languages.most_common(100)),
            "segment": self.segment.sha256 if self.segment else None,
        }


def kind_of(reason: str) -> str:
    """The reason without what is peculiar to its row."""
    if reason.startswith("unknown "):
        return reason
    reason = re.sub(r": '.*'$| \(.*\)$", "", reason)
    return re.sub(r"'.*'|(?<=line )\d+", "…", reason)


def votes_import(
    *,
    path: Path,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Make a file of votes a segment: whole, or not at all.

    With `skip_bad`, rows that cannot be used go to a rejects file and are counted. A dry run
    reads and reports, and writes nothing. What is converted is kept until the import ends, so
    that one whose process was killed goes on where it was. `progress` may raise to stop it.
    Raises VotesRefused; AlreadyImported where the same votes are part of the chain; and
    ImportRunning where another process has begun with the file.
    """
    report = progress or (lambda rows, share: None)
    source, seen = files.sha256_of(path), stamp(path)
    refuse_known(source, path)
    if dry_run:
        return dry(path, skip_bad, report)
    parts_sweep(timezone.now() - KEPT_WHEN_KILLED)
    with importing(source):
        try:
            imported = taken_in(path, source, seen, skip_bad, report)
        except (ArenaError, Cancelled, KeyboardInterrupt):
            parts_remove(source)
            raise
        except OSError as error:
            # A full disk stays full while the parts lie on it.
            parts_remove(source)
            why = error.strerror or error
            raise VotesRefused(f"{path.name}: {why}. Nothing was imported.") from error
        parts_remove(source)
    return imported


def dry(path: Path, skip_bad: bool, report: Progress) -> Imported:
    tally = Tally()
    with refusals():
        stream = VoteStream(path)
        for batch in stream.batches():
            tally.add(stream.take(batch).table)
            report(stream.rows_read, stream.share)
        rejects = stream.check(tally.votes, skip_bad)
    new = len(tally.names) - len(known_names(tally.names))
    return Imported(path.name, stream.schema, stream.rows_read, tally, new, rejects)


def taken_in(
    path: Path, source: str, seen: tuple[int, int], skip_bad: bool, report: Progress
) -> Imported:
    # Under the lock once more: another import of the file may just have ended.
    refuse_known(source, path)
    with refusals():
        stream = VoteStream(path)
        parts = converted(stream, source, report)
        if stamp(path) != seen:
            raise VotesRefused(f"{path.name} changed while it was read. Nothing was imported.")
        schema = common_schema(parts.schemas)
    with files.making(files.SEGMENTS) as made:
        with refusals():
            tally = written(stream, parts, made, schema, report)
            rejects = stream.check(tally.votes, skip_bad)
        with rejects_beside(rejects, path, source) as aside:
            segment, added = segment_add_file(
                made=made,
                rows=tally.votes,
                names=tally.names,
                origin=Origin.IMPORT,
                source_name=path.name[:255],
                source_sha256=source,
                source_schema=stream.schema,
                rejected=len(rejects),
            )
    return Imported(
        path.name, stream.schema, stream.rows_read, tally, added, rejects, aside, segment
    )


def converted(stream: VoteStream, source: str, report: Progress) -> Parts:
    """All batches of the file on the disk, of which some may be there from before."""
    parts = Parts(source)
    rows = sum(batch.rows for batch in parts)
    for batch in stream.batches(parts.mark):
        parts.add(batch)
        rows += batch.rows
        report(rows, CONVERTING * stream.share)
    return parts


def written(
    stream: VoteStream, parts: Parts, made: Path, schema: pa.Schema, report: Progress
) -> Tally:
    """Write the segment's file out of the parts."""
    tally = Tally()
    with VoteWriter(made, schema) as writer:
        for number, batch in enumerate(parts, start=1):
            table = stream.take(batch).table
            tally.add(table)
            writer.write(table)
            report(stream.rows_read, CONVERTING + (1 - CONVERTING) * number / len(parts))
    return tally


@contextmanager
def refusals() -> Iterator[None]:
    try:
        yield
    except RankingError as error:
        raise VotesRefused(f"{error} Nothing was imported.") from error


def stamp(path: Path) -> tuple[int, int]:
    """What changes when somebody writes to the file."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def refuse_known(source: str, path: Path) -> None:
    known = Segment.objects.filter(Q(source_sha256=source) | Q(sha256=source)).first()
    if known:
        before = f", as {known.source_name}" if known.source_name else ""
        raise AlreadyImported(f"{path.name} was imported before{before}; nothing was added.")


@contextmanager
def rejects_beside(rejects: tuple[Reject, ...], path: Path, source: str) -> Iterator[Path | None]:
    """A CSV of the rows that were left out, line and reason; None where there are none.

    It is written before what is done in the `with` statement, which may fail and then leaves
    none, and gets its name after it: a full disk does not cost the list of an import that stands.
    """
    if not rejects:
        yield None
        return
    final = Path(settings.VAR_DIR) / "rejects" / f"{path.stem}-{source[:12]}.csv"
    with temporary_in(final.parent, ".csv") as made:
        with made.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "reason"])
            writer.writerows((reject.line, reject.reason) for reject in rejects)
        yield final
        publish_file(made, final)


def import_path(name: str) -> Path:
    """A file of the import folder by its name, as strangers to the server's disk may give it.

    Raises VotesRefused for a name that leads anywhere else, also through a link.
    """
    folder = Path(settings.IMPORT_DIR).resolve()
    wrong = not name or "\0" in name or ".." in Path(name).parts or Path(name).is_absolute()
    path = folder if wrong else (folder / name).resolve()
    if wrong or not path.is_relative_to(folder):
        raise VotesRefused(f"'{name[:90]}' is no name of a file in the import folder.")
    if not path.is_file():
        raise VotesRefused(f"There is no file '{name[:90]}' in the import folder.")
    return path
