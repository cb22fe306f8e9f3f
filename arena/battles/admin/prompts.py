"""Prompts whose answers were recorded beforehand."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from arena.battles.models import Prompt
from arena.core.admin import TitledAdmin
from arena.core.services import audit


@admin.register(Prompt)
class PromptAdmin(TitledAdmin):
    list_display = ("slug", "collection", "category", "language", "answered")
    list_filter = ("collection", "category", "language")
    list_select_related = ("collection",)
    # A collection comes whole, out of a file.
    exclude = ("collection",)
    search_fields = ("slug", "text")
    search_help_text = "Part of a slug or of a prompt."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prompt]:
        return super().get_queryset(request).annotate(recorded=Count("answers"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those of a collection stay as they were judged."""
        return super().has_change_permission(request, obj) and not in_collection(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not in_collection(obj)

    @admin.display(description="recorded answers", ordering="recorded")
    def answered(self, prompt: Any) -> int:
        return int(prompt.recorded)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = "prompt.change" if change else "prompt.create"
        audit(action=action, subject=obj.slug, actor=request.user, fields=form.changed_data)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        audit(action="prompt.delete", subject=obj.slug, actor=request.user)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> None:
        with transaction.atomic():
            for prompt in queryset:
                self.delete_model(request, prompt)


def in_collection(prompt: Prompt | None) -> bool:
    return prompt is not None and prompt.collection_id is not None
