"""What a family tested before its release, and what picking the best of it gives (ranking.bestof).

All numbers are of the default board's model. The published one's are of votes from the day of its
release on: those that it had before are left out of the fit, as if they had not been cast.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ranking.analysis.members import Member
from ranking.analysis.sources import FAILURES, Sources, reason, without
from ranking.arrays import BoolArray, FloatArray, IndexArray
from ranking.bestof import BestOf, best_of
from ranking.fitting import anchor_theta, covariance_of, estimate
from ranking.inference import quantile
from ranking.publication import Publication
from ranking.selection import prepare
from ranking.spec import RankingSpec
from ranking.votes import Votes

RULE = "before its release"


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """Ratings of M placed contestants with their joint error, in rating points.

    place: by name. votes: (M,) counted. rating: (M,). covariance: (M, M). reach: standard errors
    on either side of an interval. degrees: of t, None for normal errors.
    """

    place: Mapping[str, int]
    votes: IndexArray
    rating: FloatArray
    covariance: FloatArray
    reach: float
    degrees: float | None
    spec: RankingSpec

    @classmethod
    def of(cls, votes: Votes, spec: RankingSpec) -> Rated | None:
        """None where the votes place nobody. Raises what `estimate` raises."""
        prepared = prepare(votes, spec)
        if prepared.design is None:
            return None
        fitted = estimate(prepared, prepared.design)
        theta, m, clusters = fitted.solution.theta, prepared.design.contestants, fitted.clusters
        return cls(
            place={name: i for i, name in enumerate(prepared.labels)},
            votes=prepared.design.votes_of(),
            rating=spec.center + spec.elo * (theta - anchor_theta(prepared, theta)),
            covariance=spec.elo**2 * covariance_of(fitted, fitted.meat)[:m, :m],
            reach=quantile(spec.confidence, clusters),
            degrees=None if clusters is None else clusters.effective - 1.0,
            spec=spec,
        )

    def best_of(self, names: Sequence[str]) -> BestOf:
        """What the best of these owes to being the best."""
        ids = np.array([self.place[name] for name in names])
        return best_of(
            self.rating[ids],
            self.covariance[np.ix_(ids, ids)],
            confidence=self.spec.confidence,
            seed=self.spec.seed,
            degrees=self.degrees,
        )

    def document(self, name: str) -> dict[str, Any]:
        """Rating of one contestant, with its interval and its votes."""
        i = self.place[name]
        rating, half = float(self.rating[i]), self.reach * math.sqrt(float(self.covariance[i, i]))
        return {
            "contestant": name,
            "votes": int(self.votes[i]),
            "rating": rating,
            "lower": rating - half,
            "upper": rating + half,
        }

    def lead(self, name: str, other: str) -> dict[str, float]:
        """Of one contestant over another."""
        i, j = self.place[name], self.place[other]
        v = self.covariance
        points = float(self.rating[i] - self.rating[j])
        half = self.reach * math.sqrt(max(0.0, float(v[i, i] + v[j, j] - 2.0 * v[i, j])))
        return {"points": points, "lower": points - half, "upper": points + half}


class Variants:
    """Of one publication's votes. The fit to all of them is made where it is first asked for."""

    def __init__(self, sources: Sources, published: Publication) -> None:
        self.votes, self.spec = sources.votes, published.default.spec
        self.places = sources.places or {}
        self._whole: list[Rated | None] = []

    def of(self, family: str, members: Sequence[Member]) -> dict[str, Any] | None:
        """What was tested unreleased; None where nothing was, or these votes place none of it."""
        tested = [member for member in members if member.is_unreleased]
        if not tested:
            return None
        published = self.published_of(family, members)
        early = None if published is None else self.before_release(published)
        try:
            rated = self.rated(early)
        except FAILURES as error:
            return {"error": reason(error)}
        if rated is None:
            return None
        placed = [member.name for member in tested if member.name in rated.place]
        if not placed:
            return None
        found = rated.best_of(placed)
        return {
            "tested": len(tested),
            "variants": [rated.document(name) for name in placed],
            "best": placed[found.best],
            "picked": {key: value for key, value in asdict(found).items() if key != "best"},
            "published": self.published(rated, published, early, placed[found.best]),
        }

    def published_of(self, family: str, members: Sequence[Member]) -> Member | None:
        """The released one that stands for the family, or the last that began."""
        released = [member for member in members if member.is_released]
        heads = [member for member in released if member.name == self.places.get(family)]
        return next(iter([*heads, *reversed(released)]), None)

    def before_release(self, member: Member) -> BoolArray | None:
        """Its votes before the day of its release; None where none is known."""
        time, released = self.votes.time, member.stated.released
        if time is None or not released:
            return None
        moment = datetime.fromisoformat(released).replace(tzinfo=UTC).timestamp()
        early = np.zeros(len(self.votes), dtype=bool)
        # An unknown time is before nothing.
        early[member.rows[time[member.rows] < moment]] = True
        return early if early.any() else None

    def rated(self, early: BoolArray | None) -> Rated | None:
        """Everybody's ratings without those votes."""
        if early is not None:
            return Rated.of(without(self.votes, early, RULE), self.spec)
        if not self._whole:
            self._whole.append(Rated.of(self.votes, self.spec))
        return self._whole[0]

    def published(
        self, rated: Rated, member: Member | None, early: BoolArray | None, best: str
    ) -> dict[str, Any] | None:
        """The published one since its release, and its lead over the best of the unreleased."""
        if member is None or member.name not in rated.place:
            return None
        return rated.document(member.name) | {
            "released": member.stated.released,
            "left_out": 0 if early is None else int(early.sum()),
            "lead": rated.lead(member.name, best),
        }
