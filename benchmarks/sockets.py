"""Voters for load.py: battle pages without a browser, which read what the battle socket sends.

A page here does what battle.js and channel.js do: one socket per battle, opened again after a
loss, attached at the last frame it has. Beside the texts it keeps when each frame came, by
time.perf_counter.
"""

from __future__ import annotations

import asyncio
import json
import random
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import aiohttp

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
# How long a person looks at "interrupted" before they press Retry.
RETRY_WAIT = 1.0
OPENED_AGAIN = 30

Message = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """Where the server is, and the client that asks it; `opened` is told of each socket's port."""

    address: str
    session: aiohttp.ClientSession
    opened: Callable[[Page, int], None] = lambda page, port: None


class Column:
    """One side as it was shown."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.ends = array("q")
        self.arrived = array("d")
        self._length = 0

    def append(self, text: str, now: float) -> None:
        self._length += len(text)
        self.pieces.append(text)
        self.ends.append(self._length)
        self.arrived.append(now)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(eq=False)
class Page:
    """One battle of one voter, from its prompt to its end.

    leaves: numbers of frames after which the connection is dropped, as a phone does.
    """

    cookie: str
    prompt: str
    leaves: list[int] = field(default_factory=list)
    battle: str = ""
    attempt: int = 0
    last: int = 0
    ending: str = ""
    said: str = ""
    a: Column = field(default_factory=Column)
    b: Column = field(default_factory=Column)
    frames: array[float] = field(default_factory=lambda: array("d"))
    payload: int = 0
    repeated: int = 0
    sockets: int = 0
    lost: int = 0
    asked_at: float = 0.0
    begun_at: float = 0.0
    ended_at: float = 0.0
    asking: Message | None = None

    # -- Connections -------------------------------------------------------------------------

    async def start(self, site: Site) -> None:
        """Have the battle begin, and follow it to its end."""
        self.asked_at = perf_counter()
        await self.follow(site, {"type": "battle.start", "prompt": self.prompt})

    async def retry(self, site: Site) -> None:
        """Have it tried again, as the button of a page that was loaded anew does."""
        await asyncio.sleep(RETRY_WAIT)
        await self.follow(site, {"type": "battle.retry", "battle": self.battle})

    async def follow(self, site: Site, asking: Message) -> None:
        """Read on through as many connections as it takes, until a message ends it."""
        self.asking, self.ending, failures = asking, "", 0
        while not self.ending:
            before = self.lost, len(self.frames)
            await self._connected(site)
            if self.ending:
                return
            if not self.battle or self.sockets > OPENED_AGAIN:
                self.ending = "unreachable"
                return
            failures = 0 if len(self.frames) > before[1] else failures + 1
            wait = min(FIRST_WAIT * 2 ** max(failures - 1, 0), LONGEST_WAIT)
            await asyncio.sleep(wait * random.uniform(0.75, 1.25))

    async def _connected(self, site: Site) -> None:
        """One connection, until the battle or the connection ends."""
        self.sockets += 1
        headers = {"Origin": site.address, "Cookie": self.cookie}
        url = f"{site.address}/ws/battle/"
        try:
            async with site.session.ws_connect(url, headers=headers, max_msg_size=0) as socket:
                site.opened(self, socket.get_extra_info("sockname")[1])
                await socket.send_str(json.dumps(self.greeting()))
                await self._read(socket)
        except (aiohttp.ClientError, OSError) as error:
            self.said = repr(error)
            self.lost += 1

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            self.take(message.data, perf_counter())
            if self.ending:
                return
            if self.leaves and self.last >= self.leaves[0]:
                del self.leaves[0]
                return
        self.lost += 1

    def greeting(self) -> Message:
        return self.asking or {
            "type": "battle.attach",
            "battle": self.battle,
            "attempt": self.attempt,
            "after": self.last,
        }

    # -- Messages ----------------------------------------------------------------------------

    def take(self, text: str, now: float) -> None:
        content = json.loads(text)
        match content.get("type"):
            case None:
                self.payload += len(text) if text.isascii() else len(text.encode())
                self.frame(content, now)
            case "battle.started":
                self.started(content, now)
            case ending:
                self.ending, self.ended_at = ending, now
                self.said = content.get("message", "")

    def started(self, content: Message, now: float) -> None:
        """An attempt begins, or is shown from its start: both columns are empty."""
        self.asking = None
        self.battle, self.attempt, self.last = content["battle"], content["attempt"], 0
        self.begun_at = now
        self.a, self.b, self.frames = Column(), Column(), array("d")

    def frame(self, content: Message, now: float) -> None:
        # Attaching again may repeat what is already shown.
        if content["seq"] <= self.last:
            self.repeated += 1
            return
        self.last = content["seq"]
        self.frames.append(now)
        if content["a"]:
            self.a.append(content["a"], now)
        if content["b"]:
            self.b.append(content["b"], now)


async def until_complete(page: Page, site: Site, look: Callable[[str], Awaitable[str]]) -> None:
    """Start the battle, and press Retry as long as its row, which `look` reads, says that it may.

    A page that is told to reload shows what the row says.
    """
    await page.start(site)
    while page.ending in {"battle.reload", "battle.failed"}:
        state = await look(page.battle)
        if state not in {"interrupted", "failed"}:
            page.ending = f"row: {state}"
            return
        await page.retry(site)


def many_sockets() -> aiohttp.ClientSession:
    """A client without limits of its own: what the server does under load is the question."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=20),
    )
