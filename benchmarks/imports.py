"""How long imports take, and how much memory: `manage.py import_votes` in fresh processes.

    TILTYARD_DATA=… python benchmarks/imports.py [--plain 2000000] [--native 100000] [--in DIR]

Makes votes in a temporary folder (6 GB for the defaults) and imports each file into an empty
arena there. The native rows are those of the published sample (arena_140k_native_100.jsonl in
TILTYARD_DATA) over and over, under new ids and with a few other words in every answer. Also says
how fast `ndjson` writes vote tables of all columns.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ranking.ndjson import ndjson  # noqa: E402
from ranking.tables import COLUMNS  # noqa: E402

OUTCOMES = ["model_a", "model_b", "tie", "both_bad"]


def plain_csv(path: Path, rows: int, *, wide: bool) -> None:
    """Votes of 300 contestants; `wide` adds an id, a voter, a time, a language and token counts."""
    draw = np.random.default_rng(1)
    names = np.array([f"model-{number:03d}" for number in range(300)])
    a = draw.integers(0, 300, rows)
    b = (a + draw.integers(1, 300, rows)) % 300
    columns: dict[str, Any] = {
        "model_a": names[a],
        "model_b": names[b],
        "winner": np.array(OUTCOMES)[draw.choice(4, rows, p=[0.36, 0.36, 0.16, 0.12])],
    }
    if wide:
        times = np.datetime64("2025-01-01T00:00:00") + np.arange(rows).astype("timedelta64[s]")
        columns |= {
            "id": np.char.add("vote-", np.arange(rows).astype(str)),
            "voter": np.char.add("u", draw.zipf(1.3, rows).clip(0, 10**6).astype(str)),
            "timestamp": np.datetime_as_string(times),
            "language": np.array(["en", "de", "fr"])[draw.integers(0, 3, rows)],
            "tokens_a": draw.integers(1, 2000, rows),
            "tokens_b": draw.integers(1, 2000, rows),
        }
    pacsv.write_csv(pa.table(columns), path)


def native_rows(sample: Path, rows: int) -> Iterator[dict[str, Any]]:
    draw = random.Random(1)
    lines = sample.read_text().splitlines()
    for number in range(rows):
        row = json.loads(lines[number % len(lines)])
        row["id"] = f"{draw.getrandbits(128):032x}"
        for name in ("conversation_a", "conversation_b"):
            for message in row[name]:
                for part in message["content"]:
                    part["text"] = f"{part['text']} {draw.getrandbits(256):064x}"
        yield row


def native_files(folder: Path, sample: Path, rows: int) -> list[Path]:
    """The same rows as JSON Lines, as a JSON array and as Parquet."""
    lines, array, table = (folder / f"native.{kind}" for kind in ("jsonl", "json", "parquet"))
    with lines.open("w") as jsonl, array.open("w") as json_array:
        json_array.write("[")
        for number, row in enumerate(native_rows(sample, rows)):
            text = json.dumps(row, ensure_ascii=False)
            jsonl.write(f"{text}\n")
            json_array.write(f",\n{text}" if number else text)
        json_array.write("]")
    write_parquet(lines, table)
    return [lines, array, table]


def write_parquet(lines: Path, path: Path) -> None:
    writer = None
    with lines.open() as text:
        while batch := [json.loads(line) for line in islice(text, 1000)]:
            for row in batch:
                del row["category_tag"]["creative_writing_v0.1"]["score"]  # of several kinds
            table = pa.Table.from_pylist(batch, writer.schema if writer else None)
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    if writer:
        writer.close()


def arena(folder: Path) -> dict[str, str]:
    """The environment of an empty arena."""
    place = tempfile.mkdtemp(dir=folder, prefix="arena-")
    environment = {**os.environ, "TILTYARD_VAR": place, "SECRET_KEY": "only for this"}
    environment.pop("DATABASE_URL", None)
    manage(environment, "migrate", "-v0")
    return environment


MEASURED = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def manage(environment: dict[str, str], *arguments: str) -> list[float]:
    """Seconds, processor seconds and peak megabytes of one management command.

    A small process starts it: a child's peak counts what its parent held when it was made.
    """
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    return [float(figure) for figure in done.stdout.split()]


def report_import(folder: Path, path: Path, rows: int) -> None:
    seconds, busy, peak = manage(arena(folder), "import_votes", str(path))
    size = path.stat().st_size / 1e6
    print(
        f"{path.name:15} {rows:>9,} rows {size:6,.0f} MB {seconds:6.1f} s, of processors "
        f"{busy:5.1f} s, {peak:5,.0f} MB peak",
        flush=True,
    )


def report_ndjson(rows: int = 100_000) -> None:
    draw = np.random.default_rng(1)
    columns = {name: column_of(draw, kind, rows) for name, kind in COLUMNS.items()}
    batch = pa.RecordBatch.from_pydict(columns)
    best = min(timed(batch) for _ in range(5))
    print(f"ndjson          {len(columns)} columns, {rows / best:,.0f} rows/s")


def timed(batch: pa.RecordBatch) -> float:
    start = time.perf_counter()
    ndjson(batch)
    return time.perf_counter() - start


def column_of(draw: np.random.Generator, kind: pa.DataType, rows: int) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(np.array(OUTCOMES)[draw.integers(0, 4, rows)]).dictionary_encode()
    if pa.types.is_floating(kind):
        return pa.array(np.where(draw.random(rows) < 0.9, draw.integers(0, 2000, rows), 0.123456))
    if pa.types.is_string(kind):
        return pa.array([f"{number:032x}" for number in draw.integers(0, 2**62, rows)])
    return pa.array(draw.integers(0, 2, rows)).cast(kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plain", type=int, default=2_000_000)
    parser.add_argument("--native", type=int, default=100_000)
    parser.add_argument("--in", dest="folder", help="where to make the files")
    arguments = parser.parse_args()
    report_ndjson()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
        folder = Path(made)
        for name, wide in (("plain.csv", False), ("wide.csv", True)):
            plain_csv(folder / name, arguments.plain, wide=wide)
            report_import(folder, folder / name, arguments.plain)
        sample = Path(os.environ.get("TILTYARD_DATA", "")) / "arena_140k_native_100.jsonl"
        if not sample.is_file():
            raise SystemExit("TILTYARD_DATA names no folder with arena_140k_native_100.jsonl.")
        for path in native_files(folder, sample, arguments.native):
            report_import(folder, path, arguments.native)


if __name__ == "__main__":
    main()
