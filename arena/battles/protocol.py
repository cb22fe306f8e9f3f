"""Messages on the battle socket: what may come in, and what goes out.

A frame carries both sides under one number. Nothing here may hold a name, a count or a time
that differs by contestant: what is not a field of a message cannot leak. Frames are what nearly
all traffic consists of, so they say no type and spell nothing out.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.core.exceptions import ArenaError, BadInput, TooMany

Outgoing = dict[str, Any]


@dataclass(frozen=True)
class Start:
    prompt: str
    recorded: str
    challenge: str


@dataclass(frozen=True)
class Attach:
    """Follow a battle from the frame after `after` of this attempt on."""

    battle: uuid.UUID
    attempt: int
    after: int


@dataclass(frozen=True)
class Stop:
    battle: uuid.UUID


@dataclass(frozen=True)
class Retry:
    battle: uuid.UUID
    challenge: str


Incoming = Start | Attach | Stop | Retry


def parse(text: str | None) -> Incoming:
    """The message a browser sent. Raises BadInput."""
    try:
        content = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise BadInput("The message is not JSON. Reload the page.") from error
    match content:
        case {"type": "battle.start", **fields}:
            return Start(*(string(fields, name) for name in ("prompt", "recorded", "challenge")))
        case {"type": "battle.attach", "battle": str(battle), **fields}:
            return Attach(identifier(battle), number(fields, "attempt"), number(fields, "after"))
        case {"type": "battle.stop", "battle": str(battle)}:
            return Stop(identifier(battle))
        case {"type": "battle.retry", "battle": str(battle), **fields}:
            return Retry(identifier(battle), string(fields, "challenge"))
    raise BadInput(
        "The message is not one of battle.start, battle.attach, battle.stop and battle.retry. "
        "Reload the page."
    )


def string(fields: Mapping[Any, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise BadInput(f"{name} is not text.")
    return value


def number(fields: Mapping[Any, Any], name: str) -> int:
    value = fields.get(name, 0)
    if not isinstance(value, int) or value < 0:
        raise BadInput(f"{name} is not a number of frames. Reload the page.")
    return value


def identifier(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise BadInput("That is not the name of a battle. Start a new one.") from error


def encode(message: Outgoing) -> str:
    """Shortest JSON: other scripts stay as they are instead of six bytes a character."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def started(battle: uuid.UUID, attempt: int, prompt: str) -> Outgoing:
    """An attempt at a battle begins: both columns are empty."""
    return {
        "type": "battle.started",
        "battle": str(battle),
        "attempt": attempt,
        "prompt": prompt,
    }


def frame(seq: int, a: str, b: str) -> Outgoing:
    return {"seq": seq, "a": a, "b": b}


def complete() -> Outgoing:
    return {"type": "battle.complete"}


def failed(message: str, *, can_retry: bool) -> Outgoing:
    return {"type": "battle.failed", "message": message, "can_retry": can_retry}


def stopped(message: str) -> Outgoing:
    return {"type": "battle.stopped", "message": message}


def refused(error: ArenaError) -> Outgoing:
    message = {"type": "battle.refused", "message": error.message}
    return message | {"retry_after": error.retry_after} if isinstance(error, TooMany) else message


def reload() -> Outgoing:
    """What there is to see stands in the battle's row: its page shows it."""
    return {"type": "battle.reload"}
