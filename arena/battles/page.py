"""What the battle page shows, as plain values: templates compute nothing.

Nothing here may be built from a contestant before the vote has committed.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arena.battles import selectors
from arena.battles.models import Battle, Mode, Outcome, Pacing, Side, State, Turn, Vote
from arena.battles.reasons import QUESTIONS, wording
from arena.battles.selectors import AfterVote, answers_measured, contestants_shown
from arena.battles.starting import RETRIABLE, may_try_again
from arena.catalog.models import Kind
from arena.core.markdown import render
from ranking.covariates import METRICS

FAILED_RETRY = _(
    "One side stopped answering. Retry it, or start a new battle; nothing was counted."
)
FAILED = _("One side stopped answering. Start a new battle; nothing was counted.")
INTERRUPTED_RETRY = _(
    "The server stopped while this battle was being written. Retry it, or start a new battle; "
    "nothing was counted."
)
INTERRUPTED = _(
    "The server stopped while this battle was being written. Start a new battle; nothing was "
    "counted."
)
STOPPED = _("You stopped this battle, so it cannot be voted on. Nothing was counted.")
ERASED = _("Prompt and answers of this battle are no longer kept.")
ENDED = {
    (State.FAILED, True): FAILED_RETRY,
    (State.FAILED, False): FAILED,
    (State.INTERRUPTED, True): INTERRUPTED_RETRY,
    (State.INTERRUPTED, False): INTERRUPTED,
    (State.STOPPED, False): STOPPED,
}


@dataclass(frozen=True)
class AnswerShown:
    """One side of a turn; `name` only where its visitor chose who meets."""

    letter: str
    html: SafeString
    source: str
    name: str = ""


@dataclass(frozen=True)
class TurnShown:
    number: int
    prompt: str
    is_own: bool
    """Whether it is the visitor's prompt and not one that was recorded."""
    images: tuple[uuid.UUID, ...]
    a: AnswerShown
    b: AnswerShown


@dataclass(frozen=True)
class BattlePage:
    id: uuid.UUID
    state: str
    mode: str
    attempt: int
    is_equal: bool
    can_retry: bool
    can_continue: bool
    collection: str
    """Slug of the collection that it is of, if it is of one."""
    turns: tuple[TurnShown, ...]
    outcome: str
    message: str

    @property
    def last(self) -> TurnShown:
        return self.turns[-1]


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
class ReasonShown:
    """A reason that may be given for the vote, and whether it was."""

    value: str
    label: str
    is_given: bool


@dataclass(frozen=True)
class Voted:
    battle: uuid.UUID
    headline: str
    counts: str
    """Whether and when it counts, in words."""
    question: str
    reasons: tuple[ReasonShown, ...]
    is_shared: bool
    a: VotedSide
    b: VotedSide


# States in which the last turn's answers are shown; before them they come over the socket.
SHOWN = set(State) - {State.GENERATING}


def battle_page(battle: Battle) -> BattlePage:
    turns = selectors.turns_of(battle)
    last = turns[-1]
    is_kept = bool(last.salt)
    can_retry = battle.state in RETRIABLE and may_try_again(battle, last) and is_kept
    source = battle.recorded_prompt
    return BattlePage(
        id=battle.pk,
        state=battle.state,
        mode=battle.mode,
        attempt=battle.attempt,
        is_equal=battle.pacing == Pacing.EQUAL,
        can_retry=can_retry,
        can_continue=battle.mode != Mode.RECORDED and last.number < settings.BATTLE_TURNS,
        collection=source.collection.slug if source and source.collection else "",
        turns=tuple(
            turn_shown(battle, turn, is_shown=turn is not last or battle.state in SHOWN)
            for turn in turns
        ),
        outcome=battle.vote.outcome if battle.state == State.VOTED else "",
        message=str(ENDED.get((State(battle.state), can_retry), "") if is_kept else ERASED),
    )


def turn_shown(battle: Battle, turn: Turn, *, is_shown: bool) -> TurnShown:
    answers = selectors.answers_of(turn) if is_shown else {}
    names = dict.fromkeys(Side.values, "")
    if battle.mode == Mode.NAMED:
        names = {Side.A: battle.revision_a.name, Side.B: battle.revision_b.name}
    a, b = (answer_shown(side, answers.get(side, ""), names[side]) for side in Side)
    images = tuple(image.pk for image in turn.images.all())
    is_own = battle.mode != Mode.RECORDED
    return TurnShown(turn.number, turn.prompt, is_own, images, a, b)


def answer_shown(side: Side, text: str, name: str) -> AnswerShown:
    return AnswerShown(side.label, render(text), text, name)


def turn_blank() -> TurnShown:
    """An empty turn, which scripts fill."""
    a, b = (answer_shown(side, "", "") for side in Side)
    return TurnShown(0, "", True, (), a, b)


def voted(vote: Vote) -> Voted:
    """Both names and what they wrote, of a vote that has committed."""
    outcome, after = Outcome(vote.outcome), selectors.after_vote(vote.battle_id)
    shown = contestants_shown(vote.battle_id)
    measured = answers_measured(vote.turn_id)
    return Voted(
        battle=vote.battle_id,
        headline=headline(outcome, shown[Side.A]["name"], shown[Side.B]["name"]),
        counts=counts(after),
        question=str(QUESTIONS[outcome]),
        reasons=reasons_shown(outcome, selectors.reasons_given(after.reasons)),
        is_shared=after.share is not None,
        a=voted_side(shown[Side.A], measured[Side.A], outcome == Outcome.MODEL_A),
        b=voted_side(shown[Side.B], measured[Side.B], outcome == Outcome.MODEL_B),
    )


def counts(after: AfterVote) -> str:
    if after.is_of_one:
        return gettext(
            "Both answers were by the same contestant, so this vote is kept and not counted."
        )
    if after.mode == Mode.NAMED:
        return gettext("You chose who met, so this vote is kept and not counted.")
    return gettext("It counts from the next publication and cannot be changed.")


def reasons_shown(outcome: Outcome, given: Collection[str]) -> tuple[ReasonShown, ...]:
    return tuple(
        ReasonShown(reason.value, str(label), reason in given)
        for reason, label in wording(outcome).items()
    )


def headline(outcome: Outcome, a: str, b: str) -> str:
    """Names of revisions are unique: one name is one revision, which met itself."""
    if a == b:
        return headline_of_one(outcome, a)
    said = {
        Outcome.MODEL_A: gettext("You preferred %(a)s to %(b)s."),
        Outcome.MODEL_B: gettext("You preferred %(b)s to %(a)s."),
        Outcome.TIE: gettext("You called it a tie between %(a)s and %(b)s."),
        Outcome.BOTH_BAD: gettext("You found neither %(a)s nor %(b)s good."),
    }
    return said[outcome] % {"a": a, "b": b}


def headline_of_one(outcome: Outcome, name: str) -> str:
    said = {
        Outcome.MODEL_A: gettext("You preferred answer A. Both were by %(name)s."),
        Outcome.MODEL_B: gettext("You preferred answer B. Both were by %(name)s."),
        Outcome.TIE: gettext("You called it a tie. Both answers were by %(name)s."),
        Outcome.BOTH_BAD: gettext("You found neither answer good. Both were by %(name)s."),
    }
    return said[outcome] % {"name": name}


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
