"""Who judges what next."""

from dataclasses import dataclass

from arena.battles.exceptions import NobodyToMeet
from arena.battles.matchmaking import Pairing
from arena.battles.models import Collection, Prompt
from arena.voters.models import Voter


@dataclass(frozen=True)
class Assignment:
    prompt: Prompt
    pairing: Pairing


def assignment_for(*, voter: Voter, collection: Collection | None) -> Assignment:
    raise NobodyToMeet
