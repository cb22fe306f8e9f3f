"""Why a person may not go on, in the words they read."""

from datetime import datetime

from django.conf import settings

from arena.core.exceptions import Refused


class Banned(Refused):
    """The person or the network they come from was banned by an operator."""

    def __init__(self, reason: str, expires_at: datetime | None) -> None:
        until = f"until {expires_at:%d %B %Y, %H:%M} UTC" if expires_at else "until this is lifted"
        whom = settings.OPERATOR_CONTACT or "whoever runs this arena"
        super().__init__(
            f"You can read this arena, but start no battle and cast no vote {until}. "
            f"The reason given: {reason.rstrip('. ')}. If this is a mistake, ask {whom}."
        )


class ChallengeNeeded(Refused):
    def __init__(self) -> None:
        super().__init__(
            "Before each battle this arena asks your browser for some work, which stops scripts "
            "and takes it a moment. It was not done. Reload the page and start again."
        )


class ChallengeFailed(Refused):
    def __init__(self) -> None:
        super().__init__(
            "The work that your browser did is not what this arena asked of it. "
            "Reload the page and start again."
        )


class ChallengeExpired(Refused):
    def __init__(self) -> None:
        super().__init__(
            "The work that your browser did is too old to count. "
            "Start again: it does it anew, and nothing else is lost."
        )


class ChallengeSpent(Refused):
    def __init__(self) -> None:
        super().__init__(
            "The work that your browser did has been used for another battle. "
            "Start again: it does it anew."
        )


class SignInNeeded(Refused):
    def __init__(self) -> None:
        super().__init__("This arena is private. Reload the page and sign in; nothing was sent.")
