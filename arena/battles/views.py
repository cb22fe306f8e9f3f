"""The battle page and the vote."""

import math
import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from arena.battles import selectors
from arena.battles.exceptions import NoSuchBattle
from arena.battles.models import Battle, Pacing, State
from arena.battles.page import battle_page, voted
from arena.battles.services import vote_cast
from arena.core.exceptions import ArenaError, TooMany
from arena.voters.door import Action, voter_admit
from arena.voters.networks import address_of_request
from arena.voters.services import cookie_issue, voter_key, voter_known


@require_safe
@never_cache
@ensure_csrf_cookie
def new(request: HttpRequest) -> HttpResponse:
    return page(request, None)


@require_safe
@never_cache
@ensure_csrf_cookie
def battle(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    return page(request, own(request, battle_id))


def page(request: HttpRequest, shown: Battle | None) -> HttpResponse:
    shown_battle = battle_page(shown) if shown else None
    prompts, can_ask = selectors.prompts_recorded(), selectors.can_ask()
    context = {
        "challenge_url": reverse("voters:challenge") if settings.ALTCHA else "",
        "is_equal": shown_battle.is_equal if shown_battle else settings.PACING == Pacing.EQUAL,
        "prompts": prompts,
        "can_ask": can_ask,
        "can_battle": bool(prompts) or can_ask,
        "prompt_max": settings.PROMPT_MAX_CHARACTERS,
        "battle": shown_battle,
        "voted": voted(shown.vote) if shown and shown.state == State.VOTED else None,
    }
    response = render(request, "battles/battle.html", context)
    cookie_issue(request=request, response=response)
    return response


def own(request: HttpRequest, battle_id: uuid.UUID) -> Battle:
    """The visitor's own battle; anybody else's does not exist for them."""
    found = selectors.battle_get(battle_id)
    if found.voter.key != voter_key(request.COOKIES):
        raise NoSuchBattle
    return found


@require_POST
def vote(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    try:
        voter = voter_known(request.COOKIES)
        voter_admit(voter=voter, address=address_of_request(request), action=Action.VOTE)
        cast = vote_cast(
            battle_id=battle_id,
            voter=voter,
            outcome=request.POST.get("outcome", ""),
            key=request.POST.get("key", ""),
        )
    except ArenaError as error:
        return refusal(error)
    # The vote has committed: only from here on may a name be read.
    return render(request, "battles/_voted.html", {"voted": voted(cast)})


def refusal(error: ArenaError) -> HttpResponse:
    headers = {"Retry-After": math.ceil(error.retry_after)} if isinstance(error, TooMany) else {}
    return JsonResponse({"message": error.message}, status=error.status, headers=headers)
