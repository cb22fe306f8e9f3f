"""The voter's own page: theirs alone, honest about how little it knows, and theirs to take."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client

from arena.battles.models import Battle, Mode, State
from arena.battles.services import texts_erase
from arena.catalog.models import Revision
from arena.integrity.erasure import voter_erase
from arena.integrity.imports import votes_import
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from tests import factories
from tests.leaderboard.test_personal import judge, named
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db

NOTHING = "You have voted in no battle yet."


@pytest.fixture
def voter(client: Client) -> Voter:
    """Who holds the client's cookie."""
    client.get("/battle/")
    return factories.voter_of(client)


@pytest.fixture
def wren(db: None) -> Revision:
    return factories.revision("wren")


@pytest.fixture
def kite(db: None) -> Revision:
    return factories.revision("kite")


def shown(client: Client, query: str = "") -> str:
    response = client.get(f"/mine/{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def downloaded(client: Client, form: str) -> str:
    response: HttpResponse = client.get(f"/mine/votes.{form}")
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_it_works(client: Client, voter: Voter, wren: Revision, kite: Revision) -> None:
    for _ in range(12):
        judge(voter, wren, kite, "model_a")
    page = shown(client)

    assert "You rank wren above kite; nothing else is settled yet." in page
    assert "You preferred wren to kite." in page
    assert page.index('<span class="name">wren') < page.index('<span class="name">kite')


def test_without_a_battle_it_says_so_and_offers_one(client: Client) -> None:
    for visitor in (client, Client()):
        assert NOTHING in shown(visitor)
        client.get("/battle/")  # from now on one of them has a cookie
    assert 'href="/battle/"' in shown(client)


def test_it_is_the_cookies_holders_alone_and_kept_by_nobody(
    client: Client, voter: Voter, wren: Revision, kite: Revision
) -> None:
    judge(voter, wren, kite, "model_a")
    other = Client()
    other.get("/battle/")

    assert NOTHING in shown(other)
    assert NOTHING in shown(Client())
    assert "wren" not in shown(other)
    assert other.get("/mine/votes.csv").status_code == 404
    for address in ("/mine/", "/mine/votes.csv"):
        assert "no-store" in client.get(address)["Cache-Control"]
        assert "private" in client.get(address)["Cache-Control"]


@pytest.mark.parametrize("state", [state for state in State if state != State.VOTED])
def test_before_its_vote_no_battle_names_anybody(
    client: Client, voter: Voter, wren: Revision, kite: Revision, state: State
) -> None:
    battle = factories.battle(wren, kite, voter, state)
    page = shown(client)

    assert f"/battle/{battle.pk}/" in page
    assert "wren" not in page
    assert "kite" not in page
    assert wren.contestant.slug not in page
    assert "wren" not in downloaded(client, "json")


def test_few_votes_are_not_made_into_an_order(
    client: Client, voter: Voter, wren: Revision, kite: Revision
) -> None:
    judge(voter, wren, kite, "model_a")
    page = shown(client)

    assert "Your one vote that counts does not settle yet who is better." in page
    assert "Each of the 2 contestants you met could still stand from 1 to 2." in page
    assert page.count("nothing known yet:") == 2


def test_votes_that_do_not_count_say_why(
    client: Client, voter: Voter, wren: Revision, kite: Revision
) -> None:
    judge(voter, wren, kite, "model_a", **named(Mode.NAMED))
    judge(voter, wren, wren, "tie")
    page = shown(client)

    assert "You have cast no vote that counts yet." in page
    assert "Not counted: you knew the names." in page
    assert "Both answers were written by wren." in page


def test_erased_texts_are_said_to_be_gone(
    client: Client, voter: Voter, wren: Revision, kite: Revision
) -> None:
    judge(voter, wren, kite, "model_a")
    assert "Why is the sky blue?" in shown(client)
    texts_erase(battles=Battle.objects.all())
    page = shown(client)

    assert "Why is the sky blue?" not in page
    assert "Its texts are no longer kept." in page
    assert "You preferred wren to kite." in page


def test_a_forgotten_voter_finds_nothing(
    client: Client, voter: Voter, wren: Revision, kite: Revision
) -> None:
    judge(voter, wren, kite, "model_a")
    voter_erase(voter=voter)

    assert NOTHING in shown(client)
    assert client.get("/mine/votes.json").status_code == 404


def test_the_board_stands_beside_it_and_never_in_it(
    client: Client, voter: Voter, tmp_path: Path
) -> None:
    """The same votes make the same ranking, with a board that says the opposite and without."""
    kite, wren = factories.revision("kite"), factories.revision("wren")
    for _ in range(12):
        judge(voter, kite, wren, "model_a")
    before = shown(client)
    assert "On the raw board" in before
    assert "no place there" in before
    votes_import(path=cycle(tmp_path, times=50))
    publish()
    after = shown(client)

    assert "The raw board ranks 1 the other way." in after
    assert after.count("outside your set") == 2
    for page in (before, after):
        assert "You rank kite above wren; nothing else is settled yet." in page
    assert "lark" not in after


def test_agreement_needs_ten_decided_votes(client: Client, voter: Voter, tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path, times=50))
    publish()
    wren, kite = factories.known("wren"), factories.known("kite")
    for _ in range(9):
        judge(voter, wren, kite, "model_a")
    assert "You have 9 decided votes between contestants of the board." in shown(client)
    judge(voter, wren, kite, "model_b")

    page = shown(client)
    assert "You sided with the board in 9 of 10 decided votes." in page
    assert "between 55 and 100 in 100 (95% interval)" in page


