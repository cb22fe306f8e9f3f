"""Files of votes, of any size, spread over partitions on disk by voter.

Votes are read in batches, those that count are appended to one file of records per partition, and
what everything else depends on is added up on the way: counts, who met whom, the newest time. All
votes of a voter go to one partition, which a hash of the name chooses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranking.arrays import AnyArray, IndexArray, IntArray, SmallIntArray
from ranking.covariates import CONTROLS
from ranking.graph import WinGraph
from ranking.io import Reject, VoteStream
from ranking.result import Counts
from ranking.selection import carried_weights, select_votes
from ranking.spec import RankingSpec
from ranking.votes import Votes

Progress = Callable[[int], None]

# Graphs of batches are joined so many at once: a join sorts all that they hold.
_JOINED = 16
NOTHING = Counts(read=0, excluded=(), missing=0, both_bad=0, unplaced=0, counted=0)


class FileRead(NamedTuple):
    """A file that was read: its rows, and those of them that were refused."""

    path: Path
    schema: str
    rows_read: int
    rejects: tuple[Reject, ...]


def joined_reads(files: Sequence[FileRead]) -> FileRead:
    """Several files told of as if they were one; the reasons of rejects name the file."""
    if len(files) == 1:
        return files[0]
    return FileRead(
        path=Path(),
        schema=", ".join(dict.fromkeys(file.schema for file in files)),
        rows_read=sum(file.rows_read for file in files),
        rejects=tuple(
            Reject(reject.line, f"{file.path.name}: {reject.reason}")
            for file in files
            for reject in file.rejects
        ),
    )


@dataclass(frozen=True, slots=True)
class Spilled:
    """What one file of votes left behind.

    folder: records of partition p are in the file p of it, with ids into `contestants`. rows: (P,)
    records of each partition. graph: meetings of the counted votes, by the same ids. metrics,
    weights: style metrics and weighing columns that it carries. newest: time of the newest
    counted vote.
    """

    file: FileRead
    folder: Path
    contestants: tuple[str, ...]
    rows: IndexArray
    graph: WinGraph
    counts: Counts
    metrics: tuple[str, ...]
    weights: tuple[str, ...]
    newest: float


def record_kind(spec: RankingSpec) -> np.dtype[np.void]:
    """What a record holds of a vote: what a fit by this spec reads, byte after byte.

    voter is 64 bits of a hash of the name, 0 where it is unknown: two of n voters are taken for
    one with probability n²/2⁶⁵, 3e-6 at ten million.
    """
    fields: list[tuple[str, str]] = [("a", "<i4"), ("b", "<i4"), ("outcome", "i1")]
    if spec.position:
        fields.append(("shown_first", "i1"))
    if spec.cluster is not False:
        fields.append(("voter", "<u8"))
    for control in spec.controls:
        fields += [(f"{CONTROLS[control]}_{side}", "<f8") for side in "ab"]
    if spec.weights == "draw_probability":
        fields.append(("draw_probability", "<f8"))
    if spec.half_life_days is not None:
        fields.append(("time", "<f8"))
    return np.dtype(fields)


def spill(
    source: tuple[Path, Path],
    spec: RankingSpec,
    partitions: int,
    skip_bad: bool,
    progress: Progress | None = None,
) -> Spilled:
    """Spread the counted votes of a file, source[0], over partitions in a new folder, source[1].

    Raises VoteFileError as read_votes does, and OSError when the folder cannot be written to.
    """
    path, folder = source
    folder.mkdir()
    stream, taken = VoteStream(path), 0
    spilling = _Spilling(spec, folder, partitions)
    for batch in stream.batches():
        table = stream.take(batch).table
        if table.num_rows:
            taken += table.num_rows
            spilling.add(table)
        if progress is not None:
            progress(taken)
    rejects = stream.check(taken, skip_bad)
    return spilling.done(FileRead(path, stream.schema, stream.rows_read, rejects))


@dataclass
class _Spilling:
    """A file's votes while they are spread."""

    spec: RankingSpec
    folder: Path
    partitions: int
    ids: dict[str, int] = field(default_factory=dict)
    graphs: list[tuple[WinGraph, IndexArray]] = field(default_factory=list)
    counts: Counts = NOTHING
    metrics: dict[str, None] = field(default_factory=dict)
    weights: dict[str, None] = field(default_factory=dict)
    newest: float = -np.inf

    def __post_init__(self) -> None:
        self.kind = record_kind(self.spec)
        self.names = self.kind.names or ()
        self.rows = np.zeros(self.partitions, dtype=np.intp)

    def add(self, table: pa.Table) -> None:
        """Append the counted votes of a vote table to their partitions."""
        voter = None
        if "voter" in table.column_names:
            # A fit looks at whose a vote is and not at the name, so names are never listed.
            voter = table["voter"] if "voter" in self.names else None
            table = table.drop_columns("voter")
        votes = Votes.from_arrow(table)
        self.metrics |= dict.fromkeys(votes.features)
        self.weights |= dict.fromkeys(carried_weights(votes))
        votes = with_missing(votes, self.spec)
        chosen, counts = select_votes(votes, self.spec)
        self.counts = added(self.counts, counts)
        ids = np.array([self.ids.setdefault(c, len(self.ids)) for c in votes.contestants])
        rows = np.flatnonzero(chosen)
        if rows.size:
            hashes = _voter_hashes(voter, len(votes)) if "voter" in self.names else None
            self._note(votes, ids, rows)
            self._append(self._records(votes, ids, hashes)[rows])

    def done(self, file: FileRead) -> Spilled:
        """What is left behind."""
        if not self.graphs:
            none = np.zeros(0, dtype=np.int32)
            self._met(1, none, none, none.astype(np.int8), np.zeros(1, dtype=np.intp))
        self._join()
        return Spilled(
            file=file,
            folder=self.folder,
            contestants=tuple(self.ids),
            rows=self.rows,
            graph=self.graphs[0][0],
            counts=self.counts,
            metrics=tuple(self.metrics),
            weights=tuple(self.weights),
            newest=self.newest,
        )

    def _note(self, votes: Votes, ids: IndexArray, rows: IndexArray) -> None:
        self._met(len(ids), votes.a[rows], votes.b[rows], votes.outcome[rows], ids)
        if len(self.graphs) >= _JOINED:
            self._join()
        if self.spec.half_life_days is not None:
            assert votes.time is not None
            self.newest = max(self.newest, float(votes.time[rows].max()))

    def _met(
        self, contestants: int, a: IntArray, b: IntArray, outcome: SmallIntArray, ids: IndexArray
    ) -> None:
        ground = self.spec.likelihood == "four_outcome"
        self.graphs.append((WinGraph.of(contestants, a, b, outcome, ground=ground), ids))

    def _join(self) -> None:
        known = len(self.ids)
        self.graphs = [(WinGraph.joined(known, self.graphs), np.arange(known))]

    def _records(
        self, votes: Votes, ids: IndexArray, hashes: npt.NDArray[np.uint64] | None
    ) -> npt.NDArray[np.void]:
        columns: dict[str, AnyArray | int | None] = {
            "a": ids[votes.a],
            "b": ids[votes.b],
            "outcome": votes.outcome,
            "shown_first": 1 if votes.shown_first is None else votes.shown_first,
            "voter": hashes,
            "draw_probability": votes.draw_probability,
            "time": votes.time,
        }
        for name, (a, b) in votes.features.items():
            columns |= {f"{name}_a": a, f"{name}_b": b}
        records = np.empty(len(votes), dtype=self.kind)
        for name in self.names:
            records[name] = columns[name]
        return records

    def _append(self, records: npt.NDArray[np.void]) -> None:
        """Append records to their partitions; those of unknown voters evenly."""
        at = np.arange(records.size) + int(self.rows.sum())
        if "voter" in self.names:
            voter = records["voter"]
            at = np.where(voter == 0, at, voter % np.uint64(self.partitions))
        at = (at % self.partitions).astype(np.intp)
        order, counts = np.argsort(at, kind="stable"), np.bincount(at, minlength=self.partitions)
        ends = np.cumsum(counts)
        for p in np.flatnonzero(counts):
            with (self.folder / str(p)).open("ab") as file:
                records[order[ends[p] - counts[p] : ends[p]]].tofile(file)
        self.rows += counts


