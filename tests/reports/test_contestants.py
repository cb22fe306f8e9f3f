"""A contestant's page and the list of all: what they say, and what they keep to themselves."""

import csv
import json
import re
from collections.abc import Callable
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from arena.battles.services import vote_cast
from arena.catalog.models import Contestant, Kind, Organisation, Status
from arena.catalog.services import revision_add
from arena.integrity.imports import votes_import
from arena.leaderboard import services
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_get
from arena.leaderboard.services import publish, refit
from arena.reports.contestants_figures import distance_apart
from arena.voters.models import Voter
from ranking.analysis.boards import category_parts
from ranking.analysis.categories import category_table, pooled_parts
from ranking.analysis.certainty import default_parts
from tests import factories
from tests.leaderboard.stylish import stylish
from tests.leaderboard.test_refit import staff  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Of another test's publication, which has the same votes and so the same name."""
    cache.clear()


@pytest.fixture(autouse=True)
def _own_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts that these pages read, which are made sooner than all."""

    def parts(sources: Any, made: Any, before: Any = None) -> Any:
        yield from default_parts(sources.votes, made)
        found = [*category_parts(sources, made), *pooled_parts(sources, made)]
        yield from found
        yield from category_table(sources, made, dict(found))

    monkeypatch.setattr(services, "parts", parts)


def with_category(path: Path) -> Path:
    """The same votes, of which every third is about code."""
    rows = list(csv.DictReader(StringIO(path.read_text())))
    for number, row in enumerate(rows):
        row["is_code"] = str(number % 3 == 0).lower()
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def published(path: Path) -> Snapshot:
    votes_import(path=path)
    snapshot = publish()
    assert snapshot is not None
    return snapshot


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    return published(with_category(stylish(tmp_path)))


def written(folder: Path, *rows: str, name: str = "votes.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(["model_a,model_b,winner", *rows]) + "\n")
    return path


def text(client: Client, address: str, status: int = 200) -> str:
    """What a page says, without its markup and drawings."""
    response = client.get(address)
    assert response.status_code == status, response.content.decode()[:2000]
    bare = re.sub(r"<svg.*?</svg>|<script.*?</script>", " ", response.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def headings(client: Client, address: str) -> list[str]:
    found = re.findall(r"<h2[^>]*>(.*?)</h2>", client.get(address).content.decode(), flags=re.S)
    return [" ".join(unescape(each).split()) for each in found]


SECTIONS = [
    "Why did it move?",
    "How it writes",
    "By category",
    "Head to head",
    "How easily could this change?",
    "What is served",
]


def test_it_works(client: Client, board: Snapshot) -> None:
    said = text(client, "/models/wren/")

    assert "With style controlled it ranks 1 of 6." in said or "so does the board" in said
    assert headings(client, "/models/wren/") == SECTIONS
    assert "Nobody stands above it." in said
    assert "not served here: its votes were imported" in said
    for rival in ("kite", "lark", "rook", "swift", "finch"):
        assert rival in said


def test_its_numbers_are_the_publications(client: Client, board: Snapshot) -> None:
    data = client.get("/models/finch/profile.json").json()
    standings = board.content["boards"]["controlled"]["standings"]

    assert data["standing"] == next(row for row in standings if row["contestant"] == "finch")
    assert data["profile"] == part_get(board, "contestant/finch")
    points = sum(term["rating"] for term in data["account"]["terms"])
    moved = data["standing"]["rating"] - data["raw"]["rating"]
    assert points == pytest.approx(moved, abs=1e-6)


def test_the_waterfall_leads_from_raw_to_controlled(client: Client, board: Snapshot) -> None:
    rows = client.get("/models/finch/why.json").json()["rows"]
    steps = [row for row in rows if row["points"] is not None]

    assert (rows[0]["kind"], rows[-1]["kind"]) == ("raw", "controlled")
    assert steps[0]["from"] == rows[0]["rating"]
    assert steps[-1]["to"] == pytest.approx(rows[-1]["rating"], abs=1e-6)
    sizes = [abs(step["points"]) for step in steps]
    assert sizes == sorted(sizes, reverse=True)


def test_the_record_is_that_of_the_votes(client: Client, tmp_path: Path) -> None:
    published(
        written(
            tmp_path,
            *["wren,kite,model_a"] * 5,
            *["kite,wren,model_a"] * 2,
            "wren,kite,tie",
            "kite,wren,tie (bothbad)",
            *["wren,lark,model_b", "lark,kite,model_b", "kite,lark,tie"] * 3,
        )
    )
    body = client.get("/models/wren/versus.csv").content.decode()
    row = next(row for row in csv.DictReader(StringIO(body)) if row["opponent"] == "kite")

    counted = {name: row[name] for name in ("votes", "won", "tied", "both_bad", "lost")}
    assert counted == {"votes": "9", "won": "5", "tied": "1", "both_bad": "1", "lost": "2"}
    assert float(row["observed"]) == pytest.approx(6 / 9)


def test_categories_stand_beside_all_votes(client: Client, board: Snapshot) -> None:
    said = client.get("/models/wren/").content.decode()

    assert 'href="/leaderboard/code/"' in said
    rows = client.get("/models/wren/categories.json").json()["rows"]
    assert [row["name"] for row in rows] == ["overall", "code"]
    assert 0 < rows[1]["votes"] < rows[0]["votes"]


def test_one_of_many_categories_has_to_be_surer() -> None:
    """A difference of 12 with errors of 5 and 1: sure alone, but not as one of twenty."""
    overall = {"rating": 1000.0, "lower": 998.04, "upper": 1001.96}
    row = {"rating": 1012.0, "lower": 1002.2, "upper": 1021.8}

    assert distance_apart(row, overall, 1) == 1
    assert distance_apart(row, overall, 20) == 0
    assert distance_apart(overall, row, 1) == -1
    assert distance_apart(row | {"lower": None, "upper": None}, overall, 1) == 0


@pytest.mark.parametrize("name", ["why", "writing", "categories", "versus"])
def test_every_figure_can_be_taken_away(client: Client, board: Snapshot, name: str) -> None:
    svg = client.get(f"/models/wren/{name}.svg")
    assert svg.status_code == 200
    assert b"<title>" in svg.content
    dark = client.get(f"/models/wren/{name}.svg?theme=dark")
    assert dark.content != svg.content
    rows = list(csv.DictReader(StringIO(client.get(f"/models/wren/{name}.csv").content.decode())))
    assert len(rows) == len(client.get(f"/models/wren/{name}.json").json()["rows"])


def test_a_figure_that_is_not_there_names_those_that_are(client: Client, board: Snapshot) -> None:
    assert "why" in text(client, "/models/wren/poem.svg", 404)
    # One publication has no history yet.
    assert "versus" in text(client, "/models/wren/history.svg", 404)


def test_history_marks_the_revision_that_came_in(
    client: Client, board: Snapshot, tmp_path: Path
) -> None:
    wren = Contestant.objects.get(slug="wren")
    revision_add(contestant=wren, name="wren 2", kind=Kind.IMPORTED, stage="released")
    again = stylish(tmp_path, votes=900, name="again.csv")
    again.write_text(re.sub(r"\bwren\b", "wren 2", again.read_text()))
    published(again)
    rows = client.get("/models/wren/history.json").json()["rows"]

    assert {(row["publication"], row["revision"]) for row in rows} == {
        (1, "wren"),
        (2, "wren"),
        (2, "wren 2"),
    }
    assert b"wren 2 enters" in client.get("/models/wren/history.svg").content
    assert "Over time" in headings(client, "/models/wren/")
    # The furthest released revision is shown where none is asked for.
    assert "<bdi>wren 2</bdi>" in client.get("/models/wren/").content.decode()
    assert "Also revision wren 2" in text(client, "/models/wren/?revision=1")
    # The earlier publication knew of one alone, and of no history.
    earlier = f"/models/wren/?snapshot={board.short}"
    assert "<bdi>wren</bdi>" in client.get(earlier).content.decode().split("</h1>")[0]
    assert "Over time" not in headings(client, earlier)


def test_votes_against_style_are_told(client: Client, board: Snapshot) -> None:
    part = part_get(board, "contestant/wren")
    assert part is not None
    found = part["disagreements"]

    said = text(client, "/models/wren/")
    assert f"preferred in {found['against']}" in said
    assert found["examples"][0]["opponent"] in said


# -- What is lacking -------------------------------------------------------------------------


def test_nothing_published_yet(client: Client) -> None:
    assert "No votes yet" in text(client, "/models/wren/")
    assert "No votes yet" in text(client, "/models/")


def test_an_unknown_name_is_told_what_exists(client: Client, board: Snapshot) -> None:
    assert "The nearest names: wren" in text(client, "/models/wrem/", 404)
    assert "finch, kite, lark, rook, swift and wren" in text(client, "/models/nobody-at-all/", 404)
    assert "no revision '7' here. These exist: 1" in text(client, "/models/wren/?revision=7", 404)


@pytest.mark.parametrize(
    ("rows", "slug", "says", "sections"),
    [
        (["wren,kite,model_a"], "wren", "Undefeated in 1 battle", ["Head to head"]),
        (["wren,kite,tie"] * 20, "wren", "ranks 1 of 2", ["Head to head", "How easily"]),
        (
            ["wren,kite,tie", "kite,wren,model_a", "wren,kite,model_a", "lark,wren,model_a"],
            "lark",
            "Undefeated in 1 battle: ",
            ["Head to head"],
        ),
    ],
)
def test_each_section_is_there_only_with_something_to_say(
    client: Client, tmp_path: Path, rows: list[str], slug: str, says: str, sections: list[str]
) -> None:
    published(written(tmp_path, *rows))
    said = text(client, f"/models/{slug}/")

    assert says in said
    assert "None" not in said
    found = headings(client, f"/models/{slug}/")
    assert [each for each in found if not each.startswith("What is served")] == [
        each for each in found for wanted in sections if each.startswith(wanted)
    ]
    assert len(found) == len(sections) + 1


def test_no_link_to_what_a_pair_s_page_does_not_say(
    client: Client,
    staff: Client,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Nothing turns the order of two that share a place; and a draft does not work it out."""
    published(written(tmp_path, *["wren,kite,tie"] * 20))
    assert "#turned" not in client.get("/models/wren/").content.decode()

    votes_import(path=stylish(tmp_path))
    refit()
    assert "#turned" not in staff.get("/models/wren/?snapshot=draft").content.decode()


