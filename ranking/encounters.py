"""Contestants against each other: what a fit expected of each pair's votes, and what more would do.

All of it is of Bradley-Terry fits, the publication's model, whose expected score is
p = 1/(1 + e^−η) with η = θ_first − θ_second + x·γ. V is the inverse of the Hessian, of which only
contrasts are used, so that no gauge shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from ranking.arrays import FloatArray, IndexArray
from ranking.design import POSITION, PairDesign
from ranking.errors import SpecError
from ranking.fitting import Estimate
from ranking.ranks import SAME, contrast_errors

MANY = 1e7
"""More votes than about so many are as good as never."""

_LOG_MANY = float(np.log(MANY))
_HALVINGS = 48
# Pairs at a time, each with small matrices of its own.
_PAIRS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Encounters:
    """A fit's P pairs of M placed contestants, K columns, from the side of the pair's first.

    first, second: (P,) ids as in the design. votes: (P,). expected: (P,) summed expected scores p.
    information: (P,) summed p(1 − p). style: (P,) summed x·γ without the position term.
    x, expected_x: (K, P) summed columns, as they are and times p. leaning: (n,) x·γ of each row of
    the design, without the position term.
    """

    fitted: Estimate
    votes: FloatArray
    expected: FloatArray
    information: FloatArray
    style: FloatArray
    x: FloatArray
    expected_x: FloatArray
    leaning: FloatArray

    @property
    def design(self) -> PairDesign:
        return self.fitted.design

    @property
    def first(self) -> IndexArray:
        return self.design.first

    @property
    def second(self) -> IndexArray:
        return self.design.second

    @property
    def keys(self) -> IndexArray:
        """(P,) first · M + second, rising."""
        return np.asarray(self.first * self.design.contestants + self.second)


def encounters_of(fitted: Estimate) -> Encounters:
    """The sums of a Bradley-Terry fit. Raises SpecError for another likelihood."""
    design, solution = fitted.design, fitted.solution
    if design.likelihood.parameters:
        raise SpecError(f"the likelihood {design.likelihood.name!r} has no expected score here.")
    gamma = np.array(
        [
            0.0 if name == POSITION else g
            for name, g in zip(design.names, solution.gamma, strict=True)
        ]
    )
    leaning = _times(gamma, design)
    p = leaning + np.repeat(gaps(design, solution.theta), design.counts)
    if POSITION in design.names:
        k = design.names.index(POSITION)
        p += solution.gamma[k] * design.x[k]
    special.expit(p, out=p)
    return Encounters(
        fitted=fitted,
        votes=design.counts.astype(np.float64),
        expected=_per_pair(design, p),
        information=_per_pair(design, p * (1.0 - p)),
        style=_per_pair(design, leaning),
        x=_each(design, None),
        expected_x=_each(design, p),
        leaning=leaning,
    )


def gaps(design: PairDesign, theta: FloatArray) -> FloatArray:
    """(P,) lead of each pair's first contestant."""
    return np.asarray(theta[design.first] - theta[design.second])


def _times(gamma: FloatArray, design: PairDesign) -> FloatArray:
    """(n,) x·γ, column after column: a row's sum must not hang on where the row lies."""
    total = np.zeros(len(design))
    for value, column in zip(gamma, design.x, strict=True):
        if value:
            total += value * column
    return total


def _per_pair(design: PairDesign, rows: FloatArray) -> FloatArray:
    return np.asarray(np.add.reduceat(rows, design.starts[:-1]))


def _each(design: PairDesign, times: FloatArray | None) -> FloatArray:
    """(K, P) sums of the columns, each row `times` as much."""
    sums = np.zeros((len(design.names), design.first.size))
    for k, column in enumerate(design.x):
        sums[k] = _per_pair(design, column if times is None else column * times)
    return sums


def expected_by(encounters: Encounters, theta: FloatArray, position: float) -> FloatArray:
    """(P,) expected scores of the first under strengths (M,) and a position term, without style."""
    gap, votes = gaps(encounters.design, theta), encounters.votes
    if POSITION not in encounters.design.names:
        return np.asarray(votes * special.expit(gap))
    # The column is +1 or −1, so that its sum tells how many of either there are.
    shown = 0.5 * (votes + encounters.x[encounters.design.names.index(POSITION)])
    first, second = special.expit(gap + position), special.expit(gap - position)
    return np.asarray(shown * first + (votes - shown) * second)


# -- Further votes -----------------------------------------------------------------------------


