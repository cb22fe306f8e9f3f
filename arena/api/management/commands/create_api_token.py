"""manage.py create_api_token USER: a token for the admin API."""

import re
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.api.services import token_create


class Command(BaseCommand):
    help = "Print a new API token. It may do what its user may do, and is shown only once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--expires", default="90d", metavar="DAYS", help="e.g. 90d (default)")

    def handle(self, *, user: str, expires: str, **options: Any) -> None:
        days = re.fullmatch(r"([1-9]\d{0,3})d", expires)
        if not days:
            raise CommandError(f"--expires {expires}: write a number of days such as 90d.")
        found = get_user_model().objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"There is no user '{user}'. `manage.py createsuperuser` makes one.")
        self.stdout.write(token_create(user=found, expires_in=timedelta(days=int(days[1]))))
