"""Asking the operator's judge which criteria of a demanding prompt a battle's first prompt meets.

It is asked after the vote and apart from any request, so no battle ever waits for it. Where it
does not answer, or not as it should, the criteria of that battle stay unknown.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from arena.battles.models import Battle, Judgement, Mode, Turn
from arena.battles.tagging import CRITERIA
from arena.core.keys import provider_key
from arena.core.text import storable
from arena.providers.exceptions import ProviderError
from arena.providers.judging import criteria_met
from arena.providers.protocol import Limits

log = logging.getLogger(__name__)

AT_ONCE = 4
MOST_ATTEMPTS = 3
AGAIN_AFTER = timedelta(minutes=1)
# Of the prompt; a demanding one shows it before.
READ_CHARACTERS = 8_000
ANSWER_CHARACTERS = 20_000
MEANING = dict(
    zip(
        CRITERIA,
        (
            "a good answer has several parts that depend on each other, or takes several steps",
            "a good answer has to invent something: an idea, an approach, a text",
            "a good answer takes knowledge of a field, beyond what everybody learns at school",
            "there is a problem to be worked out, and not only a fact to be looked up",
            "somebody could need the answer for something that they really do",
            "it asks for one definite thing and says clearly what that is",
            "the answer has to be right in technical detail, and could be checked for it",
        ),
        strict=True,
    )
)


Verdict = dict[str, bool]


def prompts_judge(*, after: int) -> int:
    """Ask about the first prompts of battles whose votes have an id above `after`.

    Goes on until there is none left, or the judge says nothing of several; returns how many
    verdicts it gave. Does nothing where no judge is configured.
    """
    judged = 0
    while settings.JUDGE_URL and (turns := claimed(after)):
        said = verdicts(turns)
        for turn, verdict in said.items():
            verdict_store(turn=turn, verdict=verdict)
        judged += len(said)
        if not said:
            break
    return judged


# -- Whom to ask about -----------------------------------------------------------------------


def claimed(after: int) -> list[Turn]:
    """A few turns to be judged, which no other process asks about meanwhile."""
    return [turn for turn in waiting(after)[:AT_ONCE] if claim(turn)]


def waiting(after: int) -> QuerySet[Turn]:
    """First turns of voted battles without a verdict whose texts are kept, the oldest vote first.

    Votes of named battles never count, so nothing is asked about them.
    """
    untold = Q(battle__judgement=None) | Q(
        battle__judgement__verdict__isnull=True,
        battle__judgement__attempts__lt=MOST_ATTEMPTS,
        battle__judgement__tried_at__lt=Now() - AGAIN_AFTER,
    )
    turns = Turn.objects.filter(untold, number=1, battle__vote__pk__gt=after)
    turns = turns.exclude(salt="").exclude(prompt="").exclude(battle__mode=Mode.NAMED)
    return turns.select_related("battle", "battle__judgement").order_by("battle__vote__pk")


def claim(turn: Turn) -> bool:
    """Whether this process is the one that asks: the row decides between two that want to."""
    before = getattr(turn.battle, "judgement", None)
    if before is None:
        try:
            with transaction.atomic():
                Judgement.objects.create(battle=turn.battle, model=settings.JUDGE_MODEL[:200])
        except IntegrityError:
            return False
        return True
    same = Judgement.objects.filter(pk=before.pk, attempts=before.attempts)
    again = {"attempts": F("attempts") + 1, "tried_at": Now(), "model": settings.JUDGE_MODEL[:200]}
    return bool(same.update(**again))


# -- What is said of them --------------------------------------------------------------------


def verdicts(turns: Sequence[Turn]) -> dict[Turn, Verdict]:
    """By turn, what the judge says; turns of which it says nothing are left out."""
    known = {turn: found for turn in turns if (found := said_before(turn))}
    unknown = [turn for turn in turns if turn not in known]
    answers = zip(unknown, async_to_sync(all_asked)(unknown), strict=True)
    for turn, answer in answers:
        if isinstance(answer, ProviderError):
            silence_note(turn, answer)
        else:
            known[turn] = answer
    return known


def said_before(turn: Turn) -> Verdict | None:
    """The same judge's verdict on the same recorded prompt: it is asked about each once."""
    prompt = turn.battle.recorded_prompt_id
    if prompt is None:
        return None
    same = Judgement.objects.filter(
        battle__recorded_prompt=prompt, model=settings.JUDGE_MODEL[:200], verdict__isnull=False
    )
    return same.values_list("verdict", flat=True).first()


async def all_asked(turns: Sequence[Turn]) -> list[Verdict | ProviderError]:
    return list(await asyncio.gather(*(asked(turn.prompt) for turn in turns)))


async def asked(prompt: str) -> Verdict | ProviderError:
    try:
        return await criteria_met(
            prompt[:READ_CHARACTERS],
            MEANING,
            endpoint=settings.JUDGE_URL,
            model=settings.JUDGE_MODEL,
            api_key=provider_key(settings.JUDGE_KEY_ENV),
            limits=Limits(
                connect=settings.PROVIDER_CONNECT_SECONDS,
                read=settings.PROVIDER_READ_SECONDS,
                total=settings.PROVIDER_READ_SECONDS,
                characters=ANSWER_CHARACTERS,
            ),
        )
    except ProviderError as error:
        return error


def silence_note(turn: Turn, error: ProviderError) -> None:
    log.warning("the judge said nothing of %s (%s): %s", turn.battle, error.kind, error.detail)
    said = storable(f"{error.kind}: {error.detail}")[:200]
    Judgement.objects.filter(pk=turn.battle_id).update(error=said)


@transaction.atomic
def verdict_store(*, turn: Turn, verdict: Verdict) -> None:
    """Keep a verdict, and add it to what is known of the battle."""
    Judgement.objects.filter(pk=turn.battle_id).update(verdict=verdict, error="")
    battle = Battle.objects.select_for_update().only("categories").get(pk=turn.battle_id)
    categories = dict(sorted((battle.categories | verdict).items()))
    Battle.objects.filter(pk=battle.pk).update(categories=categories)
