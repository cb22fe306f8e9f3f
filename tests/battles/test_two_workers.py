"""Two web processes on PostgreSQL and Redis: one is killed, and nobody is left in the dark."""

import asyncio
import json
import time
from contextlib import suppress

import pytest
from aiohttp import web
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from arena.battles.matchmaking import KNOWN_SECONDS
from arena.battles.models import Answer, Battle, State
from arena.catalog.models import Kind
from tests import factories
from tests.browsers import Visitor
from tests.conftest import missing
from tests.processes import Arena, arenas
from tests.upstream import serving, stream, whole

pytestmark = pytest.mark.django_db(transaction=True)
database = sync_to_async(thread_sensitive=True)

WORDS = [f"word{number} " for number in range(80)]
TEXT = "".join(WORDS)


@pytest.fixture(autouse=True)
def shared(no_connection_left: None) -> None:
    """Several processes need a database and a channel layer that they share."""
    if connection.vendor != "postgresql" or not settings.REDIS_URL:
        missing("services", "DATABASE_URL and REDIS_URL name no PostgreSQL and Redis")


async def slow(request: web.Request) -> web.StreamResponse:
    """80 words in about 4 s."""
    return await stream(request, whole(*WORDS), pause=0.05)


@database
def two_served(endpoint: str) -> None:
    for name in ("Wren", "Kite"):
        factories.revision(name, Kind.OPENAI, endpoint=endpoint, remote_model=name)


@database
def states() -> dict[str, int]:
    rows = list(Battle.objects.values_list("state", flat=True))
    return {state: rows.count(state) for state in set(rows)}


@database
def texts_of(battle_id: object) -> list[str]:
    return list(Answer.objects.filter(turn__battle=battle_id).values_list("text", flat=True))


async def test_a_reconnect_elsewhere_repeats_and_misses_nothing() -> None:
    with arenas(2, PACING="native") as (here, there):
        async with serving(slow) as endpoint:
            await two_served(endpoint)
            visitor = Visitor()
            async with visitor.socket(here.address) as socket:
                await visitor.begin(socket, prompt="Why?")
                await visitor.read_frames(socket, 5)
            async with visitor.socket(there.address) as socket:
                await visitor.attach(socket)
                await visitor.read_frames(socket, visitor.seen + 5)
            fresh = Visitor()
            fresh.cookies, fresh.battle = visitor.cookies, visitor.battle
            async with fresh.socket(there.address) as socket, visitor.socket(here.address) as own:
                await asyncio.gather(fresh.attach(socket), visitor.attach(own))
                endings = await asyncio.gather(fresh.read_to_end(socket), visitor.read_to_end(own))

    assert endings == ["battle.complete", "battle.complete"]
    assert visitor.shown == fresh.shown == {"a": TEXT, "b": TEXT}


async def test_stop_and_retry_reach_the_owner_from_another_process() -> None:
    calls = {"Wren": 0, "Kite": 0}

    async def sometimes(request: web.Request) -> web.StreamResponse:
        model = json.loads(await request.read())["model"]
        calls[model] += 1
        if model == "Kite" and calls[model] == 1:
            return web.json_response({"error": "not now"}, status=400)
        return await stream(request, whole(*WORDS[:20]), pause=0.02)

    with arenas(2, PACING="native") as (here, there):
        async with serving(sometimes) as endpoint:
            await two_served(endpoint)
            visitor = Visitor()
            async with visitor.socket(here.address) as socket:
                await visitor.begin(socket, prompt="Why?")
                assert await visitor.read_to_end(socket) == "battle.failed"
            async with visitor.socket(there.address) as socket:
                await visitor.say(socket, "battle.retry")
                assert await visitor.read_to_end(socket) == "battle.complete"
        async with serving(slow) as endpoint:
            await database(Battle.objects.all().update)(state=State.STOPPED)
            await database(point_to)(endpoint)
            await asyncio.sleep(KNOWN_SECONDS)
            stopper = Visitor()
            async with stopper.socket(here.address) as socket:
                await stopper.begin(socket, prompt="Why?")
                await stopper.read_frames(socket, 3)
                async with stopper.socket(there.address) as other:
                    await stopper.say(other, "battle.stop")
                    assert await stopper.read_to_end(socket) == "battle.stopped"

    assert calls == {"Wren": 1, "Kite": 2}
    assert visitor.shown["a"] == visitor.shown["b"] == "".join(WORDS[:20])


