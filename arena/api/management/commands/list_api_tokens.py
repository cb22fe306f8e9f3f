"""manage.py list_api_tokens [USER]: whose tokens there are, and until when."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from arena.api.selectors import tokens


class Command(BaseCommand):
    help = "List API tokens by their first characters; the rest is known to their holders alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", nargs="?", default="")

    def handle(self, *, user: str, **options: Any) -> None:
        found = list(tokens(user))
        for token in found:
            until = f"until {token.expiry:%Y-%m-%d %H:%M} UTC" if token.expiry else "for ever"
            self.stdout.write(f"{token.token_key}…  {token.user}  {until}")
        if not found:
            self.stdout.write("No tokens. `manage.py create_api_token USER` makes one.")
