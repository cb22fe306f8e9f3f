"""What is kept of a visitor, said from the settings that decide it; a challenge; signing in."""

from math import ceil
from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena.core.exceptions import ArenaError, Unknown
from arena.voters.challenges import challenge_make
from arena.voters.forms import SignInForm
from arena.voters.selectors import erasure_code
from arena.voters.services import cookie_set, voter_key_needed, voter_sign_in


@require_safe
@never_cache
def privacy(request: HttpRequest) -> HttpResponse:
    context = {
        "cookie": settings.VOTER_COOKIE,
        "language_cookie": settings.LANGUAGE_COOKIE_NAME,
        "cookie_days": settings.VOTER_COOKIE_AGE // 86_400,
        "text_days": settings.RETAIN_TEXT_DAYS,
        "network_days": settings.RETAIN_NETWORK_DAYS,
        "key_days": settings.NETWORK_KEY_DAYS,
        "key_days_counted": ceil(settings.NETWORK_KEY_DAYS),
        "limited": any(
            (
                settings.VOTER_RATE,
                settings.NETWORK_RATE,
                settings.NETWORK_VOTE_RATE,
                settings.NETWORK_SHARED_RATE,
            )
        ),
        "challenged": settings.ALTCHA,
        "moderated": bool(settings.MODERATION_URL),
        "judged": bool(settings.JUDGE_URL),
        "private": settings.PRIVATE,
        "votes_published": settings.ARCHIVE_VOTES,
        "texts_published": settings.PUBLISH_TEXT,
        "contact": settings.OPERATOR_CONTACT,
        "code": erasure_code(request),
    }
    return render(request, "voters/privacy.html", context)


@require_safe
@never_cache
def challenge(request: HttpRequest) -> JsonResponse:
    """Work for the browser to do before a battle."""
    try:
        if not settings.ALTCHA:
            raise Unknown(_("This arena asks for no work before a battle."))
        return JsonResponse(challenge_make(key=voter_key_needed(request.COOKIES)))
    except ArenaError as error:
        return JsonResponse({"message": error.message}, status=error.status)


class SignIn(LoginView):
    """Signs in, and gives the browser's voter a new key."""

    template_name = "voters/sign_in.html"
    authentication_form = SignInForm

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        voter = voter_sign_in(cookies=self.request.COOKIES, user=form.get_user())
        cookie_set(response=response, key=voter.key)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        told = {"private": settings.PRIVATE, "contact": settings.OPERATOR_CONTACT}
        return super().get_context_data(**kwargs) | told


class SignOut(LogoutView):
    """Asks first: a link from elsewhere must not sign anybody out. Then forgets the voter too,
    so that the next person at this browser neither votes as this one nor sees their battles.
    """

    http_method_names = ["get", "head", "post", "options"]
    template_name = "voters/sign_out.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response.delete_cookie(settings.VOTER_COOKIE, samesite="Lax")
        return response
