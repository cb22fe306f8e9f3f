"""Families: all of them, and the story of one, told in numbers of the publication."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from arena.catalog.models import Contestant, Kind, Status
from arena.catalog.services import revision_add
from arena.demo.simulate import simulate
from arena.demo.world import SIBLING, VARIANT, planted_theta
from arena.integrity.imports import votes_import
from arena.leaderboard import services
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_get
from arena.leaderboard.services import publish, refit
from ranking.analysis.families import family_parts
from ranking.analysis.sources import sources_of
from ranking.publication import publication
from ranking.snapshots import Stated
from tests.leaderboard.stylish import stylish

pytestmark = pytest.mark.django_db

HOSTILE = "<b>finch</b>"


@pytest.fixture(autouse=True)
def _families_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The part that these pages read, which is made sooner than all."""

    def parts(sources: Any, published: Any, before: Any = None) -> Iterator[Any]:
        yield from family_parts(sources, published)

    monkeypatch.setattr(services, "parts", parts)


def cast(stages: dict[str, str], *, released: date | None = date(2026, 6, 1)) -> None:
    """Revisions of one contestant, Vireo, by name and stage."""
    contestant = Contestant.objects.create(
        name="Vireo", slug="vireo", status=Status.ACTIVE, released_on=released
    )
    for name, stage in stages.items():
        revision_add(contestant=contestant, name=name, kind=Kind.IMPORTED, stage=stage)


def published(
    folder: Path, name: str = "stylish.csv", hostile: bool = False, votes: int = 2000
) -> Snapshot:
    path = stylish(folder, votes, name)
    if hostile:
        path.write_text(path.read_text().replace("finch", HOSTILE))
    votes_import(path=path)
    snapshot = publish()
    assert snapshot is not None
    return snapshot


@pytest.fixture
def vireo(tmp_path: Path) -> Snapshot:
    """Finch, which writes long answers and is the weakest, was tested; wren was released."""
    cast({"finch": "experimental", "wren": "released"})
    return published(tmp_path)


@pytest.fixture
def three_tested(tmp_path: Path) -> Snapshot:
    cast(dict.fromkeys(("finch", "swift", "rook"), "experimental") | {"wren": "released"})
    return published(tmp_path)


