"""Files of votes and of texts: where they lie, and how they get there whole.

A segment's file never changes. Its texts' file is named after it and is written anew where
texts are erased. Both lie in the storages "segments" and "texts", on this disk or in a bucket.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from django.core.files.storage import Storage, storages

from arena.core.exceptions import BadInput
from arena.core.storage import Made, publish_file, sweep_making, temporary_in
from arena.integrity.exceptions import SegmentMissing

SEGMENTS, TEXTS = "segments", "texts"
KINDS = (SEGMENTS, TEXTS)


def name_of(sha256: str) -> str:
    return f"{sha256}.parquet"


@contextmanager
def making(kind: str) -> Iterator[Path]:
    """A path for a file of that kind in the making, from where it can be kept in one step."""
    with temporary_in(folder(kind), ".parquet") as made:
        yield made


def folder(kind: str) -> Path:
    """Where files of that kind are made: beside the others, or beside their copies."""
    return Path(settings.SEGMENTS_DIR if kind == SEGMENTS else settings.TEXTS_DIR)


def keep(kind: str, made: Path, sha256: str) -> None:
    """Put a finished file in its place, durably, before any row names it."""
    with Made(made) as file:
        storages[kind].save(name_of(sha256), file)
    if kind == SEGMENTS and made.exists():  # it went to a bucket: let it be the copy here
        publish_file(made, folder(kind) / name_of(sha256))


def exists(kind: str, sha256: str) -> bool:
    return storages[kind].exists(name_of(sha256))


def local(sha256: str) -> Path:
    """A segment's file on this disk: the file itself, or a copy from the bucket.

    A copy is verified before it gets its name. Raises SegmentMissing.
    """
    storage = storages[SEGMENTS]
    try:
        return Path(storage.path(name_of(sha256)))
    except NotImplementedError:
        copy = folder(SEGMENTS) / name_of(sha256)
        if not copy.exists():
            fetch(storage, sha256, copy)
        return copy


def fetch(storage: Storage, sha256: str, copy: Path) -> None:
    try:
        with temporary_in(copy.parent, ".parquet") as made:
            with storage.open(name_of(sha256)) as source, made.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            if sha256_of(made) != sha256:
                raise SegmentMissing(f"The bucket's {sha256}.parquet holds other votes.")
            publish_file(made, copy)
    except OSError as error:
        raise SegmentMissing(
            f"{sha256}.parquet cannot be fetched from the bucket: {error}."
        ) from error


def sha256_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from error


def texts_leave(sha256: str, votes: set[str]) -> int:
    """Remove the texts of these votes from a segment's texts; returns how many there were.

    A file that is left without any text is deleted.
    """
    if not votes or not exists(TEXTS, sha256):
        return 0
    with making(TEXTS) as made:
        removed, left = copy_without(sha256, votes, made)
        if removed and left:
            keep(TEXTS, made, sha256)
    if removed and not left:
        storages[TEXTS].delete(name_of(sha256))
    return removed


def copy_without(sha256: str, votes: set[str], made: Path) -> tuple[int, int]:
    """Write a segment's texts but those of `votes`; how many were removed, and how many left."""
    removed = left = 0
    gone = pa.array(sorted(votes), pa.string())
    with (
        storages[TEXTS].open(name_of(sha256)) as source,
        pq.ParquetFile(source) as file,
        pq.ParquetWriter(made, file.schema_arrow, compression="zstd") as writer,
    ):
        for batch in file.iter_batches(batch_size=2048):
            kept = batch.filter(pc.invert(pc.is_in(batch["id"], value_set=gone)))
            removed += batch.num_rows - kept.num_rows
            left += kept.num_rows
            writer.write_batch(kept)
    return removed, left


def sweep(named: set[str], older_than: datetime) -> int:
    """Remove what dead processes left: files in the making, and files that no row names.

    named: digests of all segments. Call it where nobody can be between file and row.
    """
    swept = 0
    for kind in KINDS:
        swept += sweep_making(folder(kind), older_than.timestamp())
        storage = storages[kind]
        for name in storage.listdir("")[1]:
            orphan = name.removesuffix(".parquet") not in named
            if orphan and storage.get_modified_time(name) < older_than:
                storage.delete(name)
                (folder(kind) / name).unlink(missing_ok=True)
                swept += 1
    return swept
