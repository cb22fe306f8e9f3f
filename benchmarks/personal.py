"""How often a personal ranking holds, over simulated voters of known taste; and how long it takes.

    python benchmarks/personal.py [--contestants M ...] [--simulations N] [--processes N]

A voter has a taste for every contestant (normal, of the deviation that the row names, in rating
points), judges pairs of which the most drawn contestant is four times as often part as the least
drawn one, calls some of them a tie, and leans towards what is shown first by .1 on the log-odds,
of which the ranking knows nothing. The tables are Markdown; ± is one standard error.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# One thread each: the processes share the cores already.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from worlds import draw, make_world

from ranking import RankingSpec
from ranking.personal import PRIOR_SD, PersonalRanking, personal_ranking, personal_spec

CONTESTANTS = (2, 5, 15, 40)
TASTES = (0, 50, 100, 200, 300, 600)
VOTES = (10, 30, 100, 300)
ELO = RankingSpec().elo
UNEVEN = 4.0
TIMED = (500, 40)


@dataclass(frozen=True, slots=True)
class Found:
    """hold: whether no two are parted wrongly, so that every set holds its true rank. said:
    whether any set is smaller than 1 … M. size: mean share of 1 … M that a set covers.
    intervals: share that hold.
    """

    hold: bool
    said: bool
    size: float
    intervals: float


def simulate(task: tuple[int, int, int, int, float]) -> Found:
    contestants, taste, votes, seed, prior_sd = task
    rng = np.random.default_rng([contestants, taste, votes, seed])
    theta = rng.normal(0.0, taste / ELO, contestants)
    world = make_world(rng, theta, exposure=UNEVEN ** rng.random(contestants), controls=())
    ranking = personal_ranking(draw(world, None, votes, rng), personal_spec(prior_sd))
    return judged(ranking, world.planted)


def judged(ranking: PersonalRanking, planted: dict[str, float]) -> Found:
    """Contestants of equal strength may stand in any order, but nobody may be told apart."""
    standings = ranking.standings
    truth = np.array([planted[standing.contestant] for standing in standings])
    rating = ranking.spec.center + ELO * (truth - truth.mean())
    low, high = (
        np.array([getattr(standing, f"rating_{end}") for standing in standings])
        for end in ("lower", "upper")
    )
    sizes = [standing.rank_upper - standing.rank_lower + 1 for standing in standings]
    return Found(
        hold=all(planted[better] > planted[worse] for better, worse in ranking.settled),
        said=bool(ranking.settled),
        size=float(np.mean(sizes)) / len(standings),
        intervals=float(np.mean((low <= rating) & (rating <= high))),
    )


def share(values: list[float]) -> str:
    mean = 100.0 * float(np.mean(values))
    return f"{mean:.1f} ± {100.0 * float(np.std(values)) / math.sqrt(len(values)):.1f}"


def row(found: list[Found]) -> str:
    cells = [
        share([float(each.hold) for each in found]),
        share([each.intervals for each in found]),
        f"{100.0 * np.mean([each.said for each in found]):.0f}",
        f"{100.0 * np.mean([each.size for each in found]):.0f}",
    ]
    return " | ".join(cells)


def seconds(repeat: int = 20) -> float:
    """Of one ranking of many votes, the median."""
    votes, contestants = TIMED
    rng = np.random.default_rng(0)
    world = make_world(rng, rng.normal(0.0, 150.0 / ELO, contestants), controls=())
    drawn, took = draw(world, None, votes, rng), []
    for _ in range(repeat):
        start = time.perf_counter()
        personal_ranking(drawn)
        took.append(time.perf_counter() - start)
    return float(np.median(took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contestants", type=int, nargs="+", default=list(CONTESTANTS))
    parser.add_argument("--simulations", type=int, default=200, help="of each row")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--prior-sd", type=float, default=PRIOR_SD, help="in rating points")
    given = parser.parse_args()

    print("| contestants | taste | votes | rank sets hold | intervals hold | say anything | size |")
    print("|" + " --- |" * 7)
    with multiprocessing.Pool(given.processes) as pool:
        for contestants, taste, votes in itertools.product(given.contestants, TASTES, VOTES):
            seeds = range(given.simulations)
            tasks = [(contestants, taste, votes, seed, given.prior_sd) for seed in seeds]
            found = pool.map(simulate, tasks, chunksize=10)
            print(f"| {contestants} | {taste} | {votes} | {row(found)} |", flush=True)
    print(f"\n{TIMED[0]} votes over {TIMED[1]} contestants: {1000 * seconds():.0f} ms")


if __name__ == "__main__":
    main()
