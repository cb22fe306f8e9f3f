"""The board under every subset of some controls, from the same votes and nearly for one price.

Votes are selected, sorted and turned into columns once, and voters are gathered once; a subset is
some rows of that design's columns. Newton's method starts where a fit with more columns says the
maximum is. With bread B = H⁻¹ there and g the columns left out, the quadratic at that maximum has
under γ_g = 0 its own maximum at

    (θ, γ) − B_·g (B_gg)⁻¹ γ_g

at a loss greater by ½ γ_gᵀ (B_gg)⁻¹ γ_g; the fit of the least such rise is the nearest. Only the
start comes from another fit: each board has its own certificate, intervals and rank sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations

import numpy as np

from ranking.arrays import FloatArray
from ranking.covariates import expand_controls
from ranking.design import POSITION, PairDesign
from ranking.errors import FitError, SpecError
from ranking.fitting import Estimate, board, empty_board, estimate_at, solved
from ranking.inference import Clusters
from ranking.movement import movements_of
from ranking.newton import Solution
from ranking.result import Leaderboard, Movement
from ranking.selection import Prepared, checked, with_every_column
from ranking.spec import RankingSpec
from ranking.votes import Votes

_SETTLED = 1e-12


@dataclass(frozen=True, slots=True)
class ControlSubset:
    """The board with some toggles on, or the error that stands in its place.

    on: the toggles that are on. Exactly one of board and error is None. movements: from the board
    with all of them off, in the board's order; none where either has no estimate.
    """

    on: tuple[str, ...]
    board: Leaderboard | None
    error: FitError | None
    movements: tuple[Movement, ...] = ()


@dataclass(frozen=True)
class ControlSubsets:
    """2^k boards of the same votes, one per subset of k toggles.

    toggles: in the order given. subsets: from all off (raw, if the toggles are all controls) to
    all on; fewer before more, then in the order of the toggles.
    """

    toggles: tuple[str, ...]
    subsets: tuple[ControlSubset, ...]

    def __len__(self) -> int:
        return len(self.subsets)

    def __iter__(self) -> Iterator[ControlSubset]:
        return iter(self.subsets)

    def board(self, on: Iterable[str]) -> Leaderboard:
        """The board with these toggles on and the others off.

        Raises SpecError for a name that is no toggle, and the FitError that stands in the place
        of a board without an estimate.
        """
        wanted = {on} if isinstance(on, str) else set(on)
        unknown = sorted(wanted.difference(self.toggles))
        if unknown:
            raise SpecError(f"{unknown[0]!r} is no toggle. Toggles are {', '.join(self.toggles)}.")
        found = next(subset for subset in self.subsets if wanted == set(subset.on))
        if found.board is None:
            assert found.error is not None
            raise found.error.with_traceback(None)
        return found.board


def control_subsets(
    votes: Votes,
    spec: RankingSpec,
    toggles: Iterable[str] | Mapping[str, Sequence[str]],
    *,
    progress: Callable[[int], None] | None = None,
) -> ControlSubsets:
    """Fit the board under every subset of the toggles, on the votes that have all their controls.

    toggles: controls, or groups such as "markdown" that are switched as one; or by a name of one's
        own the controls that it switches. No two may share a control. Controls of the spec that
        are in no toggle are on every board, and so is the position term if the spec has it.
    progress: called with the number of boards done after each.

    Each board is what `fit` gives for the spec that it carries, except for the figures of the
    search (iterations, gradient_norm, step, certificate), which started elsewhere. A subset without
    an estimate has its error, which names it, in the place of its board, and the others are
    fitted all the same.

    Raises SpecError for a name that is no control, toggles that overlap, and when the votes lack
    what the spec and the toggles name.
    """
    controls = _controls_of(toggles)
    every = expand_controls(chain(spec.controls, *controls.values()))
    always = tuple(name for name in every if name not in chain(*controls.values()))
    fits = _Fits(with_every_column(votes, replace(spec, controls=every)), always)
    found: dict[tuple[str, ...], ControlSubset] = {}
    order = [on for size in range(len(controls) + 1) for on in combinations(controls, size)]
    # All off first, from which the others move; then those with most columns, because a start
    # comes from a fit with more.
    for on in (order[0], *reversed(order[1:])):
        names = expand_controls(chain(always, *(controls[toggle] for toggle in on)))
        found[on] = _subset(fits, on, names)
        if progress is not None:
            progress(len(found))
    return ControlSubsets(tuple(controls), tuple(found[on] for on in order))


def _controls_of(
    toggles: Iterable[str] | Mapping[str, Sequence[str]],
) -> dict[str, tuple[str, ...]]:
    """Each toggle's controls."""
    if isinstance(toggles, Mapping):
        given = [(name, expand_controls(controls)) for name, controls in toggles.items()]
    else:
        names = (toggles,) if isinstance(toggles, str) else tuple(toggles)
        given = [(name, expand_controls([name])) for name in names]
    if not given:
        raise SpecError("subsets need at least one toggle, such as length.")
    owner: dict[str, str] = {}
    for name, controls in given:
        for control in controls:
            if control in owner:
                raise SpecError(
                    f"the toggles {owner[control]!r} and {name!r} both switch {control!r}; "
                    "leave one of them out."
                )
            owner[control] = name
    return dict(given)


