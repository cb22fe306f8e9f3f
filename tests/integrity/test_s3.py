"""Votes in a bucket: the same chain, read through copies that are verified."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import boto3
import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone
from moto import mock_aws
from pytest_django import Settings

from arena.battles.images import IMAGES, image_store, images_erase, images_read, images_sweep
from arena.battles.models import Battle, Image
from arena.battles.services import vote_cast
from arena.config.settings import bucket
from arena.integrity import files
from arena.integrity.chain import chain_verify
from arena.integrity.exceptions import SegmentMissing
from arena.integrity.models import Segment
from arena.integrity.sealing import orphans_sweep, votes_seal
from arena.integrity.selectors import votes_read
from arena.voters.models import Voter
from tests import factories
from tests.pictures import opened, png

pytestmark = pytest.mark.django_db
BUCKET = "votes-of-a-test"


@pytest.fixture(autouse=True)
def in_a_bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-a-test")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        kinds = {kind: bucket(BUCKET, kind) for kind in (*files.KINDS, IMAGES)}
        settings.STORAGES = settings.STORAGES | kinds
        yield


@pytest.fixture
def segment(alice: Voter) -> Segment:
    cast(factories.battle(*factories.pair(), alice))
    sealed = votes_seal()
    assert sealed is not None
    return sealed


def cast(battle: Battle) -> None:
    key = f"key-{battle.pk.hex}"
    vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=battle.voter, outcome="tie", key=key
    )


def test_it_works(segment: Segment, alice: Voter) -> None:
    cast(factories.battle(*factories.pair(), alice))
    votes_seal()

    assert len(storages[files.SEGMENTS].listdir("")[1]) == 2
    assert len(storages[files.TEXTS].listdir("")[1]) == 2
    assert votes_read().table.num_rows == 2
    assert chain_verify() == 2


def test_a_copy_that_is_gone_is_fetched_again(segment: Segment) -> None:
    chain_verify()
    shutil.rmtree(files.folder(files.SEGMENTS))

    assert chain_verify() == 1
    assert files.local(segment.sha256).exists()


def test_other_votes_under_its_name_are_refused(segment: Segment) -> None:
    shutil.rmtree(files.folder(files.SEGMENTS), ignore_errors=True)
    client = boto3.client("s3", region_name="us-east-1")
    name = f"segments/{files.name_of(segment.sha256)}"
    client.put_object(Bucket=BUCKET, Key=name, Body=b"other votes")

    with pytest.raises(SegmentMissing, match="holds other votes"):
        votes_read()
    client.delete_object(Bucket=BUCKET, Key=name)
    with pytest.raises(SegmentMissing, match="cannot be fetched"):
        votes_read()


def test_erased_texts_leave_the_bucket(segment: Segment, alice: Voter) -> None:
    call_command("erase_voter", "--voter", str(alice.pk), stdout=StringIO())

    assert storages[files.TEXTS].listdir("")[1] == []
    assert chain_verify() == 1


def test_orphans_leave_the_bucket_after_a_day(
    segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with files.making(files.SEGMENTS) as made:
        made.write_bytes(b"left by a dead process")
        files.keep(files.SEGMENTS, made, "0" * 64)
    assert orphans_sweep() == 0
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=2))

    assert orphans_sweep() == 1
    assert storages[files.SEGMENTS].listdir("")[1] == [files.name_of(segment.sha256)]


def test_a_backup_takes_the_bucket_along(segment: Segment, tmp_path: object) -> None:
    """It says so where a segment is missing there."""
    storages[files.SEGMENTS].delete(files.name_of(segment.sha256))

    with pytest.raises(CommandError, match=segment.sha256):
        call_command("backup", f"{tmp_path}/arena.tar", stdout=StringIO())


def test_pictures_lie_in_the_bucket_as_long_as_they_are_kept(alice: Voter) -> None:
    image, other = (
        image_store(voter=alice, file=SimpleUploadedFile("a.png", png())) for _ in range(2)
    )
    [read] = images_read([image])
    assert opened(read.data).size == (48, 32)

    images_erase(images=Image.objects.filter(pk=image.pk))
    assert storages[IMAGES].listdir("")[1] == [str(other.pk)]
    images_sweep(now=timezone.now() + timedelta(hours=25))
    assert storages[IMAGES].listdir("")[1] == []
