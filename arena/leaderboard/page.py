"""What the board page shows, as plain values: templates compute nothing."""

import math
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Moved:
    """How far a contestant stands from its place on the raw board; + is up."""

    raw_rank: int
    raw_rating: float
    ranks: int
    rating: float
    half: float
    """Half width of the 95% interval of `rating`; infinite where none is known."""

    @property
    def is_measured(self) -> bool:
        """Whether its interval is known."""
        return math.isfinite(self.half)

    @property
    def could_be_nothing(self) -> bool:
        return abs(self.rating) <= self.half

    @property
    def is_contrary(self) -> bool:
        """Whether it moved one way and its rating the other, since others moved further."""
        return self.ranks * self.rating < 0

    @property
    def is_hollow(self) -> bool:
        """Whether the arrow tells of no movement of its own."""
        return self.could_be_nothing or self.is_contrary

    @property
    def direction(self) -> str:
        """up, down or level: by places first, since places are what the arrow shows."""
        if self.ranks:
            return "up" if self.ranks > 0 else "down"
        return "level"


@dataclass(frozen=True)
class Row:
    """One placed revision."""

    name: str
    slug: str
    organisation: str
    licence: str
    stage: str
    rank: int
    rank_lower: int | None
    rank_upper: int | None
    rating: float
    lower: float
    upper: float
    votes: int
    moved: Moved | None
    price: tuple[str, str] | None = None
    """Dollars per million tokens, in and out."""
    latency: str = ""
    """Median seconds to the first token."""
    revision: int = 0
    """Which of its contestant's revisions it is, where others stand on the board too."""
    below: bool = False
    """Whether it stands below the row of its family."""
    place: int = 1
    """Which row of the table it is; what is unfolded above it counts as rows too."""
    began: int = 1
    """Which place it has among the shown rows in the order of the raw board."""
    opening: str = ""
    """The address that opens its account, or closes it; "" where it has none."""
    why: "Why | None" = None

    @property
    def half(self) -> float:
        return (self.upper - self.lower) / 2


@dataclass(frozen=True)
class Term:
    """What one control did to a rating, in whole points that sum to the movement's."""

    name: str
    points: int
    start: float
    width: float
    """Where its bar begins and how wide it is, in percent of the widest account."""


@dataclass(frozen=True)
class Why:
    """The exact account of a movement."""

    sentence: str
    terms: tuple[Term, ...]
    points: int
    zero: float
    """Where the bars' zero stands, in percent."""
    family: str
    """The address of the family's rows."""


@dataclass(frozen=True)
class UnplacedRow:
    """A revision that the votes place nowhere, with the sentence that says why."""

    name: str
    slug: str
    organisation: str
    votes: int
    sentence: str


@dataclass(frozen=True)
class ControlTag:
    """A covariate that is held equal, and the Elo points one typical difference is worth."""

    name: str
    elo: float
    half: float


@dataclass(frozen=True)
class Toggle:
    """A control, or a group of them, that a reader can switch."""

    name: str
    label: str
    is_on: bool
    controls: tuple[ControlTag, ...]


@dataclass(frozen=True)
class Head:
    """A column's header: where it sorts to, and how it is sorted now."""

    query: str
    order: str = ""
    """ascending, descending or nothing, as ARIA has it."""


@dataclass(frozen=True)
class Pooling:
    """How a category of few votes is rated.

    sentence: how few they are, and what the ratings rest on. other: the address of the same board
    the other way; "" where there is none. is_shown: whether these ratings borrow. method: the
    address of what tells how.
    """

    sentence: str
    other: str
    is_shown: bool
    method: str


@dataclass(frozen=True)
class Option:
    """One of a select."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Axis:
    """The rating axis shared by all rows; `cut` where some interval runs off it."""

    low: float
    high: float
    ticks: tuple[int, ...]
    cut: bool = False


@dataclass(frozen=True)
class Form:
    """What the reader chose, and may choose."""

    address: str
    """Of this board without its query."""
    raw: str
    controlled: str
    """Addresses of the two boards with all else as it is; "" where there is one alone."""
    toggles: tuple[Toggle, ...]
    full: str
    """The toggles that the controlled board holds equal, as an address names them."""
    strength: str
    """λ of this view; "" where no path leads from raw to controlled."""
    path: str
    """The address of the path's numbers."""
    categories: tuple[Option, ...]
    variants: tuple[Option, ...]
    organisations: tuple[Option, ...]
    licences: tuple[Option, ...]
    stages: tuple[Option, ...]
    rows: tuple[Option, ...]
    """Empty where nothing can be chosen."""
    search: str
    votes: int
    held: tuple[tuple[str, str], ...]
    """(name, value) of what the form carries along unseen."""
    held_by_strength: tuple[tuple[str, str], ...]
    clear: str
    """The address without filters; "" where there are none."""
    heads: dict[str, Head]
    strongest: float
    """Points of the control that is worth most, which the others' bars are drawn against."""
    all_rows: str
    """The address that shows every row; "" where all are shown."""

    @property
    def on(self) -> int:
        """How many toggles are on."""
        return sum(toggle.is_on for toggle in self.toggles)


@dataclass(frozen=True)
class BoardPage:
    headline: str
    subtitle: str
    eyebrow: str
    """Which board it is."""
    made_at: datetime
    """When it was published; a draft, when it was fitted."""
    is_draft: bool
    snapshot: str
    """How addresses name it."""
    digest: str
    engine: str
    interval: str
    """How intervals were made, in words."""
    board: str
    """controlled or raw: how ratings are drawn."""
    has_controlled: bool
    is_between: bool
    """Whether it stands between raw and controlled, where no interval is known."""
    is_families: bool
    """Whether each family has a row, and its other revisions stand below it."""
    counted: int
    read: int
    """Votes read, counted or not."""
    rows: tuple[Row, ...]
    found: int
    """Rows that pass the filters, shown or not."""
    placed: int
    """Contestants with a place."""
    unplaced: tuple[UnplacedRow, ...]
    controls: tuple[ControlTag, ...]
    position: ControlTag | None
    axis: Axis
    warnings: tuple[str, ...]
    has_organisation: bool
    has_licence: bool
    has_stage: bool
    has_price: bool
    has_latency: bool
    has_slopes: bool
    """Whether lines from the raw board end in the rows."""
    left_out: tuple[tuple[str, int], ...]
    """(why, how many) for votes that are read but not counted."""
    query: str
    """The canonical query of this view."""
    permalink: str
    address: str
    """The canonical address of this view."""
    form: Form | None = None
    pooling: Pooling | None = None
    """Only of a category of few votes."""

    @property
    def has_moved(self) -> bool:
        return any(row.moved for row in self.rows)

    @property
    def columns(self) -> int:
        """Of the table: five that are always there, and those that something is known for."""
        known = (self.has_moved, self.has_licence, self.has_price, self.has_latency)
        return 5 + sum(known)
