"""Choosing the language of the pages."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from arena.core.exceptions import Refused


@csrf_exempt
@require_POST
@never_cache
def language_choose(request: HttpRequest) -> HttpResponse:
    """Set the cookie of the language posted, and go back to the page that asked.

    It is exempt so that pages need no token, and with it no cookie, for readers who choose
    nothing. A form on another site is told apart by what the browser says of it. Raises Refused.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Refused(_("The language is chosen on the arena's own pages."))
    return set_language(request)
