"""What a person says yes to before their first prompt: what is kept of it, and how long."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from arena.core.exceptions import Refused
from arena.voters.models import Voter
from arena.voters.selectors import voter_by_key
from arena.voters.services import voter_key


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
        # Only where there is one, so that nobody is asked again about what has not changed.
        *(["judged"] if settings.JUDGE_URL else []),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Terms:
    """What the page says before the first prompt; text_days: 0 where texts have no end."""

    text_days: int
    votes_published: bool
    texts_published: bool
    moderated: bool
    judged: bool


def consent_asked(cookies: Mapping[str, str]) -> Terms | None:
    """The terms to be shown to this visitor, or None where they agreed to them before."""
    key = voter_key(cookies)
    if key is not None and has_consented(voter_by_key(key)):
        return None
    return Terms(
        text_days=settings.RETAIN_TEXT_DAYS,
        votes_published=settings.ARCHIVE_VOTES,
        texts_published=settings.PUBLISH_TEXT,
        moderated=bool(settings.MODERATION_URL),
        judged=bool(settings.JUDGE_URL),
    )


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
