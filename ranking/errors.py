"""Every error the ranking package raises on purpose.

RankingError
├── VotesError              a column of votes is malformed
├── SpecError               a setting is unknown, contradictory or does not fit the votes
├── VoteFileError           a file of votes cannot be read
├── ResourceError           memory or disk do not suffice, or a cluster cannot be used
├── PlotError               a chart cannot be drawn or written
├── SnapshotError           a publication cannot be checked: something is missing or unreadable
├── VerificationError       a publication was checked and does not hold
└── FitError                the votes are fine, the estimate is not
    ├── IdentificationError     covariates and contestants cannot be told apart
    ├── SeparationError         a covariate splits wins from losses: no finite estimate
    └── ConvergenceError        the certificate of convergence was not reached
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ranking.io import Reject


class RankingError(Exception):
    """Root of the package's errors; the text says what happened and what to do."""


class VotesError(RankingError, ValueError):
    """A column of votes breaks a rule.

    `column` names it, `row` is the first offending row (0-based; None when the whole column
    is at fault) and `remedy` what to do about it.
    """

    def __init__(self, message: str, *, column: str, row: int | None = None, remedy: str) -> None:
        where = f"column {column!r}" if row is None else f"column {column!r}, row {row}"
        super().__init__(f"{where}: {message}. {remedy}")
        self.column = column
        self.row = row
        self.remedy = remedy


class SpecError(RankingError, ValueError):
    """A setting of the RankingSpec is unknown, out of range or does not fit these votes."""


class VoteFileError(RankingError):
    """A file of votes cannot be read; `rejects` holds its bad rows when rows are the reason."""

    def __init__(self, message: str, *, rejects: Sequence[Reject] = ()) -> None:
        super().__init__(message)
        self.rejects = tuple(rejects)


class ResourceError(RankingError):
    """Memory or disk do not suffice, or a cluster cannot be used; the text says what would do."""


class PlotError(RankingError):
    """A chart cannot be drawn or written; the text says what is missing."""


class SnapshotError(RankingError):
    """A publication cannot be checked, because a file is missing or cannot be read."""


class VerificationError(RankingError):
    """A publication does not hold.

    `file` is the one at fault and `where` the place in it (None: the whole). Where a number or
    word differs, `published` is what stands there and `recomputed` what should.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path,
        where: str | None = None,
        published: object = None,
        recomputed: object = None,
    ) -> None:
        super().__init__(f"{file}: {message}")
        self.file = str(file)
        self.where = where
        self.published = published
        self.recomputed = recomputed


class FitError(RankingError):
    """The votes are well formed but the asked-for estimate does not exist or was not reached."""


class IdentificationError(FitError):
    """`covariates` cannot be told apart from each other or from the contestants."""

    def __init__(self, message: str, *, covariates: Sequence[str]) -> None:
        super().__init__(message)
        self.covariates = tuple(covariates)


class SeparationError(FitError):
    """Along one direction the likelihood rises for ever, so no finite estimate exists.

    `covariates` and `contestants` are those that carry the direction.
    """

    def __init__(
        self, message: str, *, covariates: Sequence[str] = (), contestants: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.covariates = tuple(covariates)
        self.contestants = tuple(contestants)


class ConvergenceError(FitError):
    """Newton's method stopped short of the certificate; the text carries its numbers."""