def _subset(fits: _Fits, on: tuple[str, ...], controls: Sequence[str]) -> ControlSubset:
    try:
        board, movements = fits.board(controls)
        return ControlSubset(on, board, None, movements)
    except FitError as error:
        which = f"with {', '.join(on)} on" if on else "with every toggle off"
        error.args = (f"The board {which}: {error}",)
        # What an error was raised from holds its frames, and those the columns of all votes.
        error.__cause__ = error.__context__ = None
        return ControlSubset(on, None, error.with_traceback(None))


@dataclass(frozen=True, slots=True)
class _Known:
    """A finished fit. coefficients: names of the K; point: (M + K,); bread: (M + K, M + K)."""

    coefficients: tuple[str, ...]
    point: FloatArray
    bread: FloatArray

    def without(self, gone: Sequence[str]) -> tuple[float, FloatArray]:
        """By how much the loss rises without these coefficients (twice), and the point there."""
        m = self.point.size - len(self.coefficients)
        at = [m + self.coefficients.index(name) for name in gone]
        pull = np.linalg.solve(self.bread[np.ix_(at, at)], self.point[at])
        moved = self.point - self.bread[:, at] @ pull
        return float(self.point[at] @ pull), np.delete(moved, at)


@dataclass
class _Fits:
    """Boards of one design with some of its columns.

    prepared: with all of them, unchecked. always: controls of every board. least: the fit of no
    others, from which the boards move.
    """

    prepared: Prepared
    always: tuple[str, ...]
    clusters: Clusters | None = None
    known: list[_Known] = field(default_factory=list)
    least: tuple[Estimate, Leaderboard] | None = None

    def board(self, controls: Sequence[str]) -> tuple[Leaderboard, tuple[Movement, ...]]:
        """The board with these controls, and what moved from the least. Raises what `fit` does."""
        prepared = self._prepared(controls)
        if prepared.design is None:
            return empty_board(prepared), ()
        solution = self._solved(prepared, prepared.design)
        fitted = estimate_at(prepared, prepared.design, solution, self.clusters)
        self.clusters = fitted.clusters
        self.known.append(_Known(prepared.design.coefficients, _point(solution), fitted.bread))
        shown = board(fitted)
        if not set(controls).difference(self.always):
            self.least = fitted, shown
        if self.least is None or self.least[0] is fitted:
            return shown, ()
        first, before = self.least
        return shown, movements_of(first, fitted, (before, shown))

    def _prepared(self, controls: Sequence[str]) -> Prepared:
        """What `prepare` gives for these controls."""
        spec, design = self._spec(controls), self.prepared.design
        if design is None:
            return replace(self.prepared, spec=spec)
        keep = [k for k, name in enumerate(design.names) if name in (*controls, POSITION)]
        return checked(replace(self.prepared, spec=spec, design=design.columns(keep)))

    def _spec(self, controls: Sequence[str]) -> RankingSpec:
        """The spec of these controls on the votes that have all controls."""
        spec = self.prepared.spec
        scales = None if spec.scales is None else dict(spec.scales)
        return replace(
            spec,
            controls=tuple(controls),
            complete_for=spec.required,
            scales=None if scales is None else {name: scales[name] for name in controls},
        )

    def _solved(self, prepared: Prepared, design: PairDesign) -> Solution:
        """The estimate, from the nearest start there is."""
        start = self._start(design.coefficients)
        if start is None:
            return solved(prepared, design)
        try:
            solution = solved(prepared, design, start)
            if solution.step > _SETTLED:
                # Intervals rest on the Hessian before the last step. One evaluation more makes
                # them those of the estimate, to rounding, wherever the search began.
                solution = solved(prepared, design, _point(solution))
            return solution
        except FitError:
            # A fit with more columns has an estimate, so this one has: try the usual start.
            return solved(prepared, design)

    def _start(self, coefficients: Sequence[str]) -> FloatArray | None:
        """The point that the nearest known fit with more columns predicts, None without one."""
        kept = set(coefficients)
        larger = [fit for fit in self.known if kept.issubset(fit.coefficients)]
        predicted = [
            fit.without([name for name in fit.coefficients if name not in kept]) for fit in larger
        ]
        return min(predicted, key=lambda rise_and_point: rise_and_point[0], default=(0.0, None))[1]


def _point(solution: Solution) -> FloatArray:
    """(M + K,) strengths, then coefficients."""
    return np.concatenate([solution.theta, solution.gamma])
