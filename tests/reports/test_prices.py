"""Price and speed: who is on the frontier and how sure that is, the slider, and what is absent."""

import csv
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.models import Answer, State
from arena.catalog.models import Contestant, Kind, Revision
from arena.integrity.imports import votes_import
from arena.leaderboard import services
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from arena.reports.prices import MAYBE_OFF, MAYBE_ON, OFF, ON, Rated, cost_scale, frontier_of
from arena.reports.prices_words import cost_words
from arena.voters.models import Voter
from tests import factories
from tests.leaderboard.test_refit import cycle
from tests.reports.market import cast_made, parts, published, said

pytestmark = pytest.mark.django_db

PART = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(services, "parts", parts)


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    cast_made()
    return published(tmp_path)


def rows_of(client: Client, query: str = "", name: str = "price") -> dict[str, dict[str, str]]:
    text = client.get(f"/prices/{name}.csv{query}").content.decode()
    return {row["contestant"]: row for row in csv.DictReader(StringIO(text))}


# -- The frontier ----------------------------------------------------------------------------


def rated(number: int, rating: float, price: float | None) -> Rated:
    prices = None if price is None else (price, price)
    return Rated(f"m{number}", "", "", rating, rating - 20, rating + 20, number, prices, None)


def by_definition(everybody: list[Rated], above: Any) -> dict[str, str]:
    """Each of them held against each other, in so many words."""
    found = {}
    for i, one in enumerate(everybody):
        assert one.price is not None
        is_on = surely_on = True
        surely_off = False
        for j, other in enumerate(everybody):
            assert other.price is not None
            if i == j or other.price[0] > one.price[0]:
                continue
            dearer = one.price[0] > other.price[0]
            if other.rating > one.rating or (dearer and other.rating == one.rating):
                is_on = False
            surely_on = surely_on and bool(above[i, j])
            surely_off = surely_off or bool(above[j, i])
        states = (ON if surely_on else MAYBE_ON, OFF if surely_off else MAYBE_OFF)
        found[one.name] = states[0] if is_on else states[1]
    return found


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 12).map(lambda step: 1000.0 + 10 * step)),
        min_size=1,
        max_size=12,
    )
)
def test_states_are_what_they_are_defined_to_be(drawn: list[tuple[int, float]]) -> None:
    everybody = [rated(i, rating, price) for i, (price, rating) in enumerate(drawn)]
    lower = np.array([one.lower for one in everybody])
    upper = np.array([one.upper for one in everybody])
    above = lower[:, None] > upper[None, :]
    found = frontier_of(everybody, above, lambda one: one.price[0] if one.price else None)

    assert found is not None
    assert {point.rated.name: point.state for point in found.points} == by_definition(
        everybody, above
    )
    on = found.on
    assert [point.number for point in on] == list(range(1, len(on) + 1))
    assert all(one.cost <= other.cost for one, other in pairwise(on))
    for before, point in pairwise(on):
        if point.step:
            assert point.step.name == before.rated.name
            assert point.step.each * point.step.points == pytest.approx(point.step.more)


def test_whoever_states_no_cost_is_counted() -> None:
    everybody = [rated(1, 1000.0, 2.0), rated(2, 1100.0, None)]
    found = frontier_of(
        everybody, np.zeros((2, 2), bool), lambda one: one.price[0] if one.price else None
    )

    assert found is not None
    assert [point.rated.name for point in found.on] == ["m1"]
    assert found.absent == 1


def test_the_axis_of_costs_holds_them_all_and_free_ones_at_its_edge() -> None:
    scale = cost_scale([0.0, 0.03, 20.0])

    assert scale.at(0.0) == 0.0
    assert 0 < scale.at(0.03) < scale.at(20.0) < 100
    assert all(0 <= scale.at(tick) <= 100 for tick in scale.ticks)
    alone = cost_scale([0.0])
    assert alone.at(0.0) == 0.0
    assert len(cost_scale([0.5, 0.6, 0.9]).ticks) >= 4


def test_what_is_hardly_a_second_is_not_told_as_nothing() -> None:
    assert [cost_words("latency", value) for value in (0.51, 0.0009, 0.0)] == [
        "0.51 s",
        "0.0009 s",
        "0.00 s",
    ]


# -- The page --------------------------------------------------------------------------------


def test_it_works(client: Client, board: Snapshot) -> None:
    told = said(client, "/prices/")

    assert "4 priced contestants" in told
    assert "75% input, 25% output" in told
    assert "1 placed contestant states no price, and is not here." in told
    assert "1 experimental variant is left out" in told
    assert "No time to the first token is known" in told


