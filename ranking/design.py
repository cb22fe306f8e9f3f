"""PairDesign: the votes of placed contestants, sorted by unordered pair.

Each row is turned so that the contestant of the smaller id comes first; outcome, covariates and
position change sign with it. How a vote happened to be recorded therefore leaves no trace: not
within a tolerance, but bit for bit. Sorting makes everything that depends on the pair alone a
sum over adjacent rows, so a pass touches M×M numbers once per pair instead of once per vote.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ranking.arrays import BoolArray, FloatArray, IndexArray, IntArray, SmallIntArray
from ranking.covariates import CONTROLS, pair_difference
from ranking.errors import SpecError
from ranking.likelihoods import BOTH_BAD_SCORE, BRADLEY_TERRY, Likelihood
from ranking.spec import RankingSpec
from ranking.threads import in_order
from ranking.votes import A_WINS, B_WINS, BOTH_BAD, OUTCOMES, Votes

POSITION = "position"

# Rows of a block: its few columns stay in a core's cache, and its small matrix products stay
# below the size from which OpenBLAS starts threads, which cost it more than the arithmetic.
_BLOCK_ROWS = 8192
_DENSE_KEYS = 1 << 20

_T = TypeVar("_T")
_Summand = TypeVar("_Summand", bound=Any)
_Column = TypeVar("_Column", FloatArray, SmallIntArray)


class Design(ABC):
    """Votes of M contestants as Newton's method needs them: what all rows share, and sums.

    The rows may lie in one PairDesign or in several, its parts, which need not be in memory at
    once. first, second: (P,) ids of the pairs that met. The other attributes are as PairDesign
    has them.
    """

    __slots__ = ()

    contestants: int
    first: IndexArray
    second: IndexArray
    names: tuple[str, ...]
    scales: tuple[float, ...]
    reach: FloatArray
    group: IndexArray
    likelihood: Likelihood
    prior_strengths: float
    prior_coefficients: float

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def each_part(self, work: Callable[[PairDesign], _T]) -> Iterable[_T]:
        """work(part) of every part, in order; `work` may run in another process."""

    @property
    @abstractmethod
    def weighted(self) -> bool:
        """Whether rows have weights other than 1."""

    @abstractmethod
    def columns(self, keep: Sequence[int]) -> Self:
        """The same rows with only some columns."""

    @abstractmethod
    def votes_of(self) -> IndexArray:
        """(M,) number of rows each contestant takes part in."""

    def merged(self) -> Design:
        """The same likelihood in no more rows."""
        return self

    def summed(self, work: Callable[[PairDesign], _Summand]) -> _Summand:
        """The sum of work(part) over the parts, added in their order."""
        return reduce(add, self.each_part(work))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of all parameters after the strengths: the columns', then the likelihood's."""
        return (*self.names, *self.likelihood.parameters)

    @property
    def row_norm(self) -> float:
        """R: bound on the Euclidean norm of a row (e_first − e_second, x) and of all others.

        The outcomes of a likelihood with parameters of its own differ by such a row plus at most
        one unit of a parameter.
        """
        return float(np.sqrt(2.0 + self.reach @ self.reach + bool(self.likelihood.parameters)))


