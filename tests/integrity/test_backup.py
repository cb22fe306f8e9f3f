"""A backup holds all of an arena, and an empty one becomes that arena again."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection

from arena.battles.images import image_store, images_read
from arena.battles.models import Battle, Image, Vote
from arena.battles.services import vote_cast
from arena.integrity import files
from arena.integrity.chain import chain_verify
from arena.integrity.models import Segment
from arena.integrity.sealing import votes_seal
from arena.integrity.selectors import votes_read
from arena.voters.models import Voter
from tests import factories
from tests.pictures import png

# Backups read what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def said(*command: object) -> str:
    out = StringIO()
    call_command(*map(str, command), stdout=out)
    return out.getvalue()


def cast(battle: Battle) -> Vote:
    key = f"key-{battle.pk.hex}"
    return vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=battle.voter, outcome="model_b", key=key
    )


@pytest.fixture
def tar(alice: Voter, tmp_path: Path) -> Path:
    """A backup of an arena with a sealed vote, an open one, a logo, and two pictures, one sent."""
    a, b = factories.revision("heron"), factories.revision("swift")
    battle = factories.battle(a, b, alice)
    sent, _unsent = (
        image_store(voter=alice, file=SimpleUploadedFile("a.png", png())) for _ in range(2)
    )
    battle.turns.get().images.add(sent)
    cast(battle)
    votes_seal()
    cast(factories.battle(a, b, alice))
    picture = Path(settings.MEDIA_ROOT) / "logos" / "heron.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a heron")
    said("backup", tmp_path / "arena.tar")
    return tmp_path / "arena.tar"


def emptied() -> None:
    call_command("flush", interactive=False, verbosity=0)
    for folder in ("SEGMENTS_DIR", "TEXTS_DIR", "IMAGES_DIR", "MEDIA_ROOT"):
        shutil.rmtree(getattr(settings, folder))


def test_it_works(tar: Path) -> None:
    before = votes_read()
    segment = Segment.objects.get()
    emptied()
    out = said("restore", tar)

    assert "1 segments, and their chain verifies" in out
    assert votes_read().table.equals(before.table)
    assert votes_read().state == before.state
    assert files.exists(files.TEXTS, segment.sha256)
    assert (Path(settings.MEDIA_ROOT) / "logos" / "heron.png").read_bytes() == b"a heron"
    assert Vote.objects.count() == 2
    assert chain_verify() == 1


def test_pictures_that_were_sent_come_back(tar: Path) -> None:
    sent = Image.objects.exclude(turns=None).get()
    [before] = images_read([sent])
    emptied()
    said("restore", tar)

    assert images_read([sent]) == (before,)
    assert storages["images"].listdir("")[1] == [str(sent.pk)]


def test_life_goes_on_after_it(tar: Path) -> None:
    emptied()
    said("restore", tar)
    battle = Battle.objects.first()
    assert battle is not None
    cast(factories.battle(battle.revision_a, battle.revision_b, battle.voter))
    votes_seal()

    assert votes_read().table.num_rows == sum(Segment.objects.values_list("rows", flat=True)) == 3
    assert chain_verify() == 2


def test_it_is_readable_by_its_owner_alone(tar: Path) -> None:
    assert tar.stat().st_mode & 0o077 == 0


def test_an_arena_that_is_not_empty_is_spared(tar: Path) -> None:
    vote = cast(factories.battle(*factories.pair(), Voter.objects.create()))
    with pytest.raises(CommandError, match="not empty"):
        said("restore", tar)
    assert Vote.objects.filter(pk=vote.pk).exists()

    said("restore", tar, "--force")
    assert Vote.objects.count() == 2


def test_a_file_that_is_there_is_not_overwritten(tar: Path) -> None:
    with pytest.raises(CommandError, match="is there already"):
        said("backup", tar)


def changed(tar: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Write the tar anew, with its files changed."""
    with tarfile.open(tar) as old:
        held = {name: old.extractfile(name).read() for name in old.getnames()}  # type: ignore[union-attr]
    change(held)
    with tarfile.open(tar, "w") as new:
        for name, content in held.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            new.addfile(info, io.BytesIO(content))


def flip_segment(held: dict[str, bytes]) -> None:
    name = next(name for name in held if name.startswith("segments/"))
    held[name] = held[name][:-1] + b"\0"


def drop_texts(held: dict[str, bytes]) -> None:
    del held[next(name for name in held if name.startswith("texts/"))]


def drop_manifest(held: dict[str, bytes]) -> None:
    del held["manifest.json"]


def lead_out(held: dict[str, bytes]) -> None:
    manifest = json.loads(held["manifest.json"])
    held["media/../../evil"] = held["media/logos/heron.png"]
    manifest["files"]["media/../../evil"] = manifest["files"]["media/logos/heron.png"]
    held["manifest.json"] = json.dumps(manifest).encode()


def other_database(held: dict[str, bytes]) -> None:
    manifest = json.loads(held["manifest.json"]) | {"database": "oracle"}
    held["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flip_segment, "was altered"),
        (drop_texts, "not those that its manifest names"),
        (drop_manifest, "cut short"),
        (lead_out, "does not belong"),
        (other_database, "made from oracle"),
    ],
)
def test_a_damaged_one_is_refused_before_anything_is_touched(
    tar: Path, change: Callable[[dict[str, bytes]], None], message: str
) -> None:
    changed(tar, change)
    emptied()

    with pytest.raises(CommandError, match=message):
        said("restore", tar)
    assert not Vote.objects.exists()
    assert not Path(settings.SEGMENTS_DIR).exists()


def test_a_file_cut_short_or_of_another_kind_is_refused(tar: Path, tmp_path: Path) -> None:
    content = tar.read_bytes()
    emptied()
    for number, other in enumerate((content[: len(content) // 2], b"no tar", b"")):
        path = tmp_path / f"{number}.tar"
        path.write_bytes(other)
        with pytest.raises(CommandError):
            said("restore", path)
    with pytest.raises(CommandError, match=r"missing\.tar"):
        said("restore", tmp_path / "missing.tar")
    assert not Vote.objects.exists()


def test_an_altered_segment_is_not_backed_up(tar: Path, tmp_path: Path) -> None:
    path = files.local(Segment.objects.get().sha256)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")

    with pytest.raises(CommandError, match="was altered"):
        said("backup", tmp_path / "second.tar")
    assert not (tmp_path / "second.tar").exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL's tools")
def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CommandError, match="pg_dump is not installed"):
        said("backup", tmp_path / "arena.tar")
