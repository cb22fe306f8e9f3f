"""Wrong settings against abuse fail at start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def network_keys_last(**kwargs: Any) -> list[CheckMessage]:
    if settings.NETWORK_KEY_DAYS >= 1:
        return []
    return [
        Error(
            f"NETWORK_KEY_DAYS is {settings.NETWORK_KEY_DAYS}: nobody would be known again.",
            hint="Set it to 1 or more; 7 is usual.",
            id="voters.E001",
        )
    ]


@register()
def proxies_can_be_counted(**kwargs: Any) -> list[CheckMessage]:
    if settings.TRUSTED_PROXIES >= 0:
        return []
    return [
        Error(
            f"TRUSTED_PROXIES is {settings.TRUSTED_PROXIES}, which is no number of proxies.",
            hint="Set it to how many stand in front of this process, or 0.",
            id="voters.E002",
        )
    ]


@register()
def challenges_cost_something(**kwargs: Any) -> list[CheckMessage]:
    if not settings.ALTCHA or settings.ALTCHA_COST >= 1:
        return []
    return [
        Error(
            f"ALTCHA_COST is {settings.ALTCHA_COST}: no challenge can be made.",
            hint="Set it to 1 or more; 5000 is usual.",
            id="voters.E003",
        )
    ]
