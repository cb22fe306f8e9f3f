"""Refits: drafts that staff see, made once per state of the votes."""

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from arena.battles.services import vote_cast
from arena.integrity.imports import votes_import
from arena.integrity.models import Exclusion
from arena.integrity.services import exclusion_lift, votes_exclude
from arena.leaderboard import services
from arena.leaderboard.models import Draft, Snapshot
from arena.leaderboard.services import publish, refit
from arena.voters.models import Voter
from ranking import RankingError
from tests import factories

pytestmark = pytest.mark.django_db


def cycle(folder: Path, times: int = 12, name: str = "cycle.csv") -> Path:
    """Three contestants that beat each other in a circle, wren the most."""
    rows = ["wren,kite,model_a", "kite,lark,model_a", "lark,wren,model_a", "wren,lark,model_a"]
    path = folder / name
    path.write_text("\n".join(["model_a,model_b,winner", *rows * times]) + "\n")
    return path


def cast(voter: Voter, outcome: str = "tie") -> None:
    """One vote cast here, between contestants that are known."""
    battle = factories.battle(factories.known("wren"), factories.known("kite"), voter)
    vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=voter,
        outcome=outcome,
        key=f"key-{battle.pk}",
    )


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    return client


def test_it_works(tmp_path: Path, client: Client, staff: Client) -> None:
    votes_import(path=cycle(tmp_path))
    draft = refit()

    assert draft is not None
    assert draft.counted == 48
    assert not Snapshot.objects.exists()
    page = staff.get("/leaderboard/?snapshot=draft")
    assert "Staff alone see this" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert staff.get("/leaderboard/download.json?snapshot=draft").json()["published_at"] == ""


def test_nobody_else_sees_a_draft(tmp_path: Path, client: Client) -> None:
    votes_import(path=cycle(tmp_path))
    refit()
    client.force_login(User.objects.create_user("reader"))

    for who in (client, Client()):
        for address in ("/leaderboard/", "/leaderboard/download.csv"):
            assert who.get(f"{address}?snapshot=draft").status_code == 404
        assert "draft" not in who.get("/leaderboard/").content.decode()


def test_votes_without_a_publication_are_said_to_wait(
    tmp_path: Path, client: Client, staff: Client
) -> None:
    votes_import(path=cycle(tmp_path))
    refit()
    page = client.get("/leaderboard/").content.decode()

    assert "nothing has been published yet" in page
    assert "manage.py publish" not in page
    assert "manage.py publish" in staff.get("/leaderboard/").content.decode()


def test_only_the_newest_draft_is_kept(tmp_path: Path, alice: Voter, staff: Client) -> None:
    votes_import(path=cycle(tmp_path))
    refit()
    cast(alice)
    refit()

    assert Draft.objects.get().content["counts"]["read"] == 49
    publish()
    assert not Draft.objects.exists()
    assert staff.get("/leaderboard/?snapshot=draft").status_code == 404


def test_nothing_new_is_not_fitted_again(tmp_path: Path) -> None:
    assert refit() is None
    votes_import(path=cycle(tmp_path))
    refit()
    assert refit() is None
    publish()
    assert refit() is None


def test_a_draft_does_not_outlast_what_it_says(tmp_path: Path) -> None:
    segment = votes_import(path=cycle(tmp_path)).segment
    publish()
    votes_exclude(votes=[f"{segment.sha256}:7"], rule="robot", reason="a test")
    assert refit() is not None
    exclusion_lift(pk=Exclusion.objects.get().pk, reason="a mistake")

    assert refit() is None
    assert not Draft.objects.exists()


def test_a_draft_names_exactly_the_votes_it_read(
    tmp_path: Path, alice: Voter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vote cast while the refit has begun is either in both state and counts or in neither."""
    votes_import(path=cycle(tmp_path))
    reading = services.votes_all

    def cast_and_read() -> object:
        cast(alice)
        return reading()

    monkeypatch.setattr(services, "votes_all", cast_and_read)
    draft = refit()

    assert draft is not None
    assert draft.content["native"]["count"] == 1
    assert draft.content["counts"]["read"] == 48 + 1
    monkeypatch.setattr(services, "votes_all", reading)
    assert refit() is None


def test_votes_that_cannot_be_fitted_are_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes_import(path=cycle(tmp_path))
    tried = []

    def failing(votes: object) -> None:
        tried.append(votes)
        raise RankingError("no maximum")

    refitter, fitting = services.Refitter(), services.publication
    monkeypatch.setattr(services, "publication", failing)
    with pytest.raises(RankingError):
        refitter()
    assert refitter() is None
    assert len(tried) == 1

    monkeypatch.setattr(services, "publication", fitting)
    votes_import(path=cycle(tmp_path, times=3, name="more.csv"))
    assert refitter() is not None


def test_who_refits_publishes_when_it_is_time(
    tmp_path: Path, alice: Voter, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes_import(path=cycle(tmp_path))
    refitter = services.Refitter()
    monkeypatch.setattr(settings, "PUBLISH_SECONDS", 3600)

    assert isinstance(refitter(), Snapshot)
    cast(alice)
    assert isinstance(refitter(), Draft)
    monkeypatch.setattr(settings, "PUBLISH_SECONDS", 1e-6)
    assert isinstance(refitter(), Snapshot)
    assert refitter() is None


def test_the_command_makes_a_draft(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    votes_import(path=cycle(tmp_path))
    call_command("refit")
    call_command("refit")

    said = capsys.readouterr().out
    assert said.splitlines() == ["Draft: 48 votes counted.", "Nothing new to fit."]
