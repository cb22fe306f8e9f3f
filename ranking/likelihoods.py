"""Likelihoods of one vote as a function of its log-odds."""

from __future__ import annotations

import numpy as np

from ranking.arrays import FloatArray


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
