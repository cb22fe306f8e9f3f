"""Collections of recorded answers: from a file to a report, to storing it, to how it is judged."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from arena.battles.admin.tables import Row, Table
from arena.battles.collecting import FAULTS_SHOWN, Survey
from arena.battles.collections import (
    MOST_VOTES_PER_CELL,
    answers_survey,
    collection_aim,
    collection_create,
    collection_open,
    entries,
)
from arena.battles.files import answers_keep
from arena.battles.models import Collection, Prompt
from arena.battles.progress import (
    Progress,
    Spread,
    place_words,
    progress_of,
    survey_words,
)
from arena.core.admin import Question, TitledAdmin, ask_first, link_to, moment, number_of, percent
from arena.core.exceptions import ArenaError
from arena.voters.models import Voter

LACKING_SHOWN = 100
PROMPTS_SHOWN = 200
VOTERS_SHOWN = 50


class AimForm(forms.Form):
    name = forms.CharField(max_length=120, help_text="Judges read it above every pair.")
    votes_per_cell = forms.IntegerField(
        min_value=1,
        max_value=MOST_VOTES_PER_CELL,
        initial=3,
        label="Votes per cell",
        help_text="How many people are to judge each pair of answers to a prompt.",
    )


class UploadForm(AimForm):
    file = forms.FileField(allow_empty_file=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = settings.ANSWERS_MAX_BYTES / (1 << 20)
        self.fields["file"].help_text = (
            "CSV or JSON Lines in UTF-8 with prompt, model, answer; optionally prompt_id, "
            f"category, language. At most {most:,.0f} MiB. Nothing is stored before you have read "
            "the report on it."
        )


class StoreForm(AimForm):
    digest = forms.CharField()


class CollectionForm(forms.ModelForm):
    votes_per_cell = forms.IntegerField(
        min_value=1,
        max_value=MOST_VOTES_PER_CELL,
        help_text="How many people are to judge each pair of answers to a prompt.",
    )


@admin.register(Collection)
class CollectionAdmin(TitledAdmin):
    list_display = ("name", "judging", "prompt_count", "votes_per_cell", "page", "added")
    list_filter = ("is_open",)
    search_fields = ("name", "slug")
    search_help_text = "Part of a name."
    actions = ("open_now", "close_now")
    form = CollectionForm
    change_form_template = "admin/battles/collection.html"
    fields = (("judging", "page"), "votes_per_cell", ("added", "created_by", "digest"))
    readonly_fields = ("judging", "page", "added", "created_by", "digest")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        return super().get_queryset(request).annotate(prompt_total=Count("prompts"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="judging", ordering="is_open")
    def judging(self, collection: Collection) -> str:
        return "open" if collection.is_open else "closed"

    @admin.display(description="prompts", ordering="prompt_total")
    def prompt_count(self, collection: Any) -> str:
        return f"{collection.prompt_total:,}"

    @admin.display(description="for judges")
    def page(self, collection: Collection) -> str:
        address = reverse("battles:collection", args=(collection.slug,))
        return format_html('<a href="{}">{}</a>', address, address)

    @admin.display(description="SHA-256 of its file")
    def digest(self, collection: Collection) -> str:
        return collection.source_sha256

    @admin.display(description="added", ordering="created_at")
    def added(self, collection: Collection) -> str:
        return moment(collection.created_at)

    # -- From a file to a collection ---------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self.upload_page(request, UploadForm())
        if "digest" in request.POST:
            return self.store(request)
        return self.report(request)

    def report(self, request: HttpRequest) -> HttpResponse:
        """Read the file that was sent and say what storing it would come to."""
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.upload_page(request, form)
        try:
            digest = answers_keep(pieces=form.cleaned_data["file"].chunks())
            return self.report_page(request, form, digest)
        except ArenaError as error:
            form.add_error(None, error.message)
            return self.upload_page(request, form)

    def store(self, request: HttpRequest) -> HttpResponse:
        form = StoreForm(request.POST)
        if not form.is_valid():
            return self.upload_page(request, UploadForm(request.POST))
        try:
            collection = collection_create(**form.cleaned_data, actor=request.user)
        except ArenaError as error:
            self.message_user(request, error.message, messages.ERROR)
            return self.upload_page(request, UploadForm(initial=form.cleaned_data))
        self.message_user(request, f"“{collection.name}” is stored and open to be judged.")
        if not self.has_view_permission(request, collection):
            return redirect("admin:index")
        return redirect("admin:battles_collection_change", collection.pk)

    def upload_page(self, request: HttpRequest, form: forms.Form, **shown: Any) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": "Add answers to be judged",
            "opts": self.opts,
            "form": form,
            **shown,
        }
        return render(request, "admin/battles/collection_upload.html", context)

    def report_page(self, request: HttpRequest, form: UploadForm, digest: str) -> HttpResponse:
        """Raises ArenaError where the file is no longer kept, or stored already."""
        found = answers_survey(digest=digest)
        if found.fault_count:
            return self.upload_page(
                request, form, file_name=form.cleaned_data["file"].name, faults=fault_words(found)
            )
        said = {name: form.cleaned_data[name] for name in ("name", "votes_per_cell")}
        planned = entries(models=found.models, collection=said["name"])
        return self.upload_page(
            request,
            form,
            file_name=form.cleaned_data["file"].name,
            words=list(survey_words(found, planned, said["votes_per_cell"])),
            lacking=lacking_table(found),
            store=said | {"digest": digest},
        )

    # -- How it is judged --------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if form.changed_data:
            collection_aim(collection=obj, votes_per_cell=obj.votes_per_cell, actor=request.user)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        progress = progress_of(context["original"])
        context |= {
            "title": context["original"].name,
            "subtitle": None,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "about": list(progress_words(progress)),
            "tables": [pair_table(progress), prompt_table(progress), voter_table(progress)],
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description="Open selected to be judged…", permissions=["change"])
    def open_now(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self.ask(request, rows, is_open=True)

    @admin.action(description="Close selected…", permissions=["change"])
    def close_now(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self.ask(request, rows, is_open=False)

    def ask(
        self, request: HttpRequest, rows: QuerySet[Any], *, is_open: bool
    ) -> HttpResponse | None:
        def do(chosen: QuerySet[Any], said: dict[str, Any]) -> str:
            with transaction.atomic():
                for collection in chosen:
                    collection_open(
                        collection=collection,
                        is_open=is_open,
                        reason=said["reason"],
                        actor=request.user,
                    )
            return "Open: judges are given its pairs." if is_open else "Closed."

        question = Question(
            action="open_now" if is_open else "close_now",
            title="Open collections" if is_open else "Close collections",
            about="Judges are given their pairs from now on."
            if is_open
            else "Judges are given no further pair. Those in front of somebody can still be voted "
            "on, and all votes stay.",
            button="Open" if is_open else "Close",
            do=do,
        )
        return ask_first(self, request, rows, question)


# -- A file, in words ------------------------------------------------------------------------


def fault_words(found: Survey) -> dict[str, Any]:
    more = found.fault_count - len(found.faults)
    heading = f"{number_of(found.fault_count, 'fault')}, so nothing can be stored"
    return {
        "heading": heading,
        "rows": [(place_words(fault), fault.message) for fault in found.faults],
        "more": f"The first {FAULTS_SHOWN} are shown, and {more:,} more were found."
        if more
        else "",
    }


def lacking_table(found: Survey) -> Table | None:
    rows = [
        Row((prompt.name, ", ".join(models)), (f"{prompt.cells:,}",))
        for prompt, models in found.lacking()
    ]
    if not rows:
        return None
    more = len(rows) - LACKING_SHOWN
    return Table(
        "Prompts that lack an answer",
        ("prompt", "who did not answer"),
        ("pairs left",),
        tuple(rows[:LACKING_SHOWN]),
        f"And {more:,} more." if more > 0 else "",
    )


# -- Progress, in words ----------------------------------------------------------------------


def progress_words(progress: Progress) -> Iterator[str]:
    yield (
        f"{progress.complete:,} of {number_of(progress.cells, 'pair')} of answers have all the "
        f"votes they are to get. Votes in: {progress.votes:,} of {progress.wanted:,}."
    )
    if not progress.effective_voters:
        yield "Nobody has voted yet."
        return
    yield (
        f"They are the votes of {number_of(len(progress.voters), 'voter')}, as concentrated as "
        f"those of {progress.effective_voters:,.1f} with equally many each; the busiest cast "
        f"{percent(progress.voters[0].share)} of them."
    )
    agreement = progress.agreement
    if not agreement.cells:
        yield "No pair of answers has two votes yet, so whether people agree cannot be said."
        return
    yield (
        f"Of {number_of(agreement.cells, 'pair')} with two votes or more, all votes say the same "
        f"on {agreement.unanimous:,} ({percent(agreement.unanimous / agreement.cells)}): they "
        "prefer the same answer, or none. This is information and decides nothing."
    )


def pair_table(progress: Progress) -> Table:
    numbers = range(len(progress.contestants))
    return Table(
        "Votes on each pair of contestants",
        ("contestant",),
        tuple(str(number + 1) for number in numbers),
        tuple(
            Row(
                (format_html("{} {}", row + 1, link_to(progress.contestants[row])),),
                tuple(pair_cell(progress, row, column) for column in numbers),
            )
            for row in numbers
        ),
        "The mean over their prompts, then the fewest to the most on one prompt. Empty: no prompt "
        "has answers of both.",
    )


def pair_cell(progress: Progress, row: int, column: int) -> str:
    if row == column:
        return "–"
    found = progress.pairs.get((min(row, column), max(row, column)))
    return spread_words(found) if found else ""


def spread_words(found: Spread) -> str:
    return f"{found.mean:.1f} ({found.least:,}–{found.most:,})"


def prompt_table(progress: Progress) -> Table:
    more = len(progress.prompts) - PROMPTS_SHOWN
    return Table(
        "Prompts with the fewest votes first",
        ("prompt", "how it begins"),
        ("pairs", "votes a pair"),
        tuple(
            Row(
                (link_to(Prompt(pk=row.pk), row.slug), row.beginning),
                (f"{row.spread.cells:,}", spread_words(row.spread)),
            )
            for row in progress.prompts[:PROMPTS_SHOWN]
        ),
        f"And {more:,} with more votes." if more > 0 else "",
    )


def voter_table(progress: Progress) -> Table:
    more = len(progress.voters) - VOTERS_SHOWN
    return Table(
        "Who voted most",
        ("voter",),
        ("votes", "of all"),
        tuple(
            Row(
                (link_to(Voter(pk=row.pk), f"voter {row.pk}"),),
                (f"{row.votes:,}", percent(row.share)),
            )
            for row in progress.voters[:VOTERS_SHOWN]
        ),
        f"And {more:,} with fewer votes." if more > 0 else "",
    )
