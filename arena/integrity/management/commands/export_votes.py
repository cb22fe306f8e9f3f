"""manage.py export_votes FILE: every vote as one Parquet file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.core.exceptions import ArenaError
from arena.integrity.services import votes_export


class Command(BaseCommand):
    help = "Write all votes as Parquet that `python -m ranking fit` reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            count = votes_export(path=file)
        except ArenaError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{count:,} votes written to {file}.")
