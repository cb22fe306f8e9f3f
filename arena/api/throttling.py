"""How many requests a token may make."""

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


class PerToken(BaseThrottle):
    """Counts the requests of each token in windows of API_RATE's length.

    One counter that the cache raises in one step, so that processes sharing a cache share it too;
    a list of times, as DRF keeps, loses counts between reading and writing.
    """

    left = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.auth is None or not settings.API_RATE:
            return True
        most, seconds = settings.API_RATE
        now = time.time()
        self.left = seconds - now % seconds
        key = f"api-rate-{request.auth.pk[:32]}-{int(now // seconds)}"
        cache.add(key, 0, timeout=seconds + 1)
        try:
            return bool(cache.incr(key) <= most)
        except ValueError:  # the window ended between the two
            return True

    def wait(self) -> float:
        return max(1.0, self.left)
