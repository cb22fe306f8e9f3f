"""The counted votes as scores of their contestants, for estimators that know no covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking.arrays import FloatArray, IndexArray, IntArray
from ranking.errors import SpecError
from ranking.result import Counts
from ranking.selection import select_votes, weighted_votes
from ranking.spec import RankingSpec
from ranking.votes import A_WINS, B_WINS, OUTCOMES, Votes


@dataclass(frozen=True, slots=True)
class Scores:
    """n counted votes in their order, each turned so that the smaller id comes first.

    first, second: (n,) ids, first < second. y: (n,) 1 where the first won, 0 where the second
    did, ½ otherwise. weight: (n,) of mean 1, None for ones. rows: (n,) each one's vote.
    """

    contestants: tuple[str, ...]
    first: IntArray
    second: IntArray
    y: FloatArray
    weight: FloatArray | None
    rows: IndexArray
    counts: Counts

    def __len__(self) -> int:
        return int(self.y.size)

    def votes_of(self) -> IndexArray:
        """(M,) number of votes each contestant takes part in."""
        m = len(self.contestants)
        return np.bincount(self.first, minlength=m) + np.bincount(self.second, minlength=m)


def scores_of(votes: Votes, spec: RankingSpec, *, method: str) -> Scores:
    """The votes that count by the spec; `method` is named when it cannot do what the spec asks.

    Raises SpecError for a spec with controls, and when no vote counts.
    """
    if spec.controls:
        raise SpecError(
            f"{method} knows no controls. Leave them out; complete_for counts the same votes."
        )
    chosen, counts = select_votes(votes, spec)
    rows = np.flatnonzero(chosen)
    if not rows.size:
        raise SpecError(f"{method} needs at least one vote that counts; these have none.")
    a, b = votes.a[rows], votes.b[rows]
    y = _SCORE[votes.outcome[rows]]
    turned = a > b
    weight = weighted_votes(votes, spec, rows, rows).weight
    if weight is not None:
        weight = weight[rows] / weight[rows].mean()
    return Scores(
        contestants=votes.contestants,
        first=np.where(turned, b, a),
        second=np.where(turned, a, b),
        y=np.where(turned, 1.0 - y, y),
        weight=weight,
        rows=rows,
        counts=counts,
    )


_SCORE = np.full(len(OUTCOMES), 0.5)
_SCORE[[A_WINS, B_WINS]] = 1.0, 0.0
