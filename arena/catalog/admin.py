"""Who competes, and how the endpoints are that serve them, for operators."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from arena.catalog.circuits import State, circuit_close, with_state
from arena.catalog.endpoints import Checked, endpoints_check
from arena.catalog.models import Circuit, Contestant, Organisation, Revision, Status
from arena.catalog.selectors import revisions_with_health, with_current
from arena.catalog.services import contestant_save, refuse_unserved, revision_create, status_change
from arena.core.admin import (
    Question,
    ReadOnlyAdmin,
    TitledAdmin,
    ask_first,
    link_to,
    pretty,
    seconds,
)
from arena.core.exceptions import ArenaError, BadInput

MOST_ALIASES = 50
NAMED_AT_MOST = 5
IN_A_CELL = 60


@admin.register(Organisation)
class OrganisationAdmin(TitledAdmin):
    list_display = ("name", "competing", "url")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    prepopulated_fields = {"slug": ("name",)}
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        return super().get_queryset(request).annotate(competing=Count("contestants"))

    @admin.display(description="contestants", ordering="competing")
    def competing(self, organisation: Any) -> str:
        url = reverse("admin:catalog_contestant_changelist")
        query = f"{url}?organisation__id__exact={organisation.pk}"
        return format_html('<a href="{}">{}</a>', query, organisation.competing)


# -- Contestants -----------------------------------------------------------------------------


class Lines(forms.CharField):
    """A list of texts, one per line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (line.strip() for line in (super().to_python(value) or "").splitlines())
        return list(dict.fromkeys(filter(None, lines)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.to_python(data)


class ContestantForm(forms.ModelForm):
    aliases = Lines(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 40}),
        help_text="Other names by which an answer would give it away, one per line.",
    )

    def clean_aliases(self) -> list[str]:
        aliases: list[str] = self.cleaned_data["aliases"]
        if len(aliases) > MOST_ALIASES or any(len(alias) > 200 for alias in aliases):
            raise ValidationError(f"At most {MOST_ALIASES} names, of at most 200 characters each.")
        if any(alias[0] in "[{\"'" for alias in aliases):
            raise ValidationError("Write each name on a line of its own, without quotation marks.")
        return aliases


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
class ContestantAdmin(TitledAdmin):
    form = ContestantForm
    list_display = ("name", "is_now", "organisation", "licence", "serving", "stage", "health")
    list_filter = ("status", "licence", ("organisation", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organisation",)
    search_fields = ("name", "slug", "organisation__name")
    search_help_text = "Part of a contestant's or an organisation's name."
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("next_revision",)
    inlines = (RevisionInline,)
    actions = ("activate", "pause", "retire")
    fieldsets = (
        (None, {"fields": ("name", "slug", "organisation", "status", "aliases", "next_revision")}),
        (
            "What is stated of it",
            {
                "fields": (
                    *("licence", "parameters", "context_tokens", "price_in", "price_out"),
                    *("released_on", "accepts_images", "simulated"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contestant]:
        return with_current(super().get_queryset(request))

    @admin.display(description="status", ordering="status")
    def is_now(self, contestant: Contestant) -> str:
        return contestant.status

    @admin.display(description="current revision")
    def serving(self, contestant: Any) -> str:
        return link_to(current_of(contestant))

    @admin.display(description="stage")
    def stage(self, contestant: Any) -> str:
        revision = current_of(contestant)
        return revision.get_stage_display() if revision else ""

    @admin.display(description="endpoint's health")
    def health(self, contestant: Any) -> str:
        revision = current_of(contestant)
        return health_of(revision) if revision else ""

    @admin.display(description="next revision")
    def next_revision(self, contestant: Contestant) -> str:
        if contestant.pk is None:
            return "Save the contestant first; then say here what serves it."
        url = f"{reverse('admin:catalog_revision_add')}?contestant={contestant.pk}"
        return format_html('<a href="{}">Say what serves it from now on</a>', url)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        contestant_save(contestant=obj, changed=form.changed_data, actor=request.user)

    @admin.action(description="Activate: draw for battles", permissions=["change"])
    def activate(self, request: HttpRequest, contestants: QuerySet[Contestant]) -> None:
        self.set_status(request, contestants, Status.ACTIVE)

    @admin.action(description="Pause: do not draw for now", permissions=["change"])
    def pause(self, request: HttpRequest, contestants: QuerySet[Contestant]) -> None:
        self.set_status(request, contestants, Status.PAUSED)

    @admin.action(description="Retire: no longer served, keeps its row", permissions=["change"])
    def retire(self, request: HttpRequest, contestants: QuerySet[Contestant]) -> None:
        self.set_status(request, contestants, Status.RETIRED)

    def set_status(
        self, request: HttpRequest, contestants: QuerySet[Contestant], status: Status
    ) -> None:
        refused, done = [], 0
        for contestant in contestants:
            try:
                status_change(contestant=contestant, status=status, actor=request.user)
                done += 1
            except ArenaError as error:
                refused.append(error.message)
        if done:
            self.message_user(request, f"{so_many(done, 'contestant')} now {status}.")
        if refused:
            self.message_user(request, some(refused), messages.WARNING)


def current_of(contestant: Any) -> Revision | None:
    """Its latest revision, which `with_current` has fetched."""
    return next(iter(contestant.current), None)


def so_many(number: int, thing: str) -> str:
    return f"{number:,} {thing} is" if number == 1 else f"{number:,} {thing}s are"


def some(texts: list[str]) -> str:
    more = f" And {len(texts) - NAMED_AT_MOST:,} more." if len(texts) > NAMED_AT_MOST else ""
    return " ".join(texts[:NAMED_AT_MOST]) + more


# -- Revisions -------------------------------------------------------------------------------

KEY = re.compile(r"[0-9]{1,18}")
WRITTEN = (
    *("contestant", "name", "stage", "family", "kind", "endpoint", "key_env", "remote_model"),
    *("system_prompt", "decoding"),
)


class RevisionForm(forms.ModelForm):
    family = forms.SlugField(
        required=False,
        help_text="What boards may group it by. Empty: its contestant's slug.",
    )

    class Meta:
        model = Revision
        fields = WRITTEN

    def clean(self) -> dict[str, Any]:
        written: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            refuse_unserved(written.get("kind", ""), written)
        except BadInput as error:
            # Of a field that was refused already the form says what is wrong with it.
            if not self.errors.keys() & {"kind", "endpoint", "remote_model"}:
                raise ValidationError(error.message) from error
        return written


@admin.register(Revision)
class RevisionAdmin(TitledAdmin):
    """Revisions are added and never edited: what was voted on stays what it was."""

    form = RevisionForm
    list_display = ("name", "of", "number", "stage", "kind", "health")
    list_filter = ("kind", "stage", "contestant__status")
    list_select_related = ("contestant",)
    search_fields = ("name", "contestant__name", "remote_model")
    search_help_text = "Part of a revision's, a contestant's or a remote model's name."
    autocomplete_fields = ("contestant",)
    shown = (
        *("of", "number", "name", "stage", "family", "kind", "endpoint", "key_env"),
        *("remote_model", "system_prompt", "decodes", "identity", "created_at", "health"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Revision]:
        return revisions_with_health(super().get_queryset(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.shown if obj else WRITTEN

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.shown if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the contestant serves now, to change one thing of it."""
        asked = request.GET.get("contestant", "")
        if not KEY.fullmatch(asked):
            return {}
        latest = Revision.objects.filter(contestant=int(asked)).order_by("-number").first()
        served = {name: getattr(latest, name) for name in WRITTEN if name != "name" and latest}
        return served | {"contestant": asked}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        written = {name: value for name in WRITTEN if (value := getattr(obj, name)) != ""}
        obj.pk = revision_create(**written, actor=request.user).pk

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="contestant", ordering="contestant__name")
    def of(self, revision: Revision) -> str:
        return link_to(revision.contestant)

    @admin.display(description="endpoint's health")
    def health(self, revision: Revision) -> str:
        return health_of(revision)

    @admin.display(description="decoding")
    def decodes(self, revision: Revision) -> str:
        return pretty(revision.decoding)


# -- Endpoints' health -----------------------------------------------------------------------


def health_of(revision: Revision) -> str:
    circuit = getattr(revision, "circuit", None)
    return link_to(circuit, said_of(circuit)) if circuit else ""


def said_of(circuit: Any) -> str:
    """The circuit's state in words; `with_state` has told it."""
    if circuit.state == State.PAUSED:
        until = timezone.localtime(circuit.paused_until)
        return f"paused until {until:%H:%M:%S} {until:%Z}"
    if circuit.state == State.TRYING:
        return "trying again"
    if circuit.state == State.FAILING and circuit.failures:
        return f"failing: {circuit.failures} in a row"
    if circuit.state == State.FAILING:
        return "failing its checks"
    return "answering" if circuit.state == State.ANSWERING else "not asked yet"


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(State.choices)

    def queryset(self, request: HttpRequest, circuits: QuerySet[Any]) -> QuerySet[Any]:
        return circuits.filter(state=self.value()) if self.value() in State.values else circuits


@admin.register(Circuit)
class CircuitAdmin(ReadOnlyAdmin):
    """What the breaker and the checks say. The battles room puts its figures beside them."""

    list_display = ("revision", "drawn", "state", "failures", "last_failure", "last_check")
    list_filter = (StateFilter, "revision__contestant__status", "revision__kind")
    list_select_related = ("revision__contestant",)
    ordering = ("revision__contestant__name", "-revision__number")
    search_fields = ("revision__name", "revision__endpoint", "revision__contestant__name")
    search_help_text = "Part of a revision's or a contestant's name, or of an address."
    actions = ("check_now", "draw_again")
    fieldsets = (
        (None, {"fields": ("what", "of", "drawn", "where", "state")}),
        (
            "What answers said",
            {"fields": ("failures", "pauses", "last_error", "last_detail", "failed_at")},
        ),
        ("What the last check said", {"fields": ("checked_at", "answered_in", "check_error")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Circuit]:
        return with_state(super().get_queryset(request))

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.change_circuit")

    @admin.display(description="state")
    def state(self, circuit: Any) -> str:
        return said_of(circuit)

    @admin.display(description="contestant is", ordering="revision__contestant__status")
    def drawn(self, circuit: Circuit) -> str:
        return circuit.revision.contestant.status

    @admin.display(description="last failure", ordering="failed_at")
    def last_failure(self, circuit: Circuit) -> str:
        if circuit.failed_at is None:
            return ""
        said = f"{circuit.last_error}, {circuit.last_detail}"
        return f"{moment(circuit.failed_at)} {cut(said)}"

    @admin.display(description="last check", ordering="checked_at")
    def last_check(self, circuit: Circuit) -> str:
        if circuit.checked_at is None:
            return ""
        return f"{moment(circuit.checked_at)} {cut(circuit.check_error or 'answered')}"

    @admin.display(description="pauses since it last answered")
    def pauses(self, circuit: Circuit) -> int:
        return circuit.trips

    @admin.display(description="answered in")
    def answered_in(self, circuit: Circuit) -> str:
        return seconds(circuit.check_seconds)

    @admin.display(description="revision")
    def what(self, circuit: Circuit) -> str:
        return link_to(circuit.revision)

    @admin.display(description="contestant")
    def of(self, circuit: Circuit) -> str:
        return link_to(circuit.revision.contestant)

    @admin.display(description="endpoint")
    def where(self, circuit: Circuit) -> str:
        return circuit.revision.endpoint

    @admin.action(description="Check now", permissions=["operate"])
    def check_now(self, request: HttpRequest, circuits: QuerySet[Circuit]) -> None:
        checked = endpoints_check(revisions=revisions_in(circuits))
        failed = [f"{one.revision}: {cut(one.error)}." for one in checked if one.error]
        self.message_user(request, told_of(checked))
        if failed:
            self.message_user(request, some(failed), messages.WARNING)

    @admin.action(description="Let it be drawn again…", permissions=["operate"])
    def draw_again(self, request: HttpRequest, circuits: QuerySet[Circuit]) -> HttpResponse | None:
        def do(chosen: QuerySet[Circuit], said: dict[str, Any]) -> str:
            with transaction.atomic():
                closed = [
                    circuit_close(revision=revision, actor=request.user, reason=said["reason"])
                    for revision in revisions_in(chosen)
                ]
            return f"Of {len(closed):,} chosen {sum(closed):,} had failed, which is forgotten now."

        question = Question(
            action="draw_again",
            title="Let revisions be drawn again",
            about="Their failures are forgotten and their pauses end now. Where the endpoint still "
            "fails, the breaker will pause them anew.",
            button="Let them be drawn",
            do=do,
        )
        return ask_first(self, request, circuits, question)


def revisions_in(circuits: QuerySet[Circuit]) -> list[Revision]:
    return [circuit.revision for circuit in circuits.select_related("revision")]


def told_of(checked: Iterable[Checked]) -> str:
    results = [not one.error for one in checked]
    return f"Checked {len(results):,}: {sum(results):,} passed, {results.count(False):,} did not."


def moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%m-%d %H:%M}"


def cut(text: str) -> str:
    """As much as a cell of the list has room for; the row's own page has all of it."""
    return text if len(text) <= IN_A_CELL else f"{text[: IN_A_CELL - 1]}…"
