"""The one border to the network: one client for each event loop, and foreign errors mapped."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import aiohttp
import httpx

from arena.providers.bodies import Body
from arena.providers.exceptions import (
    ProviderError,
    TimedOut,
    Truncated,
    Unauthorised,
    Unreachable,
    Unreadable,
)
from arena.providers.protocol import Limits
from arena.providers.refusals import refusal
from arena.providers.transport import Transport

ERROR_BODY_BYTES = 8192
# The first that fits; whatever else is wrong with a connection has broken it. httpx's own name
# for an error is not asked where it hides one of aiohttp: its transport calls a connection that
# was reset in the middle of an answer a timeout of connecting.
FOREIGN: tuple[tuple[type[BaseException], type[ProviderError], str], ...] = (
    (aiohttp.SocketTimeoutError, TimedOut, "no answer in time"),
    (aiohttp.ServerTimeoutError, Unreachable, "no connection in time"),
    (aiohttp.ClientConnectorError, Unreachable, "no connection"),
    (aiohttp.InvalidURL, Unreachable, "no address"),
    (aiohttp.NonHttpUrlClientError, Unreachable, "no address"),
    (httpx.UnsupportedProtocol, Unreachable, "no address"),
    (httpx.InvalidURL, Unreachable, "no address"),
    # Python's own look-up of names whose labels are too long, or empty.
    (UnicodeError, Unreachable, "no address"),
    (aiohttp.ClientResponseError, Unreadable, "not HTTP"),
)
OF_NETWORK = (aiohttp.ClientError, httpx.HTTPError, httpx.InvalidURL, UnicodeError)


@dataclass(frozen=True)
class Call:
    """One request to an endpoint. `most`: bytes that a successful answer may have."""

    method: str
    url: str
    limits: Limits
    most: int
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None


@asynccontextmanager
async def opened(call: Call) -> AsyncIterator[Body]:
    """The body of a successful answer. Raises ProviderError, also out of reading the body.

    Redirects are not followed: a key must not travel to an address that nobody configured.
    """
    async with foreign_errors_mapped():
        client = await shared_client()
        async with client.stream(
            call.method,
            call.url,
            headers=dict(call.headers),
            json=call.json,
            timeout=timeouts(call.limits),
        ) as response:
            body = body_of(response, call.most)
            if not response.is_success:
                retry_after = response.headers.get("retry-after")
                raise refusal(response.status_code, await beginning(body), retry_after)
            yield body


async def document(call: Call) -> Any:
    """The JSON document that answers a call, within `limits.total`. Raises ProviderError."""
    try:
        async with asyncio.timeout(call.limits.total), opened(call) as body:
            text = b"".join([piece async for piece in body])
    except TimeoutError as error:
        raise TimedOut(f"not whole after {call.limits.total} s") from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {text[:80]!r}") from error


def usable_key(key: str) -> str:
    """The key, if a header may carry it. Raises Unauthorised."""
    if not (key.isascii() and key.isprintable()):
        raise Unauthorised("the key holds characters that no header may carry")
    return key


def timeouts(limits: Limits) -> httpx.Timeout:
    # aiohttp counts the look-up of a name towards the wait for a connection of the pool.
    return httpx.Timeout(limits.read, connect=limits.connect, pool=limits.connect)


def body_of(response: httpx.Response, most: int) -> Body:
    return Body(
        response.extensions["wire"],
        media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
        encoding=response.headers.get("content-encoding", "").strip().lower(),
        most=most,
    )


async def beginning(body: Body) -> bytes:
    """As much of an error's body as an operator may want to read."""
    text = b""
    async for piece in body:
        text += piece
        if len(text) >= ERROR_BODY_BYTES:
            break
    return text[:ERROR_BODY_BYTES]


@asynccontextmanager
async def foreign_errors_mapped() -> AsyncIterator[None]:
    try:
        yield
    except OF_NETWORK as error:
        raise mapped(error) from error


def mapped(error: Exception) -> ProviderError:
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    for foreign, ours, said in FOREIGN:
        if isinstance(cause, foreign):
            return ours(f"{said}: {cause!r}")
    return Truncated(f"the connection broke: {cause!r}")


# -- The client ------------------------------------------------------------------------------

# Of each running event loop its client, and the generator that closes it.
_clients: dict[asyncio.AbstractEventLoop, tuple[httpx.AsyncClient, AsyncGenerator[None, None]]] = {}


async def shared_client() -> httpx.AsyncClient:
    """The client of the running loop, whose connections are used again and again.

    A loop closes its client when it shuts down its asynchronous generators, as `asyncio.run`
    does at its end; `close` closes it before.
    """
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        client = new_client()
        keeper = kept_until_closed(client, loop)
        _clients[loop] = client, keeper
        await anext(keeper)
    return _clients[loop][0]


async def close() -> None:
    """Close the client of the running loop, if it has one. The next call opens another."""
    if kept := _clients.get(asyncio.get_running_loop()):
        await kept[1].aclose()


async def kept_until_closed(
    client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop
) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        del _clients[loop]
        await client.aclose()


def new_client() -> httpx.AsyncClient:
    """Without the environment's proxies and without .netrc, whose passwords no endpoint must see.

    Compression would hold tokens back.
    """
    return httpx.AsyncClient(
        transport=Transport(authorities()),
        headers={"Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        trust_env=False,
    )


@cache
def authorities() -> ssl.SSLContext:
    """Those that SSL_CERT_FILE or SSL_CERT_DIR name, as in any other program, else certifi's.

    So an operator's own authority can be trusted. Loaded once: it takes 20 ms.
    """
    return httpx.create_ssl_context()
