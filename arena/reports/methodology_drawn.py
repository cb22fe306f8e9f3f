"""The battles that were drawn in this arena so far: of now, and of no publication.

A battle that nobody voted on counts by whole days, and not before a day has gone by: where few are
drawn, whoever saw the counts grow by the own battle would learn who is in it before the vote.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from arena.battles.exposure import Exposed, Exposure, are_settled, exposure
from arena.battles.models import Battle, Mode
from arena.leaderboard.sentences import grouped
from arena.reports import methodology_words as words

# They are counted once in so many seconds: the database goes through them all.
DRAWN_SECONDS = 600
DRAWN = "reports:battles-drawn"
SETTLED_AFTER = timedelta(days=1)
# Two million battles take 6 s of a processor: whoever asks meanwhile waits for the same count.
_counting = threading.Lock()


@dataclass(frozen=True)
class DrawnRow:
    """times: of the share that an even drawing would have given; "" where that is not known."""

    label: str
    battles: str
    share: str
    even: str
    times: str
    votes: str
    voted: str


@dataclass(frozen=True)
class DrawnPage:
    headline: str
    told: str
    organisations: tuple[DrawnRow, ...]
    stages: tuple[DrawnRow, ...]
    has_even: bool


def has_drawn() -> bool:
    """Whether any battle that counts was drawn in this arena."""
    drawn = Battle.objects.exclude(mode=Mode.NAMED).exclude(revision_a=F("revision_b"))
    return drawn.filter(are_settled(settled())).exists()


def settled() -> datetime:
    """Whatever began before it counts: the beginning of a day in UTC."""
    moment = (timezone.now() - SETTLED_AFTER).astimezone(UTC)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def drawn_page() -> DrawnPage:
    """Of all battles drawn so far, counted anew every few minutes."""
    with _counting:
        found: Exposure | None = cache.get(DRAWN)
        if found is None:
            found = exposure(settled=settled())
            cache.set(DRAWN, found, DRAWN_SECONDS)
    told = {"battles": grouped(found.battles), "votes": grouped(found.votes)}
    has_even = any(row.expected is not None for row in found.organisations)
    return DrawnPage(
        headline=_("%(battles)s battles were drawn here so far; %(votes)s were voted on.") % told,
        told=drawn_told(has_even),
        organisations=drawn_rows(found, found.organisations, "organisations"),
        stages=drawn_rows(found, found.stages, "stages"),
        has_even=has_even,
    )


def drawn_told(has_even: bool) -> str:
    if has_even:
        return _(
            "A battle counts from its draw on, whatever became of it. Even: the share that drawing "
            "every eligible pair alike would have given, from the logged chances."
        )
    return _(
        "A battle counts from its draw on, whatever became of it. What an even draw would have "
        "given can be said from about 100 battles on."
    )


def drawn_rows(found: Exposure, rows: Sequence[Exposed], level: str) -> tuple[DrawnRow, ...]:
    return tuple(
        DrawnRow(
            label=words.group_label(level, row.name),
            battles=grouped(row.battles),
            share=words.percent(row.share),
            even="" if row.expected is None else words.percent(row.expected),
            times=words.decimal(row.share / row.expected, 2) if row.expected else "",
            votes=grouped(row.votes),
            voted=words.percent(row.votes / row.battles, 0) if row.battles else "",
        )
        for row in rows
    )
