"""What every provider takes and gives. Plain values only: no provider knows the database."""

from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Image:
    """A still picture: its media type, and the bytes of its file."""

    media_type: str
    data: bytes = field(repr=False)

    @property
    def base64(self) -> str:
        return b64encode(self.data).decode("ascii")


@dataclass(frozen=True)
class Message:
    role: str
    content: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Limits:
    """Seconds allowed for connecting, between two pieces, and in all; characters in all.

    retries: how often to ask again before the first token.
    """

    connect: float
    read: float
    total: float
    characters: int
    retries: int = 0


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


@dataclass(frozen=True, slots=True)
class Delta:
    """Text of the answer that has arrived."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Text that the model thought before or beside its answer; never part of it."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is whole.

    reason: in OpenAI's words where they have one: stop, length, refusal. Counts are the
    server's own, None where it gave none.
    """

    reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None


Event = Delta | Reasoning | Finish


class Provider(Protocol):
    """A source of answers.

    `stream` yields deltas and reasoning and then exactly one Finish, or raises ProviderError.
    Closing the generator, and cancelling the task that iterates it, closes the connection.
    """

    def stream(self, request: Request) -> AsyncGenerator[Event, None]: ...


class Draft:
    """An answer while it arrives: whoever shows it looks here as often as they like.

    first_at: seconds on the event loop's clock when its first text came, None before.
    requests: how often it was asked for.
    """

    __slots__ = ("_pieces", "_text", "first_at", "length", "reasoning", "requests")

    def __init__(self) -> None:
        self._text = ""
        # Joined when somebody looks: adding each token to a long text would copy it each time.
        self._pieces: list[str] = []
        self.reasoning: list[str] = []
        self.length = 0
        self.first_at: float | None = None
        self.requests = 0

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self.length += len(text)

    @property
    def text(self) -> str:
        if self._pieces:
            self._text += "".join(self._pieces)
            self._pieces.clear()
        return self._text
