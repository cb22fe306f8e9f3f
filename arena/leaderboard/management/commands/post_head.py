"""manage.py post_head: hand on the statements on publications that are still pending."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from arena.leaderboard.heads import HeadNotHandedOn, heads_post


class Command(BaseCommand):
    help = "Append pending statements on publications to HEAD_FILE and send them to HEAD_WEBHOOK."

    def handle(self, **options: Any) -> None:
        if not (settings.HEAD_FILE or settings.HEAD_WEBHOOK):
            raise CommandError("Set HEAD_FILE or HEAD_WEBHOOK: there is nowhere to hand them on.")
        try:
            done = heads_post()
        except HeadNotHandedOn as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{done} handed on." if done else "Nothing was pending.")
