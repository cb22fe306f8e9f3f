"""From what a visitor asks to a turn that is being written: new battles, next turns, retries."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from arena.battles import selectors
from arena.battles.assignment import assignment_for
from arena.battles.exceptions import (
    BadChoice,
    BadPrompt,
    GoneOn,
    IsRecorded,
    LateImages,
    NobodyToMeet,
    NothingToRetry,
    NotYourBattle,
    TooManyBattles,
    TooManyTurns,
    TriedOften,
)
from arena.battles.images import images_claim, images_read
from arena.battles.matchmaking import Pairing, pair_for
from arena.battles.models import Battle, Image, Mode, Prompt, Side, State, Turn
from arena.battles.services import checked_prompt, request_for
from arena.catalog.models import Kind
from arena.providers.protocol import Message, Request
from arena.voters.models import Voter

RETRIABLE = (State.FAILED, State.INTERRUPTED)


@dataclass(frozen=True)
class Question:
    """What a visitor asks, and whom.

    With a prompt: two contestants that are drawn, or the two `named` by slug. Without: a
    recorded prompt of that slug, of that collection, or any.
    """

    prompt: str = ""
    images: tuple[uuid.UUID, ...] = ()
    named: tuple[str, ...] = ()
    recorded: str = ""
    collection: str = ""

    @property
    def is_own(self) -> bool:
        """Whether the prompt is the visitor's own; recorded ones are asked for by name."""
        return bool(self.prompt or self.images or self.named)


@dataclass(frozen=True)
class StartedTurn:
    """What the owner of a battle needs to have its answers written.

    kept: answers of an earlier attempt that are whole and stored; nobody is asked for them again.
    """

    battle: Battle
    turn: Turn
    images: tuple[uuid.UUID, ...]
    requests: Mapping[Side, tuple[Kind, Request]]
    kept: Mapping[Side, str] = field(default_factory=dict)


# -- New battles -----------------------------------------------------------------------------


def battle_start(
    *, battle_id: uuid.UUID, voter: Voter, owner: str, question: Question
) -> StartedTurn | None:
    """Begin the battle of that id; None where this voter has begun it already.

    Browsers make the id, so that a start which is sent again, because its answer was lost,
    begins no second battle. Raises an ArenaError that says why there is none.
    """
    if begun := Battle.objects.filter(pk=battle_id).first():
        refuse_anybody_elses(begun, voter)
        return None
    refuse_a_crowd(voter)
    text = checked_prompt(question.prompt) if question.is_own else ""
    images = images_claim(voter=voter, ids=question.images)
    mode, source, pairing = met(voter, question)
    try:
        with transaction.atomic():
            battle = Battle.objects.create(
                id=battle_id,
                voter=voter,
                revision_a=pairing.a,
                revision_b=pairing.b,
                mode=mode,
                pacing=settings.PACING,
                recorded_prompt=source,
                categories=[source.category] if source and source.category else [],
                language=source.language if source else "",
                draw_probability=None if mode == Mode.NAMED else pairing.probability,
                owner=owner,
            )
            turn = turn_add(battle, 1, source.text if source else text, images)
    except IntegrityError:
        # Two windows, or a socket and its successor, sent it at once.
        return battle_start(battle_id=battle_id, voter=voter, owner=owner, question=question)
    return started(battle, turn)


def met(voter: Voter, question: Question) -> tuple[Mode, Prompt | None, Pairing]:
    """Who meets, over which recorded prompt, if over one, and in which mode."""
    if question.named:
        return Mode.NAMED, None, pair_named(question)
    if question.is_own:
        return Mode.ANONYMOUS, None, pair_for(None, with_images=bool(question.images))
    if question.collection:
        assigned = assignment_for(
            voter=voter, collection=selectors.collection_get(question.collection)
        )
        return Mode.RECORDED, assigned.prompt, assigned.pairing
    source = recorded_prompt(question.recorded)
    return Mode.RECORDED, source, pair_for(source)


def pair_named(question: Question) -> Pairing:
    """The two contestants that the visitor chose, A as the first."""
    if len(question.named) != 2 or len(set(question.named)) != 2:
        raise BadChoice
    found = {
        revision.contestant.slug: revision
        for revision in selectors.revisions_served(with_images=bool(question.images))
        .select_related("contestant")
        .filter(contestant__slug__in=question.named)
    }
    if len(found) != 2:
        raise NobodyToMeet
    a, b = (found[slug] for slug in question.named)
    return Pairing(a, b, 1.0)


def recorded_prompt(slug: str) -> Prompt:
    """The recorded prompt of that name, or one at random without a name."""
    prompts = selectors.prompts_recorded()
    if not prompts:
        raise NobodyToMeet
    if not slug:
        return secrets.choice(prompts)
    for prompt in prompts:
        if prompt.slug == slug:
            return prompt
    raise BadPrompt(_("There is no such recorded prompt. Pick one from the list."))


def refuse_anybody_elses(battle: Battle, voter: Voter) -> None:
    if battle.voter_id != voter.pk:
        raise NotYourBattle


