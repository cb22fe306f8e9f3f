"""How often is too often: counts of what was done, in Redis or in this process.

Windows slide, so nobody gets twice the number at the turn of an hour; and they are measured by
Redis's clock alone, whatever the web processes' clocks say. What is counted is named by a keyed
hash and forgotten after two windows: neither an address nor a voter is written anywhere.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from math import ceil, inf

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from arena.core.exceptions import TooMany
from arena.voters.networks import Address, network_of

log = logging.getLogger(__name__)

Rate = tuple[int, int]
"""How many, in how many seconds."""

REDIS_SECONDS = 0.5
SWEEP_SECONDS = 60.0
# After Redis failed to answer it is not asked for so long: each vote would wait for it.
SILENT_SECONDS = 5.0


class Memory(MemoryStorage):
    """Counts in this process, swept once a minute.

    Its parent starts a thread at nearly every hit, which walks over all keys: with 10,000 voters
    at 300 votes a second that is 1.3 ms of processor a vote.
    """

    def _MemoryStorage__schedule_expiry(self) -> None:
        if not self.timer.is_alive():
            self.timer = threading.Timer(SWEEP_SECONDS, self._MemoryStorage__expire_events)  # type: ignore[attr-defined]
            self.timer.daemon = True
            self.timer.start()


class Limiter:
    """Counts at one place, and lets everybody pass while that place cannot be reached.

    A limit guards the operator's money, not the board, and nobody outside can take Redis down.
    To refuse votes until it is back would cost more than to let some too many through. Bans are
    in the database and hold all the same.
    """

    def __init__(self, url: str) -> None:
        self.storage = stored_at(url)
        self.strategy = SlidingWindowCounterRateLimiter(self.storage)
        self.silent_until = -inf

    def hit(self, item: RateLimitItem, who: str) -> float:
        """Count one more, unless it is one too many: seconds to wait then, and 0 if counted."""
        return self.wait_unless(self.strategy.hit, item, who)

    def test(self, item: RateLimitItem, who: str) -> float:
        """The same without counting."""
        return self.wait_unless(self.strategy.test, item, who)

    def wait_unless(
        self, passes: Callable[[RateLimitItem, str], bool], item: RateLimitItem, who: str
    ) -> float:
        if time.monotonic() < self.silent_until:
            return 0.0
        try:
            return 0.0 if passes(item, who) else self.wait(item, who)
        except StorageError as error:
            self.silent_until = time.monotonic() + SILENT_SECONDS
            log.error("Redis does not answer, so nobody is limited for now: %s", error)
            return 0.0

    def wait(self, item: RateLimitItem, who: str) -> float:
        seconds = item.get_expiry()
        window = self.storage.get_sliding_window(item.key_for(who), seconds)
        return max(1.0, seconds_until_one_fits(item.amount, seconds, *window))


def stored_at(url: str) -> Memory | RedisStorage:
    if not url:
        return Memory(wrap_exceptions=True)
    return RedisStorage(
        url,
        wrap_exceptions=True,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
    )


@cache
def limiter(url: str) -> Limiter:
    return Limiter(url)


def seconds_until_one_fits(
    most: int, seconds: float, previous: int, previous_ttl: float, current: int, current_ttl: float
) -> float:
    """When `previous · previous_ttl / seconds + current` falls below `most`.

    The earlier window fades out evenly over the length of this one, which turns into the earlier
    one itself `seconds` before its record ends.
    """
    if current < most:
        return previous_ttl - (most - current) * seconds / previous if previous else 0.0
    until_turn = current_ttl - seconds
    return until_turn + (current - most) * seconds / current


# -- What the arena limits -------------------------------------------------------------------


def limit_hit(rate: Rate | None, message: str, *who: str) -> None:
    """Count one more by `who`.

    Raises TooMany with the message, marked by `gettext_noop`; it may name %(rate)s and %(wait)s.
    """
    if rate is not None:
        refuse(rate, message, limiter(settings.REDIS_URL).hit(item(rate), name(*who)))


def limit_test(rate: Rate | None, message: str, *who: str) -> None:
    """Raises TooMany where one more by `who` would be too many; counts nothing."""
    if rate is not None:
        refuse(rate, message, limiter(settings.REDIS_URL).test(item(rate), name(*who)))


def refuse(rate: Rate, message: str, wait: float) -> None:
    if wait:
        told = {"rate": spelt_rate(rate), "wait": spelt(wait)}
        raise TooMany(_(message) % told, retry_after=wait)


def item(rate: Rate) -> RateLimitItem:
    number, seconds = rate
    return RateLimitItemPerSecond(number, seconds)


def name(*who: str) -> str:
    return salted_hmac("arena.voters.limits", "/".join(who), algorithm="sha256").hexdigest()


def network_name(address: Address | None) -> str:
    """Whoever comes from nowhere that is known is counted together: nobody slips through."""
    return network_of(address).hex() if address else "unknown"


def spelt_rate(rate: Rate) -> str:
    number, seconds = rate
    told = {"number": number_format(number, force_grouping=True), "seconds": seconds}
    match seconds:
        case 1:
            return _("%(number)s per second") % told
        case 60:
            return _("%(number)s per minute") % told
        case 3600:
            return _("%(number)s per hour") % told
    return _("%(number)s per %(seconds)s seconds") % told


def spelt(seconds: float) -> str:
    """A time to wait, in whole seconds or minutes."""
    if seconds <= 90:
        number = ceil(seconds)
        return ngettext("%(number)s second", "%(number)s seconds", number) % {"number": number}
    number = ceil(seconds / 60)
    return ngettext("%(number)s minute", "%(number)s minutes", number) % {"number": number}
