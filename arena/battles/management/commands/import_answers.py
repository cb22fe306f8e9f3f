"""manage.py import_answers FILE --name NAME: answers made elsewhere, to be judged blind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from arena.battles.collecting import Survey
from arena.battles.collections import answers_survey, collection_create, entries
from arena.battles.files import answers_keep, answers_remove
from arena.battles.progress import place_words, survey_words
from arena.core.exceptions import ArenaError

PIECE_BYTES = 1 << 20


class Command(BaseCommand):
    help = (
        "Store prompts and answers made elsewhere as a collection that people judge blind: CSV or "
        "JSON Lines with prompt, model, answer. The file is taken whole or not at all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", required=True, help="what judges read above it")
        parser.add_argument(
            "--votes-per-cell",
            type=int,
            default=3,
            metavar="N",
            help="votes that each pair of answers to a prompt is to get (default 3)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="read and report, and write nothing"
        )

    def handle(
        self, *, file: Path, name: str, votes_per_cell: int, dry_run: bool, **options: Any
    ) -> None:
        try:
            digest = answers_keep(pieces=pieces_of(file))
            try:
                self.take(digest, name, votes_per_cell, dry_run)
            finally:
                answers_remove(digest)
        except ArenaError as error:
            raise CommandError(error.message) from error

    def take(self, digest: str, name: str, votes_per_cell: int, dry_run: bool) -> None:
        found = answers_survey(digest=digest)
        refuse_faults(found)
        planned = entries(models=found.models, collection=name)
        for line in survey_words(found, planned, votes_per_cell):
            self.stdout.write(line)
        if dry_run:
            self.stdout.write("Nothing was written.")
            return
        collection = collection_create(digest=digest, name=name, votes_per_cell=votes_per_cell)
        address = reverse("battles:collection", args=(collection.slug,))
        self.stdout.write(f"Stored as “{collection.name}”. Judges go to {address}")


def pieces_of(path: Path) -> Iterator[bytes]:
    """Raises CommandError where it cannot be read."""
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from error


def refuse_faults(found: Survey) -> None:
    if not found.fault_count:
        return
    said = "\n".join(f"{place_words(fault)}: {fault.message}" for fault in found.faults)
    more = found.fault_count - len(found.faults)
    rest = f"\nand {more:,} more" if more else ""
    raise CommandError(f"Nothing was stored.\n{said}{rest}")
