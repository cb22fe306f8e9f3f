"""The archive: every publication with all that it takes to check it."""

import hashlib
import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils.html import escape

from arena.integrity.imports import votes_import
from arena.leaderboard.differences import Outline, sentences
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from ranking import RankingSpec
from ranking.snapshots import canonical
from ranking.verify import verify
from tests.leaderboard.test_refit import cast, cycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(tmp_path: Path, alice: Voter) -> list[Snapshot]:
    """Two publications, the second with a vote that was cast here."""
    votes_import(path=cycle(tmp_path))
    first = publish()
    cast(alice)
    second = publish()
    assert first is not None
    assert second is not None
    return [first, second]


def body(client: Client, address: str) -> bytes:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.getvalue()


def test_it_works(client: Client, row: list[Snapshot]) -> None:
    page = client.get("/archive/").content.decode()
    one = client.get(f"/archive/{row[0].digest}/").content.decode()

    assert "2 publications" in page
    assert all(snapshot.short in page for snapshot in row)
    assert f"python -m ranking verify {row[1].digest}.json --votes ." in page
    assert f"python -m ranking verify {row[0].digest}.json --votes ." in one


def test_before_the_first_publication(client: Client) -> None:
    assert "Nothing has been published yet" in client.get("/archive/").content.decode()
    assert body(client, "/archive/all.txt") == b""


def test_all_that_is_listed_verifies(client: Client, row: list[Snapshot], tmp_path: Path) -> None:
    for address in body(client, "/archive/all.txt").decode().split():
        assert address.startswith("http://testserver/archive/")
        (tmp_path / Path(address).name).write_bytes(body(client, address))
    snapshots = [tmp_path / f"{snapshot.digest}.json" for snapshot in row]

    verified = verify(snapshots, tmp_path, every_number=True)
    assert [each.votes for each in verified] == [48, 49]
    assert [each.parts for each in verified] == [each.parts.count() for each in row]
    listed = body(client, f"/archive/{row[0].digest}.txt").decode().split()
    digests = set(row[0].content["parts"].values())
    assert listed[0].endswith(f"/archive/{row[0].digest}.json")
    assert {Path(address).stem for address in listed[1:-1]} == digests
    assert all("/archive/parts/" in address for address in listed[1:-1])
    assert listed[-1].endswith(".parquet")


def test_files_are_asked_for_once(client: Client, row: list[Snapshot]) -> None:
    content = json.loads(body(client, f"/archive/{row[1].digest}.json"))
    for address in (
        f"/archive/{row[1].digest}.json",
        f"/archive/parts/{content['parts']['sure']}.json",
        f"/archive/segments/{content['segments'][0]['sha256']}.parquet",
    ):
        response = client.get(address)
        assert response.getvalue()
        assert "immutable" in response["Cache-Control"]
        again = client.get(address, headers={"If-None-Match": response["ETag"]})
        assert again.status_code == 304


def test_a_segment_is_sent_as_it_is(client: Client, row: list[Snapshot]) -> None:
    sha256 = row[0].content["segments"][0]["sha256"]
    address = f"/archive/segments/{sha256}.parquet"
    response = client.get(address, headers={"Accept-Encoding": "gzip"})
    whole = (settings.SEGMENTS_DIR / f"{sha256}.parquet").read_bytes()

    assert response.getvalue() == whole
    assert int(response["Content-Length"]) == len(whole)


def test_a_segment_that_is_gone_is_said_to_be(client: Client, row: list[Snapshot]) -> None:
    sha256 = row[0].content["segments"][0]["sha256"]
    (settings.SEGMENTS_DIR / f"{sha256}.parquet").unlink()
    response = client.get(f"/archive/segments/{sha256}.parquet")

    assert response.status_code == 409
    assert f"{sha256}.parquet is gone" in response.content.decode()


def test_what_is_sealed_but_not_published_is_not_handed_out(
    client: Client, row: list[Snapshot], tmp_path: Path
) -> None:
    segment = votes_import(path=cycle(tmp_path, times=3, name="more.csv")).segment

    assert client.get(f"/archive/segments/{segment.sha256}.parquet").status_code == 404
    assert segment.sha256 not in body(client, "/archive/all.txt").decode()


