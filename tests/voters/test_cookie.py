"""The one cookie: pages issue it, nobody else can, and it says nothing about the person."""

import re
import time
from pathlib import Path
from runpy import run_path

import pytest
from django.conf import settings as arena_settings
from django.core import signing
from django.test import Client
from pytest_django import Settings

from arena.core.exceptions import Refused
from arena.voters.models import Voter, new_key
from arena.voters.selectors import COOKIE_SALT
from arena.voters.services import voter_from, voter_key
from tests import factories

pytestmark = pytest.mark.django_db
NAME = "tiltyard-voter"
SETTINGS = Path(__file__).parents[2] / "arena" / "config" / "settings.py"
OF_HTTPS = ("HTTPS", "VOTER_COOKIE", "SECURE_SSL_REDIRECT", "CSRF_COOKIE_SECURE")


def signed(voter: str, **how: str) -> str:
    return signing.dumps(voter, **{"salt": COOKIE_SALT, **how})


def cookies(value: str) -> dict[str, str]:
    return {NAME: value}


@pytest.mark.parametrize("page", ["/", "/battle/"])
def test_it_works(client: Client, page: str) -> None:
    client.get(page)
    value = client.cookies[NAME].value
    key = voter_key(cookies(value))

    assert key is not None
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert voter_from(cookies(value)).key == key


def test_it_is_kept_on_the_second_visit(client: Client) -> None:
    first = client.get("/").cookies[NAME].value
    second = client.get("/battle/")

    assert NAME not in second.cookies
    assert client.cookies[NAME].value == first


def test_everybody_has_their_own() -> None:
    visitors = [Client() for _ in range(5)]
    for visitor in visitors:
        visitor.get("/")

    assert len({voter_key(cookies(visitor.cookies[NAME].value)) for visitor in visitors}) == 5


def test_neither_scripts_nor_other_sites_get_it(client: Client) -> None:
    cookie = client.get("/").cookies[NAME]

    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert cookie["max-age"] > 300 * 24 * 3600


def test_plain_http_keeps_it_too(client: Client) -> None:
    """A Secure cookie would be dropped by the browser, and nobody could vote."""
    assert not client.get("/").cookies[NAME]["secure"]


@pytest.fixture
def over_https(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings that HTTPS=1 makes."""
    monkeypatch.setenv("HTTPS", "1")
    made = run_path(str(SETTINGS))
    for name in OF_HTTPS:
        setattr(settings, name, made[name])


@pytest.mark.usefixtures("over_https")
def test_over_https_no_other_host_and_no_plain_page_can_set_it(client: Client) -> None:
    response = client.get("/", secure=True)
    cookie = response.cookies[f"__Host-{NAME}"]

    assert cookie["secure"] is True
    assert cookie["httponly"] is True
    # Browsers drop a `__Host-` cookie with any other path, or with a domain.
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert NAME not in response.cookies


@pytest.mark.usefixtures("over_https")
def test_over_https_the_voter_is_known_by_it(client: Client) -> None:
    client.get("/", secure=True)
    voter = factories.voter_of(client)

    assert f"__Host-{NAME}" not in client.get("/battle/", secure=True).cookies
    assert factories.voter_of(client) == voter


@pytest.mark.usefixtures("over_https")
def test_over_https_the_cookie_of_plain_http_counts_for_nothing() -> None:
    assert voter_key(cookies(signed(new_key()))) is None


def forged() -> dict[str, str]:
    key = "0123456789abcdef0123456789abcdef"
    payload, _, signature = signed(key).rpartition(":")
    other = signed("f" * 32).rpartition(":")[0]
    return {
        "empty": "",
        "bare key": key,
        "no signature": payload,
        "of another key": f"{other}:{signature}",
        "signed with another secret": signed(key, key="not-the-arena's"),
        "signed for another purpose": signed(key, salt="django.contrib.sessions"),
        "not a key": signing.dumps({"key": key}, salt=COOKIE_SALT),
        "not text": "\xff\x00\ufffd:::",
    }


@pytest.mark.parametrize("how", forged())
def test_a_forged_one_is_refused(how: str) -> None:
    value = forged()[how]

    assert voter_key(cookies(value)) is None
    with pytest.raises(Refused, match="Allow cookies for this site"):
        voter_from(cookies(value))
    assert not Voter.objects.exists()


def test_no_cookie_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="Voting needs one cookie"):
        voter_from({})


def test_a_forged_one_is_replaced_on_the_next_page(client: Client) -> None:
    key = new_key()
    client.cookies[NAME] = signed(key, key="not-the-arena's")
    client.get("/")

    assert voter_key(cookies(client.cookies[NAME].value)) not in {None, key}


def test_it_ends_after_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    value = signed(new_key())
    monkeypatch.setattr(time, "time", lambda: now + arena_settings.VOTER_COOKIE_AGE - 60)
    assert voter_key(cookies(value)) is not None

    monkeypatch.setattr(time, "time", lambda: now + arena_settings.VOTER_COOKIE_AGE + 60)
    assert voter_key(cookies(value)) is None


def test_who_only_looks_is_not_written_down(client: Client) -> None:
    for page in ("/", "/battle/", "/leaderboard/"):
        client.get(page)
    assert not Voter.objects.exists()

    first, second = factories.voter_of(client), factories.voter_of(client)
    assert first == second == Voter.objects.get()


def test_a_vote_without_it_gets_none(client: Client) -> None:
    address = "/battle/00000000-0000-4000-8000-000000000000/vote/"
    response = client.post(address, {"outcome": "tie", "key": "0f1e2d3c"})

    assert response.status_code == 403
    assert NAME not in response.cookies