@dataclass(frozen=True, slots=True)
class PairDesign(Design):
    """n rows of P unordered pairs of M contestants, with K covariate columns.

    first, second: (P,) ids of each pair, first < second, sorted. starts: (P + 1,) row bounds.
    y: (n,) float64, 1 where the first won, 0 where the second did, ½ otherwise, except that
    both bad is BOTH_BAD_SCORE where the spec's likelihood has four outcomes.
    x: (K, n) float64 columns in units of their `scales`, (K,); antisymmetric in the two sides.
    names: the K columns' controls, the position term last. weight: (n,) or None, as the votes
    give it.
    rows: (n,) index of each row's vote. blocks: bounds (in pairs) of pieces for a pass.
    reach: (K,) largest |x| of each column. group: (M,) label of components that share no pair
    chain; each gets its own gauge (one group unless several are fitted side by side).
    likelihood: of a row; its parameters are further coefficients after the K columns', and every
    K below and in what uses a design counts them.
    prior_strengths, prior_coefficients: precisions of normal priors on θ − mean θ and on the
    columns' coefficients (0: none).
    """

    contestants: int
    first: IndexArray
    second: IndexArray
    starts: IndexArray
    y: FloatArray
    x: FloatArray
    names: tuple[str, ...]
    scales: tuple[float, ...]
    weight: FloatArray | None
    rows: IntArray
    blocks: tuple[tuple[int, int], ...]
    reach: FloatArray
    group: IndexArray
    likelihood: Likelihood = BRADLEY_TERRY
    prior_strengths: float = 0.0
    prior_coefficients: float = 0.0

    def __len__(self) -> int:
        return int(self.y.size)

    @property
    def weighted(self) -> bool:
        return self.weight is not None

    @property
    def counts(self) -> IndexArray:
        """(P,) rows of each pair."""
        return np.diff(self.starts)

    def each_part(self, work: Callable[[PairDesign], _T]) -> Iterable[_T]:
        """The design is its only part."""
        return (work(self),)

    def merged(self) -> PairDesign:
        """One row per pair, of its mean outcome, where rows of a pair differ in nothing else.

        Bradley-Terry's loss is linear in outcomes and weights, so only the rounding changes.
        """
        if self.names or self.likelihood.parameters:
            return self
        weight = self.counts.astype(np.float64)
        won = np.add.reduceat(self.y, self.starts[:-1], dtype=np.float64)
        if self.weight is not None:
            weight = np.add.reduceat(self.weight, self.starts[:-1])
            won = np.add.reduceat(self.weight * self.y, self.starts[:-1])
        starts = np.arange(self.first.size + 1)
        return replace(
            self,
            starts=starts,
            x=np.zeros((0, self.first.size)),
            y=np.divide(won, weight, out=np.full(won.size, 0.5), where=weight > 0.0),
            weight=weight,
            rows=self.rows[self.starts[:-1]],
            blocks=blocks_of(starts),
        )

    def votes_of(self) -> IndexArray:
        counts = self.counts.astype(np.float64)
        return self.scatter(counts, counts).astype(np.intp)

    def scatter(self, to_first: FloatArray, to_second: FloatArray) -> FloatArray:
        """(M,) sums over pairs of what each gives its first and its second contestant."""
        m = self.contestants
        total = np.bincount(self.first, weights=to_first, minlength=m).astype(np.float64)
        total += np.bincount(self.second, weights=to_second, minlength=m)
        return total

    def columns(self, keep: Sequence[int]) -> PairDesign:
        index = list(keep)
        return replace(
            self,
            x=self.x[index],
            names=tuple(self.names[k] for k in index),
            scales=tuple(self.scales[k] for k in index),
            reach=self.reach[index],
        )

    def each_block(self, work: Callable[[int, int], _T]) -> list[_T]:
        """work(first pair, last pair + 1) of every block, in order.

        One thread: NumPy's calls on a block take some 10 µs each, and two threads that pass the
        interpreter's lock to and fro at that rate were measured to be slower than one.
        """
        return [work(low, high) for low, high in self.blocks]


