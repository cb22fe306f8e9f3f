"""A local server that speaks the OpenAI protocol, well or badly, on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
WORDS = ("The ", "sky ", "is ", "**blue** ", "because ", "of ", "scattering.")


def chunk(text: str = "", reason: str | None = None) -> bytes:
    body = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]}
    return f"data: {json.dumps(body)}\n\n".encode()


async def stream(request: web.Request, pieces: list[bytes], pause: float = 0.0) -> web.Response:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(pause)
    await response.write_eof()
    return response  # type: ignore[return-value]


def whole(*words: str) -> list[bytes]:
    return [*(chunk(word) for word in words), chunk(reason="stop"), b"data: [DONE]\n\n"]


async def well(request: web.Request) -> web.StreamResponse:
    return await stream(request, whole(*WORDS), pause=0.01)


async def error_500(request: web.Request) -> web.StreamResponse:
    return web.json_response({"error": "CANARY-upstream exploded"}, status=500)


async def silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3)
    return web.Response()


async def stalled(request: web.Request) -> web.StreamResponse:
    return await stream(request, [chunk("The "), chunk("sky ")], pause=3)


async def truncated(request: web.Request) -> web.StreamResponse:
    return await stream(request, [chunk(word) for word in WORDS[:3]])


async def torn(request: web.Request) -> web.StreamResponse:
    response = await stream(request, [chunk("The ")])
    assert request.transport is not None
    request.transport.abort()
    return response


async def garbage(request: web.Request) -> web.StreamResponse:
    return await stream(request, [chunk("The "), b"data: {nonsense\n\n"])


async def web_page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>CANARY login</html>", content_type="text/html")


async def empty(request: web.Request) -> web.StreamResponse:
    return await stream(request, whole())


async def error_in_stream(request: web.Request) -> web.StreamResponse:
    return await stream(request, [chunk("The "), b'data: {"error": "CANARY overloaded"}\n\n'])


async def endless(request: web.Request) -> web.StreamResponse:
    return await stream(request, whole(*["word " * 2000] * 30))


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "500": (error_500, "Rejected"),
    "silent": (silent, "TimedOut"),
    "stalled": (stalled, "TimedOut"),
    "truncated": (truncated, "Truncated"),
    "torn": (torn, "Truncated"),
    "garbage": (garbage, "Unreadable"),
    "web page": (web_page, "Unreadable"),
    "empty": (empty, "EmptyAnswer"),
    "error in the stream": (error_in_stream, "Rejected"),
    "endless": (endless, "TooLong"),
}


@asynccontextmanager
async def serving(behaviour: Behaviour = well) -> AsyncIterator[str]:
    """The endpoint's address while it serves."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", behaviour)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()


async def models(request: web.Request) -> web.Response:
    return web.json_response({"data": [{"id": "linnet-3"}, {"id": "ostrel-prime"}]})
