"""Time and memory per vote as votes become many, in memory and out of core.

    python benchmarks/scaling.py                  10^5, 10^6 and 10^7 votes, both ways
    python benchmarks/scaling.py --huge           10^8 votes out of core
    python benchmarks/scaling.py --memory 1G --votes 3000000 10000000

Votes are made in chunks of a million and written as Parquet files (segments) of up to five million:
300 contestants, pairs of Zipf-distributed frequency, four correlated covariates, a voter for every
ten votes with heavy-tailed activity. Each fit runs in a process of its own from those files to a
whole board (intervals clustered by voter, rank sets). Peak memory is the process's resident set
(ru_maxrss), the mapped pages of temporary files among it. Out of core the process may besides have
no more private memory than --memory (RLIMIT_DATA), or it fails.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from data import CONTROLS, METRICS, machine, outcomes, style_effect, styles

sys.path.insert(0, str(Path(__file__).parent.parent))

SIZES = (100_000, 1_000_000, 10_000_000)
HUGE = 100_000_000
CONTESTANTS = 300
VOTES_PER_VOTER = 10
CHUNK = 1_000_000
CHUNKS_PER_FILE = 5
BYTES_PER_VOTE = 15  # of a Parquet file


class World:
    """What all chunks have in common: who is how strong, who meets whom, who votes how often."""

    def __init__(self, votes: int) -> None:
        rng = np.random.default_rng(20250408)
        self.first, self.second = np.triu_indices(CONTESTANTS, 1)
        frequency = 1.0 / rng.permutation(np.arange(1, self.first.size + 1)) ** 0.7
        self.pairs = np.cumsum(frequency / frequency.sum())
        activity = rng.pareto(1.1, max(votes // VOTES_PER_VOTER, 1)) + 1.0
        activity = np.minimum(activity / activity.sum(), 0.01)
        self.voters = np.cumsum(activity / activity.sum())
        self.habit = rng.normal(0.0, 0.5, (CONTESTANTS, len(METRICS)))
        self.theta = rng.normal(0.0, 0.6, CONTESTANTS)
        self.names = pa.array([f"m{i:04}" for i in range(CONTESTANTS)])

    def chunk(self, number: int, votes: int) -> pa.Table:
        """A vote table; the same number gives the same votes."""
        rng = np.random.default_rng([20250408, number])
        pair = _drawn(rng, self.pairs, votes)
        turned = rng.random(votes) < 0.5
        a = np.where(turned, self.second[pair], self.first[pair])
        b = np.where(turned, self.first[pair], self.second[pair])
        shown = rng.integers(0, 2, votes)
        counts = [styles(rng, self.habit[ids]) for ids in (a, b)]
        eta = self.theta[a] - self.theta[b] + 0.1 * (1 - 2 * shown) + style_effect(*counts)
        voter = pa.array(_drawn(rng, self.voters, votes)).cast(pa.string())
        columns: dict[str, Any] = {
            "model_a": _named(a, self.names),
            "model_b": _named(b, self.names),
            "winner": _named(outcomes(rng, eta), ["model_a", "model_b", "tie", "both_bad"]),
            "shown_first": _named(shown, ["model_a", "model_b"]),
            "voter": pc.binary_join_element_wise("voter", voter, " "),
        }
        for side, style in zip("ab", counts, strict=True):
            columns |= {f"{name}_{side}": style[k] for k, name in enumerate(METRICS)}
        return pa.table(columns)


def _drawn(rng: np.random.Generator, cumulative: Any, votes: int) -> Any:
    return np.minimum(np.searchsorted(cumulative, rng.random(votes)), cumulative.size - 1)


def _named(codes: Any, names: Any) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), pa.array(names))


def make(folder: Path, votes: int) -> None:
    """Write votes as segments into a new folder."""
    folder.mkdir(parents=True)
    world = World(votes)
    chunks = [min(CHUNK, votes - start) for start in range(0, votes, CHUNK)]
    for low in range(0, len(chunks), CHUNKS_PER_FILE):
        path = folder / f"segment-{low // CHUNKS_PER_FILE:03}.parquet"
        tables = (world.chunk(k, chunks[k]) for k in range(len(chunks))[low:][:CHUNKS_PER_FILE])
        first = next(tables)
        with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
            writer.write_table(first)
            for table in tables:
                writer.write_table(table)


# -- Fits, each in a process of its own ------------------------------------------------------


def in_memory(folder: Path, memory: int) -> dict[str, Any]:
    """Figures of reading all the votes and fitting them at once."""
    del memory
    from ranking import RankingSpec, Votes, fit
    from ranking.io import read_votes

    watch = Stopwatch()
    files = [read_votes(path).table for path in sorted(folder.glob("*.parquet"))]
    table = pa.concat_tables(files).unify_dictionaries()
    votes = Votes.from_arrow(table)
    del files, table
    watch.lap("read")
    board = fit(votes, RankingSpec(controls=CONTROLS))
    watch.lap("fit")
    return watch.laps | figures(board)


def out_of_core(folder: Path, memory: int) -> dict[str, Any]:
    """Figures of a fit within so many bytes."""
    from ranking import RankingSpec
    from ranking.outofcore import fit_files

    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    watch, stages = Stopwatch(), Stages()
    found = fit_files([folder], RankingSpec(controls=CONTROLS), memory=memory, progress=stages)
    watch.lap("total")
    stages("")
    return watch.laps | {"stages": stages.seconds} | figures(found.board)


class Stopwatch:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self.last = now - self.last, now


class Stages:
    """Seconds between what a fit says it does."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.doing, self.since = "reading", time.perf_counter()

    def __call__(self, doing: str) -> None:
        now, stage = time.perf_counter(), doing.split(":")[0]
        self.seconds[self.doing] = self.seconds.get(self.doing, 0.0) + now - self.since
        self.doing, self.since = stage, now


