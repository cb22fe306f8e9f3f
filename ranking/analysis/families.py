"""Families: revisions of one model against each other, and what picking the best of N gives.

One part `family/<family>` for each family of several revisions with counted votes:

    members   by stage and first vote: rating and places on both boards, votes, days of the first
              and last
    direct    battles between two members, and the scores that both boards expected in them
    compared  pairs of members, of unlike stage first: could one model have given their answers
              (ranking.analysis.likeness)
    best_of   what was tested unreleased, the best of it, what being picked adds to that by chance,
              and the published one from votes after its release (ranking.analysis.variants);
              only where something unreleased was tested
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy import special

from ranking.analysis.likeness import Likeness
from ranking.analysis.members import STAGES, Member
from ranking.analysis.sources import Part, Sources
from ranking.analysis.variants import Variants
from ranking.arrays import FloatArray, IndexArray
from ranking.calibration import leads, strengths
from ranking.publication import CONTROLLED, RAW, Publication
from ranking.result import Leaderboard, Standing
from ranking.selection import select_votes
from ranking.votes import A_WINS, B_WINS, BOTH_BAD, TIE, Votes

FAMILY = "family/"

DAY = 86_400.0
MOST_PAIRS = 10
"""So many pairs of a family's members are compared."""


def family_parts(sources: Sources, published: Publication) -> Iterator[Part]:
    """One part for each family of several revisions with counted votes."""
    votes = sources.votes
    if not sources.stated:
        return
    counted = np.flatnonzero(select_votes(votes, published.default.spec)[0])
    made = _Families(sources, published, counted)
    for family, members in made.of_several().items():
        yield f"{FAMILY}{family}", made.document(family, members)


class _Families:
    def __init__(self, sources: Sources, published: Publication, counted: IndexArray) -> None:
        self.sources, self.published, self.counted = sources, published, counted
        self.boards = [published.default, published.raw]
        self.theta = [strengths(sources.votes, board) for board in self.boards]
        self.standings = {
            name: {standing.contestant: standing for standing in board.standings}
            for name, board in published.boards.items()
        }
        self.likeness = Likeness(sources, published)
        self.variants = Variants(sources, published)

    def of_several(self) -> dict[str, list[Member]]:
        """Members by family, in the order of their stage and first vote."""
        votes, stated = self.sources.votes, self.sources.stated
        named = defaultdict(list)
        for number, name in enumerate(votes.contestants):
            if name in stated and stated[name].family:
                named[stated[name].family].append((name, number))
        several = {family: found for family, found in named.items() if len(found) > 1}
        rows = rows_of(votes, self.counted, [n for found in several.values() for _, n in found])
        families = {}
        for family, found in sorted(several.items()):
            members = [
                Member(name, number, stated[name], rows[number])
                for name, number in found
                if rows[number].size
            ]
            if len(members) > 1:
                families[family] = sorted(members, key=self._order)
        return families

    def _order(self, member: Member) -> tuple[int, float, str]:
        stage = member.stated.stage
        first, _ = span_of(self.sources.votes, member.rows)
        place = STAGES.index(stage) if stage in STAGES else STAGES.index("")
        return place, np.inf if first is None else first, member.name

    def document(self, family: str, members: Sequence[Member]) -> dict[str, Any]:
        pairs = sorted(combinations(members, 2), key=lambda pair: same_stage(*pair))
        direct = {(a.name, b.name): self.direct_rows(a, b) for a, b in pairs}
        document = {
            "family": family,
            "board": RAW if self.published.controlled is None else CONTROLLED,
            "members": [self.member(member) for member in members],
            "direct": [
                self.direct(a, b, direct[a.name, b.name])
                for a, b in combinations(members, 2)
                if direct[a.name, b.name].size
            ],
            "compared": [
                found
                for a, b in pairs[:MOST_PAIRS]
                if (found := self.likeness.of(a, b, direct[a.name, b.name])) is not None
            ],
        }
        best = self.variants.of(family, members)
        return document if best is None else document | {"best_of": best}

    def member(self, member: Member) -> dict[str, Any]:
        first, last = span_of(self.sources.votes, member.rows)
        places = {
            name: standing_document(standings.get(member.name))
            for name, standings in self.standings.items()
        }
        return {
            "contestant": member.name,
            "stage": member.stated.stage,
            "released": member.stated.released,
            "votes": int(member.rows.size),
            "first": day_of(first),
            "last": day_of(last),
            "boards": places,
        }

    def direct_rows(self, a: Member, b: Member) -> IndexArray:
        votes = self.sources.votes
        met = (votes.a[a.rows] == b.number) | (votes.b[a.rows] == b.number)
        return np.asarray(a.rows[met])

    def direct(self, a: Member, b: Member, rows: IndexArray) -> dict[str, Any]:
        """The record of a against b, and a's scores as both boards expected them."""
        votes = self.sources.votes
        is_a, outcome = votes.a[rows] == a.number, votes.outcome[rows]
        won = np.where(is_a, outcome == A_WINS, outcome == B_WINS)
        lost = np.where(is_a, outcome == B_WINS, outcome == A_WINS)
        expected = [
            self.expected(board, theta, rows, is_a)
            for board, theta in zip(self.boards, self.theta, strict=True)
        ]
        return {
            "a": a.name,
            "b": b.name,
            "votes": int(rows.size),
            "won": int(won.sum()),
            "lost": int(lost.sum()),
            "tied": int((outcome == TIE).sum()),
            "both_bad": int((outcome == BOTH_BAD).sum()),
            "expected": expected[0],
            "expected_raw": expected[1],
        }

    def expected(
        self, board: Leaderboard, theta: FloatArray, rows: IndexArray, is_a: np.ndarray[Any, Any]
    ) -> float | None:
        lead = leads(self.sources.votes, board, theta, rows)
        score = float(special.expit(np.where(is_a, lead, -lead)).sum())
        return None if np.isnan(score) else round(score, 4)


def rows_of(votes: Votes, counted: IndexArray, numbers: Sequence[int]) -> Mapping[int, IndexArray]:
    """The counted votes of each of some contestants."""
    wanted = np.zeros(len(votes.contestants), dtype=bool)
    wanted[numbers] = True
    a, b = votes.a[counted], votes.b[counted]
    some = np.flatnonzero(wanted[a] | wanted[b])
    a, b, rows = a[some], b[some], counted[some]
    return {number: rows[(a == number) | (b == number)] for number in numbers}


def same_stage(a: Member, b: Member) -> bool:
    return a.is_released == b.is_released


def span_of(votes: Votes, rows: IndexArray) -> tuple[float | None, float | None]:
    """Seconds since 1970 of the first and last of some votes; None where a time is unknown."""
    if votes.time is None or np.isnan(times := votes.time[rows]).any():
        return None, None
    return round(float(times.min()), 3), round(float(times.max()), 3)


def day_of(seconds: float | None) -> float | None:
    """When its day began, in UTC: the hour of a single vote is nobody's affair."""
    return None if seconds is None else seconds - seconds % DAY


def standing_document(standing: Standing | None) -> dict[str, Any] | None:
    """Rating and places on a board; None for whom it does not place."""
    if standing is None:
        return None
    return {
        "rating": standing.rating,
        "lower": standing.rating_lower,
        "upper": standing.rating_upper,
        "rank": standing.rank,
        "rank_lower": standing.rank_lower,
        "rank_upper": standing.rank_upper,
    }
