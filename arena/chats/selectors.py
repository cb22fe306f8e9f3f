"""Reads of the chats room. Everything of a visitor's is found through their voter."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Left

from arena.battles.selectors import battles_being_written, revisions_served
from arena.catalog.models import Contestant, Revision
from arena.chats.exceptions import NoSuchChat
from arena.chats.models import Chat, ChatAnswer, ChatTurn, State
from arena.voters.models import Voter

# Characters of its first prompt that a line about a chat may need.
EXCERPT = 200


def contestants_served() -> list[Revision]:
    """Whom visitors may ask now, by name: those that battles ask live, but for paused ones."""
    served = revisions_served().select_related("contestant__organisation")
    return list(served.order_by("name"))


def revision_served(contestant: Contestant | str) -> Revision | None:
    """The revision that answers for a contestant, or for a slug; None where nobody does."""
    served = revisions_served().select_related("contestant")
    if isinstance(contestant, str):
        return served.filter(contestant__slug=contestant).first()
    return served.filter(contestant=contestant).first()


def chat_of(chat_id: uuid.UUID, voter: Voter | None) -> Chat:
    """The voter's own chat. Raises NoSuchChat, also where it is anybody else's."""
    chats = Chat.objects.select_related("contestant__organisation").filter(voter=voter)
    chat = chats.filter(pk=chat_id).first() if voter is not None else None
    if chat is None:
        raise NoSuchChat
    return chat


class Begun(NamedTuple):
    """A line about one of a voter's chats."""

    id: uuid.UUID
    name: str
    prompt: str
    """The beginning of its first one."""
    turns: int
    last_at: datetime


def chats_begun(voter: Voter, most: int) -> list[Begun]:
    """The voter's chats, those last asked in first."""
    first = ChatTurn.objects.filter(chat=OuterRef("pk")).order_by("number")
    rows = (
        Chat.objects.filter(voter=voter)
        .annotate(
            prompt=Subquery(first.values(start=Left("prompt", EXCERPT))[:1]),
            turn_count=Count("turns"),
            last_at=Max("turns__created_at"),
        )
        .order_by("-last_at", "-pk")
        .values_list("pk", "contestant__name", "prompt", "turn_count", "last_at")
    )
    return [Begun(*row) for row in rows[:most]]


def turn_last(chat: Chat) -> ChatTurn:
    """Raises NoSuchChat where it was erased."""
    return found(ChatTurn.objects.filter(chat=chat).order_by("-number"))


def turn_begun(chat_id: uuid.UUID, voter: Voter, number: int, prompt: str) -> bool:
    """Whether the voter's chat has that turn, with that prompt."""
    return ChatTurn.objects.filter(
        chat=chat_id, chat__voter=voter, number=number, prompt=prompt
    ).exists()


def turn_get(pk: int) -> ChatTurn:
    """Raises NoSuchChat where it was erased."""
    return found(ChatTurn.objects.filter(pk=pk))


def found(turns: QuerySet[ChatTurn]) -> ChatTurn:
    turn = turns.select_related("revision").first()
    if turn is None:
        raise NoSuchChat
    return turn


def turns_of(chat: Chat) -> list[ChatTurn]:
    return list(chat.turns.select_related("revision").order_by("number"))


def texts_of(chat: Chat) -> dict[int, str]:
    """What the latest attempt at each turn wrote, by the turn's id."""
    latest = ChatAnswer.objects.filter(turn__chat=chat, attempt=F("turn__attempt"))
    return dict(latest.values_list("turn_id", "text"))


def text_of(turn: ChatTurn) -> str:
    """What the latest attempt wrote; empty where it wrote nothing, or is still writing."""
    texts = turn.answers.filter(attempt=turn.attempt).values_list("text", flat=True)
    return texts.first() or ""


def said_before(turn: ChatTurn) -> list[tuple[str, str]]:
    """Prompts and answers of the turns before it; a prompt that got no answer is left out."""
    answers = ChatAnswer.objects.filter(
        turn__chat=turn.chat_id,
        turn__number__lt=turn.number,
        turn__state__in=(State.COMPLETE, State.STOPPED),
        attempt=F("turn__attempt"),
    ).exclude(text="")
    return list(answers.order_by("turn__number").values_list("turn__prompt", "text"))


def answers_being_written(voter: Voter) -> int:
    """In the voter's chats and battles together."""
    chats = ChatTurn.objects.filter(chat__voter=voter, state=State.GENERATING).count()
    return chats + battles_being_written(voter)


def turns_unwanted(pks: Collection[int]) -> set[int]:
    """Those of these turns whose answers nobody waits for: stopped elsewhere, or erased."""
    wanted = ChatTurn.objects.filter(pk__in=pks, state=State.GENERATING, is_stopping=False)
    return set(pks) - set(wanted.values_list("pk", flat=True))
