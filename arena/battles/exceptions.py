"""Why a battle cannot go on, in the words a voter reads."""

from arena.core.exceptions import BadInput, Conflict, Refused, Unknown


class NoSuchBattle(Unknown):
    def __init__(self) -> None:
        super().__init__("There is no such battle. Start a new one.")


class NotYourBattle(Refused):
    def __init__(self) -> None:
        super().__init__("Only the person who started a battle can vote in it.")


class NotFinished(Conflict):
    def __init__(self) -> None:
        super().__init__("Voting opens when both answers are finished.")


class NothingToVoteOn(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "This battle did not finish, so it cannot be voted on. Start a new battle; "
            "nothing was counted."
        )


class AlreadyVoted(Conflict):
    def __init__(self) -> None:
        super().__init__("This battle has its vote. A vote is never changed.")


class KeyUsed(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "This vote's key was used in another battle, so nothing was counted. "
            "Reload the page and vote again."
        )


class NothingToRetry(Conflict):
    def __init__(self) -> None:
        super().__init__("This battle did not fail, so there is nothing to retry. Reload the page.")


class TriedOften(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "This battle failed too often to be tried again. Start a new one; nothing was counted."
        )


class Restarting(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "The arena is being restarted, and takes no new battle for a moment. Nothing was lost: "
            "send it again in half a minute."
        )


class TooManyBattles(Conflict):
    def __init__(self) -> None:
        super().__init__("Your last battles are still being written. Wait until one is finished.")


class NobodyToMeet(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "No two contestants can answer this at the moment. Pick one of the recorded prompts, "
            "or try again later."
        )


class BadPrompt(BadInput):
    pass


class PromptFlagged(BadInput):
    def __init__(self) -> None:
        super().__init__(
            "This arena's moderation does not let this prompt pass, so nobody was asked. "
            "Change it and send it again."
        )


class ModerationSilent(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "Prompts are checked here before they are asked, and the check does not answer at the "
            "moment. Nothing was lost: send it again in a minute."
        )


class BadOutcome(BadInput):
    def __init__(self) -> None:
        super().__init__("A vote is model_a, model_b, tie or both_bad.")


class BadKey(BadInput):
    def __init__(self) -> None:
        super().__init__("A vote carries a key of 8 to 64 letters, digits or hyphens.")
