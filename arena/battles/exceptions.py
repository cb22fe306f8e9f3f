"""Why a battle cannot go on, in the words a voter reads."""

from django.utils.translation import gettext as _

from arena.core.exceptions import BadInput, Conflict, Refused, Unknown


class NoSuchBattle(Unknown):
    def __init__(self) -> None:
        super().__init__(_("There is no such battle. Start a new one."))


class NoSuchCollection(Unknown):
    def __init__(self) -> None:
        super().__init__(
            _("There is no such collection of answers. Ask whoever sent you for its address.")
        )


class NotYourBattle(Refused):
    def __init__(self) -> None:
        super().__init__(_("Only the person who started a battle can vote in it."))


class NotFinished(Conflict):
    def __init__(self) -> None:
        super().__init__(_("Voting opens when both answers are finished."))


class NothingToVoteOn(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This battle did not finish, so it cannot be voted on. Start a new battle; "
                "nothing was counted."
            )
        )


class AlreadyVoted(Conflict):
    def __init__(self) -> None:
        super().__init__(_("This battle has its vote. A vote is never changed."))


class KeyUsed(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This vote's key was used in another battle, so nothing was counted. "
                "Reload the page and vote again."
            )
        )


class NothingToRetry(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _("This battle did not fail, so there is nothing to retry. Reload the page.")
        )


class TriedOften(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This battle failed too often to be tried again. Start a new one; "
                "nothing was counted."
            )
        )


class Restarting(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "The arena is being restarted, and takes no new battle for a moment. "
                "Nothing was lost: send it again in half a minute."
            )
        )


class TooManyBattles(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _("Your last battles are still being written. Wait until one is finished.")
        )


class NobodyToMeet(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "No two contestants can answer this at the moment. Pick one of the recorded "
                "prompts, or try again later."
            )
        )


class BadPrompt(BadInput):
    pass


class PromptFlagged(BadInput):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This arena's moderation does not let this prompt pass, so nobody was asked. "
                "Change it and send it again."
            )
        )


class ModerationSilent(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "Prompts are checked here before they are asked, and the check does not answer at "
                "the moment. Nothing was lost: send it again in a minute."
            )
        )


class BadOutcome(BadInput):
    def __init__(self) -> None:
        super().__init__(_("A vote is model_a, model_b, tie or both_bad."))


class BadKey(BadInput):
    def __init__(self) -> None:
        super().__init__(_("A vote carries a key of 8 to 64 letters, digits or hyphens."))


class BadChoice(BadInput):
    def __init__(self) -> None:
        super().__init__(_("Choose two different contestants, and send it again."))


class IsRecorded(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _("These answers were recorded, so nobody can be asked on. Vote, or start a new battle.")
        )


class TooManyTurns(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _("This battle has as many turns as one may have. Vote, or start a new battle.")
        )


class GoneOn(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This battle has gone on in another window, so nothing was sent. Reload the page "
                "to see it as it is."
            )
        )
