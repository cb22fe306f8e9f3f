"""Nobody has been counted and nothing is remembered when a test begins."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import override_settings

from arena.voters.limits import limiter
from arena.voters.watch import watch_forget


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    limiter.cache_clear()
    if settings.REDIS_URL:
        limiter(settings.REDIS_URL).storage.reset()
    watch_forget()
    with override_settings(SIGN_IN_RATE=None):
        yield
    watch_forget()
