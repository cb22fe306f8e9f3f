"""manage.py judge_prompts [--watch SECONDS]: ask the judge about unsealed votes' prompts."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from arena.integrity.judging import unsealed_judge


class Command(BaseCommand):
    help = (
        "Ask JUDGE_URL which criteria the prompts of votes not yet sealed meet. What it says "
        "nothing of stays unknown, and is asked about again a minute later, three times at most."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--watch", type=float, metavar="SECONDS", help="go on so often, until interrupted"
        )

    def handle(self, *, watch: float | None, **options: Any) -> None:
        if not settings.JUDGE_URL:
            raise CommandError("No judge is configured: set JUDGE_URL and JUDGE_MODEL.")
        if watch is None:
            self.judge()
        elif watch > 0:
            self.watch(watch)
        else:
            raise CommandError("--watch takes the seconds between two looks, more than 0.")

    def judge(self) -> None:
        self.stdout.write(f"{unsealed_judge():,} prompts judged.")

    def watch(self, seconds: float) -> None:
        try:
            while True:
                try:
                    self.judge()
                except DatabaseError as error:
                    self.stderr.write(f"Not judged: {error}")
                time.sleep(seconds)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
