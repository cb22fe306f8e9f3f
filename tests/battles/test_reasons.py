"""Why somebody voted so: said after the names were shown, by nobody else, and never the vote."""

import pytest
from django.test import Client

from arena.battles.models import Battle, Reasons, State, Vote
from arena.battles.services import vote_cast
from arena.voters.models import Voter
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def voter(client: Client) -> Voter:
    client.get("/battle/")
    return factories.voter_of(client)


@pytest.fixture
def battle(voter: Voter) -> Battle:
    return factories.battle(factories.revision("Wren"), factories.revision("Kite"), voter)


def cast(battle: Battle, outcome: str = "model_a") -> Battle:
    vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=battle.voter,
        outcome=outcome,
        key="key-of-a-test",
    )
    return battle


def give(client: Client, battle: Battle, *reasons: str):  # type: ignore[no-untyped-def]
    return client.post(f"/battle/{battle.pk}/reasons/", {"reason": reasons})


def page(client: Client, battle: Battle) -> str:
    return " ".join(client.get(f"/battle/{battle.pk}/").content.decode().split())


def test_it_works(client: Client, battle: Battle) -> None:
    cast(battle)
    said = give(client, battle, "clear", "accurate", "clear")

    assert said.json() == {"given": ["accurate", "clear"]}
    assert Reasons.objects.get().given == ["accurate", "clear"]
    shown = page(client, battle)
    assert 'aria-pressed="true" data-reason="clear"' in shown
    assert 'aria-pressed="false" data-reason="safe"' in shown


def test_they_can_be_said_anew_and_taken_back(client: Client, battle: Battle) -> None:
    cast(battle)
    give(client, battle, "clear", "accurate")
    give(client, battle, "safe")
    assert Reasons.objects.get().given == ["safe"]

    give(client, battle)
    assert Reasons.objects.get().given == []


@pytest.mark.parametrize(
    ("outcome", "question", "label"),
    [
        ("model_a", "Why A?", "More accurate"),
        ("model_b", "Why B?", "More accurate"),
        ("tie", "Why a tie?", "Equally accurate"),
        ("both_bad", "Why both bad?", "Not accurate"),
    ],
)
def test_they_are_asked_for_as_the_vote_was(
    client: Client, battle: Battle, outcome: str, question: str, label: str
) -> None:
    shown = page(client, cast(battle, outcome))

    assert question in shown
    assert f'data-reason="accurate" disabled>{label}<' in shown


def test_unknown_reasons_are_refused_with_those_there_are(client: Client, battle: Battle) -> None:
    cast(battle)
    give(client, battle, "clear")
    refused = give(client, battle, "safe", "<script>")

    assert refused.status_code == 400
    assert "accurate, clear, on_task, length, safe, other" in refused.json()["message"]
    assert Reasons.objects.get().given == ["clear"]


def test_there_is_no_reason_before_the_vote(client: Client, battle: Battle) -> None:
    assert "Why A?" not in page(client, battle)
    refused = give(client, battle, "clear")

    assert refused.status_code == 409
    assert "no vote yet" in refused.json()["message"]
    assert not Reasons.objects.exists()


def test_they_are_the_voters_alone(client: Client, battle: Battle, bob: Voter) -> None:
    cast(battle)
    others = cast(factories.battle(battle.revision_a, battle.revision_b, bob))

    assert give(client, others, "clear").status_code == 404
    assert give(Client(), battle, "clear").status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert give(strict, battle, "clear").status_code == 403
    assert not Reasons.objects.exists()


def test_the_vote_stays_as_it_was(client: Client, battle: Battle) -> None:
    cast(battle)
    before = Vote.objects.values().get()
    give(client, battle, "clear")

    assert Vote.objects.values().get() == before
    battle.refresh_from_db()
    assert battle.state == State.VOTED
