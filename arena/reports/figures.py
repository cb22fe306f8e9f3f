"""A figure: a chart with the finding it shows, the same in words, and its data to take away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ranking.pictures import Chart
    from ranking.plots.themes import Theme


@dataclass(frozen=True)
class Figure:
    """name: in addresses and of files. title: the finding, a sentence. words: what the chart shows,
    in words and numbers, for whoever cannot see it. rows: its data, as they are downloaded.
    draw: makes the chart in a theme; only there is altair imported."""

    name: str
    title: str
    words: str
    rows: Sequence[Mapping[str, Any]]
    draw: Callable[[Theme], Chart]


@dataclass(frozen=True)
class Shown:
    """A figure on a page. address: of the figure without its form; query: with "?" or ""."""

    figure: Figure
    address: str
    query: str = ""
