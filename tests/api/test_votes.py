"""Votes over the API: narrowed, named, streamed, and with text only for those who may."""

import io
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.test import Client

from arena.integrity.exceptions import SegmentMissing
from arena.integrity.imports import votes_import
from arena.integrity.models import Segment
from arena.integrity.services import votes_exclude
from arena.leaderboard.models import Snapshot
from arena.voters.models import Voter
from ranking import RankingSpec, Votes, fit
from tests.leaderboard.test_refit import cast

Published = tuple[Snapshot, Snapshot]
pytestmark = pytest.mark.django_db


def lines(client: Client, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"/api/v1/votes.ndjson{query}")
    assert response.status_code == 200, response.content
    return [json.loads(line) for line in response.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_it_works(root: Client, published: Published) -> None:
    votes = lines(root)

    assert len(votes) == 241
    assert (votes[0]["model_a"], votes[0]["winner"], votes[0]["tokens_a"]) == (
        "wren",
        "model_a",
        100.0,
    )
    assert votes[-1]["id"].startswith("n:")
    assert {vote["winner"] for vote in votes} == {"model_a", "tie", "both_bad"}


def test_parquet_gives_the_published_board_again(root: Client, published: Published) -> None:
    response = root.get("/api/v1/votes/", headers={"Accept": "application/vnd.apache.parquet"})
    table = pq.read_table(io.BytesIO(response.getvalue()))  # type: ignore[attr-defined]
    document = published[1].content
    board = fit(Votes.from_arrow(table), RankingSpec.from_dict(document["spec"]))

    assert table.num_rows == 241
    for row, standing in zip(
        document["boards"]["controlled"]["standings"], board.standings, strict=True
    ):
        assert (standing.contestant, standing.rating) == (
            row["contestant"],
            pytest.approx(row["rating"]),
        )


def test_both_forms_hold_votes_that_are_not_sealed_yet(root: Client, published: Published) -> None:
    cast(Voter.objects.create())
    response = root.get("/api/v1/votes.parquet")

    assert len(lines(root)) == 242
    assert pq.read_table(io.BytesIO(response.getvalue())).num_rows == 242  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("?winner=tie", lambda vote: vote["winner"] == "tie"),
        ("?since=2026-03-01&until=2026-03-31", lambda vote: vote["timestamp"][:7] == "2026-03"),
        ("?since=2026-03-01T00:00:00%2B02:00", lambda vote: vote["timestamp"] >= "2026-02-28T22"),
        ("?contestant=kite", lambda vote: "kite" in (vote["model_a"], vote["model_b"])),
        (
            "?contestant=kite&contestant=wren",
            lambda vote: {"kite", "wren"} & {vote["model_a"], vote["model_b"]},
        ),
    ],
)
def test_filters(
    root: Client, published: Published, query: str, holds: Callable[[dict[str, Any]], bool]
) -> None:
    found, whole = lines(root, query), lines(root)

    assert found == [vote for vote in whole if vote.get("timestamp") and holds(vote)]
    assert len(found) > 0


def test_the_segment_and_the_category_of_votes(root: Client, tmp_path: Path) -> None:
    pair = {"model_a": "wren", "model_b": "kite", "winner": "tie"}
    path = tmp_path / "tagged.jsonl"
    path.write_text(
        "".join(
            json.dumps({**pair, "language": spoken, "category_tag": {"math_v0.1": {"math": hard}}})
            + "\n"
            for spoken, hard in [("en", False), ("de", True), ("fr", False)]
        )
    )
    votes_import(path=path)
    segment = Segment.objects.get()

    assert [vote["language"] for vote in lines(root, "?language=fr")] == ["fr"]
    assert [vote["language"] for vote in lines(root, "?category=math_v0.1.math")] == ["de"]
    assert len(lines(root, f"?segment={segment.sha256[:8]}")) == 3
    problem = root.get("/api/v1/votes/?category=poetry").json()
    assert problem["detail"] == (
        "category: no vote has the tag 'poetry'. These exist: math_v0.1.math."
    )


