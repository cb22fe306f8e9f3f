"""What a reader asked for that does not exist."""

from arena.core.exceptions import Unknown


class NoSuchSnapshot(Unknown):
    pass


class NoSuchBoard(Unknown):
    pass


class NothingPublished(Unknown):
    def __init__(self) -> None:
        super().__init__("No votes yet. Positions appear when contestants have met.")
