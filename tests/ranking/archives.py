"""A folder of sealed votes and the publications on them, made without any site."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ranking import RankingSpec, Votes
from ranking.analysis import Before, parts, sources_of
from ranking.io import write_votes
from ranking.publication import publication
from ranking.sealed import PUBLISHED_COLUMNS, file_digest, read_sealed
from ranking.snapshots import (
    GENESIS,
    SegmentEntry,
    canonical,
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
    previous: Path | None = None,
    exclusions: Mapping[str, Sequence[str]] | None = None,
    families: Mapping[str, str] | None = None,
    whole: bool = False,
) -> Path:
    """The file of the publication that these votes give, after a previous one.

    whole: with its parts, whose files are written too.
    """
    taken_out = exclusions or {}
    table = table_of(folder, segments, taken_out)
    sources, fitted = sources_of(table, families), publication(Votes.from_arrow(table))
    before = None if previous is None else document_of(previous)
    document = snapshot_document(
        fitted,
        number=before["number"] + 1 if before else 1,
        previous=digest_of(before) if before else GENESIS,
        segments=segments,
        exclusions=taken_out,
        families=families or {},
        catalog={},
        parts={
            name: part_written(folder, content)
            for name, content in parts(sources, fitted, before and before_of(folder, before))
        }
        if whole
        else {},
    )
    return written(folder, document)


def table_of(
    folder: Path, segments: Sequence[SegmentEntry], exclusions: Mapping[str, Sequence[str]]
) -> pa.Table:
    """The votes as a publication reads them."""
    return read_sealed(
        segments,
        exclusions,
        lambda sha256: folder / f"{sha256}.parquet",
        PUBLISHED_COLUMNS,
        categories=True,
    ).table


def before_of(folder: Path, document: Mapping[str, Any]) -> Before:
    segments = [SegmentEntry(**entry) for entry in document["segments"]]
    votes = Votes.from_arrow(table_of(folder, segments, document["exclusions"]))
    return Before(votes, RankingSpec.from_dict(document["spec"]), document["families"] or None)


def part_written(folder: Path, content: Mapping[str, Any]) -> str:
    """The digest that names a part's file."""
    text = canonical(content).encode()
    sha256 = hashlib.sha256(text).hexdigest()
    (folder / f"{sha256}.json").write_bytes(text)
    return sha256


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
