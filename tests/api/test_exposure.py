"""Exposure over the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from arena.battles.models import Battle, State
from arena.battles.services import vote_cast
from arena.catalog.models import Contestant, Kind, Organisation, Revision
from arena.voters.models import Voter
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/exposure/"


@pytest.fixture
def pair(alice: Voter) -> list[Revision]:
    """Two that met 120 times, and one of them met itself once, with a vote."""
    maker = Organisation.objects.create(name="Aviary", slug="aviary")
    wren, kite = (
        factories.revision(name, Kind.OPENAI, endpoint="http://localhost/v1", stage="preview")
        for name in ("Wren", "Kite")
    )
    Contestant.objects.filter(pk=wren.contestant_id).update(organisation=maker)
    given = {"voter": alice, "draw_probability": 1.0, "owner": "test", "state": State.FAILED}
    Battle.objects.bulk_create(
        Battle(revision_a=wren, revision_b=kite, **given) for _ in range(120)
    )
    alone = factories.battle(wren, wren, alice)
    vote_cast(
        battle_id=alone.pk,
        attempt=alone.attempt,
        voter=alice,
        outcome="model_a",
        key="key-of-a-test",
    )
    return [wren, kite]


def test_it_works(pair: list[Revision], root: Client, settings: Any) -> None:
    settings.AA_SHARE = 0.1
    found = root.get(ADDRESS).json()

    assert (found["since"], found["battles"], found["votes"]) == (None, 120, 0)
    assert found["effective_battles"] == pytest.approx(120)
    [aviary, nobody] = sorted(found["organisations"], key=lambda row: -len(row["name"]))
    assert (aviary["name"], aviary["slug"], nobody["name"]) == ("Aviary", "aviary", "")
    assert (aviary["battles"], aviary["places"], aviary["share"]) == (120, 120, 0.5)
    assert aviary["expected"] == pytest.approx(0.5)
    assert {row["name"] for row in found["contestants"]} == {"Wren", "Kite"}
    assert [row["stage"] for row in found["stages"]] == ["preview"]
    [pool] = found["now"]
    assert (pool["pairs"], pool["aa_share"]) == (1, 0.1)
    assert [row["chance"] for row in pool["contestants"]] == pytest.approx([0.95, 0.95])
    assert found["aa"]["outcomes"] == {"model_a": 1, "model_b": 0, "tie": 0, "both_bad": 0}
    assert found["aa"]["left"]["share"] == 1.0


def test_an_empty_arena_says_nothing_it_does_not_know(root: Client) -> None:
    found = root.get(ADDRESS).json()

    assert found["contestants"] == found["now"] == []
    assert (found["aa"]["decided"], found["aa"]["left"]) == (None, None)


def test_since_a_day(pair: list[Revision], root: Client) -> None:
    assert root.get(f"{ADDRESS}?since=2000-01-01").json()["battles"] == 120
    later = root.get(f"{ADDRESS}?since=2999-01-01").json()

    assert (later["battles"], later["aa"]["battles"]) == (0, 0)
    assert later["since"].startswith("2999-01-01T00:00:00")


def test_since_something_else(root: Client) -> None:
    refused = root.get(f"{ADDRESS}?since=yesterday")

    assert refused.status_code == 400
    assert "It takes a date such as 2026-03-01" in refused.json()["detail"]


def test_it_needs_the_permission_of_boards(db: None, may: Callable[..., Client]) -> None:
    assert Client().get(ADDRESS).status_code == 401
    assert may("leaderboard.view_snapshot").get(ADDRESS).status_code == 200


def test_nothing_else_opens_it(db: None, may: Callable[..., Client]) -> None:
    refused = may("catalog.view_contestant", is_staff=True).get(ADDRESS)

    assert refused.status_code == 403
    assert "leaderboard.view_snapshot" in refused.json()["detail"]


def test_who_has_it_already_is_told_so(pair: list[Revision], root: Client) -> None:
    first = root.get(ADDRESS)
    again = root.get(ADDRESS, headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 304


def test_it_is_documented(client: Client) -> None:
    schema = client.get("/api/v1/schema.json").json()["paths"][ADDRESS]["get"]

    assert schema["tags"] == ["Exposure"]
    assert [each["name"] for each in schema["parameters"]] == ["since"]
    assert f"<code>{ADDRESS}</code>" in client.get("/api/v1/").content.decode()
