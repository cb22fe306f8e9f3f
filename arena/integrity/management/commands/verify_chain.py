"""manage.py verify_chain: every file of votes is what its row says, and follows the one before."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arena.core.exceptions import ArenaError
from arena.integrity.chain import chain_verify


class Command(BaseCommand):
    help = "Read every segment and compare it with its row. Says the first that does not hold."

    def handle(self, **options: Any) -> None:
        try:
            count = chain_verify()
        except ArenaError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{count} segments are what the chain says.")
