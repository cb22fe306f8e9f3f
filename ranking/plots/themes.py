"""The look of charts: the product's colours, light and dark, and its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Theme = Literal["light", "dark"]

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'
SERIF = 'Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif'

_INK_ON = {"light": "#1A1C20", "dark": "#14161A"}


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they mean. raw and controlled are positions, up and down movements.

    Pairs that stand side by side differ for deutan, protan and tritan sight as well, and a shape,
    letter or word always says the same. causes: fill of each ledger cause by its letter; letters:
    what is written on it.
    """

    page: str
    sunk: str
    ink: str
    ink_2: str
    ink_3: str
    hairline: str
    edge: str
    controlled: str
    band: str
    raw: str
    up: str
    down: str
    causes: Mapping[str, str]
    letters: Mapping[str, str]


_LIGHT = Palette(
    page="#FBFAF7",
    sunk="#F3F1EB",
    ink="#1A1C20",
    ink_2="#474C55",
    ink_3="#646A75",
    hairline="#E5E1D8",
    edge="#8C8A84",
    controlled="#1B4F9C",
    band="#C9D8EE",
    raw="#A85500",
    up="#1B7340",
    down="#8B2F8C",
    causes={
        "V": "#1B4F9C",
        "S": "#D9642A",
        "X": "#6A2A78",
        "W": "#A9ACB3",
        "C": "#3D9C94",
        "R": "#E6BE4A",
        "M": "#F3F1EB",
    },
    letters={"V": "#FFFFFF", "X": "#FFFFFF"},
)
_DARK = Palette(
    page="#14161A",
    sunk="#22262D",
    ink="#ECEAE4",
    ink_2="#B9BBC1",
    ink_3="#9095A0",
    hairline="#2C3038",
    edge="#777D89",
    controlled="#86B6F5",
    band="#2A3C56",
    raw="#F0A24E",
    up="#63C48D",
    down="#DD94E2",
    causes={
        "V": "#86B6F5",
        "S": "#E9763F",
        "X": "#B07AD6",
        "W": "#6E7480",
        "C": "#3FA79D",
        "R": "#F0D27A",
        "M": "#22262D",
    },
    letters={"W": "#FFFFFF", "M": "#ECEAE4"},
)
_PALETTES: dict[str, Palette] = {"light": _LIGHT, "dark": _DARK}
THEMES: tuple[Theme, ...] = ("light", "dark")


def palette_of(theme: Theme) -> Palette:
    """The colours of a theme."""
    return _PALETTES[theme]


def letter_on(theme: Theme, cause: str) -> str:
    """Colour of a ledger cause's letter on its own fill."""
    return palette_of(theme).letters.get(cause, _INK_ON[theme])


def chart_config(theme: Theme) -> dict[str, Any]:
    """Vega-Lite's `config` of a theme."""
    colours = palette_of(theme)
    quiet = {"labelColor": colours.ink_3, "titleColor": colours.ink_2}
    return {
        # The whole picture has one description; one per mark would be several times its size.
        "aria": False,
        "background": colours.page,
        "padding": 24,
        "font": SANS,
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "font": SERIF,
            "fontSize": 20,
            "fontWeight": "bold",
            "color": colours.ink,
            "subtitleFont": SANS,
            "subtitleFontSize": 12.5,
            "subtitleColor": colours.ink_2,
            "subtitlePadding": 8,
            "subtitleLineHeight": 18,
            "lineHeight": 26,
            "offset": 22,
            "frame": "group",
        },
        "axis": quiet
        | {
            "labelFontSize": 11.5,
            "titleFontSize": 12.5,
            "titleFontWeight": "normal",
            "gridColor": colours.hairline,
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
        },
        "legend": quiet
        | {"labelColor": colours.ink_2, "labelFontSize": 12.5, "titleFontSize": 12.5},
        "text": {"color": colours.ink, "fontSize": 13},
    }
