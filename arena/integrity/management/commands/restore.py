"""manage.py restore FILE.tar: the arena as it was when the backup was made."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.core.exceptions import ArenaError
from arena.integrity.backup import restore
from arena.integrity.files import SEGMENTS


class Command(BaseCommand):
    help = "Restore a backup into an empty arena. Stop the site first."
    # The database may have no tables yet, or those of an older version.
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--force", action="store_true", help="replace what this arena holds, all of it"
        )

    def handle(self, *, file: Path, force: bool, **options: Any) -> None:
        try:
            manifest = restore(path=file, force=force)
        except ArenaError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"Restored as of {manifest.made_at}: {manifest.count(SEGMENTS)} segments, and their "
            "chain verifies. Run `manage.py migrate` before the site starts."
        )
