"""The chat pages: whom one may ask, one's own chats, and deleting them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from arena.catalog.models import Circuit, Contestant, Kind, Revision
from arena.chats.models import Chat, ChatAnswer, ChatTurn, State
from arena.voters.models import Voter
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def wren() -> Revision:
    return factories.revision(
        "Wren", Kind.OPENAI, endpoint="http://localhost:1/v1", stage="preview"
    )


@pytest.fixture
def visitor(client: Client) -> Voter:
    client.get("/chat/")
    return factories.voter_of(client)


def chat_with(revision: Revision, voter: Voter, *prompts: str) -> Chat:
    """A chat in which each prompt was answered by itself in bold."""
    chat = Chat.objects.create(voter=voter, contestant=revision.contestant)
    for number, prompt in enumerate(prompts, start=1):
        turn = ChatTurn.objects.create(
            chat=chat,
            number=number,
            prompt=prompt,
            revision=revision,
            state=State.COMPLETE,
            owner="test",
        )
        ChatAnswer.objects.create(turn=turn, text=f"**{prompt}**")
    return chat


def page(client: Client, address: str = "/chat/") -> str:
    return client.get(address).content.decode()


def test_it_works(client: Client, visitor: Voter, wren: Revision) -> None:
    chat = chat_with(wren, visitor, "Why <blue>?", "And red?")
    shown = page(client, f"/chat/{chat.pk}/")

    assert "Why &lt;blue&gt;?" in shown
    assert "<strong>And red?</strong>" in shown
    assert "Wren" in shown
    assert "Preview" in shown
    assert "Not a battle: nothing here is counted." in shown
    assert f'href="/chat/?with={wren.contestant.slug}"' in shown


def test_those_who_are_served_can_be_chosen(client: Client, wren: Revision) -> None:
    paused = factories.revision("Kite", Kind.OPENAI, endpoint="http://localhost:1/v1")
    in_an_hour = timezone.now() + timedelta(hours=1)
    Circuit.objects.update_or_create(revision=paused, defaults={"paused_until": in_an_hour})
    retired = factories.revision("Linnet", Kind.OPENAI, endpoint="http://localhost:1/v1")
    Contestant.objects.filter(pk=retired.contestant_id).update(status="retired")
    factories.revision("Heron", Kind.RECORDED)
    shown = page(client)

    assert f'value="{wren.contestant.slug}"' in shown
    assert [name for name in ("Kite", "Linnet", "Heron") if name in shown] == []


def test_a_link_may_name_whom_to_ask(client: Client, wren: Revision) -> None:
    slug = wren.contestant.slug

    assert f'value="{slug}" checked' in page(client, f"/chat/?with={slug}")
    assert "cannot be asked at the moment" in page(client, "/chat/?with=nobody")
    assert "cannot be asked at the moment" not in page(client)


def test_where_nobody_is_served_the_page_says_so(client: Client) -> None:
    factories.on_record(factories.prompt(), Wren="One.", Kite="Two.")
    shown = page(client)

    assert "Nobody here can be asked directly" in shown
    assert f'href="{reverse("battles:new")}"' in shown
    assert "<form" not in shown.split("<main")[1]


def test_the_visitors_chats_are_listed_the_latest_first(
    client: Client, visitor: Voter, bob: Voter, wren: Revision
) -> None:
    older = chat_with(wren, visitor, "The older")
    chat_with(wren, visitor, "The newer")
    chat_with(wren, bob, "Of somebody else")
    turn = ChatTurn.objects.create(
        chat=older, number=2, prompt="On", revision=wren, state=State.COMPLETE, owner="test"
    )
    assert turn.created_at > older.created_at
    shown = page(client)

    assert shown.index("The older") < shown.index("The newer")
    assert "2 prompts" in shown
    assert "1 prompt " in shown
    assert "Of somebody else" not in shown


def test_a_long_list_costs_no_more(
    client: Client,
    visitor: Voter,
    wren: Revision,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(30):
        chat_with(wren, visitor, f"Question {number}")
    with django_assert_max_num_queries(8):
        shown = page(client)

    assert shown.count("Question ") == 40  # 20 lines, each with its link to delete it


@pytest.mark.parametrize("what", ["", "delete/"])
def test_another_persons_chat_is_not_there(
    what: str, client: Client, visitor: Voter, bob: Voter, wren: Revision
) -> None:
    theirs = chat_with(wren, bob, "A secret of theirs")
    for chat in (theirs.pk, uuid4()):
        response = client.get(f"/chat/{chat}/{what}")

        assert response.status_code == 404
        assert "There is no such chat in this browser." in response.content.decode()
    assert client.post(f"/chat/{theirs.pk}/delete/").status_code == 404
    assert Chat.objects.filter(pk=theirs.pk).exists()


def test_deleting_asks_first_and_then_erases_all(
    client: Client, visitor: Voter, wren: Revision
) -> None:
    chat, kept = chat_with(wren, visitor, "Forget me"), chat_with(wren, visitor, "Keep me")
    asked = page(client, f"/chat/{chat.pk}/delete/")

    assert "Delete this chat?" in asked
    assert Chat.objects.count() == 2

    response = client.post(f"/chat/{chat.pk}/delete/")

    assert response["Location"] == "/chat/"
    assert Chat.objects.get() == kept
    assert ChatTurn.objects.get().prompt == "Keep me"
    assert ChatAnswer.objects.get().text == "**Keep me**"


def test_a_stranger_cannot_delete_by_a_form_of_theirs(visitor: Voter, wren: Revision) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.get("/chat/")
    chat = chat_with(wren, factories.voter_of(strict), "Mine")

    assert strict.post(f"/chat/{chat.pk}/delete/").status_code == 403
    assert Chat.objects.exists()


@pytest.mark.parametrize(
    ("state", "attempt", "said", "can_retry"),
    [
        (State.FAILED, 1, "did not come whole. Retry it", True),
        (State.FAILED, 3, "and is left out of what follows", False),
        (State.INTERRUPTED, 1, "The server stopped while this was being written. Retry", True),
        (State.STOPPED, 1, "Stopped", False),
    ],
)
def test_how_the_last_answer_ended_is_said(
    state: str,
    attempt: int,
    said: str,
    can_retry: bool,
    client: Client,
    visitor: Voter,
    wren: Revision,
) -> None:
    chat = chat_with(wren, visitor, "Why?")
    ChatTurn.objects.update(state=state, attempt=attempt)
    ChatAnswer.objects.update(attempt=attempt, error_kind="Canary", error_detail="CANARY at 10.1")
    shown = page(client, f"/chat/{chat.pk}/")

    assert said in shown
    assert ("data-retry" in shown) == can_retry
    assert "canary" not in shown.lower()


def test_a_chat_that_can_go_no_further_says_why(
    client: Client, visitor: Voter, wren: Revision, settings: object
) -> None:
    chat = chat_with(wren, visitor, "Why?")
    assert "Your next prompt" in page(client, f"/chat/{chat.pk}/")

    settings.CHAT_TURNS = 1  # type: ignore[attr-defined]
    assert "A chat has at most 1 prompt" in page(client, f"/chat/{chat.pk}/")

    settings.CHAT_TURNS = 50  # type: ignore[attr-defined]
    Contestant.objects.update(status="retired")
    shown = page(client, f"/chat/{chat.pk}/")
    assert "This contestant cannot be asked at the moment." in shown
    assert "Your next prompt" not in shown


def test_a_private_arena_shows_nothing_to_strangers(client: Client, settings: object) -> None:
    settings.PRIVATE = True  # type: ignore[attr-defined]
    response = client.get("/chat/", headers={"accept": "text/html"})

    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")
