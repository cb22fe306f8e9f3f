"""An arena of its own for load.py: database, Redis number, contestants, and the real server."""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import socket

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS = "redis://127.0.0.1:6379/13"
START_SECONDS, END_SECONDS = 90.0, 60.0
# Nothing that limits one voter or network, and no chores but the lease.
SETTINGS = {
    "SECRET_KEY": "benchmark",
    "REFIT_SECONDS": "0",
    "JOBS_SECONDS": "0",
    "PUBLISH_SECONDS": "0",
    "BATTLES_AT_ONCE": "1000000",
    "VOTER_RATE": "0",
    "NETWORK_RATE": "0",
    "NETWORK_VOTE_RATE": "0",
    "NETWORK_SHARED_RATE": "0",
    "AA_SHARE": "0",
    "DEBUG": "0",
    "HTTPS": "0",
    "ALTCHA": "0",
    "PRIVATE": "0",
    "MODERATION_URL": "",
    "ALLOWED_HOSTS": "127.0.0.1",
    "DJANGO_SETTINGS_MODULE": "arena.config.settings",
}
FLAGS = (
    "--lifespan on --ws-max-size 1000000 --ws-per-message-deflate false "
    "--timeout-graceful-shutdown 25 --no-server-header --no-access-log --no-proxy-headers "
    "--log-level warning"
)


@contextmanager
def arena(options: argparse.Namespace) -> Iterator[Path]:
    """An empty arena of our own on PostgreSQL and Redis; its folder. Django is set up for it."""
    sys.path.insert(0, str(ROOT))
    from sealing import own_database

    server = os.environ.get("DATABASE_URL") or DATABASE
    with (
        own_redis(options.redis),
        own_database(server, None) as (url, _),
        tempfile.TemporaryDirectory() as folder,
    ):
        os.environ |= SETTINGS | {
            "DATABASE_URL": url,
            "REDIS_URL": options.redis,
            "TILTYARD_VAR": folder,
            "WEB_CONCURRENCY": str(options.workers),
            "PACING": options.pacing,
        }
        # WhiteNoise complains of a missing one, and nothing here asks for a static file.
        (Path(folder) / "static").mkdir()
        set_up()
        try:
            yield Path(folder)
        finally:
            let_go()


@contextmanager
def own_redis(url: str) -> Iterator[None]:
    """Refuse a Redis database in use, and leave it empty."""
    import redis

    with redis.Redis.from_url(url) as client:
        if client.dbsize():
            sys.exit(f"{url} is not empty. Name a database of Redis that nobody uses: --redis.")
        try:
            yield
        finally:
            client.flushdb()


def set_up() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def let_go() -> None:
    """Close this process's connections, or the database could not be dropped."""
    from django.db import connection

    connection.close()
    if close_pool := getattr(connection, "close_pool", None):
        close_pool()


def contestants_add(endpoint: str, count: int) -> None:
    """So many contestants, all served by the upstream at `endpoint`."""
    from arena.catalog.services import endpoint_add

    models = [f"contestant-{number:02d}" for number in range(count)]
    endpoint_add(url=endpoint, key_env="", models=models)


def voter_cookies(count: int) -> dict[str, str]:
    """Cookie headers of so many new voters, by the key that each carries signed."""
    from django.conf import settings
    from django.core import signing

    from arena.voters.models import new_key
    from arena.voters.selectors import COOKIE_SALT

    keys = [new_key() for _ in range(count)]
    return {key: f"{settings.VOTER_COOKIE}={signing.dumps(key, salt=COOKIE_SALT)}" for key in keys}


# -- The server ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """uvicorn: with several workers a supervisor and its children, else one process."""

    port: int
    pid: int
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """Processes that serve; the supervisor and multiprocessing's tracker do not."""
        children = [pid for pid in children_of(self.pid) if "spawn_main" in command_of(pid)]
        return children or [self.pid]

    def busiest(self) -> int:
        """The worker with the most connections: nothing spreads them evenly."""
        return max(self.workers(), key=lambda pid: len(list(Path(f"/proc/{pid}/fd").iterdir())))

    def complaints(self) -> list[str]:
        """What it logged, which is nothing where all is well."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if " INFO " not in line]


def children_of(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def free_port() -> int:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def served(folder: Path, workers: int) -> Iterator[Server]:
    """The arena, served until the end; what the server logs goes to a file."""
    port, log = free_port(), folder / "server.log"
    command = [str(Path(sys.executable).parent / "uvicorn"), "arena.config.asgi:application"]
    command += ["--workers", str(workers), "--port", str(port), *FLAGS.split()]
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=file, stderr=file, start_new_session=True
        )
    server = Server(port, process.pid, log)
    try:
        wait_until_ready(server, process, workers)
        yield server
    finally:
        end(process)


def wait_until_ready(server: Server, process: subprocess.Popen[bytes], workers: int) -> None:
    """Every worker has a lease, and the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while len(leases()) < workers or not answers(server.port):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit("The server does not start:\n" + "\n".join(server.complaints()[-40:]))
        time.sleep(0.1)


def leases() -> set[str]:
    """Names of the workers that have said that they are alive, and not that they ended."""
    from arena.battles.models import Worker

    return set(Worker.objects.values_list("pk", flat=True))


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/v1/health/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the supervisor to end; its workers have 20 s for battles that are being written."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        for pid in (*children_of(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
