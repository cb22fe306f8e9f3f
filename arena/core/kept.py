"""Pages that are the same for everybody: made once, kept in the cache, known by their ETag."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language

# What a page says beside its subject, such as a price, may change: not for longer.
KEPT_SECONDS = 600
# One more page kept is one less of another's: who asks for something odd is served without.
LARGEST = 2_000_000
# A page in the language, and a part of it where HTMX asks for that.
VARIES_BY = (
    *("Accept-Encoding", "Accept-Language", "Cookie"),
    *("HX-Request", "HX-History-Restore-Request"),
)


@dataclass(frozen=True)
class Kept:
    """What a page said: its body packed, its headers, and the ETag of the body."""

    packed: bytes
    headers: dict[str, str]
    etag: str

    @classmethod
    def of(cls, response: HttpResponse) -> "Kept":
        digest = hashlib.sha256(response.content).hexdigest()[:32]
        # No time in it, so that the same page is the same bytes.
        packed = gzip.compress(response.content, compresslevel=6, mtime=0)
        return cls(packed, dict(response.items()), f'"{digest}"')

    def response(self, request: HttpRequest) -> HttpResponse:
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response = HttpResponse(self.packed, headers=self.headers)
            response["Content-Encoding"] = "gzip"
        else:
            response = HttpResponse(gzip.decompress(self.packed), headers=self.headers)
        return response


def kept_response(
    request: HttpRequest, name: str, make: Callable[[], HttpResponse]
) -> HttpResponse:
    """The page of that name, from the cache or made; 304 where the browser has it already.

    name: of all that decides what the page says, but for its language and the static files that it
    names. make: must give the same for everybody. A page other than 200 is not kept.
    """
    key = f"kept:{hashlib.sha256(named(request, name).encode()).hexdigest()}"
    found: Kept | None = cache.get(key)
    if found is None:
        response = make()
        if response.status_code != 200:
            return response
        found = Kept.of(response)
        if len(found.packed) <= LARGEST:
            cache.set(key, found, KEPT_SECONDS)
    response = answered(request, found)
    patch_vary_headers(response, VARIES_BY)
    # Whoever keeps it asks each time whether it still holds.
    response.headers.setdefault("Cache-Control", "no-cache")
    return response


def answered(request: HttpRequest, found: Kept) -> HttpResponse:
    response = found.response(request)
    # Set here and not on the bytes: packed or not, it is the same page.
    response["ETag"] = f"W/{found.etag}"
    conditional = get_conditional_response(request, etag=response["ETag"], response=response)
    assert isinstance(conditional, HttpResponse)
    return conditional


def is_for_part(request: HttpRequest) -> bool:
    """Whether HTMX asks, for the part of a page that it will swap."""
    asked = request.headers
    return asked.get("HX-Request") == "true" and "HX-History-Restore-Request" not in asked


def named(request: HttpRequest, name: str) -> str:
    part = "part" if is_for_part(request) else "page"
    files = getattr(staticfiles_storage, "manifest_hash", "")
    return "\n".join([name, str(get_language()), part, files])
