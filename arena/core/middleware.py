"""One border between the arena's errors and the pages that show them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from arena.core.exceptions import ArenaError

TEMPLATES = {400: "400.html", 403: "403.html", 404: "404.html", 409: "400.html"}


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
        return render(request, TEMPLATES[error.status], context, status=error.status)
