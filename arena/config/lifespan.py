"""Beside serving a web process renews its lease; where it is alone it does all other chores."""

import asyncio
import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

from django.conf import settings

from arena.battles import following, generation, relay
from arena.battles.services import battles_interrupt_orphans, worker_end, worker_renew
from arena.chats import writing
from arena.chats.services import turns_interrupt_orphans
from arena.core.jobs import jobs_run
from arena.core.threads import in_thread
from arena.integrity.erasure import purge
from arena.integrity.judging import unsealed_judge
from arena.leaderboard.heads import heads_hand_on
from arena.leaderboard.services import Refitter
from arena.providers import http

log = logging.getLogger(__name__)

# A lease is over 6 s after it was last renewed, and looked at this often, so battles of a
# process that was killed read `interrupted` after 7 s.
RENEW_SECONDS = 1.0
HEADS_SECONDS = 60.0
JUDGE_SECONDS = 10.0
PURGE_SECONDS = 24 * 3600.0
DRAIN_SECONDS = 20.0
# While the event loop is busy a thread that has heard from the database waits this long to go on,
# after each statement; by default it is 5 ms.
SWITCH_SECONDS = 0.0005
# Tokens make dictionaries by the thousand that end by themselves.
COLLECT_AFTER = 20_000
ENDING = (signal.SIGTERM, signal.SIGINT)


class Lifespan:
    """Starts the chores when the server starts, and lets battles end before it stops."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        generation.accept_battles(True)
        if is_own_process():
            settle()
        ending = threading.Event()
        chores = [asyncio.create_task(chore) for chore in chores_of(ending)]
        with draining_first():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        ending.set()
        await drain()
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await http.close()
        await in_thread(worker_end)(worker=generation.WORKER)
        await send({"type": "lifespan.shutdown.complete"})


def is_own_process() -> bool:
    """Whether the process is there for the server: tests run one in a thread of theirs."""
    return threading.current_thread() is threading.main_thread()


def settle() -> None:
    """Set the interpreter up for many small events beside some work in threads."""
    sys.setswitchinterval(SWITCH_SECONDS)
    # What was imported stays for good: no collection need look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


def chores_of(ending: threading.Event) -> Iterator[Coroutine[Any, Any, None]]:
    yield repeat(renew_lease, RENEW_SECONDS)
    yield repeat(writing.heed_wishes, RENEW_SECONDS)
    yield relay.listen(following.answer)
    if settings.REFIT_SECONDS:
        yield repeat(Refitter(), settings.REFIT_SECONDS)
        yield repeat(heads_hand_on, HEADS_SECONDS)
        yield repeat(purge, PURGE_SECONDS)
        if settings.JUDGE_URL:
            yield repeat(unsealed_judge, JUDGE_SECONDS)
    if settings.JOBS_SECONDS:
        yield repeat(partial(jobs_run, ending), settings.JOBS_SECONDS)


async def drain() -> None:
    """Let battles and chats that are being written end, side by side."""
    await asyncio.gather(generation.drain(DRAIN_SECONDS), writing.drain(DRAIN_SECONDS))


@contextmanager
def draining_first() -> Iterator[None]:
    """Have the signal that ends the server wait until no answer is being written.

    By itself the server would close all sockets at once, and only then tell the application.
    A second signal ends it at once.
    """
    if not is_own_process():
        yield
        return
    loop = asyncio.get_running_loop()
    servers: dict[int, Any] = {number: signal.getsignal(number) for number in ENDING}
    drains: list[asyncio.Task[None]] = []

    def end(number: int) -> None:
        handler = servers[number]
        if callable(handler):
            handler(number, None)

    async def drain_and_end(number: int) -> None:
        await drain()
        end(number)

    def begin(number: int) -> None:
        if drains:
            end(number)
        else:
            log.info("ending: no new battles, those under way have %g s", DRAIN_SECONDS)
            generation.accept_battles(False)
            drains.append(loop.create_task(drain_and_end(number)))

    def caught(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin, number)

    for number in ENDING:
        signal.signal(number, caught)
    try:
        yield
    finally:
        for ending, handler in servers.items():
            signal.signal(ending, handler)


def renew_lease() -> None:
    worker_renew(worker=generation.WORKER)
    battles = generation.owned_battles()
    if orphans := battles_interrupt_orphans(worker=generation.WORKER, writing=battles):
        log.warning("%d battles were left unfinished by a process that ended", orphans)
    turns = writing.owned_turns()
    if orphans := turns_interrupt_orphans(worker=generation.WORKER, writing=turns):
        log.warning("%d turns of chats were left unfinished by a process that ended", orphans)


async def repeat(chore: Callable[[], object], seconds: float) -> None:
    """Run a chore again and again; one failure is logged and does not end the repeating."""
    while True:
        try:
            await in_thread(chore)()
        except Exception:
            log.exception("%s failed; it goes on", chore)
        await asyncio.sleep(seconds)
