"""What every room's admin shares, and the audit log and the jobs."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import SuspiciousOperation
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from arena.core.exceptions import ArenaError
from arena.core.models import AuditEntry, Job

# How the index and the crumbs name each group; an app's label is a word of the code. The index
# lists them by the alphabet, so what is looked at most begins with an early letter.
HEADINGS = {
    "auth": "Users and what they may do",
    "battles": "Battles, votes and sampling",
    "catalog": "Contestants and endpoints",
    "chats": "Direct chats",
    "core": "Log and jobs",
    "integrity": "Votes at rest, and which do not count",
    "knox": "Tokens of the API",
    "leaderboard": "Publications",
    "voters": "Voters and bans",
}
for label, heading in HEADINGS.items():
    apps.get_app_config(label).verbose_name = heading

MOST_AT_ONCE = 10_000
NAMED_AT_MOST = 20
CHOSEN = re.compile(r"[0-9]{1,18}(,[0-9]{1,18})*")
DIGEST = re.compile(r"[0-9a-f]{64}")
NOTHING = "–"


class TitledAdmin(admin.ModelAdmin):
    """Lists are headed by what they list, where Django would say “Select battle to view”."""

    empty_value_display = NOTHING

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))


class ReadOnlyAdmin(TitledAdmin):
    """Rows that operators look at and nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# -- What cells show -------------------------------------------------------------------------


def link_to(row: Model | None, text: str = "") -> str:
    """A link to the row's page in the admin; nothing for no row."""
    if row is None:
        return ""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=(row.pk,)), text or row)


def pretty(value: Any) -> SafeString:
    """JSON as a person reads it."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre class="json">{}</pre>', text)


def seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def took(begun: datetime | None, ended: datetime | None) -> str:
    return seconds((ended - begun).total_seconds()) if begun and ended else ""


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def moment(at: datetime | None) -> str:
    """In the arena's time zone, short enough for a column."""
    return "" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def number_of(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


# -- Actions that ask before they do anything ------------------------------------------------


class ReasonForm(forms.Form):
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        max_length=2000,
        help_text="It stands in the audit log, with your name.",
    )


@dataclass(frozen=True)
class Question:
    """The page between choosing rows and changing something.

    action: its name in `actions`. do: takes the rows and the form's data, in one transaction of
    its own, and returns what to say; may raise ArenaError, whose words then stand on the page.
    name: how the page calls a row.
    """

    action: str
    title: str
    about: str
    button: str
    do: Callable[[QuerySet[Any], dict[str, Any]], str]
    form: type[forms.Form] = ReasonForm
    name: Callable[[Any], str] = str


def ask_first(
    model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any], question: Question
) -> HttpResponse | None:
    """Ask the question, and do it once it is answered.

    What was chosen is carried along by its keys: a row that came to fit the filter meanwhile is
    not among them.
    """
    chosen = chosen_keys(request, rows)
    if len(chosen) > MOST_AT_ONCE:
        message = f"At most {MOST_AT_ONCE:,} at a time. Nothing was changed; narrow the list first."
        model_admin.message_user(request, message, messages.ERROR)
        return None
    found = model_admin.get_queryset(request).filter(pk__in=chosen)
    form = question.form(request.POST if "answered" in request.POST else None)
    if form.is_valid():
        try:
            model_admin.message_user(request, question.do(found, form.cleaned_data))
            return None
        except ArenaError as error:
            form.add_error(None, error.message)
    return question_page(model_admin, request, question, form, found, chosen)


def chosen_keys(request: HttpRequest, rows: QuerySet[Any]) -> list[int]:
    if "answered" not in request.POST:
        return list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    text = request.POST.get("chosen", "")
    if not CHOSEN.fullmatch(text):
        raise SuspiciousOperation("chosen holds no keys")
    return [int(key) for key in text.split(",")]


def question_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    question: Question,
    form: forms.Form,
    rows: QuerySet[Any],
    chosen: list[int],
) -> HttpResponse:
    context = model_admin.admin_site.each_context(request) | {
        "title": question.title,
        "opts": model_admin.opts,
        "question": question,
        "form": form,
        "rows": [question.name(row) for row in rows[:NAMED_AT_MOST]],
        "more": max(0, len(chosen) - NAMED_AT_MOST),
        "chosen": ",".join(map(str, chosen)),
        # Django takes a POST for an action's where a box is ticked.
        "checkbox": ACTION_CHECKBOX_NAME,
        "ticked": chosen[0] if chosen else 0,
    }
    return render(request, "admin/question.html", context)


# -- The audit log, and jobs -----------------------------------------------------------------


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("when", "action", "about", "who", "summary")
    list_filter = ("action", ("actor", admin.RelatedOnlyFieldListFilter))
    # Without it every row asks for its actor: Django follows no nullable key by itself.
    list_select_related = ("actor",)
    date_hierarchy = "at"
    search_fields = ("subject",)
    search_help_text = "Part of a subject: a name, a rule, a digest."
    fields = ("at", "action", "subject", "who", "whole_detail")

    @admin.display(description="when", ordering="at")
    def when(self, entry: AuditEntry) -> str:
        return moment(entry.at)

    @admin.display(description="subject", ordering="subject")
    def about(self, entry: AuditEntry) -> str:
        is_digest = DIGEST.fullmatch(entry.subject)
        return f"{entry.subject[:12]}…" if is_digest else entry.subject

    @admin.display(description="by", ordering="actor__username")
    def who(self, entry: AuditEntry) -> str:
        return str(entry.actor) if entry.actor else "the arena"

    @admin.display(description="what")
    def summary(self, entry: AuditEntry) -> str:
        known = ((name, value) for name, value in entry.detail.items() if value not in (None, ""))
        text = ", ".join(f"{name}: {value}" for name, value in known)
        return text if len(text) <= 120 else f"{text[:119]}…"

    @admin.display(description="detail")
    def whole_detail(self, entry: AuditEntry) -> str:
        return pretty(entry.detail)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "state", "share", "message", "actor", "asked_at", "lasted")
    list_filter = ("state", "kind", ("actor", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("actor",)
    date_hierarchy = "created_at"
    search_fields = ("error", "message")
    search_help_text = "Part of a job's message or error."
    fieldsets = (
        (None, {"fields": (("kind", "state", "share", "actor"), "message", "error")}),
        ("Asked for and found", {"fields": ("asked_for", "found")}),
        (
            "How it ran",
            {
                "fields": (
                    ("created_at", "started_at", "ended_at"),
                    ("lasted", "attempts", "worker"),
                )
            },
        ),
    )

    @admin.display(description="asked for", ordering="created_at")
    def asked_at(self, job: Job) -> str:
        return moment(job.created_at)

    @admin.display(description="done", ordering="done")
    def share(self, job: Job) -> str:
        return "" if job.done is None else f"{job.done:.0%}"

    @admin.display(description="took")
    def lasted(self, job: Job) -> str:
        return took(job.started_at, job.ended_at)

    @admin.display(description="asked for")
    def asked_for(self, job: Job) -> str:
        return pretty(job.params)

    @admin.display(description="found")
    def found(self, job: Job) -> str:
        return pretty(job.result)
