"""Handing votes out as a file, and saying why some do not count."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from django.db import transaction
from django.utils import timezone

from arena.battles.selectors import votes_existing
from arena.core.exceptions import BadInput, Conflict, Unknown
from arena.core.services import audit
from arena.core.storage import publish_file, temporary_in
from arena.integrity.exceptions import VotesRefused
from arena.integrity.models import Exclusion, Segment
from arena.integrity.streams import VoteFilter, as_parquet, votes_stream

# One spelling each: a vote under two names could be excluded twice, and lifted once.
NAME = re.compile(r"n:(?P<id>[1-9][0-9]{0,17})|(?P<sha>[0-9a-f]{64}):(?P<row>0|[1-9][0-9]{0,11})")


def votes_export(*, path: Path) -> int:
    """Write every vote as Parquet that `python -m ranking fit` reads; returns how many."""
    path = path.absolute()
    try:
        with temporary_in(path.parent, ".parquet") as made:
            with made.open("wb") as file:
                file.writelines(as_parquet(votes_stream(VoteFilter())))
            publish_file(made, path)
            return int(pq.read_metadata(path).num_rows)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}.") from error


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


@transaction.atomic
def exclusion_lift(*, pk: int, reason: str, actor: Any = None) -> Exclusion:
    """Let a vote count again; the row stays and says who lifted it.

    Raises Unknown, and Conflict where it is lifted already.
    """
    lifted = Exclusion.objects.filter(pk=pk, lifted_at=None).update(
        lifted_at=timezone.now(), lifted_by=actor
    )
    found = exclusion_get(pk)
    if not lifted:
        raise Conflict(f"Exclusion {pk} was lifted already.")
    audit(
        action="votes.exclusion_lift",
        subject=found.rule,
        actor=actor,
        vote=found.vote,
        exclusion=pk,
        reason=reason,
    )
    return found


def exclusion_get(pk: int) -> Exclusion:
    try:
        return Exclusion.objects.get(pk=pk)
    except (Exclusion.DoesNotExist, OverflowError) as error:
        raise Unknown(f"There is no exclusion {pk}.") from error
