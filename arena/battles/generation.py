"""The owner of a battle: it has both answers written and keeps the log that sockets read.

Generation runs in a task of the process, not in a socket's handler, so a reload or a lost
connection costs nothing: a socket reads the log from any frame on.
"""

import asyncio
import logging
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from arena.battles import protocol, services
from arena.battles.exceptions import Restarting
from arena.battles.frames import FrameLog
from arena.battles.models import Battle, Side, Turn
from arena.battles.pacing import Pacer, Received, pacer_for
from arena.battles.services import Failure, WrittenAnswer
from arena.battles.starting import StartedTurn, may_try_again
from arena.core.beat import beat
from arena.core.exceptions import Conflict
from arena.core.text import storable
from arena.core.threads import in_thread
from arena.providers.exceptions import ProviderError
from arena.providers.kinds import provider_for
from arena.providers.protocol import Draft, Finish, Request
from arena.providers.reading import read

log = logging.getLogger(__name__)

WORKER = secrets.token_hex(8)
# How long the log of a battle that has ended stays in memory for sockets that come back.
KEEP_SECONDS = 120.0
NOTHING: Mapping[Side, str] = dict.fromkeys(Side, "")

_owned: dict[uuid.UUID, "Generation"] = {}
_tasks: set[asyncio.Task[None]] = set()
_accepting = True


class SideWriter:
    """One side of a battle: what was asked, what has arrived, and how it ended."""

    def __init__(self, side: Side, kind: str, request: Request) -> None:
        self.side = side
        self.kind = kind
        self.request = request
        self.draft = Draft()
        self.finish: Finish | None = None
        self.is_stored = False
        self.task: asyncio.Task[None] | None = None
        self._began = self._ended = 0.0

    @classmethod
    def kept(cls, side: Side, text: str) -> "SideWriter":
        """A side that was whole and stored before this attempt."""
        writer = cls(side, "", Request(messages=(), limits=services.limits()))
        writer.draft.add(text)
        writer.finish = Finish("kept")
        writer.is_stored = True
        return writer

    def start(self) -> None:
        """Begin, unless it is whole or being written already."""
        if self.finish is None and self.task is None:
            self.task = asyncio.create_task(self._write())

    async def _write(self) -> None:
        clock = asyncio.get_running_loop().time
        self._began = clock()
        provider = provider_for(self.kind, recorded_speed=settings.RECORDED_CHARACTERS_PER_SECOND)
        self.finish = await read(provider, self.request, self.draft)
        self._ended = clock()

    @property
    def received(self) -> Received:
        return Received(self.draft.text, self.finish is not None)

    @property
    def is_writing(self) -> bool:
        return self.task is not None and not self.task.done()

    def failure(self) -> Failure | None:
        """Why there will be no answer. Raises what is a fault of ours and no provider's."""
        if self.task is None or not self.task.done() or self.task.cancelled():
            return None
        error = self.task.exception()
        if error is None:
            return None
        if isinstance(error, ProviderError):
            return Failure(self.side, error.kind, error.detail, error.is_fault_of_endpoint)
        raise error

    def written(self) -> WrittenAnswer:
        """The whole answer."""
        assert self.finish is not None
        return WrittenAnswer(
            text=self.draft.text,
            finish_reason=storable(self.finish.reason)[:40],
            duration_seconds=self._ended - self._began,
            prompt_tokens=self.finish.prompt_tokens,
            completion_tokens=self.finish.completion_tokens,
            reasoning_tokens=self.finish.reasoning_tokens,
            **self._so_far(),
        )

    def stopped(self, text: str) -> WrittenAnswer:
        """What its voter saw of it when they stopped it."""
        return WrittenAnswer(text=text, finish_reason="stopped", **self._so_far())

    def _so_far(self) -> dict[str, Any]:
        first = self.draft.first_at
        return {
            "reasoning": "".join(self.draft.reasoning),
            "first_token_seconds": None if first is None else first - self._began,
            "requests": max(1, self.draft.requests),
        }


