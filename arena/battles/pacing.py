"""How fast two answers are shown: at one rhythm, so that speed neither tells nor biases.

A pacer is asked at each frame what more of each side to show. It sees only what has arrived
and whether that is all of it; the true timings are measured elsewhere.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from arena.battles.models import Pacing, Side

SLOWEST, FASTEST = 20.0, 400.0
BACKLOG_SECONDS = 1.0
# A common phase this short has no rate of its own: the frontier has only just started. The
# longer side then goes on as fast as people read.
SHORT, READING = 200.0, 150.0
# Without a space for so long (Chinese, a long address), text is cut between characters.
LONGEST_WORD = 24
JOINERS = "\u200d\ufe0e\ufe0f"


@dataclass(frozen=True)
class Received:
    """What of a side has arrived, and whether that is all of it."""

    text: str
    whole: bool


class Pacer(Protocol):
    def advance(self, received: Mapping[Side, Received], now: float) -> dict[Side, str]:
        """The text of each side that the next frame shows, at `now` in seconds."""
        ...

    def is_done(self, received: Mapping[Side, Received]) -> bool:
        """Whether everything is shown."""
        ...

    def rest(self, received: Mapping[Side, Received]) -> dict[Side, str]:
        """All that has arrived and is not shown: once there is no vote left to bias."""
        ...


@dataclass
class NativePacer:
    """Shows what has arrived: the true speed of both."""

    shown: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))

    def advance(self, received: Mapping[Side, Received], now: float) -> dict[Side, str]:
        return self.rest(received)

    def rest(self, received: Mapping[Side, Received]) -> dict[Side, str]:
        return {side: self.show(side, got.text, len(got.text)) for side, got in received.items()}

    def show(self, side: Side, text: str, end: int) -> str:
        start, self.shown[side] = self.shown[side], max(end, self.shown[side])
        return text[start : self.shown[side]]

    def is_done(self, received: Mapping[Side, Received]) -> bool:
        return all(
            got.whole and self.shown[side] == len(got.text) for side, got in received.items()
        )


@dataclass
class EqualPacer(NativePacer):
    """Shows both sides up to a common frontier, in characters.

    The frontier starts when both sides have text. While a side is being written it advances at
    a rate that follows the smaller backlog and never passes what that side has, so a stall
    holds both. Once one text is fully shown, the other goes on at the mean rate so far.
    """

    frontier: float = 0.0
    started: float | None = None
    last: float = 0.0
    mean_rate: float | None = None

    def advance(self, received: Mapping[Side, Received], now: float) -> dict[Side, str]:
        if self.started is None:
            if not all(got.text for got in received.values()):
                return dict.fromkeys(received, "")
            self.started = self.last = now
        self.move(list(received.values()), now)
        return {
            side: self.show(side, got.text, self.cut(side, got)) for side, got in received.items()
        }

    def move(self, received: list[Received], now: float) -> None:
        growing = [len(got.text) for got in received if not got.whole]
        if self.mean_rate is None and any(self.passed(got) for got in received):
            assert self.started is not None
            self.mean_rate = self.frontier / max(now - self.started, 1e-3)
            if self.frontier < SHORT:
                self.mean_rate = max(self.mean_rate, READING)
        step = self.rate(growing) * (now - self.last)
        self.frontier = min([self.frontier + step, *map(float, growing)])
        self.last = now

    def passed(self, got: Received) -> bool:
        return got.whole and self.frontier >= len(got.text)

    def rate(self, growing: list[int]) -> float:
        """Characters per second: of the common phase, then of the longer side alone."""
        if self.mean_rate is not None:
            return self.mean_rate
        if not growing:
            return FASTEST
        backlog = min(growing) - self.frontier
        return min(max(backlog / BACKLOG_SECONDS, SLOWEST), FASTEST)

    def cut(self, side: Side, got: Received) -> int:
        """The end of the last word, or else of the last character, before the frontier."""
        end = min(int(self.frontier), len(got.text))
        if end == len(got.text) and got.whole:
            return end
        space = max(got.text.rfind(" ", 0, end), got.text.rfind("\n", 0, end)) + 1
        if space > self.shown[side] or end - self.shown[side] < LONGEST_WORD:
            return space
        while end > self.shown[side] and continues(got.text, end):
            end -= 1
        return end


def continues(text: str, at: int) -> bool:
    """Whether cutting before `at` would tear a character from its marks."""
    if at >= len(text):
        return True
    return (
        unicodedata.combining(text[at]) != 0
        or text[at] in JOINERS
        or text[at - 1] == "\u200d"
        or "\U0001f3fb" <= text[at] <= "\U0001f3ff"
    )


def pacer_for(pacing: str) -> Pacer:
    return EqualPacer() if pacing == Pacing.EQUAL else NativePacer()
