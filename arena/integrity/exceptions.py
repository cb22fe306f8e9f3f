"""Why votes could not be taken in or read."""

from arena.core.exceptions import BadInput, Conflict


class VotesRefused(BadInput):
    """The file's votes cannot be taken as they are; the message says which rows and why."""


class AlreadyImported(Conflict):
    """The same file is part of the chain; nothing was added."""


class SegmentMissing(Conflict):
    """A file of the chain is gone or altered, so no board can be computed from it."""


class ChainBroken(Conflict):
    """Segments do not follow one another, or a file holds other votes than its row says."""


class ImportRunning(Conflict):
    """Another process is importing the same file."""


class BackupDamaged(BadInput):
    """The file is no backup, is cut short, or holds something else than it says."""
