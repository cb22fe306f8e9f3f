"""A whole database as one file, consistent while others write, and back."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

from arena.core.exceptions import Conflict


class DumpFailed(Conflict):
    """The database's own tool is absent or failed; the message holds what it said."""


def database_dump(path: Path) -> None:
    """Write all that is committed now to `path`. Raises DumpFailed."""
    if connection.vendor == "postgresql":
        postgres("pg_dump", "--format=custom", f"--file={path}", "--no-owner", "--no-privileges")
        return
    live = f"file:{connection.settings_dict['NAME']}?mode=ro"
    with (
        closing(sqlite3.connect(live, uri=True)) as source,
        closing(sqlite3.connect(path)) as target,
    ):
        source.backup(target)
        # All in the one file, whatever the mode of the live one.
        target.execute("PRAGMA journal_mode=DELETE")


def database_load(path: Path) -> None:
    """Make the database what it was when `path` was dumped, wholly or not at all.

    Raises DumpFailed.
    """
    if connection.vendor == "postgresql":
        connection.close()
        how = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error")
        postgres("pg_restore", *how, "--no-owner", "--no-privileges", str(path))
        return
    name = connection.settings_dict["NAME"]
    connection.close()
    with (
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(name, timeout=20)) as target,
    ):
        source.backup(target)


def postgres(tool: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on this arena's database."""
    command, secrets = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    *server, database = command[1:]
    try:
        subprocess.run(
            [tool, *server, f"--dbname={database}", *arguments],
            env={**os.environ, **(secrets or {})},
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise DumpFailed(f"{tool} is not installed. Install PostgreSQL's client tools.") from error
    except subprocess.CalledProcessError as error:
        raise DumpFailed(f"{tool} failed: {error.stderr.strip()[-1000:]}") from error
