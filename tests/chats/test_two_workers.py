"""Two web processes on PostgreSQL and Redis: an answer is followed and stopped from the other."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import signing
from django.db import connection, connections

from arena.chats.models import ChatAnswer, ChatTurn, State
from arena.voters.models import new_key
from arena.voters.selectors import COOKIE_SALT
from tests.chats.conftest import ENDINGS, database, served, served_slug, text_of
from tests.conftest import missing
from tests.processes import Arena, arenas
from tests.upstream import serving, stream, whole

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = [f"word{number} " for number in range(40)]
TEXT = "".join(WORDS)
Socket = aiohttp.ClientWebSocketResponse


@pytest.fixture(autouse=True)
async def shared(transactional_db: None) -> AsyncIterator[None]:
    """Several processes need a database and a channel layer that they share."""
    if connection.vendor != "postgresql" or not settings.REDIS_URL:
        missing("services", "DATABASE_URL and REDIS_URL name no PostgreSQL and Redis")
    yield
    await sync_to_async(connections.close_all, thread_sensitive=True)()


async def slow(request: web.Request) -> web.StreamResponse:
    """40 words in about 4 s."""
    return await stream(request, whole(*WORDS), pause=0.1)


class Visitor:
    def __init__(self) -> None:
        self.cookie = f"{settings.VOTER_COOKIE}={signing.dumps(new_key(), salt=COOKIE_SALT)}"
        self.chat = str(uuid4())

    @asynccontextmanager
    async def socket(self, arena: Arena) -> AsyncIterator[Socket]:
        address = f"{arena.address.replace('http', 'ws', 1)}/ws/chat/"
        headers = {"Origin": arena.address, "Cookie": self.cookie}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.ws_connect(address, headers=headers) as opened,
        ):
            yield opened

    async def send(self, socket: Socket, kind: str, **fields: Any) -> None:
        await socket.send_json({"type": f"chat.{kind}", "chat": self.chat, **fields})

    async def start(self, socket: Socket) -> None:
        slug = await database(served_slug)()
        await self.send(socket, "start", contestant=slug, prompt="Why?", consent=True)


async def receive(socket: Socket) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.receive_str(timeout=20))
    return message


async def until_end(socket: Socket) -> list[dict[str, Any]]:
    messages = [await receive(socket)]
    while messages[-1].get("type") not in ENDINGS:
        messages.append(await receive(socket))
    return messages


async def test_the_other_process_says_so_and_shows_the_answer_in_the_end() -> None:
    visitor = Visitor()
    async with serving(slow) as endpoint:
        await served(endpoint)
        with arenas(2) as (here, there):
            async with visitor.socket(here) as own, visitor.socket(there) as other:
                await visitor.start(own)
                await receive(own)
                await visitor.send(other, "attach")
                elsewhere = await until_end(other)
                await until_end(own)

    assert [message.get("type") for message in elsewhere] == [
        "chat.elsewhere",
        "chat.started",
        None,
        "chat.complete",
    ]
    assert text_of(elsewhere) == TEXT


async def test_a_stop_reaches_the_owner_from_the_other_process() -> None:
    visitor = Visitor()
    async with serving(slow) as endpoint:
        await served(endpoint)
        with arenas(2) as (here, there):
            async with visitor.socket(here) as own, visitor.socket(there) as other:
                await visitor.start(own)
                await receive(own)
                await visitor.send(other, "stop")
                messages = await until_end(own)

    answer = await database(ChatAnswer.objects.get)()
    assert messages[-1]["type"] == "chat.stopped"
    assert answer.text == text_of(messages)
    assert len(answer.text) < len(TEXT)


async def test_what_a_killed_process_was_writing_is_retried_in_the_other() -> None:
    visitor = Visitor()
    async with serving(slow) as endpoint:
        await served(endpoint)
        with arenas(2) as (here, there):
            async with visitor.socket(here) as own:
                await visitor.start(own)
                await receive(own)
                here.kill()
            async with visitor.socket(there) as other:
                await visitor.send(other, "attach")
                given_up = (await until_end(other))[-1]
                await visitor.send(other, "retry")
                messages = await until_end(other)

    assert given_up == {"type": "chat.interrupted", "can_retry": True}
    assert text_of(messages) == TEXT
    turn = await database(ChatTurn.objects.get)()
    assert (turn.state, turn.attempt) == (State.COMPLETE, 2)
