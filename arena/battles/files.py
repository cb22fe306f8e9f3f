"""Uploaded files of answers, kept under their digest from the report on them to their storing."""

import re
import time
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from arena.battles.exceptions import AnswersRefused
from arena.core.storage import publish_file, temporary_in

DIGEST = re.compile(r"[0-9a-f]{64}")
# One that nobody stored.
KEPT_SECONDS = 24 * 3600


def folder() -> Path:
    return Path(settings.VAR_DIR) / "answers"


def answers_keep(*, pieces: Iterable[bytes]) -> str:
    """Write a file down; returns its SHA-256. Raises AnswersRefused where it is too large."""
    sweep()
    digest, size = sha256(), 0
    with temporary_in(folder(), ".answers") as made:
        with made.open("wb") as file:
            for piece in pieces:
                size += len(piece)
                if size > settings.ANSWERS_MAX_BYTES:
                    raise AnswersRefused(
                        f"The file is larger than {settings.ANSWERS_MAX_BYTES:,} bytes, which "
                        "ANSWERS_MAX_BYTES allows. Nothing was stored; split the file."
                    )
                digest.update(piece)
                file.write(piece)
        publish_file(made, folder() / digest.hexdigest())
    return digest.hexdigest()


def answers_path(digest: str) -> Path:
    """Where the file of that digest lies. Raises AnswersRefused where it is no longer kept."""
    path = folder() / digest if DIGEST.fullmatch(digest) else None
    if path is None or not path.is_file():
        raise AnswersRefused(
            "The file is no longer kept, so nothing was stored. Choose it once more."
        )
    return path


def answers_remove(digest: str) -> None:
    (folder() / digest).unlink(missing_ok=True)


def sweep() -> None:
    before = time.time() - KEPT_SECONDS
    for path in folder().glob("*"):
        # Another process may have been faster.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
