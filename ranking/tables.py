"""The vote table: votes at rest as an Arrow table in the field's column names plus ours.

`COLUMNS` says what it holds; `votes_from_table` turns one into Votes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranking.arrays import BoolArray, FloatArray, IntArray, SmallIntArray
from ranking.covariates import METRICS, TIMINGS
from ranking.errors import VotesError
from ranking.votes import OUTCOMES, SIDES, Votes

CATEGORY = "category_tag."

_NAMES = pa.dictionary(pa.int32(), pa.string())
_CHOICE = pa.dictionary(pa.int8(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")

FEATURES = tuple(f"{metric}_{side}" for metric in (*METRICS, *TIMINGS) for side in "ab")

COLUMNS: dict[str, pa.DataType] = {
    "id": pa.string(),
    "model_a": _NAMES,
    "model_b": _NAMES,
    "winner": _CHOICE,
    "voter": pa.string(),
    "shown_first": _CHOICE,
    **dict.fromkeys(FEATURES, pa.float64()),
    "draw_probability": pa.float64(),
    "pacing": pa.string(),
    "timestamp": _TIME,
    "evaluation_session_id": pa.string(),
    "evaluation_order": pa.int64(),
    "prompt_id": pa.string(),
    "language": pa.string(),
    "is_code": pa.bool_(),
    "revision_a": pa.string(),
    "revision_b": pa.string(),
    "answer_sha256_a": pa.string(),
    "answer_sha256_b": pa.string(),
    "flags": pa.string(),
    "excluded": pa.string(),
}
"""Every column of a vote table and its type, in order; all but the first model_a, model_b and
winner may be absent, and booleans, numbers or text under `category_tag.` may follow.

prompt_id: names what was asked, where that is one of a known set; null where a person wrote it.
revision_a, revision_b: digests of what answered. answer_sha256_a, answer_sha256_b: SHA-256 of a
salt and the answer's UTF-8 text. flags: words separated by blanks."""


def votes_from_table(table: pa.Table) -> Votes:
    """Votes of a vote table; see Votes.from_arrow."""
    for name in ("model_a", "model_b", "winner"):
        if name not in table.column_names:
            remedy = "A vote table has model_a, model_b and winner."
            raise VotesError("is absent", column=name, remedy=remedy)
    labels, a, b = _contestants(table)
    rules, excluded = _optional_labels(table, "excluded")
    return Votes(
        contestants=labels,
        a=a,
        b=b,
        outcome=_choice(table, "winner", OUTCOMES),
        shown_first=_shown_first(table),
        voter=_optional_labels(table, "voter")[1],
        features=dict(_features(table)),
        excluded=excluded,
        rules=rules,
        draw_probability=_optional_floats(table, "draw_probability"),
        time=_times(table),
    )


def _optional_labels(table: pa.Table, name: str) -> tuple[tuple[str, ...], IntArray | None]:
    return labels_of(table, name) if name in table.column_names else ((), None)


def labels_of(table: pa.Table, name: str) -> tuple[tuple[str, ...], IntArray]:
    """Distinct labels that occur, sorted, and each row's index among them (−1 for null)."""
    column = table.column(name)
    if column.type not in (_NAMES, _CHOICE):
        column = pc.dictionary_encode(_cast(name, column, pa.string()))
    if not len(column):
        return (), np.zeros(0, dtype=np.int32)
    encoded = column.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    codes = encoded.indices.cast(pa.int32()).fill_null(-1).to_numpy()
    occurs = np.bincount(codes + 1, minlength=len(encoded.dictionary) + 1)[1:] > 0
    values = encoded.dictionary.to_pylist()
    labels = sorted({v for v, used in zip(values, occurs, strict=True) if used})
    index = {label: code for code, label in enumerate(labels)}
    recode = np.array([*(index.get(value, -1) for value in values), -1], dtype=np.int32)
    return tuple(labels), recode[codes]


def _contestants(table: pa.Table) -> tuple[tuple[str, ...], IntArray, IntArray]:
    labels_a, a = labels_of(table, "model_a")
    labels_b, b = labels_of(table, "model_b")
    for name, codes in (("model_a", a), ("model_b", b)):
        if codes.size and codes.min() < 0:
            row = int(codes.argmin())
            raise VotesError("is null", column=name, row=row, remedy="Every vote names two.")
    labels = tuple(sorted({*labels_a, *labels_b}))
    index = {label: code for code, label in enumerate(labels)}
    recode_a = np.array([index[label] for label in labels_a], dtype=np.int32)
    recode_b = np.array([index[label] for label in labels_b], dtype=np.int32)
    return labels, recode_a[a], recode_b[b]


def _choice(table: pa.Table, name: str, choices: tuple[str, ...]) -> SmallIntArray:
    labels, codes = labels_of(table, name)
    position = np.array([choices.index(x) if x in choices else -2 for x in labels] + [-1])
    chosen = position[codes]
    unknown: BoolArray = chosen < (0 if name == "winner" else -1)
    if unknown.any():
        row = int(unknown.argmax())
        value = None if codes[row] < 0 else labels[codes[row]]
        remedy = f"Use one of {', '.join(choices)}."
        raise VotesError(f"unknown value {value!r}", column=name, row=row, remedy=remedy)
    return chosen.astype(np.int8)


def _shown_first(table: pa.Table) -> SmallIntArray | None:
    if "shown_first" not in table.column_names:
        return None
    side = _choice(table, "shown_first", SIDES)
    return np.where(side == 1, -1, 1).astype(np.int8)


def _features(table: pa.Table) -> Iterator[tuple[str, tuple[FloatArray, FloatArray]]]:
    """Metric columns that the table has; of a pair that is half there the rest is missing."""
    for metric in (*METRICS, *TIMINGS):
        names = (f"{metric}_a", f"{metric}_b")
        if any(name in table.column_names for name in names):
            a, b = (_floats(table, name) for name in names)
            if metric in TIMINGS and "pacing" in table.column_names:
                pacing = _cast("pacing", table.column("pacing"), pa.string())
                alike = pc.equal(pacing, "equal").fill_null(False).combine_chunks()
                alike = alike.to_numpy(zero_copy_only=False)
                a, b = np.where(alike, 0.0, a), np.where(alike, 0.0, b)
            yield metric, (a, b)


def _optional_floats(table: pa.Table, name: str) -> FloatArray | None:
    return _floats(table, name) if name in table.column_names else None


def _times(table: pa.Table) -> FloatArray | None:
    """Seconds since 1970, NaN where null."""
    if "timestamp" not in table.column_names:
        return None
    ticks = _cast("timestamp", table.column("timestamp"), _TIME).cast(pa.int64())
    # Far from today a double is no microsecond fine.
    seconds: FloatArray = pc.divide(ticks.cast(pa.float64(), safe=False), 1e6).to_numpy()
    return seconds


def _floats(table: pa.Table, name: str) -> FloatArray:
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    floats: FloatArray = _cast(name, table.column(name), pa.float64()).to_numpy()
    return floats


def _cast(name: str, column: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    try:
        return column.cast(kind)
    except pa.ArrowException as error:
        message = f"is {column.type!s:.80}, not {kind}"
        remedy = "Convert it to the vote table's type."
        raise VotesError(message, column=name, remedy=remedy) from error
