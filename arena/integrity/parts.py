"""Batches of a file under import, kept on the disk so that an import that was killed goes on."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from django.conf import settings

from arena.core.storage import publish_file, temporary_in
from arena.integrity.exceptions import ImportRunning
from ranking.io import Mark, VoteBatch
from ranking.version import ENGINE

VERSION = ENGINE.replace(" ", "-")
PLACE = "place"
META = b"batch"


class Parts:
    """The batches of one file, in order, each in a file of its own that is there whole or not.

    Another version of the engine may read the file differently: it begins anew.
    """

    def __init__(self, source_sha256: str) -> None:
        self.folder = folder_of(source_sha256)
        self._paths = sorted(self.folder.glob(f"*-{VERSION}.arrow"))

    def __iter__(self) -> Iterator[VoteBatch]:
        return map(batch_read, self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def mark(self) -> Mark:
        """Where the file goes on after the last of them."""
        return batch_read(self._paths[-1]).mark if self._paths else Mark()

    @property
    def schemas(self) -> Iterator[pa.Schema]:
        return (batch.table.schema for batch in self)

    def add(self, batch: VoteBatch) -> None:
        final = self.folder / f"{len(self._paths):08d}-{VERSION}.arrow"
        with temporary_in(self.folder, ".arrow") as made:
            batch_write(batch, made)
            publish_file(made, final)
        self._paths.append(final)


def folder_of(source_sha256: str) -> Path:
    return Path(settings.VAR_DIR) / "imports" / source_sha256


@contextmanager
def importing(source_sha256: str) -> Iterator[None]:
    """Keep other processes from importing the same file; they get ImportRunning.

    The lock dies with its process.
    """
    folder = folder_of(source_sha256)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ImportRunning("This file is being imported already. Wait for it.") from error
        yield


def parts_remove(source_sha256: str) -> None:
    shutil.rmtree(folder_of(source_sha256), ignore_errors=True)


def parts_sweep(older_than: datetime) -> int:
    """Remove the parts of imports that were killed and not taken up again; returns how many."""
    folders = (Path(settings.VAR_DIR) / "imports").glob("*")
    left = [path for path in folders if path.stat().st_mtime < older_than.timestamp()]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def batch_write(batch: VoteBatch, path: Path) -> None:
    about = {"faults": list(batch.faults.items()), "rows": batch.rows, "mark": batch.mark}
    table = batch.table.append_column(PLACE, pa.array(batch.places, pa.int64()))
    table = table.replace_schema_metadata({META: json.dumps(about)})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table.unify_dictionaries())


def batch_read(path: Path) -> VoteBatch:
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    about = json.loads(table.schema.metadata[META])
    return VoteBatch(
        table=table.drop_columns([PLACE]).replace_schema_metadata(None),
        places=table[PLACE].to_numpy(),
        faults=dict(about["faults"]),
        rows=about["rows"],
        mark=Mark(*about["mark"]),
    )
