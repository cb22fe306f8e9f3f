"""What a bootstrap replicate costs, in units of a single fit of the same votes.

    python benchmarks/bootstrap.py [--votes N] [--contestants M] [--voters G] [--replicates B]

A single fit is preparation, maximum likelihood and the voter-clustered sandwich. The votes are
those of data.py (in files, made by another process). The ratio for TARGET replicates is
extrapolated from those that are run: each is the same work with other counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from data import CONTROLS, add_sizes, columns_of, machine, make_elsewhere, votes_of

sys.path.insert(0, str(Path(__file__).parent.parent))

LIMIT = 60.0
TARGET = 200
ROUNDS = 4
REPLICATES = 10


def measure(folder: Path, replicates: int, by: str) -> dict[str, list[float]]:
    """Seconds of each single fit and of each replicate."""
    from ranking import RankingSpec, bootstrap_fit
    from ranking.fitting import estimate
    from ranking.selection import prepare

    votes, spec = votes_of(columns_of(folder)), RankingSpec(controls=CONTROLS)
    single: list[float] = []
    each: list[float] = []
    # In turns, so that other work on the machine slows both alike.
    for _ in range(ROUNDS):
        start = time.perf_counter()
        prepared = prepare(votes, spec)
        assert prepared.design is not None
        estimate(prepared, prepared.design)
        single.append(time.perf_counter() - start)
        ticks: list[float] = []
        bootstrap_fit(
            votes,
            spec,
            replicates=replicates,
            by=by,
            progress=lambda done, ticks=ticks: ticks.append(time.perf_counter()),
        )
        each += np.diff(ticks).tolist()
    return {"single fit": single, "replicate": each}


def in_fresh_process(
    folder: Path, replicates: int = REPLICATES, by: str = "voter"
) -> dict[str, list[float]]:
    """The figures of `measure`, taken in a process of its own."""
    options = ["--folder", str(folder), f"--replicates={replicates}", f"--by={by}"]
    command = [sys.executable, __file__, *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, list[float]] = json.loads(done.stdout)
    return figures


def show(figures: dict[str, list[float]]) -> None:
    for name, seconds in figures.items():
        print(f"  {name + ', s':16} best {min(seconds):.3f}   median {np.median(seconds):.3f}")
    best, median = (
        TARGET * float(of(figures["replicate"]) / of(figures["single fit"]))
        for of in (np.min, np.median)
    )
    print(f"  {TARGET} replicates in single fits, limit {LIMIT:g}:", end=" ")
    print(f"best {best:.0f}, median {median:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--by", choices=("vote", "voter"), default="voter")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        print(json.dumps(measure(given.folder, given.replicates, given.by)))
        return
    print(machine())
    print(f"{given.votes:,} votes, {given.contestants} contestants, {len(CONTROLS)} covariates,")
    print(f"{given.voters:,} voters; replicates by {given.by}")
    with tempfile.TemporaryDirectory() as name:
        make_elsewhere(Path(name), given)
        show(in_fresh_process(Path(name), given.replicates, given.by))


if __name__ == "__main__":
    main()
