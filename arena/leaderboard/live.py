"""Votes since the latest publication, told to every open board of this process at once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from django.db import Error
from django.utils import timezone

from arena.battles.selectors import votes_by_hour, votes_last
from arena.core.threads import in_thread
from arena.integrity.selectors import last_vote_of
from arena.leaderboard.models import Snapshot

log = logging.getLogger(__name__)

# How often the database is asked, by one task however many boards are open.
LOOK_SECONDS = 2.0
HOURS = 24

News = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """What the news follow from: while it stays, they need not be counted again."""

    digest: str
    head: str
    last_vote: int
    hour: datetime

    @classmethod
    def now(cls) -> "Moment":
        latest = Snapshot.objects.values_list("digest", "head").first()
        digest, head = latest or ("", "")
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        return cls(digest, head, votes_last(), hour)


def news_of(moment: Moment) -> News:
    """What a board is told: the latest publication, votes cast since, and how many each hour.

    hours: of the last day, the oldest first, of these votes alone.
    """
    counts = votes_by_hour(last_vote_of(moment.head)) if moment.digest else {}
    hours = [moment.hour - timedelta(hours=back) for back in reversed(range(HOURS))]
    return {
        "snapshot": moment.digest[:12],
        "votes": sum(counts.values()),
        "hours": [counts.get(hour, 0) for hour in hours],
    }


class Live:
    """One reader of the database for all sockets of an event loop, while there are any."""

    def __init__(self) -> None:
        self.moment: Moment | None = None
        self.news: News | None = None
        self.changed = asyncio.Event()
        self.watchers = 0
        self.task: asyncio.Task[None] | None = None

    async def follow(self) -> AsyncIterator[News]:
        """The news as it is, and again whenever it changes."""
        told: News | None = None
        with self.watched():
            while True:
                changed = self.changed
                if self.news is not None and self.news != told:
                    told = self.news
                    yield told
                await changed.wait()

    @contextmanager
    def watched(self) -> Iterator[None]:
        self.watchers += 1
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self.look())
        try:
            yield
        finally:
            self.watchers -= 1

    async def look(self) -> None:
        """Ask the database again and again, until nobody is there to be told."""
        while self.watchers:
            try:
                moment = await in_thread(Moment.now)()
                if moment != self.moment:
                    self.tell(await in_thread(news_of)(moment))
                    self.moment = moment
            except Error:
                # The next look may succeed, and what is shown stays true of its moment.
                log.exception("the votes since the publication could not be counted")
            await asyncio.sleep(LOOK_SECONDS)
        self.moment = self.news = None

    def tell(self, news: News) -> None:
        self.news = news
        self.changed.set()
        self.changed = asyncio.Event()


_lives: WeakKeyDictionary[asyncio.AbstractEventLoop, Live] = WeakKeyDictionary()


def live() -> Live:
    """That of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _lives:
        _lives[loop] = Live()
    return _lives[loop]
