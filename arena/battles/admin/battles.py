"""Battles and their answers, and the page of exposure."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from arena.battles.admin.exposure import (
    SinceForm,
    alone_words,
    days_ago,
    pool_shown,
    shown_tables,
    shown_words,
    spans,
)
from arena.battles.admin.tables import in_hundred
from arena.battles.admin.turns import turn_shown, turns_of
from arena.battles.exposure import alone_votes, exposure, pools_now
from arena.battles.models import Answer, Battle, State
from arena.catalog.models import Revision
from arena.core.admin import ReadOnlyAdmin, link_to, moment, seconds, took
from arena.providers.exceptions import ProviderError

# States in a word, where their own names are the code's.
BRIEFLY = {State.GENERATING: "writing", State.COMPLETE: "open"}
READ_TEXTS = "battles.view_turn"
TEXTS = ("text", "reasoning")


class ErrorKindFilter(admin.SimpleListFilter):
    """By what went wrong, of all that can: to see what did would take all answers."""

    title = "error"
    parameter_name = "error"
    ours = "internal"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = ((kind, kind) for kind in sorted(kinds_below(ProviderError)))
        return [("any", "Any"), *kinds, (self.ours, "A fault of the arena's own")]

    def queryset(self, request: HttpRequest, answers: QuerySet[Any]) -> QuerySet[Any]:
        if (kind := self.value()) is None:
            return answers
        failed = answers.exclude(error_kind="")
        if kind == "any":
            return failed
        if kind == self.ours:
            return failed.filter(error_kind__startswith=f"{kind}:")
        return failed.filter(error_kind=kind)


class BattleErrorFilter(ErrorKindFilter):
    """On either side, in any attempt."""

    def queryset(self, request: HttpRequest, battles: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return battles
        failed = super().queryset(request, Answer.objects.all())
        return battles.filter(pk__in=failed.values("turn__battle"))


def kinds_below(base: type[Exception]) -> Iterator[str]:
    for kind in base.__subclasses__():
        yield kind.__name__
        yield from kinds_below(kind)


class AloneFilter(admin.SimpleListFilter):
    title = "who met"
    parameter_name = "met"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("two", "Two contestants"), ("itself", "One and itself (A/A)")]

    def queryset(self, request: HttpRequest, battles: QuerySet[Battle]) -> QuerySet[Battle]:
        alone = Q(revision_a=F("revision_b"))
        wanted = {"two": ~alone, "itself": alone}.get(self.value() or "", Q())
        return battles.filter(wanted)


@admin.register(Battle)
class BattleAdmin(ReadOnlyAdmin):
    list_display = (
        *("begun", "came_to", "side_a", "side_b", "how", "probability", "lasted", "process"),
    )
    # By spans and not by a date hierarchy, which counts the months of all battles for every page.
    list_filter = ("created_at", "state", "mode", AloneFilter, BattleErrorFilter, "pacing")
    list_select_related = ("revision_a", "revision_b")
    search_fields = ("id", "revision_a__name", "revision_b__name")
    search_help_text = "The beginning of a battle's id, or part of a contestant's name."
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    change_form_template = "admin/battles/battle.html"
    change_list_template = "admin/battles/list.html"
    fieldsets = (
        (None, {"fields": (("begun", "state", "vote_link", "voter_link"),)}),
        ("Who met", {"fields": (("side_a", "side_b", "mode", "probability"),)}),
        ("What about", {"fields": (("recorded_prompt", "categories", "language"),)}),
        (
            "How it ran",
            {
                "fields": (
                    ("pacing", "attempt", "lasted", "owner"),
                    ("taken_at", "ended_at"),
                )
            },
        ),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Battle], search_term: str
    ) -> tuple[QuerySet[Battle], bool]:
        """Names are looked for among the few revisions, and not beside each of the battles."""
        if not search_term.strip():
            return queryset, False
        named = Revision.objects.filter(name__icontains=search_term.strip())
        by_name = Q(revision_a__in=named) | Q(revision_b__in=named)
        return queryset.filter(by_name | Q(pk__startswith=search_term.strip())), False

    @admin.display(description="begun", ordering="created_at")
    def begun(self, battle: Battle) -> str:
        return moment(battle.created_at)

    @admin.display(description="A (left)", ordering="revision_a__name")
    def side_a(self, battle: Battle) -> str:
        return link_to(battle.revision_a)

    @admin.display(description="B (right)", ordering="revision_b__name")
    def side_b(self, battle: Battle) -> str:
        if battle.revision_a_id == battle.revision_b_id:
            return "itself (A/A)"
        return link_to(battle.revision_b)

    @admin.display(description="came to", ordering="state")
    def came_to(self, battle: Battle) -> str:
        return BRIEFLY.get(State(battle.state), battle.state)

    @admin.display(description="how", ordering="mode")
    def how(self, battle: Battle) -> str:
        """Mode and pacing, and which attempt it is where it was tried again."""
        again = f", attempt {battle.attempt}" if battle.attempt > 1 else ""
        return f"{battle.mode}, {battle.pacing}{again}"

    @admin.display(description="drawn with", ordering="draw_probability")
    def probability(self, battle: Battle) -> str:
        return "chosen" if battle.draw_probability is None else in_hundred(battle.draw_probability)

    @admin.display(description="took")
    def lasted(self, battle: Battle) -> str:
        return took(battle.taken_at, battle.ended_at)

    @admin.display(description="process", ordering="owner")
    def process(self, battle: Battle) -> str:
        return battle.owner[:8]

    @admin.display(description="vote")
    def vote_link(self, battle: Battle) -> str:
        vote = getattr(battle, "vote", None)
        return link_to(vote, vote.get_outcome_display()) if vote else "none"

    @admin.display(description="voter")
    def voter_link(self, battle: Battle) -> str:
        return link_to(battle.voter)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= {
            "turns": [turn_shown(turn) for turn in turns_of(context["original"])],
            "may_read": request.user.has_perm(READ_TEXTS),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        exposed = self.admin_site.admin_view(self.exposure_view)
        return [path("exposure/", exposed, name="battles_exposure"), *super().get_urls()]

    def exposure_view(self, request: HttpRequest) -> HttpResponse:
        """How often each was shown, how often it is drawn now, and what A/A battles say."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = SinceForm(request.GET or {"since": days_ago(30)})
        since = form.since_then() if form.is_valid() else None
        shown = exposure(since)
        context = self.admin_site.each_context(request) | {
            "title": "Exposure",
            "opts": self.opts,
            "form": form,
            "spans": spans(),
            "shown_words": shown_words(shown),
            "shown_tables": shown_tables(shown),
            "pools": [pool_shown(pool) for pool in pools_now()],
            "alone_words": alone_words(alone_votes(since)),
        }
        return render(request, "admin/battles/exposure.html", context)


@admin.register(Answer)
class AnswerAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "battle", "side", "attempt", "finish_reason", "lasted", "error_kind")
    list_filter = (ErrorKindFilter, "side")
    list_select_related = ("turn",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        return super().get_queryset(request).defer(*TEXTS, "error_detail")

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if request.user.has_perm(READ_TEXTS) else TEXTS

    @admin.display(description="battle")
    def battle(self, answer: Answer) -> str:
        return link_to(Battle(pk=answer.turn.battle_id), str(answer.turn.battle_id)[:8])

    @admin.display(description="took", ordering="duration_seconds")
    def lasted(self, answer: Answer) -> str:
        return seconds(answer.duration_seconds)
