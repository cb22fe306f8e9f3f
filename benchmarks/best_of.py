"""How much the best of N tested variants owes to being picked, and what the correction leaves.

    python benchmarks/best_of.py [--seeds K]

N variants are planted among eight other contestants: identical ones, and such that truly differ
(normal strengths of that many standard errors). In each simulated arena all are fitted together,
the variant of the highest rating is picked, and its error is measured before and after the
correction of ranking/bestof.py. A table of mean errors in rating points with the simulation's
standard error, and how often the corrected one's interval holds the truth.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).parent.parent))

from ranking import RankingSpec, Votes
from ranking.analysis.variants import Rated

Array = np.ndarray[Any, Any]

OTHERS, STRENGTH_SD = 8, 0.35
VOTES_OF_EACH = 600
# Of a strength after so many votes, about, in log-odds: √(4 / votes) at even odds.
ERROR = math.sqrt(4.0 / VOTES_OF_EACH)
SPEC = RankingSpec(position=False)
# Variants, and standard errors between them.
WORLDS = ((2, 0.0), (5, 0.0), (10, 0.0), (27, 0.0), (5, 1.0), (10, 1.0), (5, 4.0), (10, 4.0))


def arena(variants: int, spread: float, seed: int) -> tuple[Votes, Array]:
    """Votes, and the planted strengths of variants and others, less their mean."""
    rng = np.random.default_rng([seed, variants, round(spread * 10)])
    theta = np.concatenate(
        [spread * ERROR * rng.standard_normal(variants), STRENGTH_SD * rng.standard_normal(OTHERS)]
    )
    m = theta.size
    n = VOTES_OF_EACH * m // 2
    a = rng.integers(0, m, n)
    b = (a + rng.integers(1, m, n)) % m
    outcome = np.where(rng.random(n) < special.expit(theta[a] - theta[b]), 0, 1)
    names = [f"m{i:02}" for i in range(m)]
    return Votes.from_columns(a, b, outcome, contestants=names), theta - theta.mean()


def errors(variants: int, spread: float, seed: int) -> tuple[float, float, float, bool]:
    """Of the best variant: error as it is, after the correction, and less what chance alone would
    give if all were identical, in points; and whether its interval holds the truth."""
    votes, theta = arena(variants, spread, seed)
    rated = Rated.of(votes, SPEC)
    assert rated is not None
    best = rated.best_of(votes.contestants[:variants])
    truth = SPEC.center + SPEC.elo * float(theta[best.best])
    held = best.lower <= truth <= best.upper
    return best.estimate - truth, best.corrected - truth, best.estimate - best.chance - truth, held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    started = time.perf_counter()
    print(f"{seeds} arenas each, {VOTES_OF_EACH} votes of every contestant,")
    print(f"so that a rating's standard error is about {SPEC.elo * ERROR:.0f} points.")
    print(
        f"{'variants':>8} {'apart':>8}  {'picked':>13} {'corrected':>13} {'as if same':>13}  held"
    )
    for variants, spread in WORLDS:
        found = np.array([errors(variants, spread, seed) for seed in range(seeds)])
        cells = [
            f"{column.mean():+6.1f} ± {column.std(ddof=1) / math.sqrt(seeds):4.1f}"
            for column in found.T[:3]
        ]
        apart = f"{spread:g} se" if spread else "same"
        print(f"{variants:>8} {apart:>8}  {'  '.join(cells)}  {100 * found[:, 3].mean():3.0f}%")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
