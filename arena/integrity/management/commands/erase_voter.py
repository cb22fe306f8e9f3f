"""manage.py erase_voter: forget a person; their votes keep counting."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.core.exceptions import ArenaError
from arena.integrity.erasure import Kept, kept, voter_erase
from arena.voters.models import Voter
from arena.voters.selectors import voters_by_cookie, voters_by_id, voters_by_user


class Command(BaseCommand):
    help = (
        "Erase a voter's texts, pictures and chats, and the only link between the person and "
        "their votes. The votes stay sealed and keep counting."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--cookie", help="the cookie's value, or the code from /privacy/")
        who.add_argument("--user", help="a user's name: every voter that signed in as them")
        who.add_argument("--voter", type=int, help="a voter's number, as in the database")
        parser.add_argument("--dry-run", action="store_true", help="say what would be erased")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        try:
            for voter in voters(options):
                self.stdout.write(erased(voter, dry_run))
        except ArenaError as error:
            raise CommandError(error.message) from error


def voters(options: dict[str, Any]) -> list[Voter]:
    if options["cookie"]:
        return voters_by_cookie(options["cookie"])
    if options["user"]:
        return voters_by_user(options["user"])
    return voters_by_id(options["voter"])


def erased(voter: Voter, dry_run: bool) -> str:
    if dry_run:
        return said(voter, kept(voter), "Would erase")
    return said(voter, voter_erase(voter=voter), "Erased")


def said(voter: Voter, what: Kept, verb: str) -> str:
    return (
        f"{verb} {voter}: the texts of {what.turns} turns in {what.battles} battles, "
        f"{what.images} pictures, {what.chats} chats, and cookie, user, network and pseudonym. "
        f"{what.votes} votes stay and keep counting; {what.open} open battles can no longer be "
        "voted in."
    )
