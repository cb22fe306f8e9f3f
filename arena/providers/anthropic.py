"""The Anthropic Messages protocol."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from urllib.parse import urlencode

from arena.providers.bodies import largest_document, largest_stream
from arena.providers.exceptions import Filtered, TooLong, Truncated, Unreadable
from arena.providers.http import Call, document, usable_key
from arena.providers.protocol import (
    Delta,
    Event,
    Finish,
    Image,
    Limits,
    Message,
    Reasoning,
    Request,
)
from arena.providers.refusals import reported
from arena.providers.streaming import count, json_object, streamed, string_in

VERSION = "2023-06-01"
# The protocol has no default of its own.
MAX_TOKENS = 4096
REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}
FILTERED = "refusal"
# A prompt is counted apart from what of it was written to a cache or read from one.
PROMPT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
PAGE_SIZE = 1000
MOST_PAGES = 20


class AnthropicProvider:
    """Messages, streamed."""

    def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        return streamed(call(request), StreamedMessage())


class StreamedMessage:
    """A streamed message: whole when its stop reason or `message_stop` was seen.

    Events and blocks of other types are passed over, as the protocol asks of its clients.
    """

    def __init__(self) -> None:
        self.is_done = False
        self._reason = ""
        self._usage: dict[str, Any] = {}

    def take(self, data: str) -> Sequence[Event]:
        event = json_object(data)
        match event.get("type"):
            case "content_block_delta":
                return pieces(event.get("delta"))
            case "content_block_start":
                return pieces(event.get("content_block"))
            case "message_start":
                self._count(event.get("message"))
            case "message_delta":
                self._reason = string_in(event.get("delta"), "stop_reason") or self._reason
                self._count(event)
            case "message_stop":
                self.is_done = True
            case "error":
                raise reported(event.get("error"))
        return ()

    def end(self) -> Sequence[Event]:
        if not (self.is_done or self._reason):
            raise Truncated("the stream ended before the answer did")
        if self._reason == FILTERED:
            raise Filtered("the provider's content filter ended the answer")
        counts = [count(self._usage, name) for name in PROMPT_COUNTS]
        return (
            Finish(
                reason=REASONS.get(self._reason, self._reason or "stop"),
                prompt_tokens=None if counts[0] is None else sum(n or 0 for n in counts),
                completion_tokens=count(self._usage, "output_tokens"),
            ),
        )

    def _count(self, message: Any) -> None:
        """Later counts are of all so far, and replace earlier ones."""
        usage = message.get("usage") if isinstance(message, dict) else None
        if isinstance(usage, dict):
            self._usage |= usage


def pieces(block: Any) -> Sequence[Event]:
    """Text or reasoning of a block's beginning or of its next delta."""
    match block:
        case {"type": "text_delta" | "text"}:
            text = string_in(block, "text")
            return (Delta(text),) if text else ()
        case {"type": "thinking_delta" | "thinking"}:
            thought = string_in(block, "thinking")
            return (Reasoning(thought),) if thought else ()
    return ()


def call(request: Request) -> Call:
    return Call(
        "POST",
        f"{request.endpoint.rstrip('/')}/messages",
        request.limits,
        most=largest_stream(request.limits),
        headers=headers(request.api_key),
        json=body(request),
    )


def headers(api_key: str) -> dict[str, str]:
    key = {"x-api-key": usable_key(api_key)} if api_key else {}
    return {"anthropic-version": VERSION, **key}


def body(request: Request) -> dict[str, Any]:
    """System messages stand apart from the conversation in this protocol."""
    system = "\n\n".join(m.content for m in request.messages if m.role == "system")
    return {
        "max_tokens": MAX_TOKENS,
        **request.decoding,
        **({"system": system} if system else {}),
        "model": request.model,
        "messages": [
            {"role": m.role, "content": content(m)} for m in request.messages if m.role != "system"
        ],
        "stream": True,
    }


def content(message: Message) -> str | list[dict[str, Any]]:
    """Its text; with pictures a list of blocks, in which an empty text would be refused."""
    if not message.images:
        return message.content
    blocks = [image_block(image) for image in message.images]
    return [*blocks, *([{"type": "text", "text": message.content}] if message.content else [])]


def image_block(image: Image) -> dict[str, Any]:
    source = {"type": "base64", "media_type": image.media_type, "data": image.base64}
    return {"type": "image", "source": source}


async def list_models(endpoint: str, *, api_key: str, limits: Limits) -> list[str]:
    """Names of the models that the server offers. Raises ProviderError."""
    names: list[str] = []
    after = ""
    for _ in range(MOST_PAGES):
        page = await document(list_call(endpoint, api_key, limits, after))
        try:
            names += [str(model["id"]) for model in page["data"]]
            if not page.get("has_more"):
                return names
            after = str(page["last_id"])
        except (AttributeError, KeyError, TypeError) as error:
            raise Unreadable("the model list is not in the Anthropic form") from error
    raise TooLong(f"more than {MOST_PAGES} pages of models")


def list_call(endpoint: str, api_key: str, limits: Limits, after: str) -> Call:
    where = {"limit": str(PAGE_SIZE), **({"after_id": after} if after else {})}
    return Call(
        "GET",
        f"{endpoint.rstrip('/')}/models?{urlencode(where)}",
        limits,
        most=largest_document(limits),
        headers=headers(api_key),
    )
