"""Votes spread over partitions: who is placed by them, and their designs on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from ranking.arrays import BoolArray, FloatArray, IndexArray, IntArray
from ranking.design import POSITION, Design, build_design, scale_by
from ranking.diagnostics import usable_columns
from ranking.graph import WinGraph
from ranking.inference import ClusterTotals, clusters_of
from ranking.partitions import Partition, PartitionedDesign, Run
from ranking.selection import (
    Selection,
    check_anchor,
    check_carried,
    design_like,
    likelihood_by,
    placement_by,
    unscaled_weights,
)
from ranking.spec import RankingSpec
from ranking.spill import Spilled, added, record_kind
from ranking.votes import Votes

_T = TypeVar("_T")

Tell = Callable[[str], None]


def counted(done: Iterable[_T], total: int, doing: str, tell: Tell) -> list[_T]:
    """All the results, told of as they come."""
    results: list[_T] = []
    tell(f"{doing}: 0 of {total:,} done")
    for result in done:
        results.append(result)
        tell(f"{doing}: {len(results):,} of {total:,} done")
    return results


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVotes(Selection):
    """Votes ready to be fitted that lie in partitions on disk.

    design: of the placed contestants' votes, None when nobody can be placed. outside: the other
    counted votes. clusters: of voters over all partitions, None where none is known or wanted.
    """

    folder: Path
    design: PartitionedDesign | None
    outside: tuple[_Outside, ...] = ()
    mean_weight: float = 1.0
    clusters: ClusterTotals | None = None

    def among(
        self, members: BoolArray, like: Design, group: IndexArray | None = None
    ) -> PartitionedDesign:
        """As Selection says; `like` is a design of these votes.

        The placed contestants' partitions serve again under other ids, so that only the votes
        outside them are stored anew.
        """
        assert isinstance(like, PartitionedDesign)
        ids = np.cumsum(members) - 1
        inner = [
            replace(partition, renumber=ids[self.placement.main]) for partition in like.partitions
        ]
        work = partial(
            _outer_partition,
            selection=self._alike(),
            like=like.alike(),
            members=members,
            group=group,
        )
        found = [one for one in like.run(work, self.outside) if one is not None]
        graph = self.placement.graph.within(members)
        if group is not None:
            graph = graph.where(group[ids[graph.a]] == group[ids[graph.b]])
        first, second, votes = _pairs(graph, ids, int(members.sum()))
        return replace(
            like,
            contestants=int(members.sum()),
            first=first,
            second=second,
            votes=votes,
            reach=np.max([like.reach, *(reach for _, reach in found)], axis=0),
            group=np.zeros(len(votes), dtype=np.intp) if group is None else group,
            partitions=(*inner, *(partition for partition, _ in found)),
        )

    def _alike(self) -> StoredVotes:
        """What a task needs of the selection."""
        return replace(self, design=None, outside=())


@dataclass(frozen=True, slots=True)
class _Outside:
    """Counted votes of one partition that are not between placed contestants.

    folder: holds them as records with ids of all contestants, and their weights, if they have.
    """

    folder: Path

    @classmethod
    def store(
        cls, folder: Path, records: npt.NDArray[np.void], weight: FloatArray | None
    ) -> _Outside:
        folder.mkdir()
        np.save(folder / "records.npy", records)
        if weight is not None:
            np.save(folder / "weight.npy", weight)
        return cls(folder)

    def votes(self, contestants: tuple[str, ...], mean_weight: float) -> Votes:
        votes = _votes_of(np.load(self.folder / "records.npy"), contestants)
        weight = self.folder / "weight.npy"
        return replace(votes, weight=np.load(weight) / mean_weight) if weight.exists() else votes


def _outer_partition(
    outside: _Outside,
    selection: StoredVotes,
    like: PartitionedDesign,
    members: BoolArray,
    group: IndexArray | None,
) -> tuple[Partition, FloatArray] | None:
    """The votes outside that lie among members, with the reach of their columns."""
    votes = outside.votes(selection.contestants, selection.mean_weight)
    rows = np.arange(len(votes))
    within = members[votes.a] & members[votes.b]
    if group is not None:
        ids = np.cumsum(members) - 1
        within &= group[ids[votes.a]] == group[ids[votes.b]]
    if not within.any():
        return None
    design = design_like(like, votes, selection.spec, rows[within], members, group=group)
    path = selection.folder / f"among-{uuid4()}"
    return Partition.store(design, path), design.reach


def _pairs(
    graph: WinGraph, ids: IndexArray, contestants: int
) -> tuple[IndexArray, IndexArray, IndexArray]:
    """(P,) ids of the pairs of a graph under other ids, and (M,) votes of each contestant."""
    first, second, votes = graph.pairs()
    first, second = ids[first], ids[second]
    per_side = [np.bincount(side, votes, minlength=contestants) for side in (first, second)]
    return first, second, (per_side[0] + per_side[1]).astype(np.intp)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Records of one partition that one file left, and its ids' places among all contestants."""

    path: Path
    rows: int
    ids: IndexArray


