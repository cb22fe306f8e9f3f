"""Forgetting persons, texts and pictures, while votes keep counting."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from arena.battles.images import images_erase, images_of, images_sweep
from arena.battles.models import Battle, Image, Turn, Vote
from arena.battles.services import OPEN, texts_erase
from arena.battles.sharing import shares_end
from arena.chats.models import Chat
from arena.chats.services import chats_delete, turns_purge
from arena.core.locks import one_at_a_time
from arena.core.services import audit
from arena.integrity import files
from arena.integrity.models import Segment
from arena.integrity.sealing import SEALING, seal
from arena.voters.challenges import challenges_forget
from arena.voters.models import Voter
from arena.voters.services import networks_forget, voter_forget


@dataclass(frozen=True)
class Kept:
    """What the arena keeps of a voter's battles and chats."""

    battles: int
    open: int
    votes: int
    turns: int
    """Turns with texts."""
    images: int
    chats: int


@dataclass(frozen=True)
class Purged:
    """`images` went with the texts; `unsent` are pictures that no turn ever showed."""

    turns: int
    chat_turns: int
    networks: int
    images: int
    unsent: int


@dataclass(frozen=True)
class Forgotten:
    turns: int = 0
    images: int = 0


def kept(voter: Voter) -> Kept:
    battles = Battle.objects.filter(voter=voter)
    return Kept(
        battles=battles.count(),
        open=battles.filter(state__in=OPEN).count(),
        votes=Vote.objects.filter(battle__in=battles).count(),
        turns=Turn.objects.filter(battle__in=battles).exclude(salt="").count(),
        images=Image.objects.filter(voter=voter).count(),
        chats=Chat.objects.filter(voter=voter).count(),
    )


def voter_erase(*, voter: Voter, actor: Any = None) -> Kept:
    """Erase a voter's texts, pictures and chats, and all that links the person to their votes.

    Returns what was kept. Votes are sealed first, so that all of them carry the pseudonym that
    nothing leads to from then on. Run again after a crash, it ends what was begun: who the voter
    was goes last.
    """
    battles = Battle.objects.filter(voter=voter)
    with one_at_a_time(SEALING):
        before = kept(voter)
        seal()
        texts_unpublish(battles)
        images = images_erase(images=Image.objects.filter(voter=voter))
        with transaction.atomic():
            turns = texts_erase(battles=battles)
            chats = chats_delete(chats=Chat.objects.filter(voter=voter))
            # From now on nobody could end them.
            shares_end(battles=battles)
            voter_forget(voter=voter)
            audit(
                action="voter.erase",
                subject=str(voter),
                actor=actor,
                votes=before.votes,
                open_battles=before.open,
                turns=turns,
                images=images,
                chats=chats,
            )
    return before


def purge(*, now: datetime | None = None) -> Purged:
    """Erase what is older than RETAIN_TEXT_DAYS and RETAIN_NETWORK_DAYS; 0 keeps it for ever.

    And, always, what was remembered of challenges that are over, and pictures never sent.
    """
    now = now or timezone.now()
    texts, chat_turns, networks = Forgotten(), 0, 0
    if settings.RETAIN_TEXT_DAYS:
        before = now - timedelta(days=settings.RETAIN_TEXT_DAYS)
        texts, chat_turns = texts_purge(before=before), turns_purge(before=before)
    if settings.RETAIN_NETWORK_DAYS:
        networks = networks_forget(before=now - timedelta(days=settings.RETAIN_NETWORK_DAYS))
    challenges_forget()
    return Purged(texts.turns, chat_turns, networks, texts.images, unsent=images_sweep(now=now))


def texts_purge(*, before: datetime) -> Forgotten:
    """Erase the texts and pictures of battles that began before then; returns how many."""
    battles = Battle.objects.filter(created_at__lt=before)
    if not Turn.objects.filter(battle__in=battles).exclude(salt="").exists():
        return Forgotten()
    with one_at_a_time(SEALING):
        seal()
        texts_unpublish(battles)
        images = images_erase(images=images_of(battles))
        with transaction.atomic():
            turns = texts_erase(battles=battles)
            audit(
                action="texts.purge",
                subject=f"before {before:%Y-%m-%d}",
                turns=turns,
                images=images,
            )
    return Forgotten(turns, images)


def texts_unpublish(battles: QuerySet[Battle]) -> None:
    """Take the texts of these battles out of the files beside sealed votes."""
    for segment, votes in sealed_votes(battles):
        files.texts_leave(segment.sha256, {f"n:{vote}" for vote in votes})


def sealed_votes(battles: QuerySet[Battle]) -> Iterator[tuple[Segment, list[int]]]:
    """Segments that hold votes of these battles, with the votes' ids."""
    for segment in Segment.objects.filter(last_vote__isnull=False).order_by("id"):
        votes = Vote.objects.filter(
            pk__gt=segment.after_vote, pk__lte=segment.last_vote, battle__in=battles
        )
        if ids := list(votes.values_list("pk", flat=True)):
            yield segment, ids
