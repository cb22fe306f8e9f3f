"""Nobody has asked for anything when a test begins."""

import pytest
from django.conf import settings

from arena.voters.limits import limiter


@pytest.fixture(autouse=True)
def nobody_counted() -> None:
    limiter.cache_clear()
    if settings.REDIS_URL:
        limiter(settings.REDIS_URL).storage.reset()
