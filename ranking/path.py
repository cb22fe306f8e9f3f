"""From the raw board to the controlled one: the control path, and what each feature did on it.

θ(λ) is the fit in which style has λ times its controlled effect: the offset λ·x·γ̂ is fixed; the
strengths, the position term and the likelihood's own parameters are free. θ(0) is the raw fit and
θ(1) the controlled one. Along it the strengths answer to each feature f separately,

    dθ/dλ = Σ_f dθ_f/dλ,   dθ_f/dλ = −(H⁻¹ H_f γ̂_f)_θ

with H the Hessian over the free parameters at θ(λ) and H_f its column between them and γ_f. The
integrals over λ account for a contestant's whole movement, feature by feature: an Aumann-Shapley
split (Aumann & Shapley 1974), which no order of the features decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg

from ranking.arrays import BoolArray, FloatArray
from ranking.design import POSITION, PairDesign
from ranking.errors import ConvergenceError, SpecError
from ranking.exact import closed, points, units
from ranking.fitting import anchor_theta, solved
from ranking.movement import raw_design
from ranking.newton import Solution, evaluate, gauge, solve
from ranking.ranks import ranks_of
from ranking.selection import Prepared, prepare
from ranking.spec import RankingSpec
from ranking.votes import Votes

CLOSES = 1e-9
_NODES = (3, 6, 12, 24, 48)
_GRID = 21


@dataclass(frozen=True, slots=True)
class PathStanding:
    """A contestant at one strength of control: rating points and rank."""

    contestant: str
    rating: float
    rank: int


@dataclass(frozen=True, slots=True)
class PathPoint:
    """The board at one strength λ of control, in order of rank."""

    strength: float
    standings: tuple[PathStanding, ...]


@dataclass(frozen=True, slots=True)
class FeatureTerm:
    """What controlling for one feature did to a contestant.

    rating: points. difference: by how much the contestant's answers exceed those they met, mean
    over its counted votes in units of the control's scale.
    """

    control: str
    rating: float
    difference: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """Why control of style moves a contestant.

    raw, controlled, rating: its ratings with the mean of placed contestants at the spec's center
        (whatever the anchor), and controlled − raw; whole multiples of 2⁻³² (see ranking.exact).
    ranks: raw rank − controlled rank, + is up.
    terms: one per control of the spec; they sum to `rating` exactly.
    """

    contestant: str
    raw: float
    controlled: float
    rating: float
    raw_rank: int
    controlled_rank: int
    terms: tuple[FeatureTerm, ...]

    @property
    def ranks(self) -> int:
        """Raw rank − controlled rank."""
        return self.raw_rank - self.controlled_rank

    @property
    def main(self) -> FeatureTerm | None:
        """The term of most points; None where nothing moved it."""
        moved = [term for term in self.terms if term.rating]
        return max(moved, key=lambda term: abs(term.rating), default=None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {**asdict(self), "ranks": self.ranks}


@dataclass(frozen=True, eq=False)
class ControlPath:
    """The control path of one board, ready to be asked at any strength.

    contestants: the M placed ones, as the arrays number them. features: the F controls that
    differ in these votes. raw, controlled: (M + K,) point at either end, (θ, coefficients); the
    raw end's style coefficients are 0. style: (M + K,) which parameters are style coefficients.
    """

    contestants: tuple[str, ...]
    features: tuple[str, ...]
    spec: RankingSpec
    raw: FloatArray
    controlled: FloatArray
    style: BoolArray
    prepared: Prepared = field(repr=False)
    design: PairDesign = field(repr=False)

    def at(self, strength: float) -> PathPoint:
        """The board at a strength of control in [0, 1]: an exact fit, from the nearest known one.

        Raises SpecError when `strength` lies outside.
        """
        if not 0.0 <= strength <= 1.0:
            raise SpecError(f"a strength of control lies between 0 and 1, not {strength}.")
        return self._shown(float(strength), self._point(strength, self._guess(strength)))

    def grid(self, steps: int = _GRID) -> tuple[PathPoint, ...]:
        """The board at `steps` equally spaced strengths, both ends among them."""
        if steps < 2:
            raise SpecError(f"a grid needs both ends, so at least 2 steps, not {steps}.")
        known: list[FloatArray] = []
        for k in range(steps):
            known.append(self._point(k / (steps - 1), _ahead(known) if known else self.raw))
        return tuple(self._shown(k / (steps - 1), point) for k, point in enumerate(known))

    @cached_property
    def attributions(self) -> tuple[Attribution, ...]:
        """Why each contestant moves, in the controlled order."""
        return _attributions(self)

    def attribution(self, contestant: str) -> Attribution:
        """Why one contestant moves. Raises SpecError when the votes do not place it."""
        for found in self.attributions:
            if found.contestant == contestant:
                return found
        raise SpecError(f"{contestant!r} is not among the contestants that these votes place.")

    def to_dict(self, steps: int = _GRID) -> dict[str, Any]:
        """JSON-able form of the grid and the attributions."""
        return {
            "spec": self.spec.to_dict(),
            "path": [asdict(shown) for shown in self.grid(steps)],
            "attributions": [found.to_dict() for found in self.attributions],
        }

    def integrals(self) -> FloatArray:
        """What each feature did to each θ between the ends, (F, M).

        Gauss-Legendre on [0, 1], with more nodes until the sum over features meets θ(1) − θ(0) to
        1e-9 for everybody. Raises ConvergenceError when it does not.
        """
        m = len(self.contestants)
        moved, gap = self.controlled[:m] - self.raw[:m], np.inf
        for nodes in _NODES:
            at, weight = np.polynomial.legendre.leggauss(nodes)
            total, point = np.zeros((len(self.features), m)), self.raw
            for strength, share in zip(0.5 + 0.5 * at, 0.5 * weight, strict=True):
                point = self._point(float(strength), point)
                total += share * self._slopes(point)
            gap = float(np.abs(total.sum(axis=0) - moved).max())
            if gap < CLOSES:
                return total
        raise ConvergenceError(
            f"the account of the movement from raw to controlled is {gap:.3g} away from closing "
            f"after {_NODES[-1]} nodes."
        )

    def _guess(self, strength: float) -> FloatArray:
        """The straight line between the ends: right to a few hundredths."""
        return self.raw + strength * (self.controlled - self.raw)

    def _point(self, strength: float, start: FloatArray) -> FloatArray:
        """The point of the path at a strength, by Newton from a start nearby."""
        if strength in (0.0, 1.0):
            return self.controlled if strength else self.raw
        start = np.where(self.style, strength * self.controlled, start)
        found = solve(self.design, start=start, held=self.style)
        return np.concatenate([found.theta, found.gamma])

    def _slopes(self, point: FloatArray) -> FloatArray:
        """dθ_f/dλ at a point of the path for each style column, (F, M), of mean 0."""
        hessian = evaluate(self.design, point).hessian
        hessian += gauge(self.design, hessian)
        free = ~self.style
        pull = hessian[np.ix_(free, self.style)] * self.controlled[self.style]
        answer = -linalg.solve(hessian[np.ix_(free, free)], pull, assume_a="pos")
        slopes = answer[: len(self.contestants)].T
        return np.asarray(slopes - slopes.mean(axis=1, keepdims=True))

    def _shown(self, strength: float, point: FloatArray) -> PathPoint:
        theta = point[: len(self.contestants)]
        rating = self.spec.center + self.spec.elo * (theta - anchor_theta(self.prepared, theta))
        standings = [
            PathStanding(name, float(rated), int(rank))
            for name, rated, rank in zip(self.contestants, rating, ranks_of(theta), strict=True)
        ]
        order = sorted(standings, key=lambda standing: (standing.rank, standing.contestant))
        return PathPoint(strength, tuple(order))


def control_path(votes: Votes, spec: RankingSpec) -> ControlPath:
    """The path from the raw board to the controlled one, on the votes that carry all controls.

    Raises SpecError when the spec has no controls or the votes place nobody, and what `fit`
    raises.
    """
    if not spec.controls:
        raise SpecError("a control path needs at least one control, such as length.")
    prepared = prepare(votes, spec)
    if prepared.design is None:
        raise SpecError("these votes place nobody, so there is no path to walk.")
    return path_of(prepared, prepared.design, solved(prepared, prepared.design))


def path_of(prepared: Prepared, design: PairDesign, controlled: Solution) -> ControlPath:
    """The same from the controlled end's fit."""
    raw = solved(prepared, raw_design(design)[0])
    style = np.zeros(controlled.theta.size + controlled.gamma.size, dtype=bool)
    features = tuple(name for name in design.names if name != POSITION)
    style[design.contestants :] = [name in features for name in design.coefficients]
    start = np.zeros(style.size)
    start[~style] = np.concatenate([raw.theta, raw.gamma])
    return ControlPath(
        contestants=tuple(prepared.labels),
        features=features,
        spec=prepared.spec,
        raw=start,
        controlled=np.concatenate([controlled.theta, controlled.gamma]),
        style=style,
        prepared=prepared,
        design=design,
    )


