"""Pictures of boards, ledgers and certainty to take away: drawn when asked for, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from arena.core.exceptions import TooMany
from arena.core.kept import kept_response
from arena.leaderboard.models import Fitted
from arena.voters.door import asking_admit
from arena.voters.networks import address_of_request
from ranking.pictures import FORMATS

if TYPE_CHECKING:
    from ranking.pictures import Chart

CONTENT_TYPES = {"svg": "image/svg+xml", "png": "image/png"}
# The libraries that draw take a processor and some hundred megabytes for each picture.
_drawing = threading.Lock()
PATIENCE_SECONDS = 15.0
RETRY_SECONDS = 10.0


def charts() -> ModuleType:
    """What the pictures show, imported with its libraries where one is drawn."""
    from arena.leaderboard import charts

    return charts


def picture(
    request: HttpRequest, *, name: str, of: str, form: str, chart: Callable[[], Chart]
) -> HttpResponse:
    """A picture as svg or png: from the cache, or drawn.

    name: of the file. of: all that decides what is drawn, but for the language. Raises TooMany
    where the reader's network had too many drawn, or others' pictures take too long.
    """

    def make() -> HttpResponse:
        asking_admit(address=address_of_request(request))
        return HttpResponse(drawn(chart, form), content_type=CONTENT_TYPES[form])

    response = kept_response(request, f"picture\n{form}\n{of}", make)
    file = f"{name}.{form}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file)
    return response


def drawn(chart: Callable[[], Chart], form: str) -> bytes:
    with drawing():
        return FORMATS[f".{form}"](chart().to_dict(validate=False))


@contextmanager
def drawing() -> Iterator[None]:
    """One picture at a time. Raises TooMany where others' take too long."""
    if not _drawing.acquire(timeout=PATIENCE_SECONDS):
        raise TooMany(
            _("Other readers' pictures are being drawn. Try again in a moment."),
            retry_after=RETRY_SECONDS,
        )
    try:
        yield
    finally:
        _drawing.release()


def file_name(snapshot: Fitted, what: str) -> str:
    invented = "simulated-" if snapshot.content["simulated_votes"] else ""
    return f"tiltyard-{invented}{snapshot.short}-{what}"
