"""Sums over rows of several channels: scores, Hessians and their outer products.

A row's channel i responds to the parameters by J_i: the first by (e_first − e_second, x, 0), the
likelihood's own parameter p by its unit vector, and the level also by half of e_first + e_second.
Everything is first summed per pair, as for Bradley-Terry, whose only channel is the first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ranking.arrays import FloatArray
from ranking.design import PairDesign, gram

Weights = Callable[[int, int], FloatArray]


def score_change(design: PairDesign, residual: FloatArray, times: FloatArray) -> FloatArray:
    """Σ_rows (times − 1) Σ_i residual_i J_i, (M + K,): what the summed score gains when rows count
    `times`, (n,), as often. residual: (n,) or (C, n).
    """
    channels = np.atleast_2d(residual)
    per_pair = np.empty((len(channels), design.first.size))
    to_first, to_second = design.likelihood.sides

    def work(low: int, high: int) -> FloatArray:
        begin, end = design.starts[low], design.starts[high]
        scores = channels[:, begin:end] * (times[begin:end] - 1.0)
        offsets = design.starts[low:high] - begin
        np.add.reduceat(scores, offsets, axis=1, out=per_pair[:, low:high])
        return np.asarray(design.x[:, begin:end] @ scores[0])

    columns = np.sum(design.each_block(work), axis=0)
    strengths = design.scatter(to_first @ per_pair, to_second @ per_pair)
    return np.concatenate([strengths, columns, per_pair[1:].sum(axis=1)])


def side_scores(design: PairDesign, residual: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) scores of rows in their first and in their second contestant's strength."""
    if residual.ndim == 1:
        return residual, -residual
    to_first, to_second = design.likelihood.sides
    return to_first @ residual, to_second @ residual


def outer(design: PairDesign, left: FloatArray, right: FloatArray) -> FloatArray:
    """Σ_rows s^left (s^right)ᵀ of the rows' scores; residuals (n,) or (C, n); (M + K, M + K)."""
    if left.ndim == 1:
        return gram(design, left * right)

    def weights(low: int, high: int) -> FloatArray:
        return left[:, None, low:high] * right[None, :, low:high]

    return channel_gram(design, weights, symmetric=left is right)


def channel_gram(design: PairDesign, weights: Weights, *, symmetric: bool = True) -> FloatArray:
    """Σ_rows Σ_ij q_ij J_i J_jᵀ, (M + K, M + K).

    weights: (first row, last row + 1) -> q of those rows, (C, C, rows).
    """
    sums = ChannelSums(design)

    def work(low: int, high: int) -> None:
        sums.add(low, high, weights(int(design.starts[low]), int(design.starts[high])))

    design.each_block(work)
    return sums.matrix(symmetric=symmetric)


class ChannelSums:
    """Sums per pair that fill block by block; with all blocks added they give the matrix.

    pair: (C, C, P) Σ q_ij. left, right: (C, K, P) Σ q_i0 x and Σ q_0i x. xx: (K, K) Σ q_00 x xᵀ.
    """

    def __init__(self, design: PairDesign) -> None:
        c, k, pairs = 1 + len(design.likelihood.parameters), len(design.names), design.first.size
        self.design = design
        self.pair = np.empty((c, c, pairs))
        self.left = np.empty((c, k, pairs))
        self.right = np.empty((c, k, pairs))
        self.xx = np.zeros((k, k))

    def add(self, low: int, high: int, q: FloatArray) -> None:
        """Add the rows of pairs low … high − 1 with q, (C, C, rows)."""
        begin, end = self.design.starts[low], self.design.starts[high]
        offsets, x = self.design.starts[low:high] - begin, self.design.x[:, begin:end]
        np.add.reduceat(q, offsets, axis=2, out=self.pair[:, :, low:high])
        for i in range(q.shape[0]):
            np.add.reduceat(q[i, 0] * x, offsets, axis=1, out=self.left[i, :, low:high])
            np.add.reduceat(q[0, i] * x, offsets, axis=1, out=self.right[i, :, low:high])
        self.xx += (q[0, 0] * x) @ x.T

    def matrix(self, *, symmetric: bool = True) -> FloatArray:
        """The matrix of `channel_gram`; without `symmetric`, q_ij and q_ji may differ."""
        m, k = self.design.contestants, len(self.design.names)
        upper = self._rows_of_strengths(self.pair, self.left)
        lower = upper
        if not symmetric:
            lower = self._rows_of_strengths(self.pair.swapaxes(0, 1), self.right)
        matrix = np.zeros((upper.shape[1],) * 2)
        matrix[:m] = upper
        matrix[m:, :m] = lower[:, m:].T
        matrix[m : m + k, m : m + k] = 0.5 * (self.xx + self.xx.T)
        matrix[m + k :, m : m + k] = self.left[1:].sum(axis=2)
        matrix[m : m + k, m + k :] = self.right[1:].sum(axis=2).T
        matrix[m + k :, m + k :] = self.pair[1:, 1:].sum(axis=2)
        return matrix

    def _rows_of_strengths(self, pair: FloatArray, with_x: FloatArray) -> FloatArray:
        """The matrix's first M rows, (M, M + K)."""
        design = self.design
        to_first, to_second = design.likelihood.sides
        of_first = np.einsum("i,ijp->jp", to_first, pair)
        of_second = np.einsum("i,ijp->jp", to_second, pair)
        m = design.contestants
        strengths = np.zeros((m, m))
        strengths[design.first, design.second] = to_second @ of_first
        strengths[design.second, design.first] = to_first @ of_second
        strengths[range(m), range(m)] = design.scatter(to_first @ of_first, to_second @ of_second)
        x_first = np.einsum("i,ikp->kp", to_first, with_x)
        x_second = np.einsum("i,ikp->kp", to_second, with_x)
        columns = [
            *zip(x_first, x_second, strict=True),
            *zip(of_first[1:], of_second[1:], strict=True),
        ]
        return np.column_stack([strengths, *(design.scatter(one, two) for one, two in columns)])
