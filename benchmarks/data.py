"""The simulated votes that the benchmarks fit, as one .npy file per column.

    python benchmarks/data.py --folder DIR [--votes N] [--contestants M] [--voters G]

Rows are shuffled, pairs have Zipf-distributed frequency; four correlated covariates vary between
and within contestants; there are a position effect, ties and voters of heavy-tailed activity.
Made by a process of its own, so that the generator's memory is in no measurement.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ranking import Votes

METRICS = ("tokens", "headers", "lists", "bold")
CONTROLS = ("length", "headers", "lists", "bold")
EFFECTS = np.array([0.35, 0.15, 0.12, 0.2])
CORRELATION = np.array(
    [[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.6, 0.4], [0.5, 0.6, 1.0, 0.4], [0.3, 0.4, 0.4, 1.0]]
)


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
    counts = [styles(rng, habit[ids]) for ids in (a, b)]
    theta = rng.normal(0.0, 0.6, contestants)
    eta = theta[a] - theta[b] + 0.1 * shown + style_effect(*counts)
    columns = {"a": a, "b": b, "shown": shown, "outcome": outcomes(rng, eta)}
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


def styles(rng: np.random.Generator, habit: Any) -> Any:
    """Counts of four metrics, (4, n), log-normal about each contestant's habit."""
    within = 0.5 * rng.standard_normal(habit.shape) @ np.linalg.cholesky(CORRELATION).T
    return np.floor(np.exp(np.array([6.0, 1.2, 2.0, 2.0]) + habit + within)).T.copy()


def style_effect(a: Any, b: Any) -> Any:
    """What the style of two answers, (4, n) counts each, adds to the log-odds."""
    total = a + b
    x = (a - b) / np.where(total > 0, total, 1.0)
    return (EFFECTS / np.sqrt(np.mean(x**2, axis=1))) @ x


def outcomes(rng: np.random.Generator, eta: Any) -> Any:
    """model_a, model_b, tie, both_bad as 0 … 3."""
    p = 1.0 / (1.0 + np.exp(-eta))
    outcome = (rng.random(eta.size) > p).astype(np.int8)
    undecided = rng.random(eta.size) < 0.6 * p * (1.0 - p)
    outcome[undecided] = rng.choice(np.array([2, 3], dtype=np.int8), int(undecided.sum()))
    return outcome


def columns_of(folder: Path, *, mapped: bool = True) -> dict[str, Any]:
    """The columns in a folder by name, mapped from their files or read into memory."""
    mode = "r" if mapped else None
    return {path.stem: np.load(path, mmap_mode=mode) for path in folder.glob("*.npy")}


def names(columns: dict[str, Any]) -> tuple[str, ...]:
    """A name for each contestant that the columns' ids can mean."""
    return tuple(f"m{i:04}" for i in range(int(columns["a"].max()) + 1))


def votes_of(columns: dict[str, Any]) -> Votes:
    """The columns as Votes of this project."""
    from ranking import Votes

    return Votes(
        contestants=names(columns),
        a=columns["a"],
        b=columns["b"],
        outcome=columns["outcome"],
        shown_first=columns["shown"],
        voter=columns["voter"],
        features={name: (columns[f"{name}_a"], columns[f"{name}_b"]) for name in METRICS},
    )


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """The options that say how much data to make."""
    parser.add_argument("--votes", type=int, default=2_000_000)
    parser.add_argument("--contestants", type=int, default=300)
    parser.add_argument("--voters", type=int, default=200_000)


def make_elsewhere(folder: Path, given: argparse.Namespace) -> None:
    """Have another process make the data that the options of `add_sizes` ask for."""
    sizes = [f"--{name}={getattr(given, name)}" for name in ("votes", "contestants", "voters")]
    subprocess.run([sys.executable, __file__, "--folder", str(folder), *sizes], check=True)


def machine() -> str:
    """Processor, cores, Python and NumPy in words."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"NumPy {np.__version__}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    make(given.folder, given.votes, given.contestants, given.voters)


if __name__ == "__main__":
    main()
