"""Voters for load.py: battle pages without a browser, which read what the battle socket sends.

A page here does what battle.js and channel.js do: one socket per battle, opened again after a
loss, attached at the last frame it has. Beside the texts it keeps when each frame came, by
time.perf_counter. The WebSocket is written out for what this server sends, so that what it takes of
the processors, which the server needs, is little and the same from one run to the next.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast
from uuid import uuid4

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
# How long a person looks at "interrupted" before they press Retry.
RETRY_WAIT = 1.0
OPENED_AGAIN = 30
CONNECT_SECONDS = 20.0

Message = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """Where the server is; `opened` is told of each socket's port as soon as it is one."""

    port: int
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
        start = {"type": "battle.start", "battle": str(uuid4()), "consent": True}
        await self.follow(site, {**start, "prompt": self.prompt})

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
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(
                    lambda: Connection(self, site, over), "127.0.0.1", site.port
                )
        except (OSError, TimeoutError) as error:
            self.lose(repr(error))
            return
        await over

    def lose(self, why: str) -> None:
        self.said = why
        self.lost += 1

    def is_leaving(self) -> bool:
        """Whether the connection is to be dropped here."""
        if not self.leaves or self.last < self.leaves[0]:
            return False
        del self.leaves[0]
        return True

    def greeting(self) -> Message:
        return self.asking or {
            "type": "battle.attach",
            "battle": self.battle,
            "attempt": self.attempt,
            "after": self.last,
        }

    # -- Messages ----------------------------------------------------------------------------

    def take(self, text: bytes, now: float) -> None:
        content = json.loads(text)
        match content.get("type"):
            case None:
                self.payload += len(text)
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


# -- The WebSocket ---------------------------------------------------------------------------

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
NORMAL = (1000).to_bytes(2, "big")


class Connection(asyncio.Protocol):
    """The client's end of one WebSocket whose messages come unfragmented and uncompressed."""

    def __init__(self, page: Page, site: Site, over: asyncio.Future[None]) -> None:
        self._page = page
        self._site = site
        self._over = over
        self._is_open = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        host = f"127.0.0.1:{self._site.port}"
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            (
                f"GET /ws/battle/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
                f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: {key}\r\nCookie: {self._page.cookie}\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        now = perf_counter()
        data = self._rest + data if self._rest else data
        if not self._is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            self._opened(head)
        self._rest = data[self._read(data, now) :]

    def _opened(self, head: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 101"):
            self._leave(f"the socket was refused: {head[:40]!r}")
            return
        self._is_open = True
        self._site.opened(self._page, self._transport.get_extra_info("sockname")[1])
        self._send(TEXT, json.dumps(self._page.greeting()).encode())

    def _read(self, data: bytes, now: float) -> int:
        """Take the whole frames in `data`; returns where the first that is not begins."""
        at = 0
        while len(data) - at >= 2 and not self._over.done():
            size, head = data[at + 1], 2
            if size >= 126:
                head = 4 if size == 126 else 10
                size = int.from_bytes(data[at + 2 : at + head], "big")
            if len(data) - at < head + size:
                break
            self._take(data[at], data[at + head : at + head + size], now)
            at += head + size
        return at

    def _take(self, first: int, payload: bytes, now: float) -> None:
        match first:
            case 0x81:
                self._page.take(payload, now)
                if self._page.ending:
                    self._send(CLOSE, NORMAL)
                    self._end()
                elif self._page.is_leaving():
                    self._leave("the page's own network")
            case 0x88:
                self._leave(f"closed with code {int.from_bytes(payload[:2], 'big')}")
            case 0x89:
                self._send(PONG, payload)
            case _:
                self._leave(f"a frame that nobody should send begins with {first:#x}")

    def _send(self, kind: int, payload: bytes) -> None:
        """One masked frame, as a client's must be; nothing here needs the mask to be secret."""
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._transport.write(bytes([0x80 | kind]) + length + bytes(4) + payload)

    def _leave(self, why: str) -> None:
        if not self._over.done():
            self._page.lose(why)
            self._end()
        self._transport.abort()

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._over.done():
            self._page.lose(f"the connection was lost: {error!r}")
            self._end()
