"""What a person reads when something went wrong: a page, its status, and what to do."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from arena.config.urls import urlpatterns as addresses
from arena.core.exceptions import ArenaError, BadInput, Conflict, Refused, Unknown

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

ERRORS: dict[str, Exception] = {
    "bad-input": BadInput("CANARY: send less."),
    "refused": Refused("CANARY: allow cookies."),
    "unknown": Unknown("CANARY: start a new one."),
    "conflict": Conflict("CANARY: wait until it is finished."),
    "hostile": Unknown("<script>alert('CANARY')</script>"),
    "mistake": RuntimeError("CANARY of the database's password"),
    "unforeseen": ArenaError("CANARY of what has no page"),
}


def failing(request: HttpRequest, what: str) -> HttpResponse:
    raise ERRORS[what]


urlpatterns = [*addresses, path("failing/<slug:what>/", failing)]


@pytest.mark.parametrize(
    ("what", "status", "title"),
    [
        ("bad-input", 400, "The arena could not read this request."),
        ("refused", 403, "This page is not open to you."),
        ("unknown", 404, "There is nothing at this address."),
        ("conflict", 409, "This is not possible at the moment."),
    ],
)
def test_it_works(client: Client, what: str, status: int, title: str) -> None:
    response = client.get(f"/failing/{what}/")
    page = response.content.decode()

    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert title in page
    assert str(ERRORS[what]) in page
    assert 'href="/leaderboard/"' in page


def test_a_page_of_the_arena_says_what_it_needs(client: Client) -> None:
    response = client.get("/battle/00000000-0000-4000-8000-000000000000/reveal/")

    assert response.status_code == 403
    assert "Allow cookies for this site and reload the page." in response.content.decode()


def test_a_message_is_text(client: Client) -> None:
    page = client.get("/failing/hostile/").content.decode()

    assert "CANARY" in page
    assert "<script>alert(" not in page


@pytest.mark.parametrize("what", ["mistake", "unforeseen"])
def test_a_mistake_of_the_arena_has_a_page_that_gives_nothing_away(
    client: Client, what: str
) -> None:
    client.raise_request_exception = False
    response = client.get(f"/failing/{what}/")
    page = response.content.decode()

    assert response.status_code == 500
    assert "The arena made a mistake." in page
    assert "CANARY" not in page


@pytest.mark.parametrize(
    "address", ["/nothing-here/", "/battle/not-a-battle/", "/moved/download.exe", "/%00"]
)
def test_an_unknown_address_has_a_page(client: Client, address: str) -> None:
    response = client.get(address)
    page = response.content.decode()

    assert response.status_code == 404
    assert "There is nothing at this address." in page
    assert 'href="/battle/"' in page


def test_a_host_that_is_not_served_gets_a_page_and_no_address_of_its_own(client: Client) -> None:
    response = client.get("/leaderboard/", headers={"Host": "evil.example"})
    page = response.content.decode()

    assert response.status_code == 400
    assert "The arena could not read this request." in page
    assert "evil.example" not in page


def test_a_form_without_its_token_is_told_to_reload() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/battle/00000000-0000-4000-8000-000000000000/vote/", {"outcome": "tie"})

    assert response.status_code == 403
    assert "Go back, reload the page and send it again." in response.content.decode()