def further_votes(encounters: Encounters, error: FloatArray, reach: float) -> FloatArray:
    """(M, M) further direct votes after which a pair's interval excludes 0; 0 where it does.

    error: (M, M) standard errors s of θ_i − θ_j. reach: standard errors on either side of an
    interval. The difference d is taken to stay.

    m votes between the two add m w E[zzᵀ] to the Hessian, z = (e_i − e_j, x) and w the mean of
    p(1 − p) over their votes so far; x has their mean so far and the spread that votes have about
    the mean of their pair (a pair that never met: the mean 0, and w of no style). So what has to
    be learned of style and sides is paid for. As voters cluster and ties are calmer than wins,
    s² is s²/v times the model's variance v, and is taken to stay so: wanted is
    v(m) <= v (d/(reach s))². NaN where more than MANY are needed.
    """
    theta, m = encounters.fitted.solution.theta, encounters.design.contestants
    i, j = np.triu_indices(m, 1)
    lead, wide = np.abs(theta[i] - theta[j]), reach * error[i, j]
    needed, share = np.zeros(i.size), np.zeros(i.size)
    np.divide(lead, wide, out=share, where=(wide > 0.0) & (lead > SAME))
    unsure = np.flatnonzero((lead < wide) | (lead <= SAME))
    spread = _spread_within(encounters)
    for start in range(0, unsure.size, _PAIRS):
        k = unsure[start : start + _PAIRS]
        needed[k] = _needed(encounters, spread, (i[k], j[k]), np.square(share[k]))
    table = np.full((m, m), np.nan)
    table[i, j] = table[j, i] = needed
    return table


def _spread_within(encounters: Encounters) -> FloatArray:
    """(K, K) a root S of the covariance SSᵀ of the columns about the mean of their pair."""
    x, sums = encounters.design.x, encounters.x
    covariance = (x @ x.T - (sums / encounters.votes) @ sums.T) / len(encounters.design)
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _needed(
    encounters: Encounters,
    spread: FloatArray,
    pairs: tuple[IndexArray, IndexArray],
    share: FloatArray,
) -> FloatArray:
    """(Q,) votes after which so much of the contrasts' model variance is left, (Q,) in [0, 1).

    With R Rᵀ = E[zzᵀ] and UΛUᵀ = RᵀVR that is v − Σ_k t g_k²/(1 + t λ_k), t = m w, g = UᵀRᵀVc.
    """
    i, j = pairs
    bread, m, k = encounters.fitted.bread, encounters.design.contestants, spread.shape[0]
    covariance = np.empty((i.size, 1 + k, 1 + k))
    covariance[:, 0, 0] = contrast_errors(bread[:m, :m])[i, j] ** 2
    covariance[:, 0, 1:] = covariance[:, 1:, 0] = bread[i, m:] - bread[j, m:]
    covariance[:, 1:, 1:] = bread[m:, m:]
    mean, information = _per_vote(encounters, i, j)
    root = np.zeros_like(covariance)
    root[:, 0, 0], root[:, 1:, 0], root[:, 1:, 1:] = 1.0, mean.T, spread
    turned = np.swapaxes(root, 1, 2) @ covariance
    values, vectors = np.linalg.eigh(turned @ root)
    along = np.einsum("qrk,qr->qk", vectors, turned[:, :, 0])
    gained = np.square(along) / covariance[:, :1, 0]
    return _until(gained, np.maximum(values, 0.0), share) / information


def _per_vote(
    encounters: Encounters, i: IndexArray, j: IndexArray
) -> tuple[FloatArray, FloatArray]:
    """(K, Q) mean columns and (Q,) mean p(1 − p) of a direct vote of pairs i < j."""
    m, theta = encounters.design.contestants, encounters.fitted.solution.theta
    met = np.searchsorted(encounters.keys, i * m + j)
    met[met == encounters.keys.size] = 0
    known = encounters.keys[met] == i * m + j
    mean = np.where(known, encounters.x[:, met] / encounters.votes[met], 0.0)
    p = special.expit(theta[i] - theta[j])
    seen = encounters.information[met] / encounters.votes[met]
    return mean, np.where(known, seen, p * (1.0 - p))


def _until(gained: FloatArray, values: FloatArray, share: FloatArray) -> FloatArray:
    """(Q,) t at which 1 − Σ_k t gained_k/(1 + t values_k) falls to the share; NaN beyond MANY."""
    low, high = np.full(share.size, -_LOG_MANY), np.full(share.size, _LOG_MANY)

    def left(log: FloatArray) -> FloatArray:
        t = np.exp(log)[:, None]
        return np.asarray(1.0 - (t * gained / (1.0 + t * values)).sum(axis=1))

    never = left(high) > share
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        enough = left(middle) <= share
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return np.asarray(np.where(never, np.nan, np.exp(high)))


