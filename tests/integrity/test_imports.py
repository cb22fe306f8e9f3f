"""Imports that are killed, cancelled, repeated, tried out or asked for by strangers."""

import errno
import gzip
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from arena.catalog.models import Contestant
from arena.core.jobs import Cancelled
from arena.integrity import chain, imports, parts
from arena.integrity.chain import chain_verify
from arena.integrity.exceptions import AlreadyImported, ImportRunning, VotesRefused
from arena.integrity.files import local
from arena.integrity.imports import import_path, votes_import
from arena.integrity.models import Segment
from arena.integrity.parts import Parts, folder_of, importing, parts_sweep
from arena.integrity.selectors import votes_read
from ranking import table_readers

pytestmark = pytest.mark.django_db

HEAD = "id,model_a,model_b,winner,language,timestamp,excluded\n"


def votes(count: int) -> str:
    rows = (f"v{n},wren,kite,tie,en,2025-01-01T00:00:{n % 60:02},\n" for n in range(count))
    return HEAD + "".join(rows)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "votes.csv"
    path.write_text(votes(100))
    return path


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_readers, "_BLOCK_BYTES", 1 << 10)


def left_over() -> list[Path]:
    return [path for path in settings.VAR_DIR.rglob("*") if path.is_file()]


class PowerCut(BaseException):
    """Nothing of ours catches this, as nothing survives a kill."""


def killed_at(call: int, function: Any) -> Any:
    """The function, until the call at which the process dies before it does anything."""
    calls = iter(range(call))

    def dies(*args: Any, **named: Any) -> Any:
        if next(calls, None) is None:
            raise PowerCut
        return function(*args, **named)

    return dies


@pytest.mark.parametrize(
    ("target", "call"),
    [
        *(("Parts.add", call) for call in range(4)),
        *(("VoteWriter.write", call) for call in range(4)),
        ("segment_add_file", 0),
        ("files.keep", 0),
        ("contestants_archive", 0),
    ],
)
def test_an_import_that_was_killed_goes_on_where_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch, target: str, call: int
) -> None:
    with monkeypatch.context() as patched:
        owner, name = chain if target == "contestants_archive" else imports, target
        if "." in target:
            owner, name = getattr(imports, target.split(".")[0]), target.split(".")[1]
        patched.setattr(owner, name, killed_at(call, getattr(owner, name)))
        with pytest.raises(PowerCut):
            votes_import(path=file)
    assert not Segment.objects.exists()
    source = imports.files.sha256_of(file)
    kept = len(Parts(source))
    assert kept == call if target == "Parts.add" else kept > 3

    with monkeypatch.context() as patched:
        patched.setattr(Parts, "add", killed_at(100, Parts.add))
        imported = votes_import(path=file)

    assert imported.rows_read == imported.tally.votes == 100
    assert votes_read().table["id"].to_pylist() == [f"v{n}" for n in range(100)]
    assert chain_verify() == 1
    assert left_over() == [local(Segment.objects.get().sha256)]


@pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
def test_an_import_that_is_cancelled_leaves_nothing(file: Path, stop: type[BaseException]) -> None:
    def progress(rows: int, share: float) -> None:
        if share > 0.95:
            raise stop

    with pytest.raises(stop):
        votes_import(path=file, progress=progress)
    assert left_over() == []
    assert not Contestant.objects.exists()


@pytest.mark.parametrize("written", ["batch", "votes", "rejects"])
def test_a_full_disk_is_said_and_leaves_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file.write_text(file.read_text() + "bad,wren,wren,tie,en,,\n")
    where = {"batch": (parts, "batch_write"), "votes": (imports, "VoteWriter")}
    monkeypatch.setattr(*where.get(written, (imports.csv, "writer")), full)
    with pytest.raises(VotesRefused, match="No space left on device"):
        votes_import(path=file, skip_bad=True)

    assert left_over() == []
    assert not Segment.objects.exists()


def test_a_refused_file_leaves_nothing(file: Path) -> None:
    file.write_text(votes(100) + "v100,wren,wren,tie,en,2025-01-01,\n")

    with pytest.raises(VotesRefused, match=r"line 102.*itself"):
        votes_import(path=file)
    assert left_over() == []


