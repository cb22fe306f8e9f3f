"""The audit log says who changed what, and what it says stays."""

import pytest
from django.contrib.auth.models import User
from django.db import models, transaction

from arena.core.models import AuditEntry
from arena.core.services import audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return User.objects.create_user("operator")


def test_it_works(operator: User) -> None:
    audit(action="votes.exclude", subject="rigging", actor=operator, votes=3, reason="a test")

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == (operator, "votes.exclude", "rigging")
    assert entry.detail == {"votes": 3, "reason": "a test"}
    assert str(entry) == "votes.exclude rigging"


def test_what_the_arena_does_by_itself_has_no_actor() -> None:
    audit(action="segment.add", subject="0123")

    assert AuditEntry.objects.get().actor is None


def test_the_last_change_comes_first() -> None:
    for subject in ("first", "second", "third"):
        audit(action="test", subject=subject)

    assert [entry.subject for entry in AuditEntry.objects.all()] == ["third", "second", "first"]


def test_an_entry_is_never_changed() -> None:
    audit(action="votes.exclude", subject="rigging")
    entry = AuditEntry.objects.get()
    entry.subject = "something harmless"

    with pytest.raises(TypeError, match="audit entry is never changed"):
        entry.save()
    assert AuditEntry.objects.get().subject == "rigging"


def test_an_entry_is_not_changed_right_after_it_was_written_either() -> None:
    entry = audit(action="votes.exclude", subject="rigging")
    entry.subject = "something harmless"

    with pytest.raises(TypeError, match="never changed"):
        entry.save()
    assert AuditEntry.objects.get().subject == "rigging"


def test_an_entry_is_never_deleted() -> None:
    entry = audit(action="votes.exclude", subject="rigging")

    with pytest.raises(TypeError, match="audit entry is never deleted"):
        entry.delete()
    assert AuditEntry.objects.exists()


def test_entries_are_neither_changed_nor_deleted_in_bulk() -> None:
    audit(action="votes.exclude", subject="rigging")

    with pytest.raises(TypeError, match="never changed"):
        AuditEntry.objects.update(subject="something harmless")
    with pytest.raises(TypeError, match="never deleted"):
        AuditEntry.objects.filter(subject="rigging").delete()
    assert AuditEntry.objects.get().subject == "rigging"


def test_whoever_is_in_the_log_cannot_be_removed(operator: User) -> None:
    audit(action="votes.exclude", subject="rigging", actor=operator)

    with pytest.raises(models.ProtectedError):
        operator.delete()


def test_a_change_that_is_undone_leaves_no_entry() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        audit(action="votes.exclude", subject="rigging")
        raise RuntimeError
    assert not AuditEntry.objects.exists()
