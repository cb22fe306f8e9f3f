"""Why a person may not go on, in the words they read."""

from datetime import datetime

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from arena.core.exceptions import Refused


class Banned(Refused):
    """The person or the network they come from was banned by an operator."""

    def __init__(self, reason: str, expires_at: datetime | None) -> None:
        told = {
            "reason": reason.rstrip(". "),
            "whom": settings.OPERATOR_CONTACT or _("whoever runs this arena"),
        }
        if expires_at is None:
            message = _(
                "You can read this arena, but start no battle and cast no vote until this is "
                "lifted. The reason given: %(reason)s. If this is a mistake, ask %(whom)s."
            )
        else:
            told["until"] = date_format(expires_at, "DATETIME_FORMAT")
            message = _(
                "You can read this arena, but start no battle and cast no vote until %(until)s "
                "UTC. The reason given: %(reason)s. If this is a mistake, ask %(whom)s."
            )
        super().__init__(message % told)


class ChallengeNeeded(Refused):
    def __init__(self) -> None:
        super().__init__(
            _(
                "Before each battle this arena asks your browser for some work, which stops "
                "scripts and takes it a moment. It was not done. Reload the page and start again."
            )
        )


class ChallengeFailed(Refused):
    def __init__(self) -> None:
        super().__init__(
            _(
                "The work that your browser did is not what this arena asked of it. "
                "Reload the page and start again."
            )
        )


class ChallengeExpired(Refused):
    def __init__(self) -> None:
        super().__init__(
            _(
                "The work that your browser did is too old to count. "
                "Start again: it does it anew, and nothing else is lost."
            )
        )


class ChallengeSpent(Refused):
    def __init__(self) -> None:
        super().__init__(
            _(
                "The work that your browser did has been used for another battle. "
                "Start again: it does it anew."
            )
        )


class SignInNeeded(Refused):
    def __init__(self) -> None:
        super().__init__(_("This arena is private. Reload the page and sign in; nothing was sent."))
