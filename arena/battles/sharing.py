"""Links under which anybody may see a battle, for as long as its voter wants it."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from arena.battles.exceptions import TextsGone
from arena.battles.models import Battle, Share
from arena.battles.selectors import battle_voted
from arena.voters.models import Voter


@transaction.atomic
def share_start(*, battle_id: UUID, voter: Voter) -> Share:
    """Show the voter's own battle to everybody who has its link; twice is once.

    Raises NoSuchBattle, NotVotedYet, or TextsGone where nothing is left to show.
    """
    battle = battle_voted(battle_id, voter)
    if battle.turns.filter(salt="").exists():
        raise TextsGone
    return Share.objects.get_or_create(battle=battle)[0]


@transaction.atomic
def share_stop(*, battle_id: UUID, voter: Voter) -> None:
    """From now on its link shows nothing. Raises NoSuchBattle or NotVotedYet."""
    shares_end(battles=Battle.objects.filter(pk=battle_voted(battle_id, voter).pk))


def shares_end(*, battles: QuerySet[Battle]) -> int:
    """Stop sharing these battles; returns how many were shared."""
    return Share.objects.filter(battle__in=battles).delete()[0]
