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
    with np.errstate(over="ignore"):
        # e^−η overflows to inf beyond η = −709; p is then 0 and the loss inf, and the step
        # that led there is halved.
        odds_against = np.exp(-eta)
    odds_against += 1.0
    p = 1.0 / odds_against
    losses = np.log(odds_against, out=odds_against)
    losses += (1.0 - y) * eta
    residual = y - p
    curvature = p - p * p
    if weight is None:
        return float(losses.sum()), residual, curvature
    residual *= weight
    curvature *= weight
    return float(losses @ weight), residual, curvature
