"""What the battle page shows, as plain values: templates compute nothing.

Nothing here may be built from a contestant before the vote has committed.
"""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from arena.battles.models import Answer, Battle, Outcome, Pacing, Side, State
from arena.battles.selectors import answers_of
from arena.battles.services import RETRIABLE
from arena.catalog.models import Revision
from arena.core.markdown import render

FAILED = "One side stopped answering. {}; nothing was counted."
INTERRUPTED = "The server stopped while this battle was being written. {}; nothing was counted."
RETRY, AFRESH = "Retry it, or start a new battle", "Start a new battle"
STOPPED = "You stopped this battle, so it cannot be voted on. Nothing was counted."
ERASED = "Prompt and answers of this battle are no longer kept."


@dataclass(frozen=True)
class BattlePage:
    id: uuid.UUID
    state: str
    attempt: int
    is_equal: bool
    can_retry: bool
    prompt: str
    answer_a_html: SafeString
    answer_b_html: SafeString
    outcome: str
    message: str


@dataclass(frozen=True)
class VotedSide:
    """One contestant, named, after the vote."""

    name: str
    slug: str
    organisation: str
    stage: str
    stage_label: str
    chosen: bool
    tokens: int | None
    headers: int | None
    lists: int | None
    bold: int | None
    code: int | None
    emoji: int | None
    first_token: float | None
    duration: float | None


@dataclass(frozen=True)
class Voted:
    headline: str
    a: VotedSide
    b: VotedSide


# States whose answers are shown; before them they come over the socket.
SHOWN = {State.COMPLETE, State.VOTED, State.STOPPED}


def battle_page(battle: Battle) -> BattlePage:
    turn = battle.turns.latest("number")
    answers = answers_of(battle) if battle.state in SHOWN else {}
    can_retry = (
        battle.state in RETRIABLE and battle.attempt < settings.BATTLE_ATTEMPTS and bool(turn.salt)
    )
    return BattlePage(
        id=battle.pk,
        state=battle.state,
        attempt=battle.attempt,
        is_equal=battle.pacing == Pacing.EQUAL,
        can_retry=can_retry,
        prompt=turn.prompt,
        answer_a_html=answer_html(answers.get(Side.A)),
        answer_b_html=answer_html(answers.get(Side.B)),
        outcome=battle.vote.outcome if battle.state == State.VOTED else "",
        message=message(State(battle.state), can_retry) if turn.salt else ERASED,
    )


def message(state: State, can_retry: bool) -> str:
    """What a battle that ended without a vote says of itself."""
    remedy = RETRY if can_retry else AFRESH
    said = {State.FAILED: FAILED, State.INTERRUPTED: INTERRUPTED, State.STOPPED: STOPPED}
    return said.get(state, "").format(remedy)


def answer_html(answer: Answer | None) -> SafeString:
    return render(answer.text) if answer else mark_safe("")


def voted(battle: Battle) -> Voted:
    """Both names and what they wrote. Only for a battle whose vote has committed."""
    answers, outcome = answers_of(battle), battle.vote.outcome
    return Voted(
        headline=headline(outcome, battle.revision_a.name, battle.revision_b.name),
        a=voted_side(battle.revision_a, answers[Side.A], outcome == Outcome.MODEL_A),
        b=voted_side(battle.revision_b, answers[Side.B], outcome == Outcome.MODEL_B),
    )


def headline(outcome: str, a: str, b: str) -> str:
    return {
        Outcome.MODEL_A: f"You preferred {a} to {b}.",
        Outcome.MODEL_B: f"You preferred {b} to {a}.",
        Outcome.TIE: f"You called it a tie between {a} and {b}.",
        Outcome.BOTH_BAD: f"You found neither {a} nor {b} good.",
    }[Outcome(outcome)]


def voted_side(revision: Revision, answer: Answer, chosen: bool) -> VotedSide:
    organisation = revision.contestant.organisation
    # Recorded answers were written beforehand: the time they took here says nothing.
    timed = revision.kind != "recorded"
    return VotedSide(
        name=revision.name,
        slug=revision.contestant.slug,
        organisation=organisation.name if organisation else "",
        stage=revision.stage,
        stage_label=revision.get_stage_display() if revision.stage else "",
        chosen=chosen,
        tokens=answer.tokens,
        headers=answer.headers,
        lists=answer.lists,
        bold=answer.bold,
        code=answer.code,
        emoji=answer.emoji,
        first_token=answer.first_token_seconds if timed else None,
        duration=answer.duration_seconds if timed else None,
    )
