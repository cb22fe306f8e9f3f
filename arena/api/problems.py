"""Errors as RFC 9457 problem details."""

from http import HTTPStatus
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from arena.core.exceptions import ArenaError


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """The response to an error: ours as they stand, DRF's and Django's through DRF's handler."""
    if isinstance(error, ArenaError):
        set_rollback()
        return problem(error.status, error.message)
    response = exception_handler(error, context)
    if response is None:
        return None
    detail = error.detail if isinstance(error, APIException) else response.status_text
    shaped = problem(response.status_code, detail)
    for name, value in response.items():
        if name.lower() != "content-type":
            shaped[name] = value
    return shaped


def problem(status: int, detail: Any) -> Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail if isinstance(detail, str) else str(detail),
    }
    return Response(body, status=status, content_type="application/problem+json")
