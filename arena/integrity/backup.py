"""The whole arena as one tar file, and back: database, segments, texts, pictures, media."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone

from arena.battles.images import IMAGES, name_of
from arena.battles.models import Image, Vote
from arena.catalog.models import Contestant
from arena.core.dumps import database_dump, database_load
from arena.core.exceptions import BadInput, Conflict
from arena.core.locks import one_at_a_time
from arena.core.storage import publish_file, temporary_in
from arena.integrity import files
from arena.integrity.chain import chain_verify
from arena.integrity.exceptions import BackupDamaged, ChainBroken, SegmentMissing
from arena.integrity.models import Segment
from arena.integrity.sealing import SEALING
from arena.voters.models import Voter
from ranking.version import ENGINE

FORMAT = 1
MANIFEST, DATABASE, MEDIA = "manifest.json", "database", "media"


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: the SHA-256 of each file by its name in the tar."""

    format: int
    made_at: str
    engine: str
    database: str
    files: dict[str, str]

    def count(self, kind: str) -> int:
        return sum(name.startswith(f"{kind}/") for name in self.files)


class Hashed:
    """A stream that is hashed as it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.digest.update(data)
        return data


# -- There -----------------------------------------------------------------------------------


def backup(*, path: Path) -> Manifest:
    """Write the arena to a new tar file that only this user may read.

    Segments are verified on the way. Nothing is sealed or erased meanwhile, so that database
    and files belong together. Raises BadInput, DumpFailed, SegmentMissing or ChainBroken.
    """
    path = path.absolute()
    if path.exists():
        raise BadInput(f"{path} is there already. Name a file that is not, or remove it first.")
    try:
        with one_at_a_time(SEALING), temporary_in(path.parent, ".tar") as made:
            manifest = write(made)
            publish_file(made, path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}.") from error
    return manifest


def write(made: Path) -> Manifest:
    hashes: dict[str, str] = {}
    with tarfile.open(made, "w") as tar:
        for name, stream, size in contents(made.parent):
            hashed = Hashed(stream)
            tar.addfile(entry(name, size), hashed)
            hashes[name] = hashed.digest.hexdigest()
            refuse_altered(name, hashes[name])
        manifest = Manifest(
            format=FORMAT,
            made_at=timezone.now().isoformat(),
            engine=ENGINE,
            database=connection.vendor,
            files=hashes,
        )
        # Last, so that a tar cut short is known by having none.
        text = json.dumps(asdict(manifest), indent=1).encode()
        tar.addfile(entry(MANIFEST, len(text)), io.BytesIO(text))
    return manifest


def entry(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


def contents(folder: Path) -> Iterator[tuple[str, IO[bytes], int]]:
    """Name, stream and size of all that belongs to the arena, the database first."""
    with TemporaryDirectory(dir=folder) as scratch:
        dump = Path(scratch) / DATABASE
        database_dump(dump)
        with dump.open("rb") as stream:
            yield DATABASE, stream, dump.stat().st_size
    for sha256 in Segment.objects.order_by("id").values_list("sha256", flat=True):
        for kind in files.KINDS:
            name = files.name_of(sha256)
            if kind == files.TEXTS and not files.exists(kind, sha256):
                continue
            with opened(kind, name) as stream:
                yield f"{kind}/{name}", stream, storages[kind].size(name)
    yield from images()
    root = Path(settings.MEDIA_ROOT)
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        with path.open("rb") as stream:
            yield f"{MEDIA}/{path.relative_to(root).as_posix()}", stream, path.stat().st_size


def images() -> Iterator[tuple[str, IO[bytes], int]]:
    """Pictures that were sent. Others may vanish at any moment, and do so after a day.

    One without a file is half erased: nothing is left of it that could be kept.
    """
    sent = Image.objects.exclude(turns=None).order_by("pk").distinct()
    for name in map(name_of, sent.values_list("pk", flat=True)):
        if storages[IMAGES].exists(name):
            with opened(IMAGES, name) as stream:
                yield f"{IMAGES}/{name}", stream, storages[IMAGES].size(name)


@contextmanager
def opened(kind: str, name: str) -> Iterator[IO[bytes]]:
    try:
        stream = storages[kind].open(name)
    except OSError as error:
        raise SegmentMissing(f"{name} cannot be read: {error}. Nothing was backed up.") from error
    with stream:
        yield stream


def refuse_altered(name: str, sha256: str) -> None:
    if name.startswith(f"{files.SEGMENTS}/") and name != f"{files.SEGMENTS}/{sha256}.parquet":
        raise ChainBroken(f"{name} was altered. Nothing was backed up.")


# -- And back --------------------------------------------------------------------------------


def restore(*, path: Path, force: bool = False) -> Manifest:
    """Make this arena what it was when the backup was made.

    Every hash is checked before anything is touched; files come before the database that names
    them; the chain is verified at the end. Raises BackupDamaged, Conflict where this arena is
    not empty (and not `force`) or has another kind of database, DumpFailed or ChainBroken.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            manifest = manifest_of(tar)
            verify(tar, manifest)
            refuse_unfit(manifest, force)
            with one_at_a_time(SEALING):
                for name in manifest.files:
                    place(tar, name)
            load(tar)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BackupDamaged(f"{path} cannot be read as a backup: {error}.") from error
    chain_verify()
    return manifest


