"""What pages of load.py showed, held against what the upstream sent and the database has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from sockets import Column, Page
from upstream import Stream, number_in

COMPLETE = "battle.complete"
# How often the server shows something new.
FRAME_SECONDS = 0.05
# A backlog from which on every frame of equal pacing has a word to show.
BACKLOG = 200
Window = tuple[float, float]


def faults_of(pages: Iterable[Page], streams: Sequence[Stream]) -> Counter[str]:
    """What a page must never show, beside ends other than complete."""
    found: Counter[str] = Counter()
    for page in pages:
        if page.ending != COMPLETE:
            found[f"a battle ended as {page.ending or 'nothing'}: {page.said}"] += 1
            continue
        for side, column in (("a", page.a), ("b", page.b)):
            found.update(fault for fault in text_faults(page, side, column, streams))
    return found


def text_faults(page: Page, side: str, column: Column, streams: Sequence[Stream]) -> Iterator[str]:
    stream = stream_of(column, streams)
    if stream is None:
        yield f"side {side} began with no stream's first token"
        return
    if column.text != stream.text:
        yield f"side {side} is not the text that was sent: {difference(column.text, stream.text)}"
    if stream.prompt != page.prompt:
        yield "a prompt reached the upstream altered, or another voter's did"


def difference(shown: str, sent: str) -> str:
    if sent.startswith(shown):
        return "its end is missing"
    return "something was repeated" if len(shown) > len(sent) else "something is missing or altered"


def stream_of(column: Column, streams: Sequence[Stream]) -> Stream | None:
    try:
        return streams[number_in(column.text)]
    except (ValueError, IndexError):
        return None


def stored_faults(pages: Iterable[Page]) -> Counter[str]:
    """What the database has otherwise than the page showed it."""
    from arena.battles.models import Answer, Battle

    complete = {page.battle: page for page in pages if page.ending == COMPLETE}
    found: Counter[str] = Counter()
    states = dict(Battle.objects.filter(pk__in=list(complete)).values_list("pk", "state"))
    found.update(f"shown as complete, stored as {s}" for s in states.values() if s != "complete")
    found["shown, and not in the database"] = len(complete) - len(states)
    texts: dict[str, dict[str, str]] = {battle: {} for battle in complete}
    answers = Answer.objects.filter(turn__battle__in=list(complete), error_kind="")
    rows = answers.order_by("attempt").values_list("turn__battle", "side", "text")
    for identity, side, text in rows:
        texts[str(identity)][side] = text
    for battle, page in complete.items():
        if texts[battle] != {"a": page.a.text, "b": page.b.text}:
            found["the stored answers are not those shown"] += 1
    return +found


# -- How long tokens were under way ----------------------------------------------------------


@dataclass(frozen=True)
class Delivered:
    """All tokens of complete battles: when each was sent, and when a page had all of it."""

    sent: Any
    arrived: Any

    def within(self, window: Window) -> Any:
        """Seconds under way of the tokens that were sent within the window."""
        chosen = (self.sent >= window[0]) & (self.sent < window[1])
        return (self.arrived - self.sent)[chosen]

    def rates(self, window: Window) -> tuple[float, float]:
        """Tokens per second that were sent, and that arrived."""
        return tuple(  # type: ignore[return-value]
            float(((times >= window[0]) & (times < window[1])).sum()) / (window[1] - window[0])
            for times in (self.sent, self.arrived)
        )


def delivered(pages: Iterable[Page], streams: Sequence[Stream]) -> Delivered:
    sent, arrived = [np.empty(0)], [np.empty(0)]
    for page in pages:
        if page.ending != COMPLETE:
            continue
        for column in (page.a, page.b):
            stream = stream_of(column, streams)
            if stream is None or column.text != stream.text:
                continue
            at = np.searchsorted(np.array(column.ends), ends_of(stream))
            sent.append(np.array(stream.sent))
            arrived.append(np.array(column.arrived)[at])
    return Delivered(np.concatenate(sent), np.concatenate(arrived))


def ends_of(stream: Stream) -> Any:
    """Characters of the text up to the end of each token."""
    return np.fromiter(accumulate(map(len, stream.tokens)), dtype=np.int64)


def starts(pages: Iterable[Page], window: Window) -> Any:
    """Seconds from the opening of the socket to `battle.started`."""
    return np.array([p.begun_at - p.asked_at for p in pages if p.begun_at and inside(p, window)])


def inside(page: Page, window: Window) -> bool:
    return window[0] <= page.asked_at < window[1]


# -- Equal pacing: measured from the moment at which its rule lets text go ----------------------


def gaps(pages: Iterable[Page], streams: Sequence[Stream], window: Window) -> Any:
    """Seconds between two frames of a battle, where at the first of them both sides had at least
    BACKLOG characters that were sent and not yet shown."""
    found = [np.empty(0)]
    for page in pages:
        sides = [(column, stream_of(column, streams)) for column in (page.a, page.b)]
        if page.ending != COMPLETE or any(stream is None for _, stream in sides):
            continue
        times = np.array(page.frames)
        backlog = np.min([waiting(column, stream, times) for column, stream in sides], axis=0)
        chosen = (backlog >= BACKLOG) & (times >= window[0]) & (times < window[1])
        found.append(np.diff(times)[chosen[:-1]])
    return np.concatenate(found)


def waiting(column: Column, stream: Any, times: Any) -> Any:
    """Characters sent and not yet shown, at each of the times."""
    sent = np.append(0, ends_of(stream))[np.searchsorted(np.array(stream.sent), times, "right")]
    shown = np.append(0, np.array(column.ends))
    return sent - shown[np.searchsorted(np.array(column.arrived), times, "right")]


@dataclass(frozen=True)
class AgainstRule:
    """Seconds: how much later text was shown than the pacing's rule lets it go, and after both
    sides' first token the first frame, as it came and as the rule has it.

    The rule is the server's own pacer, told what the upstream sent at the moment it was sent, and
    asked every 50 ms from the moment at which both sides have text.
    """

    late: Any
    first: Any
    first_by_rule: Any


def against_rule(pages: Iterable[Page], streams: Sequence[Stream], window: Window) -> AgainstRule:
    late, first, by_rule = [np.empty(0)], [], []
    for page in pages:
        sides = [stream_of(column, streams) for column in (page.a, page.b)]
        if page.ending != COMPLETE or None in sides or not inside(page, window):
            continue
        whole = [stream for stream in sides if stream]
        both = max(stream.sent[0] for stream in whole)
        released = releases(whole, both)
        late += [late_by(*each) for each in zip((page.a, page.b), released, strict=True)]
        first.append(page.frames[0] - both)
        by_rule.append(min(released[0][0][1], released[1][0][1]) - both)
    return AgainstRule(np.concatenate(late), np.array(first), np.array(by_rule))


def late_by(column: Column, released: list[tuple[int, float]]) -> Any:
    length, at = np.array(released).T
    return np.array(column.arrived)[np.searchsorted(np.array(column.ends), length)] - at


def releases(sides: list[Stream], now: float) -> list[list[tuple[int, float]]]:
    """Of both sides, (characters, when) as a pacer lets them go that begins at `now`."""
    from arena.battles.models import Side
    from arena.battles.pacing import EqualPacer, Received

    ends = [np.append(0, ends_of(stream)) for stream in sides]
    sent = [np.array(stream.sent) for stream in sides]
    pacer, shown = EqualPacer(), [0, 0]
    found: list[list[tuple[int, float]]] = [[], []]
    while True:
        received = {
            side: Received(
                stream.text[: ends[k][np.searchsorted(sent[k], now, "right")]],
                now >= stream.ended_at,
            )
            for k, (side, stream) in enumerate(zip(Side, sides, strict=True))
        }
        for k, text in enumerate(pacer.advance(received, now).values()):
            if text:
                shown[k] += len(text)
                found[k].append((shown[k], now))
        if pacer.is_done(received):
            return found
        now += FRAME_SECONDS
