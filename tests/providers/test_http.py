"""The border to the network: one client, bounded bodies, and what it does not do."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from django.conf import settings

from arena.providers import http, transport
from arena.providers.bodies import STEP_BYTES, largest_stream
from arena.providers.exceptions import Rejected, TimedOut, TooLong, Truncated, Unreadable
from arena.providers.http import Call, document, opened
from arena.providers.protocol import Draft, Limits
from tests.providers.asking import LIMITS, answer
from tests.upstream import (
    WORDS,
    Behaviour,
    begun,
    chunk,
    done,
    self_signed_context,
    self_signed_pem,
    serving,
    stream,
    streaming,
    whole,
)


def call(endpoint: str) -> Call:
    return Call("POST", f"{endpoint}/anything", LIMITS, most=largest_stream(LIMITS))


# -- The client ------------------------------------------------------------------------------


async def test_a_loop_has_one_client() -> None:
    first = await http.shared_client()
    assert await http.shared_client() is first

    await http.close()
    await http.close()
    second = await http.shared_client()
    assert first.is_closed
    assert not second.is_closed


def test_a_client_closes_with_its_loop() -> None:
    """Warnings are errors in tests, also the one about a session that nobody closed."""

    async def once() -> str:
        draft = Draft()
        async with serving() as endpoint:
            await answer("openai", endpoint, draft)
        return draft.text

    assert [asyncio.run(once()) for _ in range(2)] == ["".join(WORDS)] * 2
    assert http._clients == {}


async def test_hundreds_of_streams_do_not_queue() -> None:
    streams = 300
    together = asyncio.Barrier(streams)

    async def wait_for_all(request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        await together.wait()
        for piece in whole("Blue."):
            await response.write(piece)
        return response

    async with serving(wait_for_all) as endpoint:
        patient = {"connect": 10.0, "read": 10.0, "total": 10.0}
        asked = [answer("openai", endpoint, **patient) for _ in range(streams)]
        finishes = await asyncio.gather(*asked)

    assert {finish.reason for finish in finishes} == {"stop"}


async def test_a_connection_is_used_again() -> None:
    peers = set()

    async def remember(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return await stream(request, whole(*WORDS), pause=0.002)

    async with serving(remember) as endpoint:
        for _ in range(5):
            await answer("openai", endpoint)

    assert len(peers) == 1


@pytest.mark.parametrize("is_torn", [False, True])
async def test_a_connection_that_does_not_end_takes_nothing_from_the_answer(is_torn: bool) -> None:
    async def lingering(request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        await response.write(b"".join(whole("Blue.")))
        await asyncio.sleep(0.01 if is_torn else 1)
        assert request.transport is not None
        request.transport.abort()
        return response

    before = asyncio.get_running_loop().time()
    async with serving(lingering) as endpoint:
        finish = await answer("openai", endpoint)
        assert asyncio.get_running_loop().time() - before < 0.5

    assert finish.reason == "stop"


async def test_no_cookie_is_sent_back() -> None:
    sent = []

    async def baking(request: web.Request) -> web.StreamResponse:
        sent.append(request.headers.get("Cookie"))
        return web.json_response({}, headers={"Set-Cookie": "seen=CANARY; Path=/"})

    async with serving(baking) as endpoint:
        for _ in range(2):
            assert await document(call(endpoint)) == {}

    assert sent == [None, None]


async def test_no_redirect_is_followed() -> None:
    paths = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/v1/elsewhere"})

    async with serving(elsewhere) as endpoint:
        with pytest.raises(Rejected):
            await answer("openai", endpoint, api_key="secret")

    assert paths == ["/v1/chat/completions"]


@pytest.fixture
def own_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment names the self-signed certificate as an authority."""
    path = tmp_path / "authority.pem"
    path.write_bytes(self_signed_pem())
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    http.authorities.cache_clear()
    yield
    http.authorities.cache_clear()


@pytest.mark.usefixtures("own_authority")
async def test_the_environment_chooses_authorities_but_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    draft = Draft()
    async with serving(tls=self_signed_context()) as endpoint:
        await answer("openai", endpoint, draft)

    assert draft.text == "".join(WORDS)


# -- Bodies ----------------------------------------------------------------------------------


def compressed(encoding: str, *pieces: bytes) -> Behaviour:
    """Each piece is sent as soon as it is compressed."""

    async def behaviour(request: web.Request) -> web.StreamResponse:
        wbits = zlib.MAX_WBITS + (16 if encoding == "gzip" else 0)
        squeeze = zlib.compressobj(wbits=wbits)
        response = await begun(request, **{"Content-Encoding": encoding})
        for piece in pieces:
            await response.write(squeeze.compress(piece) + squeeze.flush(zlib.Z_SYNC_FLUSH))
            await asyncio.sleep(0.002)
        await response.write(squeeze.flush())
        return response

    return behaviour


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_what_is_compressed_unasked_is_understood(encoding: str) -> None:
    draft = Draft()
    words = [*WORDS, "x" * (2 * STEP_BYTES), "."]
    async with serving(compressed(encoding, *whole(*words))) as endpoint:
        await answer("openai", endpoint, draft, characters=1_000_000)

    assert draft.text == "".join(words)


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
async def test_what_is_not_compressed_as_it_says_is_unreadable(encoding: str) -> None:
    async def lying(request: web.Request) -> web.StreamResponse:
        response = await begun(request, **{"Content-Encoding": encoding})
        await response.write(chunk("CANARY"))
        return response

    async with serving(lying) as endpoint:
        with pytest.raises(Unreadable):
            await answer("openai", endpoint)


