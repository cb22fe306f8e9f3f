"""What the chat pages show, as plain values: templates compute nothing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from arena.catalog.models import Revision
from arena.chats import selectors
from arena.chats.exceptions import ChatFull, NotServed
from arena.chats.models import Chat, ChatTurn, State
from arena.chats.services import RETRIABLE, may_try_again
from arena.core.markdown import render
from arena.voters.models import Voter

CHATS_LISTED = 20
# From so many on, names are easier to find by typing than by looking.
MANY = 9

FAILED_RETRY = _("The answer did not come whole. Retry it, or write on without it.")
FAILED = _("The answer did not come whole, and is left out of what follows.")
INTERRUPTED_RETRY = _(
    "The server stopped while this was being written. Retry it, or write on without it."
)
INTERRUPTED = _("The server stopped while this was being written; it is left out of what follows.")
WORDS = {
    State.GENERATING: _("Waiting"),
    **dict.fromkeys((State.FAILED, State.INTERRUPTED, State.STOPPED), _("Stopped")),
}
ENDED = {
    (State.FAILED, True): FAILED_RETRY,
    (State.FAILED, False): FAILED,
    (State.INTERRUPTED, True): INTERRUPTED_RETRY,
    (State.INTERRUPTED, False): INTERRUPTED,
}


@dataclass(frozen=True)
class Choice:
    """A contestant that may be asked."""

    slug: str
    name: str
    organisation: str
    stage: str
    is_chosen: bool


@dataclass(frozen=True)
class Composing:
    choices: Sequence[Choice]
    is_unknown: bool
    """Whether the address names somebody who cannot be asked."""
    chats: Sequence[selectors.Begun]
    prompt_max: int

    @property
    def is_searchable(self) -> bool:
        return len(self.choices) >= MANY


@dataclass(frozen=True)
class TurnShown:
    number: int
    attempt: int
    prompt: str
    name: str
    state: str
    word: str
    """What is said of the state beside the answer."""
    html: SafeString
    source: str
    message: str
    can_retry: bool


@dataclass(frozen=True)
class ChatPage:
    id: uuid.UUID
    slug: str
    name: str
    organisation: str
    stage: str
    turns: Sequence[TurnShown]
    blank: TurnShown
    """An empty turn, which scripts fill."""
    prompt_max: int
    closed: str
    """Why nothing more can be asked; empty where it can."""

    @property
    def last(self) -> TurnShown:
        return self.turns[-1]

    @property
    def title(self) -> str:
        return self.turns[0].prompt


def composing(*, voter: Voter | None, chosen: str) -> Composing:
    """chosen: slug of the contestant that the address names, or empty."""
    choices = [choice(revision, chosen) for revision in selectors.contestants_served()]
    return Composing(
        choices=choices,
        is_unknown=bool(chosen) and not any(choice.is_chosen for choice in choices),
        chats=selectors.chats_begun(voter, CHATS_LISTED) if voter else [],
        prompt_max=settings.PROMPT_MAX_CHARACTERS,
    )


def choice(revision: Revision, chosen: str) -> Choice:
    contestant = revision.contestant
    return Choice(
        slug=contestant.slug,
        name=revision.name,
        organisation=contestant.organisation.name if contestant.organisation else "",
        stage=revision.stage,
        is_chosen=contestant.slug == chosen,
    )


def chat_page(chat: Chat) -> ChatPage:
    texts = selectors.texts_of(chat)
    asked = selectors.turns_of(chat)
    turns = [turn_shown(turn, texts.get(turn.pk, ""), is_last=turn is asked[-1]) for turn in asked]
    served = selectors.revision_served(chat.contestant)
    organisation = chat.contestant.organisation
    name = served.name if served else chat.contestant.name
    return ChatPage(
        id=chat.pk,
        slug=chat.contestant.slug,
        name=name,
        organisation=organisation.name if organisation else "",
        stage=served.stage if served else "",
        turns=turns,
        blank=turn_blank(name),
        prompt_max=settings.PROMPT_MAX_CHARACTERS,
        closed=closed(turns, served),
    )


def closed(turns: Sequence[TurnShown], served: Revision | None) -> str:
    if turns and turns[-1].number >= settings.CHAT_TURNS:
        return ChatFull().message
    return "" if served else NotServed().message


def turn_shown(turn: ChatTurn, text: str, *, is_last: bool) -> TurnShown:
    can_retry = is_last and turn.state in RETRIABLE and may_try_again(turn)
    return TurnShown(
        number=turn.number,
        attempt=turn.attempt,
        prompt=turn.prompt,
        name=turn.revision.name,
        state=turn.state,
        word=str(WORDS.get(State(turn.state), "")),
        html=render(text),
        source=text,
        message=str(ENDED.get((State(turn.state), can_retry), "")),
        can_retry=can_retry,
    )


def turn_blank(name: str) -> TurnShown:
    return TurnShown(
        number=0,
        attempt=0,
        prompt="",
        name=name,
        state=State.GENERATING,
        word="",
        html=render(""),
        source="",
        message="",
        can_retry=False,
    )
