"""The arena as processes of its own, that a test may kill."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parent.parent
START_SECONDS = 30


class Arena:
    """One web process on the test's own database."""

    def __init__(self, port: int = 0, **environment: str) -> None:
        self.port = port or free_port()
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            *(sys.executable, "-m", "uvicorn", "arena.config.asgi:application"),
            *("--port", str(self.port), "--lifespan", "on", "--log-level", "warning"),
            *("--timeout-graceful-shutdown", "5"),
        ]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.surroundings())
        self.wait()

    def surroundings(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": database_url(),
            "TILTYARD_VAR": str(settings.VAR_DIR),
            **self.environment,
        }

    def wait(self) -> None:
        assert self.process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.address}/privacy/", timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        raise RuntimeError(f"the arena did not start: {self.process.poll()}")

    def kill(self) -> None:
        """End the process as a power cut would."""
        self.end(signal.SIGKILL)

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(START_SECONDS)
            self.process = None


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def database_url() -> str:
    """The test's own database, as another process reaches it."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    user, password, host, port = (found[name] for name in ("USER", "PASSWORD", "HOST", "PORT"))
    return f"postgres://{user}:{password}@{host}:{port}/{found['NAME']}"


@contextmanager
def arenas(count: int = 1, **environment: str) -> Iterator[list[Arena]]:
    """So many web processes, ended with the block."""
    started = [Arena(**environment) for _ in range(count)]
    try:
        for arena in started:
            arena.start()
        yield started
    finally:
        for arena in started:
            arena.end(signal.SIGKILL)
