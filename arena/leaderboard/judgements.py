"""A voter's votes with the names they were cast on, and why some do not count."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef, TextField, Value
from django.db.models.functions import Cast, Concat

from arena.battles.history import votes_of
from arena.battles.models import Mode, Outcome
from arena.integrity.models import Exclusion
from arena.voters.models import Voter

NAME_OF_VOTE = Concat(Value("n:"), Cast(OuterRef("pk"), TextField()))


class Uncounted(StrEnum):
    """Why a vote counts on no board."""

    NAMED = "named"
    SAME_REVISION = "same_revision"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class Judgement:
    """One vote that has committed, so that both names may be said."""

    vote: int
    battle: uuid.UUID
    at: datetime
    mode: str
    outcome: Outcome
    a: str
    b: str
    is_excluded: bool

    @property
    def uncounted(self) -> Uncounted | None:
        if self.mode == Mode.NAMED:
            return Uncounted.NAMED
        if self.a == self.b:
            return Uncounted.SAME_REVISION
        return Uncounted.EXCLUDED if self.is_excluded else None

    @property
    def preferred(self) -> tuple[str, str] | None:
        """The one preferred and the other; None where neither was."""
        if self.outcome == Outcome.MODEL_A:
            return self.a, self.b
        return (self.b, self.a) if self.outcome == Outcome.MODEL_B else None


def judgements_of(voter: Voter) -> list[Judgement]:
    """The voter's votes in the order in which they were cast; one query."""
    standing = Exclusion.objects.filter(lifted_at=None, vote=NAME_OF_VOTE)
    rows = votes_of(voter).values_list(
        *("pk", "battle_id", "created_at", "battle__mode", "outcome"),
        *("battle__revision_a__name", "battle__revision_b__name"),
        Exists(standing),
    )
    return [
        Judgement(vote, battle, at, mode, Outcome(outcome), a, b, excluded)
        for vote, battle, at, mode, outcome, a, b, excluded in rows
    ]