@dataclass(frozen=True, slots=True)
class _Whole:
    """What a partition must know of all the votes.

    met: sorted keys of the pairs that met, and their counted votes; newest: time of the newest
    counted vote.
    """

    contestants: tuple[str, ...]
    spec: RankingSpec
    folder: Path
    main: BoolArray
    met: tuple[IndexArray, IndexArray]
    newest: float


@dataclass(frozen=True, slots=True)
class _Built:
    """A partition made of records, and what the whole needs to know of it.

    squares, reach: (K,) sums of squares and largest absolute values of the columns as they are,
    without scales. weight: sum of the weights, of any mean. clusters: of its voters, None where
    they are not wanted. known: whether any of them is.
    """

    partition: Partition | None
    outside: _Outside | None
    squares: FloatArray
    reach: FloatArray
    weight: float
    clusters: ClusterTotals | None
    known: bool


def select_stored(
    spilled: Sequence[Spilled], folder: Path, spec: RankingSpec, run: Run, tell: Tell
) -> StoredVotes:
    """Place the contestants and build the partitions' designs."""
    metrics = {name: None for one in spilled for name in one.metrics}
    weights = {name for one in spilled for name in one.weights}
    check_carried(spec, list(metrics), list(weights))
    contestants = tuple(sorted({name for one in spilled for name in one.contestants}))
    place = {name: i for i, name in enumerate(contestants)}
    ids = [np.array([place[name] for name in one.contestants]) for one in spilled]
    graphs = [(one.graph, to) for one, to in zip(spilled, ids, strict=True)]
    graph = WinGraph.joined(len(contestants), graphs)
    placement = placement_by(graph, spec)
    check_anchor(spec, contestants)
    counts = reduce(added, (one.counts for one in spilled))
    inside = int(graph.within(placement.main).wins.sum())
    selection = StoredVotes(
        contestants=contestants,
        spec=spec,
        counts=replace(counts, unplaced=counts.counted - inside, counted=inside),
        placement=placement,
        folder=folder,
        design=None,
    )
    if not inside:
        return selection
    low, high, votes = graph.pairs()
    whole = _Whole(
        contestants=contestants,
        spec=spec,
        folder=folder,
        main=placement.main,
        met=(low * len(contestants) + high, votes),
        newest=max(one.newest for one in spilled),
    )
    partitions = [_pieces(spilled, ids, int(p)) for p in np.flatnonzero(rows_of(spilled))]
    work = partial(_build, whole=whole)
    built = counted(run(work, partitions), len(partitions), "sorting partitions", tell)
    return _usable(_scaled(selection, built, run))


def rows_of(spilled: Sequence[Spilled]) -> IndexArray:
    """(P,) records of each partition."""
    return np.asarray(np.sum([one.rows for one in spilled], axis=0))


def _pieces(spilled: Sequence[Spilled], ids: Sequence[IndexArray], p: int) -> list[_Piece]:
    return [
        _Piece(one.folder / str(p), int(one.rows[p]), to)
        for one, to in zip(spilled, ids, strict=True)
        if one.rows[p]
    ]


def _build(pieces: list[_Piece], whole: _Whole) -> _Built:
    """The design of one partition, with columns and weights still to be scaled."""
    spec, main, name = whole.spec, whole.main, pieces[0].path.name
    records = _records(pieces, record_kind(spec))
    votes = _votes_of(records, whole.contestants)
    weight = _weights(votes, whole)
    inside = main[votes.a] & main[votes.b]
    outside = None
    if not inside.all():
        rest = None if weight is None else weight[~inside]
        outside = _Outside.store(whole.folder / f"outside-{name}", records[~inside], rest)
    del records
    for piece in pieces:
        piece.path.unlink()
    names = (*spec.controls, *((POSITION,) if spec.position else ()))
    if not inside.any():
        none = np.zeros(len(names))
        return _Built(None, outside, none, none, 0.0, None, False)
    votes = replace(votes, weight=weight)
    kept = None if inside.all() else np.flatnonzero(inside)
    design = build_design(votes, spec, kept, main, scales=dict.fromkeys(names, 1.0))
    clusters = None if votes.voter is None else clusters_of(design, votes.voter)
    partition = Partition.store(design, whole.folder / f"design-{name}", votes.voter)
    return _Built(
        partition=partition,
        outside=outside,
        squares=np.array([column @ column for column in design.x]),
        reach=design.reach,
        weight=float(len(design) if design.weight is None else design.weight.sum()),
        clusters=None if clusters is None else clusters.totals,
        known=votes.voter is not None and bool((votes.voter[design.rows] >= 0).any()),
    )


