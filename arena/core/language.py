"""The language of whoever reads, where no page request says it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest, parse_cookie
from django.utils import translation


def language_of(scope: Mapping[str, Any]) -> str:
    """The language of a socket's page: the cookie's, else one that the browser asks for.

    It is found as a page finds its own, so that the two can never differ.
    """
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    request = HttpRequest()
    request.COOKIES = parse_cookie(headers.get(b"cookie", ""))
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", "")
    return translation.get_language_from_request(request)


@contextmanager
def speaking(scope: Mapping[str, Any]) -> Iterator[None]:
    """Within the block, texts are made in the language of the socket's page.

    It holds over `await` and in `sync_to_async`. A task begun within it keeps the language: begin
    tasks that serve several readers outside.
    """
    with translation.override(language_of(scope)):
        yield
