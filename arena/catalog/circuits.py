"""The circuit breaker: a revision whose endpoint keeps failing is not drawn for a while.

`BREAKER_FAILURES` failures in a row pause it for `BREAKER_SECONDS`. After that it is drawn again
and its next answer decides: one more failure pauses it for twice as long, an answer forgets all.
Whoever has answers written says how they ended, from many processes at once, so each step is a
conditional update, and the only clock is the database's.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, CharField, F, Q, QuerySet, TextChoices, Value, When
from django.db.models.functions import Now

from arena.catalog.models import Circuit, Revision
from arena.core.prepared import Prepared
from arena.core.services import audit
from arena.core.text import storable

log = logging.getLogger(__name__)

LONGEST_PAUSE = 3600.0
MOST_DETAIL = 2000
TROUBLED = Q(failures__gt=0) | Q(trips__gt=0)
SOUND = {"failures": 0, "trips": 0, "paused_until": None}


# -- Who may be drawn ------------------------------------------------------------------------


def not_paused(revisions: QuerySet[Revision]) -> QuerySet[Revision]:
    """Those of `revisions` that the breaker lets through: never paused, or their pause is over."""
    return revisions.exclude(circuit__paused_until__gt=Now())


def paused_revisions() -> QuerySet[Revision]:
    """Revisions that the breaker keeps from being drawn now."""
    return Revision.objects.filter(circuit__paused_until__gt=Now())


class State(TextChoices):
    """What operators are told of an endpoint."""

    PAUSED = "paused", "Paused"
    TRYING = "trying", "Trying again"
    FAILING = "failing", "Failing"
    ANSWERING = "answering", "Answering"
    UNKNOWN = "unknown", "Not asked yet"


def with_state(circuits: QuerySet[Circuit]) -> QuerySet[Circuit]:
    """The same, each with its `state`, by the database's clock."""
    answered = Q(reachable=True) | Q(failed_at__isnull=False)
    return circuits.annotate(
        state=Case(
            When(paused_until__gt=Now(), then=Value(State.PAUSED)),
            When(trips__gt=0, then=Value(State.TRYING)),
            When(Q(failures__gt=0) | Q(reachable=False), then=Value(State.FAILING)),
            When(answered, then=Value(State.ANSWERING)),
            default=Value(State.UNKNOWN),
            output_field=CharField(),
        )
    )


# -- What became of answers ------------------------------------------------------------------


@transaction.atomic
def revision_failed(*, revision_id: int, kind: str, detail: str) -> None:
    """Count a failure of the revision's endpoint; pause the revision where it was one too many.

    kind, detail: the ProviderError's, for operators. What fails during a pause began before it,
    and does not lengthen it. With BREAKER_FAILURES=0 failures are counted and nothing is paused.
    """
    failure_count(revision_id, kind, detail)
    due = Circuit.objects.filter(pause_due(), revision_id=revision_id)
    # The counting took the row, so until the transaction ends nobody else changes what is read.
    circuit = due.select_related("revision").first()
    if circuit is None or not settings.BREAKER_FAILURES:
        return
    seconds = pause_seconds(circuit.trips)
    due.update(paused_until=Now() + timedelta(seconds=seconds), trips=F("trips") + 1)
    audit(
        action="revision.pause",
        subject=circuit.revision.name,
        failures=circuit.failures,
        seconds=seconds,
        error=circuit.last_error,
    )
    log.warning(
        "%s is not drawn for %g s after %d failures in a row; the last one was %s: %s",
        circuit.revision,
        seconds,
        circuit.failures,
        circuit.last_error,
        circuit.last_detail,
    )


def failure_count(revision_id: int, kind: str, detail: str) -> None:
    # Of several processes that see the first failure at once, one makes the row.
    Circuit.objects.bulk_create([Circuit(revision_id=revision_id)], ignore_conflicts=True)
    Circuit.objects.filter(revision_id=revision_id).update(
        failures=F("failures") + 1,
        last_error=kind[:40],
        last_detail=storable(detail[:MOST_DETAIL]),
        failed_at=Now(),
    )


def pause_due() -> Q:
    """Too many failures in a row, or one more after a pause; and not paused already."""
    too_many = Q(failures__gte=settings.BREAKER_FAILURES) | Q(trips__gt=0)
    return too_many & ~Q(paused_until__gt=Now())


def pause_seconds(trips: int) -> float:
    """Twice as long each time; an hour at most, unless a single pause is set to be longer."""
    first = settings.BREAKER_SECONDS
    return float(min(first * 2.0 ** min(trips, 32), max(first, LONGEST_PAUSE)))


_troubled = Prepared(
    Circuit._meta.get_field("revision"),
    lambda pk: Circuit.objects.filter(TROUBLED, revision=pk).values_list("pk"),
)


def revisions_answered(*, revision_ids: Iterable[int]) -> None:
    """These revisions have answered: their failures are forgotten, and their pauses over.

    One short query for each where there is nothing to forget.
    """
    for revision in set(revision_ids):
        for (circuit,) in _troubled.rows(revision):
            circuit_answered(Circuit.objects.select_related("revision").get(pk=circuit))


@transaction.atomic
def circuit_answered(circuit: Circuit) -> None:
    row = Circuit.objects.filter(pk=circuit.pk)
    if row.filter(trips__gt=0).update(**SOUND):
        audit(action="revision.resume", subject=circuit.revision.name, reason="It answered.")
    else:
        row.filter(failures__gt=0).update(failures=0)


@transaction.atomic
def circuit_close(*, revision: Revision, actor: Any, reason: str) -> bool:
    """Let a revision be drawn again at once, and forget its failures.

    Returns False where there is nothing to forget.
    """
    circuit = Circuit.objects.filter(TROUBLED, revision=revision)
    if not circuit.update(**SOUND):
        return False
    audit(action="revision.resume", subject=revision.name, actor=actor, reason=reason)
    return True
