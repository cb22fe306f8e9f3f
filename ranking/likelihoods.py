"""Likelihoods of one vote as a function of what its row predicts.

Bradley & Terry (1952) with half-win ties; Davidson (1970), JASA 65; Rao & Kupper (1967), JASA 62;
and Rao-Kupper with a ground that both answers must beat, in which "both bad" is an outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from ranking.arrays import FloatArray

TIE = "tie"
LEVEL = "level"

BOTH_BAD_SCORE = -1.0

NO_TIES = (
    "No counted vote is a tie, so the tie parameter has no finite estimate; the model's limit "
    "without ties was fitted."
)
NO_BOTH_BAD = (
    "No counted vote is both bad, so the level has no finite estimate; the model's limit "
    "without both-bad votes was fitted."
)


def bradley_terry(
    eta: FloatArray, y: FloatArray, weight: FloatArray | None
) -> tuple[float, FloatArray, FloatArray]:
    """Bradley-Terry with half-win ties (Bradley & Terry 1952; ties as half a win each way).

    P(first wins) = p = 1/(1 + e^−η). eta, y, weight: (n,), y in {0, ½, 1}, weight None for ones.
    Returns the summed loss −Σ w [y ln p + (1 − y) ln(1 − p)], the residuals w (y − p), which are
    −d loss/dη, and the curvatures w p (1 − p), which are d² loss/dη²; (n,) each.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        # Beyond η = −709 the exponential overflows: the loss is then inf or NaN, never smaller
        # than another, and the step that led there is halved.
        against = np.exp(-eta)
        p = 1.0 / (1.0 + against)
        losses = np.log1p(against)
        # 1 − p as a product keeps its digits where p is near 1, and so does what is made from it:
        # a likelihood that falls for ever is told from one that is merely flat by these digits.
        q = np.multiply(against, p, out=against)
    rest = 1.0 - y
    losses += rest * eta
    curvature = p * q
    residual = y * q
    residual -= rest * p
    if weight is None:
        return float(losses.sum()), residual, curvature
    residual *= weight
    curvature *= weight
    return float(losses @ weight), residual, curvature


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A model of one vote in up to C = 3 channels, numbers that the vote's row predicts.

    The first channel is the gap d = η_a − η_b (the log-odds under Bradley-Terry). Each further
    one belongs to a parameter of the model itself: the tie parameter, and the level
    ℓ = (η_a + η_b)/2, measured against the ground of the four-outcome model.

    parameters: names of the channels after the first. rows: (d, tie, ℓ, y, weight) -> summed loss,
    residuals (C, n), which are −d loss/d channel, and curvatures (C, C, n); (n,) and (n,) where
    C = 1. y: (n,) 1, 0, ½ for a tie, BOTH_BAD_SCORE. ℓ is None unless it is a channel.
    start: tie parameter at which all contestants being alike explains a given share of ties.
    reach: a bound on |third/second derivative| of the loss along a unit of the tie parameter
    that holds for as far as the certificate looks. concave: whether a local maximum is the one.
    """

    name: str
    parameters: tuple[str, ...]
    rows: Callable[
        [FloatArray, float, FloatArray | None, FloatArray, FloatArray | None],
        tuple[float, FloatArray, FloatArray],
    ]
    start: Callable[[float], float] = float
    reach: Callable[[float], float] = float
    concave: bool = True

    @property
    def tied(self) -> bool:
        """Whether ties are an outcome with a parameter of their own."""
        return TIE in self.parameters

    @property
    def levelled(self) -> bool:
        """Whether the level of the strengths is a channel."""
        return LEVEL in self.parameters

    @property
    def sides(self) -> tuple[FloatArray, FloatArray]:
        """(C,) what one unit of the first, or of the second, contestant's strength adds to each."""
        of_own = [0.5 if name == LEVEL else 0.0 for name in self.parameters]
        return np.array([1.0, *of_own]), np.array([-1.0, *of_own])


def _davidson(
    gap: FloatArray,
    tie: float,
    level: FloatArray | None,
    y: FloatArray,
    weight: FloatArray | None,
) -> tuple[float, FloatArray, FloatArray]:
    """Davidson (1970): P(a) : P(b) : P(tie) = e^{d/2} : e^{−d/2} : ν, with tie = ln ν."""
    del level
    half, tied = 0.5 * gap, y == 0.5
    top = np.maximum(np.abs(half), tie)
    first, second, none = np.exp(half - top), np.exp(-half - top), np.exp(tie - top)
    total = first + second + none
    p, q, t = first / total, second / total, none / total
    loss = top + np.log(total) - np.where(tied, tie, (2.0 * y - 1.0) * half)
    # As sums of products: 1 − p would lose its digits where p is near 1.
    residual = np.stack([0.5 * (y * (t + 2.0 * q) - (1.0 - y) * (t + 2.0 * p)), tied - t])
    residual[1, tied] = (p + q)[tied]
    curvature = np.empty((2, 2, y.size))
    curvature[0, 0] = 0.25 * ((p + q) * t + 4.0 * p * q)
    curvature[0, 1] = curvature[1, 0] = -0.5 * (p - q) * t
    curvature[1, 1] = t * (p + q)
    return _weighted(loss, residual, curvature, weight)


