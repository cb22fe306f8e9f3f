"""Writes of the battles room, each in one transaction."""

import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from arena.battles import selectors
from arena.battles.exceptions import (
    AlreadyVoted,
    BadKey,
    BadOutcome,
    BadPrompt,
    GoneOn,
    KeyUsed,
    NotFinished,
    NothingToVoteOn,
    NotYourBattle,
)
from arena.battles.models import (
    Answer,
    Battle,
    Outcome,
    PairWeights,
    Side,
    State,
    Turn,
    Vote,
    Worker,
)
from arena.catalog.circuits import revision_failed, revisions_answered
from arena.catalog.identity import identity_claims
from arena.catalog.models import SERVED, Kind, Revision
from arena.core.exceptions import Conflict
from arena.core.keys import provider_key
from arena.core.text import is_storable, storable
from arena.providers.protocol import Limits, Message, Request
from arena.voters.models import Voter
from ranking.covariates import style_metrics

OPEN = (State.GENERATING, State.COMPLETE)
WORKER_STALE = timedelta(seconds=6)
# What was drawn stores its own probability; older weights are there to look at.
WEIGHTS_KEPT = 10
KEY = re.compile(r"[A-Za-z0-9-]{8,64}")


@dataclass(frozen=True)
class WrittenAnswer:
    """An answer with its true timings in seconds; whole, or up to where it was stopped."""

    text: str
    reasoning: str = ""
    finish_reason: str = ""
    first_token_seconds: float | None = None
    duration_seconds: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    requests: int = 1


@dataclass(frozen=True)
class Failure:
    """Why a side has no answer, for operators."""

    side: Side
    kind: str
    detail: str
    is_fault_of_endpoint: bool = True


# -- Asking ----------------------------------------------------------------------------------


def checked_prompt(text: str) -> str:
    """The prompt without spaces around it. Raises BadPrompt."""
    text = text.strip()
    if not text:
        raise BadPrompt(_("Write a prompt first: this one has nothing but spaces."))
    if len(text) > settings.PROMPT_MAX_CHARACTERS:
        raise BadPrompt(
            _(
                "The prompt has %(length)s characters; %(most)s is the limit. Nothing was cut: "
                "shorten it and send it again."
            )
            % {
                "length": number_format(len(text), use_l10n=True, force_grouping=True),
                "most": number_format(
                    settings.PROMPT_MAX_CHARACTERS, use_l10n=True, force_grouping=True
                ),
            }
        )
    if not is_storable(text):
        raise BadPrompt(
            _("The prompt holds characters that are not text. Remove them and send it again.")
        )
    return text


def request_for(
    revision: Revision, conversation: Sequence[Message], recorded: str = ""
) -> tuple[Kind, Request]:
    """What the revision's provider is asked: everything said so far, the last by the user.

    recorded: its answer, where that was written beforehand.
    """
    system = [Message("system", revision.system_prompt)] if revision.system_prompt else []
    return Kind(revision.kind), Request(
        messages=(*system, *conversation),
        limits=limits(),
        endpoint=revision.endpoint,
        model=revision.remote_model,
        api_key=provider_key(revision.key_env),
        decoding=revision.decoding,
        recorded=recorded,
    )


def limits() -> Limits:
    return Limits(
        connect=settings.PROVIDER_CONNECT_SECONDS,
        read=settings.PROVIDER_READ_SECONDS,
        total=settings.PROVIDER_TOTAL_SECONDS,
        characters=settings.ANSWER_MAX_CHARACTERS,
        retries=settings.PROVIDER_RETRIES,
    )


# -- Ending ----------------------------------------------------------------------------------


def battle_complete(*, battle: Battle, turn: Turn, answers: Mapping[Side, WrittenAnswer]) -> None:
    """Store the answers and open the vote, if this process still owns the battle.

    Raises Conflict, writing nothing, where it does not.
    """
    rows = [answer_row(turn, battle.attempt, side, answer) for side, answer in answers.items()]
    with transaction.atomic():
        change_state(battle, State.GENERATING, State.COMPLETE)
        Answer.objects.bulk_create(rows)
    revisions_answered(revision_ids=served_by(battle, answers))


def battle_stop(*, battle: Battle, turn: Turn, answers: Mapping[Side, WrittenAnswer]) -> None:
    """End the battle at its voter's wish, keeping what they saw; it takes no vote."""
    rows = [answer_row(turn, battle.attempt, side, answer) for side, answer in answers.items()]
    with transaction.atomic():
        change_state(battle, State.GENERATING, State.STOPPED)
        Answer.objects.bulk_create(rows)


def battle_fail(*, battle: Battle, turn: Turn, failures: list[Failure]) -> None:
    """End the attempt without a vote, keeping for operators what went wrong."""
    with transaction.atomic():
        change_state(battle, State.GENERATING, State.FAILED)
        Answer.objects.bulk_create(
            Answer(
                turn=turn,
                side=failure.side,
                attempt=battle.attempt,
                error_kind=failure.kind,
                error_detail=storable(failure.detail),
            )
            for failure in failures
        )
    for failure in failures:
        if failure.is_fault_of_endpoint:
            for pk in served_by(battle, [failure.side]):
                revision_failed(revision_id=pk, kind=failure.kind, detail=failure.detail)


def answer_keep(*, battle: Battle, turn: Turn, side: Side, answer: WrittenAnswer) -> None:
    """Store the side that became whole after the other failed, for another attempt.

    Raises Conflict where such an attempt has begun without it.
    """
    row = answer_row(turn, battle.attempt, side, answer)
    with transaction.atomic():
        change_state(battle, State.FAILED, State.FAILED)
        row.save()
    revisions_answered(revision_ids=served_by(battle, [side]))


