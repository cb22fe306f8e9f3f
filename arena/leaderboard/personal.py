"""A voter's own ranking, and how far their votes go with the board.

Both are measured against the raw board: a vote is for an answer as it was written, style and all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from arena.leaderboard.judgements import Judgement
from arena.leaderboard.models import BoardName, Snapshot, Standing
from ranking import RankingSpec, Votes
from ranking.personal import PersonalRanking, personal_ranking

# Decided votes from which on a share says something.
LEAST_DECIDED = 10
CONFIDENCE = 0.95


@dataclass(frozen=True)
class BoardPlace:
    """Where a contestant stands on the raw board, with the half width of its interval."""

    rank: int
    rating: float
    half: float


@dataclass(frozen=True)
class Agreement:
    """How many decided votes prefer whom the board ranks higher.

    lower, upper: interval of their share in votes of this kind, 0 … 1 where there are none.
    expected: the share of somebody whose preferences had the board's own chances.
    """

    votes: int
    agreeing: int
    lower: float
    upper: float
    expected: float

    @property
    def share(self) -> float:
        return self.agreeing / self.votes

    @property
    def is_enough(self) -> bool:
        return self.votes >= LEAST_DECIDED


def counted(judgements: Sequence[Judgement]) -> list[Judgement]:
    return [judgement for judgement in judgements if judgement.uncounted is None]


def own_ranking(judgements: Sequence[Judgement]) -> PersonalRanking | None:
    """The ranking that these votes make by themselves; None where none of them counts."""
    counting = counted(judgements)
    if not counting:
        return None
    a, b, outcomes = zip(*((one.a, one.b, str(one.outcome)) for one in counting), strict=True)
    return personal_ranking(Votes.from_columns(a, b, outcomes))


def places_on(snapshot: Snapshot | None) -> dict[str, BoardPlace]:
    """By name, who has a place on a publication's raw board."""
    rows = Standing.objects.filter(snapshot=snapshot, board=BoardName.RAW, rank__isnull=False)
    fields = ("revision__name", "rank", "rating", "rating_lower", "rating_upper")
    return {
        name: BoardPlace(rank, rating, (upper - lower) / 2)
        for name, rank, rating, lower, upper in rows.values_list(*fields)
    }


def agreement(judgements: Sequence[Judgement], places: Mapping[str, BoardPlace]) -> Agreement:
    """Over counted, decided votes between two contestants that the board keeps apart.

    The interval is Clopper and Pearson's (1934), which holds for any number of votes.
    """
    leads = [
        places[one.preferred[0]].rating - places[one.preferred[1]].rating
        for one in counted(judgements)
        if one.preferred and set(one.preferred) <= places.keys()
    ]
    lead = np.array([points for points in leads if points])
    votes, agreeing = lead.size, int((lead > 0).sum())
    lower, upper = exact_interval(agreeing, votes)
    chances = special.expit(np.abs(lead) / RankingSpec().elo)
    return Agreement(votes, agreeing, lower, upper, float(chances.mean()) if votes else 0.5)


def exact_interval(successes: int, trials: int) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share."""
    tail, failures = (1.0 - CONFIDENCE) / 2, trials - successes
    lower = special.betaincinv(successes, failures + 1, tail) if successes else 0.0
    upper = special.betaincinv(successes + 1, failures, 1.0 - tail) if failures else 1.0
    return float(lower), float(upper)
