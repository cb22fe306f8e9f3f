"""Pictures of board, ledger and certainty: what they say, how they are kept, who may ask."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.test import Client
from django.utils import translation
from PIL import Image

from arena.integrity.imports import votes_import
from arena.leaderboard import pictures
from arena.leaderboard.boards import board_page
from arena.leaderboard.charts import board_chart, sure_chart
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish, refit
from arena.leaderboard.sure import board_of, sure_page
from arena.leaderboard.viewing import view_of
from ranking.pictures import FORMATS
from tests.leaderboard.test_refit import cycle, staff  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    votes_import(path=cycle(tmp_path))
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def picture(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    assert response["Content-Type"] == "image/svg+xml"
    return unescape(response.content.decode())


def told(svg: str) -> tuple[str, str]:
    """The name of a picture, and its description."""
    found = re.search(r"<title>(.*?)</title><desc>(.*?)</desc>", svg, re.DOTALL)
    assert found is not None
    return found[1], found[2]


@pytest.mark.parametrize("address", ["/leaderboard/picture.svg", "/how-sure/picture.svg"])
def test_it_works(client: Client, board: Snapshot, address: str) -> None:
    name, words = told(picture(client, address))

    assert "wren" in name
    for contestant in ("wren", "kite", "lark"):
        assert contestant in words


def test_the_ledger_is_drawn(client: Client, board: Snapshot, tmp_path: Path) -> None:
    rows = ["kite,wren,model_a"] * 60
    (tmp_path / "turn.csv").write_text("\n".join(["model_a,model_b,winner", *rows]) + "\n")
    votes_import(path=tmp_path / "turn.csv")
    publish()
    name, words = told(picture(client, "/moved/picture.svg"))

    assert name
    assert "kite" in words


def test_a_ledger_that_is_not_known_has_no_picture(client: Client, board: Snapshot) -> None:
    assert client.get("/moved/picture.svg").status_code == 404


def test_png_is_bounded(client: Client, board: Snapshot) -> None:
    response = client.get("/leaderboard/picture.png")
    image = Image.open(BytesIO(response.content))

    assert response["Content-Type"] == "image/png"
    assert image.width * image.height < 20_000_000
    assert "attachment" in response["Content-Disposition"]


def test_a_picture_of_many_shows_the_first(board: Snapshot) -> None:
    page = board_page(board, view_of(board, QueryDict()))
    many = replace(page, rows=page.rows * 110, found=330)
    spec = board_chart(board, many).to_dict(validate=False)
    image = Image.open(BytesIO(FORMATS[".png"](spec)))

    assert image.width * image.height < 20_000_000
    assert "The first 300 of 330" in " ".join(spec["title"]["subtitle"])


def test_what_the_page_filters_the_picture_does(client: Client, board: Snapshot) -> None:
    _, words = told(picture(client, "/leaderboard/picture.svg?q=lark"))

    assert "lark" in words
    assert "kite" not in words.partition(". ")[2]


@pytest.mark.parametrize("votes", [0, 520])
def test_invented_votes_are_named_within(board: Snapshot, votes: int) -> None:
    board.content = {**board.content, "simulated_votes": votes}
    drawn = sure_chart(board, sure_page(board_of(board), QueryDict())).to_dict(validate=False)
    beneath = " ".join(drawn["title"]["subtitle"])

    assert ("Simulated demo data" in beneath) == bool(votes)


def test_a_picture_is_drawn_once(
    client: Client, board: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms: list[str] = []
    real = pictures.drawn

    def counted(chart: Callable[[], Any], form: str) -> bytes:
        forms.append(form)
        return real(chart, form)

    monkeypatch.setattr(pictures, "drawn", counted)
    first = client.get("/leaderboard/picture.svg")
    again = client.get("/leaderboard/picture.svg", headers={"If-None-Match": first["ETag"]})
    # The same view, written otherwise.
    client.get("/leaderboard/picture.svg?sort=rank&open=wren&show=all")

    assert again.status_code == 304
    assert forms == ["svg"]


def test_strangers_may_have_so_many_drawn(
    client: Client, board: Snapshot, settings: object
) -> None:
    settings.NETWORK_ASKED_RATE = (1, 3600)  # type: ignore[attr-defined]
    assert client.get("/leaderboard/picture.svg").status_code == 200
    assert client.get("/how-sure/picture.svg").status_code == 429
    # What is kept costs nothing.
    assert client.get("/leaderboard/picture.svg").status_code == 200


def test_one_is_drawn_at_a_time(
    client: Client, board: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "PATIENCE_SECONDS", 0.05)
    with pictures._drawing:
        response = client.get("/leaderboard/picture.svg")

    assert response.status_code == 429
    assert response["Retry-After"]


def test_a_draft_is_for_staff_alone(
    client: Client,
    staff: Client,  # noqa: F811
    tmp_path: Path,
) -> None:
    votes_import(path=cycle(tmp_path))
    refit()

    for address in ("/leaderboard/picture.svg", "/how-sure/picture.svg"):
        assert client.get(f"{address}?snapshot=draft").status_code == 404
        assert "no-store" in staff.get(f"{address}?snapshot=draft")["Cache-Control"]


def test_it_speaks_the_readers_language(client: Client, board: Snapshot) -> None:
    english = picture(client, "/leaderboard/picture.svg")
    french = client.get("/leaderboard/picture.svg", headers={"Accept-Language": "fr"})

    with translation.override("fr"):
        assert str(translation.gettext("Contestant")) in french.content.decode()
    assert french["ETag"] != client.get("/leaderboard/picture.svg")["ETag"]
    assert english != french.content.decode()


def test_hostile_names_stay_text(client: Client, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    rows = [f"{name},kite,tie", f"kite,{name},model_a", f"{name},kite,model_a"]
    (tmp_path / "x.csv").write_text("\n".join(["model_a,model_b,winner", *rows]) + "\n")
    votes_import(path=tmp_path / "x.csv")
    publish()

    for address in ("/leaderboard/picture.svg", "/how-sure/picture.svg"):
        assert name not in client.get(address).content.decode()
