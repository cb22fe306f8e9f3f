"""manage.py backup FILE.tar: the whole arena as one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.battles.images import IMAGES
from arena.core.exceptions import ArenaError
from arena.integrity.backup import MEDIA, backup
from arena.integrity.files import SEGMENTS, TEXTS


class Command(BaseCommand):
    help = (
        "Write database, segments, texts, pictures and media to one tar file. The site may be "
        "running."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            manifest = backup(path=file)
        except ArenaError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"The database, {manifest.count(SEGMENTS)} segments, {manifest.count(TEXTS)} files of "
            f"texts, {manifest.count(IMAGES)} pictures and {manifest.count(MEDIA)} files of media "
            f"are in {file} ({file.stat().st_size / 1e6:,.1f} MB). It holds no SECRET_KEY: keep "
            "that beside it."
        )
