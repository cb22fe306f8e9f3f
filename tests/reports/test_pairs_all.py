"""The page of all pairs: observed against predicted, and which places it shows."""

import csv
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.test import Client

from arena.integrity.imports import votes_import
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.services import publish
from arena.reports import contestants_words
from arena.reports import pairs_all_words as words
from arena.reports.charts.pairs_all import heatmap
from arena.reports.pairs_all import asked_of, figures
from arena.reports.pairs_matrix import pairs_of, surprises
from tests.leaderboard.stylish import stylish
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def published(path: Path) -> Snapshot:
    votes_import(path=path)
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def many(folder: Path, count: int) -> Path:
    """A ladder of so many, of whom each meets the next ones."""
    path = folder / "many.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model_a", "model_b", "winner"])
        for k in range(count):
            for step in (1, 2, 3):
                for winner in ("model_a", "model_a", "model_b"):
                    writer.writerow([f"m{k:03}", f"m{(k + step) % count:03}", winner])
    return path


def html(client: Client, address: str = "/pairs/") -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return unescape(response.content.decode())


def test_it_works(client: Client, tmp_path: Path) -> None:
    published(cycle(tmp_path))
    page = html(client)

    assert "3 pairs of 3 placed contestants" in page
    assert page.count("<figure") == 3
    for name in ("wren", "kite", "lark"):
        assert name in page
    assert 'href="/pairs/' in page


def test_before_the_first_publication(client: Client) -> None:
    page = html(client)

    assert "Here every pair will stand" in page
    assert "<figure" not in page


def test_where_nobody_is_placed(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("model_a,model_b,winner\nwren,kite,model_a\n")
    published(path)

    for query in ("", "?show=all", "?to=3"):
        assert "Fewer than two contestants are placed" in html(client, f"/pairs/{query}")


def test_a_last_place_is_not_shown_alone(client: Client, tmp_path: Path) -> None:
    published(many(tmp_path, 21))

    assert 'href="/pairs/?from=20&to=21"' in html(client)
    assert html(client, "/pairs/?from=20&to=21").count('<th scope="row"><span class="place">') == 2


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "0"), (0.001, "<1"), (0.5, "50"), (0.999, ">99"), (1.0, "100")]
)
def test_what_is_not_certain_does_not_read_so(share: float, said: str) -> None:
    assert words.percent(share) == said
    assert contestants_words.share(share) == f"{said}%"


def test_counts_are_of_the_votes(tmp_path: Path) -> None:
    snapshot = published(cycle(tmp_path, times=12))
    pairs = pairs_of(snapshot, BoardName.RAW)
    wren, kite, lark = (pairs.names.index(name) for name in ("wren", "kite", "lark"))

    assert pairs.votes[wren, kite] == pairs.votes[kite, wren] == 12
    assert pairs.observed[wren, kite] == 1
    assert pairs.votes[wren, lark] == 24
    assert pairs.observed[lark, wren] == 0.5
    assert np.isnan(pairs.observed[wren, wren])
    off = ~np.eye(3, dtype=bool)
    assert np.allclose((pairs.level + pairs.level.T)[off], 1)


def test_ties_count_half(tmp_path: Path) -> None:
    rows = ["wren,kite,tie", "kite,wren,both_bad", "wren,kite,model_a", "wren,kite,model_b"]
    path = tmp_path / "ties.csv"
    path.write_text("\n".join(["model_a,model_b,winner", *rows * 5]) + "\n")
    pairs = pairs_of(published(path), BoardName.RAW)

    assert pairs.votes[0, 1] == 20
    assert pairs.observed[0, 1] == 0.5


def test_a_circle_contradicts_its_ratings(client: Client, tmp_path: Path) -> None:
    rows = ["wren,kite,model_a", "kite,lark,model_a", "lark,wren,model_a"] * 40
    path = tmp_path / "circle.csv"
    path.write_text("\n".join(["model_a,model_b,winner", *rows]) + "\n")
    pairs = pairs_of(published(path), BoardName.RAW)
    page = html(client)

    i, j = words.most_surprising(pairs)
    assert pairs.surprise[i, j] > pairs.threshold
    # 40 wins where 20 are expected and the votes' own spread is the binomial one.
    assert pairs.surprise[i, j] == pytest.approx(20 / np.sqrt(40 * 0.25), rel=1e-3)
    assert re.search(r"<h1>\w+ scores 100% against \w+ in 40 votes", page)
    assert "3 pairs are farther from their ratings than chance goes" in page


def test_votes_as_predicted_contradict_nothing(client: Client, tmp_path: Path) -> None:
    published(stylish(tmp_path, 1500))
    page = html(client)

    # Six contestants whose votes follow a rating and the pull of length.
    assert "No pair's votes contradict the ratings of the two." in page
    assert "within chance" in page


