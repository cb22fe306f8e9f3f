"""What a person says yes to before their first prompt: what is kept of it, and how long."""

import hashlib
import json

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from arena.core.exceptions import Refused
from arena.voters.models import Voter


class ConsentNeeded(Refused):
    def __init__(self) -> None:
        super().__init__(
            _("Nothing was sent: say first that you agree with what is kept. Reload the page.")
        )


def terms() -> str:
    """Names the terms as the settings make them: whoever agreed to others is asked again."""
    said = [
        settings.RETAIN_TEXT_DAYS,
        settings.ARCHIVE_VOTES,
        settings.PUBLISH_TEXT,
        bool(settings.MODERATION_URL),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def has_consented(voter: Voter | None) -> bool:
    return voter is not None and voter.consent == terms()


def consent_check(*, voter: Voter, given: bool) -> None:
    """Keep the voter's word where it is given now. Raises ConsentNeeded where it never was."""
    if has_consented(voter):
        return
    if not given:
        raise ConsentNeeded
    voter.consent = terms()
    Voter.objects.filter(pk=voter.pk).update(consent=voter.consent, consented_at=Now())