def answer_row(turn: Turn, attempt: int, side: Side, answer: WrittenAnswer) -> Answer:
    fields = asdict(answer) | {
        "text": storable(answer.text),
        "reasoning": storable(answer.reasoning),
    }
    style = asdict(style_metrics(fields["text"]))
    claims = identity_claims(fields["text"])
    return Answer(turn=turn, side=side, attempt=attempt, identity_claims=claims, **fields, **style)


def served_by(battle: Battle, sides: Iterable[Side]) -> list[int]:
    """Revisions of those sides that an endpoint serves: recorded answers tell of no health."""
    revisions = {Side.A: battle.revision_a, Side.B: battle.revision_b}
    return sorted({revisions[side].pk for side in sides if revisions[side].kind in SERVED})


def change_state(battle: Battle, before: State, after: State) -> None:
    changed = Battle.objects.filter(
        pk=battle.pk, state=before, owner=battle.owner, attempt=battle.attempt
    ).update(state=after, ended_at=Now())
    if not changed:
        raise Conflict(f"{battle} is no longer owned by {battle.owner}.")


# -- Voting ----------------------------------------------------------------------------------


def vote_cast(*, battle_id: uuid.UUID, voter: Voter, outcome: str, key: str, attempt: int) -> Vote:
    """Cast the battle's one vote; the same voter, key and outcome again returns the first.

    attempt: the one whose answers the voter sees. Attempts are counted through a battle's turns,
    so a window that was left open cannot judge a turn that it never showed.
    The conditional update decides who is first, so no check before it has to be trusted.
    Raises an ArenaError that says why the vote was not taken.
    """
    if outcome not in Outcome.values:
        raise BadOutcome
    if not KEY.fullmatch(key):
        raise BadKey
    ballot = selectors.ballot_get(battle_id)
    if ballot.voter_id != voter.pk:
        raise NotYourBattle
    open_battle = Battle.objects.filter(pk=battle_id, state=State.COMPLETE, attempt=attempt)
    try:
        with transaction.atomic():
            if open_battle.update(state=State.VOTED):
                return Vote.objects.create(
                    battle_id=battle_id,
                    voter=voter,
                    turn_id=ballot.turn_id,
                    outcome=outcome,
                    idempotency_key=key,
                )
    except IntegrityError as error:
        # The key was used in another battle: the transaction took the new state back.
        raise KeyUsed from error
    return vote_repeated(battle_id, outcome, key)


def vote_repeated(battle_id: uuid.UUID, outcome: str, key: str) -> Vote:
    """The vote that stands, where this request is the same one sent again."""
    battle = selectors.battle_get(battle_id)
    if battle.state == State.GENERATING:
        raise NotFinished
    if battle.state == State.COMPLETE:
        raise GoneOn
    if battle.state != State.VOTED:
        raise NothingToVoteOn
    vote = battle.vote
    if (vote.idempotency_key, vote.outcome) != (key, outcome):
        raise AlreadyVoted
    return vote


# -- Forgetting ------------------------------------------------------------------------------


def texts_erase(*, battles: QuerySet[Battle]) -> int:
    """Blank what was asked and answered in these battles; returns how many turns had texts.

    Battles still open are ended first: nobody can judge answers that are gone, and answers
    that are being written find no battle to be stored in. Counts and votes stay.
    """
    with transaction.atomic():
        # Where one side failed the other may still be written, and is stored in a failed battle.
        unfinished = battles.filter(state__in=(*OPEN, State.FAILED))
        unfinished.update(state=State.INTERRUPTED, ended_at=Now())
        turns = Turn.objects.filter(battle__in=battles).exclude(salt="")
        Answer.objects.filter(turn__in=turns).update(
            text="", reasoning="", identity_claims=[], error_detail=""
        )
        return turns.update(prompt="", salt="")


# -- Sampling --------------------------------------------------------------------------------


@transaction.atomic
def weights_push(*, gains: Mapping[tuple[int, int], float], unseen: float, votes: int) -> None:
    """Take over what one more vote on each pair of revisions would tell; the next draw uses it."""
    rows = [[min(pair), max(pair), gain] for pair, gain in gains.items()]
    pushed = PairWeights.objects.create(gains=rows, unseen=unseen, votes=votes)
    PairWeights.objects.filter(pk__lte=pushed.pk - WEIGHTS_KEPT).delete()


# -- Leases ----------------------------------------------------------------------------------


def worker_renew(*, worker: str) -> None:
    """Say, by the database's clock, that this process is alive."""
    if not Worker.objects.filter(pk=worker).update(seen_at=Now()):
        Worker.objects.create(pk=worker)


def worker_end(*, worker: str) -> None:
    Worker.objects.filter(pk=worker).delete()


def battles_interrupt_orphans(*, worker: str, writing: Collection[uuid.UUID]) -> int:
    """Mark as interrupted what nobody is writing any more; returns how many.

    That is what processes without a renewed lease left behind, and what this `worker` owns but
    is not `writing`, a few seconds after its start (its log is opened after its row).
    """
    unfinished = Battle.objects.filter(state=State.GENERATING)
    alive = Worker.objects.filter(seen_at__gte=Now() - WORKER_STALE).values("pk")
    dropped = Q(owner=worker, taken_at__lt=Now() - WORKER_STALE) & ~Q(pk__in=list(writing))
    return unfinished.filter(~Q(owner__in=alive) | dropped).update(
        state=State.INTERRUPTED, ended_at=Now()
    )
