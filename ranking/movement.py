"""How far control of style moves each contestant, and how sure that is."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from ranking.arrays import FloatArray
from ranking.channels import outer
from ranking.design import POSITION, Design
from ranking.diagnostics import usable_columns
from ranking.errors import SpecError
from ranking.fitting import Estimate, Fitted, board, estimate, fit
from ranking.inference import cluster_meat, quantile
from ranking.result import Leaderboard, Movement, StyleMovement
from ranking.selection import checked, with_every_column
from ranking.spec import RankingSpec
from ranking.votes import Votes

_Design = TypeVar("_Design", bound=Design)


def style_movement(votes: Votes, spec: RankingSpec) -> StyleMovement:
    """Raw and controlled boards on the same votes, and the movement between them.

    The raw board is the fit without controls to the votes that carry all of them, with the
    position term as free as in the controlled one. Both fits err together, so the movement's
    error is that of the difference Δ_g = P(H_c⁻¹ s_g^c)_θ − P(H_r⁻¹ s_g^r)_θ of their influence
    functions, summed over voters (over votes where voters are not known).

    Raises SpecError when the spec has no controls, and what `fit` raises.
    """
    if not spec.controls:
        raise SpecError("a movement needs at least one control, such as length.")
    every = with_every_column(votes, spec)
    prepared, raw_spec = checked(every), raw_of(spec)
    if prepared.design is None:
        return StyleMovement(fit(votes, raw_spec), fit(votes, spec), ())
    controlled = estimate(prepared, prepared.design)
    design, warnings = raw_design(prepared.design)
    raw_prepared = replace(
        every, spec=replace(raw_spec, scales={}), warnings=(*every.warnings, *warnings)
    )
    raw = estimate(raw_prepared, design, controlled.clusters)
    return movement_between(raw, controlled, _cross(raw, controlled))


def raw_of(spec: RankingSpec) -> RankingSpec:
    """The spec of the raw board beside a controlled one: no controls, the same votes."""
    return replace(spec, controls=(), complete_for=spec.required, scales=None)


def raw_design(design: _Design) -> tuple[_Design, tuple[str, ...]]:
    """The raw board's design from the controlled one's, with the warnings that it gives."""
    keep = [k for k, name in enumerate(design.names) if name == POSITION]
    return usable_columns(design.columns(keep))


def movements_of(
    raw: Estimate, controlled: Estimate, boards: tuple[Leaderboard, Leaderboard]
) -> tuple[Movement, ...]:
    """From a fit to one of the same votes with more columns, in the order of the second's board."""
    return _movements(raw, controlled, _cross(raw, controlled), *boards)


def movement_between(raw: Fitted, controlled: Fitted, cross: FloatArray) -> StyleMovement:
    """Both boards and the movement between them.

    cross: Σ_g s_g^c (s_g^r)ᵀ over clusters (with their factor) or votes, the columns those of the
    controlled fit; (M + K, M + K).
    """
    boards = board(raw), board(controlled)
    return StyleMovement(*boards, _movements(raw, controlled, cross, *boards))


def _movements(
    raw: Fitted,
    controlled: Fitted,
    cross: FloatArray,
    raw_board: Leaderboard,
    controlled_board: Leaderboard,
) -> tuple[Movement, ...]:
    elo = controlled.prepared.spec.elo
    width = quantile(controlled.prepared.spec.confidence, controlled.clusters)
    error = elo * np.sqrt(np.maximum(_variance(raw, controlled, cross), 0.0))
    moved = elo * (controlled.solution.theta - raw.solution.theta)
    index = {label: i for i, label in enumerate(controlled.prepared.labels)}
    before = {standing.contestant: standing.rank for standing in raw_board.standings}
    return tuple(
        Movement(
            contestant=standing.contestant,
            ranks=before[standing.contestant] - standing.rank,
            rating=float(moved[i]),
            se=float(error[i]),
            lower=float(moved[i] - width * error[i]),
            upper=float(moved[i] + width * error[i]),
        )
        for standing in controlled_board.standings
        for i in (index[standing.contestant],)
    )


def _cross(raw: Estimate, controlled: Estimate) -> FloatArray:
    design = controlled.design
    if controlled.clusters is None:
        return outer(design, controlled.residual, raw.residual)
    return cluster_meat(design, controlled.clusters, controlled.residual, raw.residual)


def _variance(raw: Fitted, controlled: Fitted, cross: FloatArray) -> FloatArray:
    """(M,) variance of the change of each centred strength."""
    design, m = controlled.design, controlled.design.contestants
    both = raw.design.coefficients
    shared = [*range(m), *(m + k for k, name in enumerate(design.coefficients) if name in both)]
    left, right = controlled.bread[:m], raw.bread[:m]
    mixed = _diagonal(left, cross[:, shared], right)
    return _diagonal(left, controlled.meat, left) - 2.0 * mixed + _diagonal(right, raw.meat, right)


def _diagonal(left: FloatArray, middle: FloatArray, right: FloatArray) -> FloatArray:
    """Diagonal of left · middle · rightᵀ."""
    return np.asarray(((left @ middle) * right).sum(axis=1))
