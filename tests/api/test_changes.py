"""Changes over the API: imports, exclusions, contestants; each once, and in the audit log."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from arena.battles.models import Vote
from arena.catalog.models import Contestant, Revision
from arena.core.jobs import job_run_next
from arena.core.models import AuditEntry
from arena.integrity.models import Exclusion, Segment
from arena.leaderboard.models import Snapshot
from tests.api.conftest import allowed, bearing, styled, token_of
from tests.leaderboard.test_refit import cycle

Published = tuple[Snapshot, Snapshot]
pytestmark = pytest.mark.django_db


def post(client: Client, path: str, body: dict[str, Any], method: str = "post") -> Any:
    send = getattr(client, method)
    return send(f"/api/v1/{path}", json.dumps(body), content_type="application/json")


def upload(client: Client, path: Path, **fields: str) -> Any:
    file = SimpleUploadedFile(path.name, path.read_bytes())
    return client.post("/api/v1/imports/", {"file": file, **fields})


# -- Imports ---------------------------------------------------------------------------------


def test_an_uploaded_file_becomes_a_segment(root: Client, tmp_path: Path) -> None:
    asked = upload(root, cycle(tmp_path))
    assert asked.status_code == 202
    assert upload(root, cycle(tmp_path)).json()["id"] == asked.json()["id"]

    job_run_next()
    job = root.get(asked["Location"]).json()
    assert (job["state"], job["result"]["votes"]) == ("done", 48)
    assert job["result"]["segment"] == Segment.objects.get().sha256
    assert not list(Path(settings.IMPORT_DIR).rglob("*.csv"))


def test_the_same_votes_again_add_nothing(root: Client, tmp_path: Path) -> None:
    for _ in range(2):
        asked = upload(root, cycle(tmp_path))
        job_run_next()
    job = root.get(asked["Location"]).json()

    assert job["state"] == "failed"
    assert "was imported before" in job["error"]
    assert Segment.objects.count() == 1


def test_a_dry_run_writes_nothing(root: Client, tmp_path: Path) -> None:
    asked = upload(root, cycle(tmp_path), dry_run="true")
    job_run_next()

    assert root.get(asked["Location"]).json()["result"]["votes"] == 48
    assert not Segment.objects.exists()


def test_a_file_of_the_import_folder(root: Client) -> None:
    folder = Path(settings.IMPORT_DIR)
    folder.mkdir(parents=True)
    bad = cycle(folder)
    bad.write_text(bad.read_text() + "wren,wren,model_a\n")
    asked = post(root, "imports/", {"file": "cycle.csv"})
    job_run_next()
    refused = root.get(asked["Location"]).json()
    assert refused["state"] == "failed"
    assert "line 50" in refused["error"]

    asked = post(root, "imports/", {"file": "cycle.csv", "skip_bad": True})
    job_run_next()
    result = root.get(asked["Location"]).json()["result"]
    assert (result["votes"], result["refused"]) == (48, 1)


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/passwd", "nothing.csv", "a\0b"])
def test_names_lead_nowhere_but_into_the_import_folder(root: Client, name: str) -> None:
    response = post(root, "imports/", {"file": name})

    assert response.status_code == 400
    assert Segment.objects.count() == 0


def test_one_sees_and_cancels_ones_own_jobs(tmp_path: Path, root: Client) -> None:
    importer = bearing(token_of(allowed("importer", "integrity.add_segment")))
    asked = upload(importer, cycle(tmp_path))
    others = upload(root, styled(tmp_path))

    assert [job["id"] for job in importer.get("/api/v1/jobs/").json()["results"]] == [
        asked.json()["id"]
    ]
    assert importer.get(others["Location"]).status_code == 404
    assert importer.delete(others["Location"]).status_code == 404
    assert importer.delete(asked["Location"]).json()["state"] == "cancelled"
    assert importer.delete(asked["Location"]).status_code == 409


# -- Exclusions ------------------------------------------------------------------------------


def test_an_exclusion_is_made_once_and_lifted_once(root: Client, published: Published) -> None:
    vote = f"{Segment.objects.order_by('id')[0].sha256}:3"
    body = {"votes": [vote], "rule": "rigged", "reason": "Bought votes."}
    first, second = post(root, "exclusions/", body), post(root, "exclusions/", body)
    assert (first.status_code, first.json()) == (201, {"added": 1})
    assert (second.status_code, second.json()) == (200, {"added": 0})

    (row,) = root.get(f"/api/v1/exclusions/?vote={vote}").json()["results"]
    assert (row["rule"], row["actor"], row["lifted_at"]) == ("rigged", "root", None)
    lift = f"exclusions/{row['id']}/lift/"
    assert post(root, lift, {}).status_code == 400
    lifted = post(root, lift, {"reason": "They were not."})
    assert lifted.json()["lifted_by"] == "root"
    assert post(root, lift, {"reason": "Again."}).status_code == 409
    assert root.get("/api/v1/exclusions/?standing=yes").json()["results"] == []
    said = root.get("/api/v1/audit/?action=votes.exclusion_lift").json()["results"][0]
    assert (said["actor"], said["detail"]["reason"]) == ("root", "They were not.")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"votes": ["n:999999"]}, "There is no vote n:999999. Nothing was excluded."),
        ({"votes": ["nonsense"]}, "'nonsense' names no vote"),
        ({"votes": []}, "votes: "),
        ({"reason": " "}, "reason: "),
        ({"rule": "Two words"}, "rule: It takes a word"),
        ({"vote": "n:1"}, "vote: There is no such field."),
    ],
)
def test_an_exclusion_that_cannot_be(
    root: Client, published: Published, change: dict[str, Any], said: str
) -> None:
    body = {"votes": [f"n:{Vote.objects.get().pk}"], "rule": "rigged", "reason": "Bought."}
    response = post(root, "exclusions/", body | change)

    assert response.status_code == 400
    assert said in response.json()["detail"]
    assert not Exclusion.objects.exists()


# -- The catalog -----------------------------------------------------------------------------


def test_a_contestant_is_added_and_changed(root: Client) -> None:
    body = {"name": "Wren 2", "organisation": "Aviary", "price_in": "0.5", "aliases": ["Wrenny"]}
    added = post(root, "contestants/", body)
    assert (added.status_code, added.json()["slug"]) == (201, "wren-2")
    assert (added.json()["organisation"], added.json()["status"]) == ("Aviary", "draft")
    assert post(root, "contestants/", body).status_code == 409

    changed = post(root, "contestants/wren-2/", {"status": "active", "licence": "open"}, "patch")
    assert (changed.json()["status"], changed.json()["licence"]) == ("active", "open")
    entry = AuditEntry.objects.get(action="contestant.change")
    assert entry.detail["changes"]["status"] == ["draft", "active"]
    assert post(root, "contestants/wren-2/", {"status": "active"}, "patch").status_code == 200
    assert AuditEntry.objects.filter(action="contestant.change").count() == 1


def test_a_contestant_may_be_asked_about_pictures(root: Client) -> None:
    added = post(root, "contestants/", {"name": "Wren 2"})
    assert added.json()["accepts_images"] is False

    changed = post(root, "contestants/wren-2/", {"accepts_images": True}, "patch")
    assert changed.json()["accepts_images"] is True
    assert post(root, "contestants/wren-2/", {"accepts_images": 1}, "patch").status_code == 400


ENDPOINT = {"name": "wren-2-a", "kind": "openai", "endpoint": "http://localhost:1/v1"}
SERVED = ENDPOINT | {"remote_model": "wren", "key_env": "WREN_KEY", "system_prompt": " Be kind. "}


def test_what_is_served_changes_by_a_new_revision(root: Client) -> None:
    post(root, "contestants/", {"name": "Wren 2"})
    for number, change in enumerate([{}, {"name": "wren-2-b", "decoding": {"top_p": 1}}], start=1):
        made = post(root, "contestants/wren-2/revisions/", SERVED | change)
        assert (made.status_code, made.json()["number"]) == (201, number)
        assert root.get(made["Location"]).json() == made.json()
    assert made.json()["system_prompt"] == " Be kind. "
    assert post(root, "contestants/wren-2/revisions/", SERVED).status_code == 409
    assert Revision.objects.count() == 2
    assert AuditEntry.objects.filter(action="revision.create").count() == 2


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_only_staff_configure_endpoints_and_see_where_they_are(root: Client, kind: str) -> None:
    post(root, "contestants/", {"name": "Wren 2"})
    made = post(root, "contestants/wren-2/revisions/", SERVED | {"kind": kind})
    permissions = ("catalog.add_revision", "catalog.view_revision")
    helper = bearing(token_of(allowed("helper", *permissions)))

    another = SERVED | {"kind": kind, "name": "wren-2-c"}
    refused = post(helper, "contestants/wren-2/revisions/", another)
    assert refused.status_code == 403
    assert "Only staff" in refused.json()["detail"]
    assert root.get(made["Location"]).json()["endpoint"] == "http://localhost:1/v1"
    assert helper.get(made["Location"]).json().keys() >= {"remote_model", "identity"}
    assert not helper.get(made["Location"]).json().keys() & {"endpoint", "key_env"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"endpoint": "file:///etc/passwd"}, "endpoint: "),
        ({"endpoint": "http://me:secret@host/v1"}, "endpoint: It must not hold a key"),
        ({"endpoint": "http://host/v1?key=secret"}, "endpoint: It must not hold a key"),
        ({"endpoint": "http://["}, "endpoint: Write the address"),
        ({"endpoint": ""}, "needs endpoint and remote_model"),
        ({"endpoint": "", "kind": "anthropic"}, "needs endpoint and remote_model"),
        ({"key_env": "SECRET_KEY"}, "key_env: "),
        ({"kind": "recorded"}, "has no endpoint"),
        ({"decoding": {"stop": "\0"}}, "decoding: "),
        ({"name": 3}, "name: "),
    ],
)
def test_a_revision_that_cannot_be(root: Client, change: dict[str, Any], said: str) -> None:
    post(root, "contestants/", {"name": "Wren 2"})
    response = post(root, "contestants/wren-2/revisions/", SERVED | change)

    assert response.status_code == 400
    assert said in response.json()["detail"]
    assert not Revision.objects.exists()


def test_a_contestant_that_does_not_exist(root: Client) -> None:
    assert root.get("/api/v1/contestants/nobody/").status_code == 404
    assert post(root, "contestants/nobody/", {}, "patch").status_code == 404
    assert root.get("/api/v1/revisions/7/").status_code == 404
    assert not Contestant.objects.exists()
