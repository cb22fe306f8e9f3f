"""Files that must survive: durable writes, and static files named by their content."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """Also renames what ES modules import, so a module never loads a stale neighbour."""

    support_js_module_import_aggregation = True


@contextmanager
def temporary_in(folder: Path, suffix: str) -> Iterator[Path]:
    """A path in `folder` for a file in the making; removed unless it was renamed away."""
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=".making-", suffix=suffix, delete=False) as file:
        path = Path(file.name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def publish_file(made: Path, final: Path) -> None:
    """Move a finished file to its name so that a power cut leaves all of it or nothing.

    The file is flushed before the rename and the folder after it: without the second, the
    name itself may be gone after a crash.
    """
    _fsync(made)
    made.replace(final)
    _fsync(final.parent)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
