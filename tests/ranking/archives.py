"""A folder of sealed votes and the publications on them, made without any site."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ranking import Votes
from ranking.io import write_votes
from ranking.publication import publication
from ranking.sealed import file_digest, read_sealed
from ranking.snapshots import (
    GENESIS,
    SegmentEntry,
    digest_of,
    link_of,
    snapshot_document,
    snapshot_text,
)
from tests.ranking.making import simulated

OUTCOMES = ("model_a", "model_b", "tie", "both_bad")


def vote_table(seed: int, votes: int = 300) -> pa.Table:
    """Simulated votes of six contestants with style, voters and ids."""
    made = simulated(seed, votes)
    assert made.voter is not None
    columns: dict[str, Any] = {
        "id": [f"n:{seed * votes + k + 1}" for k in range(votes)],
        "model_a": [made.contestants[i] for i in made.a],
        "model_b": [made.contestants[i] for i in made.b],
        "winner": [OUTCOMES[i] for i in made.outcome],
        "voter": [None if v < 0 else f"voter {v}" for v in made.voter],
    }
    for name, (a, b) in made.features.items():
        columns |= {f"{name}_a": a.tolist(), f"{name}_b": b.tolist()}
    return pa.table(columns)


def sealed(folder: Path, tables: Sequence[tuple[pa.Table, str]]) -> list[SegmentEntry]:
    """The tables as files of the folder, chained; each with its origin."""
    entries: list[SegmentEntry] = []
    for table, origin in tables:
        write_votes(table, folder / "made.parquet")
        sha256 = file_digest(folder / "made.parquet")
        (folder / "made.parquet").rename(folder / f"{sha256}.parquet")
        link = link_of(entries[-1].link if entries else GENESIS, sha256)
        entries.append(SegmentEntry(sha256, link, table.num_rows, origin))
    return entries


def published(
    folder: Path,
    segments: Sequence[SegmentEntry],
    *,
    number: int = 1,
    previous: str = GENESIS,
    exclusions: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """The file of the publication that these votes give."""
    taken_out = exclusions or {}
    votes = read_sealed(segments, taken_out, lambda sha256: folder / f"{sha256}.parquet").table
    document = snapshot_document(
        publication(Votes.from_arrow(votes)),
        number=number,
        previous=previous,
        segments=segments,
        exclusions=taken_out,
        families={},
        parts={},
    )
    return written(folder, document)


def written(folder: Path, document: Mapping[str, Any]) -> Path:
    path = folder / f"{digest_of(document)}.json"
    path.write_text(snapshot_text(document))
    return path


def document_of(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    del document["sha256"]
    return document


def numbers_of(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every number with a decimal point."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from numbers_of(below, (*place, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from numbers_of(below, (*place, index))
    elif isinstance(value, float):
        yield place
