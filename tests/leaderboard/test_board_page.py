"""The board's page: what each view of a publication shows."""

import csv
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from arena.catalog.models import Contestant, Organisation
from arena.integrity.imports import votes_import
from arena.leaderboard.boards import board_page
from arena.leaderboard.models import Snapshot
from arena.leaderboard.page import BoardPage
from arena.leaderboard.services import publish
from arena.leaderboard.sources import ratings_at
from arena.leaderboard.viewing import view_of
from arena.leaderboard.why import whole_points
from ranking import RankingSpec, fit
from ranking.io import read_votes
from ranking.votes import Votes
from tests import factories
from tests.leaderboard.stylish import stylish

pytestmark = pytest.mark.django_db


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    return stylish(tmp_path)


@pytest.fixture
def published(votes: Path) -> Snapshot:
    votes_import(path=votes)
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def shown(snapshot: Snapshot, query: str = "") -> BoardPage:
    return board_page(snapshot, view_of(snapshot, QueryDict(query)))


def names(page: BoardPage) -> list[str]:
    return [row.name for row in page.rows]


def said(client: Client, query: str = "", **headers: str) -> str:
    return client.get(f"/leaderboard/{query}", headers=headers).content.decode()


def published_of(tmp_path: Path, *rows: str, columns: str = "model_a,model_b,winner") -> Snapshot:
    path = tmp_path / "votes.csv"
    path.write_text("\n".join([columns, *rows]) + "\n")
    votes_import(path=path)
    snapshot = publish()
    assert snapshot is not None
    return snapshot


# -- Views of one publication ----------------------------------------------------------------


def test_each_set_of_controls_has_the_board_that_the_votes_give(
    client: Client, votes: Path, published: Snapshot
) -> None:
    read = Votes.from_arrow(read_votes(votes).table)
    for controls in ("none", "length", "markdown", "code", "length,code", "length,markdown,code"):
        data = client.get(f"/leaderboard/download.json?controls={controls}").json()
        board = fit(read, RankingSpec.from_dict(data["spec"]))

        assert [row["contestant"] for row in data["standings"]] == [
            row.contestant for row in board.standings
        ]
        for row, standing in zip(data["standings"], board.standings, strict=True):
            assert row["rating"] == pytest.approx(standing.rating, abs=1e-6)
            assert row["rank"] == standing.rank


def test_views_agree_with_each_other(client: Client, published: Snapshot) -> None:
    raw, full = shown(published, "controls=none"), shown(published)

    assert names(raw) != names(full)
    assert "change place" in full.headline
    # A movement begins at the raw board's place and ends at this one's.
    began = {row.name: row.rank for row in raw.rows}
    for row in full.rows:
        assert row.moved is not None
        assert row.moved.raw_rank == began[row.name]
        assert row.moved.ranks == began[row.name] - row.rank
    # Both ends of the path are the two boards.
    for strength, end in (("0.001", raw), ("0.999", full)):
        between = shown(published, f"strength={strength}")
        for row, same in zip(between.rows, end.rows, strict=True):
            assert (row.name, row.rank) == (same.name, same.rank)
            assert row.rating == pytest.approx(same.rating, abs=1)
    page = said(client, "?strength=0.5")
    assert '<rect class="band" x="' not in page
    assert "no intervals are computed" in page


def test_an_account_sums_to_the_movement(client: Client, published: Snapshot) -> None:
    page = shown(published, "open=wren&open=finch")

    opened = {row.name: row for row in page.rows if row.why}
    assert set(opened) == {"wren", "finch"}
    for row in opened.values():
        assert row.why is not None
        assert row.moved is not None
        assert sum(term.points for term in row.why.terms) == row.why.points
        assert row.why.points == round(row.moved.rating)
        assert sum(term.width for term in row.why.terms) == pytest.approx(100)
    assert "longer than those they met" in str(opened["finch"].why)
    text = said(client, "?open=finch")
    assert 'aria-expanded="true"' in text
    assert opened["finch"].why is not None
    assert opened["finch"].why.sentence in text
    # Of a board that is not the fully controlled one there is no account.
    assert 'class="why"' not in said(client, "?controls=length&open=finch")


