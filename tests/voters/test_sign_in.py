"""Signing in gives a browser's voter a new key; guessing passwords ends soon."""

import threading
from http.cookies import Morsel

import pytest
from django.conf import settings as arena_settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import connection
from django.test import Client
from pytest_django import Settings

from arena.voters.models import Voter, new_key
from arena.voters.selectors import COOKIE_SALT
from arena.voters.services import voter_from, voter_key, voter_sign_in
from tests import factories

pytestmark = pytest.mark.django_db
NAME, PASSWORD = arena_settings.VOTER_COOKIE, "a long enough password"


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada", password=PASSWORD)


def sign_in(client: Client, name: str = "ada", password: str = PASSWORD, **how: str) -> object:
    fields = {"username": name, "password": password, **how}
    return client.post("/sign-in/", fields, REMOTE_ADDR=how.get("address", "127.0.0.1"))


def carried(client: Client) -> dict[str, str]:
    return {name: morsel.value for name, morsel in client.cookies.items()}


def test_it_works(client: Client, user: User) -> None:
    page = client.get("/sign-in/?next=/leaderboard/")
    assert page.status_code == 200
    assert 'value="/leaderboard/"' in page.content.decode()
    assert "no-store" in page["Cache-Control"]

    response = client.post(
        "/sign-in/", {"username": "ada", "password": PASSWORD, "next": "/leaderboard/"}
    )
    assert (response.status_code, response["Location"]) == (302, "/leaderboard/")
    assert "signed in as ada" in client.get("/sign-in/").content.decode()
    assert voter_from(carried(client)).user == user


def test_it_rotates_the_key_and_keeps_the_voter(client: Client, user: User) -> None:
    client.get("/battle/")
    before, voter = client.cookies[NAME].value, factories.voter_of(client)
    sign_in(client)

    assert client.cookies[NAME].value != before
    assert factories.voter_of(client).pk == voter.pk
    assert Voter.objects.get().user == user
    assert not Voter.objects.filter(key=voter.key).exists()


def test_a_cookie_planted_before_is_worth_nothing_after(client: Client, user: User) -> None:
    planted = signing.dumps(new_key(), salt=COOKIE_SALT)
    client.cookies[NAME] = planted
    factories.voter_of(client)
    sign_in(client)
    victim = factories.voter_of(client)
    attacker = voter_from({NAME: planted})

    assert attacker.pk != victim.pk
    assert attacker.user is None


def test_the_new_cookie_is_kept_as_the_first_was(client: Client, user: User) -> None:
    first: Morsel[str] = client.get("/battle/").cookies[NAME]
    sign_in(client)
    second = client.cookies[NAME]

    for attribute in ("httponly", "samesite", "path", "domain", "secure", "max-age"):
        assert second[attribute] == first[attribute]


def test_another_users_cookie_leads_to_a_fresh_voter(client: Client, user: User) -> None:
    grace = User.objects.create_user("grace", password=PASSWORD)
    sign_in(client, "grace")
    hers = factories.voter_of(client)
    sign_in(client)
    his = factories.voter_of(client)

    assert his.pk != hers.pk
    assert his.user == user
    hers.refresh_from_db()
    assert hers.user == grace
    assert hers.key != his.key


def test_signing_in_again_keeps_the_voter_and_changes_the_key(client: Client, user: User) -> None:
    sign_in(client)
    first = factories.voter_of(client)
    sign_in(client)
    second = factories.voter_of(client)

    assert second.pk == first.pk
    assert second.key != first.key


@pytest.mark.parametrize("value", ["", "forged", "\x00", "a" * 5000])
def test_no_good_cookie_is_no_hindrance(client: Client, user: User, value: str) -> None:
    client.cookies[NAME] = value
    sign_in(client)

    assert voter_key(carried(client)) == Voter.objects.get(user=user).key


