"""A private arena: nothing but the way in for whoever is not signed in, on pages and sockets."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.sessions import CookieMiddleware
from channels.testing import WebsocketCommunicator
from django.conf import settings as arena_settings
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from arena.config.urls import urlpatterns as addresses
from arena.voters.exceptions import SignInNeeded
from arena.voters.sockets import Members, sign_in_needed, signed_in

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SCRIPT = {"Accept": "*/*"}


def kept(request: HttpRequest) -> HttpResponse:
    """A page that any proxy may keep."""
    return HttpResponse("open", headers={"Cache-Control": "public, max-age=600"})


urlpatterns = [*addresses, path("kept/", kept)]


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada", password="a long enough password")


@pytest.fixture(autouse=True)
def private(settings: Settings) -> None:
    settings.PRIVATE = True


# -- Pages -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_works(client: Client, user: User) -> None:
    response = client.get("/leaderboard/?board=raw", headers=PAGE)
    assert response.status_code == 302
    assert response["Location"] == "/sign-in/?next=/leaderboard/%3Fboard%3Draw"
    page = client.get(response["Location"])
    assert "for those who have an account here" in page.content.decode()

    fields = {"username": "ada", "password": "a long enough password"}
    signed = client.post("/sign-in/", fields | {"next": "/leaderboard/?board=raw"})
    assert signed["Location"] == "/leaderboard/?board=raw"
    assert client.get("/leaderboard/", headers=PAGE).status_code == 200


BATTLE = "/battle/00000000-0000-4000-8000-000000000000/"
CLOSED = [
    *("/", "/battle/", BATTLE, "/leaderboard/", "/archive/", "/privacy/", "/challenge/"),
    *("/nothing-here/", "/apis/", "/administration/", "/sign-in", "/static", "//api/v1/"),
    *("/leaderboard/../api/", "/API/v1/health/", "/%61pi/"),
]


@pytest.mark.django_db
@pytest.mark.parametrize("address", CLOSED)
def test_everything_is_closed(client: Client, address: str) -> None:
    page = client.get(address, headers=PAGE)
    fetched = client.get(address, headers=SCRIPT)
    if address == "/%61pi/":
        # It is /api/, and nothing stands there.
        assert page.status_code == 404
        return

    assert page.status_code == 302
    assert page["Location"].startswith("/sign-in/?next=/")
    assert "no-store" in page["Cache-Control"]
    assert fetched.status_code == 403
    assert "sign in" in fetched.json()["message"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/sign-in/", "/api/v1/health/", "/api/v1/", "/static/core/css/base.css"]
)
def test_the_way_in_is_open(client: Client, address: str) -> None:
    assert client.get(address, headers=PAGE).status_code == 200


@pytest.mark.django_db
def test_the_admin_asks_in_its_own_way(client: Client) -> None:
    assert client.get("/admin/", headers=PAGE)["Location"].startswith("/admin/login/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers",
    [
        SCRIPT,
        PAGE | {"HX-Request": "true"},
        PAGE | {"Sec-Fetch-Mode": "cors"},
        {"Accept": "application/json"},
        {},
    ],
)
def test_a_script_gets_an_answer_it_can_read(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/leaderboard/", headers=headers)

    assert response.status_code == 403
    assert response["Content-Type"] == "application/json"


@pytest.mark.django_db
def test_nobody_votes_from_outside(client: Client) -> None:
    response = client.post(f"{BATTLE}vote/", {"outcome": "tie", "key": "0f1e2d3c"}, headers=PAGE)

    assert response.status_code == 403
    assert "private" in response.json()["message"]


@pytest.mark.django_db
def test_who_left_the_company_is_outside(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.get("/leaderboard/", headers=PAGE).status_code == 200
    User.objects.update(is_active=False)

    assert client.get("/leaderboard/", headers=PAGE).status_code == 302


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_no_proxy_keeps_what_was_shown_inside(client: Client, user: User) -> None:
    client.force_login(user)
    response = client.get("/kept/", headers=PAGE)

    assert response.content == b"open"
    assert response["Cache-Control"] == "max-age=600, private"
    assert "Cookie" in response["Vary"]


@pytest.mark.django_db
def test_an_open_arena_asks_nobody(client: Client, settings: Settings) -> None:
    settings.PRIVATE = False

    assert client.get("/leaderboard/", headers=PAGE).status_code == 200
    assert "Voting needs no account" in client.get("/sign-in/").content.decode()


# -- Sockets ---------------------------------------------------------------------------------


@pytest.fixture
async def no_connection_left(transactional_db: None) -> AsyncIterator[None]:
    """The thread that serves asynchronous code gives its connection back."""
    yield
    await sync_to_async(connections.close_all, thread_sensitive=True)()


async def accepting(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Any consumer, which asks again before a battle."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        try:
            await sign_in_needed(scope)
        except SignInNeeded as error:
            await send({"type": "websocket.send", "text": error.message})
        else:
            await send({"type": "websocket.send", "text": "begun"})


def opened(client: Client | None) -> WebsocketCommunicator:
    """A socket with that browser's cookies, as the arena wraps it."""
    pairs = [f"{name}={each.value}" for name, each in client.cookies.items()] if client else []
    headers = [(b"host", b"localhost"), (b"cookie", "; ".join(pairs).encode())]
    return WebsocketCommunicator(CookieMiddleware(Members(accepting)), "/ws/battle/", headers)


@sync_to_async
def member() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    return client


@pytest.mark.usefixtures("no_connection_left")
async def test_a_member_opens_a_socket_and_begins() -> None:
    socket = opened(await member())
    assert (await socket.connect())[0]
    await socket.send_to(text_data="begin")

    assert await socket.receive_from() == "begun"
    await socket.disconnect()


@pytest.mark.usefixtures("no_connection_left")
async def test_a_stranger_opens_none(settings: Settings) -> None:
    forged = Client()
    forged.cookies[arena_settings.SESSION_COOKIE_NAME] = "a" * 32
    for client in (None, Client(), forged):
        assert not (await opened(client).connect())[0]

    settings.PRIVATE = False
    socket = opened(None)
    assert (await socket.connect())[0]
    await socket.disconnect()


@pytest.mark.usefixtures("no_connection_left")
@pytest.mark.parametrize("how", ["signed out", "ended", "new password"])
async def test_who_is_no_member_any_more_begins_nothing_on_an_old_socket(how: str) -> None:
    client = await member()
    socket = opened(client)
    assert (await socket.connect())[0]
    await sync_to_async(expel)(client, how)
    await socket.send_to(text_data="begin")

    assert "sign in" in await socket.receive_from()
    await socket.disconnect()
    assert not (await opened(client).connect())[0]


def expel(client: Client, how: str) -> None:
    user = User.objects.get()
    match how:
        case "signed out":
            client.session.flush()
        case "ended":
            user.is_active = False
        case "new password":
            user.set_password("another")
    user.save()


@pytest.mark.usefixtures("no_connection_left")
async def test_no_cookie_at_all_is_nobody() -> None:
    assert not await signed_in({"cookies": {}})
