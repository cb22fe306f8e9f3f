"""Votes of every pair as matrices, beside what the boards of a publication expect of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import board_document
from ranking.arrays import FloatArray

# Beyond so many, cells are too small for a number, and a table of all of them for a page.
NUMBERED = 24
# Of fewer expected wins, or losses, the normal approximation says nothing.
LEAST = 3.0
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Pairs:
    """Square matrices over the contestants of a board, in its order, row against column.

    won: a tie or both bad is half a win. votes: 0 where they never met. level: the expected score
    on this board at equal style, over both orders of being shown. expected: the same on the raw
    board, which knows no style, for these very votes; NaN where that does not place one of them.
    """

    board: BoardName
    names: tuple[str, ...]
    votes: FloatArray
    won: FloatArray
    level: FloatArray
    expected: FloatArray
    surprise: FloatArray
    """How far observed is from expected, in standard errors; NaN where too few votes can tell."""

    @property
    def observed(self) -> FloatArray:
        share = np.full(self.votes.shape, np.nan)
        return np.divide(self.won, self.votes, out=share, where=self.votes > 0)

    @property
    def tested(self) -> int:
        """How many pairs can be compared with what the raw board expects of them."""
        return int(np.count_nonzero(~np.isnan(self.surprise)) // 2)

    @property
    def threshold(self) -> float:
        """Beyond so many standard errors the most surprising of them all is no chance."""
        return float(-special.ndtri((1 - CONFIDENCE) / (2 * max(self.tested, 1))))


def pairs_of(snapshot: Fitted, board: BoardName) -> Pairs:
    document = board_document(snapshot, board)
    names = [row["contestant"] for row in document["standings"]]
    counts = counts_of(snapshot.content["pairs"], names)
    raw = board_document(snapshot, BoardName.RAW)
    expected = expected_scores(raw, names)
    won = counts["won"] + counts["even"] / 2
    votes = counts["won"] + counts["won"].T + counts["even"]
    return Pairs(
        board=board,
        names=tuple(names),
        votes=votes,
        won=won,
        level=expected_scores(document, names),
        expected=expected,
        surprise=surprises(counts, votes, won, expected),
    )


def counts_of(pairs: Mapping[str, Any], names: Sequence[str]) -> dict[str, FloatArray]:
    """won: by the row from the column; even: ties and both bad."""
    place = {name: k for k, name in enumerate(names)}
    where = np.array([place.get(name, -1) for name in pairs["contestants"]], dtype=np.int64)
    rows = np.array(pairs["rows"], dtype=np.int64).reshape(-1, 6)
    i, j = where[rows[:, 0]], where[rows[:, 1]]
    both = (i >= 0) & (j >= 0)
    i, j, rows = i[both], j[both], rows[both]
    won, even = np.zeros((2, len(names), len(names)))
    won[i, j], won[j, i] = rows[:, 2], rows[:, 3]
    even[i, j] = even[j, i] = rows[:, 4] + rows[:, 5]
    return {"won": won, "even": even}


def expected_scores(document: Mapping[str, Any], names: Sequence[str]) -> FloatArray:
    """At equal style, over both orders of being shown; NaN with oneself and who is not placed."""
    strength = {row["contestant"]: row["theta"] for row in document["standings"]}
    theta = np.array([strength.get(name, np.nan) for name in names])
    first = document["position"]["value"] if document["position"] else 0.0
    gap = np.subtract.outer(theta, theta)
    score: FloatArray = 0.5 * (special.expit(gap + first) + special.expit(gap - first))
    np.fill_diagonal(score, np.nan)
    return score


def surprises(
    counts: Mapping[str, FloatArray], votes: FloatArray, won: FloatArray, expected: FloatArray
) -> FloatArray:
    """(won − expected wins) in standard errors, as if each vote were another's.

    A vote's variance is p(1 − p), times what ties take of it: the same share in all pairs.
    """
    wins, lost, even = counts["won"], counts["won"].T, counts["even"]
    spread = expected * (1 - expected)
    squares = wins * (1 - expected) ** 2 + lost * expected**2 + even * (0.5 - expected) ** 2
    known = ~np.isnan(expected) & (votes > 0)
    total = (votes * spread)[known].sum()
    share = squares[known].sum() / total if total > 0 else 1.0
    enough = known & (votes * np.minimum(expected, 1 - expected) >= LEAST) & (share > 0)
    found = np.full(votes.shape, np.nan)
    error = np.sqrt(votes * spread * share)
    return np.divide(won - votes * expected, error, out=found, where=enough)


def cell_size(count: int) -> int:
    """Pixels of a cell where so many stand on each side."""
    return 24 if count <= NUMBERED else 14
