"""Which votes count, who can be placed by them, and their design."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ranking.arrays import BoolArray, FloatArray, IndexArray, IntArray, SmallIntArray
from ranking.covariates import CONTROLS
from ranking.design import PairDesign, build_design
from ranking.diagnostics import usable_columns
from ranking.errors import SpecError
from ranking.graph import Placement, WinGraph, place
from ranking.likelihoods import BOTH_BAD_SCORE, likelihood_for
from ranking.result import Counts
from ranking.spec import RankingSpec
from ranking.votes import BOTH_BAD, Votes

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Votes ready to be fitted: which count, who can be placed, and their design.

    votes carry the weights of the spec. design is None when nobody can be placed. warnings are
    those that the data give.
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
    chosen, counts = select_votes(votes, spec)
    rows = None if chosen.all() else np.flatnonzero(chosen)
    a, b, outcome = votes.a, votes.b, votes.outcome
    if rows is not None:
        a, b, outcome = a[rows], b[rows], outcome[rows]
    placement = _placement(len(votes.contestants), a, b, outcome, spec)
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
    votes = weighted_votes(votes, spec, rows, kept)
    design, told = _modelled(build_design(votes, spec, kept, placement.main), spec)
    measured = dict(zip(design.names, design.scales, strict=True))
    frozen = replace(spec, scales={name: measured[name] for name in spec.controls})
    design, warnings = usable_columns(design)
    return Prepared(votes, frozen, counts, rows, placement, design, (*told, *warnings))


def _placement(
    contestants: int, a: IntArray, b: IntArray, outcome: SmallIntArray, spec: RankingSpec
) -> Placement:
    """Who can be placed by these votes.

    With four outcomes a vote connects its contestants with the ground as well, so leaving out
    those against contestants who are not placed may disconnect others: it is asked again until
    nobody else drops out.
    """
    ground, by_prior = spec.likelihood == "four_outcome", spec.prior_strengths > 0.0
    graph = WinGraph.of(contestants, a, b, outcome, ground=ground)
    placement = place(graph, by_prior=by_prior)
    while ground and placement.main.any():
        inside = placement.main[a] & placement.main[b]
        within = WinGraph.of(contestants, a[inside], b[inside], outcome[inside], ground=True)
        main = place(within, by_prior=by_prior).main & placement.main
        if (main == placement.main).all():
            break
        placement = replace(placement, main=main)
    return placement


def _modelled(design: PairDesign, spec: RankingSpec) -> tuple[PairDesign, tuple[str, ...]]:
    """The design with the likelihood that these votes can be fitted with, and what to say of it."""
    if spec.likelihood == "bradley_terry":
        return design, ()
    ties, both_bad = int((design.y == 0.5).sum()), int((design.y == BOTH_BAD_SCORE).sum())
    likelihood, told = likelihood_for(spec.likelihood, ties, both_bad)
    return replace(design, likelihood=likelihood), told


def weighted_votes(
    votes: Votes, spec: RankingSpec, rows: IndexArray | None, kept: IndexArray | None
) -> Votes:
    """The votes with the weights that the spec asks for, of mean 1 over those kept.

    rows: votes that count, kept: those of them between placed contestants; None: all. Votes that
    do not count keep some weight, which nothing reads.
    """
    if votes.weight is None and spec.weights is None and spec.half_life_days is None:
        return votes
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight.copy()
    counted = slice(None) if rows is None else rows
    if spec.weights == "inverse_pair":
        weight[counted] /= _pair_counts(votes, counted, spec.pair_floor)
    elif spec.weights == "draw_probability":
        assert votes.draw_probability is not None
        weight[counted] /= votes.draw_probability[counted]
    if spec.half_life_days is not None:
        assert votes.time is not None
        time = votes.time[counted]
        weight[counted] *= _decay((time.max() - time) / (_DAY * spec.half_life_days))
    weight /= (weight if kept is None else weight[kept]).mean()
    return replace(votes, weight=weight)


def _decay(half_lives: FloatArray) -> FloatArray:
    """½ to the power of an age, but never 0: a vote that counts has a weight."""
    return np.asarray(np.maximum(np.exp2(-half_lives), np.finfo(float).tiny))


def _pair_counts(votes: Votes, counted: slice | IndexArray, floor: int) -> FloatArray:
    """How many counted votes each one's unordered pair has, at least `floor`."""
    a, b, m = votes.a[counted], votes.b[counted], len(votes.contestants)
    pair = np.minimum(a, b).astype(np.int64) * m + np.maximum(a, b)
    _, index, counts = np.unique(pair, return_inverse=True, return_counts=True)
    return np.maximum(counts, floor)[index].astype(np.float64)


def select_votes(votes: Votes, spec: RankingSpec) -> tuple[BoolArray, Counts]:
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
    for column in _needed_by_weights(votes, spec):
        chosen &= ~np.isnan(column)
    weighted = int(chosen.sum())
    if spec.both_bad == "drop":
        chosen &= votes.outcome != BOTH_BAD
    counted = int(chosen.sum())
    return chosen, Counts(
        read=len(votes),
        excluded=tuple(excluded),
        missing=before - complete,
        both_bad=weighted - counted,
        unplaced=0,
        counted=counted,
        unweighted=complete - weighted,
    )


def _needed_by_weights(votes: Votes, spec: RankingSpec) -> list[FloatArray]:
    """Columns without which a vote has no weight. Raises SpecError when the votes have none."""
    needed: list[FloatArray] = []
    if spec.weights == "draw_probability":
        if votes.draw_probability is None:
            raise SpecError("these votes carry no draw_probability, so it cannot weigh them.")
        needed.append(votes.draw_probability)
    if spec.half_life_days is not None:
        if votes.time is None:
            raise SpecError("these votes carry no timestamp, so their age cannot weigh them.")
        needed.append(votes.time)
    return needed
