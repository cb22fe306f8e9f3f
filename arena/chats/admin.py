"""Direct chats for operators: who was asked, how it ended, what an endpoint said. No texts."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from arena.chats.models import ChatAnswer, ChatTurn
from arena.core.admin import ReadOnlyAdmin, link_to, moment, seconds, took

TEXTS = ("text", "reasoning")


class ChatAnswerInline(admin.TabularInline):
    model = ChatAnswer
    fields = readonly_fields = (
        *("attempt", "finish_reason", "first_token", "lasted", "completion_tokens", "requests"),
        *("error_kind", "error_detail"),
    )
    can_delete = False
    max_num = extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChatAnswer]:
        return super().get_queryset(request).defer(*TEXTS)

    @admin.display(description="first token after")
    def first_token(self, answer: ChatAnswer) -> str:
        return seconds(answer.first_token_seconds)

    @admin.display(description="took")
    def lasted(self, answer: ChatAnswer) -> str:
        return seconds(answer.duration_seconds)


@admin.register(ChatTurn)
class ChatTurnAdmin(ReadOnlyAdmin):
    list_display = ("begun", "asked", "number", "state", "attempt", "lasted", "process")
    list_display_links = ("begun",)
    list_filter = ("created_at", "state")
    list_select_related = ("revision",)
    search_fields = ("revision__name",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    fields = ("begun", "asked", "number", "state", "attempt", "lasted", "process")
    inlines = (ChatAnswerInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChatTurn]:
        return super().get_queryset(request).defer("prompt")

    @admin.display(description="begun", ordering="created_at")
    def begun(self, turn: ChatTurn) -> str:
        return moment(turn.created_at)

    @admin.display(description="asked", ordering="revision__name")
    def asked(self, turn: ChatTurn) -> str:
        return link_to(turn.revision)

    @admin.display(description="took")
    def lasted(self, turn: ChatTurn) -> str:
        return took(turn.taken_at, turn.ended_at)

    @admin.display(description="process", ordering="owner")
    def process(self, turn: ChatTurn) -> str:
        return turn.owner[:8]
