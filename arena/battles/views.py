"""The battle page and the vote."""

import math
import re
import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from arena.battles import selectors
from arena.battles.composing import composing
from arena.battles.exceptions import BadAttempt, BadSharing, NoSuchBattle
from arena.battles.images import file_name, image_bytes, image_for, image_store
from arena.battles.models import Battle, Pacing, State
from arena.battles.page import battle_page, turn_blank, voted
from arena.battles.progress import judging_page
from arena.battles.reasons import reasons_give
from arena.battles.services import vote_cast
from arena.battles.shared import shared_page
from arena.battles.sharing import share_start, share_stop
from arena.core.exceptions import ArenaError, TooMany
from arena.voters.consent import consent_asked, consent_check
from arena.voters.door import Action, reader_admit, voter_admit
from arena.voters.networks import address_of_request
from arena.voters.selectors import voter_by_key
from arena.voters.services import cookie_issue, voter_from, voter_key, voter_known

ATTEMPT = re.compile(r"[0-9]{1,9}")


@require_safe
@never_cache
@ensure_csrf_cookie
def new(request: HttpRequest) -> HttpResponse:
    asked = request.GET
    begins = composing(mode=asked.get("mode", ""), collection=asked.get("collection", ""))
    return page(request, {"composing": begins, "is_equal": settings.PACING == Pacing.EQUAL})


@require_safe
@never_cache
@ensure_csrf_cookie
def battle(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    found = own(request, battle_id)
    shown = battle_page(found)
    said = voted(found.vote) if found.state == State.VOTED else None
    return page(request, {"battle": shown, "is_equal": shown.is_equal, "voted": said})


def page(request: HttpRequest, shown: dict[str, Any]) -> HttpResponse:
    context = {
        "challenge_url": reverse("voters:challenge") if settings.ALTCHA else "",
        "blank": turn_blank(),
        "prompt_max": settings.PROMPT_MAX_CHARACTERS,
        "images_max": settings.IMAGES_PER_PROMPT,
        "consent": consent_asked(request.COOKIES),
    }
    response = render(request, "battles/battle.html", context | shown)
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
            attempt=attempt_of(request.POST.get("attempt", "")),
        )
    except ArenaError as error:
        return refusal(error)
    # The vote has committed: only from here on may a name be read.
    return render(request, "battles/_voted.html", {"voted": voted(cast)})


def attempt_of(text: str) -> int:
    if not ATTEMPT.fullmatch(text):
        raise BadAttempt
    return int(text)


def refusal(error: ArenaError) -> HttpResponse:
    headers = {"Retry-After": math.ceil(error.retry_after)} if isinstance(error, TooMany) else {}
    return JsonResponse({"message": error.message}, status=error.status, headers=headers)


# -- Pictures --------------------------------------------------------------------------------


@require_POST
def image_upload(request: HttpRequest) -> HttpResponse:
    try:
        voter = voter_from(request.COOKIES)
        consent_check(voter=voter, given=request.POST.get("consent") == "yes")
        voter_admit(voter=voter, address=address_of_request(request), action=Action.IMAGE)
        stored = image_store(voter=voter, file=request.FILES.get("image"))
    except ArenaError as error:
        return refusal(error)
    url = reverse("battles:image", args=[stored.pk])
    shown = {"id": stored.pk, "url": url, "width": stored.width, "height": stored.height}
    return JsonResponse(shown, status=201)


@require_safe
def image(request: HttpRequest, image_id: uuid.UUID) -> HttpResponse:
    found = image_for(image_id=image_id, voter_key=voter_key(request.COOKIES), user=request.user)
    return HttpResponse(
        image_bytes(found),
        content_type=found.media_type,
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'inline; filename="{file_name(found)}"',
            # Were it ever taken for a page, it could do nothing.
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )


# -- Collections -----------------------------------------------------------------------------


@require_safe
@never_cache
def collection(request: HttpRequest, slug: str) -> HttpResponse:
    found = selectors.collection_get(slug)
    judging = judging_page(found, voter_by_key(voter_key(request.COOKIES) or ""))
    response = render(request, "battles/collection.html", {"judging": judging})
    cookie_issue(request=request, response=response)
    return response


# -- After the vote --------------------------------------------------------------------------


@require_POST
def reasons(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    try:
        given = reasons_give(
            battle_id=battle_id,
            voter=voter_known(request.COOKIES),
            given=request.POST.getlist("reason"),
        )
    except ArenaError as error:
        return refusal(error)
    return JsonResponse({"given": given})


@require_POST
def share(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    changes = {"start": share_start, "stop": share_stop}
    try:
        if (change := changes.get(request.POST.get("change", ""))) is None:
            raise BadSharing
        change(battle_id=battle_id, voter=voter_known(request.COOKIES))
    except ArenaError as error:
        return refusal(error)
    return HttpResponse(status=204)


@require_safe
@never_cache
def shared(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    reader_admit(address=address_of_request(request))
    response = render(request, "battles/shared.html", {"shared": shared_page(battle_id)})
    response["X-Robots-Tag"] = "noindex"
    return response