def page(client: Client, address: str = "/families/vireo/", status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    text = response.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_it_works(client: Client, vireo: Snapshot) -> None:
    said, part = page(client), part_get(vireo, "family/vireo")
    assert part is not None
    ranks = {row["contestant"]: row["boards"]["controlled"]["rank"] for row in part["members"]}

    assert f"Tested at #{ranks['finch']}, finch is not what was released" in said
    assert f"wren stands at #{ranks['wren']}" in said
    assert "finch against wren" in said
    assert "differ in length" in said
    assert "none was picked from several" in said


def test_numbers_are_the_publications(client: Client, vireo: Snapshot) -> None:
    part = part_get(vireo, "family/vireo")
    assert part is not None
    data = client.get("/families/vireo/family.json").json()
    rows = list(
        csv.DictReader(StringIO(client.get("/families/vireo/ratings.csv").content.decode()))
    )
    (direct,) = part["direct"]

    assert data["compared"] == part["compared"]
    assert data["snapshot"] == vireo.digest
    for row, member in zip(rows, part["members"], strict=True):
        assert row["revision"] == member["contestant"]
        for board, column in (("controlled", "rating"), ("raw", "raw_rating")):
            assert float(row[column]) == pytest.approx(member["boards"][board]["rating"], abs=0.006)
    cells = f"{direct['votes']} {direct['won']} {direct['lost']} {direct['tied']}"
    assert cells in page(client)


def test_every_family_of_several_is_listed(client: Client, vireo: Snapshot) -> None:
    said = page(client, "/families/")

    assert "In 1 family, what was tested is not what was released." in said
    assert 'href="/families/vireo/"' in client.get("/families/").content.decode()
    assert "kite" not in said
    rows = list(csv.DictReader(StringIO(client.get("/families/?as=csv").content.decode())))
    assert [(row["family"], row["revisions"], row["tested"]) for row in rows] == [
        ("vireo", "2", "1")
    ]
    assert client.get("/families/?as=json").json()["families"][0]["family"] == "vireo"


def test_the_best_of_three_is_corrected(client: Client, three_tested: Snapshot) -> None:
    part = part_get(three_tested, "family/vireo")
    assert part is not None
    picked, said = part["best_of"]["picked"], page(client)

    assert "The best of those tested" in said
    assert f"adds {picked['inflation']:.0f} points by chance" in said
    assert f"comes to {picked['corrected']:.0f}" in said
    assert "Before the release 3 variants were tested" in said
    assert "Best of N" in page(client, "/families/")
    rows = client.get("/families/vireo/picked.json").json()["rows"]
    assert len(rows) == 3 + 2
    assert rows[3]["rating"] == pytest.approx(picked["corrected"], abs=0.006)


@pytest.mark.parametrize("name", ["ratings", "writing", "picked"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_are_drawn(client: Client, three_tested: Snapshot, name: str, theme: str) -> None:
    response = client.get(f"/families/vireo/{name}.svg?theme={theme}")

    assert response.status_code == 200
    assert response.content.startswith(b"<svg")
    assert f"/families/vireo/{name}.svg" in client.get("/families/vireo/").content.decode()


def test_the_swap_leads_to_its_ledger(client: Client, tmp_path: Path) -> None:
    cast({"finch": "experimental"})
    before = published(tmp_path)
    contestant = Contestant.objects.get(slug="vireo")
    revision_add(contestant=contestant, name="siskin", kind=Kind.IMPORTED, stage="released")
    path = stylish(tmp_path, 700, "second.csv")
    path.write_text(path.read_text().replace("wren", "siskin"))
    votes_import(path=path)
    after = publish()
    assert after is not None
    text = unescape(client.get("/families/vireo/").content.decode())

    assert f"/moved/?from={before.short}&to={after.short}&rows=families" in text
    assert client.get(f"/families/vireo/?snapshot={before.short}").status_code == 404


def test_released_revisions_have_no_variants(client: Client, tmp_path: Path) -> None:
    cast({"finch": "released", "wren": "released"})
    published(tmp_path)
    said = page(client)

    assert "finch and wren did not give their answers as one model would." in said
    assert "tested" not in said.lower()
    assert "none was tested before its release" in page(client, "/families/")


def test_prompts_that_may_differ_are_said(client: Client, tmp_path: Path) -> None:
    cast({"finch": "experimental", "wren": "released"})
    published(tmp_path, votes=900)
    said = page(client)

    assert "answer unlike one model, unless it was asked different things" in said
    assert "do not name their prompts" in said
    assert "1 variant was tested before a release." in page(client, "/families/")


def test_unknown_families_list_what_exists(client: Client, vireo: Snapshot) -> None:
    assert "These exist: vireo." in page(client, "/families/kite/", 404)
    assert "ratings, writing" in page(client, "/families/vireo/picked.svg", 404)


def test_without_families_nothing_is_promised(client: Client, tmp_path: Path) -> None:
    assert "No votes yet" in page(client, "/families/")
    assert "No votes yet" in page(client, "/families/vireo/")
    published(tmp_path)
    said = page(client, "/families/")

    assert "No family of this publication has several revisions" in said
    assert "<table" not in client.get("/families/").content.decode()
    assert "no family of this publication" in page(client, "/families/vireo/", 404)


def test_names_are_text(client: Client, tmp_path: Path) -> None:
    cast({HOSTILE: "experimental", "wren": "released"})
    published(tmp_path, hostile=True)
    for address in ("/families/", "/families/vireo/"):
        assert HOSTILE not in client.get(address).content.decode()
    assert HOSTILE.encode() not in client.get("/families/vireo/writing.svg").content
    assert json.loads(client.get("/families/vireo/family.json").content)


def test_queries(
    client: Client,
    three_tested: Snapshot,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    for address in ("/families/", "/families/vireo/"):
        with django_assert_max_num_queries(10):
            client.get(address)


def test_the_demo_gives_back_what_was_planted() -> None:
    """The variant and its sibling are of nearly one substance, and of another style."""
    world = simulate()
    stated = {one.name: Stated(family=one.family, stage=one.stage) for one in world.revisions}
    sources = sources_of(world.votes, stated=stated)
    made = publication(sources.votes)
    ((name, part),) = family_parts(sources, made)
    (pair,) = part["compared"]
    apart = {test["metric"] for test in pair["tests"] if test["adjusted"] < 0.05}
    theta, spec = planted_theta(), made.default.spec

    assert (name, pair["prompts"], pair["shared"]) == ("family/vireo-2", "same", 24)
    assert {"tokens", "headers", "lists", "bold", "emoji", "outcome"} <= apart
    assert "substance" not in apart
    variant, sibling = part["members"]
    assert [row["contestant"] for row in (variant, sibling)] == [VARIANT, SIBLING]
    for row in (variant, sibling):
        place, planted = (
            row["boards"]["controlled"],
            spec.center + spec.elo * theta[row["contestant"]],
        )
        assert place["lower"] <= planted <= place["upper"]
    assert variant["boards"]["raw"]["rank"] < 6 < 25 < sibling["boards"]["raw"]["rank"]
    lead, best_of = part["best_of"]["published"]["lead"], part["best_of"]
    assert lead["lower"] <= spec.elo * (theta[SIBLING] - theta[VARIANT]) <= lead["upper"]
    assert (best_of["tested"], best_of["picked"]["inflation"]) == (1, 0.0)


def test_a_draft_tells_nothing_of_families(
    admin_client: Client, vireo: Snapshot, tmp_path: Path
) -> None:
    votes_import(path=stylish(tmp_path, 300, "more.csv"))
    assert refit() is not None

    assert "Of families only publications tell" in page(admin_client, "/families/?snapshot=draft")
    address = "/families/vireo/?snapshot=draft"
    assert "Of families only publications tell" in page(admin_client, address, 404)
