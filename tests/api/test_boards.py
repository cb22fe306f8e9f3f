"""Boards over the API: for tokens whose user may, and in words for everyone else."""

import csv
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client

from arena.api.services import token_create
from arena.integrity.imports import votes_import
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    votes_import(path=cycle(tmp_path))
    snapshot = publish()
    assert snapshot is not None
    return snapshot


@pytest.fixture
def analyst() -> User:
    user = User.objects.create_user("analyst")
    user.user_permissions.add(Permission.objects.get(codename="view_snapshot"))
    return user


def bearing(user: User, expires_in: timedelta = timedelta(days=1)) -> Client:
    token = token_create(user=user, expires_in=expires_in)
    return Client(headers={"Authorization": f"Token {token}"})


def test_it_works(board: Snapshot, analyst: User) -> None:
    client = bearing(analyst)
    (link,) = client.get("/api/v1/boards/").json()
    data = client.get("/api/v1/boards/current/").json()
    rows = list(csv.DictReader(StringIO(client.get("/api/v1/boards/raw.csv").content.decode())))

    assert link["board"] == data["board"] == "raw"
    assert data["snapshot"] == board.digest
    assert data["standings"][0]["contestant"] == "wren"
    assert [row["model_name"] for row in rows] == [row["contestant"] for row in data["standings"]]
    assert client.get(link["json"]).json() == data


def test_a_token_from_the_command_line_opens_the_board(board: Snapshot, analyst: User) -> None:
    out = StringIO()
    call_command("create_api_token", "analyst", expires="2d", stdout=out)
    client = Client(headers={"Authorization": f"Token {out.getvalue().strip()}"})

    assert client.get("/api/v1/boards/current/").status_code == 200


@pytest.mark.parametrize("header", [{}, {"Authorization": "Token 0123456789abcdef"}])
def test_no_token_or_an_unknown_one(board: Snapshot, header: dict[str, str]) -> None:
    response = Client(headers=header).get("/api/v1/boards/current/")

    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 401


def test_an_expired_token(board: Snapshot, analyst: User) -> None:
    client = bearing(analyst, expires_in=timedelta(seconds=-1))

    assert client.get("/api/v1/boards/current.csv").status_code == 401


def test_a_user_without_the_permission(board: Snapshot) -> None:
    response = bearing(User.objects.create_user("nobody")).get("/api/v1/boards/current/")

    assert response.status_code == 403
    assert "permission" in response.json()["detail"]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("/api/v1/boards/poetry/", "These exist: raw"),
        ("/api/v1/boards/poetry.csv", "These exist: raw"),
        ("/api/v1/boards/raw/?snapshot=ffffff", "There is no publication"),
    ],
)
def test_what_does_not_exist(board: Snapshot, analyst: User, where: str, said: str) -> None:
    response = bearing(analyst).get(where)

    assert response.status_code == 404
    assert said in response.json()["detail"]


def test_the_csv_is_csv_whatever_the_client_accepts(board: Snapshot, analyst: User) -> None:
    client = bearing(analyst)

    for accept in ("text/csv", "text/html", "*/*"):
        response = client.get("/api/v1/boards/current.csv", headers={"Accept": accept})
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/csv")


def test_unknown_addresses_are_problems_too() -> None:
    response = Client().get("/api/v1/poetry/")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_a_header_that_is_not_text_is_refused(board: Snapshot) -> None:
    response = Client().get("/api/v1/boards/current/", HTTP_AUTHORIZATION="Token \xff\xfe")

    assert response.status_code == 401


def test_before_the_first_publication(analyst: User) -> None:
    response = bearing(analyst).get("/api/v1/boards/current/")

    assert response.status_code == 404
    assert "No votes yet" in response.json()["detail"]


def test_the_schema_describes_the_boards() -> None:
    schema = Client().get("/api/v1/schema.json").json()

    assert "/api/v1/boards/{board}/" in schema["paths"]
