"""What people and operators are told: the privacy page, and settings that cannot be meant."""

import pytest
from django.core.checks import ERROR, run_checks
from django.test import Client
from pytest_django import Settings

KEPT = ("keyed hash of your network", "The address itself is never stored", "A ban, if you were")


@pytest.mark.django_db
def test_it_works(client: Client, settings: Settings) -> None:
    settings.NETWORK_KEY_DAYS, settings.RETAIN_NETWORK_DAYS = 7.0, 30
    page = client.get("/privacy/").content.decode()

    for words in (*KEPT, "replaced every 7 days", "30 days from when you were last here"):
        assert words in page
    for words in ("done its work before a battle", "of late", "Your user name, because"):
        assert words not in page
    assert "service that says whether" not in page


@pytest.mark.django_db
def test_the_privacy_page_tells_what_was_switched_on(client: Client, settings: Settings) -> None:
    settings.ALTCHA, settings.VOTER_RATE, settings.NETWORK_KEY_DAYS = True, (120, 3600), 1.0
    settings.MODERATION_URL = "http://localhost:1/v1"
    page = client.get("/privacy/").content.decode()

    for words in ("done its work before a battle", "of late", "replaced every 1 day,"):
        assert words in page
    for publish in (True, False):
        settings.PUBLISH_TEXT = publish
        assert "service that says whether" in client.get("/privacy/").content.decode()


@pytest.mark.parametrize(
    ("values", "id"),
    [
        ({"NETWORK_KEY_DAYS": 0}, "voters.E001"),
        ({"TRUSTED_PROXIES": -1}, "voters.E002"),
        ({"ALTCHA": True, "ALTCHA_COST": 0}, "voters.E003"),
    ],
)
def test_a_setting_that_cannot_be_meant_fails_at_start(
    settings: Settings, values: dict[str, object], id: str
) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    (message,) = run_checks()

    assert (message.id, message.level) == (id, ERROR)
    assert message.hint
