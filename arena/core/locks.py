"""Where databases differ: who has to wait for whom."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import connection, models


def lock_writes(model: type[models.Model]) -> None:
    """Until the surrounding transaction ends, nobody else writes to the model's table.

    PostgreSQL hands out ids before commits, so a reader of "all up to id n" must wait for the
    writers under way. SQLite's IMMEDIATE transactions already let one writer in at a time.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("lock_writes holds only within a transaction.")
    if connection.vendor == "postgresql":
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")


@contextmanager
def one_at_a_time(work: str) -> Iterator[None]:
    """Wait until no other process or thread does this work; a process that dies lets go of it.

    For work that is longer than a transaction should be. Must not be nested for the same work.
    """
    if connection.vendor == "postgresql":
        yield from _advisory(work)
    else:
        yield from _flocked(Path(settings.VAR_DIR) / f".{work}.lock")


def _advisory(work: str) -> Iterator[None]:
    key = int.from_bytes(sha256(work.encode()).digest()[:8], signed=True)
    if connection.in_atomic_block:
        # Let go of by the transaction's end: a failed one could not execute the unlocking.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [key])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _flocked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
