"""Standard errors: model-based, sandwich per vote, and sandwich clustered by voter.

All covariances here are of (Pθ, γ) with P = I − 11ᵀ/M: strengths as contrasts with the mean of
the placed contestants, so that no interval depends on the gauge.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse, stats

from ranking.arrays import FloatArray, IndexArray, IntArray
from ranking.design import PairDesign, gram
from ranking.newton import Solution, gauge

FEW_VOTES = 100
FEW_CLUSTERS = 30

# A voter's score vector costs nnz² in the sparse product and M² in the dense one, whose
# arithmetic is about a hundred times faster per number.
_DENSE_ADVANTAGE = 100
_CHUNK_BYTES = 1 << 26
_CHUNK_ROWS = 1 << 19


@dataclass(frozen=True, slots=True)
class Clusters:
    """Voters as clusters of the rows of a design.

    code: (n,) cluster of each row, ordered by falling size, −1 for a row that is a cluster of its
    own (its voter is unknown or has no other vote). sizes: rows of each coded cluster, falling.
    """

    code: IntArray
    sizes: IndexArray

    @property
    def number(self) -> int:
        """G: clusters, single rows included."""
        return int(self.sizes.size + self.singles)

    @property
    def singles(self) -> int:
        """Rows that are clusters of their own."""
        return int(self.code.size - self.sizes.sum())

    @property
    def effective(self) -> float:
        """G* = n²/Σ n_g²."""
        squares = float(np.square(self.sizes, dtype=float).sum()) + self.singles
        return self.code.size**2 / squares


def clusters_of(design: PairDesign, voter: IntArray) -> Clusters:
    """Clusters of a design's rows by voter ids of all votes, −1 unknown."""
    code = voter[design.rows]
    sizes = np.bincount(code + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    several = int((sizes > 1).sum())
    recode = np.full(sizes.size + 1, -1, dtype=np.int32)
    recode[order[:several]] = np.arange(several, dtype=np.int32)
    return Clusters(recode[code], sizes[order[:several]])


def bread(design: PairDesign, solution: Solution) -> FloatArray:
    """P (H + gauge)⁻¹, (M + K, M + K): takes a score to the change of the centred estimate."""
    m = design.contestants
    inverse: FloatArray = linalg.inv(
        solution.hessian + gauge(design, solution.hessian), check_finite=False
    )
    inverse[:m] -= inverse[:m].mean(axis=0)
    return inverse


def fisher(design: PairDesign, solution: Solution) -> FloatArray:
    """Model-based covariance, the inverse of the observed information; (M + K, M + K)."""
    return sandwich(bread(design, solution), solution.hessian)


def sandwich(bread: FloatArray, meat: FloatArray) -> FloatArray:
    """bread · meat · breadᵀ, symmetric."""
    covariance = bread @ meat @ bread.T
    return np.asarray(0.5 * (covariance + covariance.T))


def vote_meat(design: PairDesign, residual: FloatArray) -> FloatArray:
    """Σ s sᵀ with every vote's score on its own (HC0, White 1980); (M + K, M + K)."""
    return gram(design, residual * residual)


def cluster_meat(
    design: PairDesign, clusters: Clusters, left: FloatArray, right: FloatArray | None = None
) -> FloatArray:
    """G/(G−1) Σ_g s_g s_gᵀ with the summed scores of each voter; (M + K, M + K).

    left, right: (n,) residuals of two fits with the same design; then Σ_g s_g^left (s_g^right)ᵀ.
    """
    right = left if right is None else right
    single = gram(design, np.where(clusters.code < 0, left * right, 0.0))
    total = single + _many(design, clusters, left, right)
    return np.asarray(total * (clusters.number / (clusters.number - 1)))


def floored(meat: FloatArray, hessian: FloatArray, votes: IndexArray) -> FloatArray:
    """The meat with the model's own variance as the least for contestants of few votes.

    Two votes that happen to agree have tiny scores and would claim a tiny error. votes: (M,).
    """
    raised = meat.copy()
    few = np.flatnonzero(votes < FEW_VOTES)
    gap = hessian[few, few] - meat[few, few]
    raised[few, few] += np.maximum(0.0, gap)
    return raised


def quantile(confidence: float, clusters: Clusters | None) -> float:
    """Two-sided quantile: normal, or t with G* − 1 degrees of freedom when clustered."""
    tail = 0.5 * (1.0 + confidence)
    if clusters is None:
        return float(stats.norm.ppf(tail))
    return float(stats.t.ppf(tail, clusters.effective - 1.0))


def _many(
    design: PairDesign, clusters: Clusters, left: FloatArray, right: FloatArray
) -> FloatArray:
    """Σ_g s_g s_gᵀ of clusters of several rows: dense score vectors for the large ones, sparse
    for the small, some clusters at a time so that memory stays bounded."""
    width = design.contestants + len(design.names)
    total = np.zeros((width, width))
    if not clusters.sizes.size:
        return total
    rows = np.argsort(clusters.code, kind="stable")[clusters.singles :].astype(np.int32)
    ends = np.cumsum(clusters.sizes)
    pair = np.repeat(np.arange(design.first.size, dtype=np.int32), design.counts)
    dense = int((_DENSE_ADVANTAGE * 4.0 * clusters.sizes**2 > width**2).sum())
    for low, high in _pieces(clusters.sizes, dense, width):
        chosen = rows[ends[low] - clusters.sizes[low] : ends[high - 1]]
        local = clusters.code[chosen] - low
        build = _dense_scores if low < dense else _sparse_scores
        scores = build(design, chosen, pair[chosen], local, left, high - low)
        others = scores
        if right is not left:
            others = build(design, chosen, pair[chosen], local, right, high - low)
        product = scores.T @ others
        total += product if isinstance(product, np.ndarray) else product.toarray()
    return total


def _pieces(sizes: IndexArray, dense: int, width: int) -> list[tuple[int, int]]:
    """Ranges of clusters, none across `dense`, each within the memory of one chunk."""
    step = max(1, _CHUNK_BYTES // (8 * width))
    bounds = [*range(0, dense, step), dense] if dense else [0]
    chunk = np.cumsum(sizes[dense:]) // _CHUNK_ROWS
    bounds += [dense + int(cut) for cut in np.flatnonzero(np.diff(chunk)) + 1]
    if sizes.size > dense:
        bounds.append(int(sizes.size))
    return list(itertools.pairwise(bounds))


def _entries(
    design: PairDesign, rows: IntArray, pair: IntArray, residual: FloatArray
) -> tuple[list[IndexArray], list[FloatArray]]:
    """Columns and values of the rows' scores: first, second, then each covariate."""
    r = residual[rows]
    k, m = len(design.names), design.contestants
    columns = [design.first[pair], design.second[pair]]
    columns += [np.full(rows.size, m + column) for column in range(k)]
    return columns, [r, -r, *(r * design.x[column, rows] for column in range(k))]


def _dense_scores(
    design: PairDesign,
    rows: IntArray,
    pair: IntArray,
    cluster: IntArray,
    residual: FloatArray,
    clusters: int,
) -> FloatArray:
    width = design.contestants + len(design.names)
    scores = np.zeros(clusters * width)
    base = cluster.astype(np.intp) * width
    for columns, values in zip(*_entries(design, rows, pair, residual), strict=True):
        scores += np.bincount(base + columns, weights=values, minlength=scores.size)
    return scores.reshape(clusters, width)


def _sparse_scores(
    design: PairDesign,
    rows: IntArray,
    pair: IntArray,
    cluster: IntArray,
    residual: FloatArray,
    clusters: int,
) -> sparse.csr_array:
    width = design.contestants + len(design.names)
    columns, values = _entries(design, rows, pair, residual)
    place = (np.tile(cluster, len(columns)), np.concatenate(columns).astype(np.int32))
    return sparse.coo_array((np.concatenate(values), place), shape=(clusters, width)).tocsr()
