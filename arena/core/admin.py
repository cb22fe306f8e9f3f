from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from arena.core.models import AuditEntry, Job


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that operators look at and nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "action", "subject")
    list_filter = ("action",)
    # Without it every row asks for its actor: Django follows no nullable key by itself.
    list_select_related = ("actor",)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "state", "done", "message", "actor", "created_at", "ended_at")
    list_filter = ("kind", "state")
    list_select_related = ("actor",)
