"""Fits to more votes than fit into memory, from files, in this process or on a Dask cluster.

One pass reads the files and spreads their votes over partitions by voter (ranking.spill); each
partition is made into a design on disk once; and every sum that a fit consists of is then a sum
over partitions (ranking.partitions). The Leaderboard is the one that `fit` gives.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from ranking.arrays import FloatArray
from ranking.channels import outer
from ranking.design import PairDesign
from ranking.errors import ResourceError, SpecError, VoteFileError
from ranking.fitting import Fitted, board, empty_board, solved, usable_clusters
from ranking.inference import bread, cluster_sum, clusters_of, small_sample, vote_meat
from ranking.movement import movement_between, raw_design, raw_of
from ranking.newton import Solution, residuals
from ranking.partitions import Partition, PartitionedDesign, Run
from ranking.result import Leaderboard, StyleMovement
from ranking.selection import likelihood_by
from ranking.spec import RankingSpec
from ranking.spill import FileRead, Spilled, record_kind, spill
from ranking.stored import StoredVotes, Tell, counted, rows_of, select_stored

if TYPE_CHECKING:
    from distributed import Client

MEMORY = 2 << 30
_MB = 1 << 20

# The interpreter with its libraries, and one batch of votes while it is read and checked.
_BASE = 384 * _MB
_LEAST_FOR_VOTES = 64 * _MB
# What a vote costs while its partition is sorted, beside its record, features and columns.
_PER_VOTE = 100
# Partitions are made three times smaller than they could be: a voter's votes stay together, and a
# few voters cast far more than the others.
_SLACK = 3.0
# Matrices of parameters that are held at once: Hessian, its factor, meats, their products.
_MATRICES = 10
# A vote takes at least so many bytes of a file that does not say how many it has.
_LEAST_PER_VOTE = 16


@dataclass(frozen=True, slots=True)
class FilesFit:
    """A board fitted to files; movement: from the raw board, where asked for."""

    board: Leaderboard
    movement: StyleMovement | None
    files: tuple[FileRead, ...]


def fit_files(
    paths: Sequence[str | Path],
    spec: RankingSpec | None = None,
    *,
    memory: int = MEMORY,
    client: Client | None = None,
    folder: str | Path | None = None,
    partitions: int | None = None,
    movement: bool = False,
    skip_bad: bool = False,
    progress: Callable[[str], None] | None = None,
) -> FilesFit:
    """Fit a ranking to files of votes without holding the votes in memory.

    paths: files in any format that read_votes takes, or folders, of which every Parquet file
    below is taken. memory: bytes that this process, or each worker of a Dask cluster, may hold.
    client: of the cluster to compute on; its workers must see `paths` and `folder` under the
    same names. folder: where temporary files go (None: the system's place for them), some 200
    bytes per vote, which are gone when the function ends. partitions: in how many the votes are
    spread (None: as `memory` demands). movement: whether to fit the raw board as well, as
    style_movement does. skip_bad: as in read_votes. progress is told what is being done.

    The board is the one that `fit` gives for all the votes together, to rounding. Raises what
    `fit` raises, VoteFileError as read_votes does, and ResourceError where memory, disk or cluster
    do not suffice.
    """
    spec = spec or RankingSpec()
    if movement and not spec.controls:
        raise SpecError("a movement needs at least one control, such as length.")
    files, tell = files_of(paths), progress or (lambda doing: None)
    run, workers, threads = _where(client)
    budget = _Budget(spec, memory // threads)
    stated, most = _votes_in(files)
    number = partitions or max(budget.partitions(most), workers)
    with _temporary(folder, budget.disk(stated)) as place:
        spilled = _spilled(files, place, spec, number, skip_bad, run, tell)
        budget.check(spilled)
        selection = select_stored(spilled, place, spec, run, tell)
        return FilesFit(*_boards(selection, movement, tell), tuple(one.file for one in spilled))


def files_of(paths: Sequence[str | Path]) -> list[Path]:
    """The files at these paths; of a folder the Parquet files below it, in order of name.

    Raises VoteFileError for a folder without any, and for a file that is named twice.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
        if not inside:
            raise VoteFileError(f"{path}: is a folder without a Parquet file.")
        found += inside
    for path, times in Counter(path.resolve() for path in found).items():
        if times > 1:
            raise VoteFileError(f"{path}: is given twice, and its votes would count twice.")
    if not found:
        raise VoteFileError("no file of votes is given.")
    return found


def _where(client: Client | None) -> tuple[Run, int, int]:
    """How passes run, on how many workers, and the most threads that share a worker's memory."""
    if client is None:
        return map, 1, 1
    from ranking.distributed import on_workers, threads_of

    threads = threads_of(client)
    return on_workers(client), len(threads), max(threads)


def _votes_in(files: Sequence[Path]) -> tuple[int, int]:
    """How many votes Parquet files say they hold, and how many all files hold at most."""
    stated = bounded = 0
    for path in files:
        try:
            stated += pq.ParquetFile(path).metadata.num_rows
        except (OSError, pa.ArrowException):
            # What it is, and whether it can be read at all, is the reader's to say.
            size = path.stat().st_size if path.is_file() else 0
            bounded += size // _LEAST_PER_VOTE
    return stated, stated + bounded


@dataclass(frozen=True, slots=True)
class _Budget:
    """What fits into so many bytes of memory, for a fit by this spec."""

    spec: RankingSpec
    memory: int

    @property
    def per_vote(self) -> int:
        """Memory per vote of a partition while it is made into a design, which takes the most."""
        controls = len(self.spec.controls)
        return _PER_VOTE + self._record + 16 * controls + 8 * (controls + self.spec.position)

    @property
    def _record(self) -> int:
        return record_kind(self.spec).itemsize

    def partitions(self, votes: int) -> int:
        """How many partitions keep each within the memory. Raises ResourceError for too little."""
        least = _BASE + _LEAST_FOR_VOTES
        if self.memory < least:
            raise ResourceError(
                f"{_megabytes(self.memory)} of memory are too few: the interpreter, its libraries "
                f"and a batch of votes take {_megabytes(least)}. Give at least that (--memory)."
            )
        return math.ceil(_SLACK * votes * self.per_vote / (self.memory - _BASE)) or 1

    def disk(self, votes: int) -> int:
        """Bytes of temporary files."""
        columns = 8 * (len(self.spec.controls) + self.spec.position)
        return votes * (self._record + columns + 24)

    def check(self, spilled: Sequence[Spilled]) -> None:
        """Raise ResourceError where the contestants, or one partition's votes, are too many."""
        contestants = len({name for one in spilled for name in one.contestants})
        matrices = _MATRICES * 8 * contestants**2 + 24 * contestants * self.spec.draws
        if _BASE + matrices > self.memory:
            raise ResourceError(
                f"{contestants:,} contestants need matrices of {_megabytes(matrices)}. Give at "
                f"least {_megabytes(_BASE + matrices)} of memory (--memory)."
            )
        largest = int(rows_of(spilled).max()) * self.per_vote
        if _BASE + largest > self.memory:
            raise ResourceError(
                "the votes of one partition do not fit into memory, because a few voters cast so "
                f"many. Give at least {_megabytes(_BASE + largest)} (--memory), or treat votes as "
                "independent (cluster=False, --no-cluster)."
            )


def _megabytes(size: int) -> str:
    return f"{math.ceil(size / _MB):,} MB"


@contextmanager
def _temporary(folder: str | Path | None, needed: int) -> Iterator[Path]:
    """A folder for temporary files that is gone afterwards, whatever happens."""
    parent = Path(folder or tempfile.gettempdir())
    remedy = "Free some, or name another folder (folder, TMPDIR)."
    try:
        free = shutil.disk_usage(parent).free
        if free < needed:
            raise ResourceError(
                f"{parent}: temporary files need about {_megabytes(needed)} and "
                f"{_megabytes(free)} are free. {remedy}"
            )
        with tempfile.TemporaryDirectory(prefix="ranking-", dir=parent) as name:
            yield Path(name)
    except OSError as error:
        raise ResourceError(
            f"{parent}: temporary files cannot be kept there ({error.strerror or error}); they "
            f"need about {_megabytes(needed)}. {remedy}"
        ) from error


def _spilled(
    files: Sequence[Path],
    folder: Path,
    spec: RankingSpec,
    partitions: int,
    skip_bad: bool,
    run: Run,
    tell: Tell,
) -> list[Spilled]:
    work = partial(spill, spec=spec, partitions=partitions, skip_bad=skip_bad)
    sources = [(path, folder / f"file-{k}") for k, path in enumerate(files)]
    return counted(run(work, sources), len(files), "reading files", tell)


def _boards(
    selection: StoredVotes, movement: bool, tell: Tell
) -> tuple[Leaderboard, StyleMovement | None]:
    """The board; with `movement` also the raw one, and how far it is from there."""
    raw = replace(selection, spec=raw_of(selection.spec))
    if selection.design is None:
        empty = empty_board(selection)
        return empty, StyleMovement(empty_board(raw), empty, ()) if movement else None
    tell("fitting")
    controlled = _fitted(selection, selection.design)
    if not movement:
        tell("measuring how sure the board is")
        return board(controlled), None
    tell("fitting the raw board")
    design, warnings = raw_design(selection.design)
    _, told = likelihood_by(selection.placement, selection.spec)
    raw = replace(raw, spec=replace(raw.spec, scales={}), warnings=(*told, *warnings))
    uncontrolled = _fitted(raw, design)
    tell("measuring how sure the movement is")
    moved = movement_between(uncontrolled, controlled, _cross(uncontrolled, controlled))
    return moved.controlled, moved


def _fitted(selection: StoredVotes, design: PartitionedDesign) -> _StoredFit:
    """The fit and its sums, in passes over the partitions."""
    solution = solved(selection, design)
    clusters = usable_clusters(selection.spec, selection.clusters)
    work = partial(_meats, like=design.alike(), solution=solution, clustered=clusters is not None)
    each, clustered = reduce(_both, design.each_partition(work))
    return _StoredFit(
        prepared=selection,
        design=design,
        solution=solution,
        bread=bread(design, solution),
        vote_meat=each,
        meat=each if clusters is None else small_sample(clustered, clusters),
        clusters=clusters,
        known_voters=selection.clusters is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredFit(Fitted):
    design: PartitionedDesign


_Meats = tuple[FloatArray, FloatArray]


def _meats(
    partition: Partition, like: PartitionedDesign, solution: Solution, clustered: bool
) -> _Meats:
    """Σ s sᵀ over a partition's votes, and over its voters (where asked for, else again votes)."""
    design = partition.design(like)
    residual = residuals(design, solution.theta, solution.gamma)
    each = vote_meat(design, residual)
    return each, _cluster_sum(partition, design, residual, residual) if clustered else each


def _both(one: _Meats, other: _Meats) -> _Meats:
    return one[0] + other[0], one[1] + other[1]


def _cross(raw: _StoredFit, controlled: _StoredFit) -> FloatArray:
    """Σ s^controlled (s^raw)ᵀ over voters, with their factor, or over votes."""
    clusters = controlled.clusters
    work = partial(
        _cross_sum,
        likes=(controlled.design.alike(), raw.design.alike()),
        solutions=(controlled.solution, raw.solution),
        clustered=clusters is not None,
    )
    partitions = zip(controlled.design.partitions, raw.design.partitions, strict=True)
    total = reduce(add, controlled.design.run(work, partitions))
    return total if clusters is None else small_sample(total, clusters)


def _cross_sum(
    partitions: tuple[Partition, Partition],
    likes: tuple[PartitionedDesign, PartitionedDesign],
    solutions: tuple[Solution, Solution],
    clustered: bool,
) -> FloatArray:
    designs = [partition.design(like) for partition, like in zip(partitions, likes, strict=True)]
    left, right = (
        residuals(design, solution.theta, solution.gamma)
        for design, solution in zip(designs, solutions, strict=True)
    )
    if not clustered:
        return outer(designs[0], left, right)
    return _cluster_sum(partitions[0], designs[0], left, right)


def _cluster_sum(
    partition: Partition, design: PairDesign, left: FloatArray, right: FloatArray
) -> FloatArray:
    voters = partition.voters()
    assert voters is not None
    return cluster_sum(design, clusters_of(design, voters), left, right)