def test_without_a_vote_that_counts(client: Client, board: Snapshot) -> None:
    idle = factories.revision("heron", stage="released")
    said = text(client, f"/models/{idle.contestant.slug}/")

    assert "No vote on it counts in this publication yet" in said
    assert headings(client, f"/models/{idle.contestant.slug}/") == ["What is served"]
    page = client.get(f"/models/{idle.contestant.slug}/").content.decode()
    assert 'class="numbers"' not in page
    assert 'class="two"' not in page


def test_a_draft_says_what_it_knows(client: Client, staff: Client, tmp_path: Path) -> None:  # noqa: F811
    votes_import(path=stylish(tmp_path))
    refit()

    assert "ranks" in text(staff, "/models/wren/?snapshot=draft")
    assert client.get("/models/wren/?snapshot=draft").status_code == 404


# -- What is not said ------------------------------------------------------------------------


def test_what_is_not_public_does_not_exist(client: Client, board: Snapshot) -> None:
    trial = factories.revision("osprey-trial", stage="experimental")
    draft = factories.revision("merlin", stage="released")
    Contestant.objects.filter(pk=draft.contestant_id).update(status=Status.DRAFT)
    wren = Contestant.objects.get(slug="wren")
    Contestant.objects.filter(pk=wren.pk).update(status=Status.ACTIVE)
    revision_add(
        contestant=wren,
        name="wren-secret",
        kind=Kind.OPENAI,
        stage="experimental",
        endpoint="http://secret.example/v1",
        remote_model="wren-next",
    )

    for address in ("/models/", "/models/wren/", "/models/?q=wren"):
        said = client.get(address).content.decode()
        for secret in ("osprey", "merlin", "wren-secret", "wren-next", "secret.example"):
            assert secret not in said, (address, secret)
    for hidden in (trial, draft):
        assert client.get(f"/models/{hidden.contestant.slug}/").status_code == 404
    assert client.get("/models/wren/?revision=2").status_code == 404