def _rao_kupper(
    gap: FloatArray,
    tie: float,
    level: FloatArray | None,
    y: FloatArray,
    weight: FloatArray | None,
) -> tuple[float, FloatArray, FloatArray]:
    """Rao & Kupper (1967) with threshold tie = c = ln θ_tie > 0.

    P(a) = σ(d − c), P(b) = σ(−d − c), P(tie) = (e^{2c} − 1) σ(d − c) σ(−d − c).
    """
    del level
    won, lost, tied = y > 0.0, y < 1.0, y == 0.5
    p_not, q_not = special.expit(tie - gap), special.expit(tie + gap)
    p_curve = np.where(won, p_not * special.expit(gap - tie), 0.0)
    q_curve = np.where(lost, q_not * special.expit(-gap - tie), 0.0)
    p_not, q_not = np.where(won, p_not, 0.0), np.where(lost, q_not, 0.0)
    loss = np.where(won, np.logaddexp(0.0, tie - gap), 0.0)
    loss += np.where(lost, np.logaddexp(0.0, tie + gap), 0.0)
    loss -= tied * np.log(np.expm1(2.0 * tie))
    residual = np.stack([p_not - q_not, tied * (-2.0 / np.expm1(-2.0 * tie)) - p_not - q_not])
    curvature = np.empty((2, 2, y.size))
    curvature[0, 0] = p_curve + q_curve
    curvature[0, 1] = curvature[1, 0] = q_curve - p_curve
    curvature[1, 1] = p_curve + q_curve + tied / np.sinh(tie) ** 2
    return _weighted(loss, residual, curvature, weight)


