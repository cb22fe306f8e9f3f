"""The owner of a turn: it has the answer written in a task of this process.

The task outlives sockets, so a reload costs nothing: whoever follows looks at the draft as it
is. Once it has ended its row tells all there is to know, so nothing is kept here.
"""

import asyncio
import logging

from django.db import DatabaseError

from arena.battles.generation import SideWriter
from arena.battles.models import Side
from arena.battles.services import Failure
from arena.chats import selectors, services
from arena.chats.models import ChatTurn
from arena.chats.services import StartedTurn
from arena.core.beat import beat
from arena.core.exceptions import Conflict
from arena.core.threads import in_thread

log = logging.getLogger(__name__)

# How long after an answer's end its pages may take to be told.
TELLING_SECONDS = 2.0

_owned: dict[int, "Writing"] = {}
_telling: set[asyncio.Task[None]] = set()


class Writing:
    """One attempt at a turn. `is_over` once its row says how it ended."""

    def __init__(self, started: StartedTurn) -> None:
        self.turn = started.turn
        # A chat has one side.
        self.writer = SideWriter(Side.A, started.kind, started.request)
        self.is_stopping = False
        self.is_over = False
        self.task = asyncio.create_task(self.run())

    @property
    def text(self) -> str:
        return self.writer.draft.text

    async def run(self) -> None:
        try:
            await self.write()
        except Conflict:
            log.warning("%s was stopped, erased or taken from this process", self.turn)
        except Exception as error:
            # Whatever it was, whoever waits must be told; operators find it in log and row.
            log.exception("%s could not be finished", self.turn)
            await self.fail_for(error)
        finally:
            self.is_over = True
            await self.cancel_writer()

    async def write(self) -> None:
        self.writer.start()
        while self.writer.is_writing and not self.is_stopping:
            await beat().showing()
        if (failure := self.writer.failure()) is not None:
            await self.fail(failure)
        elif self.writer.finish is not None:
            await in_thread(services.turn_complete)(turn=self.turn, answer=self.writer.written())
        else:
            await self.cancel_writer()
            answer = self.writer.stopped(self.text)
            await in_thread(services.turn_stopped)(turn=self.turn, answer=answer)

    async def fail(self, failure: Failure) -> None:
        await in_thread(services.turn_fail)(turn=self.turn, failure=failure, text=self.text)

    async def fail_for(self, error: Exception) -> None:
        failure = Failure(Side.A, f"internal: {type(error).__name__}"[:40], "", False)
        try:
            await self.fail(failure)
        except (Conflict, DatabaseError):
            # Its row will be interrupted in some seconds, as nobody is writing it any more.
            log.exception("%s could not be marked as failed", self.turn)

    async def cancel_writer(self) -> None:
        """Close the connection of an answer that is still being written."""
        if self.writer.task is not None:
            self.writer.task.cancel()
            await asyncio.gather(self.writer.task, return_exceptions=True)


# -- What this process owns ------------------------------------------------------------------


def own(started: StartedTurn) -> None:
    """Take the turn on: its answer is written in a task of this process."""
    writing = _owned[started.turn.pk] = Writing(started)
    writing.task.add_done_callback(lambda task: _forget(writing))


def _forget(writing: Writing) -> None:
    if _owned.get(writing.turn.pk) is writing:
        del _owned[writing.turn.pk]


def owned(turn: ChatTurn) -> Writing | None:
    """The turn's present attempt, if this process is writing it."""
    writing = _owned.get(turn.pk)
    return writing if writing and writing.turn.attempt == turn.attempt else None


def owned_turns() -> list[int]:
    """Ids of the turns that this process is writing."""
    return list(_owned)


def stop(turn: ChatTurn) -> None:
    """Have a turn that is being written here stop with the next frame."""
    if (writing := owned(turn)) is not None:
        writing.is_stopping = True


def tell_before_ending(follower: asyncio.Task[None]) -> None:
    """Let the task that tells a page of an answer written here end before the process does."""
    _telling.add(follower)
    follower.add_done_callback(_telling.discard)


def heed_wishes() -> None:
    """Stop what was stopped or erased in another process; blocks for one query."""
    writings = dict(_owned)
    if writings:
        for pk in selectors.turns_unwanted(writings):
            writings[pk].is_stopping = True


async def drain(seconds: float) -> None:
    """Let answers that are being written end, and pages be told of it, before the process ends."""
    await wait_for([writing.task for writing in _owned.values()], seconds)
    await wait_for(list(_telling), TELLING_SECONDS)


async def wait_for(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
