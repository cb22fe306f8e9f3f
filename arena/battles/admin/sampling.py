"""What steers the drawing: pushed weights, boosts, and pairs kept apart."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Func, IntegerField, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from arena.battles.admin.tables import Row, Table, in_hundred
from arena.battles.exposure import (
    PairNow,
    PairsNow,
    pairs_now,
    sampling_rule_create,
    sampling_rule_end,
)
from arena.battles.models import Boost, PairExclusion, PairWeights, SamplingRule
from arena.battles.selectors import standing
from arena.core.admin import (
    Question,
    ReadOnlyAdmin,
    TitledAdmin,
    ask_first,
    link_to,
    moment,
    number_of,
)


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
