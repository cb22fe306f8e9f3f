"""manage.py run_jobs [--watch]: run the jobs that wait."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from arena.core.jobs import job_run_next

IDLE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Run the jobs that wait (imports, ledgers, publications asked for over the API)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--watch", action="store_true", help="go on, until interrupted")

    def handle(self, *, watch: bool, **options: Any) -> None:
        try:
            while True:
                while job := job_run_next():
                    self.stdout.write(f"{job}: {job.state}{f' ({job.error})' if job.error else ''}")
                if not watch:
                    return
                time.sleep(IDLE_SECONDS)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
