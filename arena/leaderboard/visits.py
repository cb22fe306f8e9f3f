"""Which publication a request asks for, and who may keep what it is answered."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from arena.core.kept import kept_response
from arena.leaderboard.models import Fitted
from arena.leaderboard.selectors import DRAFT, draft_get, latest_digest, snapshot_get


def is_staff(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_staff


def snapshot_asked(request: HttpRequest) -> Fitted:
    """The publication that the address names, or the latest.

    Raises NoSuchSnapshot, saying what exists, or NothingPublished.
    """
    name = request.GET.get("snapshot", "")
    # For everybody but staff a draft is a publication that does not exist.
    return draft_get() if name == DRAFT and is_staff(request) else snapshot_get(name)


def kept_from_caches(response: HttpResponse, snapshot: Fitted) -> HttpResponse:
    """A draft is for the one who asked, and only now."""
    if snapshot.is_draft:
        add_never_cache_headers(response)
    return response


def kept_page(
    request: HttpRequest, name: str, make: Callable[[], HttpResponse], known: frozenset[str]
) -> HttpResponse:
    """The page of that name and of the latest publication, kept where it is the same for everybody.

    name: of the page, with all of its path. known: parameters of which there are few values; an
    address with others is answered without the cache, for they are endless.
    """
    latest = latest_digest()
    if latest is None or is_staff(request) or not known.issuperset(request.GET):
        return make()
    asked = {key: request.GET[key] for key in sorted(request.GET)}
    return kept_response(request, f"{name}\n{latest}\n{asked}", make)
