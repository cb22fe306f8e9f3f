"""Which votes count, who can be placed by them, and their design."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ranking.arrays import BoolArray, FloatArray, IndexArray
from ranking.covariates import CONTROLS
from ranking.design import POSITION, Design, PairDesign, build_design
from ranking.diagnostics import usable_columns
from ranking.errors import SpecError
from ranking.graph import Placement, WinGraph, place
from ranking.likelihoods import Likelihood, likelihood_for
from ranking.result import Counts
from ranking.spec import RankingSpec
from ranking.votes import BOTH_BAD, Votes

_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection(ABC):
    """Which votes count and who can be placed by them, wherever the votes lie.

    contestants: labels of everybody in the votes. warnings are those that the data give.
    """

    contestants: tuple[str, ...]
    spec: RankingSpec
    counts: Counts
    placement: Placement
    warnings: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """Names of the placed contestants, as the design numbers them."""
        return [self.contestants[i] for i in np.flatnonzero(self.placement.main)]

    @abstractmethod
    def among(self, members: BoolArray, like: Design, group: IndexArray | None = None) -> Design:
        """Design of the counted votes among `members`, (M,), with columns and likelihood of `like`.

        group: (members,) labels; only the votes within a group are taken, each group with a
        gauge of its own.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Selection):
    """Votes ready to be fitted: which count, who can be placed, and their design.

    votes carry the weights of the spec. rows: those that count, None: all. design is None when
    nobody can be placed.
    """

    votes: Votes
    rows: IndexArray | None
    design: PairDesign | None

    def among(
        self, members: BoolArray, like: Design, group: IndexArray | None = None
    ) -> PairDesign:
        votes = self.votes
        rows = np.arange(len(votes)) if self.rows is None else self.rows
        return design_like(like, votes, self.spec, rows, members, group=group)


def prepare(votes: Votes, spec: RankingSpec) -> Prepared:
    """Select the votes that count, place the contestants and build the design.

    Raises IdentificationError when columns cannot be told apart.
    """
    return checked(with_every_column(votes, spec))


def checked(prepared: Prepared) -> Prepared:
    """The same with the columns of its design that can be fitted, and warnings about them."""
    if prepared.design is None:
        return prepared
    design, warnings = usable_columns(prepared.design)
    return replace(prepared, design=design, warnings=(*prepared.warnings, *warnings))


def with_every_column(votes: Votes, spec: RankingSpec) -> Prepared:
    """What `prepare` gives, before it is asked whether the columns can be told apart."""
    chosen, counts = select_votes(votes, spec)
    rows = None if chosen.all() else np.flatnonzero(chosen)
    a, b, outcome = votes.a, votes.b, votes.outcome
    if rows is not None:
        a, b, outcome = a[rows], b[rows], outcome[rows]
    ground = spec.likelihood == "four_outcome"
    graph = WinGraph.of(len(votes.contestants), a, b, outcome, ground=ground)
    placement = placement_by(graph, spec)
    check_anchor(spec, votes.contestants)
    inside = placement.main[a] & placement.main[b]
    counted = int(inside.sum())
    counts = replace(counts, unplaced=counts.counted - counted, counted=counted)
    if not counted:
        return Prepared(
            contestants=votes.contestants,
            spec=spec,
            counts=counts,
            placement=placement,
            votes=votes,
            rows=rows,
            design=None,
        )
    kept = rows
    if counted < inside.size:
        kept = np.flatnonzero(inside) if rows is None else rows[inside]
    votes = weighted_votes(votes, spec, rows, kept)
    likelihood, told = likelihood_by(placement, spec)
    design = build_design(votes, spec, kept, placement.main)
    design = replace(design, likelihood=likelihood)
    measured = dict(zip(design.names, design.scales, strict=True))
    frozen = replace(spec, scales={name: measured[name] for name in spec.controls})
    return Prepared(
        contestants=votes.contestants,
        spec=frozen,
        counts=counts,
        placement=placement,
        warnings=told,
        votes=votes,
        rows=rows,
        design=design,
    )


def design_like(
    like: Design,
    votes: Votes,
    spec: RankingSpec,
    rows: IndexArray,
    members: BoolArray,
    *,
    group: IndexArray | None = None,
) -> PairDesign:
    """Design of those of some rows that lie among `members`, (M,), as Selection.among says."""
    inside = members[votes.a[rows]] & members[votes.b[rows]]
    if group is not None:
        of = np.full(members.size, -1)
        of[members] = group
        inside &= of[votes.a[rows]] == of[votes.b[rows]]
    known = dict(zip(like.names, like.scales, strict=True))
    scales = {name: known.get(name, 1.0) for name in (*spec.controls, POSITION)}
    built = build_design(votes, spec, rows[inside], members, scales=scales, group=group)
    built = replace(built, likelihood=like.likelihood)
    return built.columns([built.names.index(name) for name in like.names])


def placement_by(graph: WinGraph, spec: RankingSpec) -> Placement:
    """Who can be placed by these votes.

    With four outcomes a vote connects its contestants with the ground as well, so leaving out
    those against contestants who are not placed may disconnect others: it is asked again until
    nobody else drops out.
    """
    by_prior = spec.prior_strengths > 0.0
    placement = place(graph, by_prior=by_prior)
    while graph.both_bad is not None and placement.main.any():
        main = place(graph.within(placement.main), by_prior=by_prior).main & placement.main
        if (main == placement.main).all():
            break
        placement = replace(placement, main=main)
    return placement


