"""Could two revisions' answers come from one model? A permutation test.

If one model stands behind both, then whose answer it was is a label without meaning: exchanging
labels leaves the distribution of everything measured as it is. Per metric the statistic says how
far the two distributions lie apart; it is computed for the labels as they are and for P seeded
permutations of them, and p = (1 + #{T* ≥ T}) / (1 + P) (Phipson & Smyth 2010), which is exact
whatever the metric's distribution.

What is permuted are *units*, all of whose answers keep together: the answers of one voter, whose
prompts are alike, or the many times that one recorded answer was shown. Where strata are known
(the prompt), labels are permuted within each, so that only answers to the same prompt are held
against each other. Of very many units so many are drawn by lot.

Statistics. Of a number with many values: the squared distance between both distribution functions,
averaged over the values that both together have (Cramér-von Mises; Anderson 1962), at the
quantiles where values are many. Of scores less what is expected of them: the squared difference of
means. Effects: the difference of medians, and the chance that an answer of the first has more than
one of the second, ties half (½: neither).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse, stats

from ranking.arrays import BoolArray, FloatArray, IndexArray

PERMUTATIONS = 2_000
MOST_UNITS = 500
"""Of either revision."""
_CUTS = 20
_AT_ONCE = 250
# Two permutations that are the same but for rounding are as far out.
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric of both revisions.

    medians, means: of the first and the second. more: chance that an answer of the first has more
    than one of the second, ties half. p: of one model. adjusted: the same by Holm (1979) over all
    metrics that were compared.
    """

    metric: str
    medians: tuple[float, float]
    means: tuple[float, float]
    more: float
    p: float
    adjusted: float


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """n answers of two revisions.

    values: metric -> (n,) numbers without NaN. first: (n,) whether it is the first revision's.
    unit: (n,) ids; all answers of a unit are one revision's. stratum: (n,) ids, the same for all
    of a unit; None: one.
    """

    values: Mapping[str, FloatArray]
    first: BoolArray
    unit: IndexArray
    stratum: IndexArray | None = None


def permutation_p(
    answers: Answers,
    *,
    means: frozenset[str] = frozenset(),
    permutations: int = PERMUTATIONS,
    most: int = MOST_UNITS,
    seed: int = 0,
) -> dict[str, float]:
    """p by metric; a metric that never differs has none.

    means: metrics of which means are compared instead of distributions. most: units of either
    revision; of more, so many by lot. Raises ValueError where either revision has no answer.
    """
    generator = np.random.default_rng(seed)
    units = _units(answers, most, generator)
    columns = {
        metric: _columns(values[units.kept], metric in means)
        for metric, values in answers.values.items()
        if np.ptp(values[units.kept]) > 0.0
    }
    if not columns:
        return {}
    sums = np.column_stack([units.sums(values) for values, _ in columns.values()])
    weights = [weight for _, weight in columns.values()]
    starts = np.cumsum([0, *(weight.size for weight in weights[:-1])])
    weight = np.concatenate(weights)
    observed = _apart(units.first[None, :], units, sums, weight, starts)[0]
    beyond = np.zeros(observed.size)
    for start in range(0, permutations, _AT_ONCE):
        labels = units.permuted(generator, min(_AT_ONCE, permutations - start))
        beyond += (_apart(labels, units, sums, weight, starts) >= observed * (1.0 - _SAME)).sum(
            axis=0
        )
    p = (1.0 + beyond) / (1.0 + permutations)
    return dict(zip(columns, p.tolist(), strict=True))


def compared(
    answers: Answers, p: Mapping[str, float], adjusted: Mapping[str, float]
) -> list[Compared]:
    """What was found, with its size, in the order of the metrics."""
    return [
        Compared(
            metric=metric,
            medians=_of_both(np.median, values, answers.first),
            means=_of_both(np.mean, values, answers.first),
            more=_more(values, answers.first),
            p=p[metric],
            adjusted=adjusted[metric],
        )
        for metric, values in answers.values.items()
        if metric in p
    ]


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """p adjusted for having looked at all of them: the chance of any false alarm stays (Holm)."""
    adjusted, highest = {}, 0.0
    for place, name in enumerate(sorted(p, key=lambda name: (p[name], name))):
        highest = min(1.0, max(highest, (len(p) - place) * p[name]))
        adjusted[name] = highest
    return adjusted