def point_to(endpoint: str) -> None:
    """New revisions of the two contestants, at another address."""
    from arena.catalog.models import Contestant
    from arena.catalog.services import revision_add

    for contestant in Contestant.objects.all():
        revision_add(
            contestant=contestant,
            name=f"{contestant.name} 2",
            kind=Kind.OPENAI,
            endpoint=endpoint,
            remote_model=contestant.name,
        )


async def test_kill_one_of_two_in_the_midst_of_twenty_battles() -> None:
    with arenas(2, PACING="native") as (doomed, other):
        async with serving(slow) as endpoint:
            await two_served(endpoint)
            lost, kept = [Visitor() for _ in range(10)], [Visitor() for _ in range(10)]
            running = [
                *(asyncio.create_task(watch(visitor, doomed, other)) for visitor in lost),
                *(asyncio.create_task(watch(visitor, other, other)) for visitor in kept),
            ]
            await all_begun(lost + kept)
            await asyncio.to_thread(doomed.kill)
            seconds = await until_none_is_generating()
            endings = await asyncio.gather(*running)

            assert seconds < 8
            assert await states() == {State.INTERRUPTED: 10, State.COMPLETE: 10}
            # Pages of lost battles asked the process that is left, and were told.
            assert endings == ["battle.reload"] * 10 + ["battle.complete"] * 10
            assert all(visitor.shown == {"a": TEXT, "b": TEXT} for visitor in kept)

            async with lost[0].socket(other.address) as socket:
                await lost[0].say(socket, "battle.retry")
                assert await lost[0].read_to_end(socket) == "battle.complete"
    assert await texts_of(lost[0].battle) == [TEXT, TEXT]


async def watch(visitor: Visitor, first: Arena, second: Arena) -> str:
    """Follow a battle to its end as a page does: attach again, wherever that lands."""
    async with visitor.socket(first.address) as socket:
        await visitor.begin(socket, prompt="Why?")
        # A socket that ends with its process gives no text.
        with suppress(TypeError):
            return await visitor.read_to_end(socket)
    async with visitor.socket(second.address) as socket:
        await visitor.attach(socket)
        return await visitor.read_to_end(socket)


async def all_begun(visitors: list[Visitor]) -> None:
    async with asyncio.timeout(20):
        while not all(visitor.seen > 3 for visitor in visitors):
            await asyncio.sleep(0.05)


async def until_none_is_generating() -> float:
    begun = time.monotonic()
    while State.GENERATING in await states():
        assert time.monotonic() - begun < 15
        await asyncio.sleep(0.1)
    return time.monotonic() - begun


async def test_what_is_silent_for_15_seconds_is_still_there() -> None:
    """Neither the socket nor the subscription to the channel layer may end by being idle."""

    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(15)
        return await stream(request, whole("Late."))

    environment = {"PROVIDER_READ_SECONDS": "30", "PROVIDER_TOTAL_SECONDS": "30"}
    with arenas(2, **environment) as (here, there):
        async with serving(late) as endpoint:
            await two_served(endpoint)
            visitor, again = Visitor(), Visitor()
            async with visitor.socket(here.address) as socket:
                await visitor.begin(socket, prompt="Why?")
                await visitor.read(socket)
                await asyncio.sleep(14)
                again.cookies, again.battle = visitor.cookies, visitor.battle
                async with again.socket(there.address) as other:
                    await again.attach(other)
                    endings = [await again.read_to_end(other), await visitor.read_to_end(socket)]

    assert endings == ["battle.complete", "battle.complete"]
    assert visitor.shown == again.shown == {"a": "Late.", "b": "Late."}
