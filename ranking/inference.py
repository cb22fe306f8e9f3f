"""Standard errors: model-based, sandwich per vote, and sandwich clustered by voter.

All covariances here are of (Pθ, γ) with P = I − 11ᵀ/M: strengths as contrasts with the mean of
the placed contestants, so that no interval depends on the gauge. With the floor the mean is that
of `established` contestants.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import linalg, sparse, special

from ranking.arrays import FloatArray, IndexArray, IntArray
from ranking.channels import outer, side_scores
from ranking.design import Design, PairDesign, gram, sort_by
from ranking.newton import Solution, gauge

FEW_VOTES = 100
FEW_CLUSTERS = 30

# A voter's score vector costs nnz² in the sparse product and M² in the dense one, whose
# arithmetic is about a hundred times faster per number.
_DENSE_ADVANTAGE = 100
_CHUNK_BYTES = 1 << 22
_CHUNK_ROWS = 1 << 17


@dataclass(frozen=True, slots=True)
class ClusterTotals:
    """What intervals need to know of clusters: how many, of how many rows, Σ n_g²."""

    number: int
    rows: int
    squares: float

    def __add__(self, other: ClusterTotals) -> ClusterTotals:
        """Those of clusters that are told apart, such as voters of two partitions."""
        return ClusterTotals(
            self.number + other.number, self.rows + other.rows, self.squares + other.squares
        )

    @property
    def effective(self) -> float:
        """G* = n²/Σ n_g²."""
        return self.rows**2 / self.squares


@dataclass(frozen=True, slots=True)
class Clusters:
    """Voters as clusters of the n rows of a design.

    code: (n,) cluster of each row, ordered by falling size, −1 for a row that is a cluster of its
    own (its voter is unknown or has no other vote). sizes: (C,) rows of each coded cluster,
    falling. rows: their rows, cluster after cluster.
    """

    code: IntArray
    sizes: IndexArray
    rows: IntArray

    @property
    def number(self) -> int:
        """G: clusters, single rows included."""
        return int(self.sizes.size + self.singles)

    @property
    def singles(self) -> int:
        """Rows that are clusters of their own."""
        return int(self.code.size - self.rows.size)

    @property
    def effective(self) -> float:
        """G* = n²/Σ n_g²."""
        return self.totals.effective

    @property
    def totals(self) -> ClusterTotals:
        """Their number, rows and Σ n_g²."""
        squares = float(np.square(self.sizes, dtype=float).sum()) + self.singles
        return ClusterTotals(self.number, self.code.size, squares)


def clusters_of(design: PairDesign, voter: IntArray) -> Clusters:
    """Clusters of a design's rows by voter ids of all votes, −1 unknown."""
    code = voter[design.rows]
    sizes = np.bincount(code + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    several = int((sizes > 1).sum())
    recode = np.full(sizes.size + 1, -1, dtype=np.int32)
    recode[order[:several]] = np.arange(several, dtype=np.int32)
    code = recode[code]
    rows, _, _ = sort_by(code + 1, several + 1)
    singles = code.size - int(sizes[order[:several]].sum())
    return Clusters(code, sizes[order[:several]], rows[singles:])


def bread(design: Design, solution: Solution) -> FloatArray:
    """P (H + gauge)⁻¹, (M + K, M + K): takes a score to the change of the centred estimate."""
    m = design.contestants
    inverse: FloatArray = linalg.inv(
        solution.hessian + gauge(design, solution.hessian), check_finite=False
    )
    inverse[:m] -= inverse[:m].mean(axis=0)
    return inverse


def fisher(design: Design, solution: Solution) -> FloatArray:
    """Model-based covariance, the inverse of the observed information; (M + K, M + K)."""
    return sandwich(bread(design, solution), solution.hessian)


def sandwich(bread: FloatArray, meat: FloatArray) -> FloatArray:
    """bread · meat · breadᵀ, symmetric."""
    covariance = bread @ meat @ bread.T
    return np.asarray(0.5 * (covariance + covariance.T))


def vote_meat(design: PairDesign, residual: FloatArray) -> FloatArray:
    """Σ s sᵀ with every vote's score on its own (HC0, White 1980); (M + K, M + K)."""
    return outer(design, residual, residual)


def cluster_meat(
    design: PairDesign, clusters: Clusters, left: FloatArray, right: FloatArray | None = None
) -> FloatArray:
    """G/(G−1) Σ_g s_g s_gᵀ with the summed scores of each voter; (M + K, M + K).

    left, right: (n,) or (C, n) residuals of two fits with the same design; then
    Σ_g s_g^left (s_g^right)ᵀ.
    """
    return small_sample(cluster_sum(design, clusters, left, right), clusters)


def cluster_sum(
    design: PairDesign, clusters: Clusters, left: FloatArray, right: FloatArray | None = None
) -> FloatArray:
    """Σ_g s_g s_gᵀ alone, which may be added up over parts that share no voter."""
    right = left if right is None else right
    total = _single_meat(design, clusters, left, right)
    if clusters.sizes.size:
        total += _several_meat(design, clusters, left, right)
    return total


def small_sample(total: FloatArray, clusters: ClusterTotals | Clusters) -> FloatArray:
    """G/(G−1) Σ_g s_g s_gᵀ, written over the sum."""
    total *= clusters.number / (clusters.number - 1)
    return total


def floored(meat: FloatArray, hessian: FloatArray, votes: IndexArray) -> FloatArray:
    """The meat with the model's own variance as the least for contestants of few votes.

    Two votes that happen to agree have tiny scores and would claim a tiny error. votes: (M,).
    """
    raised = meat.copy()
    few = np.flatnonzero(votes < FEW_VOTES)
    gap = hessian[few, few] - meat[few, few]
    raised[few, few] += np.maximum(0.0, gap)
    return raised


def established(votes: IndexArray) -> IndexArray:
    """Contestants that are not of few votes; all of them where those are not the majority.

    Their mean is what floored intervals are contrasts with: the floor's large variance of one
    rare contestant would otherwise enter everybody's interval through the mean. votes: (M,).
    """
    many = np.flatnonzero(votes >= FEW_VOTES)
    return many if 2 * many.size > votes.size else np.arange(votes.size)


def recentred(covariance: FloatArray, reference: IndexArray, m: int) -> FloatArray:
    """The covariance, (M + K, M + K), of contrasts with the mean of `reference` instead."""
    moved = covariance.copy()
    moved[:m] -= moved[reference].mean(axis=0)
    moved[:, :m] -= moved[:, reference].mean(axis=1, keepdims=True)
    return moved


def quantile(confidence: float, clusters: ClusterTotals | Clusters | None) -> float:
    """Two-sided quantile: normal, or t with G* − 1 degrees of freedom when clustered."""
    tail = 0.5 * (1.0 + confidence)
    if clusters is None:
        return float(special.ndtri(tail))
    return float(special.stdtrit(clusters.effective - 1.0, tail))


def _single_meat(
    design: PairDesign, clusters: Clusters, left: FloatArray, right: FloatArray
) -> FloatArray:
    """Σ s sᵀ over rows that are clusters of their own."""
    if left.ndim == 1:
        return gram(design, np.where(clusters.code < 0, left * right, 0.0))
    alone = np.where(clusters.code < 0, left, 0.0)
    return outer(design, alone, alone if left is right else right)


def _several_meat(
    design: PairDesign, clusters: Clusters, left: FloatArray, right: FloatArray
) -> FloatArray:
    """Σ_g s_g s_gᵀ over clusters of several rows, some clusters at a time to bound memory.

    The strengths' part of a score has few entries for most voters (sparse product) and many for
    the most active ones (dense product); the coefficients' part is always dense.
    """
    m = design.contestants
    pair = np.repeat(np.arange(design.first.size, dtype=np.int32), design.counts)
    sides = design.first.astype(np.int32), design.second.astype(np.int32)
    covariates = [_covariate_scores(design, clusters, r) for r in _distinct(left, right)]
    total = np.zeros((m + len(design.coefficients),) * 2)
    total[m:, m:] = covariates[0].T @ covariates[-1]
    dense = int((_DENSE_ADVANTAGE * 4.0 * clusters.sizes**2 > m**2).sum())
    ends = np.append(0, np.cumsum(clusters.sizes))
    for low, high in _pieces(clusters.sizes, dense, m):
        rows = clusters.rows[ends[low] : ends[high]]
        of = pair[rows]
        place = clusters.code[rows] - low, sides[0][of], sides[1][of]
        build = _dense_scores if low < dense else _sparse_scores
        scores = [
            build(*side_scores(design, r[..., rows]), place, (high - low, m))
            for r in _distinct(left, right)
        ]
        product = scores[0].T @ scores[-1]
        total[:m, :m] += product if isinstance(product, np.ndarray) else product.toarray()
        total[:m, m:] += scores[0].T @ covariates[-1][low:high]
        total[m:, :m] += (scores[-1].T @ covariates[0][low:high]).T
    return total


def _distinct(left: FloatArray, right: FloatArray) -> tuple[FloatArray, ...]:
    return (left,) if left is right else (left, right)


def _covariate_scores(design: PairDesign, clusters: Clusters, residual: FloatArray) -> FloatArray:
    """(clusters, K) summed scores in the coefficients of each cluster of several rows."""
    cluster, size = clusters.code + 1, clusters.sizes.size + 1
    gap, *own = np.atleast_2d(residual)
    sums = [np.bincount(cluster, gap * x, minlength=size)[1:] for x in design.x]
    sums += [np.bincount(cluster, channel, minlength=size)[1:] for channel in own]
    return np.stack(sums, axis=1) if sums else np.zeros((size - 1, 0))


def _pieces(sizes: IndexArray, dense: int, m: int) -> list[tuple[int, int]]:
    """Ranges of clusters, none across `dense`, each within the memory of one chunk."""
    bounds = list(range(0, dense, max(1, _CHUNK_BYTES // (8 * m))))
    chunk = np.cumsum(sizes[dense:]) // _CHUNK_ROWS
    bounds += [dense, *(dense + 1 + np.flatnonzero(np.diff(chunk))).tolist(), sizes.size]
    return [(low, high) for low, high in pairwise(bounds) if low < high]


def _dense_scores(
    to_first: FloatArray,
    to_second: FloatArray,
    place: tuple[IntArray, IntArray, IntArray],
    shape: tuple[int, int],
) -> FloatArray:
    """(clusters, M) summed scores from rows of (cluster, first, second)."""
    cluster, first, second = place
    base, size = cluster.astype(np.intp) * shape[1], shape[0] * shape[1]
    scores: FloatArray = np.bincount(base + first, to_first, minlength=size).astype(
        np.float64, copy=False
    )
    scores += np.bincount(base + second, to_second, minlength=size)
    return scores.reshape(shape)


def _sparse_scores(
    to_first: FloatArray,
    to_second: FloatArray,
    place: tuple[IntArray, IntArray, IntArray],
    shape: tuple[int, int],
) -> sparse.csr_array:
    """The same as a sparse matrix."""
    cluster, first, second = place
    entries = np.concatenate([to_first, to_second])
    at = np.concatenate([cluster, cluster]), np.concatenate([first, second])
    return sparse.coo_array((entries, at), shape=shape).tocsr()
