"""The operators' index, their log and their jobs; and actions that ask before they do anything."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from arena.core.jobs import job_create
from arena.core.models import AuditEntry, Job
from arena.core.services import audit

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert('mine')</script>"


# -- For the admin's tests of every room -----------------------------------------------------


def at(model: type[Model], *what: object) -> str:
    """The admin's address of the model's list, of its form, or of a row."""
    return "/".join(
        ["/admin", model._meta.app_label, str(model._meta.model_name), *map(str, what), ""]
    )


def staff(name: str, *permissions: str, **fields: bool) -> Client:
    """Somebody who works here, with these permissions and no others."""
    user = User.objects.create_user(name, is_staff=True, **fields)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    client = Client()
    client.force_login(user)
    return client


def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return response.content.decode()


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        page(client, address)
    return len(asked)


def act(client: Client, address: str, action: str, rows: list[Any], **answer: Any) -> Any:
    """Choose rows of a list and an action, and answer what its page asks, if anything."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    if not answer:
        return client.post(address, chosen | {"index": 0})
    keys = ",".join(str(row.pk) for row in rows)
    return client.post(address, chosen | {"answered": "1", "chosen": keys} | answer)


def assert_harmless(text: str) -> None:
    """The hostile text stands there as text."""
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text


# -- The index -------------------------------------------------------------------------------


def test_the_index_speaks_to_operators() -> None:
    text = page(root(), "/admin/")

    for heading in ("Contestants and endpoints", "Battles, votes and sampling", "Log and jobs"):
        assert heading in text
    assert "/admin/battles/battle/exposure/" in text
    assert "Tiltyard</a> <span" in text


def test_the_index_offers_what_one_may_see() -> None:
    text = page(staff("reader", "core.view_auditentry"), "/admin/")

    assert "/admin/core/auditentry/" in text
    assert "/admin/battles/" not in text
    assert "/admin/catalog/" not in text


def test_who_is_no_operator_is_asked_to_sign_in(client: Client) -> None:
    client.force_login(User.objects.create_user("somebody"))

    for address in ("/admin/", at(AuditEntry), at(Job)):
        assert client.get(address)["Location"].startswith("/admin/login/")


# -- The audit log ---------------------------------------------------------------------------


@pytest.fixture
def log() -> None:
    ann, ben = User.objects.create_user("ann"), User.objects.create_user("ben")
    audit(action="votes.exclude", subject="rigging", actor=ann, votes=3, reason=HOSTILE)
    audit(action="boost.create", subject=f"Wren {HOSTILE}", actor=ben, reason="It is new.")
    audit(action="segment.add", subject="0123abcd")


def listed(text: str) -> list[str]:
    """Which of the log's actions a list shows."""
    rows = text.partition("result_list")[2].partition("changelist-filter")[0]
    return [name for name in ("votes.exclude", "boost.create", "segment.add") if name in rows]


def test_it_works(log: None) -> None:
    text = page(root(), at(AuditEntry))

    assert listed(text) == ["votes.exclude", "boost.create", "segment.add"]
    assert "votes: 3, reason: " in text
    assert "the arena" in text
    assert_harmless(text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=boost.create", ["boost.create"]),
        ("q=rigg", ["votes.exclude"]),
        ("q=nothing", []),
        ("at__year=1999", []),
    ],
)
def test_the_log_is_narrowed(log: None, query: str, found: list[str]) -> None:
    assert listed(page(root(), f"{at(AuditEntry)}?{query}")) == found


def test_the_log_is_narrowed_to_one_actor(log: None) -> None:
    ann = User.objects.get(username="ann")

    assert listed(page(root(), f"{at(AuditEntry)}?actor__id__exact={ann.pk}")) == ["votes.exclude"]


def test_an_entry_shows_all_of_its_detail_and_changes_nothing(log: None) -> None:
    client, entry = root(), AuditEntry.objects.get(action="votes.exclude")
    text = page(client, at(AuditEntry, entry.pk, "change"))

    assert "&quot;votes&quot;: 3" in text
    assert_harmless(text)
    assert client.post(at(AuditEntry, entry.pk, "change"), {"subject": "x"}).status_code == 403
    assert client.get(at(AuditEntry, "add")).status_code == 403


def test_the_log_needs_its_permission(log: None) -> None:
    assert staff("nobody").get(at(AuditEntry)).status_code == 403
    assert page(staff("reader", "core.view_auditentry"), at(AuditEntry))


# -- Jobs ------------------------------------------------------------------------------------


def test_a_job_shows_what_it_was_asked_and_what_it_found() -> None:
    ann = User.objects.create_user("ann")
    job, client = job_create(kind="import", params={"file": HOSTILE}, actor=ann), root()
    Job.objects.update(done=0.4, message=HOSTILE, result={"votes": 48}, state="running")
    listing, detail = page(client, at(Job)), page(client, at(Job, job.pk, "change"))

    assert "40%" in listing and "ann" in listing
    assert "&quot;votes&quot;: 48" in detail
    assert_harmless(listing)
    assert_harmless(detail)


def log_more(number: int) -> None:
    audit(action="test", subject="s", actor=User.objects.create_user(f"auditor {number}"))


def jobs_more(number: int) -> None:
    actor = User.objects.create_user(f"analyst {number}")
    job_create(kind="refit", params={"number": number}, actor=actor)


@pytest.mark.parametrize(("model", "more"), [(AuditEntry, log_more), (Job, jobs_more)])
def test_a_longer_list_takes_no_more_queries(
    model: type[Model], more: Callable[[int], None]
) -> None:
    client = root()
    for number in range(2):
        more(number)
    short = queries(client, at(model))
    for number in range(2, 8):
        more(number)

    assert queries(client, at(model)) == short
