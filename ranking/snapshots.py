"""The document of a publication: one canonical JSON text, named by its SHA-256.

It names every file of votes it rests on, in their chain, every vote that an exclusion takes out
and the publication before it; so none of these can change without the name changing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ranking.publication import Publication
from ranking.version import ENGINE

GENESIS = "0" * 64
"""The predecessor of the first link of a chain."""

FORM = 4
"""Names what a document holds and how: in another form the same votes are published anew."""

NATIVE, SIMULATED = "native", "simulated"
"""Origins of segments that mean something: votes cast in this arena, and invented ones."""

OVERALL = "overall"
"""The category of all votes."""

Exclusions = Mapping[str, Sequence[str]]
"""Names of votes by the rule that takes them out, each vote under one rule: `<sha256>:<row>` is
a row of a segment from 0, `n:<id>` the vote of that id in a native segment."""


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A file of votes in the chain: its SHA-256 and name, its link, its rows, whence it came."""

    sha256: str
    link: str
    rows: int
    origin: str


@dataclass(frozen=True, slots=True)
class Stated:
    """What the arena's catalog said of a contestant at a publication; "" where it said nothing.

    released: ISO date.
    """

    family: str = ""
    stage: str = ""
    organisation: str = ""
    licence: str = ""
    released: str = ""

    def to_dict(self) -> dict[str, str]:
        """JSON-able form: what was said."""
        return {name: value for name, value in asdict(self).items() if value}


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no blanks, ASCII, shortest exact numbers.

    Raises ValueError for infinities and NaN.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def link_of(predecessor: str, sha256: str) -> str:
    """SHA256(predecessor ‖ sha256), over the raw 32 bytes of each."""
    return hashlib.sha256(bytes.fromhex(predecessor) + bytes.fromhex(sha256)).hexdigest()


def snapshot_document(
    published: Publication,
    *,
    number: int,
    previous: str,
    segments: Sequence[SegmentEntry],
    exclusions: Exclusions,
    families: Mapping[str, str],
    catalog: Mapping[str, Stated],
    parts: Mapping[str, str],
    category: str = OVERALL,
) -> dict[str, Any]:
    """The document of a publication.

    number: 1 for the first. previous: digest of the one before, GENESIS for the first.
    families: the contestant that stands for each family. catalog: what was stated of
    each contestant, by name. parts: SHA-256 of the canonical text of each part (see
    ranking.analysis), by name.
    """
    return published.to_dict() | {
        "number": number,
        "previous": previous,
        "category": category,
        "engine": ENGINE,
        "segments": [asdict(segment) for segment in segments],
        "head": segments[-1].link if segments else GENESIS,
        "families": dict(families),
        "catalog": {name: stated.to_dict() for name, stated in catalog.items()},
        "parts": dict(parts),
        "exclusions": {rule: sorted(names) for rule, names in exclusions.items() if names},
        "simulated_votes": sum(each.rows for each in segments if each.origin == SIMULATED),
    }


def snapshot_text(document: Mapping[str, Any]) -> str:
    """The text of a snapshot's file: the document with its own digest as `sha256`, canonical."""
    return canonical({**document, "sha256": digest_of(document)})
