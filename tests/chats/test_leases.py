"""Answers of a process that ended do not stay unfinished for ever, and texts are forgotten."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from arena.battles.models import Worker
from arena.battles.services import WrittenAnswer, worker_renew
from arena.catalog.models import Kind
from arena.chats.models import Chat, ChatAnswer, ChatTurn, State
from arena.chats.services import turn_complete, turn_retry, turns_interrupt_orphans
from arena.core.exceptions import Conflict
from arena.core.models import AuditEntry
from arena.integrity.erasure import kept, voter_erase
from arena.voters.models import Voter
from tests import factories

pytestmark = pytest.mark.django_db


def turn_of(voter: Voter, state: State = State.GENERATING) -> ChatTurn:
    wren = factories.revision(
        f"Wren {next(factories.number)}", Kind.OPENAI, endpoint="http://localhost:1/v1"
    )
    chat = Chat.objects.create(voter=voter, contestant=wren.contestant)
    return ChatTurn.objects.create(
        chat=chat, number=1, prompt="Why?", revision=wren, state=state, owner="here"
    )


@pytest.fixture
def turn(alice: Voter) -> ChatTurn:
    return turn_of(alice)


def state_after(turn: ChatTurn, *, worker: str = "other", writing: bool = False) -> str:
    turns_interrupt_orphans(worker=worker, writing=[turn.pk] if writing else [])
    turn.refresh_from_db()
    return turn.state


def test_a_turn_whose_process_is_alive_goes_on(turn: ChatTurn) -> None:
    worker_renew(worker="here")

    assert state_after(turn) == State.GENERATING


def test_a_turn_whose_process_went_silent_is_interrupted(turn: ChatTurn) -> None:
    worker_renew(worker="here")
    Worker.objects.update(seen_at=timezone.now() - timedelta(seconds=7))

    assert state_after(turn) == State.INTERRUPTED


def test_a_turn_that_its_own_process_no_longer_writes_is_interrupted(turn: ChatTurn) -> None:
    worker_renew(worker="here")
    ChatTurn.objects.update(taken_at=timezone.now() - timedelta(seconds=7))

    assert state_after(turn, worker="here", writing=True) == State.GENERATING
    assert state_after(turn, worker="here") == State.INTERRUPTED


def test_finished_turns_are_left_alone(alice: Voter) -> None:
    assert state_after(turn_of(alice, State.COMPLETE)) == State.COMPLETE


def test_an_interrupted_answer_can_be_retried_and_its_late_owner_writes_nothing(
    turn: ChatTurn, alice: Voter
) -> None:
    assert state_after(turn) == State.INTERRUPTED
    again = turn_retry(chat_id=turn.chat_id, voter=alice, owner="there")

    assert again is not None
    assert (again.turn.attempt, again.turn.owner) == (2, "there")
    with pytest.raises(Conflict):
        turn_complete(turn=turn, answer=WrittenAnswer("late"))
    assert not ChatAnswer.objects.exists()
    turn_complete(turn=again.turn, answer=WrittenAnswer("in time"))
    assert ChatAnswer.objects.get().text == "in time"


# -- Forgetting ------------------------------------------------------------------------------


def test_erasing_a_voter_deletes_their_chats(alice: Voter, bob: Voter) -> None:
    mine, theirs = turn_of(alice), turn_of(bob, State.COMPLETE)
    assert kept(alice).chats == 1
    voter_erase(voter=alice)

    assert ChatTurn.objects.get() == theirs
    with pytest.raises(Conflict):
        turn_complete(turn=mine, answer=WrittenAnswer("late"))
    assert AuditEntry.objects.get(action="voter.erase").detail["chats"] == 1


def test_the_command_says_that_chats_are_erased(alice: Voter) -> None:
    turn_of(alice)
    out = StringIO()
    call_command("erase_voter", "--voter", str(alice.pk), "--dry-run", stdout=out)

    assert "1 chats" in out.getvalue()
    assert Chat.objects.exists()


def test_old_turns_are_purged_and_younger_ones_stay(alice: Voter, settings: object) -> None:
    settings.RETAIN_TEXT_DAYS = 30  # type: ignore[attr-defined]
    going_on, forgotten = turn_of(alice, State.COMPLETE), turn_of(alice, State.COMPLETE)
    long_ago = timezone.now() - timedelta(days=31)
    Chat.objects.update(created_at=long_ago)
    ChatTurn.objects.update(created_at=long_ago)
    young = ChatTurn.objects.create(
        chat=going_on.chat,
        number=2,
        prompt="Still?",
        revision=going_on.revision,
        state=State.COMPLETE,
        owner="here",
    )
    out = StringIO()
    call_command("purge", stdout=out)

    assert "turns of chats: 2 older than 30 days erased." in out.getvalue()
    assert ChatTurn.objects.get() == young
    assert not Chat.objects.filter(pk=forgotten.chat_id).exists()
    assert AuditEntry.objects.get(action="chats.purge").detail == {"turns": 2}
