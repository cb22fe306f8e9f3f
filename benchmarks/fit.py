"""Time and memory of a style-controlled fit to 2,000,000 votes.

    python benchmarks/fit.py [--votes N] [--contestants M] [--voters G] [--repeat R]

The votes are those of data.py, made by another process. Fresh processes map its files and fit, so
that the memory of the generator is in none of their figures; the pages of the columns they read
are. Times are of the wall clock and start with the columns mapped and the package imported.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from data import CONTROLS, METRICS, add_sizes, columns_of, machine, make_elsewhere, votes_of

sys.path.insert(0, str(Path(__file__).parent.parent))

LIMITS = {"prepare + fit, s": 1.5, "peak memory, MB": 700.0}


def measure(folder: Path, what: str) -> dict[str, float]:
    """Figures of one run in this process."""
    from ranking import RankingSpec, fit, style_movement
    from ranking.newton import solve
    from ranking.selection import prepare

    columns, spec = columns_of(folder), RankingSpec(controls=CONTROLS)
    figures: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        figures[f"{name}, s"] = time.perf_counter() - start
        return result

    if what == "board":
        checked = votes_of(columns)
        timed("whole board (intervals, rank sets)", lambda: fit(checked, spec))
    elif what == "movement":
        checked = votes_of(columns)
        timed("raw and controlled boards with movement", lambda: style_movement(checked, spec))
    else:
        prepared = timed("prepare", lambda: prepare(votes_of(columns), spec))
        design = prepared.design
        solution = timed("fit", lambda: solve(design))
        figures["prepare + fit, s"] = figures["prepare, s"] + figures["fit, s"]
        figures["iterations"] = solution.iterations
        figures["largest change of η in the last step"] = solution.step
        figures["certificate R·λ/√μ"] = solution.certificate
        if what == "clustered":
            timed("voter-clustered sandwich", lambda: clustered(prepared, design, solution))
    figures["peak memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def clustered(prepared: Any, design: Any, solution: Any) -> Any:
    """The covariance of a solution with voters as clusters."""
    from ranking.inference import bread, cluster_meat, clusters_of, sandwich
    from ranking.newton import residuals

    residual = residuals(design, solution.theta, solution.gamma)
    clusters = clusters_of(design, prepared.votes.voter)
    return sandwich(bread(design, solution), cluster_meat(design, clusters, residual))


def in_fresh_process(folder: Path, what: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", what, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def best_of(folder: Path, what: str, repeat: int) -> Iterator[str]:
    runs = [in_fresh_process(folder, what) for _ in range(repeat)]
    for name in runs[0]:
        values = sorted(run[name] for run in runs)
        limit = LIMITS.get(name) if what == "fit" else None
        verdict = "" if limit is None else f"   (limit {limit:g})"
        yield f"  {name:42} best {values[0]:<10.4g} median {values[repeat // 2]:<10.4g}{verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.folder, given.measure)))
        return
    print(f"{given.votes:,} votes x {given.contestants} contestants x {len(METRICS)} covariates, ")
    print(f"{given.voters:,} voters; {machine()}")
    with tempfile.TemporaryDirectory() as name:
        make_elsewhere(Path(name), given)
        for what in ("fit", "clustered", "board", "movement"):
            print(f"{what}, {given.repeat} fresh processes:")
            print("\n".join(best_of(Path(name), what, given.repeat)))


if __name__ == "__main__":
    main()
