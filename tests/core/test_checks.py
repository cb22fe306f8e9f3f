"""A setting that would fail later fails at start, with its id and what to do."""

import pytest
from django.core.checks import ERROR, WARNING, CheckMessage, run_checks
from pytest_django import Settings


def found(settings: Settings, **values: object) -> list[CheckMessage]:
    for name, value in values.items():
        setattr(settings, name, value)
    return run_checks()


def test_it_works(settings: Settings) -> None:
    assert found(settings) == []


def test_a_key_that_ends_with_the_process_is_warned_of(settings: Settings) -> None:
    (message,) = found(settings, SECRET_KEY_IS_TEMPORARY=True)

    assert message.id == "core.W001"
    assert message.level == WARNING
    assert "SECRET_KEY_FILE" in (message.hint or "")


def test_several_workers_without_redis_are_refused(settings: Settings) -> None:
    (message,) = found(settings, WEB_WORKERS=4, REDIS_URL="", REFIT_SECONDS=0)

    assert message.id == "core.E001"
    assert message.level == ERROR
    assert "4" in message.msg
    assert "REDIS_URL" in (message.hint or "")


def test_several_workers_that_would_each_refit_are_refused(settings: Settings) -> None:
    (message,) = found(settings, WEB_WORKERS=2, REDIS_URL="redis://redis", REFIT_SECONDS=20)

    assert message.id == "core.E002"
    assert message.level == ERROR
    assert "REFIT_SECONDS=0" in (message.hint or "")


def test_what_is_wrong_is_said_all_at_once(settings: Settings) -> None:
    messages = found(
        settings, SECRET_KEY_IS_TEMPORARY=True, WEB_WORKERS=2, REDIS_URL="", REFIT_SECONDS=20
    )

    assert {message.id for message in messages} == {"core.W001", "core.E001", "core.E002"}


@pytest.mark.parametrize(
    ("workers", "redis", "refit"), [(1, "", 20), (1, "redis://redis", 0), (8, "redis://redis", 0)]
)
def test_what_works_is_let_start(settings: Settings, workers: int, redis: str, refit: int) -> None:
    assert found(settings, WEB_WORKERS=workers, REDIS_URL=redis, REFIT_SECONDS=refit) == []