def build_design(
    votes: Votes,
    spec: RankingSpec,
    rows: IndexArray | None,
    members: BoolArray,
    *,
    scales: Mapping[str, float] | None = None,
    group: IndexArray | None = None,
) -> PairDesign:
    """The design of some rows of the votes (None: all), which must lie among `members`, (M,).

    Ids are renumbered to the members. scales: what to divide each control's column by; None
    measures root mean squares about zero on these rows. A column that is 0 in every row keeps
    scale 0. Raises SpecError when a given scale is 0 although its column is not.
    """
    renumber = None if members.all() else np.cumsum(members) - 1
    a, b = (_ids(column, rows, renumber) for column in (votes.a, votes.b))
    turned = a > b
    m = int(members.sum())
    key = np.where(turned, b, a).astype(np.int64) * m + np.where(turned, a, b)
    order, starts, pairs = sort_by(key, m * m)
    sign = np.where(turned, np.int8(-1), np.int8(1))
    names = (*spec.controls, *((POSITION,) if spec.position else ()))
    x = np.empty((len(names), order.size))
    given = [_scale_given(name, spec, scales) for name in names]

    def fill(k: int) -> float:
        column = _column(votes, names[k], rows, sign)
        scale = _scale(names[k], column, given[k])
        np.take(column, order, out=x[k], mode="clip")
        x[k] /= scale or 1.0
        return scale

    measured = in_order(fill, range(len(names)))
    return PairDesign(
        contestants=m,
        first=pairs // m,
        second=pairs % m,
        starts=starts,
        y=_outcomes(votes, spec, rows, turned, order),
        x=x,
        names=names,
        scales=tuple(measured),
        weight=None if votes.weight is None else _chosen(votes.weight, rows)[order],
        rows=order if rows is None else rows[order].astype(np.int32),
        blocks=blocks_of(starts),
        reach=np.abs([_extreme(column) for column in x], dtype=float),
        group=np.zeros(m, dtype=np.intp) if group is None else group,
        prior_strengths=spec.prior_strengths,
        prior_coefficients=spec.prior_coefficients,
    )


def _ids(column: IntArray, rows: IndexArray | None, renumber: IndexArray | None) -> IntArray:
    ids = column if rows is None else column[rows]
    return ids if renumber is None else renumber[ids].astype(np.int32)


def sort_by(key: npt.NDArray[np.integer], keys: int) -> tuple[IntArray, IndexArray, IndexArray]:
    """Stable order of rows by key in [0, keys), bounds of each distinct key's rows, those keys.

    Turning a one-entry-per-column CSC matrix into CSR is a counting sort.
    """
    n = key.size
    if keys > max(_DENSE_KEYS, 4 * n):
        distinct, key = np.unique(key, return_inverse=True)
        keys = distinct.size
    else:
        distinct = np.arange(keys)
    columns = np.arange(n + 1, dtype=np.int32)
    entries = (np.ones(n, dtype=np.int8), key.astype(np.int32, copy=False), columns)
    by_key = sparse.csc_array(entries, shape=(keys, n)).tocsr()
    occurs = np.diff(by_key.indptr) > 0
    starts = np.append(by_key.indptr[:-1][occurs], n).astype(np.intp)
    return by_key.indices, starts, distinct[occurs]


def _column(votes: Votes, name: str, rows: IndexArray | None, sign: SmallIntArray) -> FloatArray:
    """One covariate of the given rows, turned with them."""
    if name == POSITION:
        shown = votes.shown_first
        if shown is None:
            return sign.astype(np.float64)
        return np.multiply(shown if rows is None else shown[rows], sign, dtype=np.float64)
    a, b = votes.features[CONTROLS[name]]
    column = pair_difference(a, b) if rows is None else pair_difference(a[rows], b[rows])
    column *= sign
    return column


def _scale_given(name: str, spec: RankingSpec, scales: Mapping[str, float] | None) -> float | None:
    if name == POSITION:
        return 1.0
    return spec.scale_of(name) if scales is None else scales[name]


def _scale(name: str, column: FloatArray, given: float | None) -> float:
    return scale_by(name, float(np.sqrt(column @ column / column.size)), given)


def scale_by(name: str, measured: float, given: float | None) -> float:
    """The scale of a column: its root mean square as measured, or the one given.

    Raises SpecError when 0 is given although the column is not 0 everywhere.
    """
    if given is None:
        return measured
    if given == 0.0 and measured > 0.0:
        raise SpecError(f"the frozen scale of {name!r} is 0 although these votes vary in it.")
    return given


