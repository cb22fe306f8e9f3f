"""What is kept of a visitor, said from the settings that decide it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena.voters.selectors import erasure_code


@require_safe
@never_cache
def privacy(request: HttpRequest) -> HttpResponse:
    context = {
        "cookie": settings.VOTER_COOKIE,
        "cookie_days": settings.VOTER_COOKIE_AGE // 86_400,
        "text_days": settings.RETAIN_TEXT_DAYS,
        "network_days": settings.RETAIN_NETWORK_DAYS,
        "votes_published": settings.ARCHIVE_VOTES,
        "texts_published": settings.PUBLISH_TEXT,
        "contact": settings.OPERATOR_CONTACT,
        "code": erasure_code(request),
    }
    return render(request, "voters/privacy.html", context)
