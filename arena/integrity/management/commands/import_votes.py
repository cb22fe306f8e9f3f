"""manage.py import_votes FILE: votes from elsewhere become a segment."""

from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from arena.core.exceptions import ArenaError
from arena.integrity.exceptions import AlreadyImported
from arena.integrity.imports import Imported, votes_import


class Command(BaseCommand):
    help = (
        "Import votes: the 55k, 100k and 140k schemas, and CSV with model_a,model_b,winner or "
        "left,right,winner (voter optional). The file is taken whole or not at all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="leave rows that cannot be used out, into a rejects file",
        )

    def handle(self, *, file: Path, skip_bad: bool, **options: Any) -> None:
        try:
            with progress_bar() as bar:
                task = bar.add_task(f"Reading {file.name}", total=None)
                imported = votes_import(
                    path=file,
                    skip_bad=skip_bad,
                    progress=lambda rows: bar.update(task, completed=rows),
                )
                rows = imported.segment.rows + imported.segment.rejected
                bar.update(task, total=rows, completed=rows)
        except AlreadyImported as notice:
            self.stdout.write(notice.message)
        except ArenaError as error:
            raise CommandError(error.message) from error
        else:
            self.stdout.write(report(imported))


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
    )


def report(imported: Imported) -> str:
    segment = imported.segment
    lines = [
        f"{segment.rows:,} votes imported from {segment.source_name} "
        f"({segment.source_schema} schema) as segment {segment}."
    ]
    if imported.contestants_added:
        lines.append(f"{imported.contestants_added} contestants were new and are archived.")
    if imported.rejects:
        lines.append(f"{len(imported.rejects):,} rows were left out: {imported.rejects_file}")
        lines += [f"  {reason}: {count:,}" for reason, count in reasons(imported)]
    lines.append("They are in the board after the next `manage.py refit`.")
    return "\n".join(lines)


def reasons(imported: Imported) -> list[tuple[str, int]]:
    """Reasons for leaving rows out, the commonest first."""
    return Counter(reject.reason for reject in imported.rejects).most_common(10)