def straight_wins(encounters: Encounters, above: IndexArray) -> FloatArray:
    """(M,) about how many straight wins lift each contestant over that of id `above`; an estimate.

    above: (M,), −1: over nobody (NaN). The battles are like the contestant's own votes so far:
    their opponents, styles and sides. One Newton step with N of them moves the contrast by about

        N g/(1 + N h),   g = mean (1 − p) cᵀVz,   h = mean p(1 − p) zᵀVz

    over its votes, z from its side; h is taken of the mean row of each pair, and makes each
    further win worth less. NaN also where the step never gets there, or only after MANY.
    """
    theta, bread = encounters.fitted.solution.theta, encounters.fitted.bread
    design, m = encounters.design, above.size
    total = design.scatter(encounters.votes, encounters.votes)
    leverage = encounters.information * _row_variance(encounters)
    slowing = design.scatter(leverage, leverage) / total
    scores = _scores_of_wins(encounters)
    gained = ((bread[:m] - bread[above]) * scores).sum(axis=1) / total
    gap = theta[above] - theta
    with np.errstate(divide="ignore", invalid="ignore"):
        wins = gap / (gained - gap * slowing)
    wins[(above < 0) | ~((wins > 0.0) & (wins <= MANY))] = np.nan
    return np.asarray(wins)


def _row_variance(encounters: Encounters) -> FloatArray:
    """(P,) zᵀVz of each pair's mean row."""
    first, second = encounters.first, encounters.second
    bread, m = encounters.fitted.bread, encounters.design.contestants
    mean = encounters.x / encounters.votes
    apart = (bread[first, m:] - bread[second, m:]).T
    style = (mean * (2.0 * apart + bread[m:, m:] @ mean)).sum(axis=0)
    return np.asarray(contrast_errors(bread[:m, :m])[first, second] ** 2 + style)


def _scores_of_wins(encounters: Encounters) -> FloatArray:
    """(M, M + K) Σ (1 − p) z of each contestant's votes, had it won each of them."""
    first, second, x = encounters.first, encounters.second, encounters.x
    m, k = encounters.design.contestants, len(encounters.design.names)
    scores = np.zeros((m, m + k))
    sides = (
        (first, second, encounters.votes - encounters.expected, x - encounters.expected_x),
        (second, first, encounters.expected, -encounters.expected_x),
    )
    for one, other, missed, columns in sides:
        scores[one, other] -= missed
        scores[range(m), range(m)] += np.bincount(one, missed, minlength=m)
        for c, column in enumerate(columns):
            scores[:, m + c] += np.bincount(one, column, minlength=m)
    return scores


# -- Where style and the vote disagree -----------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Disagreements:
    """Decided votes in which style leaned clearly, and those of them that went against it.

    decided, against: (M,) of each contestant, on either side. Of each contestant's votes against
    style those of the clearest lean come first, in one list with the others': contestant,
    opponent: ids. won: whether the contestant did. row: index of the vote. lean: |x·γ|.
    """

    decided: IndexArray
    against: IndexArray
    contestant: IndexArray
    opponent: IndexArray
    won: IndexArray
    row: IndexArray
    lean: FloatArray


def disagreements_of(encounters: Encounters, clear: float, most: int) -> Disagreements:
    """Of every contestant; `most` votes of each are named. clear: |x·γ| from which style leans.

    Leans alike to six digits count as level, the earlier vote first, so that no last digit
    decides which of two like votes is named.
    """
    design = encounters.design
    outcome = 2.0 * design.y - 1.0
    lean = np.round(encounters.leaning, 6)
    leans = (np.abs(lean) >= clear) & (outcome != 0.0)
    turned = np.flatnonzero(leans & (outcome * lean < 0.0))
    pair = np.searchsorted(design.starts, turned, side="right") - 1
    of_pair = np.add.reduceat(leans, design.starts[:-1], dtype=np.float64)
    against = np.bincount(pair, minlength=of_pair.size).astype(np.float64)
    first, second = design.first[pair], design.second[pair]
    won = outcome[turned] > 0.0
    contestant = np.concatenate([first, second])
    row, size = (np.tile(each, 2) for each in (design.rows[turned], np.abs(lean[turned])))
    order = np.lexsort((row, -size, contestant))
    place = np.arange(order.size) - np.searchsorted(contestant[order], contestant[order])
    named = order[place < most]
    return Disagreements(
        decided=design.scatter(of_pair, of_pair).astype(np.intp),
        against=design.scatter(against, against).astype(np.intp),
        contestant=contestant[named],
        opponent=np.concatenate([second, first])[named],
        won=np.concatenate([won, ~won])[named],
        row=row[named].astype(np.intp),
        lean=size[named],
    )
