"""What moved contestants from one publication to another."""

from collections.abc import Callable
from typing import Any

from arena.integrity import files
from arena.integrity.exceptions import SegmentMissing
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.selectors import board_document
from ranking import BoardState, RankingSpec, Votes, movement_ledger
from ranking.errors import SnapshotError
from ranking.sealed import columns_for, read_sealed
from ranking.snapshots import SegmentEntry


def ledger_between(
    before: Snapshot,
    after: Snapshot,
    board: BoardName,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The ledger of a board between two publications, from the sealed votes that each rests on.

    progress: called with the boards fitted so far and how many there can be. Raises
    SegmentMissing, NoSuchBoard, and what `movement_ledger` raises.
    """
    states = [board_state(snapshot, board) for snapshot in (before, after)]
    ledger = movement_ledger(*states, progress=progress)
    return {
        "before": before.digest,
        "after": after.digest,
        "board": board.value,
        **ledger.to_dict(),
    }


def board_state(snapshot: Snapshot, board: BoardName) -> BoardState:
    """A published board with the votes it was fitted to."""
    spec = RankingSpec.from_dict(board_document(snapshot, board)["spec"])
    entries = [SegmentEntry(**entry) for entry in snapshot.content["segments"]]
    exclusions = snapshot.content["exclusions"]
    try:
        table = read_sealed(entries, exclusions, files.local, columns_for(spec)).table
    except SnapshotError as error:
        raise SegmentMissing(f"{error} Restore it from a backup.") from error
    return BoardState(Votes.from_arrow(table), spec)