def _four_outcomes(
    gap: FloatArray,
    tie: float,
    level: FloatArray | None,
    y: FloatArray,
    weight: FloatArray | None,
) -> tuple[float, FloatArray, FloatArray]:
    """Rao-Kupper with a ground of strength 1 that both answers must beat; tie = c = ln ϑ > 0.

    With π = e^η, s = π_a + π_b: P(a) = π_a/(π_a + ϑπ_b + 1), P(b) likewise, P(both bad) =
    1/(1 + s), and P(tie) = π_aπ_b(ϑ−1)(2 + (1+ϑ)s) / [(1+s)(π_a + ϑπ_b + 1)(π_b + ϑπ_a + 1)],
    which as "the rest" would lose six digits.
    """
    assert level is not None
    a, b, c = level + 0.5 * gap, level - 0.5 * gap, np.full(y.size, tie)
    tied = (y == 0.5).astype(np.float64)
    for_a, for_b, bad = (y == 1.0) + tied, (y == 0.0) + tied, (y == BOTH_BAD_SCORE) + tied
    loss = -for_a * a - for_b * b - tied * np.log(np.expm1(tie))
    slope, bend = np.stack([-for_a, -for_b, tied / np.expm1(-tie)]), np.zeros((3, 3, y.size))
    bend[2, 2] = 0.25 * tied / np.sinh(0.5 * tie) ** 2
    ground, two = (np.zeros(y.size), ()), (np.full(y.size, np.log(2.0)), ())
    of_a, of_b, of_ac, of_bc = (a, (0,)), (b, (1,)), (a + c, (0, 2)), (b + c, (1, 2))
    sums = loss, slope, bend
    _add_log_sum(*sums, for_a, (of_a, of_bc, ground))
    _add_log_sum(*sums, for_b, (of_b, of_ac, ground))
    _add_log_sum(*sums, bad, (of_a, of_b, ground))
    _add_log_sum(*sums, -tied, (of_a, of_b, of_ac, of_bc, two))
    # From utilities (a, b, c) to channels (d, c, ℓ): a = ℓ + d/2, b = ℓ − d/2.
    turn = np.array([[0.5, -0.5, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    curvature = np.einsum("ia,abn,jb->ijn", turn, bend, turn, optimize=True)
    return _weighted(loss, -turn @ slope, curvature, weight)


def _add_log_sum(
    loss: FloatArray,
    slope: FloatArray,
    bend: FloatArray,
    factor: FloatArray,
    terms: Sequence[tuple[FloatArray, tuple[int, ...]]],
) -> None:
    """Add factor · ln Σ_t e^{term} with its derivatives; each term is a sum of some utilities."""
    top = np.maximum.reduce([np.broadcast_to(term, factor.shape) for term, _ in terms])
    share = [np.exp(term - top) for term, _ in terms]
    total = np.sum(share, axis=0)
    loss += factor * (top + np.log(total))
    share = [part / total for part in share]
    members = [[t for t, (_, of) in enumerate(terms) if i in of] for i in range(3)]
    for i, mine in enumerate(members):
        slope[i] += factor * sum((share[t] for t in mine), np.zeros(()))
        for j, theirs in enumerate(members):
            # Cov = Σ_{t in i} Σ_{u in j} p_t ([t = u] − p_u); kept as sums of products, so that
            # what is nearly certain keeps its digits.
            both = [t for t in mine if t in theirs]
            only_i = [t for t in mine if t not in theirs]
            only_j = [t for t in theirs if t not in mine]
            rest = [t for t in range(len(terms)) if t not in mine and t not in theirs]
            bend[i, j] += factor * (
                _sum_of(share, both) * _sum_of(share, rest)
                - _sum_of(share, only_i) * _sum_of(share, only_j)
            )


def _sum_of(share: Sequence[FloatArray], which: Sequence[int]) -> FloatArray:
    return np.asarray(sum((share[t] for t in which), np.zeros(())))


def _luce(
    gap: FloatArray,
    tie: float,
    level: FloatArray | None,
    y: FloatArray,
    weight: FloatArray | None,
) -> tuple[float, FloatArray, FloatArray]:
    """The four-outcome model without ties, ϑ = 1: a choice among a, b and the ground (Luce)."""
    del tie
    assert level is not None
    a, b = level + 0.5 * gap, level - 0.5 * gap
    top = np.maximum(np.maximum(a, b), 0.0)
    first, second, ground = np.exp(a - top), np.exp(b - top), np.exp(-top)
    total = first + second + ground
    p, q, g = first / total, second / total, ground / total
    won, lost = y == 1.0, y == 0.0
    loss = top + np.log(total) - np.where(won, a, 0.0) - np.where(lost, b, 0.0)
    not_p, not_q = np.where(won, q + g, -p), np.where(lost, p + g, -q)
    residual = np.stack([0.5 * (not_p - not_q), not_p + not_q])
    residual[1, won | lost] = g[won | lost]
    curvature = np.empty((2, 2, y.size))
    curvature[0, 0] = 0.25 * ((p + q) * g + 4.0 * p * q)
    curvature[0, 1] = curvature[1, 0] = 0.5 * (p - q) * g
    curvature[1, 1] = (p + q) * g
    return _weighted(loss, residual, curvature, weight)


def _weighted(
    loss: FloatArray, residual: FloatArray, curvature: FloatArray, weight: FloatArray | None
) -> tuple[float, FloatArray, FloatArray]:
    if weight is None:
        return float(loss.sum()), residual, curvature
    return float(loss @ weight), residual * weight, curvature * weight


def _bradley_terry_rows(
    gap: FloatArray,
    tie: float,
    level: FloatArray | None,
    y: FloatArray,
    weight: FloatArray | None,
) -> tuple[float, FloatArray, FloatArray]:
    del tie, level
    return bradley_terry(gap, y, weight)


BRADLEY_TERRY = Likelihood("bradley_terry", (), _bradley_terry_rows)
DAVIDSON = Likelihood(
    "davidson", (TIE,), _davidson, start=lambda share: float(np.log(2.0 * share / (1.0 - share)))
)
RAO_KUPPER = Likelihood(
    "rao_kupper",
    (TIE,),
    _rao_kupper,
    start=lambda share: 2.0 * float(np.arctanh(share)),
    # −ln(e^{2c} − 1) has third/second = 2 coth c; the certificate looks as far as c/2.
    reach=lambda tie: 2.0 / float(np.tanh(0.5 * tie)),
)
FOUR_OUTCOMES = Likelihood(
    "four_outcome",
    (TIE, LEVEL),
    _four_outcomes,
    start=lambda share: 2.0 * float(np.arctanh(share)),
    reach=lambda tie: 1.0 / float(np.tanh(0.25 * tie)),
    concave=False,
)
FOUR_WITHOUT_TIES = Likelihood("four_outcome", (LEVEL,), _luce)


def likelihood_for(name: str, ties: int, both_bad: int) -> tuple[Likelihood, tuple[str, ...]]:
    """The likelihood that has a finite maximum for so many ties and both-bad votes, and warnings.

    Without a tie the tie parameter, and without a both-bad vote the level, runs off to where the
    model without that outcome is its limit: Davidson and Rao-Kupper become Bradley-Terry, four
    outcomes become Rao-Kupper. The limit is fitted and the reader is told.
    """
    tie, bad = ties > 0, both_bad > 0
    told: tuple[str, ...] = () if tie or name == "bradley_terry" else (NO_TIES,)
    if name == "four_outcome":
        told += () if bad else (NO_BOTH_BAD,)
        if bad:
            return (FOUR_OUTCOMES if tie else FOUR_WITHOUT_TIES), told
        return (RAO_KUPPER if tie else BRADLEY_TERRY), told
    models = {"davidson": DAVIDSON, "rao_kupper": RAO_KUPPER}
    return (models.get(name, BRADLEY_TERRY) if tie else BRADLEY_TERRY), told
