"""What one voter began and judged, read for that voter alone."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left

from arena.battles.models import Battle, Turn, Vote
from arena.voters.models import Voter

# Characters of a prompt that a line about its battle may need.
EXCERPT = 240


@dataclass(frozen=True)
class Begun:
    """One battle, whatever became of it. It names nobody: before the vote nothing may."""

    id: uuid.UUID
    at: datetime
    state: str
    prompt: str
    """The first prompt's beginning; empty where there were no words, or texts are erased."""
    salt: str
    """Empty where texts are erased."""


def battles_begun(voter: Voter) -> QuerySet[Battle, tuple[uuid.UUID, datetime, str, str, str]]:
    """The voter's battles, the newest first, as the fields of Begun."""
    first = Turn.objects.filter(battle=OuterRef("pk"), number=1)
    return (
        Battle.objects.filter(voter=voter)
        .annotate(
            excerpt=Subquery(first.values(start=Left("prompt", EXCERPT))),
            salt=Subquery(first.values("salt")),
        )
        .order_by("-created_at", "-pk")
        .values_list("pk", "created_at", "state", "excerpt", "salt")
    )


def votes_of(voter: Voter) -> QuerySet[Vote]:
    """The voter's votes in the order in which they were cast."""
    return Vote.objects.filter(voter=voter).order_by("pk")


def prompts_judged(voter: Voter) -> Iterator[tuple[int, list[str]]]:
    """By vote, in the order of `votes_of`: its id and the prompts up to the turn voted on.

    A prompt is empty where it is erased.
    """
    turns = (
        Turn.objects.filter(
            Q(number__lte=F("battle__vote__turn__number")), battle__vote__voter=voter
        )
        .order_by("battle__vote__pk", "number")
        .values_list("battle__vote__pk", "prompt")
    )
    for vote, asked in groupby(turns.iterator(), key=itemgetter(0)):
        yield vote, [prompt for _, prompt in asked]
