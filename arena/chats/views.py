"""The chat pages: whom to ask, one chat, and deleting it."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from arena.chats import selectors
from arena.chats.models import Chat
from arena.chats.page import chat_page, composing
from arena.chats.services import chats_delete
from arena.voters.consent import consent_asked
from arena.voters.models import Voter
from arena.voters.selectors import voter_by_key
from arena.voters.services import cookie_issue, voter_key


@require_safe
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("with", "")
    context = {"composing": composing(voter=visitor(request), chosen=chosen)}
    response = render(request, "chats/new.html", context | asking(request))
    cookie_issue(request=request, response=response)
    return response


@require_safe
@never_cache
def chat(request: HttpRequest, chat_id: uuid.UUID) -> HttpResponse:
    context = {"chat": chat_page(own(request, chat_id))}
    return render(request, "chats/chat.html", context | asking(request))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def delete(request: HttpRequest, chat_id: uuid.UUID) -> HttpResponse:
    """Asks first; then all of it is gone at once."""
    found = own(request, chat_id)
    if request.method != "POST":
        return render(request, "chats/delete.html", {"chat": chat_page(found)})
    chats_delete(chats=Chat.objects.filter(pk=found.pk))
    return redirect("chats:new")


def visitor(request: HttpRequest) -> Voter | None:
    """The voter of the browser's cookie, if they ever began anything."""
    key = voter_key(request.COOKIES)
    return voter_by_key(key) if key else None


def own(request: HttpRequest, chat_id: uuid.UUID) -> Chat:
    """The visitor's own chat; anybody else's does not exist for them."""
    return selectors.chat_of(chat_id, visitor(request))


def asking(request: HttpRequest) -> dict[str, object]:
    """What the scripts of a page need that sends prompts."""
    return {
        "challenge_url": reverse("voters:challenge") if settings.ALTCHA else "",
        "consent": consent_asked(request.COOKIES),
    }
