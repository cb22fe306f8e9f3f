"""The log of what one attempt at a battle has shown, which its sockets read."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from arena.battles import protocol
from arena.battles.models import Side

# Characters of both sides that one message may carry; what a reload missed comes in a few.
LARGEST = 32_768


@dataclass(frozen=True)
class Batch:
    """Encoded messages, and the number of the last frame in them."""

    messages: list[str]
    after: int
    ended: bool


class FrameLog:
    """Numbered frames from 1 on, growing until one message ends the attempt.

    A reader that is behind gets what it missed as few messages, so a slow connection costs
    neither memory nor a queue of its own: it reads on when it can take more.
    """

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        self.frames: list[tuple[str, str]] = []
        self.ending: protocol.Outgoing | None = None
        self._news = asyncio.Event()

    def append(self, a: str, b: str) -> None:
        self.frames.append((a, b))
        self._wake()

    def end(self, message: protocol.Outgoing) -> None:
        """Say how it ended. Only the first ending counts."""
        if self.ending is None:
            self.ending = message
            self._wake()

    def _wake(self) -> None:
        # Each frame wakes all that wait now; whoever waits later waits for the next one.
        self._news.set()
        self._news = asyncio.Event()

    def text(self, side: Side) -> str:
        """All that was shown of a side."""
        column = 0 if side == Side.A else 1
        return "".join(frame[column] for frame in self.frames)

    def has_news(self, after: int) -> bool:
        return len(self.frames) > after or self.ending is not None

    async def wait(self, after: int) -> None:
        while not self.has_news(after):
            await self._news.wait()

    def read(self, after: int, most: int | None = None) -> Batch:
        """What came after that frame, in as few messages as their size allows, `most` of them."""
        messages: list[str] = []
        while after < len(self.frames):
            if len(messages) == most:
                return Batch(messages, after, ended=False)
            taken = self._piece(after)
            after += len(taken)
            a, b = ("".join(column) for column in zip(*taken, strict=True))
            messages.append(protocol.encode(protocol.frame(after, a, b)))
        if self.ending is not None:
            messages.append(protocol.encode(self.ending))
        return Batch(messages, after, ended=self.ending is not None)

    def _piece(self, after: int) -> list[tuple[str, str]]:
        """Frames after that one, at least one, up to the size of a message."""
        size, end = 0, after
        while end < len(self.frames):
            size += sum(map(len, self.frames[end]))
            if size > LARGEST and end > after:
                break
            end += 1
        return self.frames[after:end]

    async def follow(self, after: int) -> AsyncIterator[str]:
        """Messages after that frame, and each new one, up to the one that ends the attempt."""
        while True:
            await self.wait(after)
            batch = self.read(after)
            for message in batch.messages:
                yield message
            if batch.ended:
                return
            after = batch.after
