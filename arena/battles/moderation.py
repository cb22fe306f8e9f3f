"""Asking the operator's moderation endpoint about a prompt before anybody answers it."""

import logging

from django.conf import settings

from arena.battles.exceptions import ModerationSilent, PromptFlagged
from arena.battles.services import limits
from arena.core.keys import provider_key
from arena.providers.exceptions import ProviderError
from arena.providers.moderation import flagged

log = logging.getLogger(__name__)


async def refuse_flagged(prompt: str) -> None:
    """Raises PromptFlagged, or ModerationSilent where nobody can say and the arena fails closed."""
    if not settings.MODERATION_URL:
        return
    try:
        categories = await flagged(
            prompt,
            endpoint=settings.MODERATION_URL,
            model=settings.MODERATION_MODEL,
            api_key=provider_key(settings.MODERATION_KEY_ENV),
            limits=limits(),
        )
    except ProviderError as error:
        log.warning("moderation did not answer (%s): %s", error.kind, error.detail)
        if settings.MODERATION_FAIL == "closed":
            raise ModerationSilent from error
        return
    if categories:
        log.info("a prompt was refused: %s", ", ".join(categories))
        raise PromptFlagged
