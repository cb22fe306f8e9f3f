from django.contrib import admin

from arena.core.admin import ReadOnlyAdmin
from arena.leaderboard.models import Snapshot


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ("short", "number", "published_at", "engine", "counted")
    exclude = ("document",)
