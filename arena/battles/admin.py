from django.contrib import admin

from arena.battles.models import Answer, Battle, Prompt, Vote
from arena.core.admin import ReadOnlyAdmin


@admin.register(Battle)
class BattleAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "state", "mode", "revision_a", "revision_b")
    list_filter = ("state", "mode")
    list_select_related = ("revision_a", "revision_b")


@admin.register(Answer)
class AnswerAdmin(ReadOnlyAdmin):
    list_display = ("turn", "side", "finish_reason", "duration_seconds", "error_kind")
    list_filter = ("error_kind", "finish_reason")
    list_select_related = ("turn",)


@admin.register(Vote)
class VoteAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "outcome", "battle")
    list_filter = ("outcome",)


@admin.register(Prompt)
class PromptAdmin(admin.ModelAdmin):
    list_display = ("slug", "category", "language")
    list_filter = ("category", "language")
