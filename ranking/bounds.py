"""Contestants the votes do not place: why, and how far the votes still bound them.

An undefeated contestant's likelihood rises for ever with its strength, so it has no rating; but
low strengths become unlikely. The bound is the strength at which the profile likelihood has
fallen to 1 − confidence of its supremum: were it any lower, votes like these would be rarer still.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ranking.arrays import BoolArray, FloatArray
from ranking.design import Design
from ranking.newton import NoEstimateError, Solution, solve
from ranking.result import Unplaced
from ranking.selection import Selection

_LONGEST_STEP = 3.0
# Newton's error is of the order of the last move squared.
_CLOSE = 1e-6
_ITERATIONS = 60


def unplaced(
    prepared: Selection, design: Design | None, solution: Solution | None
) -> tuple[Unplaced, ...]:
    """Everybody outside the main group, in the order of names; bounds need the main group's fit."""
    placement = prepared.placement
    record = placement.graph.record()
    sizes = np.bincount(placement.group)
    found = []
    for i in np.flatnonzero(~placement.main):
        wins, losses, ties = (int(count) for count in record[i])
        bound = None
        if design is not None and solution is not None:
            bound = _bound(prepared, design, solution, int(i))
        found.append(
            Unplaced(
                contestant=prepared.contestants[i],
                votes=wins + losses + ties,
                reason=_reason(prepared, int(i), wins, losses, ties),
                wins=wins,
                losses=losses,
                ties=ties,
                group=int(sizes[placement.group[i]]),
                bound=bound,
            )
        )
    return tuple(sorted(found, key=lambda entry: entry.contestant))


def _reason(prepared: Selection, i: int, wins: int, losses: int, ties: int) -> str:
    if wins + losses + ties == 0:
        return "no_votes"
    if losses + ties == 0:
        return "undefeated"
    if wins + ties == 0:
        return "winless"
    if prepared.placement.above[i]:
        return "above"
    return "below" if prepared.placement.below[i] else "separate_group"


def _bound(prepared: Selection, design: Design, solution: Solution, i: int) -> float | None:
    """One-sided bound in rating points, None where no chain of wins leads to the main group."""
    placement, spec = prepared.placement, prepared.spec
    if not (placement.above[i] or placement.below[i]):
        return None
    if spec.likelihood == "four_outcome":
        # The limits of both-bad votes involve the ground, so no group splits off at no loss.
        return None
    profile = _Profile.of(prepared, design, solution, i)
    # The supremum lies at infinity, where the deviance has no χ² distribution; but votes this
    # one-sided come about at t with the probability exp(ℓ(t) − ℓ_sup), whatever their number.
    allowed = -2.0 * math.log1p(-spec.confidence)
    try:
        theta = profile.where_deviance_is(allowed)
    except NoEstimateError:
        # The likelihood falls too steeply there to be followed: no bound is told.
        return None
    if spec.anchor is not None:
        theta -= float(solution.theta[prepared.labels.index(spec.anchor)])
    return spec.center + spec.elo * theta


@dataclass(frozen=True, slots=True)
class _Profile:
    """The likelihood's profile over t = θ_i − mean θ of the main group.

    Design of the votes among the main group, the contestant and the groups between them; start:
    (M + K,) point at which t = 0; loose: (M,) 1 for those outside the main group; contrast: (M,)
    of t; supremum: the least loss, at infinite t; first: a t near those of its opponents.
    """

    design: Design
    start: FloatArray
    loose: FloatArray
    contrast: FloatArray
    supremum: float
    first: float

    @classmethod
    def of(cls, prepared: Selection, design: Design, solution: Solution, i: int) -> _Profile:
        placement = prepared.placement
        members = placement.between(i)
        main = placement.main[members]
        full = prepared.among(members, design)
        theta, gamma, supremum = _limit(prepared, design, solution, members)
        contrast = np.where(main, -1.0 / main.sum(), 0.0)
        here = int(members[:i].sum())
        contrast[here] += 1.0
        loose = np.where(main, 0.0, 1.0)
        theta = theta - loose * float(contrast @ theta)
        met = np.bincount(
            np.append(full.second[full.first == here], full.first[full.second == here]),
            minlength=main.size,
        )
        near = theta[(met > 0) & main]
        first = float(near.mean()) if near.size else 0.0
        start = np.concatenate([theta, gamma])
        return cls(full, start, loose, contrast, supremum, first)

    def where_deviance_is(self, allowed: float) -> float:
        """t with 2 [ℓ_sup − ℓ_profile(t)] = allowed, by Newton on the convex deviance."""
        t, point, m = self.first, self.start.copy(), self.loose.size
        point[:m] += t * self.loose
        for _ in range(_ITERATIONS):
            best = solve(self.design, start=point, constraint=self.contrast)
            excess = 2.0 * (best.loss - self.supremum) - allowed
            move = float(np.clip(-excess / (2.0 * best.slope), -_LONGEST_STEP, _LONGEST_STEP))
            t += move
            if abs(move) < _CLOSE:
                break
            point = np.concatenate([best.theta + move * self.loose, best.gamma])
        return t


def _limit(
    prepared: Selection,
    design: Design,
    solution: Solution,
    members: BoolArray,
) -> tuple[FloatArray, FloatArray, float]:
    """Strengths, coefficients and loss as the groups move infinitely apart.

    Votes between groups are then all won with certainty, so only those within groups remain.
    Where the groups outside the main one are single contestants, that is the main fit.
    """
    group = prepared.placement.group[members]
    main = prepared.placement.main[members]
    if np.unique(group[~main]).size == (~main).sum():
        theta = np.zeros(main.size)
        theta[main] = solution.theta
        return theta, solution.gamma, solution.loss
    limit = solve(prepared.among(members, design, np.unique(group, return_inverse=True)[1]))
    return limit.theta, limit.gamma, limit.loss