def test_an_operator_may_keep_the_votes(
    client: Client, row: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ARCHIVE_VOTES", False)
    sha256 = row[0].content["segments"][0]["sha256"]

    refused = client.get(f"/archive/segments/{sha256}.parquet")
    assert refused.status_code == 404
    assert "not handed out" in refused.content.decode()
    assert body(client, "/archive/all.txt").count(b".parquet") == 0
    assert "does not hand its votes out" in client.get("/archive/").content.decode()


def test_texts_are_handed_out_only_where_they_are_published(
    client: Client, row: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = row[1].content["segments"][1]["sha256"]
    address = f"/archive/texts/{sha256}-texts.parquet"
    assert client.get(address).status_code == 404

    monkeypatch.setattr(settings, "PUBLISH_TEXT", True)
    assert body(client, address).startswith(b"PAR1")
    assert address in body(client, "/archive/all.txt").decode()


@pytest.mark.parametrize(
    "address",
    [
        "/archive/poetry/",
        f"/archive/{'0' * 64}/",
        f"/archive/{'0' * 64}.json",
        f"/archive/{'0' * 64}.txt",
        f"/archive/parts/{'0' * 64}.json",
        f"/archive/segments/{'0' * 64}.parquet",
        f"/archive/texts/{'0' * 64}-texts.parquet",
        "/archive/segments/../../etc/passwd",
    ],
)
def test_what_does_not_exist(client: Client, row: list[Snapshot], address: str) -> None:
    assert client.get(address).status_code == 404


def row_of(first: Snapshot, count: int) -> None:
    """So many publications after the first, each its document with a new number."""
    document, made = json.loads(first.document), []
    previous = first.digest
    for number in range(2, count + 2):
        text = canonical({**document, "number": number, "previous": previous})
        digest = hashlib.sha256(text.encode()).hexdigest()
        made.append(
            Snapshot(
                digest=digest,
                document=text,
                number=number,
                previous=previous,
                engine=first.engine,
                counted=first.counted + number,
                head=first.head,
                votes_state=f"{number}",
                published_at=first.published_at + timedelta(days=number),
            )
        )
        previous = digest
    Snapshot.objects.bulk_create(made)


def test_queries_do_not_grow_with_publications(
    client: Client, tmp_path: Path, django_assert_max_num_queries: object
) -> None:
    votes_import(path=cycle(tmp_path))
    first = publish()
    assert first is not None
    row_of(first, 210)

    for page in ("1", "2", "11"):
        cache.clear()
        with django_assert_max_num_queries(10):  # type: ignore[operator]
            shown = client.get(f"/archive/?page={page}").content.decode()
        assert "211 publications" in shown
        assert f"Page {page} of 11" in shown
        assert "1 more vote counted" in shown


def test_a_later_page_and_one_that_does_not_exist(client: Client, row: list[Snapshot]) -> None:
    for page in ("2", "0", "poetry"):
        assert client.get(f"/archive/?page={page}").status_code == 200


# -- What differs ----------------------------------------------------------------------------


def test_it_is_told_what_differs(client: Client, row: list[Snapshot], tmp_path: Path) -> None:
    rows = ["wren,<b>heron</b>,tie"] * 9
    (tmp_path / "more.csv").write_text("\n".join(["model_a,model_b,winner", *rows]) + "\n")
    votes_import(path=tmp_path / "more.csv")
    publish()
    page = client.get("/archive/").content.decode()
    one = client.get(f"/archive/{row[1].digest}/").content.decode()

    assert "The first." in page
    assert "1 more vote counted." in page
    assert "9 more votes counted. New: &lt;b&gt;heron&lt;/b&gt;." in page
    assert "1 more vote counted." in one
    assert "heron" not in one


def test_rules_that_differ_are_named() -> None:
    spec = RankingSpec(controls=("length", "bold")).to_dict()
    before = Outline(1, "1.0", 100, spec, {"rigging": 5, "slow": 2}, frozenset("ab"))
    changed = RankingSpec(controls=("length", "lists"), both_bad="drop", position=False).to_dict()
    after = Outline(2, "1.1", 90, changed, {"rigging": 9}, frozenset("bcdefgh"))

    assert sentences(before, after) == (
        "10 votes fewer counted.",
        "New: c, d, e, f and 2 others.",
        "Gone: a.",
        "Also controlled for: lists.",
        "No longer controlled for: bold.",
        "Which side was shown first is no longer accounted for.",
        "“Both bad” counts as: half a win for either before, now left out.",
        "4 more votes taken out by the rule “rigging”.",
        "2 votes fewer taken out by the rule “slow”.",
        "Engine: 1.0 before, now 1.1.",
    )
    assert sentences(after, after) == ("The same rules, contestants and number of votes.",)


def test_a_setting_that_only_a_later_engine_knows() -> None:
    spec = RankingSpec().to_dict()
    before = Outline(1, "1.0", 9, spec, {}, frozenset())
    after = Outline(2, "1.0", 9, spec | {"patience": True}, {}, frozenset())

    assert sentences(before, after) == ("patience: none before, now yes.",)


def test_everything_it_computed_can_be_had(client: Client, row: list[Snapshot]) -> None:
    page = client.get(f"/archive/{row[1].digest}/").content.decode()
    names = row[1].parts.values_list("name", flat=True)
    addresses = {unescape(address) for address in re.findall(r'<a href="([^"]+)" download', page)}

    assert all(f">{escape(name)}</a>" in page for name in names)
    assert any("picture.svg" in address for address in addresses)
    for address in addresses:
        assert body(client, address), address
