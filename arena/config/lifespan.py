"""What a web process does beside serving: renew its lease, and refit where it is alone."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings

from arena.battles import generation
from arena.battles.services import battles_interrupt_orphans, worker_end, worker_renew
from arena.leaderboard.services import Refitter

log = logging.getLogger(__name__)

RENEW_SECONDS = 2.0
DRAIN_SECONDS = 20.0


class Lifespan:
    """Starts the chores when the server starts, and lets battles end before it stops."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        chores = [asyncio.create_task(repeat(renew_lease, RENEW_SECONDS))]
        if settings.REFIT_SECONDS:
            chores.append(asyncio.create_task(repeat(Refitter(), settings.REFIT_SECONDS)))
        await send({"type": "lifespan.startup.complete"})
        await receive()
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
