"""What every room's tests share: the folder of real votes, and what may be missing where."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from arena.voters.models import Voter


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
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments and rejects of a test stay in its own folder."""
    monkeypatch.setattr(settings, "VAR_DIR", tmp_path / "var")
    monkeypatch.setattr(settings, "SEGMENTS_DIR", tmp_path / "var" / "segments")


@pytest.fixture
def alice(db: None) -> Voter:
    return Voter.objects.create()


@pytest.fixture
def bob(db: None) -> Voter:
    return Voter.objects.create()
