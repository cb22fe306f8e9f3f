"""What the board says about a battle whose vote has committed."""

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from arena.battles.models import Battle
from arena.leaderboard.boards import axis, row_of
from arena.leaderboard.exports import board_data
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.page import Axis, Row
from arena.leaderboard.selectors import board_name


@dataclass(frozen=True)
class Place:
    """Where one side stands; `raw_rating` is None where the raw board is the only one."""

    rank: int
    rank_lower: int | None
    rank_upper: int | None
    rating: float
    half: float
    lower: float
    upper: float
    raw_rating: float | None


@dataclass(frozen=True)
class Reveal:
    """Each side's place, None where the board has none for it."""

    a: Place | None
    b: Place | None
    axis: Axis
    board: str
    chance_text: str


def reveal(snapshot: Snapshot, battle: Battle) -> Reveal:
    board = board_name(snapshot, "")
    rows = {row["contestant"]: row_of(row) for row in board_data(snapshot, board)["standings"]}
    a, b = rows.get(battle.revision_a.name), rows.get(battle.revision_b.name)
    return Reveal(
        a=place(a),
        b=place(b),
        axis=axis(tuple(rows.values())),
        board=board.value,
        chance_text=chance_sentence(snapshot, board, a, b),
    )


def place(row: Row | None) -> Place | None:
    if row is None:
        return None
    return Place(
        rank=row.rank,
        rank_lower=row.rank_lower,
        rank_upper=row.rank_upper,
        rating=row.rating,
        half=row.half,
        lower=row.lower,
        upper=row.upper,
        raw_rating=row.moved.raw_rating if row.moved else None,
    )


def chance_sentence(snapshot: Snapshot, board: BoardName, a: Row | None, b: Row | None) -> str:
    if a is None or b is None:
        return ""
    scale = snapshot.content["boards"][board]["spec"]["scale"] / math.log(10)
    chance = 1 / (1 + math.exp((b.rating - a.rating) / scale))
    told = {"a": round(100 * chance), "b": 100 - round(100 * chance)}
    if board == BoardName.CONTROLLED:
        return (
            _(
                "Of 100 decided votes between these two, written in the same style, the board "
                "expects %(a)s for A and %(b)s for B."
            )
            % told
        )
    return (
        _("Of 100 decided votes between these two, the board expects %(a)s for A and %(b)s for B.")
        % told
    )
