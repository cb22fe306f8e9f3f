"""manage.py run_jobs [--watch]: run the jobs that wait."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from arena.core.jobs import job_run_next

IDLE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Run the jobs that wait (imports, ledgers, publications asked for over the API)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--watch", action="store_true", help="go on, until interrupted")

    def handle(self, *, watch: bool, **options: Any) -> None:
        ending = threading.Event()
        if watch:
            # Whoever stops the process waits for no import: the job goes back to those that wait.
            signal.signal(signal.SIGTERM, lambda *_: ending.set())
        try:
            self.run_waiting(ending)
            while watch and not ending.wait(IDLE_SECONDS):
                self.run_waiting(ending)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def run_waiting(self, ending: threading.Event) -> None:
        while not ending.is_set() and (job := job_run_next(ending)):
            self.stdout.write(f"{job}: {job.state}{f' ({job.error})' if job.error else ''}")
