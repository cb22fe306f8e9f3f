"""Rankings from pairwise votes: exact, with honest intervals, and usable without any site.

>>> from ranking import RankingSpec, Votes, fit
>>> votes = Votes.from_columns(["x", "y"], ["y", "x"], ["model_a", "model_a"])
>>> [standing.rating for standing in fit(votes, RankingSpec(position=False)).standings]
[1000.0, 1000.0]
"""

from ranking.errors import (
    ConvergenceError,
    FitError,
    IdentificationError,
    RankingError,
    SeparationError,
    SpecError,
    VoteFileError,
    VotesError,
)
from ranking.fitting import fit
from ranking.movement import style_movement
from ranking.result import (
    Coefficient,
    Counts,
    Leaderboard,
    Movement,
    Standing,
    StyleMovement,
    Unplaced,
)
from ranking.spec import RankingSpec
from ranking.votes import Votes

__all__ = [
    "Coefficient",
    "ConvergenceError",
    "Counts",
    "FitError",
    "IdentificationError",
    "Leaderboard",
    "Movement",
    "RankingError",
    "RankingSpec",
    "SeparationError",
    "SpecError",
    "Standing",
    "StyleMovement",
    "Unplaced",
    "VoteFileError",
    "Votes",
    "VotesError",
    "fit",
    "style_movement",
]
