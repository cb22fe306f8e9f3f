"""How the bytes of an answer come off the wire: many tokens at a time."""

import ssl

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from arena.core.beat import beat

# A piece as large as this has gathered already, and there is likely more behind it.
GATHERED_BYTES = 4096


class Wire(httpx.AsyncByteStream):
    """A response's bytes as they were sent. Iterating raises the errors of aiohttp.

    Every piece is given out as it comes until `is_gathering` is set; from then on bytes stay in
    the kernel for a beat and are read together. Nobody looks at an answer more often than once
    in a frame, and to wake up for each token costs more than to understand it: of 300 streams
    with 50 tokens/s each token took 41 µs of processor by itself, and 27 µs gathered.
    """

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        # The transport has no public way to the response whose reading is to be paused.
        self._response: aiohttp.ClientResponse = stream._aiohttp_response  # type: ignore[attr-defined]
        self._stream = stream
        self._last = 0
        self.is_gathering = False

    def __aiter__(self) -> "Wire":
        return self

    async def __anext__(self) -> bytes:
        if self.is_gathering and self._last < GATHERED_BYTES:
            await self._gather()
        piece = await self._response.content.readany()
        if not piece:
            raise StopAsyncIteration
        self._last = len(piece)
        return piece

    async def _gather(self) -> None:
        # A response that has come to its end has given its connection back, perhaps to another.
        connection = self._response.connection
        transport = connection.transport if connection else None
        if transport is None or transport.is_closing():
            return
        transport.pause_reading()
        await beat().reading()
        if not transport.is_closing():
            transport.resume_reading()

    async def aclose(self) -> None:
        await self._stream.aclose()


class Transport(AiohttpTransport):
    """Connections without a limit of their number; the Wire is in the response's extensions.

    The arena limits its battles; whatever limited connections here would queue streams unseen.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, client=lambda: session(context))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = response.extensions["wire"] = Wire(response.stream)
        return response


def session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    """Without a limit of connections, which is 100 by default, and without a memory for cookies:
    they would tie together answers that have nothing to do with each other.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=context),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