def _of_both(
    of: Callable[[FloatArray], np.floating[Any]], values: FloatArray, first: BoolArray
) -> tuple[float, float]:
    return float(of(values[first])), float(of(values[~first]))


def _more(values: FloatArray, first: BoolArray) -> float:
    """The Mann-Whitney statistic as a share of all pairs of an answer of either."""
    mine, others = int(first.sum()), int((~first).sum())
    ranks = float(stats.rankdata(values)[first].sum())
    return (ranks - 0.5 * mine * (mine + 1)) / (mine * others)


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """The U units that take part, those of one stratum side by side.

    first: (U,) 1.0 where it is the first revision's, else 0.0. stratum: (U,) whole numbers that
    do not fall; None: one. size: (U,) answers. kept: (k,) the answers that take part; of: (k,) the
    unit of each.
    """

    first: FloatArray
    stratum: FloatArray | None
    size: FloatArray
    kept: IndexArray
    of: IndexArray

    def sums(self, columns: FloatArray) -> FloatArray:
        """(U, c) sums over each unit's answers of (k, c) columns."""
        k = self.of.size
        entries = (np.ones(k), (self.of, np.arange(k)))
        return np.asarray(sparse.csr_array(entries, shape=(self.size.size, k)) @ columns)

    def permuted(self, generator: np.random.Generator, times: int) -> FloatArray:
        """(times, U) labels, permuted within strata."""
        if self.stratum is None:
            return generator.permuted(np.tile(self.first, (times, 1)), axis=1)
        keys = self.stratum + generator.random((times, self.first.size))
        return np.asarray(self.first[np.argsort(keys, axis=1)])


def _units(answers: Answers, most: int, generator: np.random.Generator) -> _Units:
    _, place = np.unique(answers.unit, return_inverse=True)
    count = int(place.max()) + 1
    first = np.zeros(count, dtype=bool)
    first[place] = answers.first
    if first.all() or not first.any():
        raise ValueError("a comparison needs answers of both revisions.")
    stratum = np.zeros(count, dtype=np.intp)
    if answers.stratum is not None:
        stratum[place] = np.unique(answers.stratum, return_inverse=True)[1]
        taken = _by_lot(np.unique(stratum), most, generator)
        order = np.flatnonzero(np.isin(stratum, taken))
        order = order[np.argsort(stratum[order], kind="stable")]
    else:
        sides = [_by_lot(np.flatnonzero(side), most, generator) for side in (first, ~first)]
        order = np.sort(np.concatenate(sides))
    number = np.full(count, -1)
    number[order] = np.arange(order.size)
    kept = np.flatnonzero(number[place] >= 0)
    of = number[place[kept]]
    return _Units(
        first=first[order].astype(np.float64),
        stratum=None if answers.stratum is None else stratum[order].astype(np.float64),
        size=np.bincount(of).astype(np.float64),
        kept=kept,
        of=of,
    )


def _by_lot(ids: IndexArray, most: int, generator: np.random.Generator) -> IndexArray:
    return ids if ids.size <= most else generator.choice(ids, most, replace=False)


def _columns(values: FloatArray, is_mean: bool) -> tuple[FloatArray, FloatArray]:
    """(k, c) columns whose means are held against each other, and the (c,) weights of these.

    Of a distribution: whether a value is at most each cut, weighed by the answers up to it from
    the cut before.
    """
    if is_mean:
        return values[:, None], np.ones(1)
    cuts = np.unique(values)
    if cuts.size > _CUTS:
        cuts = np.unique(np.quantile(values, np.linspace(0.0, 1.0, _CUTS + 1)[1:], method="lower"))
    within = values[:, None] <= cuts[:-1]
    return within.astype(np.float64), np.diff(within.mean(axis=0), prepend=0.0)


def _apart(
    labels: FloatArray, units: _Units, sums: FloatArray, weight: FloatArray, starts: IndexArray
) -> FloatArray:
    """(P, metrics) statistics of (P, U) labels; starts: where each metric's columns begin."""
    mine = labels @ units.size
    total = labels @ sums
    gap = total / mine[:, None] - (sums.sum(axis=0) - total) / (units.size.sum() - mine)[:, None]
    return np.asarray(np.add.reduceat(weight * gap**2, starts, axis=1))
