"""How long it takes to publish sealed votes, and to verify the publication.

    python benchmarks/verifying.py [--votes N] [--contestants M] [--voters G] [--files F]

Simulated votes are sealed in F files. Publishing is reading, hashing, fitting and writing the
document; verifying is the command's work, in a fresh process, from the start of Python.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from data import add_sizes, machine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ranking.analysis import parts, sources_of  # noqa: E402  after the path
from ranking.io import write_votes  # noqa: E402
from ranking.publication import publication  # noqa: E402
from ranking.sealed import PUBLISHED_COLUMNS, file_digest, read_sealed  # noqa: E402
from ranking.simulation import SimulationSpec, simulate  # noqa: E402
from ranking.snapshots import (  # noqa: E402
    GENESIS,
    NATIVE,
    SegmentEntry,
    canonical,
    digest_of,
    link_of,
    snapshot_document,
    snapshot_text,
)


def seal(folder: Path, spec: SimulationSpec, files: int) -> list[SegmentEntry]:
    """Simulated votes as files of the folder, chained."""
    votes, entries = simulate(spec).votes, []
    size = -(-spec.votes // files)
    for start in range(0, spec.votes, size):
        part = votes.slice(start, size)
        write_votes(part, folder / "made")
        sha256 = file_digest(folder / "made")
        (folder / "made").rename(folder / f"{sha256}.parquet")
        link = link_of(entries[-1].link if entries else GENESIS, sha256)
        entries.append(SegmentEntry(sha256, link, part.num_rows, NATIVE))
    return entries


def publish(folder: Path, entries: list[SegmentEntry]) -> Path:
    """The file of the publication on these votes, and those of its parts."""
    for entry in entries:
        assert file_digest(folder / f"{entry.sha256}.parquet") == entry.sha256
    sources = sources_of(
        read_sealed(
            entries,
            {},
            lambda sha256: folder / f"{sha256}.parquet",
            PUBLISHED_COLUMNS,
            categories=True,
        ).table
    )
    fitted = publication(sources.votes)
    document = snapshot_document(
        fitted,
        number=1,
        previous=GENESIS,
        segments=entries,
        exclusions={},
        families={},
        catalog={},
        parts={name: write_part(folder, content) for name, content in parts(sources, fitted)},
    )
    path = folder / f"{digest_of(document)}.json"
    path.write_text(snapshot_text(document))
    return path


def write_part(folder: Path, content: dict[str, Any]) -> str:
    """The digest that names a part's file."""
    text = canonical(content).encode()
    sha256 = hashlib.sha256(text).hexdigest()
    (folder / f"{sha256}.json").write_bytes(text)
    return sha256


def verify_apart(snapshot: Path, *flags: str) -> tuple[float, int, str]:
    """Seconds, exit code and what was said of the command in a process of its own."""
    command = [sys.executable, "-m", "ranking", "verify", str(snapshot), "--votes"]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, str(snapshot.parent), *flags], cwd=ROOT, capture_output=True, text=True
    )
    return time.perf_counter() - start, done.returncode, done.stdout + done.stderr


def processor_seconds(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    parser.add_argument("--files", type=int, default=4)
    given = parser.parse_args()
    spec = SimulationSpec(
        votes=given.votes, contestants=given.contestants, voters=given.voters, seed=1
    )
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        entries = seal(folder, spec, given.files)
        megabytes = sum(path.stat().st_size for path in folder.glob("*.parquet")) / 1e6
        print(f"{given.votes:,} votes in {len(entries)} files of {megabytes:,.0f} MB together")
        start, used = time.perf_counter(), processor_seconds(resource.RUSAGE_SELF)
        snapshot = publish(folder, entries)
        seconds = time.perf_counter() - start
        used = processor_seconds(resource.RUSAGE_SELF) - used
        size = snapshot.stat().st_size / 1e6
        print(f"publication            {seconds:6.2f} s ({used:.2f} s of processor), {size:.1f} MB")
        for what, flags in (("default board", ()), ("everything", ("--all",))):
            used = processor_seconds(resource.RUSAGE_CHILDREN)
            seconds, code, said = verify_apart(snapshot, *flags)
            used = processor_seconds(resource.RUSAGE_CHILDREN) - used
            last = f"exit {code}, {said.splitlines()[-1]}"
            print(f"verify, {what:13}  {seconds:6.2f} s ({used:.2f} s of processor), {last}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of verifying        {peak:6.0f} MB")


if __name__ == "__main__":
    main()
