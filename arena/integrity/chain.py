"""Appending to the chain of segments: a file that is in its place, then the row that names it."""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.models import Q

from arena.catalog.services import contestants_archive
from arena.core.locks import lock_writes
from arena.core.services import audit
from arena.integrity import files
from arena.integrity.exceptions import AlreadyImported, ChainBroken, SegmentMissing
from arena.integrity.models import GENESIS, Origin, Segment
from arena.integrity.selectors import chain_head
from ranking.io import write_votes
from ranking.snapshots import link_of


def segment_add(
    *,
    table: pa.Table,
    origin: Origin,
    source_name: str,
    source_sha256: str | None = None,
    source_schema: str = "",
    rejected: int = 0,
) -> tuple[Segment, int]:
    """Append `table` to the chain as one immutable file; also how many contestants it added."""
    with files.making(files.SEGMENTS) as made:
        write_votes(table, made)
        return segment_add_file(
            made=made,
            rows=table.num_rows,
            names=names_in(table),
            origin=origin,
            source_name=source_name,
            source_sha256=source_sha256,
            source_schema=source_schema,
            rejected=rejected,
        )


def segment_add_file(
    *,
    made: Path,
    rows: int,
    names: Collection[str],
    origin: Origin,
    source_name: str = "",
    source_sha256: str | None = None,
    source_schema: str = "",
    rejected: int = 0,
    votes: tuple[int, int] | None = None,
) -> tuple[Segment, int]:
    """Append a finished file of votes between `names`; also how many contestants it added.

    made: a file of `files.making`, which is moved away.
    votes: (after, last) of native votes.

    The file is in its place before the row that names it, so the chain never names a missing
    file; a crash between the two leaves a file that no row names, and nothing else.
    """
    sha256 = files.sha256_of(made)
    files.keep(files.SEGMENTS, made, sha256)
    with transaction.atomic():
        lock_writes(Segment)
        refuse_doubled(sha256, source_sha256, votes)
        if not files.exists(files.SEGMENTS, sha256):
            raise SegmentMissing(f"{sha256}.parquet was swept away before its row. Try again.")
        predecessor = chain_head()
        added = contestants_archive(names=set(names))
        segment = Segment.objects.create(
            sha256=sha256,
            predecessor=predecessor,
            link=link_of(predecessor, sha256),
            rows=rows,
            origin=origin,
            source_name=source_name,
            source_sha256=source_sha256,
            source_schema=source_schema,
            rejected=rejected,
            after_vote=votes[0] if votes else None,
            last_vote=votes[1] if votes else None,
        )
        audit(action="segment.add", subject=sha256, rows=rows, source=source_name)
    return segment, added


def refuse_doubled(sha256: str, source_sha256: str | None, votes: tuple[int, int] | None) -> None:
    """Under the lock: two imports of one file, or two seals, at once leave one segment."""
    same = Q(sha256=sha256)
    if source_sha256:
        same |= Q(source_sha256=source_sha256)
    if votes:
        same |= Q(last_vote__gt=votes[0])
    if Segment.objects.filter(same).exists():
        raise AlreadyImported("These very votes are part of the chain; nothing was added.")


def names_in(table: pa.Table) -> set[str]:
    columns = [pc.unique(table[name].cast(pa.string())) for name in ("model_a", "model_b")]
    return {name for column in columns for name in column.to_pylist()}


def chain_verify() -> int:
    """Read every file of the chain and compare it with its row; returns how many segments.

    Raises SegmentMissing or ChainBroken at the first that does not hold.
    """
    link, last_vote, count = GENESIS, 0, 0
    for segment in Segment.objects.order_by("id"):
        if segment.predecessor != link or segment.link != link_of(link, segment.sha256):
            raise ChainBroken(f"Segment {segment.sha256} does not follow the one before it.")
        if segment.last_vote is not None:
            if segment.after_vote != last_vote:
                raise ChainBroken(f"Votes are missing or doubled before segment {segment.sha256}.")
            last_vote = segment.last_vote
        verify_file(segment)
        link, count = segment.link, count + 1
    return count


def verify_file(segment: Segment) -> None:
    path = files.local(segment.sha256)
    if not path.exists():
        raise SegmentMissing(f"{path} is gone. Restore it from a backup.")
    if files.sha256_of(path) != segment.sha256:
        raise ChainBroken(f"{path} was altered. Restore it from a backup.")
