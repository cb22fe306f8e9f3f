"""Taking votes in, and handing them out as files."""

import csv
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from arena.battles.selectors import votes_existing
from arena.catalog.services import contestants_archive
from arena.core.exceptions import BadInput
from arena.core.locks import lock_writes
from arena.core.services import audit
from arena.core.storage import publish_file, temporary_in
from arena.integrity.exceptions import AlreadyImported, VotesRefused
from arena.integrity.models import Exclusion, Origin, Segment
from arena.integrity.selectors import chain_head, segment_path, votes_read
from ranking import RankingError
from ranking.io import Reject, VoteFile, read_votes, write_votes

Progress = Callable[[int], None]
NAME = re.compile(r"n:(?P<id>\d{1,18})|(?P<sha>[0-9a-f]{64}):(?P<row>\d{1,12})")


@dataclass(frozen=True)
class Imported:
    """What became of a file: its segment, and the rows that were left out of it."""

    segment: Segment
    contestants_added: int
    rejects: tuple[Reject, ...]
    rejects_file: Path | None


def votes_import(
    *, path: Path, skip_bad: bool = False, progress: Progress | None = None
) -> Imported:
    """Make a file of votes a segment: whole, or not at all.

    With `skip_bad`, rows that cannot be used go to a rejects file and are counted. Raises
    VotesRefused, or AlreadyImported where the same file is part of the chain.
    """
    source = sha256_of(path)
    refuse_known(source, path)
    file = read(path, skip_bad, progress)
    if not file.table.num_rows:
        raise VotesRefused(f"{path.name} holds no vote that can be used. Nothing was imported.")
    segment, added = segment_add(
        table=file.table,
        origin=Origin.IMPORT,
        source_name=path.name[:255],
        source_sha256=source,
        source_schema=file.schema,
        rejected=len(file.rejects),
    )
    return Imported(segment, added, file.rejects, write_rejects(file.rejects, path, source))


def read(path: Path, skip_bad: bool, progress: Progress | None) -> VoteFile:
    try:
        return read_votes(path, skip_bad=skip_bad, progress=progress)
    except RankingError as error:
        raise VotesRefused(f"{error} Nothing was imported.") from error


def sha256_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from error


def refuse_known(source: str, path: Path) -> None:
    known = Segment.objects.filter(source_sha256=source).first()
    if known:
        raise AlreadyImported(
            f"{path.name} was imported before, as {known.source_name}; nothing was added."
        )


def segment_add(
    *,
    table: pa.Table,
    origin: Origin,
    source_name: str,
    source_sha256: str | None = None,
    source_schema: str = "",
    rejected: int = 0,
) -> tuple[Segment, int]:
    """Append `table` to the chain as one immutable file; also how many contestants it added.

    The file is on the disk before the row that names it, so the chain never names a missing
    file; a crash between the two leaves a file that no row names, and nothing else.
    """
    folder = Path(settings.SEGMENTS_DIR)
    with temporary_in(folder, ".parquet") as made:
        write_votes(table, made)
        sha256 = sha256_of(made)
        publish_file(made, segment_path(sha256))
    with transaction.atomic():
        lock_writes(Segment)
        refuse_doubled(sha256, source_sha256)
        predecessor = chain_head()
        added = contestants_archive(names=names_in(table))
        segment = Segment.objects.create(
            sha256=sha256,
            predecessor=predecessor,
            link=link_of(predecessor, sha256),
            rows=table.num_rows,
            origin=origin,
            source_name=source_name,
            source_sha256=source_sha256,
            source_schema=source_schema,
            rejected=rejected,
        )
        audit(action="segment.add", subject=sha256, rows=table.num_rows, source=source_name)
    return segment, added


def refuse_doubled(sha256: str, source_sha256: str | None) -> None:
    """Under the lock: two imports of one file at once leave one segment."""
    same = Q(sha256=sha256) | (Q(source_sha256=source_sha256) if source_sha256 else Q())
    if Segment.objects.filter(same).exists():
        raise AlreadyImported("These very votes are part of the chain; nothing was added.")


def link_of(predecessor: str, sha256: str) -> str:
    """SHA256(predecessor ‖ sha256), over the raw 32 bytes of each."""
    return hashlib.sha256(bytes.fromhex(predecessor) + bytes.fromhex(sha256)).hexdigest()


def names_in(table: pa.Table) -> set[str]:
    columns = [pc.unique(table[name].cast(pa.string())) for name in ("model_a", "model_b")]
    return {name for column in columns for name in column.to_pylist()}


def write_rejects(rejects: tuple[Reject, ...], path: Path, source: str) -> Path | None:
    """A CSV of the rows that were left out: line and reason."""
    if not rejects:
        return None
    final = Path(settings.VAR_DIR) / "rejects" / f"{path.stem}-{source[:12]}.csv"
    with temporary_in(final.parent, ".csv") as made:
        with made.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "reason"])
            writer.writerows((reject.line, reject.reason) for reject in rejects)
        publish_file(made, final)
    return final


def votes_export(*, path: Path) -> int:
    """Write every vote as Parquet that `python -m ranking fit` reads; returns how many."""
    table = votes_read().table
    try:
        with temporary_in(path.absolute().parent, ".parquet") as made:
            write_votes(table, made)
            publish_file(made, path.absolute())
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}.") from error
    return table.num_rows


def refuse_unknown(votes: Iterable[str]) -> None:
    rows = dict(Segment.objects.values_list("sha256", "rows"))
    native = set()
    for vote in votes:
        match = NAME.fullmatch(vote)
        if match is None or (match["sha"] and int(match["row"]) >= rows.get(match["sha"], 0)):
            raise VotesRefused(
                f"'{vote[:90]}' names no vote: write n:<id> for one cast here, or "
                "<segment's sha256>:<row> for an imported one."
            )
        if match["id"]:
            native.add(int(match["id"]))
    missing = native - votes_existing(native)
    if missing:
        raise VotesRefused(f"There is no vote n:{min(missing)}. Nothing was excluded.")


@transaction.atomic
def votes_exclude(*, votes: Iterable[str], rule: str, reason: str, actor: Any = None) -> int:
    """Say why votes do not count, where that rule does not already say it; returns how many.

    Raises VotesRefused where one names no vote.
    """
    wanted = list(votes)
    refuse_unknown(wanted)
    standing = set(
        Exclusion.objects.filter(rule=rule, lifted_at__isnull=True).values_list("vote", flat=True)
    )
    new = [vote for vote in dict.fromkeys(wanted) if vote not in standing]
    Exclusion.objects.bulk_create(
        Exclusion(vote=vote, rule=rule, reason=reason, actor=actor) for vote in new
    )
    audit(action="votes.exclude", subject=rule, actor=actor, votes=len(new), reason=reason)
    return len(new)
