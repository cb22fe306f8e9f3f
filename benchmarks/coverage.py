"""How often intervals and rank sets hold, over many simulated arenas of known truth.

    python benchmarks/coverage.py [--quick] [--only STUDY ...] [--share X] [--processes N]

Every simulation draws a world (strengths, recorded answers), a crowd and its votes from its own
seed, ranks them by the public functions of `ranking`, and looks where the truth lies. Figures are
means over simulations; ± is one standard error of that mean, taken from the simulations' spread
(contestants of one board are not independent). The tables are Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# One thread each: the processes share the cores already.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from worlds import (
    GAMMA,
    LEVEL,
    POSITION,
    STRENGTH_SD,
    TIE,
    Array,
    Crowd,
    World,
    draw,
    draw_newcomer,
    long_run,
    make_world,
)

from ranking import (
    Leaderboard,
    RankingSpec,
    StyleMovement,
    Votes,
    bootstrap_fit,
    fit,
    pairwise_contrasts,
    style_movement,
)
from ranking.inference import FEW_VOTES
from ranking.spec import Model

Figures = dict[str, float]

# Of simulations whose rank sets nobody reads.
FEW_DRAWS = 100
QUICK_SIMULATIONS = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One row of a table: `simulations` worlds of one kind.

    crowd: None for unknown voters. strengths: "spread" (normal) or "ties" (groups of ten that
    differ by thousandths). uneven: how much oftener the most drawn contestant may be drawn than
    the least drawn. rare: contestants that are seldom drawn. newcomer: votes of the last one, on
    top of the others'.
    """

    label: str
    simulations: int
    contestants: int
    votes: int
    crowd: Crowd | None = None
    strengths: str = "spread"
    likelihood: Model = "bradley_terry"
    uneven: float = 4.0
    rare: int = 0
    newcomer: int = 0


@dataclass(frozen=True, slots=True)
class Study:
    """One kind of simulation of a case and a seed, and its tables: title -> figure -> heading."""

    simulate: Callable[[Case, int], Figures]
    cases: tuple[Case, ...]
    tables: dict[str, dict[str, str]]


# Worlds and their truth


def generator(case: Case, seed: int) -> np.random.Generator:
    """A stream of its own for every simulation, whatever else is run."""
    return np.random.default_rng([zlib.crc32(case.label.encode()), seed])


