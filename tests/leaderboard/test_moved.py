"""What moved: ledgers between publications, in words, and those that readers ask for."""

import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from arena.core.exceptions import Unknown
from arena.core.jobs import job_create, job_run_next
from arena.core.models import Job, JobState
from arena.demo.services import seed
from arena.demo.world import PUBLISHED_AT
from arena.integrity.imports import votes_import
from arena.integrity.services import votes_exclude
from arena.leaderboard import asking, services
from arena.leaderboard.ledgers import Rows, published_ledger
from arena.leaderboard.models import Snapshot
from arena.leaderboard.moved import Account, account_of, before_of
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from ranking import analysis
from tests.leaderboard.test_refit import cast, cycle

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def ledgers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publications with no other parts than their ledgers, which is quicker."""
    monkeypatch.setattr(
        services,
        "parts",
        lambda sources, made, before: analysis.ledger_parts(sources, made, before),
    )


@pytest.fixture
def three(tmp_path: Path, ledgers_alone: None, alice: Voter, bob: Voter) -> list[Snapshot]:
    """Three publications, oldest first: imported votes, then one more vote each time."""
    votes_import(path=cycle(tmp_path))
    made = [publish()]
    for voter in (alice, bob):
        cast(voter, "model_b")
        made.append(publish())
    return [snapshot for snapshot in made if snapshot]


def between(before: Snapshot, after: Snapshot, rows: str = "families", **other: str) -> str:
    more = "".join(f"&{name}={value}" for name, value in other.items())
    return f"/moved/?from={before.short}&to={after.short}&rows={rows}{more}"


def text(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return " ".join(response.content.decode().split())


def document(after: Snapshot, rows: Rows = Rows.FAMILIES) -> dict[str, Any]:
    before = before_of(after)
    assert before is not None
    found = published_ledger(before, after, rows)
    assert found is not None
    return found


def account(after: Snapshot, change: Callable[[Any], Any] = lambda found: found) -> Account:
    before = before_of(after)
    assert before is not None
    return account_of(before, after, change(document(after)))


# -- The demo --------------------------------------------------------------------------------


def test_the_demo_says_that_the_swap_moved_the_family(client: Client, ledgers_alone: None) -> None:
    seed()
    page = text(client, "/moved/")
    assert "For one of them, Vireo 2 family, new votes were not the main reason." in page
    assert "The experimental revision was replaced by the released one, which rates" in page

    latest = Snapshot.objects.first()
    assert latest is not None
    found = account(latest)
    assert [cause.letter for cause in found.causes] == ["V", "S"]
    vireo = found.groups[0].rows[0]
    assert (vireo.name, vireo.note) == ("Vireo 2 family", "Vireo 2 chat-exp → Vireo 2")
    assert next(part.ranks for part in vireo.parts if part.letter == "S") < 0
    for row in found.rows:
        assert sum(part.ranks for part in row.parts) == row.ranks
    for cause in found.causes:
        every = [
            part.ranks for row in found.rows for part in row.parts if part.letter == cause.letter
        ]
        assert sum(map(abs, every)) == cause.total

    revisions = text(client, "/moved/?rows=revisions")
    assert "Vireo 2 entered and pushed" in revisions
    assert "It did nothing differently. Vireo 2 entered above it." in revisions
    table = text(client, "/moved/?as=table")
    assert "Every term, exactly" in table
    assert table.count("<tr>") == 1 + len(found.rows)

    feed = ElementTree.fromstring(client.get("/moved/feed/").content)
    updated = [entry.findtext(f"{ATOM}updated") for entry in feed.iter(f"{ATOM}entry")]
    assert updated == [moment.isoformat() for moment in reversed(PUBLISHED_AT)]


# -- Between one publication and the next ----------------------------------------------------


def test_before_the_first_publication(client: Client) -> None:
    assert "No votes yet" in text(client, "/moved/")
    assert "Nothing has been published yet" in text(client, "/moved/log/")
    ElementTree.fromstring(client.get("/moved/feed/").content)


def test_the_first_publication_has_nothing_to_be_compared_with(
    client: Client, tmp_path: Path
) -> None:
    votes_import(path=cycle(tmp_path))
    first = publish()
    assert first is not None

    assert "This is the first publication, so nothing has moved yet." in text(client, "/moved/")
    assert client.get("/moved/download.csv").status_code == 404
    assert "It counts 48 votes and places 3 contestants." in text(client, "/moved/log/")


def test_the_latest_two_are_shown_at_once(client: Client, three: list[Snapshot]) -> None:
    page = text(client, "/moved/")

    assert "From publication 2" in page
    assert "to 3," in page
    assert "One thing differs between them: new votes." in page
    assert not Job.objects.exists()
    for same in (between(three[1], three[2]), f"/moved/?snapshot={three[2].short}"):
        assert text(client, same).partition("<main")[2] == page.partition("<main")[2]


def test_asked_the_wrong_way_round_it_is_told_the_right_way(
    client: Client, three: list[Snapshot]
) -> None:
    response = client.get(between(three[2], three[1], **{"as": "table"}))

    assert response["Location"] == between(three[1], three[2], **{"as": "table"})


def test_what_does_not_exist(client: Client, three: list[Snapshot]) -> None:
    unknown = text(client, "/moved/?from=ffffff", status=404)
    assert all(snapshot.short in unknown for snapshot in three)
    assert "families, revisions" in text(client, "/moved/?rows=models", status=404)
    assert "Both are the same publication" in text(client, between(three[1], three[1]))


def test_exclusions_are_told_with_their_rule(
    client: Client, three: list[Snapshot], tmp_path: Path
) -> None:
    sha256 = three[0].content["segments"][0]["sha256"]
    root = User.objects.create_user("root")
    # Most of what wren won against kite.
    votes = [f"{sha256}:{row}" for row in range(0, 44, 4)]
    votes_exclude(votes=votes, rule="lockstep", reason="A test", actor=root)
    publish()

    page = text(client, "/moved/")
    assert "11 votes were excluded (lockstep)." in page
    assert "<b>Exclusions</b>" in page


def test_a_newcomer_is_listed_and_those_below_it_did_nothing(
    client: Client, three: list[Snapshot], tmp_path: Path
) -> None:
    rows = ["rook,wren,model_a", "rook,kite,model_a", "rook,lark,model_a", "wren,rook,model_a"]
    path = tmp_path / "rook.csv"
    path.write_text("\n".join(["model_a,model_b,winner", *rows * 9]) + "\n")
    votes_import(path=path)
    publish()

    page = text(client, "/moved/")
    assert "rook entered and pushed" in page
    assert "Entered with 36 votes." in page
    assert "rook entered above it." in page


def test_where_nobody_can_be_placed_there_is_nothing_to_account_for(
    client: Client, tmp_path: Path, ledgers_alone: None
) -> None:
    for number in (1, 2):
        path = tmp_path / f"{number}.csv"
        rows = ["wren,kite,model_a"] * number
        path.write_text("\n".join(["model_a,model_b,winner", *rows]) + "\n")
        votes_import(path=path)
        publish()

    assert "Nobody" in text(client, "/moved/")
    assert "Every term, exactly" in text(client, "/moved/?as=table")
    assert client.get("/moved/download.csv").status_code == 200
    text(client, "/moved/log/")


def test_a_ledger_that_could_not_be_made_says_why(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alice: Voter
) -> None:
    def refused(*arguments: object) -> Iterator[tuple[str, dict[str, str]]]:
        yield "ledger/revisions", {"error": "No finite estimate exists."}
        yield "ledger/families", {"error": "No finite estimate exists."}

    monkeypatch.setattr(services, "parts", refused)
    votes_import(path=cycle(tmp_path))
    publish()
    cast(alice)
    publish()

    page = text(client, "/moved/")
    assert "This ledger cannot be given." in page
    assert "No finite estimate exists." in page
    assert "No finite estimate exists." in text(client, "/moved/log/")


def test_causes_that_cannot_be_told_apart_are_one_term(three: list[Snapshot]) -> None:
    def joint(found: Mapping[str, Any]) -> dict[str, Any]:
        rows = [
            row | {"terms": [term | {"cause": "VX"} for term in row["terms"]]}
            for row in found["rows"]
        ]
        causes = [*found["causes"], {"cause": "X", "name": "exclusions"}]
        changes = found["changes"] | {"X": {"excluded": {}, "lifted": {"a": 2}, "voters": 0}}
        told = {"causes": causes, "changes": changes, "rows": rows, "orders": 0}
        return {**found, **told, "orders_left_out": 2}

    found = account(three[2], joint)

    assert found.is_joint
    assert [cause.letter for cause in found.causes] == ["VX"]
    assert "No order of its causes could be followed" in found.subtitle
    assert all("new votes and exclusions" in row.sentence for row in found.rows)


def test_a_publication_of_the_same_votes_moved_nothing(three: list[Snapshot]) -> None:
    def unchanged(found: Mapping[str, Any]) -> dict[str, Any]:
        rows = [
            row | {"terms": [], "rank_before": row["rank_after"], "ranks": 0}
            for row in found["rows"]
        ]
        return {**found, "causes": [], "changes": {}, "rows": rows}

    found = account(three[2], unchanged)

    assert found.headline.startswith("Nothing moved")
    assert found.groups == ()
    assert {row.sentence for row in found.quiet} == {"Nothing moved it."}


def test_fractions_are_exact(three: list[Snapshot], client: Client) -> None:
    def split(found: Mapping[str, Any]) -> dict[str, Any]:
        first, *others = found["rows"]
        terms = [
            {"cause": "V", "ranks": "5/3", "rating": 2.0},
            {"cause": "W", "ranks": "-5/3", "rating": -3.0},
        ]
        moved = first | {"terms": terms, "rank_before": first["rank_after"], "ranks": 0}
        still = [
            row | {"terms": [terms[0] | {"ranks": "0"}, terms[1] | {"ranks": "0"}]}
            for row in others
        ]
        causes = [{"cause": "V", "name": ""}, {"cause": "W", "name": ""}]
        changes = found["changes"] | {
            "W": {"settings": {"weights": {"before": None, "after": "inverse_pair"}}, "votes": 0}
        }
        return {**found, "causes": causes, "changes": changes, "rows": [moved, *still], "orders": 2}

    found = account(three[2], split)

    (row,) = found.telling
    assert [part.ranks for part in row.parts] == [Fraction(5, 3), Fraction(-5, 3)]
    assert row.sentence.startswith("It stands where it stood, because these cancel out.")
    assert "votes of pairs that met often count less" in row.sentence


# -- Downloads and the log -------------------------------------------------------------------


def test_downloads_say_what_the_page_says(client: Client, three: list[Snapshot]) -> None:
    query = between(three[1], three[2]).partition("?")[2]
    data = client.get(f"/moved/download.json?{query}").json()
    csv = client.get(f"/moved/download.csv?{query}")

    assert (data["before"], data["after"]) == (three[1].digest, three[2].digest)
    assert data["rows"] == document(three[2])["rows"]
    assert "attachment" in csv["Content-Disposition"]
    header, *lines = csv.content.decode().splitlines()
    assert header.startswith("model_name,status,rank_before,rank_after")
    assert len(lines) == len(data["rows"])


def test_no_name_is_a_formula_in_the_table(
    client: Client, tmp_path: Path, ledgers_alone: None
) -> None:
    for part in ("one", "two"):
        path = cycle(tmp_path, name=f"{part}.csv", times=12 if part == "one" else 13)
        path.write_text(path.read_text().replace("wren", "=1+1"))
        votes_import(path=path)
        publish()

    lines = client.get("/moved/download.csv?rows=revisions").content.decode().splitlines()
    assert any(line.startswith("'=1+1") for line in lines)
    assert not any(line.startswith("=") for line in lines)


def test_the_log_and_the_feed_tell_the_same(client: Client, three: list[Snapshot]) -> None:
    log = text(client, "/moved/log/")
    response = client.get("/moved/feed/")
    feed = ElementTree.fromstring(response.content)
    found = list(feed.iter(f"{ATOM}entry"))

    assert response["Content-Type"].startswith("application/atom+xml")
    assert feed.findtext(f"{ATOM}updated") == three[2].published_at.isoformat()
    assert len(found) == 3
    for entry, snapshot in zip(found, reversed(three), strict=True):
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert link.attrib["href"].startswith("http://testserver/moved/?")
        assert client.get(link.attrib["href"]).status_code == 200
        assert snapshot.digest in str(entry.findtext(f"{ATOM}id"))
        assert entry.findtext(f"{ATOM}updated") == snapshot.published_at.isoformat()
        assert str(entry.findtext(f"{ATOM}title")) in log
    assert 'rel="alternate" type="application/atom+xml"' in text(client, "/moved/")


# -- Between any two -------------------------------------------------------------------------


def test_any_two_are_worked_out_once_and_kept(client: Client, three: list[Snapshot]) -> None:
    address = between(three[0], three[2])
    assert "Work it out" in text(client, address)
    assert client.get(address.replace("/?", "/download.json?")).status_code == 404

    for reader in (client, Client()):
        asked = reader.post(address)
        assert asked["Location"] == address
    (job,) = Job.objects.all()
    waiting = text(client, address)
    assert "Waiting for its turn." in waiting
    assert f'hx-get="/asked/{job.pk}/"' in waiting
    assert "no-store" in client.get(address)["Cache-Control"]
    assert "Waiting for its turn." in text(client, f"/asked/{job.pk}/")

    done = job_run_next()
    assert done is not None
    assert (done.state, done.error) == (JobState.DONE, "")
    assert "One thing differs between them: new votes." in text(client, address)
    assert client.get(f"/asked/{job.pk}/")["Location"] == address
    part = client.get(f"/asked/{job.pk}/", headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == address
    assert client.get(address.replace("/?", "/download.json?")).status_code == 200
    client.post(address)
    assert Job.objects.count() == 1


def test_a_job_gives_what_the_publication_carries(three: list[Snapshot]) -> None:
    for rows in Rows:
        params = {"before": three[1].digest, "after": three[2].digest, "rows": rows.value}
        job_create(kind="ledger", params=params)
        done = job_run_next()
        assert done is not None
        assert json.loads(json.dumps(done.result)) == document(three[2], rows)


def test_one_that_failed_says_why_and_can_be_tried_again(
    client: Client, three: list[Snapshot]
) -> None:
    address = between(three[0], three[2])
    client.post(address)
    Job.objects.update(state=JobState.FAILED, error="It did not converge.")

    page = text(client, address)
    assert "It did not converge." in page
    assert "Try again" in page
    assert "hx-get" not in page
    client.post(address)
    assert Job.objects.filter(state=JobState.QUEUED).count() == 1


def test_few_questions_may_wait_at_once(
    client: Client, three: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ASKED_WAITING", 1)
    assert client.post(between(three[0], three[2])).status_code == 302

    refused = client.post(between(three[0], three[2], "revisions"))
    assert refused.status_code == 429
    assert "Ask again in a minute" in refused.content.decode()
    # The same question is no other one.
    assert client.post(between(three[0], three[2])).status_code == 302


def test_a_network_may_ask_only_so_often(
    client: Client, three: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "NETWORK_ASKED_RATE", (1, 3600))
    assert client.post(between(three[0], three[2])).status_code == 302

    refused = client.post(between(three[0], three[2], "revisions"))
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0


def test_asking_needs_the_pages_own_form(three: list[Snapshot]) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(between(three[0], three[2])).status_code == 403
    assert not Job.objects.exists()


def test_operators_jobs_are_nobody_elses_business(client: Client, three: list[Snapshot]) -> None:
    root = User.objects.create_user("root")
    params = {"before": three[0].digest, "after": three[2].digest, "rows": "families"}
    for job in (
        job_create(kind="refit", params={}),
        job_create(kind="ledger", params=params, actor=root),
    ):
        assert client.get(f"/asked/{job.pk}/").status_code == 404
    with pytest.raises(Unknown):
        asking.asked_get(10**6)


def test_a_page_of_a_ledger_asks_the_database_little(
    client: Client, three: list[Snapshot], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        text(client, "/moved/")


def test_only_pages_of_the_log_that_exist_by_number_are_kept(client: Client) -> None:
    """Kept under a number, what "x2" gives would be shown to whoever asks for page 2."""
    assert "ETag" in client.get("/moved/log/?page=2")
    assert "ETag" not in client.get("/moved/log/?page=x2")
