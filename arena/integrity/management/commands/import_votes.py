"""manage.py import_votes FILE: votes from elsewhere become a segment."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from arena.core.exceptions import ArenaError
from arena.integrity.exceptions import AlreadyImported
from arena.integrity.imports import Imported, votes_import


class Command(BaseCommand):
    help = (
        "Import votes: the 55k, 100k and 140k schemas, our own, counts per pair, and CSV with "
        "model_a,model_b,winner or left,right,winner (voter optional), plain or as gz or zst. "
        "The file is taken whole or not at all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="leave rows that cannot be used out, into a rejects file",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="read and report, and write nothing"
        )

    def handle(self, *, file: Path, skip_bad: bool, dry_run: bool, **options: Any) -> None:
        try:
            with progress_bar() as bar:
                task = bar.add_task(f"Reading {file.name}", total=1.0, rows="")
                imported = votes_import(
                    path=file,
                    skip_bad=skip_bad,
                    dry_run=dry_run,
                    progress=lambda rows, share: bar.update(
                        task, completed=share, rows=f"{rows:,} rows"
                    ),
                )
        except AlreadyImported as notice:
            self.stdout.write(notice.message)
        except ArenaError as error:
            raise CommandError(error.message) from error
        else:
            for line in report(imported):
                self.stdout.write(printable(line))


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
    )


def report(imported: Imported) -> Iterator[str]:
    tally, segment = imported.tally, imported.segment
    about = f"{imported.name} ({imported.schema} schema)"
    if segment:
        yield f"{tally.votes:,} votes imported from {about} as segment {segment}."
    else:
        yield f"{tally.votes:,} votes would be imported from {about}. Nothing was written."
    yield f"{len(tally.names):,} contestants, of whom {imported.contestants_added:,} are new."
    if tally.first and tally.last:
        yield f"Cast between {tally.first:%Y-%m-%d %H:%M} and {tally.last:%Y-%m-%d %H:%M} UTC."
    if tally.languages:
        yield f"Languages: {most(tally.languages.most_common())}."
    if tally.excluded:
        yield f"Marked as not counting: {most(tally.excluded.most_common())}."
    if imported.rejects:
        aside = f", into {imported.rejects_file}" if imported.rejects_file else ""
        yield f"{len(imported.rejects):,} rows were left out of {imported.rows_read:,}{aside}:"
        for reason, count in imported.reasons().most_common(10):
            yield f"  {reason}: {count:,}"
    if segment:
        yield "They are on the board after the next `manage.py publish`."


def printable(line: str) -> str:
    """What a file says of itself must not steer the terminal."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in line)


def most(counts: list[tuple[str, int]]) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in counts[:10])
    return f"{shown} and {len(counts) - 10:,} more" if len(counts) > 10 else shown