def check_anchor(spec: RankingSpec, contestants: Sequence[str]) -> None:
    """Raise SpecError where the anchor is nobody's name."""
    if spec.anchor is not None and spec.anchor not in contestants:
        raise SpecError(f"the anchor {spec.anchor!r} is not among the contestants.")


def likelihood_by(placement: Placement, spec: RankingSpec) -> tuple[Likelihood, tuple[str, ...]]:
    """The likelihood that these votes can be fitted with, and what to say of it."""
    met = placement.graph.within(placement.main)
    both_bad = 0 if met.both_bad is None else int(met.both_bad.sum())
    return likelihood_for(spec.likelihood, int(met.wins[:, 2].sum()) - both_bad, both_bad)


def weighted_votes(
    votes: Votes, spec: RankingSpec, rows: IndexArray | None, kept: IndexArray | None
) -> Votes:
    """The votes with the weights that the spec asks for, of mean 1 over those kept.

    rows: votes that count, kept: those of them between placed contestants; None: all. Votes that
    do not count keep some weight, which nothing reads.
    """
    if votes.weight is None and spec.weights is None and spec.half_life_days is None:
        return votes
    counted = slice(None) if rows is None else rows
    newest = 0.0
    if spec.half_life_days is not None:
        assert votes.time is not None
        newest = float(votes.time[counted].max())
    met = _pair_counts(votes, counted) if spec.weights == "inverse_pair" else None
    weight = unscaled_weights(votes, spec, counted, met, newest)
    weight /= (weight if kept is None else weight[kept]).mean()
    return replace(votes, weight=weight)


def unscaled_weights(
    votes: Votes,
    spec: RankingSpec,
    counted: slice | IndexArray,
    met: IndexArray | None,
    newest: float,
) -> FloatArray:
    """(n,) weights of the votes, those counted weighed as the spec asks, of any mean.

    met: how many counted votes the pair of each one counted has, None where that does not
    matter. newest: time of the newest counted vote.
    """
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight.copy()
    if met is not None:
        weight[counted] /= np.maximum(met, spec.pair_floor).astype(np.float64)
    elif spec.weights == "draw_probability":
        assert votes.draw_probability is not None
        weight[counted] /= votes.draw_probability[counted]
    if spec.half_life_days is not None:
        assert votes.time is not None
        weight[counted] *= _decay((newest - votes.time[counted]) / (_DAY * spec.half_life_days))
    return weight


def _decay(half_lives: FloatArray) -> FloatArray:
    """½ to the power of an age, but never 0: a vote that counts has a weight."""
    return np.asarray(np.maximum(np.exp2(-half_lives), np.finfo(float).tiny))


def _pair_counts(votes: Votes, counted: slice | IndexArray) -> IndexArray:
    """How many counted votes each one's unordered pair has."""
    a, b, m = votes.a[counted], votes.b[counted], len(votes.contestants)
    pair = np.minimum(a, b).astype(np.int64) * m + np.maximum(a, b)
    _, index, counts = np.unique(pair, return_inverse=True, return_counts=True)
    return np.asarray(counts[index])


def select_votes(votes: Votes, spec: RankingSpec) -> tuple[BoolArray, Counts]:
    """Which votes count, and where the others went; (n,)."""
    chosen = np.ones(len(votes), dtype=bool)
    excluded: list[tuple[str, int]] = []
    if votes.excluded is not None:
        chosen &= votes.excluded < 0
        per_rule = np.bincount(votes.excluded + 1, minlength=len(votes.rules) + 1)[1:]
        excluded = list(zip(votes.rules, per_rule.tolist(), strict=True))
    before = int(chosen.sum())
    check_carried(spec, list(votes.features), carried_weights(votes))
    for control in spec.required:
        a, b = votes.features[CONTROLS[control]]
        # A sum is NaN where either is, and reads each column once.
        chosen &= ~np.isnan(a + b)
    complete = int(chosen.sum())
    if spec.weights == "draw_probability":
        assert votes.draw_probability is not None
        chosen &= ~np.isnan(votes.draw_probability)
    if spec.half_life_days is not None:
        assert votes.time is not None
        chosen &= ~np.isnan(votes.time)
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


def carried_weights(votes: Votes) -> list[str]:
    """Columns that votes carry of those that can weigh them."""
    columns = {"draw_probability": votes.draw_probability, "timestamp": votes.time}
    return [name for name, column in columns.items() if column is not None]


def check_carried(spec: RankingSpec, metrics: Sequence[str], weights: Sequence[str]) -> None:
    """Raise SpecError where the spec needs a column that no vote carries."""
    for control in spec.required:
        if CONTROLS[control] not in metrics:
            raise SpecError(
                f"these votes carry no {CONTROLS[control]!r}, so {control!r} cannot be controlled "
                f"for. They carry: {', '.join(metrics) or 'no style metrics'}."
            )
    if spec.weights == "draw_probability" and "draw_probability" not in weights:
        raise SpecError("these votes carry no draw_probability, so it cannot weigh them.")
    if spec.half_life_days is not None and "timestamp" not in weights:
        raise SpecError("these votes carry no timestamp, so their age cannot weigh them.")
