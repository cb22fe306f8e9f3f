"""The rhythm of a process: every 50 ms what has arrived is read, and then shown."""

import asyncio
from weakref import WeakKeyDictionary

from django.conf import settings

# What is read at a beat has been understood by then; were it shown at moments of its own, a
# token would wait twice for half a frame.
SHOWN_AFTER = 0.01


class Beat:
    """Two moments of every frame, which all who wait share: one timer instead of hundreds."""

    def __init__(self) -> None:
        self._readers: list[asyncio.Future[None]] = []
        self._showers: list[asyncio.Future[None]] = []
        self._is_running = False

    def reading(self) -> asyncio.Future[None]:
        """When to read what has arrived since the last frame."""
        return self._wait(self._readers)

    def showing(self) -> asyncio.Future[None]:
        """When to show what was read."""
        return self._wait(self._showers)

    def _wait(self, waiting: list[asyncio.Future[None]]) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        waiting.append(future)
        if not self._is_running:
            self._is_running = True
            loop.call_later(settings.FRAME_SECONDS, self._read)
        return future

    def _read(self) -> None:
        loop = asyncio.get_running_loop()
        self._is_running = bool(self._readers or self._showers)
        if self._is_running:
            loop.call_later(settings.FRAME_SECONDS, self._read)
            loop.call_later(SHOWN_AFTER, end_waiting, self._showers)
        end_waiting(self._readers)


def end_waiting(waiting: list[asyncio.Future[None]]) -> None:
    ended = waiting.copy()
    waiting.clear()
    for future in ended:
        if not future.done():
            future.set_result(None)


_beats: WeakKeyDictionary[asyncio.AbstractEventLoop, Beat] = WeakKeyDictionary()


def beat() -> Beat:
    """That of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _beats:
        _beats[loop] = Beat()
    return _beats[loop]
