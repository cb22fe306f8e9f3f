"""Who beat whom: does the maximum-likelihood estimate exist, and on which contestants?

Bradley-Terry strengths are finite exactly within a strongly connected group of the directed graph
"winner -> loser", in which a tie counts both ways (Ford 1957; Hunter 2004, assumption 1).

With four outcomes there is one more node, the ground: whoever wins or ties beats it, and it beats
both contestants of a both-bad vote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ranking.arrays import BoolArray, IndexArray, IntArray, SmallIntArray
from ranking.votes import A_WINS, B_WINS, BOTH_BAD

_DENSE_CELLS = 1 << 20


@dataclass(frozen=True, slots=True)
class WinGraph:
    """Distinct ordered meetings (a, b) of M contestants with their counts.

    a, b: (C,) ids. wins: (C, 3) number of votes for a, for b, and for neither.
    both_bad: (C,) how many of the last found both bad, where the ground is a node; else None.
    """

    contestants: int
    a: IndexArray
    b: IndexArray
    wins: IndexArray
    both_bad: IndexArray | None = None

    @classmethod
    def of(
        cls,
        contestants: int,
        a: IntArray,
        b: IntArray,
        outcome: SmallIntArray,
        *,
        ground: bool = False,
    ) -> WinGraph:
        """Count the votes in a[k], b[k], outcome[k], (n,) each; self-play must not occur."""
        cell = a.astype(np.int64) * contestants
        cell += b
        cell *= 4
        cell += outcome
        cells, counts = _tally(cell, 4 * contestants * contestants)
        meeting, index = np.unique(cells // 4, return_inverse=True)
        votes = np.zeros((meeting.size, 4), dtype=np.intp)
        votes[index, cells % 4] = counts
        bad = votes[:, BOTH_BAD].copy()
        votes[:, 2] += bad
        ends = np.divmod(meeting, contestants)
        return cls(contestants, *ends, votes[:, :3], bad if ground else None)

    @classmethod
    def joined(cls, contestants: int, graphs: Sequence[tuple[WinGraph, IndexArray]]) -> WinGraph:
        """One graph of the meetings of several, each given with its ids' places among all."""
        met = [ids[graph.a] * contestants + ids[graph.b] for graph, ids in graphs]
        meeting, index = np.unique(np.concatenate(met), return_inverse=True)
        wins = np.zeros((meeting.size, 3), dtype=np.intp)
        np.add.at(wins, index, np.concatenate([graph.wins for graph, _ in graphs]))
        bad = None
        if all(graph.both_bad is not None for graph, _ in graphs):
            bad = np.zeros(meeting.size, dtype=np.intp)
            np.add.at(bad, index, np.concatenate([graph.both_bad for graph, _ in graphs]))
        return cls(contestants, *np.divmod(meeting, contestants), wins, bad)

    def where(self, kept: BoolArray) -> WinGraph:
        """Some of the meetings, (C,), alone."""
        bad = None if self.both_bad is None else self.both_bad[kept]
        return WinGraph(self.contestants, self.a[kept], self.b[kept], self.wins[kept], bad)

    def within(self, members: BoolArray) -> WinGraph:
        """The meetings among `members`, (M,), alone."""
        return self.where(members[self.a] & members[self.b])

    def pairs(self) -> tuple[IndexArray, IndexArray, IndexArray]:
        """(P,) ids of each unordered pair, the smaller first and sorted, and its votes."""
        low, high = np.minimum(self.a, self.b), np.maximum(self.a, self.b)
        pair, index = np.unique(low * self.contestants + high, return_inverse=True)
        votes = np.bincount(index, self.wins.sum(axis=1), minlength=pair.size).astype(np.intp)
        return *np.divmod(pair, self.contestants), votes

    def record(self) -> IndexArray:
        """(M, 3) wins, losses and ties of each contestant."""
        total = np.zeros((self.contestants, 3), dtype=np.intp)
        np.add.at(total, self.a, self.wins)
        np.add.at(total, self.b, self.wins[:, [1, 0, 2]])
        return total

    def beats(self) -> sparse.csr_array:
        """(M, M) adjacency winner -> loser, a tie both ways; (M + 1, M + 1) with the ground."""
        tied = self.wins[:, 2] > (0 if self.both_bad is None else self.both_bad)
        a_scored = (self.wins[:, A_WINS] > 0) | tied
        b_scored = (self.wins[:, B_WINS] > 0) | tied
        winner = np.concatenate([self.a[a_scored], self.b[b_scored]])
        loser = np.concatenate([self.b[a_scored], self.a[b_scored]])
        shape = (self.contestants, self.contestants)
        if self.both_bad is not None:
            bad = self.both_bad > 0
            beaten = np.concatenate([self.a[bad], self.b[bad]])
            ground = np.full(winner.size + beaten.size, self.contestants)
            loser = np.concatenate([loser, ground[: winner.size], beaten])
            winner = np.concatenate([winner, winner, ground[winner.size :]])
            shape = (self.contestants + 1, self.contestants + 1)
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


def place(graph: WinGraph, *, by_prior: bool = False) -> Placement:
    """Find the groups, the main one, and what lies above and below it.

    by_prior: a prior on strengths keeps them finite, so that any chain of votes connects.
    """
    beats = graph.beats()
    if by_prior:
        beats = (beats + beats.T).tocsr()
    _, group = csgraph.connected_components(beats, directed=True, connection="strong")
    group = group[: graph.contestants]
    main = _main_group(graph, group)
    above = below = np.zeros(graph.contestants, dtype=bool)
    if main.any():
        root = int(main.argmax())
        above = _reached(beats.T.tocsr(), root)[: main.size] & ~main
        below = _reached(beats, root)[: main.size] & ~main
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
