"""How charts with a row per contestant are laid out: columns of text and marks on one sheet.

Rows are of one height and stand at pixels, so that they stay readable however many there are and
text, marks and several axes share them. Columns are placed at pixels too; an axis takes a range
of pixels of its own.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import altair as alt

from ranking.display import so_many
from ranking.plots.themes import Palette, Theme, chart_config, palette_of

Row = Mapping[str, Any]
Layer = alt.Chart | alt.LayerChart
Drawn = TypeVar("Drawn", alt.LayerChart, alt.HConcatChart)

ROW = 22
# From so many places up a line takes colour, where there are many lines.
_FAR, _MANY = 4, 12
# Text of a title and a subtitle is about so many pixels wide per character.
_TITLE, _SUBTITLE = 10.5, 6.6
_HEADING = 12.5


def table(values: Sequence[Row]) -> Any:
    """Rows as the data of a chart."""
    return alt.Data(values=[dict(row) for row in values])  # type: ignore[no-untyped-call]


def over(*layers: Layer, data: Any = alt.Undefined) -> alt.LayerChart:
    """Layers over one another, each with axes of its own unless they share a scale."""
    drawn = alt.layer(*layers, data=data)
    assert isinstance(drawn, alt.LayerChart)
    return drawn


def name_room(names: Iterable[str]) -> float:
    """Pixels for a column of names; longer ones end in an ellipsis."""
    return min(330.0, max(80.0, 7.3 * max(map(_letters, names))))


def _letters(name: str) -> int:
    """Letters of usual width that take the room of a name: an ideograph or an emoji takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in name)


def row_y(i: int) -> float:
    """Pixels from the top of a sheet to the middle of row i."""
    return ROW * (i + 0.5)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of a chart, whose columns and marks are layers.

    rows: of data; the field "y" of each is where it stands. width, height: in pixels, without
    headings and title.
    """

    theme: Theme
    rows: Sequence[Row]
    width: float
    height: float

    @property
    def colours(self) -> Palette:
        """The theme's colours."""
        return palette_of(self.theme)

    def marks(self, *, y: str = "y") -> alt.Chart:
        """A layer that stands where the rows do."""
        return alt.Chart().encode(y=alt.Y(f"{y}:Q", scale=None, axis=None))

    def hairlines(self, left: float = 0) -> alt.Chart:
        """A line under each row."""
        under = table([{"y": ROW * (i + 1)} for i in range(len(self.rows))])
        lines = alt.Chart(under).mark_rule(color=self.colours.hairline)
        return lines.encode(
            y=alt.Y("y:Q", scale=None, axis=None), x=alt.value(left), x2=alt.value(self.width)
        )

    def column(
        self,
        field: str,
        x: float,
        *,
        align: str = "left",
        shade: str = "ink",
        bold: bool = False,
        limit: float | None = None,
        y: str = "y",
    ) -> alt.Chart:
        """A column of text from a field; `shade` names a colour, or a field of names if it has
        a colon at its end."""
        style: dict[str, Any] = {"align": align, "fontWeight": "bold" if bold else "normal"}
        if limit is not None:
            style["limit"] = limit
        text = self.marks(y=y).mark_text(baseline="middle", **style)
        return text.encode(x=alt.value(x), text=f"{field}:N", color=self._colour(shade))

    def _colour(self, shade: str) -> Any:
        if not shade.endswith(":"):
            return alt.value(getattr(self.colours, shade))
        names = ["up", "down", "ink", "ink_3"]
        scale = alt.Scale(domain=names, range=[getattr(self.colours, name) for name in names])
        return alt.Color(f"{shade}N", scale=scale, legend=None)

    def heading(
        self, text: str, x: float, *, align: str = "left", shade: str = "ink_2"
    ) -> alt.Chart:
        """A word above a column."""
        mark = alt.Chart(table([{"text": text}])).mark_text(
            align=align,  # type: ignore[arg-type]
            baseline="bottom",
            fontSize=_HEADING,
            color=getattr(self.colours, shade),
        )
        return mark.encode(x=alt.value(x), y=alt.value(-8), text="text:N")

    def ring(self, *, y: str = "y") -> alt.Chart:
        """The mark of a raw position."""
        return self.marks(y=y).mark_point(**ring_style(self.colours))

    def dot(self, *, y: str = "y") -> alt.Chart:
        """The mark of a controlled position, or of the only one."""
        return self.marks(y=y).mark_point(**dot_style(self.colours))

    def chart(
        self, layers: Sequence[Layer], *, title: str, told: str, words: str
    ) -> alt.LayerChart:
        """The layers over one another, with the finding as the title, and both in words."""
        drawn = over(*layers, data=table(self.rows))
        drawn = drawn.resolve_scale(x="independent", y="independent", color="independent")
        placed = drawn.properties(width=self.width, height=self.height)
        return finished(placed, self.theme, self.width, title=title, told=told, words=words)