def test_votes_have_names_by_which_they_are_excluded(root: Client, published: Published) -> None:
    named = [vote["vote"] for vote in lines(root, "?names=yes")]
    assert len(set(named)) == 241
    votes_exclude(votes=[named[7], named[-1]], rule="rigged", reason="They say so.")

    assert [v["vote"] for v in lines(root, "?names=yes&excluded=yes")] == [named[7], named[-1]]
    assert {v["excluded"] for v in lines(root, "?excluded=yes")} == {"rigged"}
    assert len(lines(root, "?excluded=no")) == 239
    response = root.get("/api/v1/votes.parquet?excluded=yes")
    table = pq.read_table(io.BytesIO(response.getvalue()))  # type: ignore[attr-defined]
    assert table["excluded"].to_pylist() == ["rigged", "rigged"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "?winner=wren",
            "winner: 'wren' is none of these. It takes: model_a, model_b, tie, both_bad.",
        ),
        ("?since=yesterday", "since: 'yesterday' is no time. It takes a date such as 2026-03-01"),
        ("?since=2026-02-30", "since: '2026-02-30' is no time."),
        ("?since=2026-03-02&until=2026-03-01", "until: It is before since."),
        ("?contestant=nobody", "contestant: Nobody is called 'nobody'."),
        ("?segment=xyz", "segment: It takes 6 to 64 characters"),
        ("?segment=ffffff", "segment: No segment's SHA-256 begins with 'ffffff'."),
        ("?langage=en", "langage: There is no such parameter. This address takes: since, until"),
        ("?winner=tie&winner=model_a", "winner: It is given more than once."),
        ("?winner=", "winner: It is empty."),
    ],
)
def test_a_malformed_filter_says_what_it_takes(
    root: Client, published: Published, query: str, said: str
) -> None:
    response = root.get(f"/api/v1/votes.ndjson{query}")

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].startswith(said)


def test_text_is_for_those_who_may(
    published: Published, may: Callable[..., Client], root: Client, settings: Any
) -> None:
    reader = may("integrity.view_segment")
    refused = reader.get("/api/v1/votes.ndjson?text=yes")
    assert refused.status_code == 403
    assert "battles.view_turn" in refused.json()["detail"]
    assert "conversation_a" not in lines(reader)[-1]

    told = lines(root, "?text=yes")
    assert told[-1]["conversation_a"] == [
        {"role": "user", "content": "Why is the sky blue?"},
        {"role": "assistant", "content": "answer a"},
    ]
    settings.PUBLISH_TEXT = True
    assert lines(reader, "?text=yes") == told
    parquet = reader.get("/api/v1/votes.parquet?text=yes")
    table = pq.read_table(io.BytesIO(parquet.getvalue()))  # type: ignore[attr-defined]
    assert table["conversation_b"][-1].as_py()[1]["content"] == "answer b"
    assert table["conversation_b"][0].as_py() is None


def test_the_same_votes_are_sent_once(root: Client, published: Published) -> None:
    first = root.get("/api/v1/votes.ndjson")
    same = {"If-None-Match": first["ETag"]}

    again = root.get("/api/v1/votes.ndjson", headers=same)
    assert (again.status_code, again.content) == (304, b"")
    assert root.get("/api/v1/votes.parquet", headers=same).status_code == 200
    cast(Voter.objects.create())
    assert root.get("/api/v1/votes.ndjson", headers=same).status_code == 200


def test_a_segment_is_handed_out_as_it_lies(root: Client, published: Published) -> None:
    segment = Segment.objects.order_by("id")[0]
    address = f"/api/v1/segments/{segment.sha256}.parquet"
    response = root.get(address)

    assert sha256(response.getvalue()).hexdigest() == segment.sha256  # type: ignore[attr-defined]
    assert "immutable" in response["Cache-Control"]
    same = root.get(address, headers={"If-None-Match": response["ETag"]})
    assert (same.status_code, same["Cache-Control"]) == (304, response["Cache-Control"])
    assert root.get(f"/api/v1/segments/{'0' * 64}.parquet").status_code == 404


def test_a_missing_file_is_said_before_anything_is_sent(root: Client, published: Published) -> None:
    segment = Segment.objects.order_by("id")[0]
    (Path(settings.SEGMENTS_DIR) / f"{segment.sha256}.parquet").unlink()
    response = root.get("/api/v1/votes.ndjson")

    assert response.status_code == SegmentMissing.status
    assert "from a backup" in response.json()["detail"]
