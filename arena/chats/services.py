"""Writes of the chats room, each in one transaction."""

import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from arena.battles.models import Worker
from arena.battles.services import (
    WORKER_STALE,
    Failure,
    WrittenAnswer,
    checked_prompt,
    request_for,
)
from arena.catalog.circuits import revision_failed, revisions_answered
from arena.catalog.models import Contestant, Kind, Revision
from arena.chats import selectors
from arena.chats.exceptions import (
    ChatFull,
    GoneOn,
    NothingToRetry,
    NotServed,
    StillWriting,
    TooMuchAtOnce,
    TriedOften,
)
from arena.chats.models import Chat, ChatAnswer, ChatTurn, State
from arena.core.exceptions import Conflict
from arena.core.services import audit
from arena.core.text import storable
from arena.providers.protocol import Message, Request
from arena.voters.models import Voter

RETRIABLE = (State.FAILED, State.INTERRUPTED)


@dataclass(frozen=True)
class StartedTurn:
    """What the owner of a turn needs to have its answer written."""

    turn: ChatTurn
    kind: Kind
    request: Request


# -- Asking ----------------------------------------------------------------------------------


def chat_start(
    *, chat_id: uuid.UUID, voter: Voter, owner: str, contestant: str, prompt: str
) -> StartedTurn | None:
    """Begin the chat of that id with a contestant; None where it has begun already.

    Browsers make the id, so that a start which is sent again begins no second chat. Raises
    NoSuchChat where the id is another person's, or why the contestant cannot be asked this.
    """
    text = checked_prompt(prompt)
    revision = revision_to_ask(contestant)
    refuse_a_crowd(voter)
    try:
        with transaction.atomic():
            chat = Chat.objects.create(id=chat_id, voter=voter, contestant=revision.contestant)
            turn = turn_create(chat, 1, text, revision, owner)
    except IntegrityError:
        begun = selectors.turn_last(selectors.chat_of(chat_id, voter))
        refuse_another(begun, 1, text)
        return None
    return started(turn)


def chat_say(
    *, chat_id: uuid.UUID, voter: Voter, owner: str, number: int, prompt: str
) -> StartedTurn | None:
    """Ask on, as the turn of that number; None where it has begun already.

    Raises NoSuchChat, ChatFull, StillWriting, GoneOn where the chat has other turns than the
    asker knows, or why the contestant cannot be asked this.
    """
    text = checked_prompt(prompt)
    chat = selectors.chat_of(chat_id, voter)
    last = selectors.turn_last(chat)
    if number <= last.number:
        refuse_another(last, number, text)
        return None
    if last.state == State.GENERATING:
        raise StillWriting
    if last.number >= settings.CHAT_TURNS:
        raise ChatFull
    if number != last.number + 1:
        raise GoneOn
    revision = revision_to_ask(chat.contestant)
    refuse_a_crowd(voter)
    try:
        with transaction.atomic():
            turn = turn_create(chat, number, text, revision, owner)
    except IntegrityError:
        refuse_another(selectors.turn_last(chat), number, text)
        return None
    return started(turn)


def turn_create(chat: Chat, number: int, prompt: str, revision: Revision, owner: str) -> ChatTurn:
    return ChatTurn.objects.create(
        chat=chat, number=number, prompt=prompt, revision=revision, owner=owner
    )


def refuse_another(begun: ChatTurn, number: int, prompt: str) -> None:
    """The same sent again is no second turn; something else under its number would be lost."""
    if (begun.number, begun.prompt) != (number, prompt):
        raise GoneOn


def revision_to_ask(contestant: Contestant | str) -> Revision:
    revision = selectors.revision_served(contestant)
    if revision is None:
        raise NotServed
    return revision


def refuse_a_crowd(voter: Voter) -> None:
    """One person reads one answer at a time; a script would spend the operator's money."""
    if selectors.answers_being_written(voter) >= settings.BATTLES_AT_ONCE:
        raise TooMuchAtOnce


def turn_retry(*, chat_id: uuid.UUID, voter: Voter, owner: str) -> StartedTurn | None:
    """Have the last prompt answered anew; None where that is being done already.

    Raises NoSuchChat, NothingToRetry, NotServed, or TriedOften after BATTLE_ATTEMPTS.
    """
    chat = selectors.chat_of(chat_id, voter)
    turn = selectors.turn_last(chat)
    if turn.state == State.GENERATING:
        return None
    if turn.state not in RETRIABLE:
        raise NothingToRetry
    if not may_try_again(turn):
        raise TriedOften
    revision = revision_to_ask(chat.contestant)
    refuse_a_crowd(voter)
    taken = ChatTurn.objects.filter(pk=turn.pk, state__in=RETRIABLE, attempt=turn.attempt).update(
        state=State.GENERATING,
        attempt=turn.attempt + 1,
        revision=revision,
        owner=owner,
        is_stopping=False,
        ended_at=None,
        taken_at=Now(),
    )
    # Where another window was first, its attempt is the one to follow.
    return started(selectors.turn_get(turn.pk)) if taken else None


