from django.contrib import admin

from arena.core.admin import ReadOnlyAdmin
from arena.integrity.models import Exclusion, Segment


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "created_at", "origin", "source_name", "rows", "rejected")
    list_filter = ("origin",)


@admin.register(Exclusion)
class ExclusionAdmin(ReadOnlyAdmin):
    list_display = ("vote", "rule", "reason", "actor", "created_at", "lifted_at")
    list_filter = ("rule",)
    list_select_related = ("actor",)
    search_fields = ("vote",)
