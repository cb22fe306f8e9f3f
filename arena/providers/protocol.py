"""What every provider takes and gives. Plain values only: no provider knows the database."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True)
class Limits:
    """Seconds allowed for connecting, between two pieces, and in all; characters in all."""

    connect: float
    read: float
    total: float
    characters: int


@dataclass(frozen=True)
class Request:
    """One answer asked for. `recorded` is the text where the answer exists already."""

    messages: tuple[Message, ...]
    limits: Limits
    endpoint: str = ""
    model: str = ""
    api_key: str = ""
    decoding: Mapping[str, Any] = field(default_factory=dict)
    recorded: str = ""


@dataclass(frozen=True)
class Delta:
    """Text that has arrived."""

    text: str


@dataclass(frozen=True)
class Finish:
    """The answer is whole."""

    reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


Event = Delta | Finish


class Provider(Protocol):
    """A source of answers.

    `stream` yields deltas and then exactly one Finish, or raises ProviderError. Cancelling
    the consuming task closes the upstream connection.
    """

    def stream(self, request: Request) -> AsyncIterator[Event]: ...
