"""What the board says about a battle whose vote has committed."""

import math
from dataclasses import dataclass

from arena.battles.models import Battle
from arena.leaderboard.boards import axis, row_of
from arena.leaderboard.exports import board_data
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.page import Axis, Row
from arena.leaderboard.selectors import board_name


@dataclass(frozen=True)
class Reveal:
    """Each side's row, None where the board does not place it."""

    a: Row | None
    b: Row | None
    axis: Axis
    controlled: bool
    chance_text: str


def reveal(snapshot: Snapshot, battle: Battle) -> Reveal:
    board = board_name(snapshot, "")
    rows = {row["contestant"]: row_of(row) for row in board_data(snapshot, board)["standings"]}
    a, b = rows.get(battle.revision_a.name), rows.get(battle.revision_b.name)
    return Reveal(
        a=a,
        b=b,
        axis=axis(tuple(rows.values())),
        controlled=board == BoardName.CONTROLLED,
        chance_text=chance_sentence(snapshot, board, a, b),
    )


def chance_sentence(
    snapshot: Snapshot, board: BoardName, a: Row | None, b: Row | None
) -> str:
    if a is None or b is None:
        return ""
    scale = snapshot.content["boards"][board]["spec"]["scale"] / math.log(10)
    chance = 1 / (1 + math.exp((b.rating - a.rating) / scale))
    equal = " written in the same style" if board == BoardName.CONTROLLED else ""
    return (
        f"Of 100 decided votes between these two{equal}, the board expects "
        f"{round(100 * chance)} for A and {100 - round(100 * chance)} for B."
    )
