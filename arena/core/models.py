"""The audit log: who changed what, and when."""

from typing import Any

from django.conf import settings
from django.db import models


class WrittenOnce(models.QuerySet):  # type: ignore[type-arg]
    """Refuses what would pass by `save` and `delete` of the rows."""

    def update(self, **kwargs: Any) -> int:
        raise TypeError(f"A {self.model._meta.verbose_name} is never changed once written.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError(f"A {self.model._meta.verbose_name} is never deleted.")


class Immutable(models.Model):
    """A row that is written once. Corrections are new rows that refer to it."""

    objects = WrittenOnce.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"A {self._meta.verbose_name} is never changed once written.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(f"A {self._meta.verbose_name} is never deleted.")


class AuditEntry(Immutable):
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
