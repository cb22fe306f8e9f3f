"""What moved contestants from one publication to another."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from arena.integrity.exceptions import SegmentMissing
from arena.leaderboard.exceptions import NoSuchLedger
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.selectors import board_name, board_state, part_read
from ranking import BoardState, Ledger, LedgerRow, Term, movement_ledger

log = logging.getLogger(__name__)

Report = Callable[[int, int], None]


class Rows(StrEnum):
    """What a row of a ledger is: a family, whichever revision stands for it, or a revision."""

    FAMILIES = "families"
    REVISIONS = "revisions"


def ledger_between(
    before: Snapshot,
    after: Snapshot,
    board: BoardName,
    progress: Report | None = None,
) -> dict[str, Any]:
    """The ledger of a board between two publications, from the sealed votes that each rests on.

    progress: called with the boards fitted so far and how many there can be. Raises
    SegmentMissing, NoSuchBoard, and what `movement_ledger` raises.
    """
    states = [board_state(snapshot, board) for snapshot in (before, after)]
    ledger = movement_ledger(*states, progress=progress)
    return {
        "before": before.digest,
        "after": after.digest,
        "board": board.value,
        **ledger.to_dict(),
    }


def ledger_of_rows(
    before: Snapshot, after: Snapshot, rows: Rows, progress: Report | None = None
) -> dict[str, Any]:
    """The ledger between the default boards of two publications.

    As `ledger_between`; raises NoSuchLedger too, where one of them names no families.
    """
    check_rows(before, after, rows)
    try:
        states = [shown_state(snapshot, rows) for snapshot in (before, after)]
    except SegmentMissing as error:
        # Its text names folders of the server, and readers see this.
        log.error("No ledger from %s to %s: %s", before, after, error)
        raise NoSuchLedger(
            _("A file of votes that these publications rest on is gone or was altered.")
        ) from error
    return movement_ledger(*states, progress=progress).to_dict()


def shown_state(snapshot: Snapshot, rows: Rows) -> BoardState:
    """The default board with one row for each family or revision."""
    state = board_state(snapshot, board_name(snapshot, ""))
    if rows == Rows.REVISIONS:
        return state
    return replace(state, revisions=snapshot.content["families"])


# -- Ledgers that exist ----------------------------------------------------------------------


def rows_between(before: Snapshot, after: Snapshot) -> tuple[Rows, ...]:
    """What the rows of a ledger between them can be, the usual first."""
    if all(snapshot.content.get("families") for snapshot in (before, after)):
        return Rows.FAMILIES, Rows.REVISIONS
    return (Rows.REVISIONS,)


def check_rows(before: Snapshot, after: Snapshot, rows: Rows) -> None:
    if rows not in rows_between(before, after):
        raise NoSuchLedger(
            _("One of these publications says nothing of families. Its revisions can be compared.")
        )


def published_ledger(before: Snapshot, after: Snapshot, rows: Rows) -> dict[str, Any] | None:
    """The ledger that the later publication carries, where the other is the one before it.

    Where it has none, `error` says why.
    """
    return part_read(after, f"ledger/{rows}") if after.previous == before.digest else None


def ledger_of(document: Mapping[str, Any]) -> Ledger:
    """The ledger that `Ledger.to_dict` wrote."""
    return Ledger(
        causes=tuple(cause["cause"] for cause in document["causes"]),
        changes=document["changes"],
        rows=tuple(row_of(row) for row in document["rows"]),
        orders=document["orders"],
        orders_left_out=document["orders_left_out"],
        fits=document["fits"],
    )


def row_of(row: Mapping[str, Any]) -> LedgerRow:
    known = ("contestant", "revision_before", "revision_after", "rank_before", "rank_after")
    return LedgerRow(
        **{name: row[name] for name in (*known, "rating_before", "rating_after")},
        terms=tuple(
            Term(term["cause"], Fraction(term["ranks"]), term["rating"]) for term in row["terms"]
        ),
    )