def world_of(case: Case, rng: np.random.Generator) -> World:
    m = case.contestants
    theta = rng.normal(0.0, STRENGTH_SD, m)
    exposure = case.uneven ** rng.random(m)
    if case.strengths == "ties":
        theta = rng.normal(0.0, STRENGTH_SD, -(-m // 10))[np.arange(m) // 10]
        theta = theta + rng.uniform(-0.002, 0.002, m)
    exposure[: case.rare] = rng.uniform(0.01, 0.2, case.rare)
    return make_world(rng, theta, exposure=exposure, likelihood=case.likelihood)


def in_order_of(board: Leaderboard, theta: Mapping[str, float]) -> Array:
    """(M,) strengths in the board's order."""
    return np.array([theta[standing.contestant] for standing in board.standings])


def columns(board: Leaderboard, *fields: str) -> tuple[Array, ...]:
    """Fields of the standings as (M,) arrays."""
    return tuple(
        np.array([getattr(standing, field) for standing in board.standings]) for field in fields
    )


# What holds


def reference_of(board: Leaderboard) -> Array:
    """(M,) whose mean the intervals are contrasts with: all, or who is not of few votes."""
    (votes,) = columns(board, "votes")
    many = votes >= FEW_VOTES
    return many if board.spec.floor and 2 * many.sum() > votes.size else np.ones_like(many)


def inside(board: Leaderboard, truth: Array, reference: Array) -> Array:
    """(M,) whether each interval, put about the contrast with the reference's mean, holds it."""
    rating, lower, upper = columns(board, "rating", "rating_lower", "rating_upper")
    true_rating = board.spec.elo * (truth - truth[reference].mean()) + rating[reference].mean()
    return (lower <= true_rating) & (true_rating <= upper)


def sets_hold(truth: Array, best: Array, worst: Array) -> bool:
    """Whether all rank sets hold the true ranks at once."""
    rank = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    return bool(np.all((best <= rank) & (rank <= worst)))


def board_figures(board: Leaderboard, truth: Array) -> Figures:
    """Coverage of strengths and rank sets, in percent."""
    best, worst = columns(board, "rank_lower", "rank_upper")
    return {
        "strengths": percent(inside(board, truth, reference_of(board))),
        "rank sets": math.nan if best[0] is None else percent(sets_hold(truth, best, worst)),
        "G*": math.nan if board.effective_voters is None else board.effective_voters,
    }


def coefficient_figures(board: Leaderboard) -> Figures:
    """Coverage of every coefficient, and its error, in percent of what was planted."""
    likelihood = board.spec.likelihood
    planted = {**GAMMA, "position": POSITION, "tie": TIE[likelihood], "level": LEVEL}
    figures: Figures = {}
    for found in (*board.coefficients, board.position, board.tie, board.level):
        if found is not None:
            truth = planted[found.name]
            figures[found.name] = percent(found.lower <= truth <= found.upper)
            figures[f"{found.name} bias"] = 100.0 * (found.value / truth - 1.0)
    return figures


def movements_inside(goal: StyleMovement, moved: StyleMovement) -> Array:
    """(M,) whether each movement's interval holds the long run's movement.

    Both are against the mean of the contestants that the simulated board places.
    """
    theta = {movement.contestant: movement.rating for movement in goal.movements}
    truth = in_order_of(moved.controlled, theta)
    truth -= truth.mean()
    held = zip(moved.movements, truth, strict=True)
    return np.array([movement.lower <= value <= movement.upper for movement, value in held])


def percent(holds: Any) -> float:
    return 100.0 * float(np.mean(holds)) if np.size(holds) else math.nan


def marked(figures: Figures, how: str) -> Figures:
    return {f"{name}, {how}": value for name, value in figures.items()}


# Simulations


def both_boards(case: Case, seed: int) -> Figures:
    """Raw and controlled boards and the movement between them, clustered by voter and not.

    The raw board's truth, and the movement's, is the fit to the long run: what the misspecified
    model would find with endless votes of the same world.
    """
    rng = generator(case, seed)
    world = world_of(case, rng)
    votes = draw(world, case.crowd, case.votes, rng)
    goal = style_movement(long_run(world), replace(world.spec, draws=FEW_DRAWS))
    planted = world.planted
    found = {standing.contestant: standing.theta for standing in goal.raw.standings}
    figures: Figures = {}
    for how, cluster, draws in (("voter", "auto", 10_000), ("vote", False, FEW_DRAWS)):
        moved = style_movement(votes, replace(world.spec, cluster=cluster, draws=draws))
        raw_truth = in_order_of(moved.raw, found)
        part = {
            **board_figures(moved.controlled, in_order_of(moved.controlled, planted)),
            **coefficient_figures(moved.controlled),
            "raw": percent(inside(moved.raw, raw_truth, reference_of(moved.raw))),
            "movement": percent(movements_inside(goal, moved)),
        }
        figures |= marked(part, how)
    return figures


def ranks(case: Case, seed: int) -> Figures:
    """Rank sets, the field's spread, and all differences at once."""
    rng = generator(case, seed)
    world = world_of(case, rng)
    found = pairwise_contrasts(draw(world, case.crowd, case.votes, rng), world.spec)
    assert found.adjusted_reach is not None, "every crowd here outnumbers the parameters"
    truth = in_order_of(found.board, world.planted)
    best, worst = columns(found.board, "rank_lower", "rank_upper")
    low, high = (
        np.array([getattr(entry, f"spread_{end}") for entry in found.chances])
        for end in ("lower", "upper")
    )
    error = np.abs(found.difference - world.spec.elo * (truth[:, None] - truth))
    upper = np.triu_indices(truth.size, 1)
    held = error[upper] <= found.adjusted_reach * found.se[upper]
    alone = error[upper] <= found.reach * found.se[upper]
    return {
        "sets": percent(sets_hold(truth, best, worst)),
        "spread": percent(sets_hold(truth, low, high)),
        "together": percent(held.all()),
        "alone": percent(alone),
        "set size": float(np.mean(worst - best + 1)),
        "spread size": float(np.mean(high - low + 1)),
        **_claims(found.probability[upper], truth[upper[0]] > truth[upper[1]]),
    }


CLAIMS = (0.5, 0.7, 0.9, 0.975, 1.0)


def _claims(claimed: Array, right: Array) -> Figures:
    """How much oftener than claimed the contestant ranked higher is better, by claim."""
    figures: Figures = {}
    for low, high in itertools.pairwise(CLAIMS):
        among = (claimed >= low) & (claimed <= high)
        figures[f"claim {low}"] = percent(right[among]) - percent(claimed[among])
    return figures


def rare(case: Case, seed: int) -> Figures:
    """Contestants of few votes, with the floor and without, and the bounds of who has no place."""
    rng = generator(case, seed)
    world = world_of(case, rng)
    votes = draw(world, case.crowd, case.votes, rng)
    goal = style_movement(long_run(world), replace(world.spec, draws=FEW_DRAWS))
    planted = world.planted
    figures: Figures = {}
    for how, floor in (("floor", True), ("no floor", False)):
        moved = style_movement(votes, replace(world.spec, floor=floor, draws=FEW_DRAWS))
        board = moved.controlled
        truth = in_order_of(board, planted)
        (count,) = columns(board, "votes")
        few = count < FEW_VOTES
        held = inside(board, truth, reference_of(board))
        part = {
            "under ten": percent(held[count < 10]),
            "few": percent(held[few & (count >= 10)]),
            "many": percent(held[~few]),
            "many shown": percent(inside(board, truth, np.ones_like(few))[~few]),
            "movement": percent(movements_inside(goal, moved)[few]),
        }
        figures |= marked(part, how)
    return figures


def newcomer(case: Case, seed: int) -> Figures:
    """One contestant of very few votes beside others that are known well."""
    rng = generator(case, seed)
    world = world_of(case, rng)
    board = fit(draw_newcomer(world, case.votes, case.newcomer, rng), world.spec)
    bounds = bounds_hold(board, world.planted)
    return {
        "unplaced": percent(bool(board.unplaced)),
        "wrong": percent(False in bounds),
        "right": percent(bounds),
    }


def bounds_hold(board: Leaderboard, planted: Mapping[str, float]) -> list[bool]:
    """Whether each unplaced contestant is on the told side of its bound."""
    middle = in_order_of(board, planted).mean()
    return [
        (rating >= entry.bound) if entry.is_lower_bound else (rating <= entry.bound)
        for entry in board.unplaced
        if entry.bound is not None
        for rating in [board.spec.center + board.spec.elo * (planted[entry.contestant] - middle)]
    ]


def one_board(case: Case, seed: int) -> Figures:
    """The controlled board alone, with its likelihood's own parameters."""
    rng = generator(case, seed)
    world = world_of(case, rng)
    board = fit(draw(world, case.crowd, case.votes, rng), world.spec)
    planted = world.planted
    return board_figures(board, in_order_of(board, planted)) | coefficient_figures(board)


def bootstrapped(case: Case, seed: int) -> Figures:
    """Percentile intervals of the bootstrap beside the sandwich's on the same votes."""
    rng = generator(case, seed)
    world = world_of(case, rng)
    found = bootstrap_fit(draw(world, case.crowd, case.votes, rng), replace(world.spec, seed=seed))
    planted = world.planted
    truth = in_order_of(found.board, planted)
    low, high = (
        np.array([getattr(standing, f"rating_{end}") for standing in found.standings], dtype=float)
        for end in ("lower", "upper")
    )
    rating = found.board.spec.center + found.board.spec.elo * (truth - truth.mean())
    length = next(entry for entry in found.coefficients if entry.name == "length")
    sandwich = board_figures(found.board, truth) | coefficient_figures(found.board)
    return {
        "strengths": percent((low <= rating) & (rating <= high)),
        "length": percent(length.lower <= GAMMA["length"] <= length.upper),
        **marked(sandwich, "sandwich"),
    }


def demo(case: Case, seed: int) -> Figures:
    """The demo's own world of a seed, as its board is fitted."""
    from arena.demo.simulate import simulate
    from arena.demo.world import POSITION as planted_position
    from arena.demo.world import VARIANT

    world = simulate(seed, case.votes)
    moved = style_movement(Votes.from_arrow(world.votes), RankingSpec(controls=("style",)))
    board, truth = moved.controlled, world.truth
    gamma = {**truth["gamma"], "position": planted_position}
    assert board.position is not None
    found = (*board.coefficients, board.position)
    ranks = {standing.contestant: standing.rank for standing in board.standings}
    before = {standing.contestant: standing.rank for standing in moved.raw.standings}
    return {
        **board_figures(board, in_order_of(board, truth["theta"])),
        "coefficients": percent([each.lower <= gamma[each.name] <= each.upper for each in found]),
        "raw place": float(before[VARIANT]),
        "place": float(ranks[VARIANT]),
    }


# Studies


def correlated(simulations: int, contestants: int, votes: int, voters: int, cap: float) -> Case:
    """Voters each of whose votes follow a taste of their own."""
    label = f"{contestants} contestants, {votes:,} votes, {voters:,} voters of up to {cap:.1%}"
    crowd = Crowd(voters, cap, taste=0.3, habit=0.3)
    return Case(f"correlated: {label}", simulations, contestants, votes, crowd)


BY_VOTER = {
    "strengths, voter": "strengths, by voter",
    "strengths, vote": "by vote",
    "raw, voter": "raw strengths, by voter",
    "raw, vote": "by vote",
    "movement, voter": "movement, by voter",
    "movement, vote": "by vote",
}
COEFFICIENTS = {
    f"{name}{kind}, {how}": heading
    for name in (*GAMMA, "position")
    for kind, how, heading in (
        ("", "voter", f"{name}, by voter"),
        ("", "vote", "by vote"),
        (" bias", "voter", "bias"),
    )
}
OTHER_LIKELIHOODS: tuple[Model, ...] = ("davidson", "rao_kupper", "four_outcome")
STUDIES = {
    "boards": Study(
        both_boards,
        (
            Case("10 contestants, 1,000 votes, 200 voters", 1000, 10, 1_000, Crowd(200)),
            Case("20 contestants, 5,000 votes, 500 voters", 800, 20, 5_000, Crowd(500)),
            Case("50 contestants, 20,000 votes, 2,000 voters", 400, 50, 20_000, Crowd(2_000)),
            Case("100 contestants, 50,000 votes, 5,000 voters", 150, 100, 50_000, Crowd(5_000)),
            correlated(500, 50, 20_000, 2_000, cap=0.01),
            correlated(800, 20, 6_000, 150, cap=2 / 150),
            correlated(800, 10, 3_000, 45, cap=2 / 45),
            correlated(800, 20, 6_000, 45, cap=2 / 45),
            correlated(800, 20, 6_000, 45, cap=0.15),
        ),
        {
            "Strengths and movement": BY_VOTER
            | {"rank sets, voter": "rank sets", "G*, voter": "G*"},
            "Coefficients": COEFFICIENTS,
        },
    ),
    "ranks": Study(
        ranks,
        (
            Case("100 contestants", 250, 100, 50_000),
            Case("100, drawn unevenly", 250, 100, 50_000, uneven=20.0),
            Case("100 in groups of ten", 250, 100, 50_000, strengths="ties"),
            Case("300 contestants", 60, 300, 150_000),
            Case("300, drawn unevenly", 100, 300, 150_000, uneven=20.0),
            Case("300 in groups, drawn unevenly", 80, 300, 150_000, strengths="ties", uneven=20.0),
            correlated(400, 50, 20_000, 2_000, cap=0.01),
            correlated(500, 20, 6_000, 150, cap=2 / 150),
        ),
        {
            "Ranks": {
                "sets": "all true ranks in the rank sets",
                "spread": "in the overlap spread",
                "together": "all differences at once",
                "alone": "differences each alone",
                "set size": "ranks in a set",
                "spread size": "in a spread",
            },
            "Who is better: right less claimed": {
                f"claim {low}": f"claims {100 * low:g}-{100 * high:g}%"
                for low, high in itertools.pairwise(CLAIMS)
            },
        },
    ),
    "rare": Study(
        rare,
        (
            Case("20 contestants, 5 rare, 5,000 votes", 500, 20, 5_000, rare=5),
            Case("20 contestants, 1 rare, 5,000 votes", 500, 20, 5_000, rare=1),
            Case("30 contestants, 10 new, 2,000 votes", 300, 30, 2_000, rare=10),
        ),
        {
            "Few votes": {
                "under ten, floor": "2 to 9 votes",
                "under ten, no floor": "without floor",
                "few, floor": "10 to 99 votes",
                "few, no floor": "without floor",
                "many, floor": "the others",
                "many, no floor": "without floor",
                "many shown, floor": "the others, read about the mean of all",
                "movement, floor": "movement, under 100 votes",
            }
        },
    ),
    "bounds": Study(
        newcomer,
        tuple(
            Case(f"{own} vote{'s' * (own > 1)}", 1000, 11, 2_000, newcomer=own)
            for own in (1, 2, 3, 5)
        ),
        {
            "A newcomer without a place": {
                "unplaced": "has no place",
                "wrong": "has a wrong bound",
                "right": "bounds that hold",
            }
        },
    ),
    "likelihoods": Study(
        one_board,
        tuple(
            Case(f"{name}: 10 contestants, 4,000 votes", 300, 10, 4_000, likelihood=name)
            for name in OTHER_LIKELIHOODS
        ),
        {
            "Other likelihoods": {
                "strengths": "strengths",
                "length": "length",
                "position": "position",
                "tie": "tie parameter",
                "tie bias": "bias",
                "level": "level",
                "level bias": "bias",
            }
        },
    ),
    "bootstrap": Study(
        bootstrapped,
        (
            Case("8 contestants, 1,500 votes", 200, 8, 1_500),
            correlated(200, 8, 2_000, 100, cap=0.02),
        ),
        {
            "Bootstrap of 200 replicates": {
                "strengths": "strengths",
                "strengths, sandwich": "sandwich",
                "length": "length",
                "length, sandwich": "sandwich",
            }
        },
    ),
    "demo": Study(
        demo,
        (Case("the demo, 30,000 votes, seeds 1 to 20", 20, 41, 30_000),),
        {
            "The demo": {
                "strengths": "strengths",
                "rank sets": "rank sets",
                "coefficients": "coefficients",
                "raw place": "the variant's raw place",
                "place": "controlled place (30)",
            }
        },
    ),
}


# Running and telling

Task = tuple[str, int, int]


def run(task: Task) -> tuple[Task, Figures]:
    name, case, seed = task
    study = STUDIES[name]
    return task, study.simulate(study.cases[case], seed)


def tasks_of(name: str, simulations: Callable[[Case], int]) -> list[Task]:
    """Case and seed of each simulation, the dearest first so that no process idles at the end."""
    cases = STUDIES[name].cases
    tasks = [(name, k, 1 + s) for k, case in enumerate(cases) for s in range(simulations(case))]
    return sorted(tasks, key=lambda task: -cases[task[1]].votes)


def collect(tasks: Sequence[Task], processes: int) -> list[list[Figures]]:
    """Figures of every case in the order of seeds."""
    with multiprocessing.Pool(processes) as pool:
        found = dict(pool.imap_unordered(run, tasks, chunksize=2))
    last = max(case for _, case, _ in found)
    return [[found[task] for task in sorted(found) if task[1] == k] for k in range(last + 1)]


def figure(simulations: Sequence[Figures], name: str) -> str:
    """Mean ± its standard error over the simulations that have the figure."""
    values = np.array([figures.get(name, math.nan) for figures in simulations])
    values = values[~np.isnan(values)]
    if not values.size:
        return "-"
    error = values.std(ddof=1) / math.sqrt(values.size) if values.size > 1 else math.nan
    return f"{values.mean():.1f} ± {error:.1f}"


def tables(name: str, found: Sequence[Sequence[Figures]]) -> Iterator[str]:
    study = STUDIES[name]
    for title, headings in study.tables.items():
        yield f"\n{title} ({name})\n"
        yield f"| | simulations | {' | '.join(headings.values())} |"
        yield f"|{' --- |' * (2 + len(headings))}"
        for case, simulations in zip(study.cases, found, strict=True):
            cells = [figure(simulations, each) for each in headings]
            yield f"| {case.label} | {len(simulations)} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few simulations of each kind")
    parser.add_argument(
        "--only", nargs="+", choices=STUDIES, default=list(STUDIES), metavar="STUDY"
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the simulations")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()

    def simulations(case: Case) -> int:
        return QUICK_SIMULATIONS if given.quick else math.ceil(given.share * case.simulations)

    start = time.perf_counter()
    for name in given.only:
        found = collect(tasks_of(name, simulations), given.processes)
        print("\n".join(tables(name, found)), flush=True)
    print(
        f"\n{time.perf_counter() - start:.0f} s, {given.processes} processes, ± one standard error"
    )


if __name__ == "__main__":
    main()
