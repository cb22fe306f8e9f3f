"""manage.py revoke_api_token USER (KEY | --all): end a token at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.api.services import tokens_revoke
from arena.core.exceptions import ArenaError


class Command(BaseCommand):
    help = "Revoke a user's token, or all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("key", nargs="?", help="the token, or its first characters")
        parser.add_argument("--all", action="store_true", help="all tokens of the user")

    def handle(self, *, user: str, key: str | None, all: bool, **options: Any) -> None:
        if bool(key) == all:
            raise CommandError("Give the token's first characters, or --all.")
        try:
            count = tokens_revoke(user=user, key=key or "")
        except ArenaError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{count} token{'' if count == 1 else 's'} of {user} revoked.")
