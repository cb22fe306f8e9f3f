"""Static files under ASGI, the reader's language, and a border from errors to their pages."""

from collections.abc import Callable
from math import ceil
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware

from arena.core.exceptions import ArenaError, TooMany

# For operators and programs: in English, whatever their browser asks for.
ENGLISH = ("/admin/", "/api/")
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


class Language(LocaleMiddleware):
    """Answers in the language that the reader chose, else in one that their browser asks for.

    Whatever keeps pages for many readers is told what they depend on. Files, which are the same
    in every language, are not marked: one copy serves all.
    """

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(ENGLISH):
            translation.activate(settings.LANGUAGE_CODE)
        else:
            super().process_request(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Language", translation.get_language())
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
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
