"""What it takes to compute everything that a publication says, part by part.

    python benchmarks/board.py [--votes N] [--contestants M] [--voters G] [--categories K]

Votes are those of data.py with two more metrics of style (subsets.py), tags that overlap, drawn
probabilities, a few answers that gave themselves away, and families of two revisions. The
publication before rests on the first 95 % of them; a few voters are excluded since. The work has a
process of its own, whose peak memory is printed as it grows; the columns that it begins with are in
it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from data import METRICS, add_sizes, columns_of, machine, make_elsewhere, names
from subsets import add_metrics

sys.path.insert(0, str(Path(__file__).parent.parent))

if TYPE_CHECKING:
    from ranking import Votes
    from ranking.snapshots import Stated

STYLE = (*METRICS, "code", "emoji")
BEFORE = 0.95
EXCLUDED_VOTERS = 40
CLAIMED = 0.004
# As the arena sets it, see arena/config/settings.py.
ALONE = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
LARGEST, SMALLEST = 0.45, 0.005
"""Shares of the votes in the categories, from the largest to the smallest."""


def add_tags(folder: Path, categories: int) -> None:
    """Write tags of falling share, which overlap, and what else the parts need of a vote."""
    rng, columns = np.random.default_rng(9), columns_of(folder)
    votes = columns["a"].size
    topic = rng.random(votes)
    for k, share in enumerate(np.geomspace(LARGEST, SMALLEST, categories)):
        # Half of a tag's votes follow one topic of all tags, the rest come by chance.
        inside = np.where(rng.random(votes) < 0.5, topic < share, rng.random(votes) < share)
        np.save(folder / f"tag{k:02}.npy", inside)
    np.save(folder / "claimed.npy", rng.random(votes) < CLAIMED)
    activity = rng.uniform(0.5, 2.0, int(columns["a"].max()) + 1)
    drawn = activity[columns["a"]] * activity[columns["b"]]
    np.save(folder / "drawn.npy", drawn / drawn.sum() * votes / activity.size**2)


def votes_of(columns: dict[str, Any], count: int, excluded: int) -> Votes:
    """The first of the votes, those of the voters below `excluded` excluded."""
    from ranking import Votes

    held = {name: column[:count] for name, column in columns.items()}
    return Votes(
        contestants=names(columns),
        a=held["a"],
        b=held["b"],
        outcome=held["outcome"],
        shown_first=held["shown"],
        voter=held["voter"],
        features={name: (held[f"{name}_a"], held[f"{name}_b"]) for name in STYLE},
        draw_probability=held["drawn"],
        time=np.arange(count, dtype=np.float64),
        excluded=np.where(held["voter"] < excluded, 0, -1).astype(np.int32),
        rules=("rigged",),
    )


@dataclass
class Clock:
    """Seconds, processor seconds and bytes of each piece of work."""

    told: list[dict[str, Any]]

    @contextmanager
    def __call__(self, name: str) -> Iterator[dict[str, Any]]:
        row: dict[str, Any] = {"name": name, "bytes": 0, "parts": 0}
        start, busy = time.perf_counter(), time.process_time()
        yield row
        row["seconds"] = time.perf_counter() - start
        row["processor"] = time.process_time() - busy
        row["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.told.append(row)


def measure(folder: Path) -> list[dict[str, Any]]:
    """Everything that a publication says, in the order in which it is computed."""
    from ranking.analysis import Before, Sources, parts
    from ranking.publication import publication
    from ranking.selection import with_every_column
    from ranking.snapshots import canonical

    clock = Clock([])
    with clock("read"):
        columns = columns_of(folder, mapped=False)
        votes = votes_of(columns, columns["a"].size, EXCLUDED_VOTERS)
        earlier = votes_of(columns, int(BEFORE * len(votes)), 0)
        tags = {name: column for name, column in columns.items() if name.startswith("tag")}
        places = {name: name for name in votes.contestants}
        # Votes that were read for themselves share no memory with those of another reading.
        earlier = replace(earlier, features={k: _copied(v) for k, v in earlier.features.items()})
        sources = Sources(votes, columns["claimed"], tags, places, families(votes.contestants))
    with clock("publication"):
        published = publication(votes)
    spec = with_every_column(earlier, replace(published.default.spec, scales=None)).spec
    made = parts(sources, published, Before(earlier, spec, places))
    while True:
        with clock("") as row:
            found = next(made, None)
            if found is not None:
                row["name"], content = found
                row["bytes"], row["parts"] = len(canonical(content)), 1
                row["error"] = content.get("error", "")
                del content
        if found is None:
            clock.told.pop()
            return clock.told


def families(contestants: Sequence[str]) -> dict[str, Stated]:
    """Of every ten contestants the first two are an experimental and a released revision."""
    from ranking.snapshots import Stated

    return {
        name: Stated(family=f"family {i // 10}", stage=("experimental", "released")[i % 10])
        if i % 10 < 2
        else Stated(family=name, stage="released")
        for i, name in enumerate(contestants)
    }


def _copied(sides: tuple[Any, Any]) -> tuple[Any, Any]:
    return sides[0].copy(), sides[1].copy()


def grouped(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts of one kind as one row."""
    kinds: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row["name"].partition("/")[0]
        kind = kinds.setdefault(name, dict.fromkeys(row, 0) | {"name": name})
        for figure in ("seconds", "processor", "bytes", "parts"):
            kind[figure] += row[figure]
        kind["peak_mb"] = row["peak_mb"]
    return list(kinds.values())


def show(rows: list[dict[str, Any]]) -> None:
    print(f"  {'':24}{'parts':>6}{'s':>8}{'cpu s':>8}{'MB':>8}{'peak MB':>9}")
    for row in rows:
        print(
            f"  {row['name']:24}{row['parts']:6}{row['seconds']:8.1f}{row['processor']:8.1f}"
            f"{row['bytes'] / 1e6:8.2f}{row['peak_mb']:9,.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    parser.add_argument("--categories", type=int, default=25)
    parser.add_argument("--each", action="store_true", help="a line for each part")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        print(json.dumps(measure(given.folder)))
        return
    print(machine())
    print(f"{given.votes:,} votes, {given.contestants} contestants, {given.voters:,} voters,")
    print(f"{given.categories} categories")
    with tempfile.TemporaryDirectory() as name:
        make_elsewhere(Path(name), given)
        add_metrics(Path(name))
        add_tags(Path(name), given.categories)
        command = [sys.executable, __file__, "--folder", name]
        rows = json.loads(
            subprocess.run(command, check=True, stdout=subprocess.PIPE, env=ALONE).stdout
        )
    if given.each:
        show(rows)
    kinds = grouped(rows)
    show(kinds)
    for row in rows:
        if row.get("error"):
            print(f"  {row['name']}: {row['error']}")
    whole = {figure: sum(kind[figure] for kind in kinds[1:]) for figure in ("seconds", "processor")}
    print(f"  without reading {whole['seconds']:.0f} s, {whole['processor']:.0f} s of processors")


if __name__ == "__main__":
    main()
