"""Who uses the processor and the memory while load.py runs: /proc, Redis' own count, py-spy."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import redis
from serving import Server, children_of

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SAMPLE_SECONDS = 0.25
SAMPLES_PER_SHARE = 4
# How often per second a profile looks.
LOOKS = 200
# Of the backends of this benchmark's own database; they are alone with it.
BACKENDS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()"
)


def processor_seconds(pid: int) -> float:
    """User and system time of a process and of those children that it has waited for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # The command's name stands in brackets and may hold anything.
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


def machine_ticks() -> tuple[float, float]:
    """Seconds of all processors together that were busy, and all seconds."""
    times = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = times[3] + times[4]
    return (sum(times) - idle) / TICKS, sum(times) / TICKS


def share_of_machine(before: tuple[float, float], after: tuple[float, float]) -> float:
    """How busy all processors together were, in per cent."""
    return 100 * (after[0] - before[0]) / max(after[1] - before[1], 1e-9)


@dataclass(frozen=True)
class Reading:
    """Processor seconds so far, by process."""

    at: float
    workers: dict[int, float]
    server: float
    postgres: dict[int, float]
    redis: float
    generator: float
    machine: tuple[float, float]


@dataclass(frozen=True)
class Used:
    """Processor seconds between two readings.

    workers: of each process that serves and was there at the end, the busiest first. server: of
    all of them and the supervisor, those that ended meanwhile included. postgres: of the
    database's own backends; its writers of log and pages are not among them.
    """

    seconds: float
    workers: list[float]
    server: float
    postgres: float
    redis: float
    generator: float
    machine: float
    busy: float

    @property
    def others(self) -> float:
        """What everybody else on this machine used, the system itself among them."""
        ours = self.server + self.postgres + self.redis + self.generator
        return max(self.busy - ours, 0.0)

    def share(self, used: float) -> float:
        """In per cent of one processor."""
        return 100 * used / self.seconds


class Meter:
    """Reads everybody's use, and samples the workers' memory as long as it runs."""

    def __init__(self, server: Server, database: str, redis_url: str) -> None:
        self._server = server
        self._database = psycopg.connect(database, autocommit=True)
        self._redis = redis.Redis.from_url(redis_url)
        self.idle = 0
        self.peak = 0
        self.peak_worker = 0
        self.busiest = 0.0

    def close(self) -> None:
        self._database.close()
        self._redis.close()

    def read(self) -> Reading:
        server = self._server
        info: Any = self._redis.info("cpu")
        backends = [pid for (pid,) in self._database.execute(BACKENDS).fetchall()]
        everybody = {server.pid, *children_of(server.pid)}
        return Reading(
            at=time.perf_counter(),
            workers={pid: processor_seconds(pid) for pid in server.workers()},
            server=sum(map(processor_seconds, everybody)),
            postgres={pid: processor_seconds(pid) for pid in backends},
            redis=info["used_cpu_user"] + info["used_cpu_sys"],
            generator=time.process_time(),
            machine=machine_ticks(),
        )

    def memory(self) -> tuple[int, int]:
        """Resident bytes of all workers together, and of the largest."""
        sizes = [resident_bytes(pid) for pid in self._server.workers()]
        return sum(sizes), max(sizes)

    def rest(self) -> None:
        """Take the memory of now as that of a server that writes nothing."""
        self.idle, _ = self.memory()

    async def sample(self) -> None:
        """Look again and again, until cancelled."""
        before = machine_ticks()
        for number in count(1):
            every, largest = self.memory()
            self.peak, self.peak_worker = max(self.peak, every), max(self.peak_worker, largest)
            if number % SAMPLES_PER_SHARE == 0:
                before, earlier = machine_ticks(), before
                self.busiest = max(self.busiest, share_of_machine(earlier, before))
            await asyncio.sleep(SAMPLE_SECONDS)


def used(before: Reading, after: Reading) -> Used:
    return Used(
        seconds=after.at - before.at,
        workers=sorted(grown(before.workers, after.workers), reverse=True),
        server=after.server - before.server,
        postgres=sum(grown(before.postgres, after.postgres)),
        redis=after.redis - before.redis,
        generator=after.generator - before.generator,
        machine=share_of_machine(before.machine, after.machine),
        busy=after.machine[0] - before.machine[0],
    )


def grown(before: dict[int, float], after: dict[int, float]) -> list[float]:
    return [seconds - before.get(pid, 0.0) for pid, seconds in after.items()]


@contextmanager
def no_collections() -> Iterator[None]:
    """Without garbage collections of this process, whose pauses would count as the server's."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


# -- What the time goes into -----------------------------------------------------------------


def profiler() -> str:
    """The path of py-spy; without it, says how to get it and ends."""
    beside = Path(sys.executable).parent / "py-spy"
    found = str(beside) if beside.exists() else shutil.which("py-spy")
    if found is None:
        sys.exit("--profile needs py-spy, which is not installed: .venv/bin/pip install py-spy")
    return found


@dataclass
class Profile:
    """Looks at one worker: in how many of them each function ran, itself or what it called.

    Only looks at which some thread held the interpreter's lock are samples.
    """

    looks: int = 1
    samples: int = 0
    own: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)

    def take(self, line: str) -> None:
        """One stack of py-spy's raw form: frames from the outermost on, and how often."""
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        self.samples += int(count)
        self.own[frames[-1]] += int(count)
        self.whole.update(dict.fromkeys(frames, int(count)))

    def tables(self, rows: int = 25) -> str:
        return "\n".join(
            [
                f"At {self.samples / self.looks:.0%} of {self.looks:,} looks one worker ran "
                "Python. Of these, functions by their own time:",
                *self._rows(self.own, rows),
                "and by that of all they call too:",
                *self._rows(self.whole, rows),
            ]
        )

    def _rows(self, counts: Counter[str], rows: int) -> list[str]:
        whole = max(self.samples, 1)
        return [f"  {count / whole:6.1%}  {name}" for name, count in counts.most_common(rows)]


async def profiled(pid: int, seconds: float) -> Profile:
    """What one process did for so many seconds, where it was not waiting."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stacks"
        command = [profiler(), "record", "--pid", str(pid), "--duration", str(int(seconds))]
        # Whoever holds the interpreter's lock works; what else a thread does, py-spy cannot tell
        # from waiting on every machine.
        command += ["--gil", "--rate", str(LOOKS), "--format", "raw", "--function"]
        command += ["--output", str(path)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            _, said = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        if not path.exists():
            sys.exit(f"py-spy failed: {said.decode(errors='replace')}")
        profile = Profile(looks=int(seconds) * LOOKS)
        for line in path.read_text().splitlines():
            profile.take(line)
        return profile