def test_rows_are_sorted_and_filtered_and_keep_their_ranks(published: Snapshot) -> None:
    nest = Organisation.objects.create(slug="nest", name="Nest")
    Contestant.objects.filter(name__in=("wren", "rook")).update(
        organisation=nest, licence="open", price_in="0.5", price_out="2.125"
    )
    whole = shown(published)
    ranks = {row.name: row.rank for row in whole.rows}

    assert names(shown(published, "sort=-rank")) == names(whole)[::-1]
    assert names(shown(published, "sort=contestant")) == sorted(names(whole))
    # What has no price comes last either way.
    for sort in ("price", "-price"):
        assert set(names(shown(published, f"sort={sort}"))[:2]) == {"wren", "rook"}
    found = shown(published, "organisation=Nest")
    assert {row.name: row.rank for row in found.rows} == {n: ranks[n] for n in ("wren", "rook")}
    assert found.rows[0].price == ("0.5", "2.125")
    assert names(shown(published, "q=ROO")) == ["rook"]
    assert set(names(shown(published, "q=nest"))) == {"wren", "rook"}
    assert names(shown(published, "licence=proprietary")) == []
    assert names(shown(published, "votes=100000")) == []
    assert shown(published, "votes=100000").headline == whole.headline


def test_what_htmx_asks_for_is_the_part_with_its_address(
    client: Client, published: Snapshot
) -> None:
    part = client.get("/leaderboard/?controls=length&q=", headers={"HX-Request": "true"})

    assert part["HX-Push-Url"] == "/leaderboard/?controls=length"
    assert "HX-Request" in part["Vary"]
    text = part.content.decode()
    assert "<html" not in text
    assert text.count('hx-swap-oob="true"') == 5
    back = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in client.get("/leaderboard/", headers=back).content.decode()


def test_the_form_works_without_scripts(client: Client, published: Snapshot) -> None:
    page = said(client)
    boxes = re.findall(
        r'name="controls" value="(\w+)" id="control-\w+" form="choices" checked', page
    )
    assert boxes == ["length", "markdown", "code"]

    # As a browser sends it with nothing ticked, and with all fields of the form.
    sent = "category=overall&q=&votes=&controls=position"
    response = client.get(f"/leaderboard/?{sent}")
    assert response["Location"] == "/leaderboard/?controls=none"


def test_the_numbers_of_the_path_are_those_of_the_page(client: Client, published: Snapshot) -> None:
    path = client.get("/leaderboard/path.json").json()
    ratings = dict(zip(path["contestants"], ratings_at(path, 0.37), strict=True))

    for row in shown(published, "strength=0.37").rows:
        assert row.rating == pytest.approx(ratings[row.name])


def test_downloads_hold_exactly_the_view(client: Client, published: Snapshot) -> None:
    query = "?controls=length&q=r&sort=votes"
    text = client.get(f"/leaderboard/download.csv{query}").content.decode()
    data = client.get(f"/leaderboard/download.json{query}").json()

    rows = list(csv.DictReader(StringIO(text)))
    wanted = names(shown(published, query[1:]))
    assert [row["model_name"] for row in rows] == wanted
    assert [row["contestant"] for row in data["standings"]] == wanted
    assert data["view"] == {"controls": "length", "q": "r", "sort": "votes"}
    assert all(row["moved_ranks"] for row in rows)


def test_what_does_not_exist_is_said_with_what_does(client: Client, published: Snapshot) -> None:
    for address, status, told in (
        ("/leaderboard/poetry/", 404, "These exist: overall"),
        ("/leaderboard/?controls=vibes", 404, "length, markdown, code"),
        ("/leaderboard/?variant=vibes", 404, "davidson"),
        ("/leaderboard/?strength=7", 400, "from 0 (raw) to 1"),
        ("/leaderboard/?snapshot=ffffffff", 404, "The latest are"),
        ("/leaderboard/?sort=vibes", 400, "rank, contestant"),
        ("/leaderboard/poetry/download.csv", 404, "These exist: overall"),
    ):
        response = client.get(address)

        assert response.status_code == status, address
        assert told in response.content.decode(), address


