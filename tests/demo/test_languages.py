"""Numbers, dates and drawings of a large board in every language.

It has style, movements, intervals and categories; these tests only read it.
"""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from xml.etree import ElementTree

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from arena.demo.services import seed
from arena.leaderboard.models import Snapshot
from tests.conftest import folders
from tests.core.test_languages import CHINESE, FRENCH


@pytest.fixture(scope="module")
def demo(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    with (
        django_db_blocker.unblock(),
        folders(tmp_path_factory.mktemp("demo")),
        transaction.atomic(),
    ):
        seed()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def board(demo: None, db: None) -> Snapshot:
    return Snapshot.objects.latest("number")


def test_numbers_are_written_as_the_language_writes_them(client: Client, board: Snapshot) -> None:
    counted = board.content["boards"]["controlled"]["counts"]["counted"]
    assert counted >= 1000
    for headers, mark in (({}, ","), (FRENCH, "\u202f"), (CHINESE, ",")):
        page = client.get("/leaderboard/", headers=headers).content.decode()
        assert f"{counted:,}".replace(",", mark) in page


@pytest.mark.parametrize("headers", [FRENCH, CHINESE])
def test_drawings_are_the_same_in_every_language(
    client: Client, board: Snapshot, headers: dict[str, str]
) -> None:
    """A coordinate of 1,5 would be no coordinate."""
    for query in ("", "?board=raw"):
        english, other = (
            client.get(f"/leaderboard/{query}", headers=asked).content.decode()
            for asked in ({}, headers)
        )
        assert coordinates(english) == coordinates(other)
        assert len(coordinates(english)) > 50


def coordinates(page: str) -> list[tuple[str, str]]:
    """Name and value of each attribute of a drawing that is not words."""
    drawn = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    return [
        (name, value)
        for svg in drawn
        for part in svg.iter()
        for name, value in part.attrib.items()
        if not name.startswith("aria-")
    ]


def test_dates_are_words_for_people_and_neutral_for_programs(
    client: Client, board: Snapshot
) -> None:
    at = board.published_at
    page = client.get("/archive/", headers=CHINESE).content.decode()

    assert f"{at.year}年{at.month}月{at.day}日" in page
    assert f'datetime="{at:%Y-%m-%dT%H:%M}' in page


def test_downloads_are_the_same_in_every_language(client: Client, board: Snapshot) -> None:
    for form in ("csv", "json"):
        address = f"/leaderboard/download.{form}"
        english, french = client.get(address), client.get(address, headers=FRENCH)
        assert english.content == french.content
        assert "Vary" not in french or "Accept-Language" not in french["Vary"]
    rows = csv.DictReader(StringIO(client.get("/leaderboard/download.csv").content.decode()))
    assert all(float(row["rating"]) for row in rows)
