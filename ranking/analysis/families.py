"""Families: revisions of one model against each other, and what picking the best of N gives."""

from __future__ import annotations

from collections.abc import Iterator

from ranking.analysis.sources import Part, Sources
from ranking.publication import Publication


def family_parts(sources: Sources, published: Publication) -> Iterator[Part]:
    """One part for each family of several revisions with counted votes."""
    yield from ()
