"""Who may what: tokens, permissions, limits, and problems that say what to do."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import get_resolver

from arena.api.services import token_create
from arena.api.views.base import Api
from arena.core.models import AuditEntry
from arena.leaderboard.models import Snapshot
from tests.api.conftest import allowed, bearing, token_of

Published = tuple[Snapshot, Snapshot]
May = Callable[..., Client]
pytestmark = pytest.mark.django_db

# Every address with what it needs, as docs/api.md lists it.
NEEDS = [
    ("GET", "boards/", "leaderboard.view_snapshot"),
    ("GET", "boards/current.csv", "leaderboard.view_snapshot"),
    ("GET", "catalog.json", "leaderboard.view_snapshot"),
    ("GET", "standings/", "leaderboard.view_snapshot"),
    ("GET", "win-rates/", "leaderboard.view_snapshot"),
    ("GET", "exposure/", "leaderboard.view_snapshot"),
    ("GET", "movements/", "leaderboard.view_snapshot"),
    ("GET", "snapshots/", "leaderboard.view_snapshot"),
    ("POST", "refits/", "leaderboard.add_draft"),
    ("POST", "publications/", "leaderboard.add_snapshot"),
    ("GET", "votes.ndjson", "integrity.view_segment"),
    ("GET", f"segments/{'0' * 64}.parquet", "integrity.view_segment"),
    ("GET", "exclusions/", "integrity.view_exclusion"),
    ("GET", "contestants/", "catalog.view_contestant"),
    ("GET", "contestants/wren/revisions/", "catalog.view_revision"),
    ("GET", "audit/", "core.view_auditentry"),
]


@pytest.mark.parametrize(("method", "path", "permission"), NEEDS)
def test_the_permission_opens_an_address_and_nothing_else_does(
    published: Published, may: May, method: str, path: str, permission: str
) -> None:
    client = may()
    refused = client.generic(method, f"/api/v1/{path}")
    assert refused.status_code == 403
    assert permission in refused.json()["detail"]
    assert Client().generic(method, f"/api/v1/{path}").status_code == 401

    allowed_too = bearing(token_of(allowed("reader", permission)))
    assert allowed_too.generic(method, f"/api/v1/{path}").status_code in {200, 202, 404}


@pytest.mark.parametrize(
    ("path", "permission", "body"),
    [
        ("imports/", "integrity.add_segment", {"file": "none.csv"}),
        ("exclusions/", "integrity.add_exclusion", {}),
        ("exclusions/1/lift/", "integrity.change_exclusion", {}),
        ("contestants/", "catalog.add_contestant", {}),
        ("contestants/wren/revisions/", "catalog.add_revision", {}),
        ("ledgers/", "core.add_job", {}),
    ],
)
def test_who_may_not_write_is_told_so_before_what_is_wrong_with_the_body(
    may: May, path: str, permission: str, body: dict[str, Any]
) -> None:
    client = may("leaderboard.view_snapshot")
    response = client.post(f"/api/v1/{path}", body, content_type="application/json")

    assert response.status_code == 403
    assert permission in response.json()["detail"]


def test_every_address_says_what_it_needs() -> None:
    for pattern in get_resolver("arena.api.urls").url_patterns:
        view = getattr(pattern.callback, "cls", None)
        if view is None or not issubclass(view, Api) or not view.tag or view.tag == "Health":
            continue
        assert set(view.permissions) == set(view(**{}).allowed_methods) - {"OPTIONS"}, view


def test_tokens_are_listed_and_revoked() -> None:
    ann, ben = User.objects.create_superuser("ann"), User.objects.create_superuser("ben")
    first, second, others = token_of(ann), token_of(ann), token_of(ben)
    out = StringIO()
    call_command("list_api_tokens", "ann", stdout=out)
    assert first[:15] in out.getvalue() and first not in out.getvalue()
    assert others[:15] not in out.getvalue()

    call_command("revoke_api_token", "ann", first[:15], stdout=out)
    assert bearing(first).get("/api/v1/jobs/").status_code == 401
    assert bearing(second).get("/api/v1/jobs/").status_code == 200
    call_command("revoke_api_token", "ann", all=True, stdout=out)
    assert bearing(second).get("/api/v1/jobs/").status_code == 401
    assert bearing(others).get("/api/v1/jobs/").status_code == 200
    assert AuditEntry.objects.filter(action="token.revoke", subject="ann").count() == 2
    with pytest.raises(CommandError, match="no such token"):
        call_command("revoke_api_token", "ann", all=True)


def test_a_token_of_somebody_who_left_opens_nothing() -> None:
    user = User.objects.create_superuser("root")
    client = bearing(token_of(user))
    User.objects.update(is_active=False)

    assert client.get("/api/v1/jobs/").status_code == 401


def test_too_many_requests_with_one_token(settings: Any) -> None:
    settings.API_RATE = (3, 3600)
    cache.clear()
    user = User.objects.create_superuser("root")
    client, other = (
        bearing(token_create(user=user, expires_in=timedelta(days=1))) for _ in range(2)
    )
    statuses = [client.get("/api/v1/jobs/").status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 429]
    refused = client.get("/api/v1/jobs/")
    assert refused["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused["Retry-After"]) <= 3600
    assert other.get("/api/v1/jobs/").status_code == 200
    cache.clear()


@pytest.mark.parametrize(
    ("method", "path", "fields", "status", "said"),
    [
        ("GET", "boards", {}, 404, "Write /api/v1/boards/, with a slash at the end."),
        ("GET", "boards/current.xml", {}, 406, "There is no form 'xml'. These exist: app"),
        ("GET", "votes/", {"headers": {"Accept": "text/html"}}, 406, "application/x-ndjson"),
        ("PUT", "boards/", {}, 405, "PUT"),
        ("GET", "snapshots/?cursor=xxx", {}, 400, "cursor: this API gave out no such cursor"),
        ("GET", "snapshots/?cursor=cD1hYmM=", {}, 400, "cursor: this API gave out no such"),
        ("GET", "snapshots/?limit=0", {}, 400, "limit: Ensure this value is greater"),
        ("GET", "jobs/99999999999999999999/", {}, 404, "There is no job"),
        ("POST", "exclusions/", {"data": "{"}, 400, "JSON parse error"),
        ("POST", "exclusions/", {"data": "[" * 100_000}, 400, "nested too deeply"),
        ("POST", "exclusions/", {"data": "[]"}, 400, "The body must be a JSON object."),
        ("POST", "exclusions/", {"data": "{}", "content_type": "text/csv"}, 415, "text/csv"),
        ("POST", "refits/", {"data": '{"now": true}'}, 400, "now: There is no such field."),
        ("POST", "imports/", {"data": "x", "content_type": "multipart/form-data"}, 400, "boundary"),
    ],
)
def test_problems_say_what_to_change(
    root: Client, method: str, path: str, fields: dict[str, Any], status: int, said: str
) -> None:
    sent = {"content_type": "application/json", **fields}
    response = root.generic(method, f"/api/v1/{path}", **sent)

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert said in problem["detail"]


def test_what_nobody_foresaw_is_a_problem_that_gives_nothing_away(
    root: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("the secret")

    monkeypatch.setattr("arena.api.views.jobs.jobs_seen_by", broken)
    response = root.get("/api/v1/jobs/")

    assert response.status_code == 500
    assert "secret" not in response.content.decode()


def test_health(published: Published, root: Client, may: May) -> None:
    assert Client().get("/api/v1/health/").json().keys() == {"status", "version"}
    assert may().get("/api/v1/health/").json().keys() == {"status", "version"}
    whole = root.get("/api/v1/health/").json()
    assert (whole["status"], whole["database"], whole["cache"]) == ("ok", True, True)
    assert (whole["segments"], whole["segments_missing"], whole["queued_jobs"]) == (2, [], 0)


def test_the_documentation_is_open_and_names_every_address(client: Client) -> None:
    page = client.get("/api/v1/").content.decode()
    schema = client.get("/api/v1/schema.json").json()

    for path in schema["paths"]:
        assert f"<code>{path}</code>" in page
    assert "leaderboard.view_snapshot" in page
    assert client.get("/api/v1/schema.yaml").content.startswith(b"openapi: 3")
