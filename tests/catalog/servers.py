"""Servers that say one thing or another when they are asked for their models."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web
from anyio.from_thread import start_blocking_portal

from tests.upstream import serving

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextmanager
def running(server: Callable[[], object]) -> Iterator[str]:
    """A server's address while it serves, in a thread: commands run a loop of their own."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(server()) as address,  # type: ignore[arg-type]
    ):
        yield str(address)


def well_behaved() -> object:
    return serving()


def answering(handler: Handler, path: str = "/v1/models") -> Callable[[], object]:
    """A server that has nothing but a list of models, given by the handler."""

    @asynccontextmanager
    async def server() -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get(path, handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await runner.cleanup()

    return server


def listing(*names: str) -> Handler:
    async def listed(request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in names]})

    return listed


def wanting(key: str) -> Handler:
    """Lists models to who sends the key in the way of OpenAI."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {key}":
            return web.json_response({"error": "Who are you?"}, status=401)
        return await listing("linnet-3")(request)

    return guarded


async def of_anthropic(request: web.Request) -> web.StreamResponse:
    if request.headers.get("x-api-key") != "CANARY-key":
        return web.json_response({"error": {"message": "x-api-key is required"}}, status=401)
    body = {"data": [{"type": "model", "id": "linnet-3"}], "has_more": False}
    return web.json_response(body)


async def web_page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>\x1b[31mlog in</html>", content_type="text/html")


async def broken(request: web.Request) -> web.StreamResponse:
    return web.json_response({"error": "out of memory"}, status=500)


async def slow(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def nothing(request: web.Request) -> web.StreamResponse:
    return web.json_response({"error": "no such path"}, status=404)
