"""Static files under ASGI, and one border between the arena's errors and their pages."""

from collections.abc import Callable
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from whitenoise.middleware import WhiteNoiseMiddleware

from arena.core.exceptions import ArenaError, TooMany

TEMPLATES = {status: f"{status}.html" for status in (400, 403, 404, 409, 429)}


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise for ASGI: sends a file whole.

    Its own streaming response is synchronous; Django would warn, and read all of it anyway.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response


class ArenaErrors:
    """An ArenaError that a view lets through becomes a page with its message and status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, ArenaError) or error.status not in TEMPLATES:
            return None
        context = {"message": error.message}
        response = render(request, TEMPLATES[error.status], context, status=error.status)
        if isinstance(error, TooMany):
            response["Retry-After"] = str(ceil(error.retry_after))
        return response
