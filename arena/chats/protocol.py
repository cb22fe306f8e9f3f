"""Messages on the chat socket: what may come in, and what goes out.

A message that says no type is a frame: more of the answer that is being written.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from arena.battles.protocol import Outgoing, number, string
from arena.chats.models import ChatTurn, State
from arena.chats.services import may_try_again
from arena.core.exceptions import ArenaError, BadInput, TooMany

# Characters that one message may carry.
LARGEST = 32_768


@dataclass(frozen=True)
class Start:
    """Begin the chat of that id, which the browser makes: sent twice, it is one chat.

    consent: whether the visitor has just agreed with what is kept.
    """

    chat: uuid.UUID
    contestant: str
    prompt: str
    consent: bool
    challenge: str
    turn: int = 1


@dataclass(frozen=True)
class Say:
    """Ask on; `turn` is the number that this turn will have: twice is once."""

    chat: uuid.UUID
    turn: int
    prompt: str
    consent: bool
    challenge: str


@dataclass(frozen=True)
class Attach:
    """Follow the last turn; `after` is the `seq` seen last, of that attempt at that turn."""

    chat: uuid.UUID
    turn: int
    attempt: int
    after: int


@dataclass(frozen=True)
class Stop:
    chat: uuid.UUID


@dataclass(frozen=True)
class Retry:
    chat: uuid.UUID
    challenge: str


Incoming = Start | Say | Attach | Stop | Retry


def parse(text: str | None) -> Incoming:
    """The message a browser sent. Raises BadInput."""
    try:
        content = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise BadInput(_("The message is not JSON. Reload the page.")) from error
    match content:
        case {"type": "chat.start", "chat": str(chat), **fields}:
            return Start(
                identifier(chat),
                string(fields, "contestant"),
                string(fields, "prompt"),
                consent=fields.get("consent") is True,
                challenge=string(fields, "challenge"),
            )
        case {"type": "chat.say", "chat": str(chat), **fields}:
            return Say(
                identifier(chat),
                number(fields, "turn"),
                string(fields, "prompt"),
                consent=fields.get("consent") is True,
                challenge=string(fields, "challenge"),
            )
        case {"type": "chat.attach", "chat": str(chat), **fields}:
            seen = (number(fields, name) for name in ("turn", "attempt", "after"))
            return Attach(identifier(chat), *seen)
        case {"type": "chat.stop", "chat": str(chat)}:
            return Stop(identifier(chat))
        case {"type": "chat.retry", "chat": str(chat), **fields}:
            return Retry(identifier(chat), string(fields, "challenge"))
    raise BadInput(_("The arena does not know this message. Reload the page."))


def identifier(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise BadInput(_("That is not the name of a chat. Start a new one.")) from error


def started(turn: ChatTurn) -> Outgoing:
    """An attempt at a turn begins, or is shown from its start: its answer is empty."""
    return {
        "type": "chat.started",
        "chat": str(turn.chat_id),
        "turn": turn.number,
        "attempt": turn.attempt,
        "prompt": turn.prompt,
        "name": turn.revision.name,
    }


def frame(seq: int, text: str) -> Outgoing:
    """`seq` counts characters up to the end of this text."""
    return {"seq": seq, "text": text}


def frames(text: str) -> Iterator[Outgoing]:
    """A whole answer, in messages of bearable size."""
    for start in range(0, len(text), LARGEST):
        piece = text[start : start + LARGEST]
        yield frame(start + len(piece), piece)


def elsewhere() -> Outgoing:
    """Another process writes this answer: it comes whole, when it is finished."""
    return {"type": "chat.elsewhere"}


def ended(turn: ChatTurn) -> Outgoing:
    """How the turn ended; the page says so in its own language."""
    message = {"type": f"chat.{turn.state}"}
    if turn.state in {State.FAILED, State.INTERRUPTED}:
        return message | {"can_retry": may_try_again(turn)}
    return message


def refused(error: ArenaError) -> Outgoing:
    message = {"type": "chat.refused", "message": error.message}
    return message | {"retry_after": error.retry_after} if isinstance(error, TooMany) else message
