"""What the battle page shows, as plain values: templates compute nothing.

Nothing here may be built from a contestant before the vote has committed.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from arena.battles.models import Answer, Battle, Outcome, Pacing, Side, State, Vote
from arena.battles.selectors import answers_measured, answers_of, contestants_shown
from arena.battles.services import RETRIABLE
from arena.catalog.models import Kind
from arena.core.markdown import render
from ranking.covariates import METRICS

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
    battle: uuid.UUID
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


def voted(vote: Vote) -> Voted:
    """Both names and what they wrote, of a vote that has committed."""
    shown = contestants_shown(vote.battle_id)
    measured = answers_measured(vote.turn_id)
    return Voted(
        battle=vote.battle_id,
        headline=headline(vote.outcome, shown[Side.A]["name"], shown[Side.B]["name"]),
        a=voted_side(shown[Side.A], measured[Side.A], vote.outcome == Outcome.MODEL_A),
        b=voted_side(shown[Side.B], measured[Side.B], vote.outcome == Outcome.MODEL_B),
    )


def headline(outcome: str, a: str, b: str) -> str:
    return {
        Outcome.MODEL_A: f"You preferred {a} to {b}.",
        Outcome.MODEL_B: f"You preferred {b} to {a}.",
        Outcome.TIE: f"You called it a tie between {a} and {b}.",
        Outcome.BOTH_BAD: f"You found neither {a} nor {b} good.",
    }[Outcome(outcome)]


def voted_side(shown: Mapping[str, Any], measured: Mapping[str, Any], chosen: bool) -> VotedSide:
    # Recorded answers were written beforehand: the time they took here says nothing.
    timed = shown["kind"] != Kind.RECORDED
    return VotedSide(
        name=shown["name"],
        slug=shown["contestant__slug"],
        organisation=shown["contestant__organisation__name"] or "",
        stage=shown["stage"],
        chosen=chosen,
        first_token=measured["first_token_seconds"] if timed else None,
        duration=measured["duration_seconds"] if timed else None,
        **{metric: measured[metric] for metric in METRICS},
    )
