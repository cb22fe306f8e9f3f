"""How sure a board is: the page, any pair, the matrix and its downloads."""

import csv
import re
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from arena.core import jobs
from arena.core.jobs import job_run_next
from arena.core.models import Job
from arena.integrity.imports import votes_import
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_get
from arena.leaderboard.services import publish, refit
from arena.leaderboard.sure import board_of, gap_between
from arena.leaderboard.sure_words import cell, chance
from tests.leaderboard.test_refit import cycle, staff  # noqa: F401

pytestmark = pytest.mark.django_db

NAMES = ("Avocet", "Bittern", "Curlew", "Dunlin", "Eider")


def ladder(folder: Path, *, voters: int = 0, name: str = "ladder.csv") -> Path:
    """Each contestant beats those after it more often than not, and Avocet Eider nearly always;
    Fulmar has won its only battle. With voters, who cast equally many votes."""
    rows = []
    for i, first in enumerate(NAMES):
        for j, second in enumerate(NAMES[i + 1 :], i + 1):
            wins = 26 + 6 * (j - i)
            rows += [f"{first},{second},model_a"] * wins
            rows += [f"{first},{second},model_b"] * (52 - wins)
    rows.append("Fulmar,Eider,model_a")
    header = "model_a,model_b,winner"
    if voters:
        header += ",judge"
        rows = [f"{row},voter-{number * 7 % voters}" for number, row in enumerate(rows)]
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture(autouse=True)
def _no_lease_to_renew(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a job outlasts the time after which its thread writes to the database,
    which SQLite in memory refuses."""
    monkeypatch.setattr(jobs, "RENEW_SECONDS", 600.0)


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    votes_import(path=ladder(tmp_path, voters=60))
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def page(client: Client, address: str = "/how-sure/", status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    text = re.sub(r"<svg.*?</svg>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def pair(one: str, other: str) -> str:
    return f"/how-sure/?a={one}&b={other}"


def test_it_works(client: Client, board: Snapshot) -> None:
    said = page(client)

    assert "Avocet leads with probability" in said
    for name in NAMES:
        assert name in said
    assert "nothing can be said of it here: Fulmar" in said
    assert "swaps #1 and #2" in said
    assert "cast by" in said
    assert "would lift Bittern over Avocet" in said


def test_figures_are_the_publications(client: Client, board: Snapshot) -> None:
    rows = list(csv.DictReader(StringIO(client.get("/how-sure/download.csv").content.decode())))
    data = client.get("/how-sure/download.json").json()
    sure = part_get(board, "sure")

    assert sure is not None
    assert data["sure"] == sure
    assert data["fragility"] == part_get(board, "fragility")
    assert [float(row["p_best"]) for row in rows] == [each["best"] for each in sure["chances"]]
    assert [float(row["p_top_3"]) for row in rows] == [each["top"][2] for each in sure["chances"]]
    assert [row["model_name"] for row in rows] == sure["contestants"]


@pytest.mark.parametrize(
    ("one", "other", "status", "said"),
    [
        ("Avocet", "Avocet", 400, "Avocet was named twice"),
        ("Avocet", "", 400, "Choose two contestants"),
        ("Heron", "Avocet", 404, "It places: Avocet, Bittern, Curlew, Dunlin and Eider"),
        ("Fulmar", "Avocet", 404, "Fulmar is not placed: Undefeated in 1 battle"),
    ],
)
def test_a_pair_that_cannot_be_compared_is_told_why(
    client: Client, board: Snapshot, one: str, other: str, status: int, said: str
) -> None:
    assert said in page(client, pair(one, other), status)


def test_either_order_of_a_pair_says_the_same(client: Client, board: Snapshot) -> None:
    told = "Avocet is better than Dunlin with probability"

    assert told in page(client, pair("Avocet", "Dunlin"))
    assert told in page(client, pair("Dunlin", "Avocet"))


def test_what_turns_a_pair_is_worked_out_once(client: Client, board: Snapshot) -> None:
    asked = client.post(pair("Dunlin", "Avocet"))
    client.post(pair("Avocet", "Dunlin"))

    assert asked.status_code == 302
    assert Job.objects.count() == 1
    assert "Waiting for its turn" in page(client, asked["Location"])
    done = job_run_next()
    assert done is not None
    assert done.error == ""
    said = page(client, asked["Location"])
    assert "swaps #1 and #4" in said
    assert said.count("would lift Dunlin over Avocet") == 2
    assert "Work out" not in said


def test_drawings_are_drawn(client: Client, board: Snapshot) -> None:
    """And not written out, as markup is that nobody marked as such."""
    said = client.get(pair("Avocet", "Bittern")).content.decode()

    for drawing in ("interval", "places", "chance-bar", "gap-chart"):
        assert f'<svg class="{drawing}' in said
    for name in ("circle", "rect", "line", "svg"):
        assert f"&lt;{name}" not in said


def test_nobody_can_ask_about_what_is_not_there(client: Client, board: Snapshot) -> None:
    assert client.post(pair("Heron", "Avocet")).status_code == 404
    assert not Job.objects.exists()


def test_the_interval_read_off_the_chance_is_that_of_the_votes(
    client: Client, board: Snapshot
) -> None:
    gap = gap_between(board_of(board), "Avocet", "Bittern")
    client.post(pair("Avocet", "Bittern"))
    done = job_run_next()

    assert done is not None
    assert gap.ends is not None
    assert done.result is not None
    found: dict[str, Any] = done.result["difference"]
    assert gap.points == pytest.approx(found["difference"])
    assert gap.ends == pytest.approx((found["lower"], found["upper"]), rel=1e-3)


def test_the_matrix_is_a_part_and_a_page(client: Client, board: Snapshot) -> None:
    part = client.get("/how-sure/pairs/", headers={"HX-Request": "true"}).content.decode()
    whole = client.get("/how-sure/pairs/").content.decode()

    assert "<html" not in part
    assert part.strip() in whole
    assert 'hx-trigger="revealed"' in client.get("/how-sure/").content.decode()
    figures = re.findall(r'<td class="shade-\d+[^>]*>([^<]+)</td>', part)
    assert len(figures) == len(NAMES) * (len(NAMES) - 1)


def test_the_matrix_shows_twenty_at_once(client: Client, tmp_path: Path) -> None:
    ring = [f"m{n:02},m{(n + 1) % 45:02},{end}" for n in range(45) for end in ("model_a", "tie")]
    (tmp_path / "ring.csv").write_text("\n".join(["model_a,model_b,winner", *ring]) + "\n")
    votes_import(path=tmp_path / "ring.csv")
    publish()

    for start, first in (
        ("", "m00"),
        ("21", "m20"),
        ("45", "m25"),
        ("nonsense", "m00"),
        ("999", "m25"),
    ):
        said = client.get(f"/how-sure/pairs/?from={start}").content.decode()
        names = re.findall(r'<th scope="row"><span[^>]*>\d+</span> (\w+)', said)
        assert len(names) == 20, start
        assert names[0] == first, start


def test_without_voters_votes_alone_are_counted(client: Client, tmp_path: Path) -> None:
    votes_import(path=ladder(tmp_path))
    publish()
    said = page(client)

    assert "The voters are not known here" in said
    assert "swaps #1 and #2" in said
    assert "Voters that hold it" not in said


def test_too_few_voters_for_places(client: Client, tmp_path: Path) -> None:
    votes_import(path=ladder(tmp_path, voters=4))
    publish()
    said = page(client)

    assert "Rank sets are absent" in said
    assert "Chances of places are absent" in said
    assert "None" not in said
    assert "p_best" not in client.get("/how-sure/download.csv").content.decode()
    assert "better than Dunlin" in page(client, pair("Avocet", "Dunlin"))


def test_a_draft_has_ratings_alone(
    client: Client,
    staff: Client,  # noqa: F811
    tmp_path: Path,
) -> None:
    votes_import(path=ladder(tmp_path, voters=60))
    refit()
    said = page(staff, "/how-sure/?snapshot=draft")

    assert "A draft does not work this out" in said
    assert "Any pair" not in said
    assert client.get("/how-sure/?snapshot=draft").status_code == 404


def test_three_contestants_have_a_best_and_no_top(client: Client, tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    publish()
    (first, *_) = csv.DictReader(StringIO(client.get("/how-sure/download.csv").content.decode()))

    assert 0 < float(first["p_best"]) <= 1
    assert "p_top_3" not in first
    assert "Top 3" not in page(client)


def test_nothing_published_yet(client: Client) -> None:
    assert "No votes yet" in page(client)


def test_nobody_placed(client: Client, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("model_a,model_b,winner\nwren,kite,model_a\n")
    votes_import(path=tmp_path / "one.csv")
    publish()

    assert "Nobody can be placed yet" in page(client)


def test_a_level_pair_has_no_order_to_turn(client: Client, tmp_path: Path) -> None:
    rows = ["wren,kite,model_a", "kite,wren,model_a", "wren,lark,model_a", "kite,lark,model_a"]
    rows += ["lark,wren,model_a", "lark,kite,model_a"]
    (tmp_path / "level.csv").write_text("\n".join(["model_a,model_b,winner", *rows * 9]) + "\n")
    votes_import(path=tmp_path / "level.csv")
    publish()
    said = page(client, pair("wren", "kite"))

    assert "are level, so there is no order to turn" in said
    assert "Work out" not in said


def test_a_publication_keeps_its_address(client: Client, board: Snapshot, tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path, name="more.csv"))
    publish()

    assert "wren" in page(client)
    assert "wren" not in page(client, f"/how-sure/?snapshot={board.short}")


def test_hostile_names_stay_text(client: Client, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    rows = [f"{name},=1+1,tie", f"=1+1,{name},model_a", f"{name},=1+1,model_a"]
    (tmp_path / "x.csv").write_text("\n".join(["model_a,model_b,winner", *rows]) + "\n")
    votes_import(path=tmp_path / "x.csv")
    publish()

    for address in ("/how-sure/", "/how-sure/pairs/", f"/how-sure/?a={name}&b=%3D1%2B1"):
        assert name not in client.get(address).content.decode()
    assert "\n=1+1" not in client.get("/how-sure/download.csv").content.decode()


def test_queries_do_not_grow_with_contestants(
    client: Client, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    ring = [f"m{n},m{(n + 1) % 60},tie" for n in range(60)]
    (tmp_path / "ring.csv").write_text("\n".join(["model_a,model_b,winner", *ring]) + "\n")
    votes_import(path=tmp_path / "ring.csv")
    publish()

    with django_assert_max_num_queries(10):
        client.get("/how-sure/")


@pytest.mark.parametrize(
    ("value", "words", "figure"),
    [
        (1.0, "over 99.9%", ">99.9"),
        (0.9987, "99.9%", "99.9"),
        (0.61, "61%", "61"),
        (0.0312, "3.1%", "3.1"),
        (0.0, "under 0.1%", "<0.1"),
    ],
)
def test_no_chance_is_told_as_certain(value: float, words: str, figure: str) -> None:
    assert chance(value) == words
    assert cell(value) == figure


def test_the_chance_of_the_other_is_the_rest(client: Client, board: Snapshot) -> None:
    known = board_of(board)
    every = range(len(NAMES))

    assert all(
        known.better(i, j) + known.better(j, i) == pytest.approx(1)
        for i in every
        for j in every
        if i != j
    )
