"""Rules of categories, tried before they are made; and how many battles each category has."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from arena.battles.admin.battles import READ_TEXTS
from arena.battles.admin.exposure import SinceForm, days_ago, spans
from arena.battles.admin.tables import Row, Table
from arena.battles.categorising import Categorised, InCategory, categorised
from arena.battles.models import Battle, CategoryRule, Turn
from arena.battles.rules import (
    CONDITIONS,
    Trial,
    refuse_too_many,
    rule_check,
    rule_create,
    rule_switch,
    rule_try,
)
from arena.core.admin import TitledAdmin, link_to, moment, number_of, percent
from arena.core.exceptions import ArenaError

SHOWN = 20
BEGINNING = 160
NO_LANGUAGE = "not sure, or none"


class RuleForm(forms.ModelForm):
    """A rule to be made, as a whole: what no single field shows is checked here."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            rule = CategoryRule(**{"slug": "", **cleaned})
            rule_check(rule)
            try:
                refuse_too_many(rule)
            except ArenaError as error:
                raise ValidationError(error.message) from error
        return cleaned


@admin.register(CategoryRule)
class CategoryRuleAdmin(TitledAdmin):
    """Rules are made and switched on and off: what bears a category's tag met its conditions."""

    list_display = ("slug", "is_active", "states", "made", "created_by")
    list_filter = ("is_active", "language", "collection")
    list_select_related = ("collection", "created_by")
    search_fields = ("slug", "words", "pattern")
    search_help_text = "Part of a name, a word or a pattern."
    actions = ("start", "stop")
    form = RuleForm
    change_list_template = "admin/battles/rules.html"
    change_form_template = "admin/battles/rule.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_switch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("battles.change_categoryrule")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("slug", *CONDITIONS) if obj is None else ("slug", *CONDITIONS, "is_active", "made")

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Without the buttons beside a collection that would add, change or show one."""
        form = super().get_form(request, *args, **kwargs)
        if (field := form.base_fields.get("collection")) is not None:
            widget = field.widget
            widget.can_add_related = widget.can_change_related = widget.can_view_related = False
        return form

    def get_queryset(self, request: HttpRequest) -> QuerySet[CategoryRule]:
        return super().get_queryset(request).select_related("collection")

    @admin.display(description="states")
    def states(self, rule: CategoryRule) -> str:
        return "; ".join(conditions_words(rule))

    @admin.display(description="made", ordering="created_at")
    def made(self, rule: CategoryRule) -> str:
        return moment(rule.created_at)

    # -- Making one --------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Either button sends the form; “Try it” stores nothing and shows what it would find."""
        if request.method != "POST" or "_try" not in request.POST:
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.get_form(request)(request.POST)
        tried = trial_shown(request, form.instance) if form.is_valid() else {}
        # Shown again as it was sent, by the page that Django makes of a form with faults.
        return self.again(request, form, (extra_context or {}) | tried)

    def again(self, request: HttpRequest, form: Any, extra: dict[str, Any]) -> HttpResponse:
        fieldsets: Any = self.get_fieldsets(request)
        helper = admin.helpers.AdminForm(form, fieldsets, {}, (), self)
        context = self.admin_site.each_context(request) | {
            "title": f"Add {self.opts.verbose_name}",
            "adminform": helper,
            "errors": admin.helpers.AdminErrorList(form, []),
            "media": self.media + helper.media,
            "inline_admin_formsets": [],
            "is_popup": False,
            "show_save": True,
            **extra,
        }
        return self.render_change_form(request, context, add=True)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        rule_create(rule=obj, actor=request.user)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (rule := context.get("original")) is not None:
            context |= trial_shown(request, rule)
        context["show_save_and_continue"] = context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    # -- Switching ---------------------------------------------------------------------------

    @admin.action(description="Look at battles for selected", permissions=["switch"])
    def start(self, request: HttpRequest, rules: QuerySet[CategoryRule]) -> None:
        self.switch(request, rules, is_active=True)

    @admin.action(description="Look at no further battles for selected", permissions=["switch"])
    def stop(self, request: HttpRequest, rules: QuerySet[CategoryRule]) -> None:
        self.switch(request, rules, is_active=False)

    def switch(
        self, request: HttpRequest, rules: QuerySet[CategoryRule], *, is_active: bool
    ) -> None:
        for rule in rules.exclude(is_active=is_active):
            try:
                rule_switch(rule=rule, is_active=is_active, actor=request.user)
            except ArenaError as error:
                self.message_user(request, error.message, messages.ERROR)
                return
        word = "looked at for them" if is_active else "no longer looked at for them"
        self.message_user(request, f"Battles that begin from now on are {word}.")

    # -- How many battles each has -----------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        counted = self.admin_site.admin_view(self.counts_view)
        return [path("counts/", counted, name="battles_categories"), *super().get_urls()]

    def counts_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = SinceForm(request.GET or {"since": days_ago(30)})
        since = form.since_then() if form.is_valid() else None
        found = categorised(since)
        context = self.admin_site.each_context(request) | {
            "title": "Categories",
            "opts": self.opts,
            "form": form,
            "spans": spans(),
            "words": counts_words(found),
            "tables": counts_tables(found),
        }
        return render(request, "admin/battles/categories.html", context)


