"""manage.py refit [--watch]: fit all votes and keep the result as the draft."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from arena.core.exceptions import ArenaError
from arena.leaderboard.heads import heads_hand_on
from arena.leaderboard.models import Fitted
from arena.leaderboard.services import Refitter, refit
from ranking import RankingError


class Command(BaseCommand):
    help = (
        "Fit all votes and keep the result as the draft, if any vote or exclusion is new. With "
        "--watch go on, and publish every PUBLISH_SECONDS."
    )

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
        if watch:
            self.watch(every)
            return
        try:
            draft = refit()
        except (ArenaError, RankingError) as error:
            raise CommandError(str(error)) from error
        self.report(draft) if draft else self.stdout.write("Nothing new to fit.")

    def watch(self, every: float) -> None:
        """Refit until interrupted; a failure is told and the next change of the votes tried."""
        refitter = Refitter()
        try:
            while True:
                try:
                    if fitted := refitter():
                        self.report(fitted)
                    heads_hand_on()
                except (ArenaError, RankingError, DatabaseError) as error:
                    self.stderr.write(f"Not refitted: {error}")
                time.sleep(every)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def report(self, fitted: Fitted) -> None:
        what = "Draft" if fitted.is_draft else f"Publication {fitted}"
        self.stdout.write(f"{what}: {fitted.counted:,} votes counted.")
