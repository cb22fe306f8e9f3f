"""What both streamed protocols share: a call whose events are read into a transcript."""

import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from typing import Any, Protocol

from arena.providers.bodies import Body, largest_document
from arena.providers.exceptions import ProviderError, Unreadable
from arena.providers.http import Call, beginning, opened
from arena.providers.protocol import Delta, Event
from arena.providers.sse import EventReader

EVENT_STREAM = "text/event-stream"
LARGEST_COUNT = 2**31
decode = json.JSONDecoder().raw_decode


class Transcript(Protocol):
    """One answer of one protocol, read event by event. Its methods raise ProviderError."""

    is_done: bool

    def take(self, data: str) -> Sequence[Event]:
        """What an event brings whose data, without blanks around it, this is.

        Sets `is_done` with the last one.
        """
        ...

    def end(self) -> Sequence[Event]:
        """What is left when the stream has ended, the Finish last; Truncated if too early."""
        ...


async def streamed(call: Call, transcript: Transcript) -> AsyncGenerator[Event, None]:
    reader = EventReader(largest_document(call.limits))
    async with opened(call) as body:
        await refuse_documents(body)
        async for piece in body:
            for event in joined(transcript, reader.feed(piece)):
                # From the first text on nobody waits for every single token.
                body.gather()
                yield event
            if transcript.is_done:
                await body.drain()
                break
    for event in transcript.end():
        yield event


def joined(transcript: Transcript, datas: Iterable[str]) -> Iterator[Event]:
    """What some events bring, the texts between two others as one.

    Each event goes through two asynchronous generators, which costs more than to join its text.
    """
    texts: list[str] = []
    try:
        for data in datas:
            for event in transcript.take(data.strip()):
                if type(event) is Delta:
                    texts.append(event.text)
                else:
                    yield from as_one(texts)
                    yield event
    except ProviderError:
        # What came before it has come.
        yield from as_one(texts)
        raise
    yield from as_one(texts)


def as_one(texts: list[str]) -> Iterator[Delta]:
    if texts:
        whole = "".join(texts)
        texts.clear()
        yield Delta(whole)


async def refuse_documents(body: Body) -> None:
    """A page to sign in on, or an error under a status of success, is no stream."""
    if body.media_type != EVENT_STREAM:
        raise Unreadable(f"{body.media_type or 'nothing'}: {(await beginning(body))[:200]!r}")


def json_object(data: str) -> dict[str, Any]:
    """The one JSON object that the data is.

    `json.loads` looks for blanks and for byte order marks first; for a token that takes two
    thirds as long as the decoding itself.
    """
    try:
        value, end = decode(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {data[:80]!r}") from error
    if end != len(data) or not isinstance(value, dict):
        raise Unreadable(f"not a JSON object: {data[:80]!r}")
    return value


def string_in(value: Any, name: str) -> str:
    """A member that is text, empty where it is missing."""
    if not isinstance(value, dict):
        raise Unreadable(f"not an object: {str(value)[:80]!r}")
    found = value.get(name)
    if not found:
        return ""
    if not isinstance(found, str):
        raise Unreadable(f"no text under {name}: {str(value)[:80]!r}")
    return found


def count(usage: Any, name: str) -> int | None:
    """A number of tokens that a server states, None where it states none that can be true."""
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 <= value < LARGEST_COUNT else None
