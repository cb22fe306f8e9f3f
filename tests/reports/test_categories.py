"""Categories: their page, the boards of thin ones, and what real votes give."""

import csv
import json
import random
import re
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from arena.integrity.imports import votes_import
from arena.leaderboard.categories import category_definition, category_label, category_words
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_get
from arena.leaderboard.services import publish
from ranking.analysis.tags import CRITERIA
from tests.api.test_real_votes import command_line
from tests.leaderboard.stylish import NAMES, stylish

pytestmark = pytest.mark.django_db


def tagged(folder: Path, votes: int = 3000) -> Path:
    """Votes of which most are in French and half rhyme, where the last of all is the best; a few
    are riddles."""
    chance = random.Random(6)
    read = pa_csv.read_csv(stylish(folder, votes))
    columns = {name: read[name].to_pylist() for name in read.column_names}
    rhymes = [chance.random() < 0.5 for _ in range(votes)]
    for row, rhyme in enumerate(rhymes):
        sides = (columns["model_a"][row], columns["model_b"][row])
        if rhyme and NAMES[-1] in sides and chance.random() < 0.6:
            columns["winner"][row] = "model_a" if sides[0] == NAMES[-1] else "model_b"
    columns |= {
        "language": [chance.choice(["fr", "French", None]) for _ in rhymes],
        "category_tag.form_v0.rhyme": rhymes,
        "category_tag.form_v0.riddle": [chance.random() < 0.04 for _ in rhymes],
    }
    path = folder / "tagged.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def published(tmp_path: Path) -> Snapshot:
    votes_import(path=tagged(tmp_path))
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def said(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return unescape(response.content.decode())


# -- The page --------------------------------------------------------------------------------


def test_it_works(client: Client, published: Snapshot) -> None:
    page = said(client, "/categories/")

    assert "Rhyme reorders the board most" in page
    assert "finch gains most" in page
    for name, address in (("French", "lang-fr"), ("Rhyme", "rhyme"), ("Riddle", "riddle")):
        assert f'<a href="/leaderboard/{address}/">{name}</a>' in page
    assert "The prompt is in French." in page
    assert "Riddle has too few votes for a board of its own." in page


def test_a_cell_without_colour_could_be_nothing(client: Client, published: Snapshot) -> None:
    page, table = said(client, "/categories/"), part_get(published, "categories")
    assert table is not None
    apart = sum(
        abs(difference) > half
        for differences, halves in zip(table["differences"], table["halves"], strict=True)
        for difference, half in zip(differences, halves, strict=True)
    )

    assert len(re.findall(r'<td class="heat (?:up|down)-', page)) == apart > 0
    assert len(re.findall(r'<td class="heat ', page)) == 3 * len(NAMES)


def test_rows_are_ordered_by_a_category(client: Client, published: Snapshot) -> None:
    def names(query: str) -> list[str]:
        page = said(client, f"/categories/{query}")
        return re.findall(r'<th scope="row" class="who"><a[^>]*>([^<]+)<', page)

    table = part_get(published, "categories")
    assert table is not None
    k = table["categories"].index("rhyme")
    ranks = dict(zip(table["contestants"], table["ranks"][k], strict=True))

    assert names("?cells=rank&sort=rhyme") == sorted(NAMES, key=lambda name: ranks[name])
    assert names("?sort=rhyme")[0] == "finch"
    assert sorted(names("")) == sorted(NAMES)


def test_downloads_hold_every_contestant_in_every_category(
    client: Client, published: Snapshot
) -> None:
    rows = list(csv.DictReader(StringIO(said(client, "/categories/heatmap.csv?rows=all"))))
    picture = said(client, "/categories/heatmap.svg")

    assert {(row["contestant"], row["category"]) for row in rows} == {
        (name, category) for name in NAMES for category in ("lang-fr", "rhyme", "riddle")
    }
    assert {row["category"] for row in rows if row["pooled"].lower() == "true"} == {"riddle"}
    assert "Rhyme" in picture
    assert "Riddle (pooled)" in picture


@pytest.mark.parametrize(
    ("query", "status", "exists"),
    [
        ("?sort=poetry", 404, "lang-fr, rhyme, riddle"),
        ("?cells=smells", 400, "difference, rank"),
        ("?snapshot=abcdef", 404, "The latest are"),
    ],
)
def test_what_does_not_exist_is_said_with_what_does(
    client: Client, published: Snapshot, query: str, status: int, exists: str
) -> None:
    assert exists in said(client, f"/categories/{query}", status)


def test_without_categories_nothing_is_promised(client: Client, tmp_path: Path) -> None:
    assert "Categories appear with the first publication." in said(client, "/categories/")
    votes_import(path=stylish(tmp_path, 300))
    publish()
    page = said(client, "/categories/")

    assert "No vote says yet what its prompt was about." in page
    assert "<table" not in page
    said(client, "/categories/heatmap.svg", 404)


def test_a_name_is_text(client: Client, tmp_path: Path) -> None:
    path, tag = tmp_path / "hostile.parquet", "category_tag.<script>alert(1)</script> /..?#%"
    table = pq.read_table(tagged(tmp_path, 600))
    pq.write_table(table.append_column(tag, pa.array([True, False] * 300)), path)
    votes_import(path=path)
    publish()
    page = client.get("/categories/").content.decode()

    assert "<script>alert" not in page
    for address in re.findall(r'href="(/leaderboard/[^"]+)"', page):
        assert client.get(unescape(address)).status_code == 200


def test_queries_do_not_grow(
    client: Client, published: Snapshot, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        said(client, "/categories/?rows=all")


# -- Boards of thin categories ---------------------------------------------------------------


def test_the_board_of_a_thin_category_is_pooled_and_says_so(
    client: Client, published: Snapshot
) -> None:
    part = part_get(published, "category/riddle/pooled")
    assert part is not None
    page = said(client, "/leaderboard/riddle/")
    ratings = re.findall(r'<td class="rating"[^>]*><b>(\d+)</b>', page)

    assert f"Only {part['votes']} votes here, so ratings are pooled" in page
    assert ratings == [f"{row['rating']:.0f}" for row in part["standings"]]
    assert 'href="/leaderboard/riddle/?pooling=none"' in page
    assert 'href="/categories/#pooling"' in page
    assert "pooled" not in said(client, "/leaderboard/rhyme/")


def test_its_own_votes_alone_are_a_click_away(client: Client, published: Snapshot) -> None:
    part = part_get(published, "category/riddle/controlled")
    assert part is not None
    page = said(client, "/leaderboard/riddle/?pooling=none")
    data = json.loads(said(client, "/leaderboard/riddle/download.json?pooling=none"))

    assert "these ratings rest on them alone" in page
    assert [row["rating"] for row in data["standings"]] == [
        row["rating"] for row in part["standings"]
    ]
    assert 'href="/leaderboard/riddle/"' in page
    assert "these ratings rest" not in said(client, "/leaderboard/riddle/?controls=none")


def test_downloads_of_a_pooled_board_hold_its_ratings(client: Client, published: Snapshot) -> None:
    part = part_get(published, "category/riddle/pooled")
    assert part is not None
    data = json.loads(said(client, "/leaderboard/riddle/download.json"))
    rows = list(csv.DictReader(StringIO(said(client, "/leaderboard/riddle/download.csv"))))

    assert [row["rating"] for row in data["standings"]] == [
        row["rating"] for row in part["standings"]
    ]
    assert [float(row["rating"]) for row in rows] == [row["rating"] for row in part["standings"]]
    assert data["counts"]["counted"] == part["votes"]
    said(client, "/leaderboard/riddle/picture.svg")


# -- Names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "label", "within"),
    [
        ("overall", "Overall", "overall"),
        ("if", "Instruction following", "instruction following"),
        ("math", "Mathematics", "mathematics"),
        ("lang-fr", "French", "French"),
        ("lang-zh", "Chinese", "Chinese"),
        ("lang-tlh", "tlh", "tlh"),
        ("our_own_rule", "Our own rule", "our own rule"),
    ],
)
def test_names_of_categories(name: str, label: str, within: str) -> None:
    assert (category_label(name), category_words(name)) == (label, within)
    assert category_definition(name).endswith(".")


def test_languages_are_named_in_the_reader_s() -> None:
    with translation.override("fr"):
        assert category_label("lang-de") == "Allemand"


# -- Real votes ------------------------------------------------------------------------------

CATEGORIES = {
    "creative_writing": "category_tag.creative_writing_v0.1.creative_writing",
    "if": "category_tag.if_v0.1.if",
    "math": "category_tag.math_v0.1.math",
}


def test_boards_of_categories_are_fits_of_the_same_rows(
    real_votes: Path, tmp_path: Path, client: Client
) -> None:
    file = real_votes / "arena_140k_votes.parquet"
    call_command("import_votes", str(file), skip_bad=True)
    publish()
    votes = pq.read_table(file)
    met = pa.array([0] * votes.num_rows)
    for name in CRITERIA:
        met = pc.add(met, votes[f"category_tag.criteria_v0.1.{name}"].cast(pa.int64()))
    inside = {name: votes[tag] for name, tag in CATEGORIES.items()}

    for name, rows in (inside | {"hard_prompts": pc.greater_equal(met, 6)}).items():
        board = json.loads(said(client, f"/leaderboard/{name}/download.json"))
        path = tmp_path / f"{name}.parquet"
        pq.write_table(votes.filter(rows), path)
        fitted = command_line(path, board["spec"], tmp_path)["standings"]

        assert len(board["standings"]) == len(fitted) > 50
        for row, standing in zip(board["standings"], fitted, strict=True):
            assert {key: row[key] for key in standing} == pytest.approx(standing, abs=1e-9)
