"""Figures as rows of names and numbers, for `admin/battles/_table.html`."""

from dataclasses import dataclass
from typing import NamedTuple


class Row(NamedTuple):
    """Names, of which the first is the row's heading, and numbers, which stand to the right."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    heading: str
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""

    @property
    def width(self) -> int:
        return len(self.names) + len(self.numbers)


def in_hundred(probability: float) -> str:
    """Of one pair among thousands, so to three figures."""
    return f"{100 * probability:.3g} %"
