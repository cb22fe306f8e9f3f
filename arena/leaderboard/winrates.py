"""Who beats whom: as observed in a publication's votes, and as its board predicts it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import board_document
from ranking.arrays import FloatArray


def win_rates(snapshot: Fitted, board: BoardName) -> dict[str, Any]:
    """Square matrices over the placed contestants in the board's order, row against column.

    votes: how many between the two. observed: the row's share of these, a tie or both bad being
    half a win; None where they never met. predicted: the share that the board's Bradley-Terry
    strengths expect where neither side has an advantage of style or position; None with oneself.
    """
    standings = board_document(snapshot, board)["standings"]
    names = [row["contestant"] for row in standings]
    votes, wins = observed(snapshot.content["pairs"], names)
    shares = np.divide(wins, votes, out=np.full(votes.shape, np.nan), where=votes > 0)
    return {
        "snapshot": snapshot.digest,
        "board": board.value,
        "contestants": names,
        "votes": votes.astype(int).tolist(),
        "observed": without_nan(shares),
        "predicted": without_nan(predicted([row["theta"] for row in standings])),
    }


def observed(pairs: Mapping[str, Any], names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Votes between each two, and the wins of each against the other."""
    place = {name: k for k, name in enumerate(names)}
    where = [place.get(name, -1) for name in pairs["contestants"]]
    votes, wins = np.zeros((2, len(names), len(names)))
    for a, b, a_better, b_better, tie, both_bad in pairs["rows"]:
        i, j = where[a], where[b]
        if i < 0 or j < 0:
            continue
        halves = (tie + both_bad) / 2
        wins[i, j], wins[j, i] = a_better + halves, b_better + halves
        votes[i, j] = votes[j, i] = a_better + b_better + tie + both_bad
    return votes, wins


def predicted(theta: Sequence[float]) -> FloatArray:
    strengths = np.array(theta)
    shares: FloatArray = 1.0 / (1.0 + np.exp(strengths[None, :] - strengths[:, None]))
    np.fill_diagonal(shares, np.nan)
    return shares


def without_nan(matrix: FloatArray) -> list[list[float | None]]:
    return [[None if np.isnan(x) else float(x) for x in row] for row in matrix]
