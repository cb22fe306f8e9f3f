"""The cost of rigging: how many dishonest votes lift a contestant, confirmed by exact refits.

Battles come as they came: each is a counted vote drawn at random, with its pair, its style and who
was shown first, so pairs occur in proportion to the exposure that happened. Only the outcome is the
rigger's (strategies after Min et al. 2025):

- "target_only" votes only in battles where the target takes part, and always for it;
- "omnipresent" does so as well, and votes elsewhere against the target's rivals above it: where
  two of them meet against the one nearer to the target, and where none takes part not at all.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ranking.arrays import BoolArray, IndexArray, IntArray, SmallIntArray
from ranking.errors import SeparationError, SpecError
from ranking.fitting import Estimate
from ranking.influence import Questioned, position_of, rivals_to_pass
from ranking.nearby import Near, few_rows
from ranking.newton import residuals
from ranking.ranks import SAME
from ranking.refits import refit
from ranking.selection import prepare
from ranking.spec import RankingSpec
from ranking.votes import A_WINS, B_WINS, Votes

Strategy = Literal["target_only", "omnipresent"]

_FIRST_TRY = 16


@dataclass(frozen=True, slots=True)
class RiggingRun:
    """One sequence of battles.

    votes: dishonest ones that reach the goal although one less does not; None where as many as the
        counted ones do not. battles: drawn until then, those passed over included. rank: with them.
    """

    votes: int | None
    battles: int | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class RiggingCost:
    """What it takes to lift `contestant` from rank `rank` by `ranks`.

    votes, battles: those of the run of median votes (the higher of the middle two), None where it
    does not get there with as many votes as were counted. share: votes per counted vote.
    least, most: votes of the cheapest and the dearest run that gets there.
    """

    contestant: str
    rank: int
    ranks: int
    strategy: str
    votes: int | None
    battles: int | None
    share: float | None
    least: int | None
    most: int | None
    runs: tuple[RiggingRun, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {**asdict(self), "runs": [asdict(run) for run in self.runs]}


@dataclass(frozen=True, slots=True)
class _Battles:
    """The first N battles of a run that the rigger votes in.

    row: (N,) row of the design each repeats. for_first: (N,) whether the vote is for the pair's
    first contestant. seen: (N,) battles drawn until then.
    """

    row: IndexArray
    for_first: BoolArray
    seen: IndexArray


def rigging_cost(
    votes: Votes,
    spec: RankingSpec | None = None,
    *,
    contestant: str,
    ranks: int = 1,
    strategy: Strategy = "target_only",
    runs: int = 5,
) -> RiggingCost:
    """The fewest dishonest votes, added to the counted ones, that lift a contestant by `ranks`.

    Each run draws its own battles, by the spec's seed and its number. A dishonest vote weighs like
    the vote whose battle it repeats, and has no voter. The count is found by bisection over the
    run's sequence, each rank decided by a bound on where the estimate lies (see ranking.nearby) or
    by an exact refit; a rank that is shared counts as reached.

    Raises SpecError for a contestant that is not placed or cannot rise so far, an unknown strategy
    or no run, and what `fit` raises.
    """
    if strategy not in ("target_only", "omnipresent"):
        raise SpecError(f"strategy must be target_only or omnipresent, not {strategy!r}.")
    if ranks < 1 or runs < 1:
        raise SpecError("the ranks to rise by and the runs must be at least 1.")
    questioned = Questioned.of(votes, spec)
    return rigging_of(questioned, contestant, ranks, strategy, runs)


def rigging_of(
    questioned: Questioned,
    contestant: str,
    ranks: int = 1,
    strategy: Strategy = "target_only",
    runs: int = 5,
) -> RiggingCost:
    """The same of a fit that is there already."""
    fitted = questioned.fitted
    theta, i = fitted.solution.theta, position_of(fitted, contestant)
    rivals_to_pass(theta, i, ranks)
    rank = 1 + int((theta - theta[i] > SAME).sum())
    favoured = _favoured(fitted, i, strategy)
    done = tuple(_run(questioned, favoured, i, rank - ranks, number) for number in range(runs))
    return _cost(contestant, rank, ranks, strategy, len(fitted.design), done)


def _favoured(fitted: Estimate, i: int, strategy: Strategy) -> SmallIntArray:
    """(P,) whom the rigger votes for in each pair: +1 its first, −1 its second, 0 nobody."""
    design, theta = fitted.design, fitted.solution.theta
    choice = np.zeros(design.first.size, dtype=np.int8)
    choice[design.first == i] = 1
    choice[design.second == i] = -1
    if strategy == "omnipresent":
        rival = theta - theta[i] > SAME
        first, second = rival[design.first], rival[design.second]
        # Of two rivals the nearer one is the lower one.
        nearer = theta[design.first] < theta[design.second]
        against_first = first & (~second | nearer)
        elsewhere = (choice == 0) & (first | second)
        choice[elsewhere] = np.where(against_first, -1, 1)[elsewhere]
    return choice


def _run(
    questioned: Questioned, favoured: SmallIntArray, i: int, goal: int, number: int
) -> RiggingRun:
    """More votes until the goal is reached, then bisection among them."""
    fitted = questioned.fitted
    counted, low, high = len(fitted.design), 0, _FIRST_TRY
    while True:
        high = min(high, counted)
        rigged = _Rigged(questioned, _drawn(fitted, favoured, high, number))
        rank = rigged.rank(i, high)
        if rank <= goal:
            break
        if high == counted:
            return RiggingRun(None, None, None)
        low, high = high, 4 * high
    while high - low > 1:
        middle = (low + high) // 2
        now = rigged.rank(i, middle)
        if now <= goal:
            high, rank = middle, now
        else:
            low = middle
    return RiggingRun(high, int(rigged.battles.seen[high - 1]), rank)


def _drawn(fitted: Estimate, favoured: SmallIntArray, size: int, number: int) -> _Battles:
    """The first `size` battles of a run that the rigger votes in; a larger size extends them."""
    choice = np.repeat(favoured, fitted.design.counts)
    needed = int(1.2 * size * choice.size / np.count_nonzero(choice)) + 64
    while True:
        generator = np.random.default_rng([fitted.prepared.spec.seed, number])
        rows = generator.integers(0, choice.size, needed)
        seen = np.flatnonzero(choice[rows])
        if seen.size >= size:
            break
        needed *= 2
    row = rows[seen[:size]]
    return _Battles(row, choice[row] > 0, seen[:size] + 1)


@dataclass(frozen=True)
class _Rigged:
    """Counted and dishonest votes together."""

    questioned: Questioned
    battles: _Battles

    def rank(self, i: int, size: int) -> int:
        """Rank of contestant i with the first `size` dishonest votes."""
        decided = self._decided(i, size)
        return self._refitted(i, size) if decided is None else decided

    def _decided(self, i: int, size: int) -> int | None:
        """The rank by bounds alone, None where they do not tell."""
        nearby, battles = self.questioned.nearby, self.battles
        if nearby is None:
            return None
        won = battles.for_first[:size].astype(np.float64)
        come = few_rows(self.questioned.fitted.design, battles.row[:size], won, np.ones(size))

        def tell(near: Near) -> int | None:
            least, most = near.above(i)
            return 1 + least if least == most else None

        return nearby.settle(come, tell)

    def _refitted(self, i: int, size: int) -> int:
        """The rank by an exact refit."""
        together, turn = self._together
        found = refit(together, (turn <= size).astype(np.float64))
        if found is None:
            raise SeparationError(
                f"with {size} votes of this strategy a covariate separates wins from losses, so "
                "there is no estimate to rank by."
            )
        return 1 + int((found.theta - found.theta[i] > SAME).sum())

    @cached_property
    def _together(self) -> tuple[Estimate, IndexArray]:
        """The honest estimate on a design of all votes, and (n + N,) 0 for a counted vote's row, j
        for that of dishonest vote number j."""
        fitted, battles = self.questioned.fitted, self.battles
        prepared, honest = fitted.prepared, fitted.design
        votes, source = self.questioned.votes, honest.rows[battles.row]
        labels = np.flatnonzero(prepared.placement.main)
        first = labels[np.repeat(honest.first, honest.counts)[battles.row]]
        for_a = (votes.a[source] == first) == battles.for_first
        outcome = np.where(for_a, A_WINS, B_WINS)
        rigged = prepare(_extended(votes, source, outcome), prepared.spec)
        design = rigged.design
        assert design is not None, "the counted votes place somebody, and no vote less is there"
        residual = residuals(design, fitted.solution.theta, fitted.solution.gamma)
        turn = np.maximum(design.rows.astype(np.intp) - len(votes) + 1, 0)
        return replace(fitted, design=design, residual=residual), turn


def _extended(votes: Votes, source: IntArray, outcome: IndexArray) -> Votes:
    """The votes followed by copies of those in `source` with another outcome and no voter."""
    rows = np.append(np.arange(len(votes)), source)
    columns: dict[str, Any] = {
        field.name: getattr(votes, field.name)[rows]
        for field in fields(votes)
        if isinstance(getattr(votes, field.name), np.ndarray)
    }
    columns["outcome"][len(votes) :] = outcome
    if votes.voter is not None:
        columns["voter"][len(votes) :] = -1
    columns["features"] = {name: (a[rows], b[rows]) for name, (a, b) in votes.features.items()}
    return replace(votes, **columns)


def _cost(
    contestant: str,
    rank: int,
    ranks: int,
    strategy: str,
    counted: int,
    runs: tuple[RiggingRun, ...],
) -> RiggingCost:
    there = sorted((run.votes, run.battles) for run in runs if run.votes and run.battles)
    middle = there[len(runs) // 2] if len(there) > len(runs) // 2 else (None, None)
    return RiggingCost(
        contestant=contestant,
        rank=rank,
        ranks=ranks,
        strategy=strategy,
        votes=middle[0],
        battles=middle[1],
        share=None if middle[0] is None else middle[0] / counted,
        least=there[0][0] if there else None,
        most=there[-1][0] if there else None,
        runs=runs,
    )