def figures(board: Any) -> dict[str, Any]:
    return {
        "counted": board.counts.counted,
        "iterations": board.iterations,
        "certificate": board.certificate,
        "voters": board.clusters,
        "leader": board.standings[0].rating,
        "peak, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


WAYS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "in memory": in_memory,
    "out of core": out_of_core,
}


def measured(folder: Path, way: str, memory: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", way, "--folder", str(folder)]
    # Arrow's usual allocator reserves a gigabyte of addresses, which the limit would count.
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    command += ["--memory", str(memory)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    result["seconds"] = result.get("total") or result["read"] + result["fit"]
    return result


def lines(way: str, runs: dict[int, dict[str, Any]]) -> Iterator[str]:
    """A line per size: what it took, and what each vote more than the last size took."""
    yield f"\n{way}"
    yield "       votes   seconds  µs/vote   more  peak MB  B/vote more"
    before = None
    for size, run in runs.items():
        seconds, peak = run["seconds"], run["peak, MB"]
        more = ["", ""]
        if before is not None:
            votes = size - before[0]
            more = [
                f"{1e6 * (seconds - before[1]) / votes:.2f}",
                f"{(peak - before[2]) * 2**20 / votes:.0f}",
            ]
        before = size, seconds, peak
        per_vote = 1e6 * seconds / size
        yield f"{size:12,} {seconds:9.2f} {per_vote:8.2f} {more[0]:>6} {peak:8.0f} {more[1]:>12}"


def size_in_bytes(text: str) -> int:
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(float(text.rstrip("KMG")) * units.get(text[-1], 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--huge", action="store_true", help=f"{HUGE:,} votes, out of core only")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--memory", type=size_in_bytes, default=2 << 30, help="out of core (2G)")
    parser.add_argument("--keep", type=Path, help="where the votes are kept and found again")
    parser.add_argument("--measure", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(WAYS[given.measure](given.folder, given.memory)))
        return
    sizes, ways = given.votes, given.ways
    if given.huge:
        sizes, ways = (HUGE,), ["out of core"]
    print(f"{CONTESTANTS} contestants x {len(METRICS)} covariates and position; {machine()}")
    with tempfile.TemporaryDirectory() as name:
        root = given.keep or Path(name)
        runs: dict[str, dict[int, dict[str, Any]]] = {way: {} for way in ways}
        for size in sizes:
            folder = root / str(size)
            if not folder.exists():
                check_disk(root, size)
                make(folder, size)
            for way in ways:
                run = runs[way][size] = measured(folder, way, given.memory)
                print(f"{size:,} {way}: {json.dumps(run)}", flush=True)
    for way in ways:
        print("\n".join(lines(way, runs[way])))


def check_disk(root: Path, votes: int) -> None:
    root.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(root).free < 2 * BYTES_PER_VOTE * votes:
        raise SystemExit(f"{root}: {2 * BYTES_PER_VOTE * votes >> 30} GB must be free.")


if __name__ == "__main__":
    main()