def _ahead(known: Sequence[FloatArray]) -> FloatArray:
    """Where the path goes next, by the parabola through its last three equally spaced points."""
    weights = ((1.0,), (-1.0, 2.0), (1.0, -3.0, 3.0))[min(len(known), 3) - 1]
    return np.asarray(np.tensordot(weights, known[-len(weights) :], axes=1))


def attribute(votes: Votes, spec: RankingSpec, contestant: str) -> Attribution:
    """Why control of style moves one contestant: its movement, feature by feature.

    Raises what `control_path` raises, and SpecError when the votes do not place the contestant.
    """
    return control_path(votes, spec).attribution(contestant)


def _attributions(path: ControlPath) -> tuple[Attribution, ...]:
    m = len(path.contestants)
    raw, controlled = path.raw[:m], path.controlled[:m]
    ratings = [path.spec.center + path.spec.elo * theta for theta in (raw, controlled)]
    ranks = [ranks_of(theta) for theta in (raw, controlled)]
    terms, differences = path.spec.elo * path.integrals(), _differences(path)
    found = []
    for i in range(m):
        before, after = (units(float(rating[i])) for rating in ratings)
        whole = closed([units(float(term)) for term in terms[:, i]], after - before)
        found.append(
            Attribution(
                contestant=path.contestants[i],
                raw=points(before),
                controlled=points(after),
                rating=points(after - before),
                raw_rank=int(ranks[0][i]),
                controlled_rank=int(ranks[1][i]),
                terms=_feature_terms(path, whole, differences[:, i]),
            )
        )
    return tuple(sorted(found, key=lambda entry: (entry.controlled_rank, entry.contestant)))


def _feature_terms(
    path: ControlPath, whole: Sequence[int], difference: FloatArray
) -> tuple[FeatureTerm, ...]:
    """One term per control of the spec; a column that is 0 in every row has done nothing."""
    told = {
        name: FeatureTerm(name, points(units_of), float(mean))
        for name, units_of, mean in zip(path.features, whole, difference, strict=True)
    }
    return tuple(told.get(name, FeatureTerm(name, 0.0, 0.0)) for name in path.spec.controls)


def _differences(path: ControlPath) -> FloatArray:
    """Mean of each style column over each contestant's rows, from its side; (F, M)."""
    design = path.design
    sums = np.add.reduceat(design.x[: len(path.features)], design.starts[:-1], axis=1)
    means = np.empty((len(sums), design.contestants))
    for k, column in enumerate(sums):
        means[k] = design.scatter(column, -column) / design.votes_of()
    return means
