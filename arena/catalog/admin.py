from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from arena.catalog.models import Contestant, Organisation, Revision


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):
    list_display = ("name", "url")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    prepopulated_fields = {"slug": ("name",)}


class RevisionInline(admin.TabularInline):
    """What was served, newest last; read only, because a change is a new revision."""

    model = Revision
    extra = 0
    fields = ("number", "name", "stage", "kind", "endpoint", "remote_model")
    readonly_fields = fields
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Contestant)
class ContestantAdmin(admin.ModelAdmin):
    list_display = ("name", "organisation", "licence", "status")
    list_filter = ("status", "licence", "organisation")
    list_select_related = ("organisation",)
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    inlines = (RevisionInline,)


@admin.register(Revision)
class RevisionAdmin(admin.ModelAdmin):
    """Revisions are added and never edited: what was voted on stays what it was."""

    list_display = ("name", "contestant", "number", "stage", "kind")
    list_filter = ("kind", "stage")
    list_select_related = ("contestant",)
    search_fields = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