@pytest.mark.django_db(transaction=True)
def test_two_windows_that_sign_in_at_once_share_no_voter() -> None:
    """Of two users with one cookie, one gets its voter and the other a fresh one."""
    users = [User.objects.create_user(name) for name in ("ada", "grace")]
    voter = Voter.objects.create()
    cookies = {NAME: signing.dumps(voter.key, salt=COOKIE_SALT)}
    begin, found = threading.Barrier(2), []

    def enter(user: User) -> None:
        begin.wait()
        found.append(voter_sign_in(cookies=cookies, user=user))
        connection.close()

    threads = [threading.Thread(target=enter, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert voter.pk in {each.pk for each in found}
    assert len({each.pk for each in found}) == 2
    assert {each.user for each in Voter.objects.all()} == set(users)


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"]
)
def test_it_leads_nowhere_else(client: Client, user: User, to: str) -> None:
    response = client.post("/sign-in/", {"username": "ada", "password": PASSWORD, "next": to})

    assert response["Location"] == "/"


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong"), ("nobody", PASSWORD), ("ada\x00", PASSWORD), ("", ""), ("a" * 200, "b")],
)
def test_who_is_not_known_stays_outside(
    client: Client, user: User, name: str, password: str
) -> None:
    response = client.post("/sign-in/", {"username": name, "password": password})

    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert arena_settings.SESSION_COOKIE_NAME not in client.cookies
    assert NAME not in client.cookies


def test_what_was_typed_comes_back_as_text(client: Client) -> None:
    typed = '"><script>alert(1)</script>'
    page = client.post("/sign-in/", {"username": typed, "password": "x"}).content.decode()

    assert "<script>alert" not in page
    assert "x" not in page.partition('id="id_password"')[2].partition(">")[0].split('"')


def test_an_account_that_was_ended_is_closed(client: Client, user: User) -> None:
    User.objects.update(is_active=False)

    assert client.post("/sign-in/", {"username": "ada", "password": PASSWORD}).status_code == 200


def test_a_form_from_elsewhere_is_refused(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    for address in ("/sign-in/", "/sign-out/"):
        response = client.post(address, {"username": "ada", "password": PASSWORD})
        assert response.status_code == 403


# -- Signing out -----------------------------------------------------------------------------


def test_signing_out_is_asked_for_and_done(client: Client, user: User) -> None:
    sign_in(client)
    voter = factories.voter_of(client)
    assert "signed in as ada" in client.get("/sign-out/").content.decode()
    assert "signed in as ada" in client.get("/sign-in/").content.decode()

    assert client.post("/sign-out/").status_code in {200, 302}
    assert "You are signed out" in client.get("/sign-out/").content.decode()
    client.get("/battle/")
    assert factories.voter_of(client).pk != voter.pk


def test_the_next_person_at_this_browser_sees_no_battle_of_it(client: Client, user: User) -> None:
    sign_in(client)
    battle = factories.battle(*factories.pair(), factories.voter_of(client))
    address = f"/battle/{battle.pk}/"
    assert client.get(address).status_code == 200
    client.post("/sign-out/")

    assert client.get(address).status_code == 404


# -- Guessing --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/sign-in/", "/admin/login/"])
def test_guessing_ends_soon(client: Client, address: str, settings: Settings) -> None:
    settings.SIGN_IN_RATE = (3, 3600)
    User.objects.create_superuser("ada", password=PASSWORD)
    guess, right = ({"username": "ada", "password": each} for each in ("guess", PASSWORD))
    for _ in range(3):
        assert client.post(address, guess).status_code == 200
    response = client.post(address, right)

    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 7200
    page = response.content.decode()
    assert "too often from your network: 3 per hour" in page
    assert "This was asked too often for now." in page
    assert client.post(address, right, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_both_doors_are_counted_together(client: Client, settings: Settings) -> None:
    settings.SIGN_IN_RATE = (4, 3600)
    for address in ("/sign-in/", "/admin/login/") * 2:
        client.post(address, {"username": "ada", "password": "guess"})

    assert client.post("/sign-in/", {"username": "ada", "password": "guess"}).status_code == 429


def test_a_company_behind_one_address_signs_in_all_morning(user: User, settings: Settings) -> None:
    settings.SIGN_IN_RATE = (3, 3600)
    right = {"username": "ada", "password": PASSWORD}
    for _ in range(6):
        assert Client().post("/sign-in/", right).status_code == 302
