"""Bodies of requests that are too large are refused before anything of them is kept.

Django spools a body whole before any view can look at it, so this stands in front of Django.
"""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

IMPORTS = "/api/v1/imports/"


class BodyLimit:
    """Answers 413 to a body larger than its address takes, and 411 to one of unstated length.

    Pages take no more than DATA_UPLOAD_MAX_MEMORY_SIZE, and imports IMPORT_MAX_BYTES.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if refusal := refused(scope):
            await answer(*refusal, send)
        else:
            await self.application(scope, receive, send)


def refused(scope: dict[str, Any]) -> tuple[int, str] | None:
    """Status and reason; the server lets no more through than the length that was stated."""
    headers = dict(scope["headers"])
    most = limit_of(scope["path"])
    if b"transfer-encoding" in headers:
        return 411, "State the length of the body: send it with Content-Length, not in chunks."
    stated = headers.get(b"content-length", b"0")
    if not stated.isdigit() or int(stated) > most:
        return 413, f"The body is larger than the {most:,} bytes that this address takes."
    return None


def limit_of(path: str) -> int:
    return int(
        settings.IMPORT_MAX_BYTES if path == IMPORTS else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    )


async def answer(status: int, detail: str, send: Any) -> None:
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})
