"""Stop, retry, and what a battle leaves behind for operators."""

import json
from collections import Counter

import pytest
from aiohttp import web
from asgiref.sync import sync_to_async
from django.conf import settings

from arena.battles.matchmaking import drawing_forget
from arena.battles.models import Answer, Battle, State
from arena.catalog.models import Circuit, Kind
from arena.core.models import AuditEntry
from tests import factories
from tests.browsers import Visitor
from tests.upstream import chunk, serving, stream, whole

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
]
database = sync_to_async(thread_sensitive=True)


@database
def two_served(endpoint: str) -> None:
    for name in ("Wren", "Kite"):
        factories.revision(name, Kind.OPENAI, endpoint=endpoint, remote_model=name)


@database
def battle() -> Battle:
    return Battle.objects.latest("created_at")


@database
def answers() -> list[Answer]:
    return list(Answer.objects.order_by("attempt", "side"))


async def fought(arena: str, visitor: Visitor, *then: str) -> list[str]:
    """How a battle ended, and how it ended after each thing said then."""
    async with visitor.socket(arena) as socket:
        await visitor.begin(socket, prompt="Why is the sky blue?")
        endings = [await visitor.read_to_end(socket)]
        for kind in then:
            await visitor.say(socket, kind)
            endings.append(await visitor.read_to_end(socket))
    return endings


async def test_a_retry_asks_only_the_side_that_failed(arena: str) -> None:
    calls: Counter[str] = Counter()

    async def once(request: web.Request) -> web.StreamResponse:
        model = json.loads(await request.read())["model"]
        calls[model] += 1
        if model == "Kite" and calls[model] == 1:
            return web.json_response({"error": "no"}, status=400)
        return await stream(request, whole("Wren's " if model == "Wren" else "Kite's ", "answer."))

    visitor = Visitor()
    async with serving(once) as endpoint:
        await two_served(endpoint)
        endings = await fought(arena, visitor, "battle.retry")

    assert endings == ["battle.failed", "battle.complete"]
    assert calls == {"Wren": 1, "Kite": 2}
    assert set(visitor.shown.values()) == {"Wren's answer.", "Kite's answer."}
    rows = await answers()
    assert Counter(row.text for row in rows) == {"": 1, "Wren's answer.": 1, "Kite's answer.": 1}
    assert [row.error_kind for row in rows if not row.text] == ["Rejected"]
    assert (await battle()).attempt == 2


async def test_a_battle_is_not_tried_for_ever(arena: str) -> None:
    async def never(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "no"}, status=400)

    visitor = Visitor()
    async with serving(never) as endpoint:
        await two_served(endpoint)
        endings = await fought(arena, visitor, *["battle.retry"] * 3)

    assert endings == ["battle.failed"] * 3 + ["battle.refused"]
    failed = [message for message in visitor.messages if message.get("type") == "battle.failed"]
    assert [message["can_retry"] for message in failed] == [True, True, False]
    assert "failed too often" in visitor.messages[-1]["message"]


async def test_complete_and_stopped_battles_cannot_be_retried(arena: str) -> None:
    visitor = Visitor()
    async with serving() as endpoint:
        await two_served(endpoint)
        assert await fought(arena, visitor, "battle.retry") == ["battle.complete", "battle.refused"]

    assert "nothing to retry" in visitor.messages[-1]["message"]
    assert (await battle()).state == State.COMPLETE


async def test_a_stopped_battle_closes_its_connections_and_keeps_what_was_shown(
    arena: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PACING", "native")
    torn = []

    async def endless(request: web.Request) -> web.StreamResponse:
        try:
            return await stream(request, [chunk("word ")] * 1000, pause=0.02)
        except ConnectionError:
            torn.append(True)
            raise
        finally:
            if request.transport is None or request.transport.is_closing():
                torn.append(True)

    visitor = Visitor()
    async with serving(endless) as endpoint:
        await two_served(endpoint)
        async with visitor.socket(arena) as socket:
            await visitor.begin(socket, prompt="Why?")
            await visitor.read_frames(socket, 3)
            await visitor.say(socket, "battle.stop")
            assert await visitor.read_to_end(socket) == "battle.stopped"

    assert len(torn) >= 2
    assert (await battle()).state == State.STOPPED
    rows = await answers()
    assert {row.side: row.text for row in rows} == visitor.shown
    assert {row.finish_reason for row in rows} == {"stopped"}


async def test_nobody_else_may_stop_or_retry(arena: str) -> None:
    visitor, stranger = Visitor(), Visitor()
    async with serving() as endpoint:
        await two_served(endpoint)
        await fought(arena, visitor)
        stranger.battle = visitor.battle
        async with stranger.socket(arena) as socket:
            for kind in ("battle.stop", "battle.retry"):
                await stranger.say(socket, kind)
                assert await stranger.read(socket) == "battle.refused"

    assert (await battle()).state == State.COMPLETE


async def test_reasoning_usage_and_claims_are_stored_and_do_not_cross(arena: str) -> None:
    usage = {"prompt_tokens": 11, "completion_tokens": 22}

    async def thinking(request: web.Request) -> web.StreamResponse:
        end = json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage})
        pieces = [
            chunk("<think>Who am "),
            chunk("I?</think>"),
            chunk("I am Wren, "),
            chunk("a bird."),
        ]
        return await stream(request, [*pieces, f"data: {end}\n\n".encode()])

    visitor = Visitor()
    async with serving(thinking) as endpoint:
        await two_served(endpoint)
        assert await fought(arena, visitor) == ["battle.complete"]

    assert visitor.shown == {"a": "I am Wren, a bird.", "b": "I am Wren, a bird."}
    for row in await answers():
        assert row.text == "I am Wren, a bird."
        assert row.reasoning == "Who am I?"
        assert (row.prompt_tokens, row.completion_tokens) == (11, 22)
        assert row.identity_claims == ["Wren"]
        assert row.first_token_seconds is not None


async def test_failures_in_a_row_pause_a_revision_and_say_so(
    arena: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "BREAKER_FAILURES", 2)

    async def half(request: web.Request) -> web.StreamResponse:
        if json.loads(await request.read())["model"] == "Kite":
            return web.json_response({"error": "no"}, status=400)
        return await stream(request, whole("Fine."))

    visitor = Visitor()
    async with serving(half) as endpoint:
        await two_served(endpoint)
        await fought(arena, visitor, "battle.retry")
        drawing_forget()
        # Only one of the two is left, so nobody meets.
        assert await fought(arena, Visitor()) == ["battle.refused"]

    paused = await database(lambda: list(Circuit.objects.exclude(paused_until=None)))()
    assert len(paused) == 1
    assert await AuditEntry.objects.filter(action="revision.pause").acount() == 1


async def test_pacing_is_the_operators_choice(arena: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PACING", "native")
    async with serving() as endpoint:
        await two_served(endpoint)
        await fought(arena, Visitor())

    assert (await battle()).pacing == "native"
