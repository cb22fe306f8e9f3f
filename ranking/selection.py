"""Which votes count, who can be placed by them, and their design."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ranking.arrays import BoolArray, IndexArray
from ranking.covariates import CONTROLS
from ranking.design import PairDesign, build_design
from ranking.diagnostics import usable_columns
from ranking.errors import SpecError
from ranking.graph import Placement, WinGraph, place
from ranking.result import Counts
from ranking.spec import RankingSpec
from ranking.votes import BOTH_BAD, Votes


@dataclass(frozen=True, slots=True)
class Prepared:
    """Votes ready to be fitted: which count, who can be placed, and their design.

    design is None when nobody can be placed. warnings are those that the data give.
    """

    votes: Votes
    spec: RankingSpec
    counts: Counts
    rows: IndexArray | None
    placement: Placement
    design: PairDesign | None
    warnings: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """Names of the placed contestants, as the design numbers them."""
        return [self.votes.contestants[i] for i in np.flatnonzero(self.placement.main)]


def prepare(votes: Votes, spec: RankingSpec) -> Prepared:
    """Select the votes that count, place the contestants and build the design."""
    chosen, counts = _select(votes, spec)
    rows = None if chosen.all() else np.flatnonzero(chosen)
    a, b, outcome = votes.a, votes.b, votes.outcome
    if rows is not None:
        a, b, outcome = a[rows], b[rows], outcome[rows]
    placement = place(WinGraph.of(len(votes.contestants), a, b, outcome))
    if spec.anchor is not None and spec.anchor not in votes.contestants:
        raise SpecError(f"the anchor {spec.anchor!r} is not among the contestants.")
    inside = placement.main[a] & placement.main[b]
    counted = int(inside.sum())
    counts = replace(counts, unplaced=counts.counted - counted, counted=counted)
    if not counted:
        return Prepared(votes, spec, counts, rows, placement, None)
    kept = rows
    if counted < inside.size:
        kept = np.flatnonzero(inside) if rows is None else rows[inside]
    design = build_design(votes, spec, kept, placement.main)
    measured = dict(zip(design.names, design.scales, strict=True))
    frozen = replace(spec, scales={name: measured[name] for name in spec.controls})
    design, warnings = usable_columns(design)
    return Prepared(votes, frozen, counts, rows, placement, design, warnings)


def _select(votes: Votes, spec: RankingSpec) -> tuple[BoolArray, Counts]:
    """Which votes count, and where the others went; (n,)."""
    chosen = np.ones(len(votes), dtype=bool)
    excluded: list[tuple[str, int]] = []
    if votes.excluded is not None:
        chosen &= votes.excluded < 0
        per_rule = np.bincount(votes.excluded + 1, minlength=len(votes.rules) + 1)[1:]
        excluded = list(zip(votes.rules, per_rule.tolist(), strict=True))
    before = int(chosen.sum())
    for control in spec.required:
        if CONTROLS[control] not in votes.features:
            raise SpecError(
                f"these votes carry no {CONTROLS[control]!r}, so {control!r} cannot be controlled "
                f"for. They carry: {', '.join(votes.features) or 'no style metrics'}."
            )
        a, b = votes.features[CONTROLS[control]]
        # A sum is NaN where either is, and reads each column once.
        chosen &= ~np.isnan(a + b)
    complete = int(chosen.sum())
    if spec.both_bad == "drop":
        chosen &= votes.outcome != BOTH_BAD
    counted = int(chosen.sum())
    return chosen, Counts(
        read=len(votes),
        excluded=tuple(excluded),
        missing=before - complete,
        both_bad=complete - counted,
        unplaced=0,
        counted=counted,
    )
