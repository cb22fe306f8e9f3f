"""manage.py purge: erase texts, pictures and network hashes older than the settings allow."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from arena.core.exceptions import ArenaError
from arena.integrity.erasure import purge


class Command(BaseCommand):
    help = (
        "Erase what is older than RETAIN_TEXT_DAYS and RETAIN_NETWORK_DAYS, and pictures that "
        "were never sent."
    )

    def handle(self, **options: Any) -> None:
        try:
            purged = purge()
        except ArenaError as error:
            raise CommandError(error.message) from error
        self.stdout.write(said("texts of turns", purged.turns, settings.RETAIN_TEXT_DAYS))
        self.stdout.write(said("turns of chats", purged.chat_turns, settings.RETAIN_TEXT_DAYS))
        self.stdout.write(said("pictures with them", purged.images, settings.RETAIN_TEXT_DAYS))
        self.stdout.write(f"pictures never sent: {purged.unsent:,} older than a day erased.")
        self.stdout.write(said("network hashes", purged.networks, settings.RETAIN_NETWORK_DAYS))


def said(what: str, count: int, days: int) -> str:
    if not days:
        return f"{what}: kept for ever."
    return f"{what}: {count:,} older than {days} days erased."
