"""Asking the process that owns a battle, from one of the others.

Each process listens on one channel of its own. A question gets one answer or, where the owner
is gone or the message was lost, none within the time the asker gives it; asking again does no
harm. Because an owner sends only what was asked for, a slow reader costs it nothing.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import get_channel_layer

from arena.battles.generation import WORKER

log = logging.getLogger(__name__)

Message = dict[str, Any]
Answerer = Callable[[Message], Awaitable[Message]]
PAUSE_SECONDS = 1.0

_waiting: dict[str, asyncio.Future[Message]] = {}
_answering: set[asyncio.Task[None]] = set()


def channel_of(worker: str) -> str:
    return f"battles.{worker}"


async def ask(worker: str, question: Message, *, seconds: float) -> Message | None:
    """The answer of another process, or None where none came in time."""
    key = secrets.token_hex(8)
    answer = _waiting[key] = asyncio.get_running_loop().create_future()
    try:
        async with asyncio.timeout(seconds):
            await send(worker, {"type": "ask", "key": key, "from": WORKER, "body": question})
            return await answer
    except TimeoutError:
        return None
    finally:
        del _waiting[key]


async def send(worker: str, message: Message) -> None:
    layer = get_channel_layer()
    assert layer is not None
    await layer.send(channel_of(worker), message)


async def listen(answerer: Answerer) -> None:
    """Answer what other processes ask, and take in what they answer, until cancelled."""
    layer = get_channel_layer()
    assert layer is not None
    while True:
        try:
            message = await layer.receive(channel_of(WORKER))
            take(message, answerer)
        except Exception:
            # Battles of this process go on without it; only sockets elsewhere wait.
            log.exception("listening to other processes failed; it goes on")
            await asyncio.sleep(PAUSE_SECONDS)


def take(message: Message, answerer: Answerer) -> None:
    if message["type"] == "answer":
        waiting = _waiting.get(message["key"])
        if waiting is not None and not waiting.done():
            waiting.set_result(message["body"])
        return
    task = asyncio.create_task(reply(message, answerer))
    _answering.add(task)
    task.add_done_callback(_answering.discard)


async def reply(message: Message, answerer: Answerer) -> None:
    try:
        body = await answerer(message["body"])
        await send(message["from"], {"type": "answer", "key": message["key"], "body": body})
    except Exception:
        log.exception("a question of %s could not be answered", message["from"])
