"""How fast votes leave over HTTP, and what that costs the server in memory.

    python benchmarks/exports.py --votes 2000000

makes an arena of its own in a temporary folder, imports random votes of thirty columns, serves it
with uvicorn and reads it as NDJSON and as Parquet, as a client on the same machine would. The same
is done for a tenth of the votes: memory that does not grow with the votes is the same for both.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
METRICS = ("tokens", "headers", "lists", "bold", "code", "emoji")


def write_votes(path: Path, votes: int) -> None:
    rng = np.random.default_rng(7)
    names = pa.array([f"contestant-{k:03d}" for k in range(300)])
    a = rng.integers(0, 300, votes, dtype=np.int32)
    b = (a + rng.integers(1, 300, votes, dtype=np.int32)) % 300
    columns = {
        "id": pa.array(np.arange(votes)).cast(pa.string()),
        "model_a": pa.DictionaryArray.from_arrays(a, names),
        "model_b": pa.DictionaryArray.from_arrays(b.astype(np.int32), names),
        "winner": pa.array(np.array(["model_a", "model_b", "tie"])[rng.integers(0, 3, votes)]),
        "voter": pa.array(rng.integers(0, 200_000, votes)).cast(pa.string()),
        "shown_first": pa.repeat("model_a", votes),
        "timestamp": pa.array(1_750_000_000 + np.arange(votes), pa.timestamp("s", "UTC")),
        "evaluation_session_id": pa.array(rng.integers(0, 2**62, votes)).cast(pa.string()),
        "evaluation_order": pa.array(np.ones(votes, np.int64)),
        "language": pa.repeat("en", votes),
        "draw_probability": pa.array(rng.random(votes)),
        "pacing": pa.repeat("equal", votes),
        **{
            f"{metric}_{side}": pa.array(rng.integers(0, 900, votes).astype(float))
            for metric in METRICS
            for side in "ab"
        },
        **{f"category_tag.tag.{k}": pa.array(rng.random(votes) < 0.1) for k in range(6)},
    }
    pq.write_table(pa.table(columns), path)


def manage(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout.strip()


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "TILTYARD_VAR": str(folder),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SECRET_KEY": "benchmark",
        "REFIT_SECONDS": "0",
    }


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """The server's address and its process id."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "arena.config.asgi:application"]
    command += ["--port", str(port), "--lifespan", "on", "--log-level", "error"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(folder))
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx.get(f"{address}/api/v1/health/")
                break
            except httpx.ConnectError:
                time.sleep(0.1)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def resident_mb(pid: int, what: str) -> float:
    """VmRSS: now. VmHWM: the most so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(what))
    return int(line.split()[1]) / 1024


def read(address: str, token: str, form: str) -> tuple[float, int]:
    """Seconds, and bytes."""
    size, start = 0, time.perf_counter()
    headers = {"Authorization": f"Token {token}"}
    with httpx.stream("GET", f"{address}/api/v1/votes.{form}", headers=headers) as response:
        response.raise_for_status()
        for piece in response.iter_raw():
            size += len(piece)
    return time.perf_counter() - start, size


def measure(votes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_votes(folder / "votes.parquet", votes)
        manage(folder, "migrate", "--no-input", "--verbosity", "0")
        manage(folder, "import_votes", str(folder / "votes.parquet"))
        user = "from django.contrib.auth.models import User; User.objects.create_superuser('root')"
        manage(folder, "shell", "--command", user)
        token = manage(folder, "create_api_token", "root")
        for form in ("ndjson", "parquet"):
            with served(folder) as (address, pid):
                before = resident_mb(pid, "VmRSS")
                seconds, size = read(address, token, form)
                most = resident_mb(pid, "VmHWM")
            print(
                f"{votes:>10,} votes  {form:<8} {seconds:6.2f} s  {votes / seconds:>10,.0f} rows/s"
                f"  {size / 1e6:8,.1f} MB  memory {before:.0f} -> {most:.0f} MB"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--votes", type=int, default=2_000_000)
    votes = parser.parse_args().votes
    for each in (votes // 10, votes):
        measure(each)


if __name__ == "__main__":
    main()
