"""Time and memory of a style-controlled fit to 2,000,000 votes.

    python benchmarks/fit.py [--votes N] [--contestants M] [--voters G] [--repeat R]

One process makes the votes and writes a .npy file per column: rows shuffled, pairs of
Zipf-distributed frequency, four correlated covariates with variation between and within
contestants, a position effect, ties, voters of heavy-tailed activity. Fresh processes then map
those files and fit, so that the memory of the generator is in none of their figures; the pages of
the columns they read are. Times are of the wall clock and start with the columns mapped and the
package imported.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

METRICS = ("tokens", "headers", "lists", "bold")
CONTROLS = ("length", "headers", "lists", "bold")
EFFECTS = np.array([0.35, 0.15, 0.12, 0.2])
CORRELATION = np.array(
    [[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.6, 0.4], [0.5, 0.6, 1.0, 0.4], [0.3, 0.4, 0.4, 1.0]]
)
LIMITS = {"prepare + fit, s": 1.5, "peak memory, MB": 700.0}


def make(folder: Path, votes: int, contestants: int, voters: int) -> None:
    """Write the columns of simulated votes into a folder."""
    rng = np.random.default_rng(20250408)
    first, second = np.triu_indices(contestants, 1)
    pair = rng.permutation(first.size)[_zipf(rng, first.size, 0.7, votes)]
    turned = rng.random(votes) < 0.5
    a = np.where(turned, second[pair], first[pair]).astype(np.int32)
    b = np.where(turned, first[pair], second[pair]).astype(np.int32)
    shown = rng.choice(np.array([-1, 1], dtype=np.int8), votes)
    habit = rng.normal(0.0, 0.5, (contestants, len(METRICS)))
    counts = [_style(rng, habit[ids]) for ids in (a, b)]
    theta = rng.normal(0.0, 0.6, contestants)
    eta = theta[a] - theta[b] + 0.1 * shown + _utility(*counts)
    columns = {"a": a, "b": b, "shown": shown, "outcome": _outcome(rng, eta)}
    columns["voter"] = _pareto(rng, voters, votes)
    for side, style in zip("ab", counts, strict=True):
        columns |= {f"{name}_{side}": style[k] for k, name in enumerate(METRICS)}
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column)


def _zipf(rng: np.random.Generator, size: int, power: float, draws: int) -> Any:
    weight = 1.0 / np.arange(1, size + 1) ** power
    return rng.choice(size, draws, p=weight / weight.sum())


def _pareto(rng: np.random.Generator, voters: int, draws: int) -> Any:
    """Voters of Pareto(1.1) activity, none with more than about 1 % of the votes."""
    activity = rng.pareto(1.1, voters) + 1.0
    activity = np.minimum(activity / activity.sum(), 0.01)
    return rng.choice(voters, draws, p=activity / activity.sum()).astype(np.int32)


def _style(rng: np.random.Generator, habit: Any) -> Any:
    """Counts of four metrics, (4, n), log-normal about each contestant's habit."""
    within = 0.5 * rng.standard_normal(habit.shape) @ np.linalg.cholesky(CORRELATION).T
    return np.floor(np.exp(np.array([6.0, 1.2, 2.0, 2.0]) + habit + within)).T.copy()


def _utility(a: Any, b: Any) -> Any:
    total = a + b
    x = (a - b) / np.where(total > 0, total, 1.0)
    return (EFFECTS / np.sqrt(np.mean(x**2, axis=1))) @ x


def _outcome(rng: np.random.Generator, eta: Any) -> Any:
    """model_a, model_b, tie, both_bad as 0 … 3."""
    p = 1.0 / (1.0 + np.exp(-eta))
    outcome = (rng.random(eta.size) > p).astype(np.int8)
    undecided = rng.random(eta.size) < 0.6 * p * (1.0 - p)
    outcome[undecided] = rng.choice(np.array([2, 3], dtype=np.int8), int(undecided.sum()))
    return outcome


def measure(folder: Path, what: str) -> dict[str, float]:
    """Figures of one run in this process."""
    from ranking import RankingSpec, Votes, fit, style_movement
    from ranking.newton import solve
    from ranking.selection import prepare

    column = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
    spec = RankingSpec(controls=CONTROLS)
    figures: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        figures[f"{name}, s"] = time.perf_counter() - start
        return result

    def votes() -> Votes:
        return Votes(
            contestants=tuple(f"m{i:04}" for i in range(int(column["a"].max()) + 1)),
            a=column["a"],
            b=column["b"],
            outcome=column["outcome"],
            shown_first=column["shown"],
            voter=column["voter"],
            features={name: (column[f"{name}_a"], column[f"{name}_b"]) for name in METRICS},
        )

    if what == "board":
        checked = votes()
        timed("whole board (intervals, rank sets)", lambda: fit(checked, spec))
    elif what == "movement":
        checked = votes()
        timed("raw and controlled boards with movement", lambda: style_movement(checked, spec))
    else:
        prepared = timed("prepare", lambda: prepare(votes(), spec))
        design = prepared.design
        solution = timed("fit", lambda: solve(design))
        figures["prepare + fit, s"] = figures["prepare, s"] + figures["fit, s"]
        figures["iterations"] = solution.iterations
        figures["largest change of η in the last step"] = solution.step
        figures["certificate R·λ/√μ"] = solution.certificate
        if what == "clustered":
            timed("voter-clustered sandwich", lambda: _clustered(prepared, design, solution))
    figures["peak memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def _clustered(prepared: Any, design: Any, solution: Any) -> Any:
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
    parser.add_argument("--votes", type=int, default=2_000_000)
    parser.add_argument("--contestants", type=int, default=300)
    parser.add_argument("--voters", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure == "make":
        make(given.folder, given.votes, given.contestants, given.voters)
        return
    if given.measure:
        print(json.dumps(measure(given.folder, given.measure)))
        return
    print(f"{given.votes:,} votes x {given.contestants} contestants x {len(METRICS)} covariates, ")
    print(f"{given.voters:,} voters; {platform.processor() or platform.machine()}, ")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}")
    with tempfile.TemporaryDirectory() as name:
        sizes = [f"--{size}={getattr(given, size)}" for size in ("votes", "contestants", "voters")]
        command = [sys.executable, __file__, "--measure", "make", "--folder", name, *sizes]
        subprocess.run(command, check=True)
        for what in ("fit", "clustered", "board", "movement"):
            print(f"{what}, {given.repeat} fresh processes:")
            print("\n".join(best_of(Path(name), what, given.repeat)))


if __name__ == "__main__":
    main()
