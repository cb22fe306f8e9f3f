"""Reads of publications."""

import re
import uuid
from typing import Any

from arena.battles.models import Battle, State
from arena.battles.selectors import battle_get
from arena.catalog.models import Revision
from arena.leaderboard.exceptions import NoSuchBoard, NoSuchSnapshot, NothingPublished, NotRevealed
from arena.leaderboard.models import BoardName, Snapshot
from arena.voters.models import Voter

NAME = re.compile(r"[0-9a-f]{6,64}")


def snapshot_get(name: str = "") -> Snapshot:
    """The snapshot of that (short) name, or the latest publication without one.

    Raises NoSuchSnapshot or NothingPublished.
    """
    published = Snapshot.objects.filter(published_at__isnull=False)
    if not name:
        latest = published.first()
        if latest is None:
            raise NothingPublished
        return latest
    found = published.filter(digest__startswith=name).first() if NAME.fullmatch(name) else None
    if found is None:
        recent = ", ".join(snapshot.short for snapshot in published.only("digest")[:5])
        raise NoSuchSnapshot(
            f"There is no publication '{name[:64]}'. The latest are: {recent or 'none yet'}."
        )
    return found


def board_name(snapshot: Snapshot, wanted: str) -> BoardName:
    """Which board to show: the one asked for, else the style-controlled one where there is one.

    Raises NoSuchBoard, saying what exists.
    """
    boards = snapshot.content["boards"]
    if not wanted:
        return BoardName.CONTROLLED if BoardName.CONTROLLED in boards else BoardName.RAW
    if wanted not in boards:
        raise NoSuchBoard(
            f"There is no board '{wanted[:40]}' in this publication. "
            f"These exist: {', '.join(sorted(boards))}."
        )
    return BoardName(wanted)


def revisions_by_name(names: list[str]) -> dict[str, Revision]:
    """Revisions with contestant and organisation, by name; one query however many there are."""
    revisions = Revision.objects.select_related("contestant__organisation")
    wanted = set(names)
    return {revision.name: revision for revision in revisions if revision.name in wanted}


def battle_revealed(battle_id: uuid.UUID, voter: Voter) -> Battle:
    """The voter's own battle once its vote has committed; otherwise it does not exist.

    Raises NoSuchBattle, or NotRevealed before the vote and for anybody else.
    """
    battle = battle_get(battle_id)
    if battle.state != State.VOTED or battle.voter_id != voter.pk:
        raise NotRevealed
    return battle


def board_document(snapshot: Snapshot, board: BoardName) -> dict[str, Any]:
    document: dict[str, Any] = snapshot.content["boards"][board]
    return document
