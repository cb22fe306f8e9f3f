"""Beside serving a web process renews its lease; where it is alone it refits, purges, runs jobs."""

import asyncio
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings

from arena.battles import generation
from arena.battles.services import battles_interrupt_orphans, worker_end, worker_renew
from arena.core.jobs import jobs_run
from arena.integrity.erasure import purge
from arena.leaderboard.heads import heads_hand_on
from arena.leaderboard.services import Refitter

log = logging.getLogger(__name__)

RENEW_SECONDS = 2.0
HEADS_SECONDS = 60.0
PURGE_SECONDS = 24 * 3600.0
DRAIN_SECONDS = 20.0


class Lifespan:
    """Starts the chores when the server starts, and lets battles end before it stops."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        ending = threading.Event()
        chores = [asyncio.create_task(repeat(renew_lease, RENEW_SECONDS))]
        if settings.REFIT_SECONDS:
            chores.append(asyncio.create_task(repeat(Refitter(), settings.REFIT_SECONDS)))
            chores.append(asyncio.create_task(repeat(heads_hand_on, HEADS_SECONDS)))
            chores.append(asyncio.create_task(repeat(purge, PURGE_SECONDS)))
        if settings.JOBS_SECONDS:
            chores.append(
                asyncio.create_task(repeat(partial(jobs_run, ending), settings.JOBS_SECONDS))
            )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        ending.set()
        await generation.drain(DRAIN_SECONDS)
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await database_sync_to_async(worker_end)(worker=generation.WORKER)
        await send({"type": "lifespan.shutdown.complete"})


def renew_lease() -> None:
    worker_renew(worker=generation.WORKER)
    writing = generation.owned_battles()
    if orphans := battles_interrupt_orphans(worker=generation.WORKER, writing=writing):
        log.warning("%d battles were left unfinished by a process that ended", orphans)


async def repeat(chore: Callable[[], object], seconds: float) -> None:
    """Run a chore again and again; one failure is logged and does not end the repeating."""
    while True:
        try:
            await database_sync_to_async(chore, thread_sensitive=False)()
        except Exception:
            log.exception("%s failed; it goes on", chore)
        await asyncio.sleep(seconds)
