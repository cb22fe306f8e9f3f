"""Figures: what each form of one says, how it is kept and limited, and how a page shows it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.template import Context, Template
from django.test import Client, RequestFactory
from PIL import Image

from arena.integrity.imports import votes_import
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish, refit
from arena.reports import pairs_all, responses
from arena.reports.figures import MOST_ROWS, Figure, Shown, said
from arena.reports.pairs_matrix import pairs_of
from arena.reports.responses import figure_response
from tests.leaderboard.conftest import nobody_counted  # noqa: F401
from tests.leaderboard.stylish import stylish
from tests.leaderboard.test_refit import cycle, staff  # noqa: F401

pytestmark = pytest.mark.django_db

HOSTILE = '=<b>"kite"</b>'


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    path = cycle(tmp_path)
    path.write_text(path.read_text().replace("kite", '"=<b>""kite""</b>"'))
    votes_import(path=path)
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def observed(snapshot: Snapshot) -> Figure:
    asked = pairs_all.asked_of(snapshot, QueryDict())
    pairs = pairs_of(snapshot, asked.board)
    return pairs_all.figures(snapshot, pairs, asked)[0]


def shown(figure: Figure) -> str:
    page = Template("{% load figures %}{% figure shown %}")
    return page.render(Context({"shown": Shown(figure, "/pairs/observed", "?from=2")}))


# -- Forms -----------------------------------------------------------------------------------


def test_it_works(client: Client, board: Snapshot) -> None:
    figure = observed(board)
    answers = {form: client.get(f"/pairs/observed.{form}") for form in ("svg", "png", "csv")}
    svg = unescape(answers["svg"].content.decode())

    assert f"<title>{figure.title}</title>" in svg
    assert figure.words in svg
    assert answers["svg"]["Content-Type"] == "image/svg+xml"
    assert Image.open(BytesIO(answers["png"].content)).width > 100
    assert answers["csv"]["Content-Type"].startswith("text/csv")
    for form, answer in answers.items():
        file = f"tiltyard-{board.short}-pairs-observed.{form}"
        assert answer["Content-Disposition"] == f'attachment; filename="{file}"'


def test_a_page_says_the_title_itself(client: Client, board: Snapshot) -> None:
    figure = observed(board)
    words = figure.title.split()[0]
    whole = client.get("/pairs/observed.svg").content.decode()
    bare = client.get("/pairs/observed.svg?on=page").content.decode()
    chart = client.get("/pairs/observed.vega?on=page").json()

    assert f">{words}" in whole.partition("</desc>")[2]
    assert f">{words}" not in bare.partition("</desc>")[2]
    assert chart["$schema"].startswith("https://vega.github.io/schema/vega/")
    assert "title" not in chart


def test_the_size_that_is_kept_free_is_about_right(client: Client, board: Snapshot) -> None:
    width, height = observed(board).size
    picture = Image.open(BytesIO(client.get("/pairs/observed.png?on=page").content))

    assert picture.width / 2 == pytest.approx(width, rel=0.15)
    assert picture.height / 2 == pytest.approx(height, rel=0.15)


def test_both_themes_and_no_other(client: Client, board: Snapshot) -> None:
    light, dark = (client.get(f"/pairs/votes.svg?theme={name}") for name in ("light", "dark"))
    other = client.get("/pairs/votes.svg?theme=sepia")

    assert b"#FBFAF7" in light.content
    assert b"#14161A" in dark.content
    assert other.status_code == 404
    assert "light, dark" in other.content.decode()


def test_data_holds_nothing_that_runs(client: Client, board: Snapshot) -> None:
    table = client.get("/pairs/observed.csv").content.decode()
    data = client.get("/pairs/observed.json").json()

    assert f"'{HOSTILE}" in table.replace('""', '"')
    assert data["snapshot"] == board.digest
    assert data["rows"] == json.loads(json.dumps(observed(board).rows))
    assert HOSTILE in {row["contestant"] for row in data["rows"]} | {
        row["opponent"] for row in data["rows"]
    }


def test_invented_votes_are_named_in_files(board: Snapshot, rf: RequestFactory) -> None:
    board.content = {**board.content, "simulated_votes": 48}
    request = rf.get("/pairs/observed.json")
    answer = figure_response(request, board, observed(board), form="json", of="pairs")

    file = f"tiltyard-simulated-{board.short}-pairs-observed.json"
    assert file in answer["Content-Disposition"]
    assert json.loads(answer.content)["simulated_votes"] == 48


def test_what_a_page_has_no_figure_of(client: Client, board: Snapshot) -> None:
    answer = client.get("/pairs/waterfall.svg")

    assert answer.status_code == 404
    assert "observed, predicted, votes" in answer.content.decode()


# -- Kept, and limited -----------------------------------------------------------------------


def test_a_chart_is_drawn_once(
    client: Client, board: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    real = responses.drawn

    def counted(figure: Figure, form: str, *others: Any) -> bytes:
        made.append(form)
        return real(figure, form, *others)

    monkeypatch.setattr(responses, "drawn", counted)
    first = client.get("/pairs/observed.svg")
    again = client.get("/pairs/observed.svg", headers={"If-None-Match": first["ETag"]})
    client.get("/pairs/observed.svg?from=1&to=20")
    client.get("/pairs/observed.vega")

    assert again.status_code == 304
    assert made == ["svg", "vega"]


def test_strangers_may_have_so_many_drawn(
    client: Client, board: Snapshot, settings: object
) -> None:
    settings.NETWORK_FIGURES_RATE = (1, 3600)  # type: ignore[attr-defined]
    assert client.get("/pairs/observed.svg").status_code == 200
    refused = client.get("/pairs/votes.svg")

    assert refused.status_code == 429
    assert "as many charts drawn" in refused.content.decode()
    # What is kept costs nothing, and neither does what is not drawn.
    assert client.get("/pairs/observed.svg").status_code == 200
    assert client.get("/pairs/votes.csv").status_code == 200


def test_a_named_publication_need_not_be_asked_for_again(client: Client, board: Snapshot) -> None:
    latest = client.get("/pairs/observed.svg")
    named = client.get(f"/pairs/observed.svg?snapshot={board.short}")

    assert latest["Cache-Control"] == "no-cache"
    assert named["Cache-Control"] == "public, max-age=600"
    assert named.content == latest.content


def test_a_draft_is_for_staff_and_kept_by_nobody(
    client: Client,
    staff: Client,  # noqa: F811
    board: Snapshot,
    tmp_path: Path,
) -> None:
    votes_import(path=stylish(tmp_path, 300))
    refit()
    answer = staff.get("/pairs/observed.svg?snapshot=draft")

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert client.get("/pairs/observed.svg?snapshot=draft").status_code == 404


# -- On a page -------------------------------------------------------------------------------


def test_a_figure_is_whole_without_scripts(board: Snapshot) -> None:
    figure = observed(board)
    html = shown(figure)
    picture = re.search(r"<picture>.*</picture>", html, re.DOTALL)

    assert picture is not None
    assert 'src="/pairs/observed.svg?from=2&amp;theme=light&amp;on=page"' in picture[0]
    assert 'srcset="/pairs/observed.svg?from=2&amp;theme=dark&amp;on=page"' in picture[0]
    assert 'loading="lazy"' in picture[0]
    assert f'width="{figure.size[0]}" height="{figure.size[1]}"' in picture[0]
    assert figure.words in unescape(html)
    assert figure.note in unescape(html)
    for form in ("svg", "png", "csv", "json"):
        assert f'href="/pairs/observed.{form}?from=2"' in html


def test_hostile_names_are_text(board: Snapshot) -> None:
    html = shown(observed(board))

    assert "<b>" not in html.replace("<b ", "")
    assert "&lt;b&gt;" in html
    assert "style=" not in html


def test_a_page_has_the_first_rows_and_the_files_all(board: Snapshot) -> None:
    figure = replace(observed(board), rows=[{"name": str(k), "wins": k} for k in range(100)])
    html = shown(replace(figure, headings={"wins": "Wins"}))

    assert html.count("<tr>") == MOST_ROWS + 1
    assert f"{100 - MOST_ROWS} more rows are in the files." in html
    assert '<th scope="col" class="number">Wins</th>' in html
    assert '<th scope="col">name</th>' in html


def test_a_figure_without_data_has_no_table(board: Snapshot) -> None:
    assert "<table" not in shown(replace(observed(board), rows=[]))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (True, "yes"),
        (12345, "12,345"),
        (-3, "−3"),
        (0.123456, "0.1235"),
        (-12.345, "−12.35"),
        (1148.2, "1,148"),
        ("kite", "kite"),
    ],
)
def test_numbers_are_written_as_they_are_read(value: object, words: str) -> None:
    assert said(value) == words


def test_the_libraries_that_draw_are_loaded_when_something_is_drawn() -> None:
    code = (
        "import django, sys; django.setup(); import arena.reports.urls;"
        "sys.exit('altair' in sys.modules or 'vl_convert' in sys.modules)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)

    assert done.returncode == 0
