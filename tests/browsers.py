"""What a battle's page does over its socket, without the page."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from django.conf import settings
from django.core import signing

from arena.voters.models import new_key
from arena.voters.selectors import COOKIE_SALT

ENDINGS = {
    "battle.complete",
    "battle.failed",
    "battle.stopped",
    "battle.refused",
    "battle.reload",
}


def start(**asked: object) -> dict[str, object]:
    """What a page sends to begin a battle; with what is asked, by the names of the protocol."""
    return {"type": "battle.start", "battle": str(uuid4()), "consent": True, **asked}


class Visitor:
    """One person's browser: a cookie, one socket at a time, and what it has shown so far."""

    def __init__(self) -> None:
        self.cookies = {settings.VOTER_COOKIE: signing.dumps(new_key(), salt=COOKIE_SALT)}
        self.battle: UUID | None = None
        self.attempt = 0
        self.seen = 0
        self.shown = {"a": "", "b": ""}
        self.messages: list[dict[str, Any]] = []

    @asynccontextmanager
    async def socket(self, address: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.ws_connect(
                f"{address.replace('http', 'ws', 1)}/ws/battle/",
                headers={"Origin": address, "Cookie": self.cookie_header()},
            ) as opened,
        ):
            yield opened

    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def begin(self, socket: aiohttp.ClientWebSocketResponse, **asked: object) -> None:
        await socket.send_json(start(**asked))

    async def ask_on(self, socket: aiohttp.ClientWebSocketResponse, turn: int, prompt: str) -> None:
        message = {"type": "battle.continue", "battle": str(self.battle), "turn": turn}
        await socket.send_json({**message, "prompt": prompt})

    async def attach(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json(
            {
                "type": "battle.attach",
                "battle": str(self.battle),
                "attempt": self.attempt,
                "after": self.seen,
            }
        )

    async def say(self, socket: aiohttp.ClientWebSocketResponse, kind: str) -> None:
        await socket.send_json({"type": kind, "battle": str(self.battle)})

    async def read(self, socket: aiohttp.ClientWebSocketResponse, patience: float = 20) -> str:
        """Take in one message; returns its type, empty for a frame."""
        message = json.loads(await socket.receive_str(timeout=patience))
        self.messages.append(message)
        kind: str = message.get("type", "")
        if kind == "battle.started":
            self.battle, self.attempt, self.seen = UUID(message["battle"]), message["attempt"], 0
            self.shown = {"a": "", "b": ""}
        elif not kind:
            assert message["seq"] > self.seen
            self.seen = message["seq"]
            for side in "ab":
                self.shown[side] += message[side]
        return kind

    async def read_frames(self, socket: aiohttp.ClientWebSocketResponse, count: int) -> None:
        while self.seen < count:
            assert await self.read(socket) not in ENDINGS

    async def read_to_end(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Type of the message that ends the attempt."""
        while (kind := await self.read(socket)) not in ENDINGS:
            continue
        return kind