def finished(
    drawn: Drawn, theme: Theme, width: float, *, title: str, told: str, words: str
) -> Drawn:
    """A chart with its theme, its title over what is told beside it, and both in words."""
    heading = alt.TitleParams(
        text=textwrap.wrap(title, max(20, int(width / _TITLE))) or "",
        subtitle=textwrap.wrap(told, max(30, int(width / _SUBTITLE))) or "",
    )
    described = drawn.properties(title=heading, description=f"{title} {words}".strip())
    described.config = alt.Config.from_dict(chart_config(theme))
    return described


def ring_style(colours: Palette) -> dict[str, Any]:
    """Of mark_point: a ring."""
    return {
        "shape": "circle",
        "size": 52,
        "filled": True,
        "fill": colours.page,
        "stroke": colours.raw,
        "strokeWidth": 2,
        "opacity": 1,
    }


def dot_style(colours: Palette) -> dict[str, Any]:
    """Of mark_point: a dot."""
    return {"shape": "circle", "size": 62, "filled": True, "fill": colours.controlled, "opacity": 1}


def band_style(colours: Palette, size: float) -> dict[str, Any]:
    """Of mark_bar: a band of an interval, round but no longer than the interval is."""
    return {
        "size": size,
        "cornerRadius": size / 2,
        "color": colours.band,
        "stroke": colours.controlled,
        "strokeOpacity": 0.7,
        "strokeWidth": 1,
        "opacity": 1,
    }


STROKE: dict[str, Any] = {
    "color": alt.Color("colour:N", scale=None),
    "strokeWidth": alt.StrokeWidth("wide:Q", scale=None),
}


def stroke(sheet: Sheet, ranks: int) -> dict[str, Any]:
    """Colour and width of the line of who moves by so many ranks, + is up."""
    far = abs(ranks) >= (_FAR if len(sheet.rows) > _MANY else 1)
    colour = sheet.colours.up if ranks > 0 else sheet.colours.down
    return {"colour": colour if far else sheet.colours.edge, "wide": 2.0 if far else 1.0}


def arrow(ranks: int, *, sure: bool) -> str:
    """The way of a movement; hollow where it could be none."""
    if not ranks:
        return ""
    return ("▲" if sure else "△") if ranks > 0 else ("▼" if sure else "▽")


def way(ranks: int) -> str:
    """The name of a movement's colour."""
    return "up" if ranks > 0 else "down" if ranks < 0 else "ink_3"


def minus(number: float, form: str = "+.1f") -> str:
    """A number as text with a true minus sign."""
    return format(number, form).replace("-", "−")


def change_place(moved: int, of: int) -> str:
    """How many contestants change place."""
    return f"{moved:,} of {so_many(of, 'contestant')} change{'s' if moved == 1 else ''} place"


def listed(items: Sequence[str], most: int = 400) -> str:
    """Items as one sentence; how many more there are where they are very many."""
    more = f"; and {len(items) - most:,} more" if len(items) > most else ""
    return "; ".join(items[:most]) + more + "."
