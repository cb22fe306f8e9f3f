"""manage.py seal: the votes since the last seal become a segment."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arena.core.exceptions import ArenaError
from arena.integrity.sealing import orphans_sweep, votes_seal


class Command(BaseCommand):
    help = "Write the votes cast since the last seal to an immutable segment."

    def handle(self, **options: Any) -> None:
        try:
            segment = votes_seal()
            swept = orphans_sweep()
        except ArenaError as error:
            raise CommandError(error.message) from error
        if segment:
            self.stdout.write(f"{segment.rows:,} votes sealed as {segment.sha256}.")
        else:
            self.stdout.write("Every vote is sealed; nothing was added.")
        if swept:
            self.stdout.write(f"{swept} files that a dead process left behind were removed.")
