"""Who beat whom: does the maximum-likelihood estimate exist, and on which contestants?

Bradley-Terry strengths are finite exactly within a strongly connected group of the directed graph
"winner -> loser", in which a tie counts both ways (Ford 1957; Hunter 2004, assumption 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ranking.arrays import BoolArray, IndexArray, IntArray, SmallIntArray
from ranking.votes import A_WINS, B_WINS

_DENSE_CELLS = 1 << 20


@dataclass(frozen=True, slots=True)
class WinGraph:
    """Distinct ordered meetings (a, b) of M contestants with their counts.

    a, b: (C,) ids. wins: (C, 3) number of votes for a, for b, and for neither.
    """

    contestants: int
    a: IndexArray
    b: IndexArray
    wins: IndexArray

    @classmethod
    def of(cls, contestants: int, a: IntArray, b: IntArray, outcome: SmallIntArray) -> WinGraph:
        """Count the votes in a[k], b[k], outcome[k], (n,) each; self-play must not occur."""
        cell = a.astype(np.int64) * contestants
        cell += b
        cell *= 3
        cell += np.minimum(outcome, 2)
        cells, counts = _tally(cell, 3 * contestants * contestants)
        meeting, index = np.unique(cells // 3, return_inverse=True)
        wins = np.zeros((meeting.size, 3), dtype=np.intp)
        wins[index, cells % 3] = counts
        return cls(contestants, *np.divmod(meeting, contestants), wins)

    def record(self) -> IndexArray:
        """(M, 3) wins, losses and ties of each contestant."""
        total = np.zeros((self.contestants, 3), dtype=np.intp)
        np.add.at(total, self.a, self.wins)
        np.add.at(total, self.b, self.wins[:, [1, 0, 2]])
        return total

    def beats(self) -> sparse.csr_array:
        """(M, M) adjacency winner -> loser, a tie both ways."""
        a_scored = (self.wins[:, A_WINS] > 0) | (self.wins[:, 2] > 0)
        b_scored = (self.wins[:, B_WINS] > 0) | (self.wins[:, 2] > 0)
        winner = np.concatenate([self.a[a_scored], self.b[b_scored]])
        loser = np.concatenate([self.b[a_scored], self.a[b_scored]])
        shape = (self.contestants, self.contestants)
        return sparse.coo_array((np.ones(winner.size), (winner, loser)), shape=shape).tocsr()


def _tally(cell: IndexArray, cells: int) -> tuple[IndexArray, IndexArray]:
    """Distinct values in [0, cells) and how often each occurs."""
    if cells > max(_DENSE_CELLS, 4 * cell.size):
        return np.unique(cell, return_counts=True)
    counts = np.bincount(cell, minlength=1)
    distinct = np.flatnonzero(counts)
    return distinct, counts[distinct]


@dataclass(frozen=True, slots=True)
class Placement:
    """Groups of contestants within which strengths exist, and how they stand to the main one.

    group: (M,) label of each contestant's strongly connected group. main: (M,) whether it is in
    the main group, the one of most contestants (then of most votes, then of the first label);
    none is when no two contestants are connected both ways. above, below: (M,) whether a chain
    of wins leads from it to the main group, or from the main group to it.
    """

    graph: WinGraph
    group: IndexArray
    main: BoolArray
    above: BoolArray
    below: BoolArray

    def between(self, contestant: int) -> BoolArray:
        """(M,) members of the groups on chains of wins between a contestant and the main group.

        Once the contestant is held at a finite distance these are squeezed to finite strengths
        too; every other group can still move away at no loss of likelihood.
        """
        beats = self.graph.beats()
        if self.above[contestant]:
            return (_reached(beats, contestant) & self.above) | self.main
        return (_reached(beats.T.tocsr(), contestant) & self.below) | self.main


def place(graph: WinGraph) -> Placement:
    """Find the groups, the main one, and what lies above and below it."""
    beats = graph.beats()
    _, group = csgraph.connected_components(beats, directed=True, connection="strong")
    main = _main_group(graph, group)
    above = below = np.zeros(graph.contestants, dtype=bool)
    if main.any():
        root = int(main.argmax())
        above = _reached(beats.T.tocsr(), root) & ~main
        below = _reached(beats, root) & ~main
    return Placement(graph, group, main, above, below)


def _main_group(graph: WinGraph, group: IndexArray) -> BoolArray:
    sizes = np.bincount(group)
    inside = group[graph.a] == group[graph.b]
    votes = np.bincount(
        group[graph.a[inside]], weights=graph.wins[inside].sum(axis=1), minlength=sizes.size
    )
    first = np.full(sizes.size, group.size)
    np.minimum.at(first, group, np.arange(group.size))
    best = np.lexsort((first, -votes, -sizes))[0]
    if sizes[best] < 2:
        return np.zeros(group.size, dtype=bool)
    chosen: BoolArray = group == best
    return chosen


def _reached(beats: sparse.csr_array, start: int) -> BoolArray:
    reached = np.zeros(beats.shape[0], dtype=bool)
    reached[csgraph.breadth_first_order(beats, start, return_predecessors=False)] = True
    return reached
