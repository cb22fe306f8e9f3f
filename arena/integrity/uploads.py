"""Files of votes that come over the network: kept in the import folder until they are imported."""

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.utils.text import get_valid_filename

from arena.core.exceptions import BadInput
from arena.core.storage import publish_file, temporary_in

FOLDER = "uploads"
# One that nobody imported, or that was refused, is there to be looked at for so long.
KEPT_SECONDS = 7 * 24 * 3600


def upload_keep(*, name: str, pieces: Iterable[bytes]) -> str:
    """Write an upload to the import folder; returns the name by which it can be imported.

    The same content under the same name is the same file.
    """
    folder = Path(settings.IMPORT_DIR) / FOLDER
    sweep(folder)
    digest = hashlib.sha256()
    with temporary_in(folder, ".upload") as made:
        with made.open("wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        final = folder / f"{digest.hexdigest()[:16]}-{plain_name(name)}"
        publish_file(made, final)
    return f"{FOLDER}/{final.name}"


def plain_name(name: str) -> str:
    """The last part of a name from elsewhere, as a file here may be called."""
    try:
        return get_valid_filename(Path(name).name)[-100:]
    except SuspiciousFileOperation as error:
        raise BadInput("The upload's file has no name. Give it one such as votes.csv.") from error


def sweep(folder: Path) -> None:
    before = time.time() - KEPT_SECONDS
    for path in folder.glob("*"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def is_upload(name: str) -> bool:
    return name.startswith(f"{FOLDER}/")


def upload_remove(name: str) -> None:
    (Path(settings.IMPORT_DIR) / name).unlink(missing_ok=True)
