"""Why somebody voted as they did: tags to choose from once the names were shown."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arena.battles.exceptions import BadReason
from arena.battles.models import Outcome, Reason, Reasons
from arena.battles.selectors import battle_voted
from arena.voters.models import Voter

QUESTIONS = {
    Outcome.MODEL_A: _("Why A?"),
    Outcome.MODEL_B: _("Why B?"),
    Outcome.TIE: _("Why a tie?"),
    Outcome.BOTH_BAD: _("Why both bad?"),
}
BETTER = {reason: reason.label for reason in Reason}
ALIKE = {
    Reason.ACCURATE: _("Equally accurate"),
    Reason.CLEAR: _("Equally clear"),
    Reason.ON_TASK: _("Both followed the request"),
    Reason.LENGTH: _("Both of good length"),
    Reason.SAFE: _("Equally safe"),
    Reason.OTHER: _("Other"),
}
LACKING = {
    Reason.ACCURATE: _("Not accurate"),
    Reason.CLEAR: _("Not clear"),
    Reason.ON_TASK: _("Did not follow the request"),
    Reason.LENGTH: _("Not the right length"),
    Reason.SAFE: _("Not safe"),
    Reason.OTHER: _("Other"),
}


def wording(outcome: Outcome) -> Mapping[Reason, "str | Promise"]:
    """What each reason is called after this outcome."""
    return {Outcome.TIE: ALIKE, Outcome.BOTH_BAD: LACKING}.get(outcome, BETTER)


@transaction.atomic
def reasons_give(*, battle_id: UUID, voter: Voter, given: Iterable[str]) -> tuple[Reason, ...]:
    """Say why this voter voted so, in place of what they may have said before.

    Returns them in their own order, each once. Raises NoSuchBattle, NotVotedYet or BadReason.
    """
    chosen = set(given)
    if not chosen <= set(Reason.values):
        raise BadReason(", ".join(Reason.values))
    battle = battle_voted(battle_id, voter)
    reasons = tuple(reason for reason in Reason if reason in chosen)
    Reasons.objects.update_or_create(
        vote=battle.vote, defaults={"given": [reason.value for reason in reasons]}
    )
    return reasons
