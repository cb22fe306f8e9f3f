"""Categories with few votes, and the table of everybody in every category."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ranking.analysis.sources import Part, Sources
from ranking.publication import Publication

CATEGORY_PARTS = "category/"


def pooled_parts(sources: Sources, published: Publication) -> Iterator[Part]:
    """One part `category/<name>/pooled` for each category that is thin."""
    yield from ()


def category_table(sources: Sources, told: Mapping[str, dict[str, Any]]) -> Iterator[Part]:
    """The one part `categories`. told: the parts of categories, by name."""
    yield from ()
