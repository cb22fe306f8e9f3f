"""What a reader asked for that does not exist."""

from django.utils.translation import gettext as _

from arena.core.exceptions import Unknown


class NoSuchSnapshot(Unknown):
    pass


class NoSuchBoard(Unknown):
    pass


class NoSuchLedger(Unknown):
    pass


class NotRevealed(Unknown):
    def __init__(self) -> None:
        super().__init__(_("Names and ratings are shown after the vote."))


class NothingPublished(Unknown):
    def __init__(self, *, waiting: bool) -> None:
        """waiting: whether there are votes that a publication would count."""
        super().__init__(
            _("There are votes, but nothing has been published yet.")
            if waiting
            else _("No votes yet. Positions appear when contestants have met.")
        )
        self.waiting = waiting
