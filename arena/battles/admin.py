"""Battles, answers, sampling and endpoints' health, for operators."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, F, Func, IntegerField, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from arena.battles.exposure import (
    ENOUGH,
    Alone,
    Chance,
    Exposed,
    Exposure,
    Interval,
    PairNow,
    PairsNow,
    Pool,
    alone_votes,
    exposure,
    pairs_now,
    pools_now,
    sampling_rule_create,
    sampling_rule_end,
)
from arena.battles.health import HOURS, Health, Seconds, healths
from arena.battles.models import (
    Answer,
    Battle,
    Boost,
    PairExclusion,
    PairWeights,
    Prompt,
    SamplingRule,
    Side,
    State,
    Turn,
)
from arena.battles.selectors import standing
from arena.catalog.admin import CircuitAdmin
from arena.catalog.models import Circuit, Revision
from arena.core.admin import (
    Question,
    ReadOnlyAdmin,
    TitledAdmin,
    ask_first,
    link_to,
    moment,
    number_of,
    percent,
    seconds,
    took,
)
from arena.core.services import audit
from arena.providers.exceptions import ProviderError

# States in a word, where their own names are the code's.
BRIEFLY = {State.GENERATING: "writing", State.COMPLETE: "open"}
READ_TEXTS = "battles.view_turn"
TEXTS = ("text", "reasoning")


# -- Battles ---------------------------------------------------------------------------------


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


def in_hundred(probability: float) -> str:
    """Of one pair among thousands, so to three figures."""
    return f"{100 * probability:.3g} %"


class SinceForm(forms.Form):
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def since_then(self) -> datetime | None:
        day = self.cleaned_data["since"]
        return datetime.combine(day, time.min, UTC) if day else None


def spans() -> Iterator[tuple[str, str]]:
    """Times that are asked for often, with their queries."""
    for days in (7, 30, 365):
        yield f"{days} days", f"?since={days_ago(days)}"
    yield "all time", "?since="


def days_ago(days: int) -> date:
    return timezone.now().date() - timedelta(days=days)


# -- Exposure, in words ----------------------------------------------------------------------


class Row(NamedTuple):
    """Names, of which the first is the row's heading, and numbers, which stand to the right."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    heading: str
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""

    @property
    def width(self) -> int:
        return len(self.names) + len(self.numbers)


def shown_words(shown: Exposure) -> Iterator[str]:
    when = f"since {shown.since:%d %B %Y}" if shown.since else "so far"
    if not shown.battles:
        yield f"No battle has been drawn {when}."
        return
    were = "was" if shown.battles == 1 else "were"
    yield (
        f"{number_of(shown.battles, 'battle')} of two different contestants {were} drawn {when}, "
        f"{shown.votes:,} of them voted on."
    )
    told = [row for row in shown.contestants if row.expected]
    if not told:
        yield (
            "What an even drawing would have shown cannot be said yet: the stored probabilities "
            f"are worth {shown.effective:,.0f} evenly drawn battles, and it takes {ENOUGH}."
        )
        return
    most, least = max(told, key=ratio), min(told, key=ratio)
    yield (
        f"Measured against an even drawing over the same pairs, {most.name} was shown the most, "
        f"{ratio(most):.2f} times as often, and {least.name} the least, {ratio(least):.2f} times. "
        f"The even shares are as sure as {shown.effective:,.0f} evenly drawn battles make them."
    )


def ratio(row: Exposed) -> float:
    return row.share / row.expected if row.expected else 1.0


NO_MAKER, NO_STAGE = "No organisation stated", "Not stated"
COUNTED = ("battles", "votes", "share of places", "evenly drawn", "against that")
DRAWN = ("in 100 battles", "evenly drawn", "against that")
WHO = ("contestant", "organisation", "stage")


def shown_tables(shown: Exposure) -> tuple[Table, ...]:
    return (
        Table(
            "By organisation",
            ("organisation",),
            COUNTED,
            tuple(Row((row.name or NO_MAKER,), figures(row)) for row in shown.organisations),
            "A battle has two places. Two contestants of one organisation in one battle are one "
            "battle and two places of it.",
        ),
        Table(
            "By stage",
            ("stage",),
            COUNTED,
            tuple(Row((row.name or NO_STAGE,), figures(row)) for row in shown.stages),
        ),
        Table(
            "By contestant",
            WHO,
            COUNTED,
            tuple(Row(who(row), figures(row)) for row in shown.contestants),
        ),
    )


