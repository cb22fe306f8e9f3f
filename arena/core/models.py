"""The audit log: who changed what, and when; and jobs, which outlast the request for them."""

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


class JobState(models.TextChoices):
    QUEUED = "queued", "Waiting for its turn"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Job(models.Model):
    """Work that takes longer than a request: asked for, run once, its result kept.

    `worker` and `seen_at` are the lease of the process that runs it. One whose lease ran out is
    run again from its start, so what a job does must be safe to repeat.
    """

    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    done = models.FloatField(null=True, help_text="Share of the work done, 0 to 1, where known.")
    message = models.CharField(max_length=200, blank=True, help_text="What it is doing.")
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    worker = models.CharField(max_length=32, blank=True)
    seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=("state", "id"))]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
