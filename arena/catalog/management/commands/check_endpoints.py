"""manage.py check_endpoints [--watch SECONDS]: do the endpoints that are drawn still answer?"""

import time
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arena.catalog.endpoints import Checked, endpoints_check

NARROWEST = 160
HEADINGS = ("revision", "protocol", "endpoint", "model", "answered in", "result")


class Command(BaseCommand):
    help = (
        "Ask the endpoint of every revision that is drawn for its models, all at once, and say "
        "which do not answer and which models are gone. A failed check is shown at "
        "/admin/catalog/circuit/ and pauses nobody: only failed answers open the breaker. Exits "
        "with 1 if any fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--watch", type=float, metavar="SECONDS", help="go on so often, until interrupted"
        )

    def handle(self, *, watch: float | None, **options: Any) -> None:
        if watch is not None:
            self.watch(watch)
        elif failed := [one for one in self.look() if one.error]:
            raise CommandError(f"{len(failed):,} failed: see the table for what each server said.")

    def look(self) -> list[Checked]:
        checked = endpoints_check()
        if checked:
            self.stdout.write(table(checked, self.stdout.isatty()))
        else:
            self.stdout.write(
                "No active contestant is served by an endpoint: `manage.py add_endpoint URL`."
            )
        return checked

    def watch(self, seconds: float) -> None:
        """Check until interrupted; what goes wrong here is told, and the next look taken."""
        if seconds <= 0:
            raise CommandError("--watch takes the seconds between two looks, more than 0.")
        try:
            while True:
                try:
                    self.look()
                except DatabaseError as error:
                    self.stderr.write(f"Not checked: {error}")
                time.sleep(seconds)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")


def table(checked: Sequence[Checked], on_terminal: bool) -> str:
    """As text; a pipe or a log does not squeeze it to 80 columns."""
    rows = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        # Cells go on below: an ellipsis would make names alike.
        rows.add_column(heading, overflow="fold")
    for one in checked:
        rows.add_row(*map(Text, cells(one)))
    console = Console(width=None if on_terminal else NARROWEST, force_terminal=on_terminal)
    with console.capture() as captured:
        console.print(rows)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def cells(one: Checked) -> tuple[str, ...]:
    revision = one.revision
    fine = "answers" if one.has_list else "answers, and keeps no list of models"
    return (
        revision.name,
        revision.kind,
        revision.endpoint,
        revision.remote_model,
        f"{one.seconds:.2f} s",
        one.error or fine,
    )
