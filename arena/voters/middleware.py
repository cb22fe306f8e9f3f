"""A private arena shows nothing to whoever is not signed in."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control

from arena.voters.exceptions import SignInNeeded

# The API asks for a token and the admin for a sign-in, each in its own way.
OPEN = ("/api/", "/admin/", "/sign-in/", "/sign-out/", "/language/")


class PrivateArena:
    """With settings.PRIVATE, everything but the way in is for those who are signed in.

    It goes by the address and not by the page behind it, so that what is added later is closed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.PRIVATE or is_open(request):
            return self.get_response(request)
        if not request.user.is_authenticated:
            return turned_away(request)
        response = self.get_response(request)
        # What a proxy kept for everybody would be shown to everybody.
        patch_cache_control(response, private=True)
        return response


def is_open(request: HttpRequest) -> bool:
    return request.path_info.startswith((*OPEN, settings.STATIC_URL))


def turned_away(request: HttpRequest) -> HttpResponse:
    """To the sign-in page where a person reads the answer, and a refusal where a script does."""
    response: HttpResponse
    if is_page(request):
        response = redirect_to_login(request.get_full_path(), reverse("voters:sign-in"))
    else:
        refusal = SignInNeeded()
        response = JsonResponse({"message": refusal.message}, status=refusal.status)
    add_never_cache_headers(response)
    return response


def is_page(request: HttpRequest) -> bool:
    """Whether the browser shows the answer: it says so itself, except over plain HTTP."""
    return (
        request.method in {"GET", "HEAD"}
        and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        and "HX-Request" not in request.headers
        and "text/html" in request.headers.get("Accept", "")
    )
