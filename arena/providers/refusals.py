"""Error statuses and the error objects of both protocols, under our own names."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from arena.providers.exceptions import (
    Filtered,
    Gone,
    Overloaded,
    ProviderError,
    Rejected,
    Unauthorised,
)

DETAIL_CHARACTERS = 500
# Statuses stand beside names because many servers send the status as the code of an error that
# comes within a stream.
KINDS: dict[str, type[ProviderError]] = {
    **dict.fromkeys(
        ("401", "403", "authentication_error", "permission_error", "invalid_api_key"),
        Unauthorised,
    ),
    **dict.fromkeys(("404", "410", "not_found_error", "model_not_found"), Gone),
    **dict.fromkeys(
        (
            *("408", "429", "500", "502", "503", "504", "529"),
            *("rate_limit_error", "rate_limit_exceeded", "overloaded_error", "timeout_error"),
            *("api_error", "server_error", "internal_server_error", "service_unavailable"),
        ),
        Overloaded,
    ),
    "content_filter": Filtered,
}


def refusal(status: int, body: bytes, retry_after: str | None) -> ProviderError:
    """The error that an answer with an error status stands for."""
    text = body.decode(errors="replace")
    detail = f"status {status}: {text[:DETAIL_CHARACTERS]}"
    if kind_of(error_in(text)) is Filtered:
        return Filtered(detail)
    kind = KINDS.get(str(status), Rejected)
    return Overloaded(detail, seconds(retry_after)) if kind is Overloaded else kind(detail)


def reported(error: Any) -> ProviderError:
    """The error that an error object within a stream stands for."""
    return kind_of(error)(f"error in the stream: {str(error)[:DETAIL_CHARACTERS]}")


def error_in(text: str) -> Any:
    """The error object of a body, None where it has none or is not JSON."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body.get("error") if isinstance(body, dict) else None


def kind_of(error: Any) -> type[ProviderError]:
    """By code or type, whichever we know; servers disagree about which of them says more."""
    names = (error.get("code"), error.get("type")) if isinstance(error, dict) else ()
    known = (KINDS[str(name)] for name in names if str(name) in KINDS)
    return next(known, Rejected)


def seconds(retry_after: str | None) -> float | None:
    """A Retry-After header in seconds from now, None where it is missing or makes no sense."""
    if retry_after is None:
        return None
    try:
        wait = float(retry_after)
    except ValueError:
        return seconds_until(retry_after)
    return max(0.0, wait) if isfinite(wait) else None


def seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    # A date with the zone "-0000" comes without one, and HTTP knows only GMT.
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
