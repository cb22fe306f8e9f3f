"""What was asked and answered in a battle, side by side."""

from dataclasses import dataclass

from django.db.models import QuerySet

from arena.battles.models import Answer, Battle, Side, Turn
from arena.core.admin import seconds


@dataclass(frozen=True)
class AnswerShown:
    """facts: a name and a value each, of what is known."""

    answer: Answer
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AttemptShown:
    number: int
    sides: tuple[AnswerShown | None, ...]


@dataclass(frozen=True)
class TurnShown:
    turn: Turn
    attempts: tuple[AttemptShown, ...]


def turns_of(battle: Battle) -> QuerySet[Turn]:
    return battle.turns.prefetch_related("answers")


def turn_shown(turn: Turn) -> TurnShown:
    """Its answers side by side, attempt by attempt; a side that was kept is in the earlier one."""
    written = {(answer.attempt, answer.side): answer for answer in turn.answers.all()}
    return TurnShown(
        turn,
        tuple(
            AttemptShown(
                number, tuple(answer_shown(written.get((number, side))) for side in Side.values)
            )
            for number in sorted({attempt for attempt, _ in written})
        ),
    )


def answer_shown(answer: Answer | None) -> AnswerShown | None:
    if answer is None:
        return None
    facts = (
        ("ended by", answer.finish_reason),
        ("first token after", seconds(answer.first_token_seconds)),
        ("took", seconds(answer.duration_seconds)),
        ("tokens in, out", counts(answer.prompt_tokens, answer.completion_tokens)),
        ("tokens of thinking", counts(answer.reasoning_tokens)),
        ("asked", f"{answer.requests} times" if answer.requests > 1 else ""),
        ("gives itself away by", ", ".join(map(str, answer.identity_claims))),
    )
    return AnswerShown(answer, tuple((name, value) for name, value in facts if value))


def counts(*values: int | None) -> str:
    """Numbers with a stroke between them; nothing where none is known."""
    if all(value is None for value in values):
        return ""
    return " / ".join("?" if value is None else f"{value:,}" for value in values)
