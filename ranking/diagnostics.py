"""What a reader must be told about the data behind a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from scipy import linalg

from ranking.arrays import FloatArray
from ranking.design import Design, PairDesign, gram
from ranking.errors import IdentificationError, SeparationError
from ranking.inference import FEW_CLUSTERS
from ranking.newton import gauge

NOBODY_PLACED = (
    "No two contestants have both won and lost against each other, so nobody can be placed yet."
)
ONE_VOTER = "One voter cast nearly all the votes; the intervals treat votes as independent."

BOUND = 0.95
_NOTHING_LEFT = 1e-10
_CARRIES_COVARIATE = 0.05
_CARRIES_CONTESTANT = 0.5

_Design = TypeVar("_Design", bound=Design)


def usable_columns(design: _Design) -> tuple[_Design, tuple[str, ...]]:
    """The design without columns that are 0 in every row, and warnings about its columns.

    Leaving out a zero column changes no rating, whatever its coefficient would be.
    Raises IdentificationError when the rest cannot be told apart from each other or from the
    contestants, because then the ratings themselves would be arbitrary.
    """
    kept = [k for k, reach in enumerate(design.reach) if reach > 0.0]
    warnings = [
        f"{name} is equal on both sides of every counted vote, so it has no coefficient."
        for k, name in enumerate(design.names)
        if k not in kept
    ]
    if len(kept) < len(design.names):
        design = design.columns(kept)
    if design.names:
        by_contestants, remainder = explained_columns(design)
        _check_identified(design.names, remainder)
        warnings += _bound_warnings(design.names, by_contestants, remainder)
    return design, tuple(warnings)


def explained_columns(design: Design) -> tuple[FloatArray, FloatArray]:
    """How much of each column the contestants explain, and what is left of the columns.

    Returns (K,) R² of every column on e_first − e_second (about zero), and the (K, K) inner
    products of the columns' remainders in units of the columns' own lengths.
    """
    m = design.contestants
    matrix = design.summed(_inner_products)
    matrix += gauge(design, matrix)
    within = matrix[m:, m:] - matrix[m:, :m] @ linalg.solve(
        matrix[:m, :m], matrix[:m, m:], assume_a="pos"
    )
    length = np.sqrt(matrix[m:, m:].diagonal())
    remainder = within / length / length[:, None]
    return 1.0 - remainder.diagonal(), remainder


def _inner_products(part: PairDesign) -> FloatArray:
    return gram(part, np.ones(len(part)))


def _check_identified(names: Sequence[str], remainder: FloatArray) -> None:
    values, vectors = linalg.eigh(remainder)
    if values[0] > _NOTHING_LEFT:
        return
    share = np.abs(vectors[:, 0])
    tied = [name for name, s in zip(names, share, strict=True) if s > _CARRIES_COVARIATE]
    if len(tied) > 1:
        reason = f"{_joined(tied)} always move together in these votes; leave one of them out."
    else:
        reason = (
            f"{tied[0]} follows from which contestants meet, so it cannot be told apart from "
            "their strengths; fit without it."
        )
    raise IdentificationError(reason, covariates=tied)


def _bound_warnings(
    names: Sequence[str], by_contestants: FloatArray, remainder: FloatArray
) -> list[str]:
    bound = by_contestants > BOUND
    by_others = 1.0 - 1.0 / (remainder.diagonal() * linalg.inv(remainder).diagonal())
    warnings = [
        f"{name}: {share:.0%} of its variation lies between contestants, so its coefficient "
        "rests on too little variation within them."
        for name, share in zip(names, by_contestants, strict=True)
        if share > BOUND
    ]
    collinear = (by_others > BOUND) & ~bound
    if collinear.any():
        told = _joined([name for name, c in zip(names, collinear, strict=True) if c])
        warnings.append(
            f"{told}: nearly determined by the other covariates, so single coefficients are loose."
        )
    return warnings


def cluster_warnings(clusters: int, effective: float, parameters: int) -> list[str]:
    """Warnings about intervals that rest on few voters."""
    warnings = []
    if effective < FEW_CLUSTERS:
        warnings.append(
            f"Few voters: the votes weigh like those of {effective:.1f} equally active ones, so "
            "the intervals are rough."
        )
    if clusters <= parameters:
        warnings.append(
            f"{clusters} voters are too few for {parameters} parameters: no simultaneous rank "
            "sets are given."
        )
    return warnings


def separation(
    step: FloatArray, contestants: Sequence[str], covariates: Sequence[str]
) -> SeparationError:
    """The error that names what carries a direction along which the likelihood never stops rising.

    step: (M + K,), scaled to change some row's log-odds by 1.
    """
    theta, gamma = np.abs(step[: len(contestants)]), np.abs(step[len(contestants) :])
    least = _CARRIES_COVARIATE * np.abs(step).max()
    named = [name for name, size in zip(covariates, gamma, strict=True) if size > least]
    order = np.argsort(-theta, kind="stable")
    far = [contestants[i] for i in order if theta[i] > _CARRIES_CONTESTANT * theta.max()]
    along = _joined(named) or "a split of the contestants"
    verb = "separate" if len(named) > 1 else "separates"
    moved = ""
    if theta.max() > 0.0:
        more = f" and {len(far) - 5} more" if len(far) > 5 else ""
        moved = f" (the contestants that it moves most: {_joined(far[:5])}{more})"
    return SeparationError(
        f"{along} {verb} wins from losses in these votes, so no finite estimate exists"
        f"{moved}. Fit without {'them' if len(named) > 1 else 'it'} or gather more votes.",
        covariates=named,
        contestants=far,
    )


def _joined(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
