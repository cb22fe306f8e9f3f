"""Sealing: the votes cast since the last seal become an immutable segment."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.utils import timezone

from arena.battles.models import Vote
from arena.battles.selectors import votes_count_and_last
from arena.core.locks import lock_writes, one_at_a_time
from arena.integrity import files
from arena.integrity.chain import segment_add_file
from arena.integrity.exceptions import ChainBroken
from arena.integrity.models import Origin, Segment
from arena.integrity.native import (
    SEALED_SCHEMA,
    TEXT_SCHEMA,
    TEXTS_AT_ONCE,
    Cast,
    Native,
    casts,
    conversations,
    with_tags,
)
from arena.integrity.selectors import sealed_up_to

Item = TypeVar("Item")

# Held while votes are sealed or texts are erased: an erased text must not come back with a
# file that was being written meanwhile.
SEALING = "sealing"
ORPHANS_AFTER = timedelta(days=1)
GROUP_ROWS = 32 * TEXTS_AT_ONCE


def votes_seal() -> Segment | None:
    """Write the votes since the last seal to a new segment; None where there are none.

    Safe to call from anywhere at any time: of two at once the second waits and then finds
    what the first left. Killed at any moment it leaves a chain that verifies.
    """
    with one_at_a_time(SEALING):
        return seal()


def seal() -> Segment | None:
    """`votes_seal` for who holds SEALING."""
    after, last, count = cut_off()
    if not count:
        return None
    with files.making(files.SEGMENTS) as votes, files.making(files.TEXTS) as texts:
        with SegmentWriter(votes, texts, with_tags(SEALED_SCHEMA, after, last)) as writer:
            in_background(writer.add, casts(after, last))
        if writer.votes != count:
            raise ChainBroken(f"{count:,} votes were to be sealed, and {writer.votes:,} were read.")
        if writer.texts:
            files.keep(files.TEXTS, texts, files.sha256_of(votes))
        segment, _ = segment_add_file(
            made=votes, rows=count, names=(), origin=Origin.NATIVE, votes=(after, last)
        )
    return segment


def cut_off() -> tuple[int, int, int]:
    """Votes in (after, last] are to be sealed, and how many these are.

    The lock waits for votes under way: PostgreSQL hands out ids before commits, so a vote
    below the highest id may not be there yet.
    """
    with transaction.atomic():
        lock_writes(Vote)
        after = sealed_up_to(Segment.objects.all())
        count, last = votes_count_and_last(after)
    return after, last, count


class SegmentWriter:
    """The files of a segment in the making; the same votes give the same bytes."""

    def __init__(self, votes: Path, texts: Path, schema: pa.Schema) -> None:
        self.native = Native()
        self.schema = schema
        self.votes = self.texts = 0
        self._group: list[pa.Table] = []
        self._votes = pq.ParquetWriter(votes, schema, compression="zstd")
        self._texts = pq.ParquetWriter(texts, TEXT_SCHEMA, compression="zstd")

    def __enter__(self) -> "SegmentWriter":
        return self

    def __exit__(self, *failure: object) -> None:
        self._flush()
        self._votes.close()
        self._texts.close()

    def add(self, cast: Cast) -> None:
        texts = conversations(cast)
        self._texts.write_table(texts)
        self.texts += texts.num_rows
        self._group.append(self.native.table(cast.votes, self.schema))
        self.votes += cast.votes.num_rows
        if len(self._group) * TEXTS_AT_ONCE >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Votes are read column by column: few large groups are fast."""
        if self._group:
            table = pa.concat_tables(self._group).unify_dictionaries()
            self._votes.write_table(table, row_group_size=GROUP_ROWS)
            self._group = []


def in_background(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Do `work` on one item after the other in a thread, while the next item is being made."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        pending = None
        for item in items:
            if pending:
                pending.result()
            pending = thread.submit(work, item)
        if pending:
            pending.result()


def orphans_sweep() -> int:
    """Remove what processes that died a day ago or earlier left behind; returns how many files."""
    with one_at_a_time(SEALING), transaction.atomic():
        # Whoever adds a segment looks under this lock whether its file is still there.
        lock_writes(Segment)
        named = set(Segment.objects.values_list("sha256", flat=True))
        return files.sweep(named, timezone.now() - ORPHANS_AFTER)
