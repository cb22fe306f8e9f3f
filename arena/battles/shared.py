"""The page of a battle that its voter shares: read by anybody, and about nobody."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.battles.exceptions import TextsGone
from arena.battles.models import Mode, Outcome, Side, Turn
from arena.battles.selectors import answers_of, battle_shared, turns_of
from arena.catalog.models import Revision
from arena.core.markdown import render


@dataclass(frozen=True)
class SharedSide:
    letter: str
    name: str
    organisation: str
    stage: str
    chosen: bool


@dataclass(frozen=True)
class SharedTurn:
    number: int
    prompt: str
    images: tuple[UUID, ...]
    a: SafeString
    b: SafeString


@dataclass(frozen=True)
class SharedPage:
    headline: str
    outcome: str
    voted_at: datetime
    is_own: bool
    """Whether the voter asked, and not the arena."""
    knew: str
    """Whether the voter knew whose answers these are."""
    a: SharedSide
    b: SharedSide
    turns: tuple[SharedTurn, ...]


def shared_page(battle_id: UUID) -> SharedPage:
    """Raises NotShared, or TextsGone where its texts were erased since."""
    battle = battle_shared(battle_id)
    turns = turns_of(battle)
    if not all(turn.salt for turn in turns):
        raise TextsGone
    outcome = Outcome(battle.vote.outcome)
    return SharedPage(
        headline=headline(outcome, battle.revision_a, battle.revision_b),
        outcome=str(outcome.label),
        voted_at=battle.vote.created_at,
        is_own=battle.mode != Mode.RECORDED,
        knew=knew(Mode(battle.mode)),
        a=side_shown(Side.A, battle.revision_a, outcome == Outcome.MODEL_A),
        b=side_shown(Side.B, battle.revision_b, outcome == Outcome.MODEL_B),
        turns=tuple(map(turn_shown, turns)),
    )


def knew(mode: Mode) -> str:
    if mode == Mode.NAMED:
        return _("They had chosen who met.")
    return _("They saw no names before they voted.")


def headline(outcome: Outcome, a: Revision, b: Revision) -> str:
    if a.pk == b.pk:
        return headline_of_one(outcome, a.name)
    said = {
        Outcome.MODEL_A: _("Somebody preferred %(a)s to %(b)s."),
        Outcome.MODEL_B: _("Somebody preferred %(b)s to %(a)s."),
        Outcome.TIE: _("Somebody called it a tie between %(a)s and %(b)s."),
        Outcome.BOTH_BAD: _("Somebody found neither %(a)s nor %(b)s good."),
    }
    return said[outcome] % {"a": a.name, "b": b.name}


def headline_of_one(outcome: Outcome, name: str) -> str:
    said = {
        Outcome.MODEL_A: _("Somebody preferred answer A. Both were by %(name)s."),
        Outcome.MODEL_B: _("Somebody preferred answer B. Both were by %(name)s."),
        Outcome.TIE: _("Somebody called it a tie. Both answers were by %(name)s."),
        Outcome.BOTH_BAD: _("Somebody found neither answer good. Both were by %(name)s."),
    }
    return said[outcome] % {"name": name}


def side_shown(side: Side, revision: Revision, chosen: bool) -> SharedSide:
    organisation = revision.contestant.organisation
    return SharedSide(
        letter=str(side.label),
        name=revision.name,
        organisation=organisation.name if organisation else "",
        stage=revision.stage,
        chosen=chosen,
    )


def turn_shown(turn: Turn) -> SharedTurn:
    texts = answers_of(turn)
    return SharedTurn(
        number=turn.number,
        prompt=turn.prompt,
        images=tuple(image.pk for image in turn.images.all()),
        a=render(texts.get(Side.A, "")),
        b=render(texts.get(Side.B, "")),
    )
