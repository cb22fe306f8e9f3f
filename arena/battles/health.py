"""How the endpoints have been answering, out of the answers that they gave."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from statistics import median
from typing import NamedTuple

from django.db.models import Case, F, When
from django.utils import timezone

from arena.battles.models import Answer, Battle, Mode, Side

HOURS = 24
# Of a busy day the latest battles say enough; each has two answers, and few have more.
MOST_BATTLES = 10_000
REFUSED, FILTERED = "refusal", "Filtered"


@dataclass(frozen=True)
class Seconds:
    """Of answers that came whole."""

    median: float
    p95: float


@dataclass(frozen=True)
class Health:
    """The answers of one revision.

    errors: how often each kind occurred, the most common first. refusals: answers that the
    model, or a filter before it, refused; a filter's are errors as well.
    """

    answers: int
    errors: Mapping[str, int]
    refusals: int
    first_token: Seconds | None
    duration: Seconds | None

    @property
    def error_rate(self) -> float:
        return sum(self.errors.values()) / self.answers

    @property
    def refusal_rate(self) -> float:
        return self.refusals / self.answers


class Written(NamedTuple):
    revision: int
    error_kind: str
    finish_reason: str
    first_token: float | None
    duration: float | None


def healths(*, hours: float = HOURS, most: int = MOST_BATTLES) -> dict[int, Health]:
    """By revision id, those with answers in battles begun within so many hours; one query.

    Of more than `most` battles the latest. Recorded answers tell of no endpoint.
    """
    since = timezone.now() - timedelta(hours=hours)
    by_revision: dict[int, list[Written]] = defaultdict(list)
    for written in answers_since(since, most):
        by_revision[written.revision].append(written)
    return {revision: health_of(answers) for revision, answers in by_revision.items()}


def answers_since(since: datetime, most: int) -> Iterator[Written]:
    battles = Battle.objects.filter(created_at__gte=since).exclude(mode=Mode.RECORDED)
    # Without the battles first, SQLite would go through the answers of all time.
    latest = battles.order_by("-created_at").values("pk")[:most]
    revision = Case(
        When(side=Side.A, then=F("turn__battle__revision_a")),
        default=F("turn__battle__revision_b"),
    )
    found = Answer.objects.filter(turn__battle__in=latest).annotate(revision=revision)
    columns = ("error_kind", "finish_reason", "first_token_seconds", "duration_seconds")
    return (Written(*row) for row in found.values_list("revision", *columns))


def health_of(answers: Sequence[Written]) -> Health:
    whole = [answer for answer in answers if not answer.error_kind]
    errors = Counter(answer.error_kind for answer in answers if answer.error_kind)
    return Health(
        answers=len(answers),
        errors=dict(errors.most_common()),
        refusals=sum(was_refused(answer) for answer in answers),
        first_token=seconds(answer.first_token for answer in whole),
        duration=seconds(answer.duration for answer in whole),
    )


def was_refused(answer: Written) -> bool:
    return answer.error_kind == FILTERED or answer.finish_reason == REFUSED


def seconds(found: Iterable[float | None]) -> Seconds | None:
    """Median and 95th percentile, the smallest value that 95 % do not exceed."""
    known = sorted(value for value in found if value is not None)
    if not known:
        return None
    return Seconds(median(known), known[ceil(0.95 * len(known)) - 1])
