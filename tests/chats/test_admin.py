"""What operators see of chats: how they ended, and nothing of what was said."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from arena.catalog.models import Kind
from arena.chats.models import Chat, ChatAnswer, ChatTurn, State
from arena.voters.models import Voter
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def turn(alice: Voter) -> ChatTurn:
    wren = factories.revision("Wren", Kind.OPENAI, endpoint="http://localhost:1/v1")
    chat = Chat.objects.create(voter=alice, contestant=wren.contestant)
    turn = ChatTurn.objects.create(
        chat=chat, number=1, prompt="CANARY asks", revision=wren, state=State.FAILED, owner="here"
    )
    ChatAnswer.objects.create(
        turn=turn,
        text="CANARY answers",
        reasoning="CANARY thinks",
        error_kind="Truncated",
        error_detail="the connection broke",
    )
    return turn


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


def test_it_works(operator: Client, turn: ChatTurn) -> None:
    listed = operator.get("/admin/chats/chatturn/").content.decode()
    shown = operator.get(f"/admin/chats/chatturn/{turn.pk}/change/").content.decode()

    assert "Wren" in listed
    assert "The contestant failed" in listed
    assert "Truncated" in shown
    assert "the connection broke" in shown
    assert "CANARY" not in listed + shown


def test_nothing_is_changed_here(operator: Client, turn: ChatTurn) -> None:
    assert operator.get("/admin/chats/chatturn/add/").status_code == 403
    assert operator.post(f"/admin/chats/chatturn/{turn.pk}/delete/").status_code == 403