def may_try_again(turn: ChatTurn) -> bool:
    return turn.attempt < settings.BATTLE_ATTEMPTS


def started(turn: ChatTurn) -> StartedTurn:
    conversation: list[Message] = []
    for prompt, answer in selectors.said_before(turn):
        conversation += Message("user", prompt), Message("assistant", answer)
    conversation.append(Message("user", turn.prompt))
    return StartedTurn(turn, *request_for(turn.revision, conversation))


# -- Ending ----------------------------------------------------------------------------------


def turn_complete(*, turn: ChatTurn, answer: WrittenAnswer) -> None:
    """Store the answer, if this process still owns the turn. Raises Conflict where not."""
    turn_end(turn, State.COMPLETE, answer_row(turn, answer))
    revisions_answered(revision_ids=[turn.revision_id])


def turn_stopped(*, turn: ChatTurn, answer: WrittenAnswer) -> None:
    """Store what had come when its visitor stopped it. Raises Conflict as turn_complete."""
    turn_end(turn, State.STOPPED, answer_row(turn, answer))


def turn_fail(*, turn: ChatTurn, failure: Failure, text: str) -> None:
    """End the attempt, keeping the text that had come and, for operators, what went wrong.

    Raises Conflict likewise.
    """
    row = ChatAnswer(
        turn=turn,
        attempt=turn.attempt,
        text=storable(text),
        error_kind=failure.kind,
        error_detail=storable(failure.detail),
    )
    turn_end(turn, State.FAILED, row)
    if failure.is_fault_of_endpoint:
        revision_failed(revision_id=turn.revision_id, kind=failure.kind, detail=failure.detail)


@transaction.atomic
def turn_end(turn: ChatTurn, state: State, answer: ChatAnswer) -> None:
    ended = ChatTurn.objects.filter(
        pk=turn.pk, state=State.GENERATING, owner=turn.owner, attempt=turn.attempt
    ).update(state=state, ended_at=Now())
    if not ended:
        raise Conflict(f"{turn} is no longer owned by {turn.owner}.")
    answer.save()


def answer_row(turn: ChatTurn, answer: WrittenAnswer) -> ChatAnswer:
    fields = asdict(answer) | {
        "text": storable(answer.text),
        "reasoning": storable(answer.reasoning),
    }
    return ChatAnswer(turn=turn, attempt=turn.attempt, **fields)


def stop_ask(*, turn: ChatTurn) -> None:
    """Tell the turn's owner, whichever process it is, to stop; after the end it does nothing."""
    ChatTurn.objects.filter(pk=turn.pk, state=State.GENERATING).update(is_stopping=True)


# -- Leases ----------------------------------------------------------------------------------


def turns_interrupt_orphans(*, worker: str, writing: Collection[int]) -> int:
    """Mark as interrupted what nobody is writing any more, as battles_interrupt_orphans does.

    writing: ids of the turns that this `worker` is writing. Returns how many there were.
    """
    unfinished = ChatTurn.objects.filter(state=State.GENERATING)
    alive = Worker.objects.filter(seen_at__gte=Now() - WORKER_STALE).values("pk")
    dropped = Q(owner=worker, taken_at__lt=Now() - WORKER_STALE) & ~Q(pk__in=list(writing))
    return unfinished.filter(~Q(owner__in=alive) | dropped).update(
        state=State.INTERRUPTED, ended_at=Now()
    )


# -- Forgetting ------------------------------------------------------------------------------


def chats_delete(*, chats: QuerySet[Chat]) -> int:
    """Delete chats with all their texts; returns how many there were.

    Nothing rests on them. An answer that is being written finds no turn to be stored in.
    """
    return chats.delete()[1].get(Chat._meta.label, 0)


@transaction.atomic
def turns_purge(*, before: datetime) -> int:
    """Delete turns that were asked before then, and chats left without any; returns how many turns.

    A chat that went on keeps what is younger.
    """
    deleted = ChatTurn.objects.filter(created_at__lt=before).delete()[1]
    Chat.objects.filter(created_at__lt=before, turns=None).delete()
    turns = deleted.get(ChatTurn._meta.label, 0)
    if turns:
        audit(action="chats.purge", subject=f"before {before:%Y-%m-%d}", turns=turns)
    return turns
