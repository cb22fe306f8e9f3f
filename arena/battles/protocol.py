"""Messages on the battle socket: what may come in, and the frames that go out.

A frame carries both sides under one number. Nothing here may hold a name, a count or a time
that differs by contestant: what is not a field of a frame cannot leak.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from arena.core.exceptions import BadInput


@dataclass(frozen=True)
class Start:
    prompt: str
    recorded: str


@dataclass(frozen=True)
class Attach:
    battle: uuid.UUID
    after: int


def parse(text: str | None) -> Start | Attach:
    """The message a browser sent. Raises BadInput."""
    try:
        content = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise BadInput("The message is not JSON. Reload the page.") from error
    match content:
        case {"type": "battle.start", **fields}:
            return Start(string(fields, "prompt"), string(fields, "recorded"))
        case {"type": "battle.attach", "battle": str(battle), "after": int(after)} if after >= 0:
            return Attach(identifier(battle), after)
    raise BadInput("The message is not one of battle.start and battle.attach. Reload the page.")


def string(fields: dict[Any, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise BadInput(f"{name} is not text.")
    return value


def identifier(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise BadInput("That is not the name of a battle. Start a new one.") from error


def started(battle: uuid.UUID, prompt: str) -> dict[str, Any]:
    return {"type": "battle.started", "battle": str(battle), "prompt": prompt}


def frame(seq: int, a: str, b: str) -> dict[str, Any]:
    return {"type": "battle.frame", "seq": seq, "a": a, "b": b}


def complete(seq: int) -> dict[str, Any]:
    return {"type": "battle.complete", "seq": seq}


def failed(seq: int, message: str) -> dict[str, Any]:
    return {"type": "battle.failed", "seq": seq, "message": message}


def refused(message: str) -> dict[str, Any]:
    return {"type": "battle.refused", "message": message}


def reload() -> dict[str, Any]:
    """The battle has ended and its frames are gone: its page holds what there is."""
    return {"type": "battle.reload"}