def _records(pieces: Sequence[_Piece], kind: np.dtype[np.void]) -> npt.NDArray[np.void]:
    """All the records, with ids of all contestants."""
    records, end = np.empty(sum(piece.rows for piece in pieces), dtype=kind), 0
    for piece in pieces:
        part = records[end : end + piece.rows]
        with piece.path.open("rb") as file:
            file.readinto(part.view(np.uint8).data)
        for side in "ab":
            part[side] = piece.ids[part[side]]
        end += piece.rows
    return records


def _votes_of(records: npt.NDArray[np.void], contestants: tuple[str, ...]) -> Votes:
    """The votes of records whose ids are of all contestants; voters numbered within them."""
    names = records.dtype.names or ()
    # Numbering takes more memory than any column, so it comes before the others.
    voter = _numbered(records["voter"]) if "voter" in names else None
    column = {name: np.ascontiguousarray(records[name]) for name in names if name != "voter"}
    metrics = [name[:-2] for name in column if name.endswith("_a")]
    return Votes(
        contestants=contestants,
        a=column["a"],
        b=column["b"],
        outcome=column["outcome"],
        shown_first=column.get("shown_first"),
        voter=voter,
        features={name: (column[f"{name}_a"], column[f"{name}_b"]) for name in metrics},
        draw_probability=column.get("draw_probability"),
        time=column.get("time"),
    )


def _numbered(hashes: npt.NDArray[np.uint64]) -> IntArray:
    """Voters from 0 on, −1 where the hash is 0: unknown."""
    distinct, codes = np.unique(hashes, return_inverse=True)
    return (codes - 1 if distinct[0] == 0 else codes).astype(np.int32)


def _weights(votes: Votes, whole: _Whole) -> FloatArray | None:
    """Weights of a partition's votes before they are brought to mean 1; None: all alike."""
    spec, met = whole.spec, None
    if spec.weights is None and spec.half_life_days is None:
        return None
    if spec.weights == "inverse_pair":
        keys, counts = whole.met
        low, high = np.minimum(votes.a, votes.b), np.maximum(votes.a, votes.b)
        met = counts[np.searchsorted(keys, low.astype(np.intp) * len(whole.contestants) + high)]
    return unscaled_weights(votes, spec, slice(None), met, whole.newest)


def _scaled(selection: StoredVotes, built: Sequence[_Built], run: Run) -> StoredVotes:
    """The selection with its design, columns and weights scaled by what all partitions say."""
    spec, placement = selection.spec, selection.placement
    with_rows = [one for one in built if one.partition is not None]
    partitions = tuple(one.partition for one in built if one.partition is not None)
    rows = selection.counts.counted
    names = (*spec.controls, *((POSITION,) if spec.position else ()))
    measured = np.sqrt(sum(one.squares for one in with_rows) / rows)
    scales = tuple(
        1.0 if name == POSITION else scale_by(name, float(rms), spec.scale_of(name))
        for name, rms in zip(names, measured, strict=True)
    )
    mean = sum(one.weight for one in with_rows) / rows
    for _ in run(partial(Partition.divide, scales=scales, weight=mean), partitions):
        pass
    ids, m = np.cumsum(placement.main) - 1, int(placement.main.sum())
    first, second, votes = _pairs(placement.graph.within(placement.main), ids, m)
    likelihood, told = likelihood_by(placement, spec)
    reach = np.max([one.reach for one in with_rows], axis=0)
    design = PartitionedDesign(
        contestants=m,
        first=first,
        second=second,
        votes=votes,
        names=names,
        scales=scales,
        reach=reach / [scale or 1.0 for scale in scales] if scales else reach,
        group=np.zeros(m, dtype=np.intp),
        likelihood=likelihood,
        prior_strengths=spec.prior_strengths,
        prior_coefficients=spec.prior_coefficients,
        partitions=partitions,
        run=run,
    )
    clusters = [one.clusters for one in with_rows if one.clusters is not None]
    frozen = {name: scale for name, scale in zip(names, scales, strict=True) if name != POSITION}
    return replace(
        selection,
        spec=replace(spec, scales=frozen),
        warnings=told,
        design=design,
        outside=tuple(one.outside for one in built if one.outside is not None),
        mean_weight=mean,
        clusters=reduce(add, clusters) if any(one.known for one in with_rows) else None,
    )


def _usable(selection: StoredVotes) -> StoredVotes:
    """The same with the columns that can be fitted, and warnings about them."""
    assert selection.design is not None
    design, warnings = usable_columns(selection.design)
    return replace(selection, design=design, warnings=(*selection.warnings, *warnings))
