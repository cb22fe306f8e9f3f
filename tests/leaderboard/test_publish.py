"""Publications: what one says, that it says it once, and that it stays."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import QueryDict

from arena.battles.models import Vote
from arena.core.models import AuditEntry
from arena.integrity.exceptions import SegmentMissing, VotesRefused
from arena.integrity.imports import votes_import
from arena.integrity.models import Exclusion, Segment
from arena.integrity.services import votes_exclude, votes_export
from arena.leaderboard import services
from arena.leaderboard.boards import board_page
from arena.leaderboard.models import Snapshot, Standing
from arena.leaderboard.services import publish
from arena.leaderboard.viewing import view_of
from arena.voters.models import Voter
from ranking import RankingSpec, fit
from ranking.io import read_votes
from ranking.snapshots import GENESIS, digest_of, snapshot_text
from ranking.verify import verify
from ranking.votes import Votes
from tests.leaderboard.test_refit import cast, cycle

pytestmark = pytest.mark.django_db


def published() -> Snapshot:
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def test_it_works(tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    snapshot = published()

    standings = list(Standing.objects.filter(snapshot=snapshot).order_by("rank"))
    assert standings[0].revision.name == "wren"
    assert [standing.rank for standing in standings] == [1, 2, 3]
    assert (snapshot.number, snapshot.previous) == (1, GENESIS)
    assert AuditEntry.objects.filter(action="snapshot.publish", subject=snapshot.digest).exists()


def test_nothing_new_is_not_published(tmp_path: Path) -> None:
    assert publish() is None
    votes_import(path=cycle(tmp_path))
    publish()

    assert publish() is None
    assert Snapshot.objects.count() == 1


def test_a_vote_cast_here_is_sealed_and_counted(tmp_path: Path, alice: Voter) -> None:
    votes_import(path=cycle(tmp_path))
    before = published()
    cast(alice)

    after = published()
    assert after.content["counts"]["read"] == before.counted + 1
    assert [entry["rows"] for entry in after.content["segments"]] == [48, 1]
    assert (after.number, after.previous) == (2, before.digest)
    assert after.head == Segment.objects.latest("id").link


def test_a_vote_cast_while_publishing_waits_for_the_next(
    tmp_path: Path, alice: Voter, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes_import(path=cycle(tmp_path))
    reading = services.sealed_read

    def cast_and_read(sealed: object) -> object:
        cast(alice)
        return reading(sealed)  # type: ignore[arg-type]

    monkeypatch.setattr(services, "sealed_read", cast_and_read)
    assert published().content["counts"]["read"] == 48
    monkeypatch.setattr(services, "sealed_read", reading)
    assert published().content["counts"]["read"] == 49


def test_of_two_publishers_at_once_one_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes_import(path=cycle(tmp_path))
    reading = services.sealed_read

    def read_while_another_publishes(sealed: object) -> object:
        monkeypatch.setattr(services, "sealed_read", reading)
        publish()
        return reading(sealed)  # type: ignore[arg-type]

    monkeypatch.setattr(services, "sealed_read", read_while_another_publishes)

    assert publish() is None
    assert Snapshot.objects.count() == 1


def test_the_board_is_what_the_library_fits(tmp_path: Path) -> None:
    """Exported votes under the board's own spec give the board's numbers."""
    votes_import(path=cycle(tmp_path))
    content = published().content
    votes_export(path=tmp_path / "all.parquet")

    votes = Votes.from_arrow(read_votes(tmp_path / "all.parquet").table)
    fitted = fit(votes, RankingSpec.from_dict(content["spec"])).to_dict()

    assert content["boards"]["raw"]["standings"] == json.loads(json.dumps(fitted["standings"]))


def test_a_vote_has_one_name_however_it_was_spelt(tmp_path: Path, alice: Voter) -> None:
    segment = votes_import(path=cycle(tmp_path)).segment
    cast(alice)
    vote = Vote.objects.get().pk
    Exclusion.objects.create(vote=f"n:00{vote}", rule="robot", reason="a test")
    Exclusion.objects.create(vote=f"{segment.sha256}:007", rule="rigging", reason="a test")
    snapshot = published()

    assert snapshot.content["counts"]["excluded"] == {"rigging": 1, "robot": 1}
    path = tmp_path / f"{snapshot.digest}.json"
    path.write_text(snapshot_text(snapshot.content))
    verify([path], settings.SEGMENTS_DIR)


def test_excluded_votes_are_named_and_do_not_count(tmp_path: Path, alice: Voter) -> None:
    segment = votes_import(path=cycle(tmp_path)).segment
    publish()
    cast(alice)
    votes_exclude(votes=[f"{segment.sha256}:0"], rule="rigging", reason="a test")
    vote = f"n:{Vote.objects.get().pk}"
    votes_exclude(votes=[f"{segment.sha256}:0", vote], rule="robot", reason="a test")

    content = published().content
    assert content["exclusions"] == {"rigging": [f"{segment.sha256}:0"], "robot": [vote]}
    assert content["counts"]["excluded"] == {"rigging": 1, "robot": 1}
    assert content["counts"]["counted"] == content["counts"]["read"] - 2


def test_what_is_published_verifies(tmp_path: Path, alice: Voter) -> None:
    segment = votes_import(path=cycle(tmp_path)).segment
    paths = []
    for turn in range(3):
        votes_exclude(votes=[f"{segment.sha256}:{turn}"], rule="rigging", reason="a test")
        cast(alice)
        snapshot = published()
        assert snapshot.digest == digest_of(snapshot.content)
        paths.append(tmp_path / f"{turn}.json")
        paths[-1].write_text(snapshot_text(snapshot.content))
        for part in snapshot.parts.all():
            (tmp_path / f"{part.digest}.json").write_text(part.text)

    verified = verify(paths, settings.SEGMENTS_DIR, every_number=True, parts=tmp_path)
    assert [each.votes for each in verified] == [49, 50, 51]


def test_snapshots_are_never_changed(tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    snapshot = published()

    with pytest.raises(TypeError):
        snapshot.save()


def test_altered_votes_are_not_published(tmp_path: Path) -> None:
    segment = votes_import(path=cycle(tmp_path)).segment
    path = settings.SEGMENTS_DIR / f"{segment.sha256}.parquet"
    path.write_bytes(path.read_bytes() + b"x")

    with pytest.raises(SegmentMissing, match="altered"):
        publish()
    path.unlink()
    with pytest.raises(CommandError, match="gone"):
        call_command("publish")
    assert not Snapshot.objects.exists()


def test_a_single_vote_is_said_to_place_nobody(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("model_a,model_b,winner\nwren,kite,model_a\n")
    votes_import(path=path)
    snapshot = published()

    reasons = {
        standing.revision.name: standing.reason
        for standing in Standing.objects.filter(snapshot=snapshot, rank=None)
    }
    assert set(reasons) == {"wren", "kite"}
    assert all(reasons.values())
    assert snapshot.content["boards"]["raw"]["standings"] == []


@pytest.mark.parametrize("vote", ["garbage", "n:abc", "n:12345", "{sha}:48", "{sha}:-1"])
def test_an_exclusion_names_a_vote_that_exists(tmp_path: Path, vote: str) -> None:
    segment = votes_import(path=cycle(tmp_path)).segment

    with pytest.raises(VotesRefused):
        votes_exclude(votes=[vote.format(sha=segment.sha256)], rule="rigging", reason="a test")
    assert published().counted == 48


def test_first_place_that_is_shared_has_no_leader(tmp_path: Path) -> None:
    path = tmp_path / "ties.csv"
    path.write_text("model_a,model_b,winner\n" + "wren,kite,tie\nkite,lark,tie\n" * 30)
    votes_import(path=path)

    snapshot = published()
    page = board_page(snapshot, view_of(snapshot, QueryDict("board=raw")))
    assert page.headline == "All 3 contestants share first place."


def test_the_command_says_what_it_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    votes_import(path=cycle(tmp_path))
    call_command("publish")
    call_command("publish")

    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Publication 1, ")
    assert said[0].endswith(": 48 votes counted.")
    assert said[1:] == ["Nothing new to publish."]


@pytest.mark.django_db(transaction=True)
def test_several_publishers_at_once_leave_one_publication_per_state(tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: publish_and_leave(), range(4)))

    assert sum(snapshot is not None for snapshot in made) == 1
    assert Snapshot.objects.count() == 1


def publish_and_leave() -> Snapshot | None:
    try:
        return publish()
    finally:
        connection.close()
