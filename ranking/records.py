"""Votes as nested records (JSON, nested Parquet): flattened into columns of a vote table.

Conversations are looked at only to count the style of answers and are then dropped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from ranking.covariates import METRICS, StyleMetrics, count_emoji, split_code, style_metrics
from ranking.tables import CATEGORY, COLUMNS

Record = Mapping[str, Any]

ALIASES = {
    "left": "model_a",
    "right": "model_b",
    "question_id": "id",
    "judge": "voter",
    "judge_hash": "voter",
    "worker": "voter",
    "tstamp": "timestamp",
}
"""Column names of older schemas and the vote table's names for them."""

ONE_HOT = {"winner_model_a": "model_a", "winner_model_b": "model_b", "winner_tie": "tie"}
COUNTS = {"wins": "model_a", "losses": "model_b", "ties": "tie", "both_bad": "both_bad"}
"""Columns of counts per pair, and the outcome of model_a against model_b that each counts."""

TEXTS = ("conversation_a", "conversation_b", "response_a", "response_b")
NESTED = ("conv_metadata", "category_tag", *TEXTS)

_EXPECTED = {
    name: kind if pa.types.is_boolean(kind) else pa.float64()
    for name, kind in COLUMNS.items()
    if pa.types.is_boolean(kind) or pa.types.is_floating(kind) or pa.types.is_integer(kind)
}
_NOTHING = StyleMetrics(0, 0, 0, 0, 0, 0)


class Columns:
    """Collects flat records into one Arrow table; a value of the wrong kind is a fault."""

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = {}
        self._rows = 0

    def append(self, record: Record) -> None:
        """Add a flat record; names not seen before are null in the rows above."""
        for name, value in record.items():
            column = self._values.get(name)
            if column is None:
                column = self._values[name] = [None] * self._rows
            column.append(value)
        self._rows += 1
        for column in self._values.values():
            if len(column) < self._rows:
                column.append(None)

    def table(self) -> tuple[pa.Table, dict[int, str]]:
        """The table, and row -> reason where a value was not of its column's kind."""
        faults: dict[int, str] = {}
        arrays = {
            # JSON can spell half a surrogate pair, which no column can be named by.
            name.encode(errors="replace").decode(): _array(name, values, faults)
            for name, values in self._values.items()
        }
        return pa.table(arrays), faults


def _array(name: str, values: list[Any], faults: dict[int, str]) -> pa.Array:
    kind = _kind(name, values)
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        fit = _fits(kind)
        for row, value in enumerate(values):
            if not fit(value):
                faults.setdefault(row, f"{name} is not {_called(kind)}: {value!r:.60}")
                values[row] = None
        return pa.array(values, kind)


def _kind(name: str, values: list[Any]) -> pa.DataType:
    if name.startswith(CATEGORY):
        return _category_kind(values)
    if name == "timestamp":
        return _time_kind(values)
    return _EXPECTED.get(name, pa.string())


def _time_kind(values: list[Any]) -> pa.DataType:
    """Seconds, or text; of a column that holds both, seconds are written out."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {int, float}:
        return pa.float64()
    if kinds & {int, float}:
        values[:] = [repr(v) if type(v) in (int, float) else v for v in values]
    return pa.string()


def _category_kind(values: list[Any]) -> pa.DataType:
    """Tags are booleans, scores numbers, and what holds several kinds is text."""
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pa.null()
    if kinds == {bool}:
        return pa.bool_()
    if kinds <= {int, float}:
        return pa.float64()
    values[:] = [None if value is None else _spelled(value) for value in values]
    return pa.string()


def _spelled(value: Any) -> str:
    """As Arrow writes it, so that it does not matter where a file's batches end."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _fits(kind: pa.DataType) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        try:
            pa.array([value], kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
            return False
        return True

    return fits


def _called(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "true or false"
    return "a number" if pa.types.is_floating(kind) else "text"


def flatten(record: Record) -> dict[str, Any]:
    """Columns of one record of any schema, under the vote table's names."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        target = ALIASES.get(name, name)
        if target in COLUMNS or name in ONE_HOT or name == "anony" or name.startswith(CATEGORY):
            if flat.get(target) is None:
                flat[target] = _scalar(target, value)
        elif name == "category_tag":
            flat.update(_tags(value))
    flat.update(_style(record))
    return flat


def _scalar(name: str, value: Any) -> Any:
    """Where a file may hold either, numbers and booleans as text; kinds are checked later."""
    if isinstance(value, bool):
        return str(value).lower() if name in (*ONE_HOT, "anony") else value
    if isinstance(value, int) and name in ("id", "voter", "anony", *ONE_HOT):
        return str(value)
    return value


def _tags(value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        return
    for group, tags in value.items():
        for tag, flag in tags.items() if isinstance(tags, Mapping) else ():
            if flag is None or isinstance(flag, (bool, int, float, str)):
                yield f"{CATEGORY}{group}.{tag}", flag


def _style(record: Record) -> dict[str, Any]:
    """Metrics of both answers: the counts a record gives, the rest counted in its text."""
    found: dict[str, Any] = {}
    metadata = record.get("conv_metadata")
    for side in "ab":
        given = _given(metadata, side) if isinstance(metadata, Mapping) else {}
        texts = answers(record.get(f"conversation_{side}", record.get(f"response_{side}")))
        counted = _counted(texts, given) if texts is not None else {}
        for metric in METRICS:
            name = f"{metric}_{side}"
            value = given.get(metric, counted.get(metric))
            if value is not None and record.get(name) is None:
                found[name] = value
    return found


def _given(metadata: Mapping[str, Any], side: str) -> dict[str, Any]:
    counts = {
        "tokens": metadata.get(f"sum_assistant_{side}_tokens"),
        "headers": _total(metadata.get(f"header_count_{side}")),
        "lists": _total(metadata.get(f"list_count_{side}")),
        "bold": _total(metadata.get(f"bold_count_{side}")),
    }
    return {metric: value for metric, value in counts.items() if value is not None}


def _total(counts: Any) -> float | None:
    if not isinstance(counts, Mapping):
        return None
    numbers = [value for value in counts.values() if isinstance(value, (int, float))]
    return math.fsum(numbers) if numbers else None


def _counted(texts: list[str], given: Mapping[str, Any]) -> Mapping[str, int]:
    """Style counted in an answer's messages, the costly tokens only where they are not given."""
    if len(given) < len(METRICS) - 2:
        counts = sum(map(style_metrics, texts), _NOTHING)
        return {metric: getattr(counts, metric) for metric in METRICS}
    code = emoji = 0
    for text in texts:
        prose, blocks = split_code(text)
        code, emoji = code + blocks, emoji + count_emoji(prose)
    return {"code": code, "emoji": emoji}


def answers(conversation: Any) -> list[str] | None:
    """Texts of the assistant's messages; None where there is no conversation.

    Reads lists of messages whose content is text or a list of parts, lists of answers, and
    either of them written as JSON text.
    """
    if isinstance(conversation, str):
        try:
            conversation = json.loads(conversation)
        except (ValueError, RecursionError):
            return [conversation]
    if not isinstance(conversation, list):
        return None
    return list(_messages(conversation))


def _messages(conversation: Iterable[Any]) -> Iterator[str]:
    for message in conversation:
        if isinstance(message, str):
            yield message
        elif isinstance(message, Mapping) and message.get("role") == "assistant":
            yield _content(message.get("content"))


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, Mapping))
    return "".join(text for text in texts if isinstance(text, str))
