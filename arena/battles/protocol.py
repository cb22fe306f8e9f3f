"""Messages on the battle socket: what may come in, and what goes out.

A frame carries both sides under one number. Nothing here may hold a name, a count or a time
that differs by contestant: what is not a field of a message cannot leak. Frames are what nearly
all traffic consists of, so they say no type and spell nothing out.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from arena.battles.starting import Question
from arena.core.exceptions import ArenaError, BadInput, TooMany
from arena.core.text import is_storable

Outgoing = dict[str, Any]
# What a column of the database holds, so that a hostile number is refused and not an error.
MOST = 2**31 - 1


@dataclass(frozen=True)
class Start:
    """Begin the battle of that id, which the browser makes: sent twice, it is one battle.

    consent: whether the visitor has just agreed with what is kept.
    """

    battle: uuid.UUID
    question: Question
    consent: bool
    challenge: str


@dataclass(frozen=True)
class Continue:
    """Ask both sides on; `turn` is the number that this turn will have: twice is once.

    consent: as above, where terms have changed since the battle began.
    """

    battle: uuid.UUID
    turn: int
    prompt: str
    images: tuple[uuid.UUID, ...] = ()
    consent: bool = False
    challenge: str = ""


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


Incoming = Start | Continue | Attach | Stop | Retry


def parse(text: str | None) -> Incoming:
    """The message a browser sent. Raises BadInput."""
    try:
        content = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise BadInput(_("The message is not JSON. Reload the page.")) from error
    match content:
        case {"type": "battle.start", "battle": str(battle), **fields}:
            return Start(
                identifier(battle),
                Question(
                    images=identifiers(fields, "images"),
                    named=strings(fields, "named"),
                    **{name: string(fields, name) for name in ("prompt", "recorded", "collection")},
                ),
                consent=fields.get("consent") is True,
                challenge=string(fields, "challenge"),
            )
        case {"type": "battle.continue", "battle": str(battle), **fields}:
            return Continue(
                identifier(battle),
                number(fields, "turn"),
                string(fields, "prompt"),
                identifiers(fields, "images"),
                fields.get("consent") is True,
                string(fields, "challenge"),
            )
        case {"type": "battle.attach", "battle": str(battle), **fields}:
            return Attach(identifier(battle), number(fields, "attempt"), number(fields, "after"))
        case {"type": "battle.stop", "battle": str(battle)}:
            return Stop(identifier(battle))
        case {"type": "battle.retry", "battle": str(battle), **fields}:
            return Retry(identifier(battle), string(fields, "challenge"))
    raise BadInput(_("The arena does not know this message. Reload the page."))


def string(fields: Mapping[Any, Any], name: str) -> str:
    value = fields.get(name, "")
    # A prompt has words of its own for what is no text.
    if not isinstance(value, str) or (name != "prompt" and not is_storable(value)):
        raise BadInput(_("%(name)s is not text. Reload the page.") % {"name": name})
    return value


def strings(fields: Mapping[Any, Any], name: str) -> tuple[str, ...]:
    values = fields.get(name, [])
    if not isinstance(values, list) or not all(
        isinstance(value, str) and is_storable(value) for value in values
    ):
        raise BadInput(_("%(name)s is not a list of texts. Reload the page.") % {"name": name})
    return tuple(values)


def number(fields: Mapping[Any, Any], name: str) -> int:
    value = fields.get(name, 0)
    if not isinstance(value, int) or not 0 <= value <= MOST:
        raise BadInput(_("%(name)s is not a number. Reload the page.") % {"name": name})
    return value


def identifier(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise BadInput(_("That is not the name of a battle. Start a new one.")) from error


def identifiers(fields: Mapping[Any, Any], name: str) -> tuple[uuid.UUID, ...]:
    try:
        return tuple(uuid.UUID(value) for value in strings(fields, name))
    except ValueError as error:
        raise BadInput(_("That is not the name of a picture. Add it again.")) from error


def encode(message: Outgoing) -> str:
    """Shortest JSON: other scripts stay as they are instead of six bytes a character."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def started(
    battle: uuid.UUID, attempt: int, turn: int, prompt: str, images: Iterable[uuid.UUID]
) -> Outgoing:
    """An attempt at a turn begins: both its columns are empty."""
    return {
        "type": "battle.started",
        "battle": str(battle),
        "attempt": attempt,
        "turn": turn,
        "prompt": prompt,
        "images": [str(image) for image in images],
    }


def frame(seq: int, a: str, b: str) -> Outgoing:
    return {"seq": seq, "a": a, "b": b}


def complete() -> Outgoing:
    return {"type": "battle.complete"}


def failed(*, can_retry: bool) -> Outgoing:
    """A side failed; the page says so in its own language."""
    return {"type": "battle.failed", "can_retry": can_retry}


def stopped() -> Outgoing:
    return {"type": "battle.stopped"}


def refused(error: ArenaError) -> Outgoing:
    message = {"type": "battle.refused", "message": error.message}
    return message | {"retry_after": error.retry_after} if isinstance(error, TooMany) else message


def reload() -> Outgoing:
    """What there is to see stands in the battle's row: its page shows it."""
    return {"type": "battle.reload"}
