"""What the board page shows, as plain values: templates compute nothing."""

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
    """Half width of the 95% interval of `rating`."""

    @property
    def could_be_nothing(self) -> bool:
        return abs(self.rating) <= self.half

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

    @property
    def half(self) -> float:
        return (self.upper - self.lower) / 2


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
class Axis:
    """The rating axis shared by all rows; `cut` where some interval runs off it."""

    low: float
    high: float
    ticks: tuple[int, ...]
    cut: bool = False


@dataclass(frozen=True)
class BoardPage:
    headline: str
    subtitle: str
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
    """controlled or raw: which of the two is shown."""
    has_controlled: bool
    counted: int
    read: int
    """Votes read, counted or not."""
    rows: tuple[Row, ...]
    unplaced: tuple[UnplacedRow, ...]
    controls: tuple[ControlTag, ...]
    position: ControlTag | None
    axis: Axis
    warnings: tuple[str, ...]
    has_organisation: bool
    has_licence: bool
    has_stage: bool
    left_out: tuple[tuple[str, int], ...]
    """(why, how many) for votes that are read but not counted."""