def test_battles_come_in_pages_the_newest_first(
    client: Client, voter: Voter, wren: Revision, kite: Revision
) -> None:
    made = [factories.battle(wren, kite, voter, State.FAILED) for _ in range(23)]
    first, second, beyond = shown(client), shown(client, "?page=2"), shown(client, "?page=99")

    assert str(made[-1].pk) in first
    assert str(made[0].pk) not in first
    assert str(made[0].pk) in second
    assert str(made[0].pk) in beyond
    assert first.index(str(made[-1].pk)) < first.index(str(made[-2].pk))
    assert "Page 1 of 2" in first


def test_queries_do_not_grow_with_votes(
    client: Client,
    voter: Voter,
    wren: Revision,
    kite: Revision,
    django_assert_max_num_queries: object,
) -> None:
    for _ in range(25):
        judge(voter, wren, kite, "model_a")

    with django_assert_max_num_queries(8):  # type: ignore[operator]
        shown(client)


def test_a_voter_takes_their_votes_with_them(
    client: Client, voter: Voter, wren: Revision, kite: Revision
) -> None:
    battle = judge(voter, wren, kite, "model_b")
    judge(voter, kite, wren, "tie", **named(Mode.NAMED))
    judge(Voter.objects.create(), wren, kite, "tie")
    factories.battle(wren, kite, voter)

    rows = list(csv.DictReader(StringIO(downloaded(client, "csv"))))
    assert rows == json.loads(downloaded(client, "json"))["votes"]
    assert rows[0] == {
        "date": battle.vote.created_at.isoformat(),
        "battle": str(battle.pk),
        "prompt": "Why is the sky blue?",
        "outcome": "model_b",
        "model_a": "wren",
        "model_b": "kite",
        "mode": "anonymous",
        "not_counted": "",
    }
    assert [row["not_counted"] for row in rows] == ["", "named"]


def test_a_download_without_votes_is_an_empty_one(client: Client, voter: Voter) -> None:
    assert downloaded(client, "csv").count("\n") == 1
    assert json.loads(downloaded(client, "json")) == {"votes": []}


def test_hostile_texts_stay_text(client: Client, voter: Voter, kite: Revision) -> None:
    evil = factories.revision("=1+1")
    battle = factories.battle(evil, kite, voter)
    battle.turns.update(prompt="<script>alert(1)</script>")
    assert "<script>alert(1)" not in shown(client)
    battle.turns.update(prompt='=cmd()\n"quoted"')
    other = judge(voter, evil, kite, "model_a")
    other.turns.update(prompt='=cmd()\n"quoted"')

    row = next(csv.DictReader(StringIO(downloaded(client, "csv"))))
    assert row["prompt"] == '\'=cmd()\n"quoted"'
    assert row["model_a"] == "'=1+1"
    assert json.loads(downloaded(client, "json"))["votes"][0]["model_a"] == "=1+1"
