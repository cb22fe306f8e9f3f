"""Chats over the application's own socket, and contestants that can be asked."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.core import signing
from django.db import connections

from arena.catalog.models import Kind, Revision
from arena.chats import writing
from arena.providers import http
from arena.voters.models import Voter, new_key
from arena.voters.selectors import COOKIE_SALT
from tests import factories

database = sync_to_async(thread_sensitive=True)
ENDINGS = {f"chat.{how}" for how in ("complete", "failed", "stopped", "interrupted", "refused")}


class Communicator(WebsocketCommunicator):
    """Channels' own keeps connections open, for tests that are one transaction."""

    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output


class Visitor:
    """One person's browser: a cookie, a chat, and an open socket."""

    def __init__(self, communicator: WebsocketCommunicator, key: str) -> None:
        self.communicator = communicator
        self.key = key
        self.chat: UUID = uuid4()

    async def send(self, kind: str, **fields: Any) -> None:
        message = {"type": f"chat.{kind}", "chat": str(self.chat), **fields}
        await self.communicator.send_json_to(message)

    async def start(self, prompt: str = "Why blue?", contestant: str = "", **fields: Any) -> None:
        slug = contestant or await database(served_slug)()
        await self.send("start", contestant=slug, prompt=prompt, consent=True, **fields)

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.communicator.receive_from(timeout=8))
        return message

    async def until_end(self) -> list[dict[str, Any]]:
        """Every message up to the one that ends the answer."""
        messages = [await self.receive()]
        while messages[-1].get("type") not in ENDINGS:
            messages.append(await self.receive())
        return messages


def served_slug() -> str:
    return Revision.objects.select_related("contestant").latest("id").contestant.slug


@pytest.fixture
async def visitors(
    transactional_db: None,
) -> AsyncIterator[Callable[..., Any]]:
    """Opens sockets: `async with visitors() as visitor`, or of the same person with `key`."""

    @asynccontextmanager
    async def opened(
        key: str | None = None, origin: bytes = b"http://localhost"
    ) -> AsyncIterator[Visitor]:
        from arena.config.asgi import application

        key = new_key() if key is None else key
        headers = [(b"host", b"localhost"), (b"origin", origin)]
        if key:
            cookie = f"{settings.VOTER_COOKIE}={signing.dumps(key, salt=COOKIE_SALT)}"
            headers.append((b"cookie", cookie.encode()))
        communicator = Communicator(application, "/ws/chat/", headers)
        connected, _ = await communicator.connect()
        assert connected
        try:
            yield Visitor(communicator, key)
        finally:
            await communicator.disconnect()
            # An answer left half-way would keep its connection to the test's database.
            await writing.drain(10)

    yield opened
    await http.close()
    await sync_to_async(connections.close_all, thread_sensitive=True)()


@database
def served(endpoint: str, name: str = "Wren") -> Revision:
    """A contestant that visitors can ask, at this address."""
    return factories.revision(name, Kind.OPENAI, endpoint=endpoint, remote_model="linnet-3")


def text_of(messages: list[dict[str, Any]]) -> str:
    return "".join(message.get("text", "") for message in messages)


def voter(key: str) -> Voter:
    return Voter.objects.get(key=key)
