"""The field's schemas of vote files: which one a file has, and its columns under our names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranking.errors import VoteFileError
from ranking.records import ALIASES, COUNTS, NESTED, ONE_HOT
from ranking.tables import CATEGORY, COLUMNS

SCHEMAS = {
    "tiltyard": "model_a, model_b, winner and any other column of Tiltyard's vote table",
    "140k": "model_a, model_b, winner, conv_metadata, … (Parquet, JSON, JSON Lines)",
    "100k": "model_a, model_b, winner, question_id, judge or judge_hash, tstamp",
    "55k": "model_a, model_b, winner_model_a, winner_model_b, winner_tie",
    "plain": "model_a, model_b, winner[, voter]",
    "left_right": "left, right, winner[, voter or worker or judge]",
    "counts": "model_a, model_b, wins, losses, ties[, both_bad]; or JSON of models, X, Y",
}

_OURS = {
    *("voter", "shown_first", "draw_probability", "pacing", "excluded", "tokens_a"),
    *("revision_a", "revision_b", "answer_sha256_a", "answer_sha256_b", "flags"),
}
_OF_100K = {"question_id", "judge", "judge_hash", "anony", "tstamp"}
_OF_140K = {"conv_metadata", "evaluation_session_id", "conversation_a", "category_tag"}


def schema_of(path: Path, columns: Iterable[str]) -> str:
    """Which schema has these columns.

    Raises VoteFileError listing the accepted ones, or naming a column that occurs twice or
    differs from a known one in case or surrounding blanks only.
    """
    _check_spelling(path, columns := list(columns))
    have = set(columns)
    if {"model_a", "model_b", *ONE_HOT} <= have:
        return "55k"
    if {"left", "right", "winner"} <= have:
        return "left_right"
    if {"model_a", "model_b", "winner"} <= have:
        return _of_pairs(have)
    if {"model_a", "model_b", "wins", "losses", "ties"} <= have or have == {"models", "X", "Y"}:
        return "counts"
    accepted = "\n".join(f"  {name}: {about}" for name, about in SCHEMAS.items())
    found = ", ".join(f"{name:.60}" for name in sorted(have)[:12]) or "no columns"
    raise VoteFileError(f"{path}: no accepted schema has its columns ({found}).\n{accepted}")


def _check_spelling(path: Path, columns: list[str]) -> None:
    """A misspelt column would be left out unnoticed, and a voter's with it."""
    for name, times in Counter(columns).items():
        meant = name.strip().lower()
        if times > 1 and _is_known(name):
            raise VoteFileError(f"{path}: has two columns named {name!r}. Keep one.")
        if not _is_known(name) and _is_known(meant) and meant not in columns:
            remedy = "Name it exactly so, or leave it out."
            raise VoteFileError(f"{path}: column {name!r} reads almost like {meant!r}. {remedy}")


def _is_known(name: str) -> bool:
    known = name in COLUMNS or name in ALIASES or name in (*NESTED, *ONE_HOT, "anony")
    return known or name.startswith(CATEGORY)


def _of_pairs(have: set[str]) -> str:
    if have & _OF_140K and not have & {"tstamp", "judge_hash"}:
        return "140k"
    if any(name.startswith(CATEGORY) for name in have) and not have & _OURS:
        return "140k"
    if have & {"question_id", "judge_hash", "anony", "tstamp"}:
        return "100k"
    return "tiltyard" if have & _OURS - {"voter"} else "plain"


def wanted_columns(schema: str, columns: Iterable[str]) -> list[str]:
    """Columns of a file that carry something, in its order."""
    if schema == "counts":
        return [name for name in columns if name in ("model_a", "model_b", *COUNTS)]
    return [name for name in columns if _is_known(name)]


def renamed(schema: str, table: pa.Table) -> pa.Table:
    """The table under the vote table's names, with the winner and exclusions made from theirs."""
    columns: dict[str, pa.ChunkedArray] = {}
    for name in table.column_names:
        columns.setdefault(ALIASES.get(name, name), table.column(name))
    if schema == "55k":
        columns["winner"] = _one_hot_winner(columns)
    if schema == "left_right":
        # In these files `id` names the prompt, not the vote.
        columns.pop("id", None)
    if "anony" in columns and "excluded" not in columns:
        columns["excluded"] = _named(columns["anony"])
    kept = {n: c for n, c in columns.items() if n in COLUMNS or n.startswith(CATEGORY)}
    return pa.table(kept)


def _one_hot_winner(columns: dict[str, pa.ChunkedArray]) -> pa.Array:
    """Outcome words from three 0/1 columns; a row without exactly one 1 says what it has."""
    marks = [_words(columns[name]) for name in ONE_HOT]
    ones = [np.isin(mark, ["1", "1.0", "true", "True"]) for mark in marks]
    choice = np.select(ones, list(ONE_HOT.values()), default="")
    single = np.sum(ones, axis=0) == 1
    zeros = np.sum([np.isin(mark, ["0", "0.0", "false", "False"]) for mark in marks], axis=0)
    clear = single & (zeros == len(marks) - 1)
    stated = np.array(["/".join(row) for row in zip(*marks, strict=True)], dtype=object)
    return pa.array(np.where(clear, choice.astype(object), stated), pa.string())


def _words(column: pa.ChunkedArray) -> Any:
    return pc.cast(column, pa.string()).fill_null("").to_numpy().astype(str)


def _named(anonymous: pa.ChunkedArray) -> pa.ChunkedArray:
    words = pc.utf8_lower(pc.cast(anonymous, pa.string()))
    named = pc.is_in(words, value_set=pa.array(["false", "0"]))
    return pc.if_else(named, pa.scalar("named"), pa.scalar(None, pa.string()))
