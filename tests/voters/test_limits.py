"""How often is too often, in words that say when it is possible again."""

import socket
import time
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from arena.core.exceptions import TooMany
from arena.voters import limits
from arena.voters.limits import (
    limit_hit,
    limit_test,
    limiter,
    network_name,
    seconds_until_one_fits,
    spelt,
    spelt_rate,
)

MESSAGE = "Too many: %(rate)s. Again in %(wait)s."


def hits(number: int, who: str = "alice", rate: tuple[int, int] = (3, 3600)) -> int:
    """How many of so many attempts pass."""
    passed = 0
    for _ in range(number):
        try:
            limit_hit(rate, MESSAGE, who)
        except TooMany:
            continue
        passed += 1
    return passed


def test_it_works() -> None:
    for _ in range(3):
        limit_hit((3, 3600), MESSAGE, "alice")
    with pytest.raises(TooMany, match=r"Too many: 3 per hour\. Again in ") as refused:
        limit_hit((3, 3600), MESSAGE, "alice")

    assert 1 <= refused.value.retry_after <= 2 * 3600


def test_everybody_has_a_count_of_their_own() -> None:
    assert hits(5, "alice") == 3
    assert hits(5, "bob") == 3


def test_without_a_rate_nothing_is_counted() -> None:
    for _ in range(50):
        limit_hit(None, MESSAGE, "alice")
    assert hits(3) == 3


def test_asking_counts_nothing() -> None:
    for _ in range(5):
        limit_test((3, 3600), MESSAGE, "alice")
    assert hits(4) == 3
    with pytest.raises(TooMany):
        limit_test((3, 3600), MESSAGE, "alice")


def test_it_is_possible_again_when_it_was_said_to_be() -> None:
    rate = (4, 1)
    while hits(1, rate=rate):
        pass
    with pytest.raises(TooMany) as refused:
        limit_hit(rate, MESSAGE, "alice")
    time.sleep(refused.value.retry_after + 0.05)

    assert hits(1, rate=rate) == 1


@given(
    most=st.integers(1, 50),
    seconds=st.floats(1, 3600),
    earlier=st.integers(0, 50),
    now=st.integers(0, 50),
    phase=st.floats(0, 1),
)
def test_the_time_to_wait_is_when_the_window_has_room(
    most: int, seconds: float, earlier: int, now: int, phase: float
) -> None:
    """Against the window's own sum, some time later."""
    now, left = min(now, most), seconds * phase

    def filled(after: float) -> float:
        if after <= left:
            return earlier * (left - after) / seconds + now
        return now * max(0.0, 1 - (after - left) / seconds)

    wait = seconds_until_one_fits(most, seconds, earlier, left, now, left + seconds)

    assert filled(max(0.0, wait) + 1e-6 * seconds) < most + 1e-9
    if wait > 1e-6 * seconds:
        assert filled(wait - 1e-6 * seconds) >= most - 1e-6


def test_an_unknown_network_is_one_network() -> None:
    """Else whoever hides where they come from would never be counted."""
    assert network_name(None) == "unknown"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (40, "40 seconds"), (61, "61 seconds"), (100, "2 minutes")],
)
def test_times_are_spelt(seconds: float, words: str) -> None:
    assert spelt(seconds) == words


def test_rates_are_spelt() -> None:
    assert spelt_rate((1200, 3600)) == "1,200 per hour"
    assert spelt_rate((5, 90)) == "5 per 90 seconds"


# -- In this process -------------------------------------------------------------------------


def test_hits_start_no_thread_each(settings: Settings) -> None:
    """The library's own memory does, and walks over all keys in it."""
    settings.REDIS_URL = ""
    memory = limiter("").storage
    assert isinstance(memory, limits.Memory)
    memory.timer.join()
    hits(1)
    sweeping = memory.timer
    for number in range(200):
        hits(1, f"voter {number}")

    assert memory.timer is sweeping
    assert sweeping.daemon
    assert sweeping.interval == limits.SWEEP_SECONDS


def test_what_is_over_is_swept_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_URL = ""
    monkeypatch.setattr(limits, "SWEEP_SECONDS", 2.5)
    memory = limiter("").storage
    memory.timer.join()  # type: ignore[union-attr]
    hits(1, rate=(3, 1))
    memory.timer.join()  # type: ignore[union-attr]

    assert not memory.expirations  # type: ignore[union-attr]


# -- In Redis --------------------------------------------------------------------------------


def test_while_redis_is_away_everybody_passes(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, and not asked again for some seconds."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"

    assert hits(20) == 20
    assert len([record for record in caplog.records if "Redis" in record.message]) == 1


def test_a_redis_that_hangs_holds_nobody_up_for_long(settings: Settings) -> None:
    with closing(socket.socket()) as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        settings.REDIS_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        began = time.monotonic()
        assert hits(20) == 20

    assert time.monotonic() - began < 10 * limits.REDIS_SECONDS
