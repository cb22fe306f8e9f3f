"""The owner of a battle: it has both answers written and keeps the log that sockets read.

Generation runs in a task of the process, not in a socket's handler, so a reload or a lost
connection costs nothing: a socket reads the log from any frame on.
"""

import asyncio
import logging
import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError

from arena.battles import protocol, services
from arena.battles.models import Side
from arena.battles.pacing import Pacer, Received, pacer_for
from arena.battles.services import Failure, StartedTurn, WrittenAnswer
from arena.catalog.models import Kind
from arena.core.exceptions import Conflict
from arena.core.text import storable
from arena.providers.exceptions import ProviderError
from arena.providers.openai import OpenAIProvider
from arena.providers.protocol import Finish, Provider, Request
from arena.providers.reading import read
from arena.providers.recorded import RecordedProvider

log = logging.getLogger(__name__)

WORKER = secrets.token_hex(8)
SIDE_FAILED = (
    "One side stopped answering, so this battle cannot be voted on. Start a new battle; "
    "nothing was counted."
)
# How long a finished battle's log stays in memory for sockets that come back.
KEEP_SECONDS = 120.0

_live: dict[uuid.UUID, "LiveBattle"] = {}
_tasks: set[asyncio.Task[None]] = set()


class LiveBattle:
    """The frame log of one battle, growing until it has ended."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.ended = False
        self._news = asyncio.Event()

    @property
    def next_seq(self) -> int:
        return len(self.frames) + 1

    def append(self, message: dict[str, Any], *, last: bool = False) -> None:
        self.frames.append(message)
        self.ended = last
        # Each frame wakes all that wait now; whoever waits later waits for the next one.
        self._news.set()
        self._news = asyncio.Event()

    async def follow(self, after: int) -> AsyncIterator[dict[str, Any]]:
        """Frames with a number above `after`, then each new one until the battle has ended."""
        seen = after
        while True:
            for message in self.frames[seen:]:
                yield message
                seen += 1
            if self.ended and seen >= len(self.frames):
                return
            await self._news.wait()


@dataclass
class SideWriter:
    """One side being written, and what it has so far."""

    side: Side
    provider: Provider
    request: Request
    text: str = ""
    whole: bool = False

    async def write(self) -> WrittenAnswer:
        clock = asyncio.get_running_loop().time
        started = first = clock()
        async for event in read(self.provider, self.request):
            if isinstance(event, Finish):
                self.whole = True
                return self.written(event, first - started, clock() - started)
            if not self.text:
                first = clock()
            self.text += event.text
        raise AssertionError("read() ends with a Finish or raises")

    def written(self, finish: Finish, first_token: float, duration: float) -> WrittenAnswer:
        return WrittenAnswer(
            text=self.text,
            finish_reason=storable(finish.reason)[:40],
            first_token_seconds=first_token,
            duration_seconds=duration,
            prompt_tokens=finish.prompt_tokens,
            completion_tokens=finish.completion_tokens,
        )


def provider_for(kind: Kind) -> Provider:
    if kind == Kind.RECORDED:
        return RecordedProvider(settings.RECORDED_CHARACTERS_PER_SECOND)
    return OpenAIProvider()


def own(started: StartedTurn) -> None:
    """Take the battle on: its answers are written in a task of this process."""
    live = _live[started.battle.pk] = LiveBattle()
    task = asyncio.create_task(run(started, live))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def owned_battles() -> list[uuid.UUID]:
    """Battles whose log this process keeps."""
    return list(_live)


def live_battle(battle_id: uuid.UUID) -> LiveBattle | None:
    """The log of a battle that this process owns, while it is kept."""
    return _live.get(battle_id)


async def drain(seconds: float) -> None:
    """Let battles that are being written end, before the process does."""
    if _tasks:
        await asyncio.wait(_tasks, timeout=seconds)


async def run(started: StartedTurn, live: LiveBattle) -> None:
    try:
        await write_and_store(started, live)
    except Exception as error:
        # Whatever it was, whoever waits must be told; operators find it in log and row.
        log.exception("%s could not be finished", started.battle)
        kind = type(error).__name__
        await fail(started, live, [Failure(side, f"internal: {kind}"[:40], "") for side in Side])
    asyncio.get_running_loop().call_later(KEEP_SECONDS, _live.pop, started.battle.pk, None)


async def write_and_store(started: StartedTurn, live: LiveBattle) -> None:
    writers = [
        SideWriter(side, provider_for(kind), request)
        for side, (kind, request) in started.requests.items()
    ]
    answers, failures = await write_both(writers, live, pacer_for(started.battle.pacing))
    if failures:
        await fail(started, live, failures)
        return
    await database_sync_to_async(services.battle_complete)(
        battle=started.battle, turn=started.turn, answers=answers
    )
    live.append(protocol.complete(live.next_seq), last=True)


async def fail(started: StartedTurn, live: LiveBattle, failures: list[Failure]) -> None:
    """End the battle in its row, and tell whoever waits even where the row cannot be written."""
    try:
        await database_sync_to_async(services.battle_fail)(
            battle=started.battle, turn=started.turn, failures=failures
        )
    except (Conflict, DatabaseError):
        log.exception("%s could not be marked as failed", started.battle)
    live.append(protocol.failed(live.next_seq, SIDE_FAILED), last=True)


async def write_both(
    writers: list[SideWriter], live: LiveBattle, pacer: Pacer
) -> tuple[dict[Side, WrittenAnswer], list[Failure]]:
    """Both answers at once, one frame with both sides every 50 ms; the first failure ends both."""
    tasks = {asyncio.create_task(writer.write()): writer for writer in writers}
    try:
        while not (failures := failed_sides(tasks)):
            show(writers, live, pacer)
            if pacer.is_done(received(writers)):
                return {writer.side: await task for task, writer in tasks.items()}, []
            await asyncio.sleep(settings.FRAME_SECONDS)
        return {}, failures
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def failed_sides(tasks: dict[asyncio.Task[WrittenAnswer], SideWriter]) -> list[Failure]:
    """Sides whose provider failed. Any other exception is raised: it is a fault of ours."""
    failures = []
    for task, writer in tasks.items():
        error = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(error, ProviderError):
            failures.append(Failure(writer.side, error.kind, error.detail))
        elif error is not None:
            raise error
    return failures


def received(writers: list[SideWriter]) -> dict[Side, Received]:
    return {writer.side: Received(writer.text, writer.whole) for writer in writers}


def show(writers: list[SideWriter], live: LiveBattle, pacer: Pacer) -> None:
    """Append the frame that the pacer allows now, if it holds anything."""
    texts = pacer.advance(received(writers), asyncio.get_running_loop().time())
    if any(texts.values()):
        live.append(protocol.frame(live.next_seq, texts[Side.A], texts[Side.B]))
