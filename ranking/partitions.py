"""Votes in partitions on disk: designs that are read, summed over and let go, one at a time.

A partition holds all the votes of its voters, so sums over voters are sums over partitions too.
Its columns are files that are mapped into memory while a pass reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import numpy as np

from ranking.arrays import AnyArray, FloatArray, IndexArray, IntArray
from ranking.design import Design, PairDesign, blocks_of
from ranking.likelihoods import Likelihood

_T = TypeVar("_T")
_Item = TypeVar("_Item")

_ALIGNED = 64
_COLUMNS = ("first", "second", "starts", "y", "x", "weight", "rows")


class Run(Protocol):
    """How work on several items is done: `map` in this process, or elsewhere, in their order."""

    def __call__(self, work: Callable[[_Item], _T], items: Iterable[_Item], /) -> Iterator[_T]: ...


class _Place(NamedTuple):
    """Where in a file a column lies."""

    kind: str
    shape: tuple[int, ...]
    offset: int

    def of(self, mapped: AnyArray) -> AnyArray:
        kind = np.dtype(self.kind)
        size = kind.itemsize * int(np.prod(self.shape))
        column: AnyArray = mapped[self.offset : self.offset + size].view(kind)
        return column.reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Partition:
    """Rows of a design in one file, column after column.

    layout: name -> type, shape and first byte of each. kept: which of the stored columns x are
    wanted, None: all. renumber: what the stored ids of contestants have become, None: the same.
    """

    path: Path
    layout: Mapping[str, _Place]
    kept: tuple[int, ...] | None = None
    renumber: IndexArray | None = None

    @classmethod
    def store(cls, design: PairDesign, path: Path, voters: IntArray | None = None) -> Partition:
        """Write a design's rows into a new file, with the voters of its votes. Raises OSError."""
        columns = {name: getattr(design, name) for name in _COLUMNS} | {"voters": voters}
        layout: dict[str, _Place] = {}
        with path.open("xb") as file:
            for name, column in columns.items():
                if column is not None:
                    file.write(bytes(-file.tell() % _ALIGNED))
                    layout[name] = _Place(column.dtype.str, column.shape, file.tell())
                    column.tofile(file)
        return cls(path, layout)

    @property
    def rows(self) -> int:
        return self.layout["y"].shape[0]

    @property
    def weighted(self) -> bool:
        return "weight" in self.layout

    def columns(self, mode: Literal["r", "r+"] = "r") -> dict[str, AnyArray]:
        """The stored columns, mapped into memory."""
        # As a plain array: every slice of a memmap costs some microseconds more.
        mapped = np.memmap(self.path, mode=mode).view(np.ndarray)
        return {name: place.of(mapped) for name, place in self.layout.items()}

    def voters(self) -> IntArray | None:
        """Voter of each vote, −1 unknown, in the order that PairDesign.rows counts in."""
        return self.columns().get("voters")  # type: ignore[return-value]

    def design(self, like: PartitionedDesign) -> PairDesign:
        """The rows as a part of `like`."""
        columns: dict[str, Any] = self.columns()
        ids = [np.array(columns[side]) for side in ("first", "second")]
        first, second = ids if self.renumber is None else (self.renumber[of] for of in ids)
        starts, x = np.array(columns["starts"]), columns["x"]
        return PairDesign(
            contestants=like.contestants,
            first=first,
            second=second,
            starts=starts,
            y=columns["y"],
            x=x if self.kept is None else x[list(self.kept)],
            names=like.names,
            scales=like.scales,
            weight=columns.get("weight"),
            rows=columns["rows"],
            blocks=blocks_of(starts),
            reach=like.reach,
            group=like.group,
            likelihood=like.likelihood,
            prior_strengths=like.prior_strengths,
            prior_coefficients=like.prior_coefficients,
        )

    def divide(self, scales: Sequence[float], weight: float) -> None:
        """Divide the columns by their scales and the weights by a number, in the file.

        Raises FileExistsError the second time, as when a cluster repeats what a lost worker did.
        """
        self.path.with_suffix(".divided").touch(exist_ok=False)
        columns: dict[str, Any] = self.columns("r+")
        for column, scale in zip(columns["x"], scales, strict=True):
            if scale not in (0.0, 1.0):
                column /= scale
        if self.weighted:
            columns["weight"] /= weight


@dataclass(frozen=True, slots=True)
class PartitionedDesign(Design):
    """A design whose parts are partitions; arrays as PairDesign has them.

    votes: (M,) rows of each contestant. run: how a pass goes over the partitions.
    """

    contestants: int
    first: IndexArray
    second: IndexArray
    votes: IndexArray
    names: tuple[str, ...]
    scales: tuple[float, ...]
    reach: FloatArray
    group: IndexArray
    likelihood: Likelihood
    prior_strengths: float
    prior_coefficients: float
    partitions: tuple[Partition, ...]
    run: Run

    def __len__(self) -> int:
        return sum(partition.rows for partition in self.partitions)

    @property
    def weighted(self) -> bool:
        return any(partition.weighted for partition in self.partitions)

    def votes_of(self) -> IndexArray:
        return self.votes

    def columns(self, keep: Sequence[int]) -> PartitionedDesign:
        return replace(
            self,
            names=tuple(self.names[k] for k in keep),
            scales=tuple(self.scales[k] for k in keep),
            reach=self.reach[list(keep)],
            partitions=tuple(_kept(partition, keep) for partition in self.partitions),
        )

    def each_part(self, work: Callable[[PairDesign], _T]) -> Iterator[_T]:
        return self.each_partition(partial(_on_design, work=work, like=self.alike()))

    def each_partition(self, work: Callable[[Partition], _T]) -> Iterator[_T]:
        """work(partition) of every partition, in order, in whatever process `run` chooses."""
        return self.run(work, self.partitions)

    def alike(self) -> PartitionedDesign:
        """What the parts have in common: small enough to be sent along with every task."""
        none = np.zeros(0, dtype=np.intp)
        return replace(self, first=none, second=none, votes=none, partitions=(), run=map)


def _kept(partition: Partition, keep: Sequence[int]) -> Partition:
    stored = keep if partition.kept is None else [partition.kept[k] for k in keep]
    return replace(partition, kept=tuple(stored))


def _on_design(
    partition: Partition, work: Callable[[PairDesign], _T], like: PartitionedDesign
) -> _T:
    return work(partition.design(like))
