"""Voters and bans, for operators: what somebody did, and keeping them out.

Neither a cookie's key nor a whole hash is shown: with the first one could vote as that person,
and the second is what a copy of the database is searched by.
"""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html

from arena.core.admin import ReadOnlyAdmin
from arena.core.exceptions import ArenaError
from arena.voters.forms import AdminSignInForm, BanForm, BanVotersForm
from arena.voters.models import Ban, Voter
from arena.voters.selectors import bans_standing, is_standing
from arena.voters.services import ban_create, ban_lift

# Operators' passwords are worth the most: they are limited as everybody's.
admin.site.login_form = AdminSignInForm

MOST_AT_ONCE = 200
SHOWN_OF_HASH = 8


def counted(relation: str) -> Coalesce:
    """How many rows of that relation a voter has, within the query that lists voters."""
    model: Any = Voter._meta.get_field(relation).related_model
    rows = model._default_manager.filter(voter=OuterRef("pk")).order_by().values("voter")
    return Coalesce(
        Subquery(rows.annotate(rows=Count("pk")).values("rows"), output_field=IntegerField()), 0
    )


def longest_ban(field: str) -> Subquery:
    """That field of the ban that keeps a voter out longest: theirs, their user's, their network's.

    A network that was seen under another key than the ban's is recognised at the door alone.
    """
    theirs = Q(voter=OuterRef("pk")) | Q(voter__user=OuterRef("user"))
    networks = Q(network_hash=OuterRef("network_hash")) & ~Q(network_hash="")
    standing = bans_standing().filter(theirs | networks)
    return Subquery(standing.order_by(F("expires_at").desc(nulls_first=True)).values(field)[:1])


def until(expires_at: datetime | None) -> str:
    return f"until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else "until it is lifted"


@admin.register(Voter)
class VoterAdmin(ReadOnlyAdmin):
    list_display = (
        *("__str__", "user", "battle_count", "vote_count"),
        *("created_at", "network_at", "network", "banned"),
    )
    list_select_related = ("user",)
    fields = ("user", "battle_count", "vote_count", "created_at", "network_at", "network", "banned")
    search_fields = ("=pk", "=user__username", "^network_hash")
    search_help_text = "A voter's number, a user's name, or the beginning of a network's hash."
    ordering = ("-pk",)
    actions = ("ban_voters",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voter]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                battle_count=counted("battles"),
                vote_count=counted("votes"),
                ban=longest_ban("pk"),
                ban_until=longest_ban("expires_at"),
            )
        )

    @admin.display(description="battles", ordering="battle_count")
    def battle_count(self, voter: Any) -> int:
        return int(voter.battle_count)

    @admin.display(description="votes", ordering="vote_count")
    def vote_count(self, voter: Any) -> int:
        return int(voter.vote_count)

    @admin.display(description="network")
    def network(self, voter: Voter) -> str:
        """Enough to see who shares a network. The same network has another hash in other weeks."""
        return voter.network_hash[:SHOWN_OF_HASH]

    @admin.display(description="ban", ordering="ban")
    def banned(self, voter: Any) -> str:
        if voter.ban is None:
            return ""
        address = reverse("admin:voters_ban_change", args=[voter.ban])
        return format_html('<a href="{}">{}</a>', address, until(voter.ban_until))

    def has_ban_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("voters.add_ban")

    @admin.action(description="Ban selected voters…", permissions=["ban"])
    def ban_voters(self, request: HttpRequest, voters: QuerySet[Voter]) -> HttpResponse | None:
        """First asks for the reason and the time, on a page of its own."""
        if voters.count() > MOST_AT_ONCE:
            message = f"Select at most {MOST_AT_ONCE} voters at a time. Nobody was banned."
            self.message_user(request, message, messages.ERROR)
            return None
        form = BanVotersForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.asked(request, voters, form)
        bans = [
            ban_create(
                voter=voter,
                reason=form.cleaned_data["reason"],
                with_network=form.cleaned_data["with_network"],
                expires_at=form.expires_at(),
                actor=request.user,
            )
            for voter in voters
        ]
        networks = sum(bool(ban.network_hash) for ban in bans)
        self.message_user(request, f"Banned: {len(bans)} voters, {networks} of their networks.")
        return None

    def asked(
        self, request: HttpRequest, voters: QuerySet[Voter], form: BanVotersForm
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": "Ban voters",
            "opts": self.model._meta,
            "voters": voters,
            "form": form,
            "checkbox": admin.helpers.ACTION_CHECKBOX_NAME,
        }
        return render(request, "voters/admin_ban.html", context)


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state.capitalize()) for state in ("standing", "expired", "lifted")]

    def queryset(self, request: HttpRequest, bans: Any) -> Any:
        """`state` is what the list is annotated with."""
        return bans.filter(state=self.value()) if self.value() else bans


@admin.register(Ban)
class BanAdmin(admin.ModelAdmin):
    """Bans are added and lifted, never edited: what a person was told stays what it was."""

    form = BanForm
    list_display = (
        *("__str__", "state", "voter", "network", "reason"),
        *("created_at", "created_by", "expires_at", "lifted_at", "lifted_by"),
    )
    list_filter = (StateFilter,)
    list_select_related = ("voter", "created_by", "lifted_by")
    raw_id_fields = ("voter",)
    actions = ("lift_bans",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ban]:
        state = Case(
            When(lifted_at__isnull=False, then=Value("lifted")),
            When(is_standing(), then=Value("standing")),
            default=Value("expired"),
            output_field=CharField(),
        )
        return super().get_queryset(request).annotate(state=state)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("voter", "with_network", "address", "reason", "expires_at")
        return (
            *("state", "voter", "network", "reason", "created_at", "created_by"),
            *("expires_at", "lifted_at", "lifted_by"),
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Hands the form to the service, whose row takes the place of the form's own."""
        made = ban_create(
            voter=form.cleaned_data["voter"],
            with_network=form.cleaned_data["with_network"],
            address=form.banned_address(),
            reason=form.cleaned_data["reason"],
            expires_at=form.cleaned_data["expires_at"],
            actor=request.user,
        )
        obj.pk = made.pk

    @admin.display(description="state", ordering="state")
    def state(self, ban: Any) -> str:
        return str(ban.state)

    @admin.display(description="network")
    def network(self, ban: Ban) -> str:
        return ban.network_hash[:SHOWN_OF_HASH]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("voters.change_ban")

    @admin.action(description="Lift selected bans", permissions=["lift"])
    def lift_bans(self, request: HttpRequest, bans: QuerySet[Ban]) -> None:
        lifted = 0
        for ban in bans:
            try:
                ban_lift(ban=ban, actor=request.user)
            except ArenaError as error:
                self.message_user(request, f"{ban}: {error.message}", messages.WARNING)
            else:
                lifted += 1
        self.message_user(request, f"Lifted: {lifted} bans.")
