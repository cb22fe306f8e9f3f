"""How sure the order of two contestants is: of all pairs at once, and of any pair that is asked
for."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy

from arena.core.models import Job, JobState
from arena.leaderboard import asking, sure_words
from arena.leaderboard.boards import unplaced_sentence
from arena.leaderboard.models import Fitted
from arena.leaderboard.selectors import snapshot_get
from arena.leaderboard.sure import (
    BLOCK,
    SETTLED,
    Board,
    Chance,
    Gap,
    Turned,
    board_of,
    chance_between,
    gap_between,
    matrix_address,
    neighbours_turned,
    turned_of,
    why_absent,
)
from arena.voters.networks import Address

FRAGILITY = "fragility"


# -- Every pair ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """chance: None on the diagonal."""

    chance: Chance | None
    shade: int
    """0 to 10, with the chance."""


@dataclass(frozen=True)
class MatrixRow:
    rank: int
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Block:
    """One of the parts in which the matrix is shown."""

    label: str
    address: str
    is_shown: bool


@dataclass(frozen=True)
class Matrix:
    snapshot: str
    headline: str
    rows: tuple[MatrixRow, ...]
    blocks: tuple[Block, ...]
    """Empty where there is one alone."""
    back: str


def matrix_of(snapshot: Fitted, query: QueryDict) -> Matrix | None:
    """The block of the matrix that is asked for; None where nothing is known of pairs."""
    board = board_of(snapshot)
    if board.sure is None:
        return None
    names = board.names
    start = block_start(query.get("from", ""), len(names))
    shown = board.standings[start - 1 : start - 1 + BLOCK]
    places = [board.place_in_part(row["contestant"]) for row in shown]
    return Matrix(
        snapshot=snapshot.short,
        headline=settled_found(board),
        rows=tuple(
            MatrixRow(row["rank"], row["contestant"], tuple(cell_of(board, i, j) for j in places))
            for row, i in zip(shown, places, strict=True)
        ),
        blocks=blocks_of(snapshot, len(names), start) if len(names) > BLOCK else (),
        back=f"{reverse('leaderboard:sure')}?{urlencode({'snapshot': snapshot.short})}",
    )


def block_start(written: str, placed: int) -> int:
    """The block that holds this place; the first where it names none."""
    place = int(written) if written.isascii() and written.isdigit() and len(written) < 7 else 1
    return block_from(min(max(place, 1), max(placed, 1)), placed)


def block_from(place: int, placed: int) -> int:
    """Where the block of a place begins; the last one is as large as the others."""
    return max(min(1 + BLOCK * ((place - 1) // BLOCK), placed - BLOCK + 1), 1)


def blocks_of(snapshot: Fitted, placed: int, start: int) -> tuple[Block, ...]:
    return tuple(
        Block(
            label=f"{first}–{min(first + BLOCK - 1, placed)}",
            address=matrix_address(snapshot, first),
            is_shown=first == start,
        )
        for first in (block_from(place, placed) for place in range(1, placed + 1, BLOCK))
    )


def cell_of(board: Board, i: int, j: int) -> Cell:
    if i == j:
        return Cell(None, 0)
    chance = Chance.of(board.better(i, j))
    return Cell(chance, round(10 * chance.value))


def settled_found(board: Board) -> str:
    """Of all pairs, how many stand in an order that is settled."""
    assert board.sure is not None
    settled = pairs = 0
    for row in board.sure["better"]:
        ordered = sorted(row)
        pairs += len(ordered)
        settled += bisect_left(ordered, 1 - SETTLED) + len(ordered) - bisect_left(ordered, SETTLED)
    return sure_words.settled_sentence(settled, pairs)


# -- Any pair --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """Two contestants that a reader asks about. problem: why they cannot be compared."""

    snapshot: Fitted
    one: str
    other: str
    problem: str
    status: int = 200

    @property
    def address(self) -> str:
        named = {"snapshot": self.snapshot.short, "a": self.one, "b": self.other}
        return f"{reverse('leaderboard:sure')}?{urlencode(named)}"

    @property
    def params(self) -> dict[str, str]:
        """Of the job: the same for either order of the two."""
        one, other = sorted((self.one, self.other))
        return {"snapshot": self.snapshot.digest, "one": one, "other": other}


@dataclass(frozen=True)
class PairAnswer:
    sentence: str
    apart: str
    gap: Gap
    is_level: bool
    turned: Turned | None
    """None where neither the publication nor a job has it."""
    asked: asking.Progress | None
    """How far the job is that somebody asked for; None without one, and once it is done."""
    can_ask: bool


def question_of(board: Board, query: QueryDict) -> Question | None:
    """The pair that the address names, with what is wrong about it; None where it names none."""
    one, other = query.get("a", "").strip(), query.get("b", "").strip()
    if not (one or other):
        return None
    problem, status = problem_of(board, one, other)
    return Question(board.snapshot, one, other, problem, status)


def problem_of(board: Board, one: str, other: str) -> tuple[str, int]:
    """What is wrong about a pair, and the status that says so."""
    names = board.names
    if board.sure is None:
        return why_absent(board.snapshot, "sure"), 404
    unplaced = {row["contestant"]: row for row in board.document["unplaced"]}
    for name in (one, other):
        if not name:
            return sure_words.one_missing(), 400
        if name in unplaced:
            why = unplaced_sentence(unplaced[name])
            return sure_words.not_placed(name, why, names), 404
        if name not in names:
            return sure_words.unknown(name, names), 404
    if one == other:
        return sure_words.same_twice(one), 400
    return "", 200


def pair_answer(board: Board, question: Question) -> PairAnswer:
    """Of a question without a problem."""
    upper, lower = sorted((question.one, question.other), key=board.names.index)
    job = asking.job_for(FRAGILITY, question.params)
    turned = turned_known(board, upper, lower, job)
    gap = turned.gap if turned else gap_between(board, upper, lower)
    chance = chance_between(board, upper, lower)
    assert chance is not None
    is_level = ranks_equal(board, upper, lower)
    return PairAnswer(
        sentence=sure_words.level_sentence(upper, lower)
        if is_level
        else sure_words.better_sentence(upper, lower, chance.value),
        apart="" if is_level else sure_words.apart_sentence(gap.points, gap.ends),
        gap=gap,
        is_level=is_level,
        turned=turned,
        asked=asking.progress_of(job) if job is not None and job.result is None else None,
        can_ask=not is_level and (job is None or job.state == JobState.FAILED),
    )


def ranks_equal(board: Board, upper: str, lower: str) -> bool:
    ranks = {row["contestant"]: row["rank"] for row in board.standings}
    return bool(ranks[upper] == ranks[lower])


def turned_known(board: Board, upper: str, lower: str, job: Job | None) -> Turned | None:
    """From what a reader asked for before, else from the publication."""
    if job is not None and job.result is not None:
        result = job.result
        return turned_of(
            board, upper, lower, result["pairs"], result["rigging"], result["difference"]
        )
    found = [
        pair for pair in neighbours_turned(board) if (pair.upper, pair.lower) == (upper, lower)
    ]
    return found[0] if found else None


def fragility_want(question: Question, address: Address | None) -> None:
    """Have worked out what would turn the order. Raises TooMany."""
    asking.job_wanted(kind=FRAGILITY, params=question.params, address=address)


@asking.answers(FRAGILITY, gettext_lazy("What would turn the order of two contestants"))
def fragility_address(params: Mapping[str, Any]) -> str:
    snapshot = snapshot_get(params["snapshot"])
    return Question(snapshot, params["one"], params["other"], "").address
