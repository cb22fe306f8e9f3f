"""Until the vote nothing that tells the contestants apart crosses to the browser.

Every byte that the server sends is recorded in front of it, over whole battles: the page, the
socket, its frames, refusals, headers. The catalog, the endpoints and their errors are full of
canaries.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from asgiref.sync import sync_to_async
from django.conf import settings
from django.urls import reverse

from arena.battles import protocol
from arena.battles.models import Battle, State
from tests.browsers import Visitor
from tests.factories import canaries
from tests.recorder import Recorder, recording
from tests.server import serving as arena_serving
from tests.threads import in_thread
from tests.upstream import BROKEN_ENDPOINTS, FAULTS, Behaviour, serving, stream, whole

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
]
database = sync_to_async(thread_sensitive=True)

CANARY = "canary"
# What may stand in a message before the vote, and nothing else.
KEYS = {
    "battle.started": {"type", "battle", "attempt", "turn", "prompt", "images"},
    "": {"seq", "a", "b"},
    "battle.complete": {"type"},
    "battle.failed": {"type", "can_retry"},
    "battle.stopped": {"type"},
    "battle.refused": {"type", "message"},
    "battle.reload": {"type"},
}
COUNTS = ("_token", "duration", "latency", "elapsed", "usage", "retry-after", "server-timing")
# Of a page these differ from one request to the next, and say nothing of contestants.
OWN = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    rb'|content="[A-Za-z0-9]{64}"|csrftoken=\w+|nonce-[^\']+'
    rb"|(?:date|expires): [^\r]+|expires=[^;]+",
    re.IGNORECASE,
)


@pytest.fixture
def recorder(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setattr(settings, "ANSWER_MAX_CHARACTERS", 100_000)
    monkeypatch.setattr(settings, "BREAKER_FAILURES", 10_000)
    with arena_serving() as address, in_thread(recording(address)) as recorder:
        yield recorder


@database
def contestants(good: str, bad: str) -> None:
    canaries(good, bad)


async def battle_with(recorder: Recorder, visitor: Visitor) -> None:
    """All that a page does up to the vote, and a few things that it should not."""
    recorder.clear()
    async with visitor.socket(recorder.address) as socket:
        await visitor.begin(socket, prompt="Why is the sky blue?")
        await visitor.read_to_end(socket)
        if visitor.messages[-1].get("can_retry"):
            await visitor.say(socket, "battle.retry")
            await visitor.read_to_end(socket)
        if visitor.messages[-1] == {"type": "battle.complete"}:
            await visitor.ask_on(socket, 2, "And red at night?")
            await visitor.read_to_end(socket)
    async with visitor.socket(recorder.address) as socket:
        await visitor.attach(socket)
        await visitor.read_to_end(socket)
        await visitor.say(socket, "battle.retry")
        await visitor.read_to_end(socket)
    await page(recorder, visitor, f"/battle/{visitor.battle}/")
    await page(recorder, visitor, f"/battle/{visitor.battle}/vote/")
    await page(recorder, visitor, reverse("leaderboard:reveal", args=[visitor.battle]))


async def page(recorder: Recorder, visitor: Visitor, path: str) -> bytes:
    """Head and body as they crossed."""
    before = len(recorder.received)
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(recorder.address + path, headers={"Cookie": visitor.cookie_header()}) as got,
    ):
        await got.read()
    return bytes(recorder.received[before:])


def told(visitor: Visitor) -> list[dict[str, Any]]:
    """Messages that held more than they may."""
    return [
        message for message in visitor.messages if not set(message) <= KEYS[message.get("type", "")]
    ]


async def talkative(request: web.Request) -> web.StreamResponse:
    """A server that reports its usage and names itself in every chunk."""
    usage = {"prompt_tokens": 7777, "completion_tokens": 8888}
    named = {"model": "canary-remote", "system_fingerprint": "canary", "usage": usage}
    pieces = [
        b"data: " + json.dumps(named | json.loads(p[6:])).encode() + b"\n\n"
        for p in whole("The ", "sky ", "is ", "blue.")[:-1]
    ]
    return await stream(request, [*pieces, b"data: [DONE]\n\n"])


@asynccontextmanager
async def endpoint_of(fault: str) -> AsyncIterator[str]:
    if fault in FAULTS:
        async with serving(FAULTS[fault][0]) as endpoint:
            yield endpoint
    else:
        async with BROKEN_ENDPOINTS[fault][0]() as endpoint:
            yield endpoint


async def test_a_whole_battle_gives_nobody_away(recorder: Recorder) -> None:
    async with serving(talkative) as endpoint:
        await contestants(endpoint, endpoint)
        visitor = Visitor()
        await battle_with(recorder, visitor)

    assert await state() == State.COMPLETE
    assert {message.get("turn") for message in visitor.messages} >= {1, 2}
    assert recorder.found(CANARY, "7777", "8888", *COUNTS) == []
    assert told(visitor) == []
    # After the vote the same recorder sees what it was looking for.
    await vote(recorder, visitor)
    assert recorder.found(CANARY, "<dt>tokens") == [CANARY, "<dt>tokens"]


@pytest.mark.parametrize("fault", [*FAULTS, *BROKEN_ENDPOINTS])
async def test_no_fault_gives_anybody_away(recorder: Recorder, fault: str) -> None:
    async with serving(talkative) as good, endpoint_of(fault) as bad:
        await contestants(good, bad)
        visitor = Visitor()
        await battle_with(recorder, visitor)

    assert await state() == State.FAILED
    assert recorder.found(CANARY, "7777", "8888", *COUNTS) == []
    assert told(visitor) == []


async def test_a_stopped_battle_gives_nobody_away(recorder: Recorder) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        return await stream(request, whole(*["word "] * 60), pause=0.05)

    async with serving(slow) as endpoint:
        await contestants(endpoint, endpoint)
        visitor = Visitor()
        recorder.clear()
        async with visitor.socket(recorder.address) as socket:
            await visitor.begin(socket, prompt="Why?")
            await visitor.read_frames(socket, 2)
            await visitor.say(socket, "battle.stop")
            assert await visitor.read_to_end(socket) == "battle.stopped"
        await page(recorder, visitor, f"/battle/{visitor.battle}/")

    assert recorder.found(CANARY, *COUNTS) == []
    assert told(visitor) == []


async def test_pages_of_a_fast_and_a_slow_contestant_are_the_same(recorder: Recorder) -> None:
    """Header by header and byte by byte, but for ids, tokens against forgery and the date."""

    def paced(slow_ones: str) -> Behaviour:
        async def answer(request: web.Request) -> web.StreamResponse:
            model = json.loads(await request.read())["model"]
            pause = 0.15 if model[-1] in slow_ones else 0.0
            return await stream(request, whole("The ", "sky ", "is ", "blue."), pause=pause)

        return answer

    pages = []
    for slow_ones in ("02468", "13579"):
        async with serving(paced(slow_ones)) as endpoint:
            await contestants(endpoint, endpoint)
            visitor = Visitor()
            async with visitor.socket(recorder.address) as socket:
                await visitor.begin(socket, prompt="Why is the sky blue?")
                assert await visitor.read_to_end(socket) == "battle.complete"
            crossed = await page(recorder, visitor, f"/battle/{visitor.battle}/")
            pages.append(OWN.sub(b"", crossed))

    assert b"The sky is blue." in pages[0]
    assert pages[0] == pages[1]


async def test_the_recorder_finds_what_leaks(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = protocol.complete

    def leaking() -> protocol.Outgoing:
        return honest() | {"winner": "Canary-Wren", "completion_tokens": 12}

    monkeypatch.setattr(protocol, "complete", leaking)
    async with serving(talkative) as endpoint:
        await contestants(endpoint, endpoint)
        visitor = Visitor()
        await battle_with(recorder, visitor)

    assert recorder.found(CANARY, "completion_tokens") == [CANARY, "completion_tokens"]
    assert told(visitor) != []


@database
def last_attempt() -> int:
    return Battle.objects.latest("created_at").attempt


@database
def state() -> str:
    return Battle.objects.latest("created_at").state


async def vote(recorder: Recorder, visitor: Visitor) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        token = "a" * 32
        await session.post(
            f"{recorder.address}/battle/{visitor.battle}/vote/",
            data={"outcome": "tie", "key": "0f1e2d3c-aaaa", "attempt": await last_attempt()},
            headers={
                "Cookie": f"{visitor.cookie_header()}; csrftoken={token}",
                "X-CSRFToken": token,
                "Origin": recorder.address,
            },
        )
