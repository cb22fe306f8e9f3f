"""Votes and which of them do not count, for operators.

The votes' own pages stand here and not among battles: what excludes a vote is known from here on.
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html

from arena.battles.models import Battle, Mode, Vote
from arena.battles.selectors import answers_claiming
from arena.catalog.models import Revision
from arena.core.admin import (
    MOST_AT_ONCE,
    Question,
    ReadOnlyAdmin,
    ReasonForm,
    ask_first,
    link_to,
    moment,
    number_of,
)
from arena.core.exceptions import ArenaError
from arena.integrity.models import Exclusion, Segment
from arena.integrity.services import exclusion_lift, votes_exclude
from arena.voters.forms import BanVotersForm
from arena.voters.models import Voter
from arena.voters.services import ban_create

ALONE, NAMED = "A/A", "named"
NAME, NUMBER = re.compile(r"n:(?P<id>[0-9]{1,18})"), re.compile(r"[0-9]{1,18}")


class RuleForm(ReasonForm):
    """Under which rule votes do not count, and why."""

    field_order: tuple[str, ...] = ("rule", "reason")
    rule = forms.CharField(
        max_length=40,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9_-]*$", "Write one word of small letters, digits, _ and -."
            )
        ],
        help_text="One word that boards count these votes under, e.g. rigged.",
    )


class ExclusionForm(RuleForm):
    field_order = ("votes", "rule", "reason")
    votes = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 8, "cols": 80, "spellcheck": "false"}),
        help_text="One a line: n:<id> for a vote cast here, <segment's sha256>:<row> for an "
        "imported one. The votes' list and GET /api/v1/votes?names=yes name them so.",
    )

    def clean_votes(self) -> list[str]:
        names = self.cleaned_data["votes"].split()
        if len(names) > MOST_AT_ONCE:
            raise forms.ValidationError(f"At most {MOST_AT_ONCE:,} at a time.")
        return list(names)


def said_of(added: int, asked: int, rule: str) -> str:
    said = f"Excluded under {rule}, from the next refit on: {number_of(added, 'vote')}."
    before = asked - added
    return f"{said} Excluded so before: {before:,}." if before else said


# -- Votes -----------------------------------------------------------------------------------

NAME_OF_VOTE = Concat(Value("n:"), Cast(OuterRef("pk"), TextField()))
STANDING = Exclusion.objects.filter(lifted_at=None)
IS_EXCLUDED = Exists(STANDING.filter(vote=NAME_OF_VOTE))
# Of few battles each: found among these, and not by looking at the battle of each vote.
IS_ALONE = Q(battle__in=Battle.objects.filter(revision_a=F("revision_b")).values("pk"))
IS_NAMED = Q(battle__in=Battle.objects.filter(mode=Mode.NAMED).values("pk"))


class FlaggedFilter(admin.SimpleListFilter):
    title = "flag"
    parameter_name = "flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("any", "Any"),
            ("identity", "An answer gives itself away"),
            ("alone", "One against itself (A/A)"),
            ("named", "Both were named beforehand"),
        ]

    def queryset(self, request: HttpRequest, votes: QuerySet[Vote]) -> QuerySet[Vote]:
        flags = {
            "identity": Q(battle__in=answers_claiming().values("turn__battle")),
            "alone": IS_ALONE,
            "named": IS_NAMED,
        }
        flags["any"] = flags["identity"] | flags["alone"] | flags["named"]
        return votes.filter(flags.get(self.value() or "", Q()))


class ExcludedFilter(admin.SimpleListFilter):
    title = "whether it counts"
    parameter_name = "counts"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rules = STANDING.order_by("rule").values_list("rule", flat=True).distinct()
        return [
            ("yes", "Counts"),
            ("no", "Excluded under any rule"),
            *((f"rule:{rule}", f"Excluded: {rule}") for rule in rules),
        ]

    def queryset(self, request: HttpRequest, votes: QuerySet[Vote]) -> QuerySet[Vote]:
        value = self.value() or ""
        if value.startswith("rule:"):
            named = STANDING.filter(vote=NAME_OF_VOTE, rule=value.removeprefix("rule:"))
            return votes.filter(Exists(named))
        never = IS_ALONE | IS_NAMED
        wanted = {"yes": ~Q(IS_EXCLUDED) & ~never, "no": Q(IS_EXCLUDED)}
        return votes.filter(wanted.get(value, Q()))


class WithFlags(ChangeList):
    """Puts flags and standing exclusions beside the votes of a page, out of two queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        claimed = claims_by_battle({vote.battle_id for vote in self.result_list})
        rules = rules_by_vote(name_of(vote) for vote in self.result_list)
        for vote in self.result_list:
            vote.claims = claimed.get(vote.battle_id, "")
            vote.rules = rules.get(name_of(vote), [])


