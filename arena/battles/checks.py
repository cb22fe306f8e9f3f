"""Wrong settings of battles fail at start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ValidationError

from arena.catalog.models import check_endpoint


@register()
def the_judge_can_be_asked(**kwargs: Any) -> list[CheckMessage]:
    if not settings.JUDGE_URL:
        return []
    hint = "Set JUDGE_URL to an address up to /v1 and JUDGE_MODEL to a model there, or neither."
    try:
        check_endpoint(settings.JUDGE_URL)
    except ValidationError as error:
        return [Error(f"JUDGE_URL: {' '.join(error.messages)}", hint=hint, id="battles.E001")]
    if not settings.JUDGE_MODEL:
        return [Error("JUDGE_URL is set, and JUDGE_MODEL is not.", hint=hint, id="battles.E001")]
    return []
