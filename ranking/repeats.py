"""Ids that a file gives to more than one vote, found while its votes stream by."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ranking.arrays import IndexArray


class Ids:
    """The ids seen so far, 16 bytes each: 64 bits of a keyed hash, and the place of the first.

    Two different ids among n are taken for one with probability n²/2⁶⁵: 1e-7 at two million.
    """

    def __init__(self) -> None:
        # Sorted runs, each at least twice as long as the next: a look-up asks log n of them.
        self._runs: list[tuple[IndexArray, IndexArray]] = []

    def repeats(self, ids: pa.ChunkedArray, places: IndexArray) -> dict[int, int]:
        """Row -> place of the vote that had its id before, for the rows that repeat one.

        ids: text, of which null is never a repeat. places: of each row, where the file has it.
        """
        rows = np.flatnonzero(ids.is_valid().to_numpy())
        hashes = np.fromiter(map(hash, ids.drop_null().to_pylist()), np.int64, len(rows))
        order = np.argsort(hashes, kind="stable")
        hashes, rows = hashes[order], rows[order]
        opens = np.ones(len(hashes), dtype=bool)
        opens[1:] = hashes[1:] != hashes[:-1]
        firsts = self._firsts(hashes[opens], places[rows[opens]])
        new = firsts == places[rows[opens]]
        self._add(hashes[opens][new], firsts[new])
        first = firsts[np.cumsum(opens) - 1]
        again = first != places[rows]
        return dict(zip(rows[again].tolist(), first[again].tolist(), strict=True))

    def _firsts(self, hashes: IndexArray, places: IndexArray) -> IndexArray:
        """Of each hash, the place it was seen first, which may be the one given here."""
        firsts = places.copy()
        for seen, seen_places in self._runs:
            at = np.minimum(np.searchsorted(seen, hashes), len(seen) - 1)
            known = seen[at] == hashes
            firsts[known] = seen_places[at[known]]
        return firsts

    def _add(self, hashes: IndexArray, places: IndexArray) -> None:
        while self._runs and len(self._runs[-1][0]) < 2 * len(hashes):
            earlier, earlier_places = self._runs.pop()
            hashes = np.concatenate([earlier, hashes])
            places = np.concatenate([earlier_places, places])
            order = np.argsort(hashes, kind="stable")
            hashes, places = hashes[order], places[order]
        if len(hashes):
            self._runs.append((hashes, places))
