"""A local server of both chat protocols on a real socket, well-behaved or not."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
Broken = Callable[[], AbstractAsyncContextManager[str]]
WORDS = ("The ", "sky ", "is ", "**blue** ", "because ", "of ", "scattering.")
ENDLESS_BYTES = 50_000_000
NOT_UTF8 = b"\xff\xfe"
LOCALHOST = ip_address("127.0.0.1")


# -- Two forms of one stream -----------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """How a protocol writes the same things: functions that give the bytes of events."""

    text: Callable[[str], bytes]
    thought: Callable[[str], bytes]
    ending: Callable[[str], bytes]
    error: Callable[[str], bytes]
    stop: str
    filtered: str

    def whole(self, *words: str) -> list[bytes]:
        return [*(self.text(word) for word in words), self.ending(self.stop)]


def event(body: object, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + f"data: {json.dumps(body)}\n\n".encode()


def chunk(text: str = "", reason: str | None = None, **delta: str) -> bytes:
    delta = {"content": text, **delta}
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def done(reason: str) -> bytes:
    return chunk(reason=reason) + b"data: [DONE]\n\n"


def block_delta(kind: str, member: str) -> Callable[[str], bytes]:
    def written(text: str) -> bytes:
        delta = {"type": kind, member: text}
        return event({"type": "content_block_delta", "index": 0, "delta": delta})

    return written


def message_end(reason: str) -> bytes:
    delta = {"stop_reason": reason, "stop_sequence": None}
    usage = {"output_tokens": 7}
    return event({"type": "message_delta", "delta": delta, "usage": usage}) + event(
        {"type": "message_stop"}
    )


def message_error(message: str) -> bytes:
    error = {"type": "invalid_request_error", "message": message}
    return event({"type": "error", "error": error}, "error")


OPENAI = Form(
    text=chunk,
    thought=lambda text: chunk(reasoning_content=text),
    ending=done,
    error=lambda message: event({"error": message}),
    stop="stop",
    filtered="content_filter",
)
ANTHROPIC = Form(
    text=block_delta("text_delta", "text"),
    thought=block_delta("thinking_delta", "thinking"),
    ending=message_end,
    error=message_error,
    stop="end_turn",
    filtered="refusal",
)


def whole(*words: str) -> list[bytes]:
    return [*(chunk(word) for word in words), chunk(reason="stop"), b"data: [DONE]\n\n"]


# -- Behaviours ------------------------------------------------------------------------------


async def begun(request: web.Request, **headers: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **headers})
    await response.prepare(request)
    return response


async def stream(
    request: web.Request, pieces: Iterable[bytes], pause: float = 0.0
) -> web.StreamResponse:
    response = await begun(request)
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(pause)
    await response.write_eof()
    return response


def streaming(*pieces: bytes, pause: float = 0.0) -> Behaviour:
    async def behaviour(request: web.Request) -> web.StreamResponse:
        return await stream(request, pieces, pause)

    return behaviour


def error(status: int, **headers: str) -> Behaviour:
    async def behaviour(request: web.Request) -> web.StreamResponse:
        body = {"error": {"message": f"CANARY-upstream says {status}", "type": "odd"}}
        return web.json_response(body, status=status, headers=headers)

    return behaviour


def recovering(*faults: Behaviour, then: Behaviour) -> Behaviour:
    """Each request meets the next fault until there is none left."""
    left = list(faults)

    async def behaviour(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if left else then)(request)

    return behaviour


async def well(request: web.Request) -> web.StreamResponse:
    return await stream(request, whole(*WORDS), pause=0.01)


async def silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3)
    return web.Response()


async def web_page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>CANARY login</html>", content_type="text/html")


async def redirect(request: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "/v1/elsewhere"}, text="CANARY moved")


async def without_line_ends(request: web.Request) -> web.StreamResponse:
    return await stream(request, [b"data: CANARY", *[b"x" * 50_000] * (ENDLESS_BYTES // 50_000)])


def torn_after(*pieces: bytes) -> Behaviour:
    """The connection breaks where the next piece should come."""

    async def behaviour(request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        for piece in pieces:
            await response.write(piece)
        # What was written is on its way before the connection is torn.
        await asyncio.sleep(0.02)
        assert request.transport is not None
        request.transport.abort()
        return response

    return behaviour


def endless(text: Callable[[str], bytes]) -> Behaviour:
    piece = text("word " * 400)

    async def behaviour(request: web.Request) -> web.StreamResponse:
        return await stream(request, [piece] * (ENDLESS_BYTES // len(piece)))

    return behaviour


def faults_of(form: Form) -> dict[str, tuple[Behaviour, str]]:
    """What can be wrong with an answer, and the kind of error that it is."""
    begin = form.text("The ")
    return {
        "400": (error(400), "Rejected"),
        "401": (error(401), "Unauthorised"),
        "403": (error(403), "Unauthorised"),
        "404": (error(404), "Gone"),
        "429": (error(429, **{"Retry-After": "1"}), "Overloaded"),
        "500": (error(500), "Overloaded"),
        "503": (error(503), "Overloaded"),
        "redirect": (redirect, "Rejected"),
        "web page": (web_page, "Unreadable"),
        "silent": (silent, "TimedOut"),
        "stalled": (streaming(begin, form.text("sky "), pause=3), "TimedOut"),
        "truncated": (streaming(*map(form.text, WORDS[:3])), "Truncated"),
        "torn": (torn_after(begin), "Truncated"),
        "garbage": (streaming(begin, b"data: {nonsense CANARY\n\n"), "Unreadable"),
        "not UTF-8": (
            streaming(begin, form.text("CANARY").replace(b"CANARY", NOT_UTF8)),
            "Unreadable",
        ),
        "error in the stream": (streaming(begin, form.error("CANARY overloaded")), "Rejected"),
        "empty": (streaming(form.ending(form.stop)), "EmptyAnswer"),
        "only reasoning": (
            streaming(form.thought("CANARY thought"), form.ending(form.stop)),
            "EmptyAnswer",
        ),
        "content filter": (streaming(begin, form.ending(form.filtered)), "Filtered"),
        "endless": (endless(form.text), "TooLong"),
        "without line ends": (without_line_ends, "TooLong"),
    }


FAULTS = faults_of(OPENAI)
ANTHROPIC_FAULTS = faults_of(ANTHROPIC)


# -- The server ------------------------------------------------------------------------------


@asynccontextmanager
async def serving(
    behaviour: Behaviour = well, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """The endpoint's address while it serves; whatever is posted meets the behaviour."""
    app = web.Application()
    app.router.add_post("/v1/{what:.*}", behaviour)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()


