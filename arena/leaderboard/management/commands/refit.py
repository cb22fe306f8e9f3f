"""manage.py refit [--watch]: fit all votes and publish the result."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.core.exceptions import ArenaError
from arena.leaderboard.services import refit
from ranking import RankingError


class Command(BaseCommand):
    help = "Fit all votes and publish the result, if any vote or exclusion is new."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--watch", action="store_true", help="go on, until interrupted")
        parser.add_argument(
            "--every",
            type=float,
            default=settings.REFIT_SECONDS or 20.0,
            metavar="SECONDS",
            help="how often to look with --watch (default %(default)s)",
        )

    def handle(self, *, watch: bool, every: float, **options: Any) -> None:
        self.refit()
        try:
            while watch:
                time.sleep(every)
                self.refit(quiet=True)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def refit(self, *, quiet: bool = False) -> None:
        try:
            snapshot = refit()
        except (ArenaError, RankingError) as error:
            raise CommandError(str(error)) from error
        if snapshot:
            self.stdout.write(f"Snapshot {snapshot}: {snapshot.counted:,} votes counted.")
        elif not quiet:
            self.stdout.write("Nothing new since the last snapshot.")
