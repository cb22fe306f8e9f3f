"""Wrong settings fail at start, with an id and a remedy."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def secret_key_lasts(**kwargs: Any) -> list[CheckMessage]:
    if not settings.SECRET_KEY_IS_TEMPORARY:
        return []
    return [
        Warning(
            "No SECRET_KEY is set: cookies and sign-ins end when this process does.",
            hint="Set SECRET_KEY, or SECRET_KEY_FILE to a file that holds it.",
            id="core.W001",
        )
    ]


@register()
def workers_share_memory(**kwargs: Any) -> list[CheckMessage]:
    if settings.WEB_WORKERS <= 1 or settings.REDIS_URL:
        return []
    return [
        Error(
            f"WEB_CONCURRENCY is {settings.WEB_WORKERS}, but several web processes need Redis.",
            hint="Set REDIS_URL, or WEB_CONCURRENCY=1.",
            id="core.E001",
        )
    ]


@register()
def workers_do_not_refit(**kwargs: Any) -> list[CheckMessage]:
    if settings.WEB_WORKERS <= 1 or not settings.REFIT_SECONDS:
        return []
    return [
        Error(
            "Several web processes would each refit the board.",
            hint="Set REFIT_SECONDS=0 and run `manage.py refit --watch` beside them.",
            id="core.E002",
        )
    ]