def who(row: Exposed | Chance) -> tuple[str, ...]:
    address = reverse("admin:catalog_contestant_changelist")
    link = format_html('<a href="{}?slug={}">{}</a>', address, row.slug, row.name)
    return link, row.organisation, row.stage


def figures(row: Exposed) -> tuple[str, ...]:
    against = f"× {ratio(row):.2f}" if row.expected else ""
    shares = percent(row.share), percent(row.expected)
    return f"{row.battles:,}", f"{row.votes:,}", *shares, against


def pool_shown(pool: Pool) -> dict[str, Any]:
    alone = f", and in {percent(pool.alone)} of battles one meets itself" if pool.alone else ""
    makers = (Row((row.name or NO_MAKER,), chances(row)) for row in pool.organisations)
    contestants = (Row(who(row), chances(row)) for row in pool.contestants)
    return {
        "heading": pool.name,
        "words": f"{number_of(pool.pairs, 'pair')} may be drawn{alone}.",
        "tables": (
            Table("By organisation", ("organisation",), DRAWN, tuple(makers)),
            Table("By contestant", WHO, DRAWN, tuple(contestants)),
        ),
    }


def chances(row: Chance) -> tuple[str, ...]:
    return f"{100 * row.chance:.1f}", f"{100 * row.even:.1f}", f"× {row.chance / row.even:.2f}"


def alone_words(alone: Alone) -> Iterator[str]:
    if alone.decided is None:
        yield f"No A/A votes yet, of {number_of(alone.battles, 'A/A battle')}."
        return
    left, right, tie, both_bad = alone.outcomes.values()
    yield (
        f"{number_of(alone.votes, 'vote')} on {number_of(alone.battles, 'battle')} of a "
        f"contestant against itself: {left:,} for the left answer, {right:,} for the right one, "
        f"{number_of(tie, 'tie')}, {both_bad:,} both bad. None of them counts."
    )
    yield (
        f"Noise: {interval(alone.decided)} of them preferred one of two answers that came from "
        "the same contestant."
    )
    if alone.left is None:
        return
    pull = "no pull to a side shows"
    if not alone.left.lower <= 0.5 <= alone.left.upper:
        pull = f"people lean to the {'left' if alone.left.share > 0.5 else 'right'}"
    yield f"Sides: {interval(alone.left)} of these preferred the left one; {pull}."


def interval(found: Interval) -> str:
    return (
        f"{100 * found.share:.0f} % (95 % interval {100 * found.lower:.0f} to "
        f"{100 * found.upper:.0f} %)"
    )


# -- What was asked and answered -------------------------------------------------------------


@dataclass(frozen=True)
class AnswerShown:
    """facts: a name and a value each, of what is known."""

    answer: Answer
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AttemptShown:
    number: int
    sides: tuple[AnswerShown | None, ...]


@dataclass(frozen=True)
class TurnShown:
    turn: Turn
    attempts: tuple[AttemptShown, ...]


def turns_of(battle: Battle) -> QuerySet[Turn]:
    return battle.turns.prefetch_related("answers")


def turn_shown(turn: Turn) -> TurnShown:
    """Its answers side by side, attempt by attempt; a side that was kept is in the earlier one."""
    written = {(answer.attempt, answer.side): answer for answer in turn.answers.all()}
    return TurnShown(
        turn,
        tuple(
            AttemptShown(
                number, tuple(answer_shown(written.get((number, side))) for side in Side.values)
            )
            for number in sorted({attempt for attempt, _ in written})
        ),
    )


def answer_shown(answer: Answer | None) -> AnswerShown | None:
    if answer is None:
        return None
    facts = (
        ("ended by", answer.finish_reason),
        ("first token after", seconds(answer.first_token_seconds)),
        ("took", seconds(answer.duration_seconds)),
        ("tokens in, out", counts(answer.prompt_tokens, answer.completion_tokens)),
        ("tokens of thinking", counts(answer.reasoning_tokens)),
        ("asked", f"{answer.requests} times" if answer.requests > 1 else ""),
        ("gives itself away by", ", ".join(map(str, answer.identity_claims))),
    )
    return AnswerShown(answer, tuple((name, value) for name, value in facts if value))


def counts(*values: int | None) -> str:
    """Numbers with a stroke between them; nothing where none is known."""
    if all(value is None for value in values):
        return ""
    return " / ".join("?" if value is None else f"{value:,}" for value in values)


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