async def test_a_small_body_that_inflates_without_end_fills_no_memory() -> None:
    bomb = gzip.compress(bytes(50_000_000))

    async def explosive(request: web.Request) -> web.StreamResponse:
        response = await begun(request, **{"Content-Encoding": "gzip"})
        await response.write(bomb)
        return response

    async with serving(explosive) as endpoint:
        tracemalloc.start()
        with pytest.raises(TooLong):
            await answer("openai", endpoint)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 10_000_000


async def test_an_endless_answer_is_cut_off_early() -> None:
    written = 0

    async def counting(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = await begun(request)
        piece = chunk("word " * 400)
        while True:
            await response.write(piece)
            written += len(piece)

    async with serving(counting) as endpoint:
        with pytest.raises(TooLong):
            await answer("openai", endpoint)

    assert written < 20_000_000


@asynccontextmanager
async def saying(answer: bytes) -> AsyncIterator[str]:
    """A server that says the same to everybody and hangs up."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"SSH-2.0-CANARY\r\n", Unreadable),
        (HEAD + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n", Unreadable),
        (b"", Truncated),
        (HEAD[:20], Truncated),
        (HEAD + b"Content-Length: 1000\r\n\r\n" + chunk("The "), Truncated),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\ndata:", Truncated),
    ],
    ids=["not HTTP", "long header", "nothing", "half a head", "half a body", "half a chunk"],
)
async def test_what_is_not_whole_or_not_http(said: bytes, kind: type[Exception]) -> None:
    async with saying(said) as endpoint:
        with pytest.raises(kind):
            await answer("openai", endpoint)


async def test_an_answer_that_ends_with_its_connection_is_whole() -> None:
    draft = Draft()
    async with saying(HEAD + b"\r\n" + b"".join(whole(*WORDS))) as endpoint:
        await answer("openai", endpoint, draft)

    assert draft.text == "".join(WORDS)


async def test_a_document_has_a_deadline() -> None:
    pings = streaming(*[b" "] * 100, pause=0.01)
    limits = Limits(connect=1.0, read=1.0, total=0.1, characters=10)
    async with serving(pings) as endpoint:
        with pytest.raises(TimedOut, match=r"not whole after 0\.1 s"):
            await document(Call("POST", f"{endpoint}/anything", limits, most=1000))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 200_000], ids=lambda t: t[:2])
async def test_a_document_is_json(text: bytes) -> None:
    async with serving(streaming(text)) as endpoint:
        with pytest.raises(Unreadable, match="not JSON"):
            await document(call(endpoint))


# -- Gathering -------------------------------------------------------------------------------


async def pieces_of(endpoint: str, *, is_gathering: bool) -> list[bytes]:
    async with opened(call(endpoint)) as body:
        first = await anext(body)
        if is_gathering:
            body.gather()
        return [first, *[piece async for piece in body]]


@pytest.mark.usefixtures("own_authority")
@pytest.mark.parametrize("is_tls", [False, True])
async def test_bytes_that_nobody_waits_for_are_read_together(is_tls: bool) -> None:
    words = [b"%d " % number for number in range(60)]
    slowly = streaming(*words, pause=0.004)

    async with serving(slowly, tls=self_signed_context() if is_tls else None) as endpoint:
        single = await pieces_of(endpoint, is_gathering=False)
        together = await pieces_of(endpoint, is_gathering=True)

    assert b"".join(single) == b"".join(together) == b"".join(words)
    assert len(together) < len(words) / 3 < len(single)


async def test_large_pieces_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "FRAME_SECONDS", 0.5)
    pieces = [b"x" * transport.GATHERED_BYTES] * 50
    async with serving(streaming(*pieces)) as endpoint:
        started = asyncio.get_running_loop().time()
        got = await pieces_of(endpoint, is_gathering=True)

    assert b"".join(got) == b"".join(pieces)
    assert asyncio.get_running_loop().time() - started < 2.0


async def test_the_first_text_is_not_delayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by what comes before it: its time is recorded."""
    monkeypatch.setattr(settings, "FRAME_SECONDS", 0.5)
    sent = []

    async def late(request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        await response.write(b": ping\n\n" + chunk())
        await asyncio.sleep(0.05)
        await response.write(chunk("Blue."))
        sent.append(asyncio.get_running_loop().time())
        await response.write(done("stop"))
        return response

    draft = Draft()
    async with serving(late) as endpoint:
        await answer("openai", endpoint, draft)

    assert draft.first_at is not None
    assert draft.first_at - sent[0] < 0.25
