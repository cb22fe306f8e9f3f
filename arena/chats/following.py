"""Reading a turn's answer: from the draft where it is written here, else from its row."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from arena.battles.generation import WORKER
from arena.battles.protocol import Outgoing
from arena.chats import protocol, selectors, writing
from arena.chats.models import ChatTurn, State
from arena.chats.writing import Writing
from arena.core.beat import beat
from arena.core.text import storable
from arena.core.threads import in_thread

# How often the row is asked whether another process has finished.
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Seen:
    """What a page shows already: so many characters of that attempt at that turn."""

    turn: int = 0
    attempt: int = 0
    after: int = 0

    def is_of(self, turn: ChatTurn) -> bool:
        return (self.turn, self.attempt) == (turn.number, turn.attempt)


async def follow(turn: ChatTurn, seen: Seen) -> AsyncIterator[Outgoing]:
    """Messages of the turn, up to the one that says how it ended.

    Raises NoSuchChat where it is erased meanwhile.
    """
    shown: ChatTurn | None = None
    is_told = False
    while turn.state == State.GENERATING:
        if (own := writing.owned(turn)) is not None:
            if not seen.is_of(turn):
                yield protocol.started(turn)
            async for message in pieces(own, seen.after if seen.is_of(turn) else 0):
                yield message
            shown = turn
        else:
            if turn.owner != WORKER and not is_told:
                yield protocol.elsewhere()
                is_told = True
            await asyncio.sleep(LOOK_SECONDS)
        turn = await in_thread(selectors.turn_get)(turn.pk)
    if shown is None or shown.attempt != turn.attempt:
        yield protocol.started(turn)
        for message in protocol.frames(await in_thread(selectors.text_of)(turn)):
            yield message
    yield protocol.ended(turn)


async def pieces(own: Writing, after: int) -> AsyncIterator[Outgoing]:
    """What has come since, every 50 ms, until all that will be stored is sent."""
    while True:
        is_over = own.is_over
        text = own.text
        end = len(text) if is_over else whole_end(text)
        while after < end:
            piece = text[after : min(end, after + protocol.LARGEST)]
            after += len(piece)
            yield protocol.frame(after, storable(piece))
        if is_over:
            return
        await beat().showing()


def whole_end(text: str) -> int:
    """Its end, but for the first half of a character whose second has not come."""
    return len(text) - ("\ud800" <= text[-1:] <= "\udbff")