def test_progress_rises_from_nothing_to_all(file: Path) -> None:
    seen: list[tuple[int, float]] = []
    votes_import(path=file, progress=lambda rows, share: seen.append((rows, share)))

    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert seen[-1] == (100, 1.0)
    assert max(rows for rows, _ in seen) == 100


def test_the_same_votes_packed_or_sealed_are_known(file: Path, tmp_path: Path) -> None:
    segment = votes_import(path=file).segment
    assert segment is not None
    packed = tmp_path / "votes.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))

    for again in (packed, local(segment.sha256)):
        with pytest.raises(AlreadyImported):
            votes_import(path=again)
    assert Segment.objects.count() == 1


def test_two_processes_do_not_import_one_file_at_once(file: Path) -> None:
    with importing(imports.files.sha256_of(file)), pytest.raises(ImportRunning):
        votes_import(path=file)
    assert not Segment.objects.exists()


def test_a_file_that_changes_meanwhile_is_refused(file: Path) -> None:
    def progress(rows: int, share: float) -> None:
        file.write_text(votes(101))

    with pytest.raises(VotesRefused, match="changed while it was read"):
        votes_import(path=file, progress=progress)


def test_parts_that_nobody_takes_up_again_are_swept(file: Path) -> None:
    folder = folder_of("a" * 64)
    folder.mkdir(parents=True)

    assert parts_sweep(timezone.now() - timedelta(hours=1)) == 0
    assert parts_sweep(timezone.now() + timedelta(hours=1)) == 1
    assert not folder.exists()


# -- The report ------------------------------------------------------------------------------


def said(*arguments: object) -> str:
    out = StringIO()
    call_command("import_votes", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_dry_run_reports_and_writes_nothing(file: Path) -> None:
    text = said(file, "--dry-run")

    assert "100 votes would be imported from votes.csv (tiltyard schema)" in text
    assert "2 contestants, of whom 2 are new" in text
    assert "Cast between 2025-01-01 00:00 and 2025-01-01 00:00 UTC" in text
    assert "Languages: en 100." in text
    assert left_over() == []
    assert not Contestant.objects.exists()


def test_the_report_says_what_was_left_out_and_what_does_not_count(file: Path) -> None:
    bad = (
        "v1,wren,kite,tie,en,,\nx,wren,wren,tie,,,\ny,wren,kite,draw,,,\nz,wren,kite,tie,de,,bot\n"
    )
    file.write_text(votes(100) + bad)
    imported = votes_import(path=file, skip_bad=True)
    about = imported.as_json()

    assert (about["rows_read"], about["votes"], about["refused"]) == (104, 101, 3)
    assert about["refused_by_reason"] == {
        "id … is that of line … too": 1,
        "… is set against itself": 1,
        "unknown outcome 'draw'": 1,
    }
    assert about["excluded"] == {"bot": 1}
    assert about["languages"] == {"en": 100, "de": 1}
    assert json.loads(json.dumps(about)) == about


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_bad_row_fails_a_dry_run_too(file: Path, dry: list[str]) -> None:
    file.write_text(votes(3) + "v1,wren,kite,tie,,,\n")

    with pytest.raises(CommandError, match=r"line 5: id 'v1' is that of line 3 too"):
        said(file, *dry)


# -- The import folder -----------------------------------------------------------------------


def test_only_files_of_the_import_folder_can_be_named(tmp_path: Path) -> None:
    folder = Path(settings.IMPORT_DIR)
    (folder / "week").mkdir(parents=True)
    (folder / "week" / "votes.csv").write_text("x")
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "inside").symlink_to(folder / "week" / "votes.csv")

    assert import_path("week/votes.csv").read_text() == import_path("inside").read_text() == "x"
    for name in ("../secret", str(tmp_path / "secret"), "link", "week/../../secret", "", "a\0b"):
        with pytest.raises(VotesRefused, match="no name of a file in the import folder"):
            import_path(name)
    for name in ("nothing.csv", "week", "."):
        with pytest.raises(VotesRefused, match=r"There is no file|no name"):
            import_path(name)