def test_surprises_of_fair_votes_have_the_spread_they_claim() -> None:
    chance, m, n = np.random.default_rng(3), 40, 50
    theta = chance.normal(0, 0.5, m)
    expected = 1 / (1 + np.exp(theta[None, :] - theta[:, None]))
    tie = 0.6 * expected * (1 - expected)
    drawn = chance.multinomial(n, np.stack([expected - tie / 2, 1 - expected - tie / 2, tie], -1))
    upper = np.triu(np.ones((m, m)), 1)
    won = drawn[..., 0] * upper + (drawn[..., 1] * upper).T
    even = drawn[..., 2] * upper + (drawn[..., 2] * upper).T
    votes = won + won.T + even
    np.fill_diagonal(expected, np.nan)
    found = surprises({"won": won, "even": even}, votes, won + even / 2, expected)

    assert np.nanstd(found[np.triu_indices(m, 1)]) == pytest.approx(1, abs=0.08)
    assert np.allclose(found, -found.T, equal_nan=True)


# -- Which places ----------------------------------------------------------------------------


def test_the_first_twenty_then_others(client: Client, tmp_path: Path) -> None:
    published(many(tmp_path, 70))
    page = html(client)
    last = html(client, "/pairs/?from=61&to=70")

    assert "Places 1 to 20 of 70 against each other" in page
    assert page.count('<th scope="row"><span class="place">') == 20
    assert "Places 61 to 70 of 70" in last
    assert last.count('<th scope="row"><span class="place">') == 10
    # As many as can be told apart in a picture, and no more.
    everybody = html(client, "/pairs/?show=all")
    assert "Places 1 to 60 of 70" in everybody
    assert "The same as a table" not in everybody


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", (1, 6)),
        ("from=5", (5, 6)),
        ("from=4&to=2", (2, 4)),
        ("from=6&to=6", (5, 6)),
        ("from=1&to=1", (1, 2)),
        ("to=900", (1, 6)),
        ("show=all", (1, 6)),
    ],
)
def test_places_are_those_of_the_board(tmp_path: Path, query: str, places: tuple[int, int]) -> None:
    asked = asked_of(published(stylish(tmp_path, 300)), QueryDict(query))

    assert (asked.first, asked.last) == places


@pytest.mark.parametrize("query", ["from=first", "from=0", "to=-3", "from=²", f"to={'9' * 30}"])
def test_what_is_no_place_is_refused(client: Client, tmp_path: Path, query: str) -> None:
    published(cycle(tmp_path))
    response = client.get(f"/pairs/?{query}")

    assert response.status_code == 400
    assert "They run from 1 to 3" in response.content.decode()


def test_either_board_predicts(client: Client, tmp_path: Path) -> None:
    published(stylish(tmp_path))

    assert "Predicted at equal style" in html(client)
    raw = html(client, "/pairs/?board=raw")
    assert "Predicted by raw ratings" in raw
    assert '/pairs/predicted.svg?board=raw"' in raw
    assert client.get("/pairs/?board=poetry").status_code == 404


def test_a_named_publication_stays_named(client: Client, tmp_path: Path) -> None:
    first = published(stylish(tmp_path))
    (tmp_path / "later").mkdir()
    published(cycle(tmp_path / "later"))
    page = html(client, f"/pairs/?snapshot={first.short}")

    assert f'/pairs/observed.csv?snapshot={first.short}"' in page
    assert "publication 1" in page


# -- Charts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["observed", "predicted", "votes"])
def test_a_picture_shows_the_cells_of_its_data(tmp_path: Path, kind: str) -> None:
    snapshot = published(many(tmp_path, 6))
    asked = asked_of(snapshot, QueryDict())
    pairs = pairs_of(snapshot, asked.board)
    chosen = np.arange(6)
    spec: dict[str, Any] = heatmap(snapshot, pairs, chosen, kind, "light").to_dict(validate=False)
    cells = spec["data"]["values"]

    met = int(np.count_nonzero(pairs.votes))
    assert len(cells) == (30 if kind == "predicted" else met)
    data = next(each for each in figures(snapshot, pairs, asked) if each.name == kind).rows
    assert len(data) == 15
    told = {(row["contestant"], row["opponent"]): row[kind] for row in data}
    for cell in cells:
        if (cell["row"], cell["column"]) in told:
            assert cell["value"] == pytest.approx(told[cell["row"], cell["column"]], abs=1e-3)


def test_queries(client: Client, tmp_path: Path, django_assert_max_num_queries: Any) -> None:
    published(many(tmp_path, 30))
    with django_assert_max_num_queries(8):
        html(client, "/pairs/?show=all")
