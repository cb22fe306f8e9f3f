"""Appending to the chain of segments: a file that is on the disk, then the row that names it."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from arena.catalog.services import contestants_archive
from arena.core.exceptions import BadInput
from arena.core.locks import lock_writes
from arena.core.services import audit
from arena.core.storage import publish_file, temporary_in
from arena.integrity.exceptions import AlreadyImported
from arena.integrity.models import Origin, Segment
from arena.integrity.selectors import chain_head, segment_path
from ranking.io import write_votes


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


def sha256_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from error