def with_missing(votes: Votes, spec: RankingSpec) -> Votes:
    """The votes with columns of NaN for what the spec needs and this batch has not.

    Other batches may have it, so that its absence here is no error.
    """
    nan = np.full(len(votes), np.nan)
    changes: dict[str, Any] = {}
    needed = {CONTROLS[control] for control in spec.required} - votes.features.keys()
    if needed:
        changes["features"] = {**votes.features, **dict.fromkeys(needed, (nan, nan))}
    if spec.weights == "draw_probability" and votes.draw_probability is None:
        changes["draw_probability"] = nan
    if spec.half_life_days is not None and votes.time is None:
        changes["time"] = nan
    return replace(votes, **changes) if changes else votes


def added(one: Counts, other: Counts) -> Counts:
    """Counts of the votes of both."""
    rules = Counter(dict(one.excluded))
    rules.update(dict(other.excluded))
    return Counts(
        read=one.read + other.read,
        excluded=tuple(sorted(rules.items())),
        missing=one.missing + other.missing,
        both_bad=one.both_bad + other.both_bad,
        unplaced=one.unplaced + other.unplaced,
        counted=one.counted + other.counted,
        unweighted=one.unweighted + other.unweighted,
    )


def _voter_hashes(voter: pa.ChunkedArray | None, rows: int) -> npt.NDArray[np.uint64]:
    """64 bits that tell voters apart, the same in every process; 0 where unknown."""
    if voter is None:
        return np.zeros(rows, dtype=np.uint64)
    encoded = pc.dictionary_encode(voter.combine_chunks())
    names = encoded.dictionary.to_pylist()
    digests = b"".join([blake2b(name.encode(), digest_size=8).digest() for name in names])
    known = np.append(np.frombuffer(digests, "<u8"), np.uint64(0))
    hashes: npt.NDArray[np.uint64] = known[encoded.indices.fill_null(-1).to_numpy()]
    return hashes
