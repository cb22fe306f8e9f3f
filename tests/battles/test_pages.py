"""The battle page and the vote over HTTP."""

import pytest
from django.test import Client

from arena.battles.models import Battle, State, Vote
from arena.catalog.models import Kind
from tests import factories

pytestmark = pytest.mark.django_db
KEY = "0f1e2d3c-aaaa"


@pytest.fixture
def battle(client: Client) -> Battle:
    client.get("/battle/")
    return factories.battle(
        factories.revision("Wren CANARY", stage="preview"),
        factories.revision("Kite CANARY"),
        factories.voter_of(client),
    )


def vote(client: Client, battle: Battle, outcome: str = "model_a", key: str = KEY):  # type: ignore[no-untyped-def]
    return client.post(
        f"/battle/{battle.pk}/vote/", {"outcome": outcome, "key": key, "attempt": battle.attempt}
    )


def test_it_works(client: Client, battle: Battle) -> None:
    page = client.get(f"/battle/{battle.pk}/")
    assert "answer a" in page.content.decode()

    voted = vote(client, battle)
    assert voted.status_code == 200
    assert "You preferred Wren CANARY to Kite CANARY." in voted.content.decode()
    assert Vote.objects.get().outcome == "model_a"


@pytest.mark.parametrize("state", [State.GENERATING, State.COMPLETE, State.FAILED])
def test_no_name_before_the_vote(client: Client, battle: Battle, state: State) -> None:
    Battle.objects.update(state=state)

    response = client.get(f"/battle/{battle.pk}/")
    crossed = response.content.decode() + str(response.headers)
    assert response.status_code == 200
    assert "CANARY" not in crossed


def test_text_is_shown_once_nothing_is_written(client: Client, battle: Battle) -> None:
    for state, is_shown in ((State.GENERATING, False), (State.FAILED, True)):
        Battle.objects.update(state=state)
        assert ("answer a" in client.get(f"/battle/{battle.pk}/").content.decode()) == is_shown


def test_categories_are_named_in_the_readers_language(client: Client) -> None:
    factories.on_record(factories.prompt(), Wren="One.", Kite="Two.")

    assert "<h2>Connaissances</h2>" in client.get("/", HTTP_ACCEPT_LANGUAGE="fr").content.decode()


def test_the_first_page_offers_what_can_be_answered(client: Client) -> None:
    factories.on_record(factories.prompt(), Wren="One.", Kite="Two.")
    assert 'id="question"' not in client.get("/").content.decode()

    for name in ("Linnet", "Ostrel"):
        factories.revision(name, Kind.OPENAI, endpoint="http://localhost/v1")
    page = client.get("/").content.decode()
    assert 'id="question"' in page
    assert "Why is the sky blue?" in page


def test_a_vote_on_an_unfinished_battle_says_when_voting_opens(
    client: Client, battle: Battle
) -> None:
    Battle.objects.update(state=State.GENERATING)
    response = vote(client, battle)

    assert response.status_code == 409
    assert response.json() == {"message": "Voting opens when both answers are finished."}


def test_a_retry_gets_the_same_page_and_another_outcome_is_refused(
    client: Client, battle: Battle
) -> None:
    vote(client, battle)

    assert vote(client, battle).status_code == 200
    assert vote(client, battle, outcome="tie").status_code == 409
    assert Vote.objects.count() == 1


def test_another_person_can_neither_see_nor_vote(client: Client, battle: Battle) -> None:
    stranger = Client()
    stranger.get("/battle/")

    assert stranger.get(f"/battle/{battle.pk}/").status_code == 404
    assert vote(stranger, battle).status_code == 403
    assert not Vote.objects.exists()


def test_without_the_cookie_a_vote_is_refused_in_words(client: Client, battle: Battle) -> None:
    response = vote(Client(), battle)

    assert response.status_code == 403
    assert "one cookie" in response.json()["message"]


def test_forged_cookies_are_worth_nothing(client: Client, battle: Battle) -> None:
    stranger = Client()
    stranger.cookies["tiltyard-voter"] = battle.voter.key

    assert vote(stranger, battle).status_code == 403


def test_a_vote_without_the_csrf_token_is_refused(battle: Battle, client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies

    assert vote(strict, battle).status_code == 403
    assert not Vote.objects.exists()


def test_unknown_battles_are_not_found(client: Client) -> None:
    where = "/battle/00000000-0000-4000-8000-000000000000/"
    client.get("/battle/")
    factories.voter_of(client)

    assert client.get(where).status_code == 404
    response = client.post(f"{where}vote/", {"outcome": "tie", "key": KEY, "attempt": 1})
    assert response.status_code == 404
    assert "no such battle" in response.json()["message"]


def test_scripts_in_answers_stay_text(client: Client, battle: Battle) -> None:
    for answer in battle.turns.get().answers.all():
        type(answer).objects.filter(pk=answer.pk).update(
            text="<script>alert(1)</script> [x](javascript:alert(1)) ![i](http://evil.example/i.png)"
        )
    page = client.get(f"/battle/{battle.pk}/").content.decode()

    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert "<img" not in page.split("<main")[1]