def test_queries_and_weight_do_not_grow_with_contestants(
    client: Client, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    many = 300
    rows = [f"contestant {n},contestant {(n + k) % many},tie" for n in range(many) for k in (1, 7)]
    published_of(tmp_path, *rows)

    with django_assert_max_num_queries(12):
        page = client.get("/leaderboard/", headers={"Accept-Encoding": "gzip"})
    assert b"40 of 300 shown" in client.get("/leaderboard/").content
    with django_assert_max_num_queries(12):
        page = client.get("/leaderboard/?show=all", headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    assert len(page.content) < 100_000


# -- Families --------------------------------------------------------------------------------


def test_a_family_has_one_row_with_its_revisions_below(tmp_path: Path) -> None:
    for name, stage in (("wren 1", "released"), ("wren 1 exp", "experimental"), ("kite", "")):
        factories.revision(name, stage=stage, family="kite" if name == "kite" else "wren")
    rows = ["wren 1 exp,wren 1,model_a", "wren 1,kite,model_a", "kite,wren 1 exp,model_a"]
    snapshot = published_of(tmp_path, *rows * 8, "wren 1 exp,kite,model_a", "wren 1 exp,kite,tie")

    page = shown(snapshot, "rows=families")

    order = [(row.name, row.below) for row in page.rows]
    at = order.index(("wren 1", False))
    assert order[at + 1] == ("wren 1 exp", True)
    assert {row.name: row.rank for row in page.rows} == {
        row.name: row.rank for row in shown(snapshot).rows
    }


# -- Sparse votes ----------------------------------------------------------------------------


def test_one_vote_places_nobody(client: Client, tmp_path: Path) -> None:
    published_of(tmp_path, "wren,kite,model_a")
    page = said(client)

    assert "Nobody can be placed yet." in page
    assert "<table" not in page.replace('<section class="left-out">', "").split("Not placed")[0]


def test_all_ties_leave_one_rank(tmp_path: Path) -> None:
    page = shown(published_of(tmp_path, *["wren,kite,tie", "kite,lark,tie"] * 10))

    assert page.headline == "All 3 contestants share first place."
    assert [row.rank for row in page.rows] == [1, 1, 1]


def test_who_met_nobody_of_the_main_board_is_not_compared(client: Client, tmp_path: Path) -> None:
    main = ["wren,kite,model_a", "kite,lark,model_a", "lark,wren,model_a"] * 10
    published_of(tmp_path, *main, *["rook,swift,model_a", "swift,rook,model_a"] * 3)

    assert "Not comparable: it has met nobody on the main board." in said(client)


def test_the_undefeated_are_bounded_on_one_side(client: Client, tmp_path: Path) -> None:
    main = ["wren,kite,model_a", "kite,lark,model_a", "lark,wren,model_a"] * 10
    published_of(tmp_path, *main, *["rook,wren,model_a"] * 6)
    page = said(client)

    assert re.search(r"Undefeated in 6 battles: above [\d,]+, and no more can be said\.", page)
    assert "3 of 3 shown" in page


def test_a_feature_that_never_differs_is_not_controlled_for(client: Client, tmp_path: Path) -> None:
    rows = ["wren,kite,model_a,40,40", "kite,lark,model_a,40,40", "lark,wren,model_a,40,40"] * 12
    published_of(tmp_path, *rows, columns="model_a,model_b,winner,tokens_a,tokens_b")
    page = said(client)

    assert "Strength of control" not in page
    assert "Moved from raw" not in page
    assert "wren" in page


@pytest.mark.parametrize(
    ("values", "points"),
    [([1.4, 1.4, 1.4], [2, 1, 1]), ([-0.6, -0.6, 0.1], [-1, 0, 0]), ([], []), ([2.0], [2])],
)
def test_figures_are_rounded_so_that_they_sum(values: list[float], points: list[int]) -> None:
    assert sorted(whole_points(values)) == sorted(points)
    assert sum(whole_points(values)) == round(sum(values))
