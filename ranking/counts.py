"""Votes as counts per pair: how often each of two won, and how often neither did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranking.arrays import IndexArray
from ranking.batches import Mark, RawBatch, VoteBatch
from ranking.columns import normalise
from ranking.errors import VoteFileError
from ranking.records import COUNTS
from ranking.streams import Source
from ranking.votes import OUTCOMES

CountArray = npt.NDArray[np.int64]

_BATCH_ROWS = 1 << 18
_BYTES_PER_VOTE = 8
_WHOLE = r"^\d{1,15}$"
_LARGEST = 10**15 - 1


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of contestants and their counts.

    names: model_a and model_b, checked. counts: shape (pairs, 4), one column per outcome in the
    order of OUTCOMES. places: of each pair in its file. faults: place -> why it is left out.
    """

    names: pa.Table
    counts: CountArray
    places: IndexArray
    faults: Mapping[int, str]


class CountsReader:
    """Counts per pair, one vote after the other. A place is the pair's."""

    schema = "counts"
    share = 0.0

    def __init__(
        self,
        source: Source,
        pairs: Pairs,
        lines: Callable[[Iterable[int]], dict[int, int]] | None = None,
    ) -> None:
        """lines: turns places into lines; without it they are pairs, from 1."""
        self._pairs, self._lines = pairs, lines
        self._ends = np.cumsum(pairs.counts.ravel())
        # Summed as floats, because 64 bits do not hold whatever a file may say.
        total = float(pairs.counts.sum(dtype=np.float64))
        if total * _BYTES_PER_VOTE > source.max_bytes:
            raise VoteFileError(
                f"{source.path}: its counts are {total:,.0f} votes, more than fit "
                f"{source.max_bytes:,} bytes. If it is what you expect, allow more (max_bytes)."
            )

    def batches(self, after: Mark) -> Iterator[VoteBatch]:
        total = int(self._ends[-1]) if self._ends.size else 0
        start = after.rows
        faults = {} if start else self._pairs.faults
        while start < total or faults:
            stop = min(start + _BATCH_ROWS, total)
            self.share = stop / max(total, 1)
            yield self._batch(start, stop, faults)
            start, faults = stop, {}

    def lines(self, places: Iterable[int]) -> dict[int, int]:
        return self._lines(places) if self._lines else {place: place for place in places}

    def _batch(self, start: int, stop: int, faults: Mapping[int, str]) -> VoteBatch:
        cells = np.searchsorted(self._ends, np.arange(start, stop), side="right")
        pair, outcome = np.divmod(cells, len(OUTCOMES))
        winner = pa.DictionaryArray.from_arrays(pa.array(outcome, pa.int8()), pa.array(OUTCOMES))
        table = self._pairs.names.take(pair).append_column("winner", winner)
        rows = stop - start + len(faults)
        return VoteBatch(table, self._pairs.places[pair], faults, rows, Mark(stop))


def pairs_of_table(batches: Iterable[RawBatch]) -> Pairs:
    """Pairs in columns: model_a, model_b, wins (of model_a), losses, ties, and maybe both_bad."""
    return _joined([_table_pairs(raw) for raw in batches])


def _table_pairs(raw: RawBatch) -> Pairs:
    faults, columns = dict(raw.faults), []
    for name in COUNTS:
        if name in raw.table.column_names:
            columns.append(_whole(name, raw.table[name], faults))
        else:
            columns.append(np.zeros(raw.table.num_rows, dtype=np.int64))
    names = raw.table.select(["model_a", "model_b"])
    return _pairs(names, np.column_stack(columns), raw.places, faults, raw.lost)


def _whole(name: str, column: pa.ChunkedArray, faults: dict[int, str]) -> CountArray:
    text = pc.utf8_trim_whitespace(column.cast(pa.string())).fill_null("")
    fits = pc.match_substring_regex(text, _WHOLE)
    for row in np.flatnonzero(~fits.to_numpy()).tolist():
        faults.setdefault(row, f"{name} is not a whole number: {text[row].as_py()[:60]!r}")
    counts: CountArray = pc.if_else(fits, text, "0").cast(pa.int64()).to_numpy()
    return counts


def pairs_of_json(path: Path, counts: Mapping[str, Any]) -> Pairs:
    """Pairs as `models` (names), `X` (two indices each) and `Y` (wins, losses, ties, both bad).

    A pair is named in faults by its number, from 1.
    """
    models, pairs, cells = (counts[name] for name in ("models", "X", "Y"))
    for name, value in counts.items():
        if not isinstance(value, list):
            raise VoteFileError(f"{path}: {name!r} is no list. {_SHAPE}")
    if not all(map(_is_text, models)):
        raise VoteFileError(f"{path}: 'models' holds something that is no text. {_SHAPE}")
    if len(pairs) != len(cells):
        raise VoteFileError(f"{path}: 'X' has {len(pairs):,} pairs and 'Y' {len(cells):,}.")
    faults: dict[int, str] = {}
    names, rows = [], []
    for index, (pair, row) in enumerate(zip(pairs, cells, strict=True)):
        good = _is_wholes(pair, (2,), len(models) - 1) and _is_wholes(row, (3, 4), _LARGEST)
        if not good:
            faults[index] = (
                f"is no pair of models with three or four counts: {pair!s:.30} {row!s:.60}"
            )
        names.append([models[i] for i in pair] if good else ["", ""])
        rows.append([*row, 0][:4] if good else [0] * 4)
    a, b = zip(*names, strict=True) if names else ((), ())
    table = pa.table({"model_a": pa.array(a, pa.string()), "model_b": pa.array(b, pa.string())})
    places = np.arange(1, len(names) + 1)
    return _pairs(table, np.array(rows, np.int64).reshape(-1, 4), places, faults, {})


_SHAPE = "Give models: [names], X: [[index, index], …], Y: [[wins, losses, ties, both bad], …]."


def _is_text(name: Any) -> bool:
    """JSON can spell half a surrogate pair, which is no text."""
    return isinstance(name, str) and not any("\ud800" <= sign <= "\udfff" for sign in name)


def _is_wholes(values: Any, lengths: tuple[int, ...], largest: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) in lengths
        and all(type(value) is int and 0 <= value <= largest for value in values)
    )


def _pairs(
    names: pa.Table,
    counts: CountArray,
    places: IndexArray,
    faults: Mapping[int, str],
    lost: Mapping[int, str],
) -> Pairs:
    """The sane ones: their names are checked as those of any vote are."""
    outcome = pa.array(["tie"] * len(counts), pa.string())
    normal = normalise(names.append_column("winner", outcome), known=faults)
    kept = np.ones(len(counts), dtype=bool)
    kept[list(normal.faults)] = False
    reasons = {int(places[row]): reason for row, reason in normal.faults.items()}
    names = normal.table.select(["model_a", "model_b"])
    return Pairs(names, counts[kept], places[kept], {**reasons, **lost})


def _joined(parts: list[Pairs]) -> Pairs:
    faults: dict[int, str] = {}
    for part in parts:
        faults |= part.faults
    return Pairs(
        pa.concat_tables([part.names for part in parts]).unify_dictionaries(),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.places for part in parts]),
        faults,
    )