def conditions_words(rule: CategoryRule) -> Iterator[str]:
    if rule.words:
        words = rule.words.splitlines()
        more = f" and {len(words) - 5} more" if len(words) > 5 else ""
        yield f"one of: {', '.join(words[:5])}{more}"
    if rule.pattern:
        yield f"matches {rule.pattern}"
    if rule.collection:
        yield f"of {rule.collection}"
    if rule.language:
        yield f"in {rule.language}"
    if rule.least_tokens is not None:
        yield f"{rule.least_tokens:,} tokens or more"
    if rule.most_tokens is not None:
        yield f"{rule.most_tokens:,} tokens or fewer"


# -- What a rule finds -----------------------------------------------------------------------


def trial_shown(request: HttpRequest, rule: CategoryRule) -> dict[str, Any]:
    """The prompts themselves are for those alone who may read texts."""
    tried = rule_try(rule)
    may_read = request.user.has_perm(READ_TEXTS)
    return {
        "trial": list(trial_words(tried, may_read)),
        "tables": [trial_table(tried)] if may_read and tried.found else [],
    }


def trial_words(tried: Trial, may_read: bool) -> Iterator[str]:
    if not tried.looked:
        yield "There is no prompt yet whose text is kept, so it cannot be tried."
        return
    share = percent(len(tried.found) / tried.looked)
    yield (
        f"Of the latest {number_of(tried.looked, 'battle')} whose texts are kept it holds for "
        f"{len(tried.found):,} ({share})."
    )
    if tried.found and not may_read:
        yield "Which these are is shown to those who may read what is asked and answered."


def trial_table(tried: Trial) -> Table:
    rows = tuple(
        Row((link_to(turn.battle, moment(turn.created_at)), beginning(turn)), ())
        for turn in tried.found[:SHOWN]
    )
    more = len(tried.found) - SHOWN
    note = f"And {more:,} more." if more > 0 else ""
    return Table("Prompts it holds for", ("battle of", "prompt"), (), rows, note)


def beginning(turn: Turn) -> str:
    text = " ".join(turn.prompt.split())
    return text if len(text) <= BEGINNING else f"{text[: BEGINNING - 1]}…"


# -- Counts ----------------------------------------------------------------------------------


def counts_words(found: Categorised) -> Iterator[str]:
    if not found.battles:
        yield "No battle has begun in this time."
        return
    yield (
        f"{number_of(found.battles, 'battle')} began, {found.votes:,} of them voted on. A battle "
        "may be in several categories, by its first prompt; which one is decided as it begins."
    )
    yield (
        "“Not known” are battles that were not looked at for it: begun before the rule or this "
        "version, or not judged."
    )
    if settings.JUDGE_URL:
        judged = Battle.objects.filter(judgement__verdict__isnull=False).count()
        silent = Battle.objects.filter(judgement__verdict__isnull=True, judgement__attempts__gte=1)
        yield (
            f"The judge ({settings.JUDGE_MODEL}) has judged {number_of(judged, 'battle')} so far "
            f"and said nothing of {silent.count():,}."
        )
    else:
        yield "No judge is configured, so none is known to be a hard prompt."


def counts_tables(found: Categorised) -> tuple[Table, ...]:
    numbers = ("battles", "votes", "share", "not known")
    tags = tuple(
        Row((row.name,), (*figures(row, found.battles - row.unknown), f"{row.unknown:,}"))
        for row in found.tags
    )
    spoken = tuple(
        Row((row.name or NO_LANGUAGE,), figures(row, found.battles)) for row in found.languages
    )
    return (
        Table("By category", ("category",), numbers, tags),
        Table("By language", ("language",), numbers[:3], spoken),
    )


def figures(row: InCategory, of: int) -> tuple[str, ...]:
    return f"{row.battles:,}", f"{row.votes:,}", percent(row.battles / of) if of else ""