def name_of(vote: Vote) -> str:
    """How exclusions call it."""
    return f"n:{vote.pk}"


def said_in_full(vote: Vote) -> str:
    battle = vote.battle
    met = f"{battle.revision_a} against {battle.revision_b}"
    return f"{name_of(vote)}: {met}, {vote.get_outcome_display()}"


def claims_by_battle(battles: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """By battle, the sides that named themselves in any turn."""
    claiming = answers_claiming().filter(turn__battle__in=battles).order_by("side")
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for battle, side in claiming.values_list("turn__battle", "side").distinct():
        found[battle].append(side.upper())
    return {battle: " and ".join(sides) for battle, sides in found.items()}


def rules_by_vote(names: Iterable[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    standing = STANDING.filter(vote__in=list(names)).order_by("id")
    for vote, rule in standing.values_list("vote", "rule"):
        found[vote].append(rule)
    return found


@admin.register(Vote)
class VoteAdmin(ReadOnlyAdmin):
    list_display = (
        *("name", "cast", "outcome", "who_met"),
        *("flags", "excluded", "battle_link", "voter_link"),
    )
    list_filter = ("created_at", ExcludedFilter, FlaggedFilter, "outcome", "battle__mode")
    search_fields = ("pk", "voter__pk", "battle__revision_a__name", "battle__revision_b__name")
    search_help_text = (
        "A vote's name such as n:12, a voter's number, or part of a contestant's name."
    )
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    actions = ("exclude_votes", "ban_voters")
    change_form_template = "admin/integrity/vote.html"
    fieldsets = (
        (None, {"fields": (("name", "cast", "outcome"),)}),
        ("What was compared", {"fields": (("side_a", "side_b", "battle_link", "voter_link"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vote]:
        sides = ("battle__revision_a", "battle__revision_b")
        return super().get_queryset(request).select_related(*sides, "voter")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithFlags

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Vote], search_term: str
    ) -> tuple[QuerySet[Vote], bool]:
        """Names are looked for among the few revisions, and not beside each of the votes."""
        if not (term := search_term.strip()):
            return queryset, False
        if name := NAME.fullmatch(term):
            return queryset.filter(pk=int(name["id"])), False
        named = Revision.objects.filter(name__icontains=term)
        wanted = Q(battle__revision_a__in=named) | Q(battle__revision_b__in=named)
        if NUMBER.fullmatch(term):
            wanted |= Q(voter=int(term))
        return queryset.filter(wanted), False

    @admin.display(description="vote", ordering="pk")
    def name(self, vote: Vote) -> str:
        return name_of(vote)

    @admin.display(description="cast", ordering="created_at")
    def cast(self, vote: Vote) -> str:
        return moment(vote.created_at)

    @admin.display(description="A (left), B (right)", ordering="battle__revision_a__name")
    def who_met(self, vote: Vote) -> str:
        """One below the other, for what else there is to say of a vote needs the room."""
        return format_html("A: {}<br>B: {}", self.side_a(vote), self.side_b(vote))

    @admin.display(description="A (left)", ordering="battle__revision_a__name")
    def side_a(self, vote: Vote) -> str:
        return link_to(vote.battle.revision_a)

    @admin.display(description="B (right)", ordering="battle__revision_b__name")
    def side_b(self, vote: Vote) -> str:
        return link_to(vote.battle.revision_b)

    @admin.display(description="flags")
    def flags(self, vote: Any) -> str:
        found = (
            f"identity: {vote.claims}" if vote.claims else "",
            ALONE if vote.battle.revision_a_id == vote.battle.revision_b_id else "",
            NAMED if vote.battle.mode == Mode.NAMED else "",
        )
        return ", ".join(filter(None, found))

    @admin.display(description="excluded under")
    def excluded(self, vote: Any) -> str:
        return ", ".join(vote.rules)

    @admin.display(description="battle")
    def battle_link(self, vote: Vote) -> str:
        return link_to(vote.battle, str(vote.battle_id)[:8])

    @admin.display(description="voter", ordering="voter")
    def voter_link(self, vote: Vote) -> str:
        return link_to(vote.voter)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        vote = context["original"]
        named = Exclusion.objects.filter(vote=name_of(vote)).select_related("actor", "lifted_by")
        context |= {
            "claims": claims_by_battle([vote.battle_id]).get(vote.battle_id, ""),
            "alone": vote.battle.revision_a_id == vote.battle.revision_b_id,
            "named": vote.battle.mode == Mode.NAMED,
            "exclusions": named,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def has_exclude_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrity.add_exclusion")

    def has_ban_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("voters.add_ban")

    @admin.action(description="Exclude selected votes…", permissions=["exclude"])
    def exclude_votes(self, request: HttpRequest, votes: QuerySet[Vote]) -> HttpResponse | None:
        def do(chosen: QuerySet[Vote], said: dict[str, Any]) -> str:
            names = [f"n:{pk}" for pk in chosen.values_list("pk", flat=True)]
            rule = said["rule"]
            added = votes_exclude(votes=names, rule=rule, reason=said["reason"], actor=request.user)
            return said_of(added, len(names), rule)

        question = Question(
            action="exclude_votes",
            title="Exclude votes",
            about="They stay, and from the next refit on they do not count. Boards and the "
            "documents of publications say how many fell under each rule. It can be lifted.",
            button="Exclude",
            do=do,
            form=RuleForm,
            name=said_in_full,
        )
        return ask_first(self, request, votes, question)

    @admin.action(description="Ban the voters of selected votes…", permissions=["ban"])
    def ban_voters(self, request: HttpRequest, votes: QuerySet[Vote]) -> HttpResponse | None:
        def do(chosen: QuerySet[Vote], said: dict[str, Any]) -> str:
            voters = Voter.objects.filter(pk__in=chosen.values("voter"))
            with transaction.atomic():
                bans = [
                    ban_create(
                        voter=voter,
                        reason=said["reason"],
                        with_network=said["with_network"],
                        expires_at=said["expires_at"],
                        actor=request.user,
                    )
                    for voter in voters
                ]
            banned = number_of(len(bans), "voter")
            return f"Banned: {banned}. Their votes count as before; exclude them apart."

        question = Question(
            action="ban_voters",
            title="Ban the voters of these votes",
            about="Each of them can start no battle and cast no vote while the ban stands. Votes "
            "that they cast count as before.",
            button="Ban",
            do=do,
            form=BanForm,
            name=lambda vote: f"{vote.voter}, for {said_in_full(vote)}",
        )
        return ask_first(self, request, votes, question)


class BanForm(BanVotersForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "days" in cleaned:
            cleaned["expires_at"] = self.expires_at()
        return cleaned


# -- Exclusions ------------------------------------------------------------------------------


class LiftedFilter(admin.SimpleListFilter):
    title = "whether it stands"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Standing"), ("no", "Lifted")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Exclusion]) -> QuerySet[Exclusion]:
        wanted = {"yes": Q(lifted_at=None), "no": Q(lifted_at__isnull=False)}
        return rows.filter(wanted.get(self.value() or "", Q()))


@admin.register(Exclusion)
class ExclusionAdmin(ReadOnlyAdmin):
    """Exclusions are made and lifted, never edited or deleted."""

    list_display = ("name", "rule", "stands", "reason", "actor", "made", "vote_link")
    list_filter = (LiftedFilter, "rule", ("actor", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("actor",)
    search_fields = ("vote", "reason")
    search_help_text = "Part of a vote's name, such as n:12 or a segment's digest, or of a reason."
    ordering = ("-pk",)
    actions = ("lift",)
    fields = (
        *("whole_name", "rule", "reason"),
        *(("actor", "made"), ("stands", "lifted_at", "lifted_by")),
    )

    @admin.display(description="vote", ordering="vote")
    def name(self, exclusion: Exclusion) -> str:
        file, _, row = exclusion.vote.partition(":")
        return exclusion.vote if file == "n" else f"{file[:12]}…:{row}"

    @admin.display(description="cast here")
    def vote_link(self, exclusion: Exclusion) -> str:
        file, _, row = exclusion.vote.partition(":")
        return link_to(Vote(pk=int(row)), "vote") if file == "n" else ""

    @admin.display(description="vote")
    def whole_name(self, exclusion: Exclusion) -> str:
        file, _, row = exclusion.vote.partition(":")
        return link_to(Vote(pk=int(row)), exclusion.vote) if file == "n" else exclusion.vote

    @admin.display(description="made", ordering="created_at")
    def made(self, exclusion: Exclusion) -> str:
        return moment(exclusion.created_at)

    @admin.display(description="stands", boolean=True)
    def stands(self, exclusion: Exclusion) -> bool:
        return exclusion.lifted_at is None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrity.add_exclusion")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrity.change_exclusion")

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A form of its own: it names many votes, and the service makes the rows."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ExclusionForm(request.POST or None)
        if form.is_valid() and self.excluded(request, form):
            return HttpResponseRedirect(reverse("admin:integrity_exclusion_changelist"))
        context = self.admin_site.each_context(request) | {
            "title": "Exclude votes",
            "opts": self.opts,
            "form": form,
            **(extra_context or {}),
        }
        return render(request, "admin/integrity/exclude.html", context)

    def excluded(self, request: HttpRequest, form: ExclusionForm) -> bool:
        """Whether it was done; if not, the form says why."""
        try:
            added = votes_exclude(**form.cleaned_data, actor=request.user)
        except ArenaError as error:
            form.add_error("votes", error.message)
            return False
        asked, rule = len(set(form.cleaned_data["votes"])), form.cleaned_data["rule"]
        self.message_user(request, said_of(added, asked, rule))
        return True

    @admin.action(description="Lift selected…", permissions=["lift"])
    def lift(self, request: HttpRequest, rows: QuerySet[Exclusion]) -> HttpResponse | None:
        def do(chosen: QuerySet[Exclusion], said: dict[str, Any]) -> str:
            with transaction.atomic():
                for pk in chosen.values_list("pk", flat=True):
                    exclusion_lift(pk=pk, reason=said["reason"], actor=request.user)
            return "Lifted. From the next refit on these votes count, unless another rule stands."

        question = Question(
            action="lift",
            title="Lift exclusions",
            about="The votes count again from the next refit on. The rows stay and say who "
            "lifted them.",
            button="Lift",
            do=do,
        )
        return ask_first(self, request, rows, question)


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "added", "origin", "source_name", "votes", "refused", "span")
    list_filter = ("origin", "source_schema")
    date_hierarchy = "created_at"
    search_fields = ("sha256", "source_name", "source_sha256")
    search_help_text = "Part of a file's name or of its digest."

    @admin.display(description="added", ordering="created_at")
    def added(self, segment: Segment) -> str:
        return moment(segment.created_at)

    @admin.display(description="votes", ordering="rows")
    def votes(self, segment: Segment) -> str:
        return f"{segment.rows:,}"

    @admin.display(description="rows refused", ordering="rejected")
    def refused(self, segment: Segment) -> str:
        return f"{segment.rejected:,}" if segment.rejected else ""

    @admin.display(description="votes cast here")
    def span(self, segment: Segment) -> str:
        """Native votes by their numbers."""
        if segment.after_vote is None or segment.last_vote is None:
            return ""
        return f"n:{segment.after_vote + 1} to n:{segment.last_vote}"
