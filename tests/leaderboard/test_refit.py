"""From votes to a published snapshot: what it says, and that it says it once."""

import hashlib
import json
from pathlib import Path

import pytest

from arena.battles.services import vote_cast
from arena.integrity.exceptions import VotesRefused
from arena.integrity.imports import votes_import
from arena.integrity.services import votes_exclude, votes_export
from arena.leaderboard import services
from arena.leaderboard.boards import board_page
from arena.leaderboard.models import BoardName, Snapshot, Standing
from arena.leaderboard.services import refit
from arena.voters.models import Voter
from ranking import RankingError, RankingSpec, fit
from ranking.io import read_votes
from ranking.votes import Votes
from tests import factories

pytestmark = pytest.mark.django_db


def cycle(folder: Path, times: int = 12, name: str = "cycle.csv") -> Path:
    """Three contestants that beat each other in a circle, wren the most."""
    rows = ["wren,kite,model_a", "kite,lark,model_a", "lark,wren,model_a", "wren,lark,model_a"]
    path = folder / name
    path.write_text("\n".join(["model_a,model_b,winner", *rows * times]) + "\n")
    return path


def refitted() -> Snapshot:
    snapshot = refit()
    assert snapshot is not None
    return snapshot


def test_it_works(tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    snapshot = refitted()

    standings = list(Standing.objects.filter(snapshot=snapshot).order_by("rank"))
    assert standings[0].revision.name == "wren"
    assert [standing.rank for standing in standings] == [1, 2, 3]
    assert snapshot.published_at is not None


def test_nothing_new_makes_no_snapshot(tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    refit()

    assert refit() is None
    assert Snapshot.objects.count() == 1


def test_an_arena_without_votes_publishes_nothing() -> None:
    assert refit() is None


def test_a_vote_cast_here_is_counted_by_the_next_refit(tmp_path: Path, alice: Voter) -> None:
    votes_import(path=cycle(tmp_path))
    before = refitted()
    battle = factories.battle(factories.revision("heron"), factories.revision("swift"), alice)
    vote_cast(battle_id=battle.pk, voter=alice, outcome="tie", key="key-of-a-test")

    after = refitted()
    assert after.content["boards"]["raw"]["counts"]["read"] == before.counted + 1
    assert after.content["previous"] == before.digest


def test_the_board_is_what_the_library_fits(tmp_path: Path) -> None:
    """Exported votes under the board's own spec give the board's numbers."""
    votes_import(path=cycle(tmp_path))
    published = refitted().content
    votes_export(path=tmp_path / "all.parquet")

    votes = Votes.from_arrow(read_votes(tmp_path / "all.parquet").table)
    fitted = fit(votes, RankingSpec.from_dict(published["spec"])).to_dict()

    assert published["boards"]["raw"]["standings"] == json.loads(json.dumps(fitted["standings"]))


def test_excluded_votes_do_not_count_and_are_counted(tmp_path: Path) -> None:
    segment = votes_import(path=cycle(tmp_path)).segment
    refit()
    votes_exclude(votes=[f"{segment.sha256}:0"], rule="rigging", reason="a test")

    counts = refitted().content["boards"]["raw"]["counts"]
    assert counts["excluded"] == {"rigging": 1}
    assert counts["counted"] == counts["read"] - 1


def test_the_digest_is_that_of_the_document(tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    snapshot = refitted()

    assert snapshot.digest == hashlib.sha256(snapshot.document.encode()).hexdigest()


def test_snapshots_are_never_changed(tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    snapshot = refitted()

    with pytest.raises(TypeError):
        snapshot.save()


def test_a_single_vote_is_said_to_place_nobody(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("model_a,model_b,winner\nwren,kite,model_a\n")
    votes_import(path=path)
    snapshot = refitted()

    reasons = {
        standing.revision.name: standing.reason
        for standing in Standing.objects.filter(snapshot=snapshot, rank=None)
    }
    assert set(reasons) == {"wren", "kite"}
    assert all(reasons.values())
    assert snapshot.content["boards"]["raw"]["standings"] == []


def test_a_snapshot_names_exactly_the_votes_it_read(
    tmp_path: Path, alice: Voter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vote cast while the refit has begun is either in both state and counts or in neither."""
    votes_import(path=cycle(tmp_path))
    wren, kite = factories.known("wren"), factories.known("kite")
    reading = services.votes_all

    def cast_and_read() -> object:
        battle = factories.battle(wren, kite, alice)
        vote_cast(battle_id=battle.pk, voter=alice, outcome="tie", key="key-of-a-test")
        return reading()

    monkeypatch.setattr(services, "votes_all", cast_and_read)
    content = refitted().content

    assert content["native"]["count"] == 1
    assert content["boards"]["raw"]["counts"]["read"] == 48 + 1
    monkeypatch.setattr(services, "votes_all", reading)
    assert refit() is None


def test_of_two_refits_at_once_one_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes_import(path=cycle(tmp_path))
    reading = services.votes_all

    def read_while_another_publishes() -> object:
        monkeypatch.setattr(services, "votes_all", reading)
        refit()
        return reading()

    monkeypatch.setattr(services, "votes_all", read_while_another_publishes)

    assert refit() is None
    assert Snapshot.objects.count() == 1


def test_votes_that_cannot_be_fitted_are_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes_import(path=cycle(tmp_path))
    tried = []

    def failing(votes: object) -> None:
        tried.append(votes)
        raise RankingError("no maximum")

    refitter, fitting = services.Refitter(), services.fit_boards
    monkeypatch.setattr(services, "fit_boards", failing)
    with pytest.raises(RankingError):
        refitter()
    assert refitter() is None
    assert len(tried) == 1

    monkeypatch.setattr(services, "fit_boards", fitting)
    votes_import(path=cycle(tmp_path, times=3, name="more.csv"))
    assert refitter() is not None


@pytest.mark.parametrize("vote", ["garbage", "n:abc", "n:12345", "{sha}:48", "{sha}:-1"])
def test_an_exclusion_names_a_vote_that_exists(tmp_path: Path, vote: str) -> None:
    segment = votes_import(path=cycle(tmp_path)).segment

    with pytest.raises(VotesRefused):
        votes_exclude(votes=[vote.format(sha=segment.sha256)], rule="rigging", reason="a test")
    assert refitted().counted == 48


def test_first_place_that_is_shared_has_no_leader(tmp_path: Path) -> None:
    path = tmp_path / "ties.csv"
    path.write_text("model_a,model_b,winner\n" + "wren,kite,tie\nkite,lark,tie\n" * 30)
    votes_import(path=path)

    page = board_page(refitted(), BoardName.RAW)
    assert page.headline == "All 3 contestants share first place."
