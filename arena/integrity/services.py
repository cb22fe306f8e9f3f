"""Handing votes out as a file, and saying why some do not count."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db import transaction

from arena.battles.selectors import votes_existing
from arena.core.exceptions import BadInput
from arena.core.services import audit
from arena.core.storage import publish_file, temporary_in
from arena.integrity.exceptions import VotesRefused
from arena.integrity.models import Exclusion, Segment
from arena.integrity.selectors import votes_read
from ranking.io import write_votes

NAME = re.compile(r"n:(?P<id>\d{1,18})|(?P<sha>[0-9a-f]{64}):(?P<row>\d{1,12})")


def votes_export(*, path: Path) -> int:
    """Write every vote as Parquet that `python -m ranking fit` reads; returns how many."""
    table = votes_read().table
    try:
        with temporary_in(path.absolute().parent, ".parquet") as made:
            write_votes(table, made)
            publish_file(made, path.absolute())
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}.") from error
    return table.num_rows


def refuse_unknown(votes: Iterable[str]) -> None:
    rows = dict(Segment.objects.values_list("sha256", "rows"))
    native = set()
    for vote in votes:
        match = NAME.fullmatch(vote)
        if match is None or (match["sha"] and int(match["row"]) >= rows.get(match["sha"], 0)):
            raise VotesRefused(
                f"'{vote[:90]}' names no vote: write n:<id> for one cast here, or "
                "<segment's sha256>:<row> for an imported one."
            )
        if match["id"]:
            native.add(int(match["id"]))
    missing = native - votes_existing(native)
    if missing:
        raise VotesRefused(f"There is no vote n:{min(missing)}. Nothing was excluded.")


@transaction.atomic
def votes_exclude(*, votes: Iterable[str], rule: str, reason: str, actor: Any = None) -> int:
    """Say why votes do not count, where that rule does not already say it; returns how many.

    Raises VotesRefused where one names no vote.
    """
    wanted = list(votes)
    refuse_unknown(wanted)
    standing = set(
        Exclusion.objects.filter(rule=rule, lifted_at__isnull=True).values_list("vote", flat=True)
    )
    new = [vote for vote in dict.fromkeys(wanted) if vote not in standing]
    Exclusion.objects.bulk_create(
        Exclusion(vote=vote, rule=rule, reason=reason, actor=actor) for vote in new
    )
    audit(action="votes.exclude", subject=rule, actor=actor, votes=len(new), reason=reason)
    return len(new)
