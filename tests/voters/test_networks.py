"""Where somebody comes from: no header chooses it, no address is kept, no hash lasts for ever."""

from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from arena.voters.models import Ban, NetworkKey, Voter
from arena.voters.networks import address_of, address_of_request, network_hash, parsed
from arena.voters.services import (
    ban_create,
    ban_lift,
    network_seen,
    networks_forget,
    voter_forget,
)
from arena.voters.watch import network_key_current

HOME, WORK = ip_address("203.0.113.7"), ip_address("2001:db8:1:2::7")
SECRET = "ab" * 32


def scope(*forwarded: str, client: tuple[str, int] | None = ("198.51.100.1", 4321)) -> Any:
    headers = [(b"host", b"localhost")]
    headers += [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"type": "http", "client": client, "headers": headers}


def said(*forwarded: str, **how: Any) -> str:
    return str(address_of(scope(*forwarded, **how)))


# -- Addresses -------------------------------------------------------------------------------


def test_it_works(settings: Settings) -> None:
    assert said() == "198.51.100.1"
    settings.TRUSTED_PROXIES = 1
    assert said("203.0.113.7") == "203.0.113.7"


def test_without_proxies_nobodys_header_is_believed(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 0

    assert said("203.0.113.7") == "198.51.100.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (1, ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        (2, ["6.6.6.6, 203.0.113.7, 192.0.2.1"], "203.0.113.7"),
        # A proxy may add a line of its own instead of adding to the client's.
        (1, ["6.6.6.6", "203.0.113.7"], "203.0.113.7"),
        (2, ["6.6.6.6", "203.0.113.7,192.0.2.1"], "203.0.113.7"),
        (1, ["6.6.6.6, [2001:db8::7]:443"], "2001:db8::7"),
        (1, ["203.0.113.7:50123"], "203.0.113.7"),
        (1, ["::ffff:203.0.113.7"], "203.0.113.7"),
    ],
)
def test_what_the_client_wrote_stands_to_the_left(
    proxies: int, forwarded: list[str], found: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert said(*forwarded) == found


@pytest.mark.parametrize(
    "forwarded",
    [
        [],
        [""],
        ["203.0.113.7"],
        ["6.6.6.6, , 192.0.2.1"],
        ["unknown, 192.0.2.1"],
        ["evil, 192.0.2.1"],
        ["203.0.113.7 6.6.6.6, 192.0.2.1"],
        ["9" * 100_000 + ", 192.0.2.1"],
        ["\xff\x00, 192.0.2.1"],
        ["1.2.3.4.5, 192.0.2.1"],
        ["0x7f.1, 192.0.2.1"],
    ],
)
def test_a_header_that_cannot_be_right_counts_for_nothing(
    forwarded: list[str], settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = 2

    assert said(*forwarded) == "198.51.100.1"


def test_a_server_that_knows_no_address_says_so(settings: Settings) -> None:
    assert address_of(scope(client=None)) is None
    assert address_of(scope(client=("", 0))) is None
    settings.TRUSTED_PROXIES = 1
    assert said("203.0.113.7", client=None) == "203.0.113.7"


@given(st.text(max_size=60))
def test_whatever_a_header_holds_it_is_an_address_or_none(text: str) -> None:
    found = parsed(text)

    assert found is None or ip_address(str(found)) == found


@pytest.mark.parametrize("proxies", [0, 1, 2, 3])
def test_a_request_comes_from_where_its_scope_does(proxies: int, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = proxies
    forwarded = "6.6.6.6, 203.0.113.7, 192.0.2.1"
    meta = {"REMOTE_ADDR": "198.51.100.1", "HTTP_X_FORWARDED_FOR": forwarded}
    request = RequestFactory().get("/", **meta)

    assert address_of_request(request) == address_of(scope(forwarded))


# -- Networks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
    ],
)
def test_half_an_ipv6_address_is_a_network(one: str, other: str, same: bool) -> None:
    hashes = {network_hash(ip_address(each), SECRET) for each in (one, other)}

    assert (len(hashes) == 1) is same


def test_a_hash_needs_the_secret_and_the_arenas_own(settings: Settings) -> None:
    one = network_hash(HOME, SECRET)
    assert network_hash(HOME, "cd" * 32) != one

    settings.SECRET_KEY = "of a copy of the database elsewhere"
    assert network_hash(HOME, SECRET) != one


@pytest.mark.django_db
def test_who_was_seen_is_written_down_without_the_address(alice: Voter) -> None:
    network_seen(voter=alice, address=HOME)
    alice.refresh_from_db()

    key = NetworkKey.objects.get()
    assert alice.network_hash == network_hash(HOME, key.secret)
    assert alice.network_key == key.pk
    assert alice.network_at is not None
    assert abs(timezone.now() - alice.network_at) < timedelta(minutes=1)


@pytest.mark.django_db
def test_it_is_written_again_after_a_move_or_ten_minutes(alice: Voter) -> None:
    def writes(address: Any) -> int:
        alice.refresh_from_db()
        with CaptureQueriesContext(connection) as queries:
            network_seen(voter=alice, address=address)
        return sum(query["sql"].startswith("UPDATE") for query in queries)

    assert [writes(HOME), writes(HOME), writes(WORK), writes(WORK)] == [1, 0, 1, 0]
    Voter.objects.update(network_at=F("network_at") - timedelta(minutes=11))
    assert [writes(WORK), writes(WORK), writes(None)] == [1, 0, 0]


@pytest.mark.django_db
def test_who_was_forgotten_meanwhile_stays_forgotten(alice: Voter) -> None:
    voter_forget(voter=Voter.objects.get())
    network_seen(voter=alice, address=HOME)

    assert Voter.objects.get().network_hash == ""


# -- Keys ------------------------------------------------------------------------------------


def aged(days: float) -> None:
    """Everything happened so many days earlier."""
    back = timedelta(days=days)
    NetworkKey.objects.update(created_at=F("created_at") - back)
    Voter.objects.update(network_at=F("network_at") - back)


def forget(days: int = 30) -> int:
    return networks_forget(before=timezone.now() - timedelta(days=days))


@pytest.mark.django_db
def test_a_key_serves_for_some_days(alice: Voter, settings: Settings) -> None:
    settings.NETWORK_KEY_DAYS = 7
    first = network_key_current()
    aged(6.9)
    assert network_key_current() == first
    network_seen(voter=alice, address=HOME)
    aged(0.2)
    second = network_key_current()

    assert second != first
    assert second.secret != first.secret
    alice.refresh_from_db()
    network_seen(voter=alice, address=HOME)
    alice.refresh_from_db()
    assert alice.network_key == second.pk


@pytest.mark.django_db
def test_the_newer_of_two_keys_is_used() -> None:
    NetworkKey.objects.create(created_at=timezone.now() - timedelta(seconds=5))
    newer = NetworkKey.objects.create()

    assert network_key_current() == newer


@pytest.mark.django_db
def test_a_key_is_deleted_with_the_last_hash_made_with_it(
    alice: Voter, bob: Voter, settings: Settings
) -> None:
    settings.NETWORK_KEY_DAYS = 7
    network_seen(voter=alice, address=HOME)
    network_seen(voter=bob, address=WORK)
    key = NetworkKey.objects.get()
    aged(29)
    assert forget() == 0
    assert list(NetworkKey.objects.all()) == [key]
    aged(2)
    assert forget() == 2
    assert not NetworkKey.objects.exists()
    assert not Voter.objects.exclude(network_hash="", network_key="").exists()


@pytest.mark.django_db
def test_the_key_in_use_stays_though_nobody_was_seen_yet(settings: Settings) -> None:
    settings.NETWORK_KEY_DAYS = 7
    key = network_key_current()
    aged(7.5)
    forget()

    assert list(NetworkKey.objects.all()) == [key]


@pytest.mark.django_db
def test_a_key_stays_as_long_as_a_ban_needs_it(alice: Voter, settings: Settings) -> None:
    settings.NETWORK_KEY_DAYS = 7
    network_seen(voter=alice, address=HOME)
    alice.refresh_from_db()
    ban = ban_create(voter=alice, with_network=True, reason="a script", actor=None)
    aged(400)
    forget()
    assert NetworkKey.objects.filter(pk=ban.network_key_id).exists()

    ban_lift(ban=ban, actor=None)
    forget()
    assert not NetworkKey.objects.exists()
    ended = Ban.objects.get()
    assert (ended.network_hash, ended.network_key) == ("", None)
    assert ended.voter == alice
