"""Places over publications: who moved, who came, and who took whose place."""

import csv
import re
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from arena.catalog.models import Contestant, Kind
from arena.catalog.services import revision_add
from arena.integrity.imports import votes_import
from arena.leaderboard import services
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from arena.reports.history import Place
from ranking.analysis.moved import ledger_parts
from tests.reports.market import cast_made, published, said

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    # Of the parts these pages lead to ledgers alone.
    monkeypatch.setattr(services, "parts", ledger_parts)


@pytest.fixture
def two(tmp_path: Path) -> list[Snapshot]:
    """Finch, the variant, stands for its family alone; then swift joins, which is far worse."""
    cast_made()
    first = written(tmp_path, "first.csv", without="swift")
    second = written(tmp_path, "second.csv", without="finch")
    made = []
    for path in (first, second):
        votes_import(path=path)
        made.append(publish())
    return [snapshot for snapshot in made if snapshot]


ORDER = ("finch", "wren", "kite", "lark", "rook", "swift")


def written(folder: Path, name: str, *, without: str) -> Path:
    """Each beats those after it five times in six, on either side; one has met nobody yet."""
    there = [each for each in ORDER if each != without]
    rows = []
    for i, better in enumerate(there):
        for worse in there[i + 1 :]:
            rows += [f"{better},{worse},model_a", f"{worse},{better},model_b"] * 25
            rows += [f"{better},{worse},model_b", f"{worse},{better},model_a"] * 5
    path = folder / name
    path.write_text("\n".join(["model_a,model_b,winner", *rows]) + "\n")
    return path


def rows_of(client: Client, query: str = "") -> list[dict[str, str]]:
    text = client.get(f"/history/places.csv{query}").content.decode()
    return list(csv.DictReader(StringIO(text)))


def places(client: Client, query: str = "") -> dict[tuple[str, str], str]:
    return {(row["contestant"], row["publication"]): row["rank"] for row in rows_of(client, query)}


def test_one_publication_has_no_history(client: Client, tmp_path: Path) -> None:
    cast_made()
    published(tmp_path)
    told = said(client, "/history/")

    assert "This is the first publication, so places have no history yet." in told
    assert "<figure" not in client.get("/history/").content.decode()
    assert client.get("/history/places.svg").status_code == 404


def test_a_family_is_one_line_that_says_who_took_its_place(
    client: Client, two: list[Snapshot]
) -> None:
    told, found = said(client, "/history/"), places(client)

    assert "the family of swift fell furthest, from 1 to 6, as it replaced finch." in told
    assert "Publication 2: swift took the place of finch in their family" in told
    assert found["finch", "1"] == "1"
    assert found["swift", "2"] == "6"
    assert ("finch", "2") not in found


def test_a_revision_is_a_line_of_its_own_where_that_is_asked(
    client: Client, two: list[Snapshot]
) -> None:
    told, found = said(client, "/history/?rows=revisions"), places(client, "?rows=revisions")

    assert found["finch", "2"] == "1"
    assert ("swift", "1") not in found
    assert "Publication 2: swift came beside finch, which is of the same family." in told


def test_ranks_are_the_publications_own(client: Client, two: list[Snapshot]) -> None:
    found = places(client, "?rows=revisions")

    for snapshot in two:
        for row in snapshot.content["boards"]["raw"]["standings"]:
            assert found[row["contestant"], str(snapshot.number)] == str(row["rank"])


def test_an_earlier_publication_ends_its_own_history(client: Client, two: list[Snapshot]) -> None:
    assert "first publication" in said(client, f"/history/?snapshot={two[0].short}")


def test_contestants_can_be_chosen(client: Client, two: list[Snapshot]) -> None:
    assert {name for name, _number in places(client, "?contestant=wren&contestant=rook")} == {
        "wren",
        "rook",
    }
    assert "There is no contestant 'heron'" in said(client, "/history/?contestant=heron", 404)


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("top=7", 400, "These can: 10, 20, 50, 100."),
        ("rows=voters", 400, "They can be"),
        ("board=best", 404, "These exist: raw"),
        ("snapshot=fedcba", 404, "There is no publication"),
    ],
)
def test_what_cannot_be_shown(
    client: Client, two: list[Snapshot], query: str, status: int, told: str
) -> None:
    assert told in said(client, f"/history/?{query}", status)


def test_every_two_publications_lead_to_what_moved(client: Client, two: list[Snapshot]) -> None:
    page = client.get("/history/").content.decode()
    (address,) = {unescape(found) for found in re.findall(r'href="(/moved/\?from[^"]+)"', page)}

    assert two[0].short in address
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("rows", ["families", "revisions"])
def test_it_is_drawn(client: Client, two: list[Snapshot], rows: str, theme: str) -> None:
    drawn = client.get(f"/history/places.svg?rows={rows}&theme={theme}")

    assert drawn.status_code == 200
    assert "swift" in drawn.content.decode()


def test_places_are_told_apart_by_their_rank_sets() -> None:
    first, overlapping, clear = (
        Place(1, 1, 3, 0.0, 1.0),
        Place(4, 3, 6, 0.0, 1.0),
        Place(5, 4, 6, 0.0, 1.0),
    )

    assert first.could_be(overlapping)
    assert not first.could_be(clear)
    # Where the voters were too few for rank sets, nobody knows.
    assert Place(1, None, None, 0.0, 1.0).could_be(clear)


def test_who_is_a_secret_stays_one(client: Client, two: list[Snapshot]) -> None:
    secret = Contestant.objects.create(name="Secret", slug="secret")
    revision_add(
        contestant=secret, name="Secret", kind=Kind.RECORDED, stage="experimental", family="secret"
    )

    assert "Secret" not in said(client, "/history/")


def test_nothing_published_yet(client: Client) -> None:
    assert "No votes yet" in said(client, "/history/")


def test_queries_do_not_grow_with_publications(
    client: Client, two: list[Snapshot], tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    for number in (3, 4):
        votes_import(path=written(tmp_path, f"{number}.csv", without=ORDER[number]))
        publish()
    cache.clear()
    with django_assert_max_num_queries(15):
        client.get("/history/")
