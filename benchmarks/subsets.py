"""What the boards of all 32 subsets of five toggles cost, in units of a single fit.

    python benchmarks/subsets.py [--votes N] [--contestants M] [--voters G] [--rounds R]

A single fit is preparation, maximum likelihood and the voter-clustered sandwich, once with all
controls of the toggles (nine columns with position) and once with the four of data.py. The
subsets are timed with intervals (rank sets of the fewest draws there are) and with rank sets of
10,000 draws. Votes are those of data.py, with four more metrics that go along with tokens or
lists; a share of the outcomes follows them, so that every toggle moves the board. Single fits and
subsets take turns, so that other work on the machine slows both alike.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from data import CONTROLS, METRICS, add_sizes, columns_of, machine, make_elsewhere, names

sys.path.insert(0, str(Path(__file__).parent.parent))

TOGGLES = ("length", "markdown", "code", "emoji", "latency")
LIMIT = 25.0
LEAST_DRAWS = 100

# metric: what it goes along with, mean logarithm, effect of its column on the log-odds
ADDED = {
    "code": ("tokens", 0.8, 0.2),
    "emoji": ("lists", 0.5, 0.3),
    "first_token": ("tokens", 0.0, -0.2),
    "duration": ("tokens", 2.0, -0.4),
}


def add_metrics(folder: Path) -> None:
    """Write the metrics of ADDED beside the others, and the outcomes that they turned."""
    rng, columns = np.random.default_rng(8), columns_of(folder)
    utility = np.zeros(columns["a"].size)
    for metric, (along, level, effect) in ADDED.items():
        habit = rng.normal(0.0, 0.5, int(columns["a"].max()) + 1)
        sides = []
        for side in "ab":
            other = np.log1p(columns[f"{along}_{side}"])
            own = habit[columns[side]] + 0.4 * rng.standard_normal(other.size)
            sides.append(np.floor(10.0 * np.exp(level + 0.5 * (other - other.mean()) + own)))
            np.save(folder / f"{metric}_{side}.npy", sides[-1])
        utility += effect * (sides[0] - sides[1]) / np.maximum(sides[0] + sides[1], 1.0)
    turned = rng.random(utility.size) < np.tanh(np.abs(utility))
    favoured = (utility < 0.0).astype(np.int8)
    np.save(folder / "outcome.npy", np.where(turned, favoured, columns["outcome"]))


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of each piece of work in each round."""
    from ranking import RankingSpec, Votes, control_subsets
    from ranking.fitting import Estimate, estimate
    from ranking.selection import prepare

    columns = columns_of(folder)
    votes = Votes(
        contestants=names(columns),
        a=columns["a"],
        b=columns["b"],
        outcome=columns["outcome"],
        shown_first=columns["shown"],
        voter=columns["voter"],
        features={n: (columns[f"{n}_a"], columns[f"{n}_b"]) for n in (*METRICS, *ADDED)},
    )

    def single(controls: tuple[str, ...]) -> Estimate:
        prepared = prepare(votes, RankingSpec(controls=controls))
        assert prepared.design is not None
        return estimate(prepared, prepared.design)

    work: dict[str, Callable[[], Any]] = {
        "single fit, all controls": lambda: single(TOGGLES),
        "single fit, four controls": lambda: single(CONTROLS),
        "subsets, intervals": lambda: control_subsets(
            votes, RankingSpec(draws=LEAST_DRAWS), TOGGLES
        ),
        "subsets, rank sets too": lambda: control_subsets(votes, RankingSpec(), TOGGLES),
    }
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def show(seconds: dict[str, list[float]]) -> None:
    for name, taken in seconds.items():
        print(f"  {name + ', s':30} best {min(taken):<8.3g} median {np.median(taken):.3g}")
    for unit in ("all", "four"):
        single = seconds[f"single fit, {unit} controls"]
        for what in ("intervals", "rank sets too"):
            taken = seconds[f"subsets, {what}"]
            best, median = min(taken) / min(single), np.median(taken) / np.median(single)
            limit = f"   (limit {LIMIT:g})" if what == "intervals" else ""
            print(f"  {what}, in fits of {unit} controls: ", end="")
            print(f"best {best:.1f}, median {median:.1f}{limit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        print(json.dumps(measure(given.folder, given.rounds)))
        return
    print(machine())
    print(f"{given.votes:,} votes, {given.contestants} contestants, {given.voters:,} voters,")
    print(f"{2 ** len(TOGGLES)} subsets of {', '.join(TOGGLES)}; {given.rounds} rounds")
    with tempfile.TemporaryDirectory() as name:
        make_elsewhere(Path(name), given)
        add_metrics(Path(name))
        command = [sys.executable, __file__, "--folder", name, f"--rounds={given.rounds}"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        show(json.loads(done.stdout))


if __name__ == "__main__":
    main()
