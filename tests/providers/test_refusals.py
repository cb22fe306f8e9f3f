"""Error statuses and Retry-After headers under our own names."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from arena.providers.exceptions import (
    Filtered,
    Gone,
    Overloaded,
    ProviderError,
    Rejected,
    TooLong,
    Unauthorised,
)
from arena.providers.refusals import refusal, seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, Unauthorised) for status in (401, 403)),
        *((status, Gone) for status in (404, 410)),
        *((status, Overloaded) for status in (408, 429, 500, 502, 503, 504, 529)),
        *((status, Rejected) for status in (301, 400, 402, 413, 422, 501)),
    ],
)
def test_every_status_has_its_name(status: int, kind: type[ProviderError]) -> None:
    error = refusal(status, b'{"error": {"message": "CANARY", "type": "odd"}}', None)

    assert type(error) is kind
    assert error.detail.startswith(f"status {status}: ")
    assert "CANARY" in error.detail


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"error": 7}', b"[" * 100_000])
def test_a_body_may_be_anything(body: bytes) -> None:
    error = refusal(503, body, None)

    assert isinstance(error, Overloaded)
    assert len(error.detail) < 600


def test_a_prompt_may_be_filtered_before_it_is_answered() -> None:
    error = refusal(400, b'{"error": {"code": "content_filter", "message": "CANARY"}}', None)

    assert isinstance(error, Filtered)


def test_what_speaks_against_an_endpoint() -> None:
    kinds = ProviderError.__subclasses__() + Rejected.__subclasses__()

    assert {kind for kind in kinds if not kind.is_fault_of_endpoint} == {Filtered, TooLong}
    assert {kind.__name__ for kind in kinds if kind.is_worth_asking_again} == {
        "Unreachable",
        "Overloaded",
        "Truncated",
    }


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("3", 3.0),
        (" 0.5 ", 0.5),
        ("-3", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after(header: str | None, wait: float | None) -> None:
    assert seconds(header) == wait


def test_retry_after_as_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)

    assert 28 < (seconds(date) or 0) <= 30
    assert refusal(429, b"", date).retry_after == pytest.approx(30, abs=2)  # type: ignore[attr-defined]
