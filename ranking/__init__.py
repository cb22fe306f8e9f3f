"""Rankings from pairwise votes: exact, with honest intervals, and usable without any site.

>>> from ranking import RankingSpec, Votes, fit
>>> votes = Votes.from_columns(["x", "y"], ["y", "x"], ["model_a", "model_a"])
>>> [standing.rating for standing in fit(votes, RankingSpec(position=False)).standings]
[1000.0, 1000.0]
"""

from ranking.bootstrap import Bootstrap, BootstrapCoefficient, BootstrapStanding, bootstrap_fit
from ranking.calibration import Calibration, Fold, ReliabilityBin, calibrate
from ranking.contrasts import Contrast, Contrasts, RankChances, pairwise_contrasts
from ranking.errors import (
    ConvergenceError,
    FitError,
    IdentificationError,
    PlotError,
    RankingError,
    ResourceError,
    SeparationError,
    SpecError,
    VoteFileError,
    VotesError,
)
from ranking.fitting import fit
from ranking.influence import Fragility, fragility, rank_fragility
from ranking.intransitivity import Intransitivity, PairResidual, measure_intransitivity
from ranking.ledger import Ledger, LedgerRow, Term, movement_ledger
from ranking.movement import style_movement
from ranking.online import EloRating, OnlineElo, online_elo
from ranking.path import (
    Attribution,
    ControlPath,
    FeatureTerm,
    PathPoint,
    PathStanding,
    attribute,
    control_path,
)
from ranking.pooling import PooledCategories, PooledCategory, PooledStanding, pooled_categories
from ranking.result import (
    Coefficient,
    Counts,
    Leaderboard,
    Movement,
    Standing,
    StyleMovement,
    Unplaced,
)
from ranking.rigging import RiggingCost, RiggingRun, rigging_cost
from ranking.sampling import (
    NextPairs,
    PairChance,
    Separation,
    next_pairs,
    votes_needed,
    votes_to_separate,
)
from ranking.spec import RankingSpec
from ranking.spectral import PageRank, PageRankShare, WinRate, WinRates, pagerank, win_rates
from ranking.states import BoardState
from ranking.subsets import ControlSubset, ControlSubsets, control_subsets
from ranking.votes import Votes

__all__ = [
    "Attribution",
    "BoardState",
    "Bootstrap",
    "BootstrapCoefficient",
    "BootstrapStanding",
    "Calibration",
    "Coefficient",
    "Contrast",
    "Contrasts",
    "ControlPath",
    "ControlSubset",
    "ControlSubsets",
    "ConvergenceError",
    "Counts",
    "EloRating",
    "FeatureTerm",
    "FitError",
    "Fold",
    "Fragility",
    "IdentificationError",
    "Intransitivity",
    "Leaderboard",
    "Ledger",
    "LedgerRow",
    "Movement",
    "NextPairs",
    "OnlineElo",
    "PageRank",
    "PageRankShare",
    "PairChance",
    "PairResidual",
    "PathPoint",
    "PathStanding",
    "PlotError",
    "PooledCategories",
    "PooledCategory",
    "PooledStanding",
    "RankChances",
    "RankingError",
    "RankingSpec",
    "ReliabilityBin",
    "ResourceError",
    "RiggingCost",
    "RiggingRun",
    "Separation",
    "SeparationError",
    "SpecError",
    "Standing",
    "StyleMovement",
    "Term",
    "Unplaced",
    "VoteFileError",
    "Votes",
    "VotesError",
    "WinRate",
    "WinRates",
    "attribute",
    "bootstrap_fit",
    "calibrate",
    "control_path",
    "control_subsets",
    "fit",
    "fragility",
    "measure_intransitivity",
    "movement_ledger",
    "next_pairs",
    "online_elo",
    "pagerank",
    "pairwise_contrasts",
    "pooled_categories",
    "rank_fragility",
    "rigging_cost",
    "style_movement",
    "votes_needed",
    "votes_to_separate",
    "win_rates",
]
