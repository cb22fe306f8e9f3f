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
ANSWERS = "/admin/battles/collection/add/"
IMAGES = "/battle/images/"
# What a form says around the one file that it carries.
FORM_BYTES = 16_384


class BodyLimit:
    """Answers 413 to a body larger than its address takes, and 411 to one of unstated length.

    Pages take no more than DATA_UPLOAD_MAX_MEMORY_SIZE, imports IMPORT_MAX_BYTES, pictures
    IMAGE_MAX_BYTES, and files of recorded answers ANSWERS_MAX_BYTES.
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
        return 413, too_large(scope["path"], most)
    return None


def too_large(path: str, most: int) -> str:
    """Pictures are sent by people, and everything else of that size by programs."""
    if path == IMAGES:
        return (
            f"A picture may have {settings.IMAGE_MAX_BYTES / 1e6:,.0f} MB here, and this one is "
            "larger. Make it smaller and attach it again."
        )
    return f"The body is larger than the {most:,} bytes that this address takes."


def limit_of(path: str) -> int:
    limits = {
        IMPORTS: settings.IMPORT_MAX_BYTES,
        IMAGES: settings.IMAGE_MAX_BYTES + FORM_BYTES,
        ANSWERS: settings.ANSWERS_MAX_BYTES + FORM_BYTES,
    }
    return int(limits.get(path, settings.DATA_UPLOAD_MAX_MEMORY_SIZE))


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
