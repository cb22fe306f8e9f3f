"""Answers that were written beforehand, at the pace of any other answer."""

import asyncio
import re
from collections.abc import AsyncGenerator

from arena.providers.protocol import Delta, Event, Finish, Request

PIECE = re.compile(r"\S+\s*|\s+")
STEP_SECONDS = 0.025


class RecordedProvider:
    """Yields `request.recorded` word by word at `characters_per_second`."""

    def __init__(self, characters_per_second: float) -> None:
        self.characters_per_second = characters_per_second

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        clock = asyncio.get_running_loop().time
        started, written = clock(), 0
        for piece in PIECE.findall(request.recorded):
            ahead = written / self.characters_per_second - (clock() - started)
            if ahead > STEP_SECONDS:
                await asyncio.sleep(ahead)
            written += len(piece)
            yield Delta(piece)
        yield Finish("stop")
