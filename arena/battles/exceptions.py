"""Why a battle cannot go on, in the words a voter reads."""

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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


class BadAttempt(BadInput):
    def __init__(self) -> None:
        super().__init__(_("A vote says which attempt it saw. Reload the page and vote again."))


class BadChoice(BadInput):
    def __init__(self) -> None:
        super().__init__(_("Choose two different contestants, and send it again."))


class IsRecorded(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "These answers were recorded, so nobody can be asked on. Vote, or start a new "
                "battle."
            )
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


# -- Judging collections ---------------------------------------------------------------------


class CollectionClosed(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _("These answers are not judged at the moment: their collection is closed.")
        )


class CollectionComplete(Conflict):
    def __init__(self) -> None:
        super().__init__(_("Every pair here has the votes it needs. Nothing is left to judge."))


class AllJudged(Conflict):
    """The voter has judged `count` pairs, and no other may still be given to them."""

    def __init__(self, count: int) -> None:
        judged = ngettext(
            "You have judged %(count)d pair here, and no other needs a vote of yours. Thank you.",
            "You have judged all %(count)d pairs here that needed a vote of yours. Thank you.",
            count,
        )
        super().__init__(judged % {"count": count})


class PairsLeftOpen(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "The only pairs left for you are in battles that you began and did not vote in. "
                "Go back to one and vote."
            )
        )


class PairsTaken(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "Every pair that is left for you is in front of other judges at the moment. "
                "Come back in a quarter of an hour: some of them may not vote."
            )
        )


# -- Files of answers ------------------------------------------------------------------------


class AnswersRefused(BadInput):
    """The file cannot be stored as it is; nothing of it was."""


class AlreadyCollected(Conflict):
    """The same file is a collection already; nothing was added."""


# -- Pictures --------------------------------------------------------------------------------


class NobodyLooks(Conflict):
    def __init__(self) -> None:
        super().__init__(
            _(
                "No two contestants can look at pictures at the moment. Take the pictures off and "
                "send it again, or try again later."
            )
        )


class LateImages(BadInput):
    def __init__(self) -> None:
        super().__init__(
            _(
                "Pictures can go on with a battle only where its first question had one: the two "
                "were drawn for that. Take them off, or start a new battle."
            )
        )


class NoSuchImage(Unknown):
    def __init__(self) -> None:
        super().__init__(_("There is no such picture."))


class NoImageSent(BadInput):
    def __init__(self) -> None:
        super().__init__(_("No picture came with this. Choose one and attach it again."))


class ImageTooLarge(BadInput):
    status = 413

    def __init__(self) -> None:
        told = {"most": f"{settings.IMAGE_MAX_BYTES / 1e6:,.0f}"}
        super().__init__(
            _(
                "A picture may have %(most)s MB here, and this one is larger. Make it smaller and "
                "attach it again."
            )
            % told
        )


class TooManyImages(BadInput):
    def __init__(self) -> None:
        most = settings.IMAGES_PER_PROMPT
        super().__init__(
            ngettext(
                "At most %(most)d picture goes with a prompt. Take some off and send it again.",
                "At most %(most)d pictures go with a prompt. Take some off and send it again.",
                most,
            )
            % {"most": most}
        )


class ImageGone(BadInput):
    def __init__(self) -> None:
        super().__init__(
            _(
                "A picture that goes with this is not kept any more, or was sent already. Take it "
                "off, attach it again, and send."
            )
        )


# -- After the vote --------------------------------------------------------------------------


class NotVotedYet(Conflict):
    def __init__(self) -> None:
        super().__init__(_("This battle has no vote yet. Vote first; nothing was lost."))


class BadReason(BadInput):
    def __init__(self, allowed: str) -> None:
        super().__init__(
            _("No such reason can be given, so none was saved. These can: %(allowed)s.")
            % {"allowed": allowed}
        )


class BadSharing(BadInput):
    def __init__(self) -> None:
        super().__init__(_("Say whether to start or to stop sharing; nothing was changed."))


class NotShared(Unknown):
    def __init__(self) -> None:
        super().__init__(
            _("No battle is shared at this address. Whoever shared one here may have stopped.")
        )


class TextsGone(Unknown):
    def __init__(self) -> None:
        super().__init__(
            _("Prompt and answers of this battle are no longer kept, so there is nothing to show.")
        )