class Generation:
    """One attempt at a battle that this process owns."""

    def __init__(self, started: StartedTurn, writers: Mapping[Side, SideWriter]) -> None:
        self.battle: Battle = started.battle
        self.turn: Turn = started.turn
        self.images = started.images
        self.writers = dict(writers)
        self.log = FrameLog(started.battle.attempt)
        self.is_stopping = False
        self.task: asyncio.Task[None] | None = None

    def started(self) -> protocol.Outgoing:
        return protocol.started(
            self.battle.pk, self.log.attempt, self.turn.number, self.turn.prompt, self.images
        )

    async def run(self) -> None:
        try:
            await self.write()
        except Exception as error:
            # Whatever it was, whoever waits must be told; operators find it in log and row.
            log.exception("%s could not be finished", self.battle)
            kind = f"internal: {type(error).__name__}"[:40]
            await self.fail([Failure(side, kind, "", False) for side in Side])
        finally:
            await self.cancel_writers()

    async def write(self) -> None:
        for writer in self.writers.values():
            writer.start()
        pacer = pacer_for(self.battle.pacing)
        failures = await self.show_all(pacer)
        if failures:
            await self.fail(failures, pacer.rest(self.received()))
            await self.keep_the_others()
        elif self.is_stopping:
            await self.stop()
        else:
            await self.complete()

    async def show_all(self, pacer: Pacer) -> list[Failure]:
        """A frame with both sides every 50 ms, until all is shown, one fails, or it is stopped."""
        while not (failures := self.failures()):
            received = self.received()
            self.show(pacer.advance(received, asyncio.get_running_loop().time()))
            if self.is_stopping or pacer.is_done(received):
                break
            await beat().showing()
        return failures

    def received(self) -> dict[Side, Received]:
        return {side: writer.received for side, writer in self.writers.items()}

    def show(self, texts: Mapping[Side, str]) -> None:
        if texts[Side.A] or texts[Side.B]:
            self.log.append(texts[Side.A], texts[Side.B])

    def failures(self) -> list[Failure]:
        found = (writer.failure() for writer in self.writers.values())
        return [failure for failure in found if failure is not None]

    async def complete(self) -> None:
        await self.store(
            services.battle_complete,
            answers={
                side: writer.written()
                for side, writer in self.writers.items()
                if not writer.is_stored
            },
            ending=protocol.complete(),
        )

    async def stop(self) -> None:
        await self.cancel_writers()
        await self.store(
            services.battle_stop,
            answers={
                side: writer.stopped(self.log.text(side)) for side, writer in self.writers.items()
            },
            ending=protocol.stopped(),
        )

    async def fail(self, failures: list[Failure], rest: Mapping[Side, str] = NOTHING) -> None:
        """End the attempt in its row, and tell whoever waits even where it cannot be written.

        rest: what had arrived and was not shown; it is once the attempt has failed.
        """
        await self.store(
            services.battle_fail,
            failures=failures,
            rest=rest,
            ending=protocol.failed(can_retry=may_try_again(self.battle, self.turn)),
        )

    async def store(
        self,
        service: Callable[..., None],
        *,
        ending: protocol.Outgoing,
        rest: Mapping[Side, str] = NOTHING,
        **what: Any,
    ) -> None:
        """End the attempt with a service; where it is no longer ours, its row says what it is."""
        try:
            await in_thread(service)(battle=self.battle, turn=self.turn, **what)
        except Conflict:
            log.warning("%s was taken from this process", self.battle)
            ending = protocol.reload()
        except DatabaseError:
            if service is not services.battle_fail:
                raise
            log.exception("%s could not be marked as failed", self.battle)
        else:
            self.show(rest)
        self.log.end(ending)

    async def keep_the_others(self) -> None:
        """Let a side go on that did not fail, unseen, so that a retry need not ask it again."""
        for writer in self.writers.values():
            if writer.task is not None:
                # Unlike awaiting it, this leaves the task alone when a retry takes it over.
                await asyncio.wait([writer.task])
            if writer.finish is not None and not writer.is_stored:
                await self.keep(writer)

    async def keep(self, writer: SideWriter) -> None:
        try:
            await in_thread(services.answer_keep)(
                battle=self.battle, turn=self.turn, side=writer.side, answer=writer.written()
            )
        except Conflict:
            return  # a retry has taken it over
        writer.is_stored = True

    def hand_over(self) -> dict[Side, SideWriter]:
        """The sides that did not fail, for the next attempt; this one lets go of them."""
        kept = {
            side: writer
            for side, writer in self.writers.items()
            if writer.finish is not None or writer.is_writing
        }
        self.writers = {}
        return kept

    async def cancel_writers(self) -> None:
        """Close the connections of sides that are still being written."""
        tasks = [writer.task for writer in self.writers.values() if writer.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# -- What this process owns ------------------------------------------------------------------


def own(started: StartedTurn) -> Generation:
    """Take the battle on: its answers are written in a task of this process."""
    before = _owned.get(started.battle.pk)
    writers = {
        side: SideWriter(side, kind, request) for side, (kind, request) in started.requests.items()
    }
    writers |= {side: SideWriter.kept(side, text) for side, text in started.kept.items()}
    if before is not None and before.turn.pk == started.turn.pk:
        writers |= before.hand_over()
    generation = _owned[started.battle.pk] = Generation(started, writers)
    generation.task = asyncio.create_task(generation.run())
    _tasks.add(generation.task)
    generation.task.add_done_callback(lambda task: _ended(task, generation))
    return generation


def _ended(task: asyncio.Task[None], generation: Generation) -> None:
    _tasks.discard(task)
    task.get_loop().call_later(KEEP_SECONDS, _forget, generation)


def _forget(generation: Generation) -> None:
    if _owned.get(generation.battle.pk) is generation:
        del _owned[generation.battle.pk]


def owned_battles() -> list[uuid.UUID]:
    """Battles whose log this process keeps."""
    return list(_owned)


def owned(battle_id: uuid.UUID) -> Generation | None:
    """The battle as this process has it, while its log is kept."""
    return _owned.get(battle_id)


def stop(battle_id: uuid.UUID) -> None:
    """Have a battle that is being written here stop with the next frame."""
    if (generation := _owned.get(battle_id)) is not None:
        generation.is_stopping = True


def accept_battles(accepting: bool) -> None:
    """Whether this process takes new battles on; not once it has been told to end."""
    global _accepting
    _accepting = accepting


def refuse_while_restarting() -> None:
    """Raises Restarting where this process takes no new battles on."""
    if not _accepting:
        raise Restarting


async def drain(seconds: float) -> None:
    """Let battles that are being written end, before the process does."""
    if _tasks:
        await asyncio.wait(_tasks, timeout=seconds)
