"""A figure: a chart with the finding it shows, the same in words, and its data to take away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from arena.core.exceptions import Unknown
from arena.leaderboard.templatetags.glyphs import MINUS

if TYPE_CHECKING:
    from ranking.pictures import Chart
    from ranking.plots.themes import Theme

# Those of ranking.plots, whose import brings altair.
THEMES: tuple[Theme, ...] = ("light", "dark")
# Of its data so many rows stand on the page; the files have all.
MOST_ROWS = 60


@dataclass(frozen=True)
class Figure:
    """name: in addresses and of files. title: the finding, a sentence. words: what the chart shows,
    in words and numbers, for whoever cannot see it. rows: its data, as they are downloaded.
    draw: makes the chart in a theme; only there is altair imported. size: about how many pixels
    the picture has without its title, kept free while it loads. headings: of columns on the page;
    a column without one is headed by its name, one with an empty one is left out there. note: how
    to read it, which the page says beneath the title, and the picture alone within itself.
    """

    name: str
    title: str
    words: str
    rows: Sequence[Mapping[str, Any]]
    draw: Callable[[Theme], Chart]
    size: tuple[int, int] = (900, 420)
    headings: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, as the rows bring them up."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row))


@dataclass(frozen=True)
class Shown:
    """A figure on a page. address: of the figure without its form; query: with "?" or ""."""

    figure: Figure
    address: str
    query: str = ""

    def file(self, form: str) -> str:
        """Where it is to be had in that form."""
        return f"{self.address}.{form}{self.query}"

    def on_page(self, form: str, theme: Theme) -> str:
        """The same without what the page itself says around it."""
        joint = "&" if self.query else "?"
        return f"{self.file(form)}{joint}{urlencode({'theme': theme, 'on': 'page'})}"


@dataclass(frozen=True)
class Cell:
    text: str
    is_number: bool


@dataclass(frozen=True)
class Table:
    """A figure's data on its page. more: how many rows only the files have."""

    headings: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: int


def figure_named(figures: Iterable[Figure], name: str) -> Figure:
    """Raises Unknown, saying which there are."""
    known = {figure.name: figure for figure in figures}
    if name in known:
        return known[name]
    if not known:
        raise Unknown(_("This page has no figures."))
    told = {"name": name[:40], "names": ", ".join(known)}
    raise Unknown(_("This page has no figure '%(name)s'. It has: %(names)s.") % told)


def table_of(figure: Figure) -> Table:
    shown = [name for name in figure.columns if figure.headings.get(name, name)]
    numeric = {name for name in shown if all(is_number(row.get(name)) for row in figure.rows)}
    return Table(
        headings=tuple(
            Cell(figure.headings.get(name, name.replace("_", " ")), name in numeric)
            for name in shown
        ),
        rows=tuple(
            tuple(Cell(said(row.get(name)), name in numeric) for name in shown)
            for row in figure.rows[:MOST_ROWS]
        ),
        more=max(0, len(figure.rows) - MOST_ROWS),
    )


def is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def said(value: object) -> str:
    """As the page writes it: no more digits than can be read, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return written(value, 0)
    if isinstance(value, float):
        return written(value, decimals_of(value))
    return str(value)


def written(value: float, decimals: int) -> str:
    """As the reader's language writes a number, with a true minus."""
    text = str(number_format(round(value, decimals), decimals, force_grouping=True))
    return text.replace("-", MINUS)


def decimals_of(value: float) -> int:
    """As many as make four digits with those before the point, at most four."""
    size = abs(value)
    return 4 if size < 1 else 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
