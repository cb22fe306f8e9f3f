"""Any server that speaks the OpenAI chat protocol: vLLM, Ollama, llama.cpp, OpenRouter …"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport
from httpx_sse import EventSource, SSEError

from arena.providers.exceptions import (
    Rejected,
    TimedOut,
    TooLong,
    Truncated,
    Unreachable,
    Unreadable,
)
from arena.providers.protocol import Delta, Event, Finish, Limits, Request

ERROR_BODY_CHARACTERS = 500
LARGEST_COUNT = 2**31
# Around each character of an answer a server may send so many bytes of protocol.
BYTES_PER_CHARACTER = 8
BYTES_AROUND = 1_000_000
# The aiohttp transport reports a refused connection as a timeout of the connecting.
NO_CONNECTION = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


class OpenAIProvider:
    """Chat completions, streamed. Errors of httpx are mapped here and nowhere else."""

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        async with (
            foreign_errors_mapped(),
            httpx.AsyncClient(
                transport=AiohttpTransport(), timeout=timeouts(request.limits)
            ) as client,
            client.stream(
                "POST",
                f"{request.endpoint.rstrip('/')}/chat/completions",
                json=body(request),
                headers=headers(request.api_key),
            ) as response,
        ):
            response.stream = Bounded(response.stream, request.limits)
            await refuse_error_status(response)
            async for event in events(response):
                yield event


class Bounded(httpx.AsyncByteStream):
    """A response's bytes up to a limit: a stream without line ends would fill the memory."""

    def __init__(self, stream: Any, limits: Limits) -> None:
        self.stream = stream
        self.limit = limits.characters * BYTES_PER_CHARACTER + BYTES_AROUND

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for piece in self.stream:
            seen += len(piece)
            if seen > self.limit:
                raise TooLong(f"more than {self.limit} bytes")
            yield piece

    async def aclose(self) -> None:
        await self.stream.aclose()


@asynccontextmanager
async def foreign_errors_mapped() -> AsyncIterator[None]:
    try:
        yield
    except NO_CONNECTION as error:
        raise Unreachable(f"no connection: {error!r}") from error
    except httpx.TimeoutException as error:
        raise TimedOut(f"no answer in time: {error!r}") from error
    except SSEError as error:
        raise Unreadable(f"not an event stream: {error}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error}") from error
    except httpx.HTTPError as error:
        raise Truncated(f"the connection broke: {error!r}") from error


def timeouts(limits: Limits) -> httpx.Timeout:
    return httpx.Timeout(limits.read, connect=limits.connect)


def headers(api_key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def body(request: Request) -> dict[str, Any]:
    return {
        **request.decoding,
        "model": request.model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def refuse_error_status(response: httpx.Response) -> None:
    if response.is_success:
        return
    text = (await response.aread()).decode(errors="replace")[:ERROR_BODY_CHARACTERS]
    raise Rejected(f"status {response.status_code}: {text}")


async def events(response: httpx.Response) -> AsyncIterator[Event]:
    """Deltas and the Finish of one completion.

    A stream is whole when a finish reason or `[DONE]` was seen. Reasoning, which some servers
    send beside the content, is not part of the answer.
    """
    reason, done = "", False
    usage: Any = None
    async for sse in EventSource(response).aiter_sse():
        if sse.data.strip() == "[DONE]":
            done = True
            break
        chunk = parsed(sse.data)
        usage = chunk.get("usage") or usage
        text, ended = choice(chunk)
        reason = ended or reason
        if text:
            yield Delta(text)
    if not (done or reason):
        raise Truncated("the stream ended before the answer did")
    yield Finish(reason or "stop", count(usage, "prompt_tokens"), count(usage, "completion_tokens"))


def parsed(data: str) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {data[:80]!r}") from error
    if not isinstance(chunk, dict):
        raise Unreadable(f"not an object: {data[:80]!r}")
    if "error" in chunk:
        raise Rejected(f"error in the stream: {str(chunk['error'])[:ERROR_BODY_CHARACTERS]}")
    return chunk


def choice(chunk: dict[str, Any]) -> tuple[str, str]:
    """Text and finish reason of the first choice; both empty in a chunk without one."""
    try:
        first = (chunk.get("choices") or [{}])[0]
        text = (first.get("delta") or {}).get("content") or ""
        reason = first.get("finish_reason") or ""
    except (AttributeError, KeyError, TypeError) as error:
        raise Unreadable(f"not a completion chunk: {str(chunk)[:80]!r}") from error
    if not isinstance(text, str) or not isinstance(reason, str):
        raise Unreadable(f"not text: {str(chunk)[:80]!r}")
    return text, reason


def count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and 0 <= value < LARGEST_COUNT else None


async def list_models(endpoint: str, *, api_key: str, limits: Limits) -> list[str]:
    """Names of the models that the server offers. Raises ProviderError."""
    async with (
        foreign_errors_mapped(),
        httpx.AsyncClient(transport=AiohttpTransport(), timeout=timeouts(limits)) as client,
    ):
        response = await client.get(f"{endpoint.rstrip('/')}/models", headers=headers(api_key))
        await refuse_error_status(response)
    try:
        return [str(model["id"]) for model in response.json()["data"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable("the model list is not in the OpenAI form") from error
