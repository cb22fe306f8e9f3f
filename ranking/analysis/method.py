"""What the method rests on: sides, ties, voters, forecasts, circles."""

from __future__ import annotations

from collections.abc import Iterator

from ranking.analysis.sources import Part, Sources
from ranking.publication import Publication


def method_part(sources: Sources, published: Publication) -> Iterator[Part]:
    """The one part `method`."""
    yield from ()