def manifest_of(tar: tarfile.TarFile) -> Manifest:
    try:
        return Manifest(**json.load(member(tar, MANIFEST)))
    except (KeyError, TypeError, ValueError) as error:
        raise BackupDamaged(
            "There is no whole manifest in it: it is cut short, or no backup of an arena."
        ) from error


def member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """Raises KeyError where there is no such file in it."""
    stream = tar.extractfile(name)
    if stream is None:
        raise KeyError(name)
    return stream


def verify(tar: tarfile.TarFile, manifest: Manifest) -> None:
    names = set(tar.getnames()) - {MANIFEST}
    if names != set(manifest.files) or DATABASE not in names:
        raise BackupDamaged("Its files are not those that its manifest names.")
    for name, sha256 in manifest.files.items():
        if hashlib.file_digest(member(tar, name), "sha256").hexdigest() != sha256:  # type: ignore[arg-type]
            raise BackupDamaged(f"{name} in it was altered. Nothing was restored.")
        refuse_stray(name)
        refuse_altered(name, sha256)


def refuse_stray(name: str) -> None:
    """A name may lead nowhere but into the folder of its kind."""
    kind, _, rest = name.partition("/")
    path = PurePosixPath(rest)
    known = name == DATABASE or (kind in (*files.KINDS, IMAGES, MEDIA) and rest)
    if not known or path.is_absolute() or ".." in path.parts:
        raise BackupDamaged(f"{name!r} does not belong into a backup. Nothing was restored.")


def refuse_unfit(manifest: Manifest, force: bool) -> None:
    if manifest.format != FORMAT:
        raise Conflict(f"It has format {manifest.format}, and this version reads {FORMAT}.")
    if manifest.database != connection.vendor:
        raise Conflict(
            f"It was made from {manifest.database}, and this arena uses {connection.vendor}. "
            "Set DATABASE_URL to one of the same kind."
        )
    if not force and not is_empty():
        raise Conflict(
            "This arena is not empty, and restoring replaces all of it. Restore into an empty "
            "one, or say --force."
        )


def is_empty() -> bool:
    tables = set(connection.introspection.table_names())
    models: list[Any] = [Segment, Vote, Contestant, Voter, get_user_model()]
    return not any(
        model._meta.db_table in tables and model._default_manager.exists() for model in models
    )


def place(tar: tarfile.TarFile, name: str) -> None:
    """Put a file of the tar where it belongs."""
    kind, _, rest = name.partition("/")
    if kind in files.KINDS:
        with files.making(kind) as made:
            extract(tar, name, made)
            files.keep(kind, made, rest.removesuffix(".parquet"))
    elif kind == IMAGES:
        with member(tar, name) as stream:
            storages[IMAGES].save(rest, File(stream))
    elif kind == MEDIA:
        final = Path(settings.MEDIA_ROOT) / rest
        with temporary_in(final.parent, final.suffix) as made:
            extract(tar, name, made)
            publish_file(made, final)


def extract(tar: tarfile.TarFile, name: str, path: Path) -> None:
    with member(tar, name) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def load(tar: tarfile.TarFile) -> None:
    with TemporaryDirectory(dir=settings.VAR_DIR) as scratch:
        dump = Path(scratch) / DATABASE
        extract(tar, DATABASE, dump)
        database_load(dump)
