"""What every room's tests share: the folder of real votes, and what may be missing where."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from arena.battles.assignment import cells_forget
from arena.battles.matchmaking import drawing_forget
from arena.catalog.identity import names_forget
from arena.config.settings import durable
from arena.voters.models import Voter
from arena.voters.watch import watch_forget


def missing(kind: str, what: str) -> None:
    """Skip a test whose surroundings are absent, or fail it where TILTYARD_REQUIRE names them."""
    if kind in os.environ.get("TILTYARD_REQUIRE", "").split():
        pytest.fail(f"TILTYARD_REQUIRE names {kind}, but {what}.")
    pytest.skip(what)


@pytest.fixture(scope="session")
def real_votes() -> Path:
    """The folder of real votes that TILTYARD_DATA names."""
    folder = Path(os.environ.get("TILTYARD_DATA") or "no such folder")
    if not folder.is_dir():
        missing("data", "TILTYARD_DATA names no folder of real votes")
    return folder


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path) -> Iterator[None]:
    """What a test writes stays in its own folder."""
    with folders(tmp_path / "var"):
        yield


@contextmanager
def folders(var: Path) -> Iterator[None]:
    """Files are written below `var`.

    Not through the `settings` fixture: tests may take parameters of that name.
    """
    storages = {kind: durable(var / kind) for kind in ("segments", "texts", "images")}
    with override_settings(
        VAR_DIR=var,
        SEGMENTS_DIR=var / "segments",
        TEXTS_DIR=var / "texts",
        IMAGES_DIR=var / "images",
        IMPORT_DIR=var / "incoming",
        MEDIA_ROOT=var / "media",
        STORAGES=settings.STORAGES | storages,
    ):
        yield


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """What a process remembers of the database is of the last test's."""
    names_forget()
    drawing_forget()
    cells_forget()
    watch_forget()


@pytest.fixture
def alice(db: None) -> Voter:
    return Voter.objects.create()


@pytest.fixture
def bob(db: None) -> Voter:
    return Voter.objects.create()
