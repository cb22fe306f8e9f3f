"""What a bootstrap replicate costs, in units of a single fit of the same votes.

    python benchmarks/bootstrap.py [--votes N] [--contestants M] [--voters G] [--replicates B]

A single fit is preparation, maximum likelihood and the voter-clustered sandwich. The votes are
those of fit.py (in files, made by another process). The ratio for the asked-for number of
replicates is extrapolated from those that are run: each is the same work with other counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

LIMIT = 60.0
TARGET = 200
ROUNDS = 4


def measure(folder: Path, replicates: int, by: str) -> None:
    """Print seconds of a single fit and of a replicate, and the ratio for TARGET of them."""
    from fit import CONTROLS, METRICS

    from ranking import RankingSpec, Votes, bootstrap_fit
    from ranking.fitting import estimate
    from ranking.selection import prepare

    column = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
    votes = Votes(
        contestants=tuple(f"m{i:04}" for i in range(int(column["a"].max()) + 1)),
        a=column["a"],
        b=column["b"],
        outcome=column["outcome"],
        shown_first=column["shown"],
        voter=column["voter"],
        features={name: (column[f"{name}_a"], column[f"{name}_b"]) for name in METRICS},
    )
    spec, single, each = RankingSpec(controls=CONTROLS), [], []
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
    print(f"{len(votes):,} votes, {len(votes.contestants)} contestants, {len(CONTROLS)} covariates")
    print(f"  single fit, s           best {min(single):.3f}   median {np.median(single):.3f}")
    print(f"  replicate ({by}), s     best {min(each):.3f}   median {np.median(each):.3f}")
    best, median = (TARGET * f(each) / f(single) for f in (min, np.median))
    print(f"  {TARGET} replicates in single fits, limit {LIMIT:g}:", end=" ")
    print(f"best {best:.0f}, median {median:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, default=2_000_000)
    parser.add_argument("--contestants", type=int, default=300)
    parser.add_argument("--voters", type=int, default=200_000)
    parser.add_argument("--replicates", type=int, default=10)
    parser.add_argument("--by", choices=("vote", "voter"), default="voter")
    given = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, ", end="")
    print(f"Python {platform.python_version()}, numpy {np.__version__}")
    with tempfile.TemporaryDirectory() as name:
        sizes = [f"--{size}={getattr(given, size)}" for size in ("votes", "contestants", "voters")]
        make = [sys.executable, str(HERE / "fit.py"), "--measure", "make", "--folder", name]
        subprocess.run([*make, *sizes], check=True)
        measure(Path(name), given.replicates, given.by)


if __name__ == "__main__":
    main()
