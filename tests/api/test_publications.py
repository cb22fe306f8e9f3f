"""Publications over the API: any of them, in every form, and what moved between two."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from django.test import Client

from arena.catalog.models import Contestant, Organisation
from arena.core.jobs import job_run_next
from arena.core.models import AuditEntry
from arena.leaderboard.models import Snapshot
from arena.voters.models import Voter
from ranking.snapshots import digest_of
from tests.leaderboard.test_refit import cast

Published = tuple[Snapshot, Snapshot]
pytestmark = pytest.mark.django_db


def get(client: Client, path: str, **headers: str) -> Any:
    response = client.get(f"/api/v1/{path}", headers=headers)
    assert response.status_code == 200, response.content
    return response


def test_it_works(root: Client, published: Published) -> None:
    boards = get(root, "boards/").json()
    assert [(board["board"], board["controls"]) for board in boards] == [
        ("controlled", ["length"]),
        ("raw", []),
    ]
    for board in boards:
        data = root.get(board["json"]).json()
        rows = list(csv.DictReader(io.StringIO(root.get(board["csv"]).content.decode())))
        table = pq.read_table(io.BytesIO(root.get(board["parquet"]).content)).to_pylist()
        catalog = root.get(board["catalog"]).json()["overall"]
        for standing, row, typed in zip(data["standings"], rows, table, strict=True):
            assert standing["contestant"] == row["model_name"] == typed["model_name"]
            assert standing["rating"] == float(row["rating"]) == typed["rating"]
            assert catalog[standing["contestant"]] == {
                "rating": standing["rating"],
                "rating_q975": standing["rating_upper"],
                "rating_q025": standing["rating_lower"],
            }


@pytest.mark.parametrize(
    ("accept", "begins"),
    [
        ("text/csv", b"model_name,"),
        ("application/vnd.apache.parquet", b"PAR1"),
        ("application/vnd.tiltyard.catalog+json", b'{"overall":'),
        ("*/*", b'{"snapshot":'),
    ],
)
def test_accept_decides_where_no_suffix_does(
    root: Client, published: Published, accept: str, begins: bytes
) -> None:
    assert get(root, "boards/current/", accept=accept).content.startswith(begins)


def test_the_catalog_has_an_address_of_its_own(root: Client, published: Published) -> None:
    whole = get(root, "catalog.json")

    assert whole["Content-Type"] == "application/json"
    assert whole.json() == get(root, "boards/current.catalog.json").json()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "boards/current/?category=poetry",
            "no category 'poetry'. These exist: overall",
        ),
        (
            "boards/current/?controls=emoji",
            "These sets exist: none; length",
        ),
        ("boards/raw/?controls=length", "These sets exist"),
        ("boards/current/?snapshot=ffffffff", "There is no publication 'ffffffff'. The latest are"),
        ("snapshots/ffffffff.json", "There is no publication"),
    ],
)
def test_what_a_publication_does_not_hold(
    root: Client, published: Published, path: str, said: str
) -> None:
    response = root.get(f"/api/v1/{path}")

    assert response.status_code == 404
    assert said in response.json()["detail"]


def test_a_set_of_controls_chooses_the_board(root: Client, published: Published) -> None:
    for controls, board in [("none", "raw"), ("length", "controlled")]:
        assert get(root, f"boards/current/?controls={controls}").json()["board"] == board


def test_a_publication_is_the_very_bytes_that_its_digest_names(
    root: Client, published: Published
) -> None:
    listed = get(root, "snapshots/").json()["results"]
    assert [row["digest"] for row in listed] == [published[1].digest, published[0].digest]

    whole = get(root, f"snapshots/{published[0].digest}.json")
    document = json.loads(whole.content)
    assert digest_of({k: v for k, v in document.items() if k != "sha256"}) == published[0].digest
    assert "immutable" in whole["Cache-Control"] and "private" in whole["Cache-Control"]
    same = {"If-None-Match": whole["ETag"]}
    again = root.get(f"/api/v1/snapshots/{published[0].digest}.json", headers=same)
    assert (again.status_code, again.content) == (304, b"")


def test_a_board_is_sent_again_only_when_it_says_something_else(
    root: Client, published: Published
) -> None:
    first = get(root, "boards/current/")
    same = {"If-None-Match": first["ETag"]}
    assert "private" in first["Cache-Control"]
    assert root.get("/api/v1/boards/current/", headers=same).status_code == 304

    organisation = Organisation.objects.create(name="=HYPERLINK()", slug="formula")
    Contestant.objects.filter(name="wren").update(organisation=organisation)
    assert root.get("/api/v1/boards/current/", headers=same).status_code == 200
    assert "'=HYPERLINK()" in get(root, "boards/current.csv").content.decode()
    assert "immutable" in get(root, f"movements/?snapshot={published[0].digest}")["Cache-Control"]


def test_the_history_of_a_contestant(root: Client, published: Published) -> None:
    found = get(root, "standings/?contestant=wren&board=raw").json()["results"]
    assert [row["snapshot"] for row in found] == [each.digest for each in published]
    assert {row["contestant"] for row in found} == {"wren"}

    latest = get(root, "standings/").json()["results"]
    assert len(latest) == 6
    assert {row["snapshot"] for row in latest} == {published[1].digest}


def test_long_lists_come_in_pages(root: Client, published: Published) -> None:
    whole = get(root, "standings/").json()["results"]
    page, seen = get(root, "standings/?limit=4").json(), []
    seen += page["results"]
    assert page["previous"] is None
    page = root.get(page["next"]).json()
    seen += page["results"]

    assert page["next"] is None
    assert seen == whole
    assert root.get(page["previous"]).json()["results"] == whole[:4]


def test_movements_and_win_rates(root: Client, published: Published) -> None:
    data = get(root, "boards/controlled/").json()
    moved = {row["contestant"]: row for row in get(root, "movements/").json()["movements"]}
    for standing in data["standings"]:
        row = moved[standing["contestant"]]
        assert row["controlled_rank"] == standing["rank"]
        assert row["raw_rank"] - row["controlled_rank"] == row["ranks"]
        assert row["lower"] < row["rating"] < row["upper"]

    rates = get(root, "win-rates/?board=raw").json()
    names = rates["contestants"]
    i, j = names.index("wren"), names.index("kite")
    # Of the seven pairings over and over, wren beats kite in one and ties with it in another.
    assert rates["votes"][i][j] == rates["votes"][j][i] == 35 + 34 + 1
    assert rates["observed"][i][j] == pytest.approx((35 + (34 + 1) / 2) / 70)
    assert rates["predicted"][i][j] + rates["predicted"][j][i] == pytest.approx(1)
    assert rates["observed"][i][i] is rates["predicted"][i][i] is None


def test_a_ledger_between_two_publications(root: Client, published: Published) -> None:
    body = {"before": published[0].digest[:8], "after": published[1].digest, "board": "controlled"}
    asked = root.post("/api/v1/ledgers/", body, content_type="application/json")
    again = root.post("/api/v1/ledgers/", body, content_type="application/json")
    assert (asked.status_code, again.status_code) == (202, 200)
    assert asked.json()["id"] == again.json()["id"]

    job_run_next()
    job = root.get(asked["Location"]).json()
    assert (job["state"], job["error"]) == ("done", "")
    ledger = job["result"]
    assert (ledger["before"], ledger["after"]) == tuple(each.digest for each in published)
    assert [cause["cause"] for cause in ledger["causes"]] == ["V"]
    for row in ledger["rows"]:
        assert sum(term["rating"] for term in row["terms"]) == pytest.approx(row["rating"])


def test_a_ledger_of_what_does_not_exist(root: Client, published: Published) -> None:
    body = {"before": "ffffff", "after": published[1].digest}
    response = root.post("/api/v1/ledgers/", body, content_type="application/json")

    assert response.status_code == 404


# Its lease may be renewed meanwhile, by a thread that sees what is committed.
@pytest.mark.django_db(transaction=True)
def test_a_publication_that_is_asked_for(root: Client, published: Published) -> None:
    cast(Voter.objects.create())
    for address, named in [("refits/", "draft"), ("publications/", "snapshot")]:
        asked = root.post(f"/api/v1/{address}", content_type="application/json")
        job_run_next()
        assert root.get(asked["Location"]).json()["result"][named]["counted"] == 242
    latest = get(root, "snapshots/").json()["results"][0]

    assert latest["number"] == 3
    entry = AuditEntry.objects.get(action="snapshot.publish", subject=latest["digest"])
    assert entry.actor == User.objects.get(username="root")
    root.post("/api/v1/publications/", content_type="application/json")
    job_run_next()
    assert get(root, "jobs/?kind=publish").json()["results"][0]["result"] == {"snapshot": None}
