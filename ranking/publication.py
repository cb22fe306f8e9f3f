"""What a publication says of a set of votes: its boards, what moved between them, who met whom.

An arena publishes this, and `ranking.verify` computes it again from the same votes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ranking.covariates import CONTROLS
from ranking.errors import FitError
from ranking.fitting import fit
from ranking.movement import style_movement
from ranking.result import Leaderboard, Movement
from ranking.selection import select_votes
from ranking.spec import RankingSpec
from ranking.votes import OUTCOMES, Votes

RAW, CONTROLLED = "raw", "controlled"

# Latency is a control only by choice: it needs natively paced votes.
STYLE_CONTROLS = ("length", "headers", "lists", "bold", "code", "emoji")
# A control is part of the board once most votes carry it: the votes that lack one count on
# neither board, so a control that few carry would cost more votes than it explains.
CARRIED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Votes per pair that met, as observed.

    rows: (a, b, a better, b better, tie, both bad) with a < b indices into `contestants`, in
    order of a and b, whichever side they stood on. Counted are the votes that the default board
    counts, and with them those between contestants that it does not place.
    """

    contestants: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"contestants": list(self.contestants), "rows": [list(row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Publication:
    """Both boards of one set of votes, or the raw one alone and why.

    movements are from raw to controlled, in the controlled order. refused: why a fuller model
    could not be fitted to these votes, in sentences.
    """

    raw: Leaderboard
    controlled: Leaderboard | None
    movements: tuple[Movement, ...]
    refused: tuple[str, ...]
    pairs: PairCounts

    @property
    def default(self) -> Leaderboard:
        """The board that is shown first: the style-controlled one where there is one."""
        return self.controlled or self.raw

    @property
    def boards(self) -> dict[str, Leaderboard]:
        """The boards by name."""
        boards = {RAW: self.raw}
        return boards | {CONTROLLED: self.controlled} if self.controlled else boards

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form; spec and counts are the default board's."""
        return {
            "spec": self.default.spec.to_dict(),
            "counts": self.default.counts.to_dict(),
            "boards": {name: board.to_dict() for name, board in self.boards.items()},
            "movements": [asdict(movement) for movement in self.movements],
            "refused": list(self.refused),
            "pairs": self.pairs.to_dict(),
        }


def publication(votes: Votes) -> Publication:
    """The fullest model that these votes determine: style controlled, raw, raw without position.

    A few votes often cannot tell a covariate from the contestants; the reason is kept in
    `refused`. Raises FitError where not even the barest model can be fitted.
    """
    refused: list[str] = []
    *controlled, full, bare = specs(votes)
    for spec in controlled:
        try:
            moved = style_movement(votes, spec)
        except FitError as error:
            refused.append(f"Style is not controlled for: {error}")
        else:
            pairs = pair_counts(votes, moved.controlled.spec)
            return Publication(moved.raw, moved.controlled, moved.movements, (), pairs)
    try:
        raw = fit(votes, full)
    except FitError as error:
        refused.append(f"The side shown first is not accounted for: {error}")
        raw = fit(votes, bare)
    return Publication(raw, None, (), tuple(refused), pair_counts(votes, raw.spec))


def specs(votes: Votes) -> tuple[RankingSpec, ...]:
    """The models that a publication of these votes can rest on, the fullest first.

    Style controlled where the votes carry style, raw, raw without position.
    """
    controls = board_controls(votes)
    raw = RankingSpec(), RankingSpec(position=False)
    return (RankingSpec(controls=controls), *raw) if controls else raw


def board_controls(votes: Votes) -> tuple[str, ...]:
    """The style controls that most votes carry and that differ anywhere."""
    return tuple(name for name in STYLE_CONTROLS if is_carried(votes, name))


def is_carried(votes: Votes, control: str) -> bool:
    """Whether most votes carry what the control needs, and it differs anywhere."""
    metric = CONTROLS[control]
    if metric not in votes.features:
        return False
    a, b = votes.features[metric]
    present = ~(np.isnan(a) | np.isnan(b))
    return bool(present.mean() >= CARRIED_SHARE and (a[present] != b[present]).any())


def pair_counts(votes: Votes, spec: RankingSpec) -> PairCounts:
    """Counts per pair of the votes that the spec counts."""
    chosen, _ = select_votes(votes, spec)
    a, b = votes.a[chosen].astype(np.int64), votes.b[chosen].astype(np.int64)
    outcome, m = votes.outcome[chosen].astype(np.int64), len(votes.contestants)
    # The outcome as seen by the one with the lower index.
    seen = np.where((a > b) & (outcome < 2), 1 - outcome, outcome)
    pair = np.minimum(a, b) * m + np.maximum(a, b)
    met, place = np.unique(pair, return_inverse=True)
    cells = np.bincount(place * len(OUTCOMES) + seen, minlength=met.size * len(OUTCOMES))
    rows = np.column_stack([met // m, met % m, cells.reshape(-1, len(OUTCOMES))])
    return PairCounts(votes.contestants, tuple(map(tuple, rows.tolist())))