@pytest.mark.parametrize(("mix", "price"), [(0, 3.0), (25, 6.0), (100, 15.0)])
def test_the_mix_prices_everybody(client: Client, board: Snapshot, mix: int, price: float) -> None:
    rows = rows_of(client, f"?mix={mix}")

    assert float(rows["wren"]["price"]) == pytest.approx(price)
    assert set(rows) == {"wren", "kite", "lark", "rook"}


@pytest.mark.parametrize("mix", ["101", "-1", "half", "1e2", "²"])
def test_a_mix_that_is_none(client: Client, board: Snapshot, mix: str) -> None:
    assert "whole number from 0 to 100" in said(client, f"/prices/?mix={mix}", 400)


def test_the_slider_repaints_a_part(client: Client, board: Snapshot) -> None:
    part = client.get("/prices/?mix=50", headers=PART)
    text = part.content.decode()

    assert "<html" not in text
    assert 'id="prices-view"' in text
    assert 'hx-swap-oob="true"' in text
    assert part["HX-Replace-Url"] == "/prices/?mix=50"
    assert "50% input, 50% output" in text
    # The same address without HTMX is the whole page.
    assert "<html" in client.get("/prices/?mix=50").content.decode()


def test_either_board(client: Client, board: Snapshot) -> None:
    raw, controlled = rows_of(client, "?board=raw"), rows_of(client)

    assert raw["wren"]["rating"] != controlled["wren"]["rating"]
    assert 'class="scatter on-raw"' in client.get("/prices/?board=raw").content.decode()
    assert "an interval clear of that of each" in said(client, "/prices/?board=raw")
    assert "These exist: controlled, raw" in said(client, "/prices/?board=best", 404)


def test_free_of_charge(client: Client, board: Snapshot) -> None:
    Contestant.objects.filter(name="rook").update(price_in=0, price_out=0)

    assert "$0" in said(client, "/prices/")
    assert client.get("/prices/price.svg").status_code == 200


def test_times_are_those_of_contestants_that_are_asked(
    client: Client, tmp_path: Path, alice: Voter
) -> None:
    cast_made(Kind.OPENAI)
    wren, kite = (Revision.objects.get(name=name) for name in ("wren", "kite"))
    battle = factories.battle(wren, kite, alice, State.COMPLETE)
    for side, seconds in (("a", 2.5), ("b", 0.5)):
        Answer.objects.filter(turn__battle=battle, side=side).update(first_token_seconds=seconds)
    published(tmp_path)
    rows = rows_of(client, name="latency")

    assert {name: float(row["seconds"]) for name, row in rows.items()} == {"wren": 2.5, "kite": 0.5}
    told = said(client, "/prices/")
    assert "2 timed contestants" in told
    assert "Of 3 placed contestants no time to the first token is known." in told


def test_times_that_voters_felt_come_first(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    felt = {"first_token": {"contestants": ["kite", "wren"], "medians": [0.8, 0.4]}}

    def with_times(*given: Any) -> Any:
        for name, part in parts(*given):
            yield name, {"metrics": felt} if name == "field" else part

    monkeypatch.setattr(services, "parts", with_times)
    cast_made()
    published(tmp_path)
    rows = rows_of(client, name="latency")

    assert {name: float(row["seconds"]) for name, row in rows.items()} == {"wren": 0.4, "kite": 0.8}
    assert "On the line, from the soonest on" in said(client, "/prices/")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", ["?", "?board=raw&mix=90&"])
def test_it_is_drawn(client: Client, board: Snapshot, query: str, theme: str) -> None:
    drawn = client.get(f"/prices/price.svg{query}theme={theme}")

    assert drawn.status_code == 200
    assert "rook" in drawn.content.decode()


def test_nothing_is_made_up_where_nothing_is_stated(client: Client, tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    publish()
    told = said(client, "/prices/")

    assert "Neither a price nor a time is known of any contestant of this board." in told
    assert "<figure" not in client.get("/prices/").content.decode()
    assert 'type="range"' not in client.get("/prices/").content.decode()
    assert client.get("/prices/price.csv").status_code == 404


def test_nobody_placed(client: Client, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("model_a,model_b,winner\nwren,kite,model_a\n")
    votes_import(path=tmp_path / "one.csv")
    publish()

    assert "Nobody can be placed yet." in said(client, "/prices/")


def test_names_are_text(client: Client, board: Snapshot) -> None:
    page = client.get("/prices/").content.decode()

    assert "<title>wren: " in page
    Contestant.objects.filter(name="wren").update(name="<b>wren</b>")
    cache.clear()
    assert "<b>wren</b>" not in client.get("/prices/").content.decode()


def test_nothing_published_yet(client: Client) -> None:
    assert "No votes yet" in said(client, "/prices/")


def test_few_queries(client: Client, board: Snapshot, django_assert_max_num_queries: Any) -> None:
    cache.clear()
    with django_assert_max_num_queries(15):
        client.get("/prices/")
