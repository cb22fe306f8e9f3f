"""Does the likelihood rise for ever? An exact answer by a linear programme.

A direction h of (θ, γ) along which no vote becomes less likely and some become more so leaves no
finite estimate (Albert & Anderson 1984; Konis 2007). It satisfies z·h >= 0 for every row that the
first won, <= 0 where the second did and = 0 for ties. Where ties have a parameter, a tie also
allows |z·h| <= c, and then every win needs |z·h| >= c.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ranking.arrays import BoolArray, FloatArray, IndexArray
from ranking.design import PairDesign
from ranking.errors import ConvergenceError

_ROWS = 2_000
_FEASIBLE = 1e-7
_RISES = 1e-4


def separating_direction(design: PairDesign) -> FloatArray | None:
    """A direction h, (M + K,), that separates wins from losses; None when there is none.

    Rows enter the programme only when its solution breaks them, so that millions of votes cost a
    few small programmes. Not for the likelihoods whose level is a parameter.

    Raises ConvergenceError when the programme itself cannot be solved.
    """
    programme = _Programme(design)
    chosen = np.unique(np.linspace(0, len(programme) - 1, _ROWS).astype(np.intp))
    while True:
        direction = programme.solved(chosen)
        slack = programme.slack(direction)
        if slack.max() < _RISES and slack.min() > -_RISES:
            return None
        broken = np.flatnonzero(slack < -_FEASIBLE)
        fresh = np.setdiff1d(broken, chosen)
        if not fresh.size:
            if slack.max() < _RISES:
                return None
            return np.asarray(direction / slack.max())
        worst = fresh[np.argsort(slack[fresh], kind="stable")[:_ROWS]]
        chosen = np.union1d(chosen, worst)


class _Programme:
    """maximise Σ slack subject to slack >= 0 and |h| <= 1, one slack per condition.

    A decided row is one condition and a tie two. conditions: row and sign of each.
    """

    def __init__(self, design: PairDesign) -> None:
        self.design = design
        tied = np.flatnonzero(design.y == 0.5)
        decided = np.flatnonzero(design.y != 0.5)
        self.row = np.concatenate([decided, tied, tied])
        ones = np.ones(tied.size)
        self.sign = np.concatenate([2.0 * design.y[decided] - 1.0, ones, -ones])
        # Column of c: a win must beat the threshold that ties may use.
        self.threshold = np.repeat([-1.0, 1.0], [decided.size, 2 * tied.size])
        self.pair = np.repeat(np.arange(design.first.size), design.counts)
        self.gain = self._total()

    def __len__(self) -> int:
        return int(self.row.size)

    @property
    def free(self) -> BoolArray:
        """(M + K,) parameters that no prior holds back."""
        design, k = self.design, len(self.design.names)
        free = np.ones(design.contestants + len(design.coefficients), dtype=bool)
        free[: design.contestants] = design.prior_strengths == 0.0
        free[design.contestants : design.contestants + k] = design.prior_coefficients == 0.0
        return free

    def solved(self, chosen: IndexArray) -> FloatArray:
        """The best direction, (M + K,), under the chosen conditions."""
        # Only a fit without an estimate comes here, and the import takes memory and time.
        from scipy import optimize

        limit = self.free.astype(float)
        k = self.design.contestants + len(self.design.names)
        least = np.concatenate([-limit[:k], np.zeros(limit.size - k)])
        found = optimize.linprog(
            -self.gain,
            A_ub=-self._conditions(chosen),
            b_ub=np.zeros(chosen.size),
            bounds=np.column_stack([least, limit]),
            method="highs",
        )
        if found.status != 0:
            raise ConvergenceError(f"the test of separation failed: {found.message}")
        return np.asarray(found.x)

    def slack(self, h: FloatArray) -> FloatArray:
        """By how much each condition holds along h."""
        design, m = self.design, self.design.contestants
        odds = (h[design.first] - h[design.second])[self.pair]
        odds += h[m : m + len(design.names)] @ design.x
        slack: FloatArray = self.sign * odds[self.row]
        return slack + self.threshold * h[-1] if design.likelihood.tied else slack

    def _conditions(self, chosen: IndexArray) -> sparse.csr_array:
        """(chosen, M + K) rows whose product with h is the slack."""
        row, sign = self.row[chosen], self.sign[chosen]
        design, at = self.design, np.arange(chosen.size)
        ends = design.first[self.pair[row]], design.second[self.pair[row]]
        strengths = sparse.coo_array(
            (np.concatenate([sign, -sign]), (np.concatenate([at, at]), np.concatenate(ends))),
            shape=(chosen.size, design.contestants),
        )
        parts = [strengths, sparse.csr_array((sign * design.x[:, row]).T)]
        if design.likelihood.tied:
            parts.append(sparse.csr_array(self.threshold[chosen][:, None]))
        return sparse.hstack(parts, format="csr")

    def _total(self) -> FloatArray:
        """(M + K,) the sum of all conditions."""
        design = self.design
        pull = np.bincount(self.row, self.sign, minlength=len(design))
        per_pair = np.add.reduceat(pull, design.starts[:-1])
        own = [self.threshold.sum()] if design.likelihood.tied else []
        return np.concatenate([design.scatter(per_pair, -per_pair), design.x @ pull, own])