def refuse_a_crowd(voter: Voter) -> None:
    """One person reads one battle at a time; a script would spend the operator's money."""
    if selectors.battles_being_written(voter) >= settings.BATTLES_AT_ONCE:
        raise TooManyBattles


# -- Next turns ------------------------------------------------------------------------------


def battle_continue(
    *,
    battle_id: uuid.UUID,
    voter: Voter,
    owner: str,
    number: int,
    prompt: str,
    images: Sequence[uuid.UUID] = (),
) -> StartedTurn | None:
    """Ask both sides on, each after its own answers; None where that turn has begun already.

    Raises IsRecorded, TooManyTurns, LateImages, GoneOn where the battle is not open any more, or
    what is wrong with prompt and pictures.
    """
    battle = selectors.battle_of(battle_id, voter)
    last = battle.turns.latest("number")
    if last.number == number and last.prompt == prompt.strip():
        return None
    if battle.mode == Mode.RECORDED:
        raise IsRecorded
    if last.number >= settings.BATTLE_TURNS:
        raise TooManyTurns
    if images and not selectors.began_with_images(battle):
        raise LateImages
    refuse_a_crowd(voter)
    text, claimed = checked_prompt(prompt), images_claim(voter=voter, ids=images)
    with transaction.atomic():
        attempt = battle.attempt + 1
        open_battle = Battle.objects.filter(
            pk=battle.pk, state=State.COMPLETE, attempt=battle.attempt
        )
        if number != last.number + 1 or not take(open_battle, attempt, owner):
            raise GoneOn
        turn = turn_add(battle, number, text, claimed, first_attempt=attempt)
    battle.refresh_from_db()
    return started(battle, turn)


def turn_add(
    battle: Battle, number: int, prompt: str, images: Sequence[Image], first_attempt: int = 1
) -> Turn:
    turn = Turn.objects.create(
        battle=battle, number=number, prompt=prompt, first_attempt=first_attempt
    )
    turn.images.set(images)
    return turn


# -- Retries ---------------------------------------------------------------------------------


def battle_retry(*, battle_id: uuid.UUID, voter: Voter, owner: str) -> StartedTurn | None:
    """Take a failed or interrupted battle up again: same contestants, next attempt.

    The answers that are whole are kept, so only a side that failed is asked again. None where
    another attempt is being written already. Raises NotYourBattle, NothingToRetry, or TriedOften
    after BATTLE_ATTEMPTS at its turn.
    """
    battle = selectors.battle_of(battle_id, voter)
    if battle.state == State.GENERATING:
        return None
    refuse_a_crowd(voter)
    turn = battle.turns.latest("number")
    if not turn.salt:
        raise NothingToRetry
    if not may_try_again(battle, turn):
        raise TriedOften
    failed = Battle.objects.filter(
        pk=battle.pk, state__in=RETRIABLE, attempt=battle.attempt, owner=battle.owner
    )
    if not take(failed, battle.attempt + 1, owner):
        if selectors.is_generating(battle.pk):
            return None
        raise NothingToRetry
    battle.refresh_from_db()
    return started(battle, turn, selectors.whole_texts(turn))


def may_try_again(battle: Battle, turn: Turn) -> bool:
    return battle.attempt - turn.first_attempt + 1 < settings.BATTLE_ATTEMPTS


def take(battles: QuerySet[Battle], attempt: int, owner: str) -> int:
    """Have this process own the next attempt, unless another was first."""
    return battles.update(
        state=State.GENERATING, attempt=attempt, owner=owner, ended_at=None, taken_at=Now()
    )


# -- What the providers are asked ------------------------------------------------------------


def started(battle: Battle, turn: Turn, kept: Mapping[Side, str] | None = None) -> StartedTurn:
    images = list(turn.images.order_by("created_at"))
    return StartedTurn(
        battle=battle,
        turn=turn,
        images=tuple(image.pk for image in images),
        requests=requests_for(battle, turn, images),
        kept=kept or {},
    )


def requests_for(
    battle: Battle, turn: Turn, images: Sequence[Image]
) -> dict[Side, tuple[Kind, Request]]:
    revisions = {Side.A: battle.revision_a, Side.B: battle.revision_b}
    recorded = selectors.recorded_texts(battle.recorded_prompt, list(revisions.values()))
    asked = Message("user", turn.prompt, images_read(images))
    earlier = selectors.turns_before(turn)
    return {
        side: request_for(revision, (*said_by(side, earlier), asked), recorded.get(revision.pk, ""))
        for side, revision in revisions.items()
    }


def said_by(side: Side, earlier: Sequence[Turn]) -> list[Message]:
    """The conversation so far as that side knows it: its own answers, nothing of the other's."""
    said: list[Message] = []
    for turn in earlier:
        said.append(Message("user", turn.prompt, images_read(turn.images.order_by("created_at"))))
        said.append(Message("assistant", selectors.whole_texts(turn)[side]))
    return said
