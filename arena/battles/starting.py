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
from arena.battles.categorising import categories_of
from arena.battles.exceptions import (
    BadChoice,
    BadPrompt,
    GoneOn,
    ImageGone,
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
    asked = asked_with(source.text if source else text, images)
    about = categories_of(asked.message.content, source)
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
                **about,
                draw_probability=None if mode == Mode.NAMED else pairing.probability,
                owner=owner,
            )
            turn = turn_add(battle, 1, asked.message.content, images)
    except IntegrityError:
        # Two windows, or a socket and its successor, sent it at once.
        return battle_start(battle_id=battle_id, voter=voter, owner=owner, question=question)
    return started(battle, turn, asked)


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


def battle_begun(battle_id: uuid.UUID, voter: Voter) -> bool:
    """Whether this voter has begun that battle."""
    return Battle.objects.filter(pk=battle_id, voter=voter).exists()


def turn_begun(battle_id: uuid.UUID, voter: Voter, number: int, prompt: str) -> bool:
    """Whether that turn of the voter's battle is its last and asks the same."""
    last = Turn.objects.filter(battle=battle_id, battle__voter=voter).order_by("number").last()
    return last is not None and (last.number, last.prompt) == (number, prompt.strip())


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
    turns = selectors.turns_of(battle)
    last = turns[-1]
    if last.number == number and last.prompt == prompt.strip():
        return None
    if battle.mode == Mode.RECORDED:
        raise IsRecorded
    if number != last.number + 1:
        raise GoneOn
    if last.number >= settings.BATTLE_TURNS:
        raise TooManyTurns
    if images and not selectors.began_with_images(battle):
        raise LateImages
    refuse_a_crowd(voter)
    claimed = images_claim(voter=voter, ids=images)
    asked = asked_with(checked_prompt(prompt), claimed, turns)
    try:
        turn = turn_take(battle, number, owner, asked, claimed)
    except IntegrityError as error:
        # A picture was swept away since it was claimed; the transaction took the turn back.
        raise ImageGone from error
    battle.refresh_from_db()
    return started(battle, turn, asked)


def turn_take(
    battle: Battle, number: int, owner: str, asked: "Asked", images: Sequence[Image]
) -> Turn:
    """The battle's next turn, which this process owns. Raises GoneOn where it is not the next."""
    with transaction.atomic():
        attempt = battle.attempt + 1
        open_battle = Battle.objects.filter(
            pk=battle.pk, state=State.COMPLETE, attempt=battle.attempt
        )
        if not take(open_battle, attempt, owner):
            raise GoneOn
        return turn_add(battle, number, asked.message.content, images, first_attempt=attempt)


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
    *earlier, turn = selectors.turns_of(battle)
    if not turn.salt:
        raise NothingToRetry
    if not may_try_again(battle, turn):
        raise TriedOften
    asked = asked_with(turn.prompt, list(turn.images.all()), earlier)
    failed = Battle.objects.filter(
        pk=battle.pk, state__in=RETRIABLE, attempt=battle.attempt, owner=battle.owner
    )
    if not take(failed, battle.attempt + 1, owner):
        if selectors.is_generating(battle.pk):
            return None
        raise NothingToRetry
    battle.refresh_from_db()
    return started(battle, turn, asked, selectors.whole_texts(turn))


def may_try_again(battle: Battle, turn: Turn) -> bool:
    return battle.attempt - turn.first_attempt + 1 < settings.BATTLE_ATTEMPTS


def take(battles: QuerySet[Battle], attempt: int, owner: str) -> int:
    """Have this process own the next attempt, unless another was first."""
    return battles.update(
        state=State.GENERATING, attempt=attempt, owner=owner, ended_at=None, taken_at=Now()
    )


# -- What the providers are asked ------------------------------------------------------------


def started(
    battle: Battle, turn: Turn, asked: "Asked", kept: Mapping[Side, str] | None = None
) -> StartedTurn:
    revisions = {Side.A: battle.revision_a, Side.B: battle.revision_b}
    recorded = selectors.recorded_texts(battle.recorded_prompt, list(revisions.values()))
    return StartedTurn(
        battle=battle,
        turn=turn,
        images=asked.images,
        requests={
            side: request_for(revision, asked.as_known_to(side), recorded.get(revision.pk, ""))
            for side, revision in revisions.items()
        },
        kept=kept or {},
    )


@dataclass(frozen=True)
class Asked:
    """A question with what was said before it. Its making reads the pictures' files.

    earlier: of each turn before, the question and both sides' answers.
    """

    message: Message
    images: tuple[uuid.UUID, ...] = ()
    earlier: tuple[tuple[Message, Mapping[Side, str]], ...] = ()

    def as_known_to(self, side: Side) -> list[Message]:
        """The conversation as that side knows it: its own answers, nothing of the other's."""
        said: list[Message] = []
        for question, answers in self.earlier:
            said += [question, Message("assistant", answers[side])]
        return [*said, self.message]


def asked_with(prompt: str, images: Sequence[Image], earlier: Sequence[Turn] = ()) -> Asked:
    """earlier: turns as `selectors.turns_of` gives them. Raises ImageGone."""
    return Asked(
        message=Message("user", prompt, images_read(images)),
        images=tuple(image.pk for image in images),
        earlier=tuple(
            (
                Message("user", turn.prompt, images_read(turn.images.all())),
                selectors.answers_of(turn),
            )
            for turn in earlier
        ),
    )
