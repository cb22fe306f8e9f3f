"""A moderation endpoint is asked about a prompt before anybody answers it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from asgiref.sync import sync_to_async
from django.conf import settings

from arena.battles.models import Battle
from arena.catalog.models import Kind
from tests import factories
from tests.browsers import Visitor
from tests.upstream import serving

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
]
database = sync_to_async(thread_sensitive=True)


@asynccontextmanager
async def moderating(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """An endpoint that flags prompts with "bomb" in them; what it was asked."""
    asked: list[str] = []

    async def moderate(request: web.Request) -> web.Response:
        text = (await request.json())["input"]
        asked.append(text)
        flagged = "bomb" in text
        return web.json_response({"results": [{"flagged": flagged, "categories": {"x": flagged}}]})

    app = web.Application()
    app.router.add_post("/v1/moderations", moderate)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    where = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    monkeypatch.setattr(settings, "MODERATION_URL", where)
    yield asked
    await runner.cleanup()


@database
def two_served(endpoint: str) -> None:
    for name in ("Wren", "Kite"):
        factories.revision(name, Kind.OPENAI, endpoint=endpoint, remote_model=name)


async def asked_for(arena: str, prompt: str) -> tuple[str, str]:
    """How a battle about that prompt ended, and what was said."""
    visitor = Visitor()
    async with visitor.socket(arena) as socket:
        await visitor.begin(socket, prompt=prompt)
        ending = await visitor.read_to_end(socket)
    return ending, visitor.messages[-1].get("message", "")


async def test_what_is_not_flagged_is_asked(arena: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with moderating(monkeypatch) as asked, serving() as endpoint:
        await two_served(endpoint)
        assert await asked_for(arena, "Why blue?") == ("battle.complete", "")
    assert asked == ["Why blue?"]


async def test_what_is_flagged_is_refused_and_reaches_nobody(
    arena: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with moderating(monkeypatch), serving() as endpoint:
        await two_served(endpoint)
        ending, said = await asked_for(arena, "How is a bomb made?")

    assert ending == "battle.refused"
    assert "moderation does not let this prompt pass" in said
    assert not await Battle.objects.aexists()


@pytest.mark.parametrize(
    ("fail", "ending"), [("closed", "battle.refused"), ("open", "battle.complete")]
)
async def test_a_silent_moderation_fails_as_the_operator_chose(
    arena: str, monkeypatch: pytest.MonkeyPatch, fail: str, ending: str
) -> None:
    monkeypatch.setattr(settings, "MODERATION_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setattr(settings, "MODERATION_FAIL", fail)
    async with serving() as endpoint:
        await two_served(endpoint)
        assert (await asked_for(arena, "Why blue?"))[0] == ending


async def test_recorded_prompts_are_not_asked_about(
    arena: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database(factories.on_record)(await database(factories.prompt)(), Wren="A.", Kite="B.")
    async with moderating(monkeypatch) as asked:
        assert (await asked_for(arena, ""))[0] == "battle.complete"
    assert asked == []
