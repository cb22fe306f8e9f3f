"""Writing to the audit log."""

from typing import Any

from arena.core.models import AuditEntry


def audit(*, action: str, subject: str, actor: Any = None, **detail: Any) -> AuditEntry:
    """Record a change in the same transaction as the change itself."""
    return AuditEntry.objects.create(action=action, subject=subject, actor=actor, detail=detail)
