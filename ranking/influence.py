"""How few votes carry an order: the fewest whose removal turns a pair or moves a contestant.

Removing vote k moves a contrast cᵀθ by about −cᵀH⁻¹z_k r_k/(1 − h_k), with r_k its residual and
h_k = v_k z_kᵀH⁻¹z_k its leverage: one Newton step of the fit without it (Pregibon 1981). Votes are
taken out in the order of this influence (Broderick, Giordano & Meager 2020). Whether a removal
does it is decided by a bound on where the estimate then lies (see ranking.nearby) or else by an
exact refit, and what is reported is confirmed by one: an upper bound on the fewest votes, never an
approximation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from ranking.arrays import FloatArray, IndexArray
from ranking.design import PairDesign
from ranking.diagnostics import NOBODY_PLACED
from ranking.errors import ConvergenceError, SpecError
from ranking.fitting import Estimate, estimate
from ranking.inference import bread, clusters_of
from ranking.nearby import Near, Nearby, few_rows
from ranking.newton import residuals
from ranking.ranks import SAME
from ranking.refits import Refit, refit
from ranking.selection import prepare
from ranking.spec import RankingSpec
from ranking.votes import Votes

Unit = Literal["vote", "voter"]

# Influences at the flipped fit order the votes better than those at the full one; a few rounds
# of this settle.
_ROUNDS = 4
# Sorted first; more only where these are not enough.
_LIKELY = 1 << 16
# Influences that differ by less than this share of the largest are alike, and the earlier row goes
# first: which of two like votes goes must not hang on the last digit of a sum.
_ALIKE = 2.0**-26
# A vote that alone holds a contestant has a leverage near 1, where one step says nothing.
_HELD = 0.1


@dataclass(frozen=True, slots=True)
class Fragility:
    """How few votes, or voters with all their votes, hold `contestant` where it stands.

    opponent: who takes its place (or whose place it takes) when they are gone. ranks: the move in
        ranks that was asked for, positive up; None where the order of the pair was.
    fewest: a number that is enough, confirmed by an exact refit: an upper bound on the fewest.
        None where no removal in order of influence does it while the votes still place everyone
        concerned. share: of all counted votes (or voters).
    predicted: what the influences alone promise; None where they promise nothing.
    before, after: rating of contestant less opponent without and with the removal.
    removed: rows of the votes that go. voters: ids of the voters that go, −1 where unknown;
        empty when single votes go. refits: removals that were tried.
    """

    contestant: str
    opponent: str
    ranks: int | None
    unit: str
    fewest: int | None
    share: float | None
    predicted: int | None
    before: float
    after: float | None
    removed: tuple[int, ...]
    voters: tuple[int, ...]
    refits: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {**asdict(self), "removed": list(self.removed), "voters": list(self.voters)}


@dataclass(frozen=True, slots=True)
class _Units:
    """What is taken out at once: code (n,) in [0, number) of each row of a design.

    None: each row is a unit.
    """

    code: IndexArray | None
    number: int

    def times(self, out: IndexArray) -> FloatArray:
        """(n,) 0 for the rows of the units that go, 1 for the rest."""
        stays = np.ones(self.number)
        stays[out] = 0.0
        return stays if self.code is None else stays[self.code]

    def rows(self, out: IndexArray) -> IndexArray:
        """The rows of the units that go."""
        if self.code is None:
            return out
        goes = np.zeros(self.number, dtype=bool)
        goes[out] = True
        return np.flatnonzero(goes[self.code])

    def summed(self, gain: FloatArray) -> FloatArray:
        """(number,) sums over the rows, (n,), of each unit."""
        if self.code is None:
            return gain
        return np.bincount(self.code, weights=gain, minlength=self.number).astype(float)


class _Goal(ABC):
    """What a removal is to reach."""

    @abstractmethod
    def reached(self, found: Refit) -> bool | None:
        """Whether an estimate without some votes reaches it; None where it cannot be told."""

    @abstractmethod
    def decided(self, near: Near) -> bool | None:
        """The same of an estimate that is known to within bounds; None where they are too wide."""


@dataclass(frozen=True, slots=True)
class _Turned(_Goal):
    """j leads i."""

    i: int
    j: int

    def reached(self, found: Refit) -> bool | None:
        if not (found.placed[self.i] and found.placed[self.j]):
            return None
        return _leads(found.theta, self.j, self.i)

    def decided(self, near: Near) -> bool | None:
        return near.leads(self.j, self.i)


@dataclass(frozen=True, slots=True, eq=False)
class _Moved(_Goal):
    """i has moved by `ranks` from `rank`, which it has under theta."""

    theta: FloatArray
    i: int
    rank: int
    ranks: int

    def reached(self, found: Refit) -> bool | None:
        if not found.placed[self.i]:
            return None
        above = found.placed & (found.theta - found.theta[self.i] > SAME)
        if self.ranks > 0:
            above |= ~found.placed & (self.theta - self.theta[self.i] > SAME)
        return self._is_there(1 + int(above.sum()))

    def decided(self, near: Near) -> bool | None:
        highest, lowest = (self._is_there(1 + above) for above in near.above(self.i))
        return highest if highest == lowest else None

    def _is_there(self, now: int) -> bool:
        goal = self.rank - self.ranks
        return now <= goal if self.ranks > 0 else now >= goal


@dataclass(frozen=True, slots=True)
class _Found:
    """Units whose removal reaches the goal, and the refit that shows it."""

    out: IndexArray
    refit: Refit


@dataclass(frozen=True, slots=True)
class _Search:
    """What a search found, what influences alone promised, and the removals tried."""

    best: _Found | None
    predicted: int | None
    tried: int


def fragility(
    votes: Votes,
    spec: RankingSpec | None = None,
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    unit: Unit = "vote",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Fragility, ...]:
    """The fewest votes, or voters, without which the order of two contestants turns.

    pairs: of placed contestants, in any order; None for each contestant and the next on the board.
    In each result `contestant` is the one that leads. With unit "voter" a vote by an unknown
    voter is a voter of one vote. progress: called after each pair with the number of pairs done
    and of all.

    Raises SpecError for contestants that are not placed or level, for unknown voters, and what
    `fit` raises.
    """
    return fragility_of(Questioned.of(votes, spec), pairs, unit, progress)


def fragility_of(
    questioned: Questioned,
    pairs: Sequence[tuple[str, str]] | None = None,
    unit: Unit = "vote",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Fragility, ...]:
    """The same of a fit that is there already."""
    fitted = questioned.fitted
    labels, theta = fitted.prepared.labels, fitted.solution.theta
    if pairs is None:
        order = np.lexsort((np.array(labels), -theta)).tolist()
        chosen = [(i, j) for i, j in pairwise(order) if _leads(theta, i, j)]
    else:
        chosen = [_led(fitted, *pair) for pair in pairs]
    units = _units(fitted, unit)
    found = []
    for i, j in chosen:
        goal, contrast = _Turned(i, j), _contrast(fitted.design.contestants, i, [j])
        search = _fewest(questioned, units, contrast, goal)
        found.append(_result(fitted, units, unit, (i, j), None, search))
        if progress is not None:
            progress(len(found), len(chosen))
    return tuple(found)


def rank_fragility(
    votes: Votes,
    spec: RankingSpec | None = None,
    *,
    contestant: str,
    ranks: int,
    unit: Unit = "vote",
) -> Fragility:
    """The fewest votes, or voters, without which a contestant moves by `ranks` (positive is up).

    A rival that the remaining votes do not place counts against the move: as above when the
    contestant is to rise, as not above when it is to fall. `opponent` is the last rival to pass.

    Raises SpecError when the contestant is not placed or has too few rivals on that side, and
    as `fragility` does.
    """
    questioned = Questioned.of(votes, spec)
    fitted, theta = questioned.fitted, questioned.fitted.solution.theta
    i = position_of(fitted, contestant)
    passed = rivals_to_pass(theta, i, ranks)
    units = _units(fitted, unit)
    goal = _Moved(theta, i, 1 + int((theta - theta[i] > SAME).sum()), ranks)
    sign = 1.0 if ranks < 0 else -1.0
    searches = [
        _fewest(questioned, units, sign * _contrast(theta.size, i, group), goal)
        for group in ([passed[-1]], *([passed] if len(passed) > 1 else []))
    ]
    fewest = min(searches, key=lambda search: search.best.out.size if search.best else np.inf)
    search = replace(fewest, tried=sum(one.tried for one in searches))
    return _result(fitted, units, unit, (i, passed[-1]), ranks, search)


@dataclass(frozen=True, slots=True)
class Questioned:
    """A fit of votes whose order is questioned, ready for many questions.

    nearby: what is near it; None where only refits tell.
    """

    votes: Votes
    fitted: Estimate
    nearby: Nearby | None

    @classmethod
    def of(cls, votes: Votes, spec: RankingSpec | None = None) -> Questioned:
        """Fit the votes. Raises SpecError when nobody can be placed, and what `fit` raises."""
        prepared = prepare(votes, spec or RankingSpec())
        if prepared.design is None:
            raise SpecError(NOBODY_PLACED)
        return cls.of_estimate(votes, estimate(prepared, prepared.design))

    @classmethod
    def of_estimate(cls, votes: Votes, fitted: Estimate) -> Questioned:
        """The same with the fit at hand."""
        return cls(votes, fitted, Nearby.of(fitted))


def position_of(fitted: Estimate, contestant: str) -> int:
    """Index of a placed contestant. Raises SpecError for any other name."""
    if contestant not in fitted.prepared.labels:
        raise SpecError(f"{contestant!r} is not among the placed contestants.")
    return fitted.prepared.labels.index(contestant)


def rivals_to_pass(theta: FloatArray, i: int, ranks: int) -> list[int]:
    """Those that i must pass to move by `ranks`, the nearest first.

    Raises SpecError when there are fewer on that side, or the move is none.
    """
    lead = theta - theta[i]
    above = lead > SAME
    side = above if ranks > 0 else ~above
    side[i] = False
    nearest = np.flatnonzero(side)[np.argsort(np.abs(lead[side]), kind="stable")]
    if ranks == 0 or abs(ranks) > nearest.size:
        way = "fall" if ranks < 0 else "rise"
        raise SpecError(f"it can {way} by 1 to {nearest.size} ranks, not by {abs(ranks)}.")
    return [int(j) for j in nearest[: abs(ranks)]]


def _leads(theta: FloatArray, i: int, j: int) -> bool:
    return bool(theta[i] - theta[j] > SAME)


def _led(fitted: Estimate, one: str, other: str) -> tuple[int, int]:
    """The pair as (leader, other)."""
    i, j = position_of(fitted, one), position_of(fitted, other)
    theta = fitted.solution.theta
    if _leads(theta, j, i):
        i, j = j, i
    if not _leads(theta, i, j):
        raise SpecError(f"{one!r} and {other!r} are level, so there is no order to turn.")
    return i, j


def _units(fitted: Estimate, unit: Unit) -> _Units:
    n, voter = len(fitted.design), fitted.prepared.votes.voter
    if unit == "vote":
        return _Units(None, n)
    if unit != "voter":
        raise SpecError(f"unit must be vote or voter, not {unit!r}.")
    if voter is None or not (voter[fitted.design.rows] >= 0).any():
        raise SpecError("voters cannot be taken out: no counted vote has a known voter.")
    clusters = clusters_of(fitted.design, voter)
    code = clusters.code.astype(np.intp)
    code[code < 0] = np.arange(clusters.sizes.size, clusters.number)
    return _Units(code, clusters.number)


def _contrast(m: int, i: int, group: Sequence[int]) -> FloatArray:
    """(M,) of θ_i less the mean of a group."""
    c = np.zeros(m)
    c[list(group)] = -1.0 / len(group)
    c[i] += 1.0
    return c


def _fewest(questioned: Questioned, units: _Units, c: FloatArray, goal: _Goal) -> _Search:
    """The fewest units whose removal is found to bring cᵀθ > 0 down far enough.

    The first order is that of influences at the estimate; each further one is that at the last
    removal that reached the goal, and counts only if it gets there with fewer.
    """
    fitted, trial = questioned.fitted, _Trial(questioned, units, goal)
    gain = _gains(fitted.design, fitted.bread, fitted.residual, c)
    order, total = _in_order(units, gain, needed=float(c @ fitted.solution.theta))
    enough = int(np.searchsorted(total, float(c @ fitted.solution.theta)))
    predicted = enough + 1 if enough < order.size else None
    best = trial.bisect(order, predicted or order.size)
    for _ in range(_ROUNDS):
        if best is None or best.out.size < 2:
            break
        gain = _gains_at(best.refit, fitted.design, c)
        order, _ = _in_order(units, gain, most=best.out.size - 1)
        fewer = trial.bisect(order, best.out.size - 1)
        if fewer is None:
            break
        best = fewer
    return _Search(best, predicted, trial.tried)


@dataclass(slots=True)
class _Trial:
    """Removes prefixes of an order of units, and counts how many."""

    questioned: Questioned
    units: _Units
    goal: _Goal
    tried: int = 0

    def without(self, out: IndexArray) -> tuple[bool | None, FloatArray | Refit | None]:
        """Whether the goal is reached without these units; None where it cannot be told. With the
        estimate, or a point near it, (M + K,), if that is enough to tell."""
        self.tried += 1

        def tell(near: Near) -> tuple[bool, FloatArray] | None:
            state = self.goal.decided(near)
            return None if state is None else (state, np.concatenate([near.theta, near.gamma]))

        nearby, design = self.questioned.nearby, self.questioned.fitted.design
        if nearby is not None and out.size:
            rows = self.units.rows(out)
            gone = few_rows(design, rows, design.y[rows], np.full(rows.size, -1.0))
            if (told := nearby.settle(gone, tell)) is not None:
                return told
        found = self._refit(out)
        return None if found is None else self.goal.reached(found), found

    def _refit(self, out: IndexArray, start: FloatArray | None = None) -> Refit | None:
        try:
            return refit(self.questioned.fitted, self.units.times(out), start)
        except ConvergenceError:
            return None

    def bisect(self, order: IndexArray, guess: int) -> _Found | None:
        """A prefix that reaches the goal although one unit less does not, near the shortest one.

        More units than leave the contestants placed are not tried again. What is found by bounds
        is fitted at the end.
        """
        low, high, best = 0, order.size + 1, None
        size = min(guess, order.size)
        while high - low > 1:
            state, found = self.without(order[:size])
            if state is False:
                low = size
            else:
                high, best = size, found if state else None
            doubling = high > order.size and 2 * low < order.size
            size = 2 * low if doubling else (low + high) // 2
        if isinstance(best, np.ndarray):
            best = self._refit(order[:high], best)
        return None if best is None else _Found(order[:high], best)


def _in_order(
    units: _Units, gain: FloatArray, *, needed: float = 0.0, most: int | None = None
) -> tuple[IndexArray, FloatArray]:
    """Units that help, the most helpful first, and their summed gains.

    most: so many are enough, None where it depends on what they sum up to: all of them unless a
    part of them promises twice what is needed.
    """
    of_unit = units.summed(gain)
    helpful = np.flatnonzero(of_unit > 0.0)
    size = _LIKELY if most is None else most
    if helpful.size > size:
        least = np.partition(of_unit[helpful], helpful.size - size)[helpful.size - size]
        likely = helpful[of_unit[helpful] >= least * (1.0 - _ALIKE)]
        if most is not None or float(of_unit[likely].sum()) > 2.0 * needed:
            helpful = likely
    gains = of_unit[helpful]
    if gains.size:
        gains = np.rint(gains / (gains.max() * _ALIKE))
    order = helpful[np.argsort(-gains, kind="stable")][:most]
    return order, np.cumsum(of_unit[order])


def _gains_at(found: Refit, design: PairDesign, c: FloatArray) -> FloatArray:
    """Gains at a refit, also of the votes that it leaves out."""
    full = replace(found.design, weight=design.weight)
    residual = residuals(full, found.solution.theta, found.solution.gamma)
    inside = found.placed[design.first] & found.placed[design.second]
    residual[..., ~np.repeat(inside, design.counts)] = 0.0
    return _gains(full, bread(found.design, found.solution), residual, c)


def _gains(
    design: PairDesign, inverse: FloatArray, residual: FloatArray, c: FloatArray
) -> FloatArray:
    """(n,) how far cᵀθ falls, to one Newton step, without each vote.

    inverse: (M + K, M + K) H⁻¹, centred or not. residual: (n,) or (C, n). c: (M,), of sum 0.
    A vote of several channels is taken without its leverage, which only its order depends on.
    """
    m, k = design.contestants, len(design.names)
    a, channels = c @ inverse[:m], np.atleast_2d(residual)
    to_first, to_second = design.likelihood.sides
    slope = np.outer(to_first, a[design.first]) + np.outer(to_second, a[design.second])
    slope[1:] += a[m + k :, None]

    def work(low: int, high: int) -> FloatArray:
        begin, end = design.starts[low], design.starts[high]
        along = np.repeat(slope[:, low:high], design.counts[low:high], axis=1)
        along[0] += a[m : m + k] @ design.x[:, begin:end]
        return np.asarray((along * channels[:, begin:end]).sum(axis=0))

    gains = np.concatenate(design.each_block(work))
    if len(channels) == 1:
        gains /= np.maximum(1.0 - _leverage(design, inverse, residual), _HELD)
    return gains


def _leverage(design: PairDesign, inverse: FloatArray, residual: FloatArray) -> FloatArray:
    """(n,) h = v zᵀH⁻¹z of each row under Bradley-Terry, where v = w p (1 − p)."""
    m, i, j = design.contestants, design.first, design.second
    own = inverse[i, i] + inverse[j, j] - inverse[i, j] - inverse[j, i]
    mixed = inverse[i, m:].T - inverse[j, m:].T + inverse[m:, i] - inverse[m:, j]

    def work(low: int, high: int) -> FloatArray:
        begin, end, counts = design.starts[low], design.starts[high], design.counts[low:high]
        x, w = design.x[:, begin:end], np.ones(1)
        if design.weight is not None:
            w = design.weight[begin:end]
        p = design.y[begin:end] - residual[begin:end] / w
        spread = np.repeat(own[low:high], counts)
        spread += (x * (np.repeat(mixed[:, low:high], counts, axis=1) + inverse[m:, m:] @ x)).sum(0)
        return np.asarray(w * p * (1.0 - p) * spread)

    return np.concatenate(design.each_block(work))


def _result(
    fitted: Estimate,
    units: _Units,
    unit: Unit,
    pair: tuple[int, int],
    ranks: int | None,
    search: _Search,
) -> Fragility:
    (i, j), labels, elo = pair, fitted.prepared.labels, fitted.prepared.spec.elo
    theta, votes, best = fitted.solution.theta, fitted.prepared.votes, search.best
    gone = np.zeros(0, dtype=np.intp)
    voters: tuple[int, ...] = ()
    after = None
    if best is not None:
        rows = fitted.design.rows
        gone = np.sort(rows[units.times(best.out) == 0.0])
        if units.code is not None and votes.voter is not None:
            of_unit = np.empty(units.number, dtype=np.intp)
            of_unit[units.code] = votes.voter[rows]
            voters = tuple(of_unit[best.out].tolist())
        if best.refit.placed[j]:
            after = elo * float(best.refit.theta[i] - best.refit.theta[j])
    return Fragility(
        contestant=labels[i],
        opponent=labels[j],
        ranks=ranks,
        unit=unit,
        fewest=None if best is None else int(best.out.size),
        share=None if best is None else float(best.out.size / units.number),
        predicted=search.predicted,
        before=elo * float(theta[i] - theta[j]),
        after=after,
        removed=tuple(gone.tolist()),
        voters=voters,
        refits=search.tried,
    )
