"""Files that must survive: durable writes, and static files named by their content."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible
from whitenoise.storage import CompressedManifestStaticFilesStorage

MAKING = ".making-"


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """Also renames what ES modules import, so a module never loads a stale neighbour.

    And other files that a module names, if it does as the platform has it:
    `new URL("./file.css", import.meta.url)`.
    """

    support_js_module_import_aggregation = True
    # Each pass settles the names of one more module in a chain of imports, and Django's five end
    # before the longest chain does.
    max_post_process_passes = 20
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "*.js",
            (
                (
                    r"""(?P<matched>new URL\(["'](?P<url>[./].*?)["'], import\.meta\.url\))""",
                    """new URL("%(url)s", import.meta.url)""",
                ),
            ),
        ),
    )


@contextmanager
def temporary_in(folder: Path, suffix: str) -> Iterator[Path]:
    """A path in `folder` for a file in the making; removed unless it was renamed away."""
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=MAKING, suffix=suffix, delete=False) as file:
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


class Made(File):  # type: ignore[type-arg] # generic in the stubs only
    """A finished file on its way into a storage, which may take the file itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(path.open("rb"), name=path.name)

    def temporary_file_path(self) -> str:
        return str(self.path)


@deconstructible(path="arena.core.storage.DurableStorage")
class DurableStorage(FileSystemStorage):
    """Files that are all there after a power cut, or not at all, under exactly their name.

    Django's own storage writes under the final name, syncs nothing and evades a name that is
    taken. Here whoever saves under a taken name replaces that file in one step.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: Any) -> str:
        final = Path(self.path(name))
        with temporary_in(final.parent, final.suffix) as made:
            if isinstance(content, Made) and content.path.parent == final.parent:
                content.path.replace(made)
            else:
                with made.open("wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
            # Its age counts from now: what is old and named by no row is swept away.
            os.utime(made)
            publish_file(made, final)
        return name

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """As Django's, but nothing is in a folder that nobody has made yet, nor half made."""
        if not Path(self.path(path)).is_dir():
            return [], []
        folders, files = super().listdir(path)
        return folders, [name for name in files if not name.startswith(MAKING)]

    def delete(self, name: str) -> None:
        super().delete(name)
        _fsync(Path(self.path(name)).parent)


def sweep_making(folder: Path, older_than: float) -> int:
    """Remove files in the making whose maker died; returns how many.

    older_than: seconds since 1970 before which they were last written.
    """
    left = [path for path in folder.glob(f"{MAKING}*") if path.stat().st_mtime < older_than]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)
