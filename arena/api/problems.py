"""Errors as RFC 9457 problem details."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from arena.core.exceptions import ArenaError
from ranking import RankingError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


def problem_response(error: Exception, context: dict[str, Any]) -> Response:
    """The response to an error: ours as they stand, DRF's and Django's through DRF's handler.

    What nobody foresaw is logged, and the client learns no more than that it happened.
    """
    if isinstance(error, ArenaError):
        set_rollback()
        return problem(error.status, error.message)
    if isinstance(error, RankingError):
        set_rollback()
        return problem(409, str(error))
    if isinstance(error, SuspiciousOperation):
        too_big = isinstance(error, RequestDataTooBig)
        return problem(413 if too_big else 400, f"The request cannot be read: {error}")
    response = exception_handler(error, context)
    if response is None:
        set_rollback()
        log.exception("%s failed", context["request"].path, exc_info=error)
        return problem(500, "Something went wrong inside the arena; its log has the details.")
    shaped = drf_problem(error, response)
    for name, value in response.items():
        if name.lower() != "content-type":
            shaped[name] = value
    return shaped


def drf_problem(error: Exception, response: Response) -> Response:
    if isinstance(error, ValidationError):
        faults = flattened(error.detail)
        return problem(400, " ".join(f"{name}: {text}" for name, text in faults), faults)
    if isinstance(error, Throttled):
        # Its own words would name the seconds, and so does the header.
        return problem(429, "Too many requests with this token. Wait as Retry-After says.")
    detail = error.detail if isinstance(error, APIException) else response.status_text
    return problem(response.status_code, str(detail))


def flattened(detail: Any, name: str = "") -> list[tuple[str, str]]:
    """(parameter, what is wrong with it), one by one; `[3]` is the fourth of a list."""
    if isinstance(detail, Mapping):
        inner = [(f"{name}.{key}" if name else str(key), value) for key, value in detail.items()]
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        wrong = [(place, value) for place, value in enumerate(detail) if value]
        inner = [
            (name if isinstance(value, str) else f"{name}[{place}]", value)
            for place, value in wrong
        ]
    else:
        return [("body" if name in {"", "non_field_errors"} else name, str(detail))]
    return [fault for where, value in inner for fault in flattened(value, where)]


def problem(status: int, detail: str, faults: Sequence[tuple[str, str]] = ()) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if faults:
        body["errors"] = [{"parameter": name, "message": text} for name, text in faults]
    return Response(body, status=status, content_type=MEDIA_TYPE)
