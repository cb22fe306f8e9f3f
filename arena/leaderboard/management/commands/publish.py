"""manage.py publish: seal the votes and publish the board that they give."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arena.core.exceptions import ArenaError
from arena.leaderboard.services import publish
from ranking import RankingError


class Command(BaseCommand):
    help = "Seal the votes so far, fit them and publish, if any vote or exclusion is new."

    def handle(self, **options: Any) -> None:
        try:
            snapshot = publish()
        except (ArenaError, RankingError) as error:
            raise CommandError(str(error)) from error
        if snapshot is None:
            self.stdout.write("Nothing new to publish.")
            return
        self.stdout.write(
            f"Publication {snapshot.number}, {snapshot.digest}: {snapshot.counted:,} votes counted."
        )
