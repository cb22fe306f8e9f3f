"""Why a chat cannot go on, in the words a visitor reads."""

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.core.exceptions import Conflict, Unknown


class NoSuchChat(Unknown):
    """Also another person's: for everybody else it does not exist."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "There is no such chat in this browser. Chats open only where they were begun, and "
                "only until they are deleted."
            )
        )


class NotServed(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This contestant cannot be asked at the moment. Try again later, or ask another "
                "one; what you wrote was not sent and is still in its field."
            )
        )


class StillWriting(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "The last answer is still being written. Wait for it or stop it; what you wrote "
                "was not sent and is still in its field."
            )
        )


class TooMuchAtOnce(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _("Your last battles and chats are still being written. Wait until one is finished.")
        )


class GoneOn(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This chat went on in another window. What you wrote was not sent: copy it, and "
                "reload the page to see the chat as it is."
            )
        )


class ChatFull(Conflict):
    def __init__(self) -> None:
        super().__init__(
            ngettext(
                "A chat has at most %(most)d prompt, and this one has it. Start a new chat.",
                "A chat has at most %(most)d prompts, and this one has them. Start a new chat.",
                settings.CHAT_TURNS,
            )
            % {"most": settings.CHAT_TURNS}
        )


class NothingToRetry(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _("The last answer did not fail, so there is nothing to retry. Reload the page.")
        )


class TriedOften(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _("This answer failed too often to be tried again. Write another prompt instead.")
        )