@admin.register(Prompt)
class PromptAdmin(TitledAdmin):
    list_display = ("slug", "category", "language", "answered")
    list_filter = ("category", "language")
    search_fields = ("slug", "text")
    search_help_text = "Part of a slug or of a prompt."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prompt]:
        return super().get_queryset(request).annotate(recorded=Count("answers"))

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


# -- Sampling --------------------------------------------------------------------------------


class JsonLength(Func):
    """How many elements a JSON list has, counted where it lies."""

    function = "json_array_length"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="jsonb_array_length", **context)


@admin.register(PairWeights)
class PairWeightsAdmin(ReadOnlyAdmin):
    list_display = ("pushed", "rests_on", "pairs")
    fields = (("pushed", "rests_on", "pairs", "gain_unseen"),)
    change_list_template = "admin/battles/list.html"
    change_form_template = "admin/battles/weights.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PairWeights]:
        found = super().get_queryset(request).defer("gains")
        return found.annotate(pairs=JsonLength("gains"))

    @admin.display(description="pushed", ordering="pushed_at")
    def pushed(self, weights: Any) -> str:
        return moment(weights.pushed_at)

    @admin.display(description="votes", ordering="votes")
    def rests_on(self, weights: Any) -> str:
        return f"{weights.votes:,}"

    @admin.display(description="gain of a pair without votes")
    def gain_unseen(self, weights: Any) -> str:
        return f"{weights.unseen:.3f}"

    @admin.display(description="pairs with votes", ordering="pairs")
    def pairs(self, weights: Any) -> int:
        return int(weights.pairs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        found = pairs_now(weights=context["original"].pk)
        context |= {"about": pairs_words(found), "tables": pairs_tables(found)}
        return super().render_change_form(request, context, *args, **kwargs)


def pairs_words(found: PairsNow | None) -> str:
    if found is None:
        return "Fewer than two contestants can be drawn now, so these weights decide nothing."
    unused = ""
    if settings.SAMPLING != "adaptive":
        unused = " They are not used: SAMPLING is uniform."
    return (
        f"How the {number_of(found.pairs, 'pair')} of today's contestants are drawn with these "
        f"weights and today's boosts and exclusions.{unused}"
    )


def pairs_tables(found: PairsNow | None) -> tuple[Table, ...]:
    if found is None:
        return ()
    lists = (("Drawn most often", found.strongest), ("Drawn least often", found.weakest))
    return tuple(
        Table(heading, ("first", "second"), ("drawn with",), tuple(map(pair_row, pairs)))
        for heading, pairs in lists
    )


def pair_row(pair: PairNow) -> Row:
    return Row((link_to(pair.first), link_to(pair.second)), (in_hundred(pair.probability),))


class StandingFilter(admin.SimpleListFilter):
    title = "whether it stands"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "In force"), ("no", "Ended")]

    def queryset(self, request: HttpRequest, rules: QuerySet[Any]) -> QuerySet[Any]:
        in_force = Q(pk__in=standing(rules.model))
        wanted = {"yes": in_force, "no": ~in_force}
        return rules.filter(wanted.get(self.value() or "", Q()))


class RuleForm(forms.ModelForm):
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        max_length=2000,
        help_text="It stands in the audit log, and beside the rule for as long as the arena does.",
    )

    def clean_ends_at(self) -> datetime | None:
        ends_at: datetime | None = self.cleaned_data["ends_at"]
        if ends_at is not None and ends_at <= timezone.now():
            raise ValidationError("Give a time that is still to come, or none.")
        return ends_at


