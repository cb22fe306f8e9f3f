"""Organisations: what they have, how much they were shown, and open against closed."""

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client

from arena.catalog.models import Contestant, Organisation
from arena.integrity.imports import votes_import
from arena.leaderboard import services
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_get
from arena.leaderboard.services import publish, refit
from arena.leaderboard.sure import board_of, gap_between
from arena.reports.makers import Member, Place
from arena.reports.openness import Versus, lead_of_means
from arena.reports.organisations import index_page
from tests.leaderboard.stylish import stylish
from tests.leaderboard.test_refit import cycle, staff  # noqa: F401
from tests.reports.market import cast_made, parts, published, said

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(services, "parts", parts)


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    cast_made()
    return published(tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Snapshot:
    """Votes of which nothing but their contestants' names is known."""
    votes_import(path=cycle(tmp_path))
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def rows_of(client: Client, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(client.get(address).content.decode())))


def test_it_works(client: Client, board: Snapshot) -> None:
    told = said(client, "/organisations/")

    assert "The best closed contestant, wren" in told
    for name in ("Alder", "Birch", "Cedar"):
        assert name in told
    assert "1 variant was tested before a release, by Cedar." in told
    assert "cannot be said" not in told


def test_the_gap_has_the_interval_of_the_fit(client: Client, board: Snapshot) -> None:
    """Which the chances of every pair have too, made in another part of the publication."""
    openness = index_page(board, "").openness
    assert openness is not None
    expected = gap_between(board_of(board), openness.closed.name, openness.open.name)

    assert expected.ends is not None
    assert openness.lead.points == pytest.approx(expected.points)
    assert (openness.lead.lower, openness.lead.upper) == pytest.approx(expected.ends, rel=1e-3)


def test_the_gap_of_two_means_has_the_interval_of_their_contrast() -> None:
    chance = np.random.default_rng(3)
    root = chance.normal(size=(6, 6))
    covariance, names = root @ root.T, [f"m{i}" for i in range(6)]
    ratings = chance.normal(size=6)

    def error(i: int, j: int) -> float:
        variance = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
        return float(np.sqrt(variance))

    pairs = {
        name: Versus({other: error(i, j) for j, other in enumerate(names) if j != i})
        for i, name in enumerate(names)
    }
    members = [
        Member(name, "", None, "", "", "", "", None, 1, Place(1, 1, 1, float(rating), 0.0), None)
        for name, rating in zip(names, ratings, strict=True)
    ]
    lead = lead_of_means(pairs, 2.0, members[:3], members[3:])
    weights = np.array([1, 1, 1, -1, -1, -1]) / 3

    assert lead is not None
    assert lead.points == pytest.approx(weights @ ratings)
    assert lead.half == pytest.approx(2.0 * np.sqrt(weights @ covariance @ weights))


def test_an_experimental_variant_is_nobody_s_best_open_one(board: Snapshot) -> None:
    """On the raw board it leads all open ones, and it would here as well."""
    Contestant.objects.exclude(name="swift").update(licence="proprietary")
    page = index_page(board, "")
    openness = page.openness

    # What the publication stated stays, whatever the catalog says since.
    assert openness is not None
    assert openness.open.name == "lark"
    assert {"finch"} == {member.name for member in page.members if not member.is_available}
    assert "finch" not in {record.member.name for record in openness.open_records}


def test_shares_are_those_of_the_methodology(client: Client, board: Snapshot) -> None:
    rows = {row["organisation"]: row for row in rows_of(client, "/organisations/exposure.csv")}
    exposure = (part_get(board, "method") or {})["exposure"]
    (alder,) = [group for group in exposure["organisations"] if group["name"] == "Alder"]

    assert sum(float(row["share"]) for row in rows.values()) == pytest.approx(1, abs=1e-5)
    assert float(rows["Alder"]["share"]) == pytest.approx(
        alder["places"] / 2 / exposure["votes"], abs=1e-6
    )
    times = alder["places"] / alder["fair"]
    assert float(rows["Alder"]["times_fair"]) == pytest.approx(times, abs=1e-3)
    assert rows["Cedar"]["variants"] == "1"


def test_publications_tell_how_the_gap_went(
    client: Client, board: Snapshot, tmp_path: Path
) -> None:
    assert 'id="gap"' not in client.get("/organisations/").content.decode()
    published(tmp_path, 900, "second.csv")
    cache.clear()
    moments = rows_of(client, "/organisations/gap.csv")

    assert [row["publication"] for row in moments] == ["1", "2"]
    assert all(row["half"] for row in moments)
    was = rows_of(client, f"/organisations/frontier.csv?snapshot={board.short}")
    rating = {row["contestant"]: float(row["rating"]) for row in was}
    gap = rating[moments[0]["closed"]] - rating[moments[0]["open"]]
    assert float(moments[0]["lead"]) == pytest.approx(gap, abs=0.02)


@pytest.mark.parametrize("name", ["exposure", "frontier", "releases?organisation=alder"])
def test_figures_are_drawn(client: Client, board: Snapshot, name: str) -> None:
    name, mark, query = name.partition("?")
    for theme in ("light", "dark"):
        address = f"/organisations/{name}.svg?{query}{'&' if mark else ''}theme={theme}"
        drawn = client.get(address)
        assert drawn.status_code == 200
        assert "wren" in drawn.content.decode() or "Alder" in drawn.content.decode()


def test_a_page_of_its_own(client: Client, board: Snapshot) -> None:
    told = said(client, "/organisations/cedar/")

    assert "Cedar has 2 contestants here" in told
    assert "Experimental" in told
    assert "1 of them was tested before a release." in told


def test_one_that_has_nobody_on_the_board_is_not_told_of(client: Client, board: Snapshot) -> None:
    Organisation.objects.create(slug="secret", name="Secret Labs")

    told = said(client, "/organisations/secret/", 404)
    assert "These exist: alder, birch and cedar." in told
    assert "Secret Labs" not in said(client, "/organisations/")


def test_nothing_is_made_up_where_nothing_is_stated(client: Client, plain: Snapshot) -> None:
    told = said(client, "/organisations/")

    assert "No organisation is stated for any contestant of this board." in told
    assert "Open and closed cannot be compared" in told
    assert "<figure" not in client.get("/organisations/").content.decode()
    assert client.get("/organisations/exposure.svg").status_code == 404
    assert "No organisation is stated" in said(client, "/organisations/alder/", 404)


def test_names_are_text(client: Client, board: Snapshot) -> None:
    hostile = "=<script>alert(1)</script>"
    Organisation.objects.filter(slug="alder").update(name=hostile)

    for address in ("/organisations/", "/organisations/alder/"):
        assert hostile not in client.get(address).content.decode()
    rows = rows_of(client, "/organisations/exposure.csv")
    assert f"'{hostile}" in {row["organisation"] for row in rows}


def test_a_draft_tells_what_it_knows(
    client: Client,
    staff: Client,  # noqa: F811
    board: Snapshot,
    tmp_path: Path,
) -> None:
    votes_import(path=stylish(tmp_path, 900, "second.csv"))
    refit()

    assert "interval of this gap is not known" in said(staff, "/organisations/?snapshot=draft")
    assert client.get("/organisations/?snapshot=draft").status_code == 404


def test_nothing_published_yet(client: Client) -> None:
    assert "No votes yet" in said(client, "/organisations/")


def test_few_queries(
    client: Client, board: Snapshot, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    published(tmp_path, 900, "second.csv")
    for address in ("/organisations/", "/organisations/alder/"):
        cache.clear()
        with django_assert_max_num_queries(15):
            client.get(address)
