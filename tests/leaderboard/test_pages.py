"""The board's page and downloads: what they say for each kind of votes."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.test import Client

from arena.battles.models import State
from arena.battles.services import vote_cast
from arena.integrity.imports import votes_import
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from tests import factories
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    votes_import(path=cycle(tmp_path))
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def test_it_works(client: Client, board: Snapshot) -> None:
    page = client.get("/leaderboard/").content.decode()

    assert page.index("wren") < page.index("kite")
    assert board.short in page


def test_what_the_votes_do_not_hold_is_absent(client: Client, board: Snapshot) -> None:
    page = client.get("/leaderboard/").content.decode()

    for absent in ("Moved from raw", "Licence", "Controlled", "Experimental", "Simulated"):
        assert absent not in page


def test_no_votes_yet(client: Client) -> None:
    assert "No votes yet" in client.get("/leaderboard/").content.decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [("?board=poetry", "These exist: raw"), ("?snapshot=ffffffff", "There is no publication")],
)
def test_what_does_not_exist_is_said_with_what_does(
    client: Client, board: Snapshot, query: str, said: str
) -> None:
    response = client.get(f"/leaderboard/{query}")

    assert response.status_code == 404
    assert said in response.content.decode()


def test_a_publication_keeps_its_address(client: Client, board: Snapshot, tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path, times=3, name="more.csv"))
    publish()

    old = client.get(f"/leaderboard/?snapshot={board.short}").content.decode()
    assert board.short in old
    assert board.short not in client.get("/leaderboard/").content.decode()


def test_downloads_hold_the_rows_of_the_page(client: Client, board: Snapshot) -> None:
    rows = list(csv.DictReader(StringIO(client.get("/leaderboard/download.csv").content.decode())))
    data = client.get("/leaderboard/download.json").json()

    assert [row["model_name"] for row in rows] == [row["contestant"] for row in data["standings"]]
    assert [float(row["rating"]) for row in rows] == [row["rating"] for row in data["standings"]]
    assert rows[0]["leaderboard_publish_date"] == data["published_at"][:10]


def test_queries_do_not_grow_with_contestants(
    client: Client, tmp_path: Path, board: Snapshot, django_assert_max_num_queries: object
) -> None:
    ring = [f"m{n},m{(n + 1) % 60},tie" for n in range(60)]
    (tmp_path / "ring.csv").write_text("\n".join(["model_a,model_b,winner", *ring]) + "\n")
    votes_import(path=tmp_path / "ring.csv")
    publish()

    with django_assert_max_num_queries(12):  # type: ignore[operator]
        client.get("/leaderboard/")


def test_hostile_names_stay_text(client: Client, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    (tmp_path / "x.csv").write_text(f"model_a,model_b,winner\n{name},=1+1,tie\n=1+1,{name},tie\n")
    votes_import(path=tmp_path / "x.csv")
    publish()

    assert name not in client.get("/leaderboard/").content.decode()
    assert "\n=1+1" not in client.get("/leaderboard/download.csv").content.decode()


def test_names_are_revealed_after_the_vote_only(client: Client, board: Snapshot) -> None:
    client.get("/battle/")
    voter = factories.voter_of(client)
    wren, kite = factories.known("wren"), factories.known("kite")
    battle = factories.battle(wren, kite, voter)
    where = f"/battle/{battle.pk}/reveal/"

    assert client.get(where).status_code == 404
    vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=voter,
        outcome="model_a",
        key="key-of-a-test",
    )
    revealed = client.get(where)
    assert revealed.status_code == 200
    assert "rank" in revealed.content.decode().lower()
    assert Client().get(where).status_code == 403
    battle.refresh_from_db()
    assert battle.state == State.VOTED