class SamplingRuleAdmin(TitledAdmin):
    """Rules are added and ended, never edited or deleted: what was drawn under one stays known."""

    form = RuleForm
    list_filter = (StandingFilter,)
    actions = ("end_now",)
    change_list_template = "admin/battles/list.html"
    written: tuple[str, ...] = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        sampling_rule_create(rule=obj, actor=request.user)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return (*self.written, "reason", "ends_at")
        return (*self.written, "reason", "made", "actor", "end", "stands")

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Without the buttons beside a contestant that would add, change or delete one."""
        form = super().get_form(request, *args, **kwargs)
        for name in self.autocomplete_fields:
            if name in form.base_fields:
                widget = form.base_fields[name].widget
                widget.can_add_related = widget.can_change_related = False
                widget.can_delete_related = widget.can_view_related = False
        return form

    @admin.display(description="in force", boolean=True)
    def stands(self, rule: SamplingRule) -> bool:
        return rule.ends_at is None or rule.ends_at > timezone.now()

    @admin.display(description="made", ordering="created_at")
    def made(self, rule: SamplingRule) -> str:
        return moment(rule.created_at)

    @admin.display(description="ends", ordering="ends_at")
    def end(self, rule: SamplingRule) -> str:
        return moment(rule.ends_at) or "when it is ended"

    @admin.action(description="End selected now…", permissions=["end"])
    def end_now(self, request: HttpRequest, rules: QuerySet[Any]) -> HttpResponse | None:
        def do(chosen: QuerySet[Any], said: dict[str, Any]) -> str:
            with transaction.atomic():
                for rule in chosen:
                    sampling_rule_end(rule=rule, reason=said["reason"], actor=request.user)
            return "Ended. A second from now no draw follows it any more."

        question = Question(
            action="end_now",
            title=f"End {self.opts.verbose_name_plural}",
            about="A second from then on no draw follows them any more. Their rows stay, and your "
            "reason is in the audit log.",
            button="End now",
            do=do,
        )
        return ask_first(self, request, rules, question)


class BoostForm(RuleForm):
    class Meta:
        help_texts = {
            "factor": "Pairs with it are drawn so many times as often: 2 doubles, 0.5 halves. "
            "From 0.01 to 100."
        }


@admin.register(Boost)
class BoostAdmin(SamplingRuleAdmin):
    form = BoostForm
    list_display = ("__str__", "stands", "reason", "made", "end", "actor")
    list_select_related = ("contestant", "actor")
    search_fields = ("contestant__name", "reason")
    search_help_text = "Part of a contestant's name or of a reason."
    autocomplete_fields = ("contestant",)
    written = ("contestant", "factor")


@admin.register(PairExclusion)
class PairExclusionAdmin(SamplingRuleAdmin):
    list_display = ("__str__", "stands", "reason", "made", "end", "actor")
    list_select_related = ("first", "second", "actor")
    search_fields = ("first__name", "second__name", "reason")
    search_help_text = "Part of a contestant's name or of a reason."
    autocomplete_fields = ("first", "second")
    written = ("first", "second")


# -- Endpoints -------------------------------------------------------------------------------


FIGURES = ("answers", "first_token", "whole", "errors", "refused")


class WithHealth(ChangeList):
    """Puts the figures of all endpoints beside their rows, out of one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list, found = list(self.result_list), healths()
        for circuit in self.result_list:
            circuit.health = found.get(circuit.revision_id)


admin.site.unregister(Circuit)


@admin.register(Circuit)
class CircuitHealthAdmin(CircuitAdmin):
    """How endpoints answered of late, beside what their breaker says."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        of_late = (f"What battles of the last {HOURS} h said", {"fields": FIGURES})
        return (*super().get_fieldsets(request, obj), of_late)

    def get_list_display(self, request: HttpRequest) -> Any:
        """The figures first: what breaker and checks say is long."""
        first, shown = ("revision", "state"), super().get_list_display(request)
        return (*first, *FIGURES, *(name for name in shown if name not in first))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithHealth

    def get_object(self, *args: Any) -> Any:
        circuit = super().get_object(*args)
        if circuit is not None:
            circuit.health = healths().get(circuit.revision_id)
        return circuit

    @admin.display(description=f"answers in {HOURS} h")
    def answers(self, circuit: Any) -> str:
        return of_health(circuit, lambda health: f"{health.answers:,}")

    @admin.display(description="first token")
    def first_token(self, circuit: Any) -> str:
        return of_health(circuit, lambda health: spread(health.first_token))

    @admin.display(description="whole answer")
    def whole(self, circuit: Any) -> str:
        return of_health(circuit, lambda health: spread(health.duration))

    @admin.display(description="errors")
    def errors(self, circuit: Any) -> str:
        return of_health(circuit, errors_said)

    @admin.display(description="refused")
    def refused(self, circuit: Any) -> str:
        return of_health(circuit, lambda health: percent(health.refusal_rate))


def of_health(circuit: Any, say: Callable[[Health], str]) -> str:
    health: Health | None = circuit.health
    return say(health) if health else ""


def spread(found: Seconds | None) -> str:
    return f"{found.median:.2f} s, p95 {found.p95:.2f} s" if found else ""


def errors_said(health: Health) -> str:
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in health.errors.items())
    return f"{percent(health.error_rate)}: {kinds}" if kinds else percent(0.0)