def _scores(spec: RankingSpec) -> FloatArray:
    """(2, 4) score of each outcome for the pair's first contestant: as recorded, and turned."""
    score = np.full((2, len(OUTCOMES)), 0.5)
    score[0, [A_WINS, B_WINS]] = 1.0, 0.0
    score[1, [A_WINS, B_WINS]] = 0.0, 1.0
    if spec.likelihood == "four_outcome":
        score[:, BOTH_BAD] = BOTH_BAD_SCORE
    return score


def _outcomes(
    votes: Votes, spec: RankingSpec, rows: IndexArray | None, turned: BoolArray, order: IntArray
) -> FloatArray:
    """Each row's score, in order."""
    score, outcome = _scores(spec), _chosen(votes.outcome, rows)
    # Sorting one byte per row and looking the score up afterwards keeps the gather in the cache.
    code = turned.astype(np.int8) * np.int8(len(OUTCOMES)) + outcome
    return score.ravel().take(code[order])


def _chosen(column: _Column, rows: IndexArray | None) -> _Column:
    return column if rows is None else column[rows]


def blocks_of(starts: IndexArray) -> tuple[tuple[int, int], ...]:
    """Bounds in pairs of pieces of about _BLOCK_ROWS rows; a larger pair is a piece by itself."""
    bounds, low, pairs = [], 0, starts.size - 1
    while low < pairs:
        high = int(np.searchsorted(starts, starts[low] + _BLOCK_ROWS, side="right")) - 1
        high = min(max(high, low + 1), pairs)
        bounds.append((low, high))
        low = high
    return tuple(bounds)


def _extreme(column: FloatArray) -> float:
    return max(float(column.max()), -float(column.min()))


def gram(design: PairDesign, q: FloatArray) -> FloatArray:
    """Σ q_k z_k z_kᵀ over rows z = (e_first − e_second, x); q (n,), result (M + K, M + K)."""
    pair_q = np.empty(design.first.size)
    pair_qx = np.empty((len(design.names), design.first.size))

    def work(low: int, high: int) -> FloatArray:
        begin, end = design.starts[low], design.starts[high]
        return pair_sums(
            q[begin:end],
            design.x[:, begin:end],
            design.starts[low:high] - begin,
            pair_q[low:high],
            pair_qx[:, low:high],
        )

    xx = sum(design.each_block(work), start=np.zeros((len(design.names),) * 2))
    return assemble(design, pair_q, pair_qx, xx)


def pair_sums(
    q: FloatArray, x: FloatArray, offsets: IndexArray, pair_q: FloatArray, pair_qx: FloatArray
) -> FloatArray:
    """One block's Σ q and Σ q x per pair, written in place, and its Σ q x xᵀ, (K, K)."""
    np.add.reduceat(q, offsets, out=pair_q)
    weighted = x * q
    for k, column in enumerate(weighted):
        np.add.reduceat(column, offsets, out=pair_qx[k])
    return np.asarray(weighted @ x.T)


def assemble(
    design: PairDesign, pair_q: FloatArray, pair_qx: FloatArray, xx: FloatArray
) -> FloatArray:
    """The matrix of `gram` from its sums per pair; (M + K, M + K), symmetric."""
    m, k = design.contestants, len(design.names)
    matrix = np.zeros((m + k, m + k))
    matrix[design.first, design.second] = -pair_q
    matrix[design.second, design.first] = -pair_q
    matrix[range(m), range(m)] = design.scatter(pair_q, pair_q)
    for column, sums in enumerate(pair_qx):
        matrix[:m, m + column] = design.scatter(sums, -sums)
    matrix[m:, :m] = matrix[:m, m:].T
    matrix[m:, m:] = 0.5 * (xx + xx.T)
    return matrix
