"""Any server that speaks the OpenAI chat protocol: vLLM, Ollama, llama.cpp, OpenRouter …"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from arena.providers.bodies import largest_document, largest_stream
from arena.providers.exceptions import Filtered, Truncated, Unreadable
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
from arena.providers.thinking import ThinkSplitter

DONE = "[DONE]"
FILTERED, REFUSED = "content_filter", "refusal"


class OpenAIProvider:
    """Chat completions, streamed."""

    def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        return streamed(call(request), Completion())


class Completion:
    """A streamed chat completion: whole when a finish reason or `[DONE]` was seen.

    Reasoning is what servers send beside the content, or at its beginning as <think>.
    """

    def __init__(self) -> None:
        self.is_done = False
        self._reason = ""
        self._usage: dict[str, Any] = {}
        self._has_refused = False
        self._splitter = ThinkSplitter()

    def take(self, data: str) -> Sequence[Event]:
        if data == DONE:
            self.is_done = True
            return ()
        chunk = json_object(data)
        if error := chunk.get("error"):
            raise reported(error)
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        choice = first_choice(chunk)
        if choice.get("finish_reason"):
            self._reason = string_in(choice, "finish_reason")
        return self._events(choice.get("delta") or {})

    def end(self) -> Sequence[Event]:
        if not (self.is_done or self._reason):
            raise Truncated("the stream ended before the answer did")
        if self._reason == FILTERED:
            raise Filtered("the provider's content filter ended the answer")
        return *events(*self._splitter.end()), self._finish()

    def _events(self, delta: Any) -> Sequence[Event]:
        thought, text, refusal = texts_of(delta)
        if refusal:
            self._has_refused = True
            text += refusal
        if text and not self._splitter.is_in_answer:
            inline, text = self._splitter.split(text)
            thought += inline
        return events(thought, text)

    def _finish(self) -> Finish:
        return Finish(
            reason=REFUSED if self._has_refused else self._reason or "stop",
            prompt_tokens=count(self._usage, "prompt_tokens"),
            completion_tokens=count(self._usage, "completion_tokens"),
            reasoning_tokens=count(
                self._usage.get("completion_tokens_details"), "reasoning_tokens"
            ),
        )


def call(request: Request) -> Call:
    return Call(
        "POST",
        f"{request.endpoint.rstrip('/')}/chat/completions",
        request.limits,
        most=largest_stream(request.limits),
        headers=headers(request.api_key),
        json=body(request),
    )


def headers(api_key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {usable_key(api_key)}"} if api_key else {}


def body(request: Request) -> dict[str, Any]:
    return {
        **request.decoding,
        "model": request.model,
        "messages": [{"role": m.role, "content": content(m)} for m in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def content(message: Message) -> str | list[dict[str, Any]]:
    """Its text; with pictures a list of parts. Servers that know no parts still take texts."""
    if not message.images:
        return message.content
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": data_url(image)}} for image in message.images
    ]
    return [*parts, *([{"type": "text", "text": message.content}] if message.content else [])]


def data_url(image: Image) -> str:
    return f"data:{image.media_type};base64,{image.base64}"


def first_choice(chunk: dict[str, Any]) -> dict[str, Any]:
    """An empty one where the chunk brings only usage."""
    choices = chunk.get("choices") or [{}]
    if not isinstance(choices, list) or not isinstance(choices[0], dict):
        raise Unreadable(f"not a completion chunk: {str(chunk)[:80]!r}")
    return choices[0]


def texts_of(delta: Any) -> tuple[str, str, str]:
    """Reasoning, content and refusal of a delta."""
    if not isinstance(delta, dict):
        raise Unreadable(f"not a delta: {str(delta)[:80]!r}")
    thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
    text, refusal = delta.get("content") or "", delta.get("refusal") or ""
    if not (isinstance(thought, str) and isinstance(text, str) and isinstance(refusal, str)):
        raise Unreadable(f"not texts: {str(delta)[:80]!r}")
    return thought, text, refusal


def events(thought: str, text: str) -> Sequence[Event]:
    if not thought:
        return (Delta(text),) if text else ()
    return (Reasoning(thought), Delta(text)) if text else (Reasoning(thought),)


async def list_models(endpoint: str, *, api_key: str, limits: Limits) -> list[str]:
    """Names of the models that the server offers. Raises ProviderError."""
    listed = await document(
        Call(
            "GET",
            f"{endpoint.rstrip('/')}/models",
            limits,
            most=largest_document(limits),
            headers=headers(api_key),
        )
    )
    try:
        return [str(model["id"]) for model in listed["data"]]
    except (KeyError, TypeError) as error:
        raise Unreadable("the model list is not in the OpenAI form") from error
