"""manage.py demo: fill an empty arena, and say how to get in."""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.api.services import token_create
from arena.core.exceptions import ArenaError
from arena.core.storage import publish_file, temporary_in
from arena.demo.services import is_seeded, seed
from arena.integrity.files import sha256_of
from arena.integrity.models import Segment
from arena.leaderboard.services import publish

ADMIN = "admin"
TOKEN_DAYS = 30


class Command(BaseCommand):
    help = "Seed simulated data once, or import --votes FILE, and print how to get in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000/")
        parser.add_argument("--votes", type=Path, help="show this file's board instead")

    def handle(self, *, url: str, votes: Path | None, **options: Any) -> None:
        try:
            self.import_once(votes) if votes else self.seed_once()
        except ArenaError as error:
            raise CommandError(error.message) from error
        self.stdout.write(invitation(url, credentials()))

    def seed_once(self) -> None:
        if is_seeded():
            return
        self.stdout.write("Seeding invented contestants and 30,000 simulated votes ...")
        seed()

    def import_once(self, votes: Path) -> None:
        others = Segment.objects.exclude(source_sha256=sha256_of(votes))
        if others.exists():
            raise CommandError(
                f"{settings.VAR_DIR} shows another file, or this one as it was before. "
                "Remove that folder to start anew."
            )
        call_command("import_votes", str(votes), skip_bad=True, stdout=self.stdout)
        publish()


def credentials() -> str:
    """The demo's sign-in lines: made once and kept where only this user may read them."""
    path = Path(settings.VAR_DIR) / "credentials"
    if not path.exists():
        # The temporary file is readable by this user alone, and stays so under its final name.
        with temporary_in(path.parent, "") as made:
            made.write_text(new_credentials())
            publish_file(made, path)
    return path.read_text()


def new_credentials() -> str:
    password = secrets.token_urlsafe(12)
    user, _ = get_user_model().objects.get_or_create(
        username=ADMIN, defaults={"is_staff": True, "is_superuser": True}
    )
    user.set_password(password)
    user.save()
    token = token_create(user=user, expires_in=timedelta(days=TOKEN_DAYS))
    return f"Admin    {ADMIN} / {password}\nToken    {token}\n"


def invitation(url: str, credentials: str) -> str:
    return (
        f"\nBattle   {url}\n"
        f"Board    {url}leaderboard/\n"
        f"Admin at {url}admin/\n"
        f"{credentials}"
        f'API      curl -H "Authorization: Token $TOKEN" {url}api/v1/boards/current.csv\n'
        "Stop with Ctrl-C.\n"
    )