async def models(request: web.Request) -> web.Response:
    """The list in both forms; in Anthropic's one model to a page."""
    names = ["linnet-3", "ostrel-prime"]
    if "anthropic-version" not in request.headers:
        return web.json_response({"data": [{"id": name} for name in names]})
    after = request.query.get("after_id")
    place = names.index(after) + 1 if after else 0
    page: dict[str, Any] = {"data": [{"type": "model", "id": names[place]}]}
    has_more = place + 1 < len(names)
    return web.json_response(page | {"has_more": has_more, "last_id": names[place]})


# -- Endpoints that nobody can talk to -------------------------------------------------------


@asynccontextmanager
async def nobody_listening() -> AsyncIterator[str]:
    with socket.socket() as bound:
        # Bound, so that nobody else gets the port; not listening, so that it refuses.
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


@asynccontextmanager
async def no_such_name() -> AsyncIterator[str]:
    yield "http://canary-upstream.invalid/v1"


@asynccontextmanager
async def tls_to_a_plain_port() -> AsyncIterator[str]:
    async with serving() as endpoint:
        yield endpoint.replace("http://", "https://")


@asynccontextmanager
async def self_signed() -> AsyncIterator[str]:
    async with serving(tls=self_signed_context()) as endpoint:
        yield endpoint


@cache
def self_signed_pem() -> bytes:
    """A key, and its certificate for this machine's own address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CANARY-upstream")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOCALHOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return secret + certificate.public_bytes(pem)


def self_signed_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_bytes(self_signed_pem())
        context.load_cert_chain(path)
    return context


BROKEN_ENDPOINTS: dict[str, tuple[Broken, str]] = {
    "nobody listening": (nobody_listening, "Unreachable"),
    "no such name": (no_such_name, "Unreachable"),
    "TLS to a plain port": (tls_to_a_plain_port, "Unreachable"),
    "self-signed": (self_signed, "Unreachable"),
}
