"""Does the likelihood rise for ever? An exact answer by a linear programme.

A direction h of (θ, γ) along which no vote becomes less likely and some become more so leaves no
finite estimate (Albert & Anderson 1984; Konis 2007). It satisfies z·h >= 0 for every row that the
first won, <= 0 where the second did and = 0 for ties. Where ties have a parameter, a tie also
allows |z·h| <= c, and then every win needs |z·h| >= c.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import sparse

from ranking.arrays import BoolArray, FloatArray, IndexArray
from ranking.design import Design, PairDesign
from ranking.errors import ConvergenceError

_ROWS = 2_000
_FEASIBLE = 1e-7
_RISES = 1e-4


def separating_direction(design: Design) -> FloatArray | None:
    """A direction h, (M + K,), that separates wins from losses; None when there is none.

    Rows enter the programme only when its solution breaks them, so that millions of votes cost a
    few small programmes. Not for the likelihoods whose level is a parameter.

    Raises ConvergenceError when the programme itself cannot be solved.
    """
    gain = design.summed(_total)
    chosen = _gathered(design.each_part(_spread))
    while True:
        direction = _solved(design, gain, chosen)
        slacks = list(design.each_part(partial(_slacks, h=direction)))
        highest = max(slack.highest for slack in slacks)
        if highest < _RISES and min(slack.lowest for slack in slacks) > -_RISES:
            return None
        broken = _gathered(slack.broken for slack in slacks).without(chosen)
        if not len(broken):
            if highest < _RISES:
                return None
            return np.asarray(direction / highest)
        chosen = chosen.joined(broken.worst(_ROWS))


@dataclass(frozen=True, slots=True)
class _Conditions:
    """Conditions as rows of the programme: c in number, of part[i] there the place[i]-th.

    rows: (c, M + K), whose product with h is the slack. slack: (c,) that last found.
    """

    part: IndexArray
    place: IndexArray
    rows: sparse.csr_array
    slack: FloatArray

    def __len__(self) -> int:
        return int(self.place.size)

    def of(self, index: IndexArray) -> _Conditions:
        return _Conditions(self.part[index], self.place[index], self.rows[index], self.slack[index])

    def without(self, others: _Conditions) -> _Conditions:
        known = set(zip(others.part.tolist(), others.place.tolist(), strict=True))
        pairs = zip(self.part.tolist(), self.place.tolist(), strict=True)
        return self.of(np.flatnonzero([pair not in known for pair in pairs]))

    def worst(self, most: int) -> _Conditions:
        return self.of(np.argsort(self.slack, kind="stable")[:most])

    def joined(self, others: _Conditions) -> _Conditions:
        """Both, in the order of parts and places, which settles ties within the programme."""
        both = _stacked([self, others])
        return both.of(np.lexsort((both.place, both.part)))


def _gathered(of_parts: Iterable[_Conditions]) -> _Conditions:
    """The conditions of all parts, which learn here which part they are of."""
    found = [replace(one, part=np.full(len(one), k)) for k, one in enumerate(of_parts)]
    return _stacked(found)


def _stacked(several: Sequence[_Conditions]) -> _Conditions:
    return _Conditions(
        np.concatenate([one.part for one in several]),
        np.concatenate([one.place for one in several]),
        sparse.vstack([one.rows for one in several], format="csr"),
        np.concatenate([one.slack for one in several]),
    )


@dataclass(frozen=True, slots=True)
class _Slacks:
    """How far the conditions of a part hold: the most, the least, and the worst of the broken."""

    highest: float
    lowest: float
    broken: _Conditions


def _total(part: PairDesign) -> FloatArray:
    return _Rows(part).total()


def _spread(part: PairDesign) -> _Conditions:
    """Some conditions to begin with, evenly from all rows."""
    rows = _Rows(part)
    return rows.conditions(np.unique(np.linspace(0, len(rows) - 1, _ROWS).astype(np.intp)))


def _slacks(part: PairDesign, h: FloatArray) -> _Slacks:
    rows = _Rows(part)
    slack = rows.slack(h)
    broken = np.flatnonzero(slack < -_FEASIBLE)
    # Those chosen already may be among the worst and be left out afterwards.
    worst = broken[np.argsort(slack[broken], kind="stable")[: 2 * _ROWS]]
    found = replace(rows.conditions(worst), slack=slack[worst])
    return _Slacks(float(slack.max()), float(slack.min()), found)


def _solved(design: Design, gain: FloatArray, chosen: _Conditions) -> FloatArray:
    """The best direction, (M + K,): maximise Σ slack, chosen slack >= 0, |h| <= 1."""
    # Only a fit without an estimate comes here, and the import takes memory and time.
    from scipy import optimize

    limit = _free(design).astype(float)
    k = design.contestants + len(design.names)
    least = np.concatenate([-limit[:k], np.zeros(limit.size - k)])
    found = optimize.linprog(
        -gain,
        A_ub=-chosen.rows,
        b_ub=np.zeros(len(chosen)),
        bounds=np.column_stack([least, limit]),
        method="highs",
    )
    if found.status != 0:
        raise ConvergenceError(f"the test of separation failed: {found.message}")
    return np.asarray(found.x)


def _free(design: Design) -> BoolArray:
    """(M + K,) parameters that no prior holds back."""
    m, k = design.contestants, len(design.names)
    free = np.ones(m + len(design.coefficients), dtype=bool)
    free[:m] = design.prior_strengths == 0.0
    free[m : m + k] = design.prior_coefficients == 0.0
    return free


class _Rows:
    """The conditions of a part's rows: one of a decided row, two of a tie.

    row, sign: row and sign of each.
    """

    def __init__(self, part: PairDesign) -> None:
        self.part = part
        tied = np.flatnonzero(part.y == 0.5)
        decided = np.flatnonzero(part.y != 0.5)
        self.row = np.concatenate([decided, tied, tied])
        ones = np.ones(tied.size)
        self.sign = np.concatenate([2.0 * part.y[decided] - 1.0, ones, -ones])
        # Column of c: a win must beat the threshold that ties may use.
        self.threshold = np.repeat([-1.0, 1.0], [decided.size, 2 * tied.size])
        self.pair = np.repeat(np.arange(part.first.size), part.counts)

    def __len__(self) -> int:
        return int(self.row.size)

    def slack(self, h: FloatArray) -> FloatArray:
        """By how much each condition holds along h."""
        part, m = self.part, self.part.contestants
        odds = (h[part.first] - h[part.second])[self.pair]
        odds += h[m : m + len(part.names)] @ part.x
        slack: FloatArray = self.sign * odds[self.row]
        return slack + self.threshold * h[-1] if part.likelihood.tied else slack

    def conditions(self, chosen: IndexArray) -> _Conditions:
        """Some of the conditions, by their places."""
        row, sign = self.row[chosen], self.sign[chosen]
        part, at = self.part, np.arange(chosen.size)
        ends = part.first[self.pair[row]], part.second[self.pair[row]]
        strengths = sparse.coo_array(
            (np.concatenate([sign, -sign]), (np.concatenate([at, at]), np.concatenate(ends))),
            shape=(chosen.size, part.contestants),
        )
        blocks = [strengths, sparse.csr_array((sign * part.x[:, row]).T)]
        if part.likelihood.tied:
            blocks.append(sparse.csr_array(self.threshold[chosen][:, None]))
        rows = sparse.hstack(blocks, format="csr")
        return _Conditions(np.zeros_like(chosen), chosen, rows, np.zeros(chosen.size))

    def total(self) -> FloatArray:
        """(M + K,) the sum of all conditions."""
        part = self.part
        pull = np.bincount(self.row, self.sign, minlength=len(part))
        per_pair = np.add.reduceat(pull, part.starts[:-1])
        own = [self.threshold.sum()] if part.likelihood.tied else []
        return np.concatenate([part.scatter(per_pair, -per_pair), part.x @ pull, own])