def test_an_endpoint_and_its_key_stay_secret(client: Client, board: Snapshot, alice: Voter) -> None:
    served = factories.revision(
        "heron",
        Kind.OPENAI,
        endpoint="http://10.1.2.3/v1",
        key_env="HERON_KEY",
        remote_model="heron-large",
        system_prompt="You are <b>brief</b>.",
        decoding={"temperature": 0.5},
        stage="released",
    )
    said = client.get(f"/models/{served.contestant.slug}/").content.decode()

    assert "heron-large" in said
    assert "You are &lt;b&gt;brief&lt;/b&gt;." in said
    assert "temperature" in said
    assert served.identity in said
    assert "10.1.2.3" not in said
    assert "HERON_KEY" not in said


def test_an_operator_may_keep_what_is_served(
    client: Client, board: Snapshot, settings: Any
) -> None:
    settings.PUBLISH_SERVED = False
    served = factories.revision(
        "heron",
        remote_model="heron-large",
        system_prompt="You are brief.",
        decoding={"temperature": 0.5},
        stage="released",
    )
    said = client.get(f"/models/{served.contestant.slug}/").content.decode()

    assert served.identity in said
    for kept in ("heron-large", "You are brief.", "temperature"):
        assert kept not in said


def test_hostile_names_stay_text(client: Client, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    published(written(tmp_path, *[f"{name},=1+1,tie", f"=1+1,{name},model_a"] * 9))
    maker = Organisation.objects.create(slug="x", name="<img src=x onerror=alert(2)>")
    Contestant.objects.update(organisation=maker)

    addresses = [f"/models/{each.slug}/" for each in Contestant.objects.all()]
    for address in ("/models/", *addresses):
        said = client.get(address).content.decode()
        assert name not in said
        assert "<img src=x" not in said
    slug = Contestant.objects.get(name=name).slug
    assert "\n=1+1" not in client.get(f"/models/{slug}/versus.csv").content.decode()


# -- The list of all -------------------------------------------------------------------------


def test_the_list_is_in_the_boards_order_and_searchable(
    client: Client, board: Snapshot, tmp_path: Path
) -> None:
    Contestant.objects.filter(slug="rook").update(status=Status.RETIRED)
    maker = Organisation.objects.create(slug="northlight", name="Northlight")
    Contestant.objects.filter(slug__in=["rook", "kite"]).update(organisation=maker)
    said = client.get("/models/").content.decode()
    order = re.findall(r'<th scope="row"><a href="/models/([a-z]+)/"', said)

    standings = board.content["boards"]["controlled"]["standings"]
    assert order == [row["contestant"] for row in standings]
    assert "Retired" in said
    found = client.get("/models/?q=northl").content.decode()
    assert sorted(re.findall(r'<th scope="row"><a href="/models/([a-z]+)/"', found)) == [
        "kite",
        "rook",
    ]
    assert "Nobody is called" in text(client, "/models/?q=zzz")


def test_those_without_a_place_are_listed_last_with_the_reason(
    client: Client, tmp_path: Path
) -> None:
    published(
        written(
            tmp_path, "wren,kite,tie", "kite,wren,model_a", "wren,kite,model_a", "lark,wren,model_a"
        )
    )
    said = text(client, "/models/")

    assert said.index("wren") < said.index("Undefeated in 1 battle")
    assert said.index("kite") < said.index("Undefeated in 1 battle")


# -- How much it takes -----------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/models/", "/models/m0/", "/models/m0/?show=all"])
def test_queries_do_not_grow_with_contestants(
    client: Client,
    tmp_path: Path,
    django_assert_max_num_queries: Callable[[int], Any],
    address: str,
) -> None:
    ring = [
        f"m{n},m{(n + k) % 40},{end}"
        for n in range(40)
        for k in (1, 2)
        for end in ("tie", "model_a")
    ]
    published(written(tmp_path, *ring))
    with django_assert_max_num_queries(15):
        assert client.get(address).status_code == 200


def test_a_vote_cast_here_counts_from_the_next_publication(
    client: Client, board: Snapshot, alice: Voter
) -> None:
    battle = factories.battle(factories.known("wren"), factories.known("kite"), alice)
    vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=alice, outcome="model_a", key="key-of-it"
    )
    before = json.loads(client.get("/models/wren/profile.json").content)
    publish()
    after = json.loads(client.get("/models/wren/profile.json").content)

    assert before["snapshot"] == board.digest
    assert after["standing"]["votes"] == before["standing"]["votes"] + 1
