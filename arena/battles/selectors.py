"""Reads of the battles room."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery

from arena.battles.exceptions import NoSuchBattle
from arena.battles.models import Answer, Battle, Prompt, RecordedAnswer, Side, Vote
from arena.catalog.models import Kind, Revision, Status

LATEST = Subquery(
    Revision.objects.filter(contestant=OuterRef("contestant"))
    .order_by("-number")
    .values("number")[:1]
)


def drawable() -> QuerySet[Revision]:
    """Revisions that may be drawn: the latest of each active contestant."""
    return Revision.objects.filter(contestant__status=Status.ACTIVE, number=LATEST)


def revisions_served() -> list[Revision]:
    """Drawable revisions that answer any prompt."""
    return list(drawable().filter(kind=Kind.OPENAI).order_by("pk"))


def revisions_on_record(prompt: Prompt) -> list[Revision]:
    """Drawable revisions whose answer to `prompt` was recorded."""
    return list(
        drawable().filter(kind=Kind.RECORDED, recorded__prompt=prompt).order_by("pk").distinct()
    )


def prompts_recorded() -> list[Prompt]:
    """Prompts with at least one recorded answer, by slug."""
    return list(Prompt.objects.filter(answers__isnull=False).distinct())


def can_ask() -> bool:
    """Whether a prompt of the visitor's own can be answered by two contestants."""
    return drawable().filter(kind=Kind.OPENAI).count() >= 2


def recorded_texts(prompt: Prompt, revisions: list[Revision]) -> dict[int, str]:
    """Recorded answers to `prompt` by revision id."""
    return dict(
        RecordedAnswer.objects.filter(prompt=prompt, revision__in=revisions).values_list(
            "revision_id", "text"
        )
    )


def battle_get(battle_id: uuid.UUID | str) -> Battle:
    """The battle, with what its page shows. Raises NoSuchBattle."""
    try:
        return Battle.objects.select_related(
            "revision_a__contestant__organisation",
            "revision_b__contestant__organisation",
            "voter",
            "vote",
        ).get(pk=uuid.UUID(str(battle_id)))
    except (ValueError, Battle.DoesNotExist) as error:
        raise NoSuchBattle from error


def answers_of(battle: Battle) -> dict[str, Answer]:
    """The answers of the battle's last turn by side, each side's latest attempt."""
    answers = Answer.objects.filter(turn__battle=battle).order_by("turn__number", "attempt")
    return {answer.side: answer for answer in answers}


@dataclass(frozen=True)
class VoteRow:
    """A native vote with everything a vote at rest carries."""

    vote: Vote
    a: Answer
    b: Answer


def votes_after(last: int) -> Iterator[VoteRow]:
    """Votes with an id above `last`, by id, with both answers of the turn voted on."""
    votes = Vote.objects.filter(pk__gt=last).select_related(
        "battle__revision_a", "battle__revision_b", "voter", "turn"
    )
    for vote in votes.prefetch_related("turn__answers").iterator(chunk_size=2000):
        answers = {answer.side: answer for answer in vote.turn.answers.all()}
        yield VoteRow(vote, answers[Side.A], answers[Side.B])


def votes_existing(ids: set[int]) -> set[int]:
    """Those of `ids` that are votes."""
    return set(Vote.objects.filter(pk__in=ids).values_list("pk", flat=True))


def votes_count_and_last(after: int) -> tuple[int, int]:
    """How many votes have an id above `after`, and the highest id among them (0 without any)."""
    found = Vote.objects.filter(pk__gt=after).aggregate(count=Count("pk"), last=Max("pk"))
    return found["count"], found["last"] or 0
