"""Reads of the battles room."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    Model,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    TextField,
    When,
)
from django.db.models.functions import Cast, Now, TruncHour

from arena.battles.exceptions import (
    NoSuchBattle,
    NoSuchCollection,
    NotShared,
    NotVotedYet,
    NotYourBattle,
)
from arena.battles.models import (
    Answer,
    Battle,
    Collection,
    Image,
    Mode,
    PairWeights,
    Prompt,
    Reasons,
    RecordedAnswer,
    SamplingRule,
    Side,
    State,
    Turn,
    Vote,
)
from arena.catalog.circuits import not_paused
from arena.catalog.models import SERVED, Kind, Revision, Status
from arena.core.prepared import Prepared
from arena.voters.models import Voter
from ranking.covariates import METRICS

Rows = TypeVar("Rows", bound=Model)
Rule = TypeVar("Rule", bound=SamplingRule)

LATEST = Subquery(
    Revision.objects.filter(contestant=OuterRef("contestant"))
    .order_by("-number")
    .values("number")[:1]
)


def drawable() -> QuerySet[Revision]:
    """Revisions that may be drawn: the latest of each active contestant."""
    return Revision.objects.filter(contestant__status=Status.ACTIVE, number=LATEST)


def revisions_served(*, with_images: bool = False) -> QuerySet[Revision]:
    """Drawable revisions that answer any prompt, but for those that their breaker pauses.

    with_images: those alone that may be asked about pictures.
    """
    served = drawable().filter(kind__in=SERVED)
    if with_images:
        served = served.filter(contestant__accepts_images=True)
    return not_paused(served)


def revisions_on_record(prompt: Prompt) -> QuerySet[Revision]:
    """Drawable revisions whose answer to `prompt` was recorded."""
    recorded = RecordedAnswer.objects.filter(prompt=prompt).values("revision")
    return drawable().filter(kind=Kind.RECORDED, pk__in=recorded)


def prompts_recorded() -> list[Prompt]:
    """Prompts with at least one recorded answer, by slug."""
    return list(Prompt.objects.filter(answers__isnull=False, collection=None).distinct())


def collection_get(slug: str) -> Collection:
    """Raises NoSuchCollection."""
    found = Collection.objects.filter(slug=slug).first()
    if found is None:
        raise NoSuchCollection
    return found


def can_ask() -> bool:
    """Whether a prompt of the visitor's own can be answered by two contestants."""
    return drawable().filter(kind__in=SERVED).count() >= 2


def can_show() -> bool:
    """Whether two contestants may be asked about pictures."""
    return revisions_served(with_images=True).count() >= 2


def standing(rules: type[Rule]) -> QuerySet[Rule]:
    """Operators' rules of the drawing that have not ended."""
    return rules._default_manager.filter(Q(ends_at=None) | Q(ends_at__gt=Now()))


def weights_latest() -> PairWeights | None:
    """The weights that the latest refit pushed, without their gains: ask for these when new."""
    return PairWeights.objects.defer("gains").first()


def recorded_texts(prompt: Prompt | None, revisions: list[Revision]) -> dict[int, str]:
    """Recorded answers to `prompt` by revision id; none without a prompt."""
    if prompt is None:
        return {}
    return dict(
        RecordedAnswer.objects.filter(prompt=prompt, revision__in=revisions).values_list(
            "revision_id", "text"
        )
    )


def battle_get(battle_id: uuid.UUID | str) -> Battle:
    """The battle, with what its page shows. Raises NoSuchBattle."""
    try:
        return Battle.objects.select_related(
            "revision_a__contestant__organisation",
            "revision_b__contestant__organisation",
            "recorded_prompt__collection",
            "voter",
            "vote",
        ).get(pk=uuid.UUID(str(battle_id)))
    except (ValueError, Battle.DoesNotExist) as error:
        raise NoSuchBattle from error


def battle_of(battle_id: uuid.UUID | str, voter: Voter) -> Battle:
    """The voter's own battle. Raises NoSuchBattle or NotYourBattle."""
    battle = battle_get(battle_id)
    if battle.voter_id != voter.pk:
        raise NotYourBattle
    return battle


@dataclass(frozen=True)
class Ballot:
    """All of a battle that casting its vote needs."""

    voter_id: int
    turn_id: int


SHOWN = ("name", "stage", "kind", "contestant__slug", "contestant__organisation__name")
MEASURED = ("side", *METRICS, "first_token_seconds", "duration_seconds")
_LAST_TURN = Turn.objects.filter(battle=OuterRef("pk")).order_by("-number").values("pk")[:1]

_ballot = Prepared(
    Battle._meta.pk,
    lambda pk: (
        Battle.objects.order_by().filter(pk=pk).values_list("voter_id", Subquery(_LAST_TURN))
    ),
)
_shown = Prepared(
    Battle._meta.pk,
    lambda pk: (
        Battle.objects.order_by()
        .filter(pk=pk)
        .values_list(*(f"revision_{side}__{field}" for side in Side.values for field in SHOWN))
    ),
)
_measured = Prepared(
    Turn._meta.pk,
    lambda pk: Answer.objects.filter(turn=pk).order_by("attempt").values_list(*MEASURED),
)


_being_written = Prepared(
    Battle._meta.get_field("voter"),
    lambda pk: (
        Battle.objects.order_by().filter(voter=pk, state=State.GENERATING).values_list("voter_id")
    ),
)


def battles_being_written(voter: Voter) -> int:
    return len(_being_written.rows(voter.pk))


def ballot_get(battle_id: uuid.UUID) -> Ballot:
    """Raises NoSuchBattle."""
    rows = _ballot.rows(battle_id)
    if not rows:
        raise NoSuchBattle
    return Ballot(*rows[0])


def contestants_shown(battle_id: uuid.UUID) -> dict[Side, dict[str, Any]]:
    """What is said of both sides after the vote."""
    (row,) = _shown.rows(battle_id)
    return {
        Side.A: dict(zip(SHOWN, row[: len(SHOWN)], strict=True)),
        Side.B: dict(zip(SHOWN, row[len(SHOWN) :], strict=True)),
    }


def answers_measured(turn_id: int) -> dict[Side, dict[str, Any]]:
    """Style and timings of a turn's answers by side, each side's latest attempt."""
    return {Side(row[0]): dict(zip(MEASURED, row, strict=True)) for row in _measured.rows(turn_id)}


def is_generating(battle_id: uuid.UUID) -> bool:
    return Battle.objects.filter(pk=battle_id, state=State.GENERATING).exists()


def whole_texts(turn: Turn) -> dict[Side, str]:
    """Texts of the turn's answers that are whole, by side."""
    whole = turn.answers.filter(error_kind="").exclude(text="").order_by("attempt")
    return {Side(answer.side): answer.text for answer in whole}


def began_with_images(battle: Battle) -> bool:
    """Whether its contestants were drawn as ones that look at pictures."""
    return battle.turns.filter(number=1, images__isnull=False).exists()


def turns_of(battle: Battle) -> list[Turn]:
    """All turns of a battle in their order, with their answers and pictures."""
    return list(
        battle.turns.order_by("number").prefetch_related(
            Prefetch("answers", Answer.objects.filter(error_kind="").order_by("attempt")),
            Prefetch("images", Image.objects.order_by("created_at")),
        )
    )


def answers_of(turn: Turn) -> dict[Side, str]:
    """The turn's texts by side, each side's latest attempt; of a turn that `turns_of` gave."""
    return {Side(answer.side): answer.text for answer in turn.answers.all()}


# -- After the vote --------------------------------------------------------------------------


@dataclass(frozen=True)
class AfterVote:
    """What a battle is besides its vote. reasons: id of those given, if any were."""

    mode: str
    revision_a: int
    revision_b: int
    reasons: int | None
    share: str | uuid.UUID | None

    @property
    def is_of_one(self) -> bool:
        return self.revision_a == self.revision_b


_after_vote = Prepared(
    Battle._meta.pk,
    lambda pk: (
        Battle.objects.order_by()
        .filter(pk=pk)
        .values_list("mode", "revision_a_id", "revision_b_id", "vote__reasons__pk", "share__pk")
    ),
)


def after_vote(battle_id: uuid.UUID) -> AfterVote:
    (row,) = _after_vote.rows(battle_id)
    return AfterVote(*row)


def reasons_given(reasons_id: int | None) -> tuple[str, ...]:
    if reasons_id is None:
        return ()
    return tuple(Reasons.objects.get(pk=reasons_id).given)


def battle_voted(battle_id: uuid.UUID, voter: Voter) -> Battle:
    """The voter's own battle, with its vote.

    Raises NoSuchBattle, also for anybody else's, or NotVotedYet.
    """
    battle = battle_get(battle_id)
    if battle.voter_id != voter.pk:
        raise NoSuchBattle
    if battle.state != State.VOTED:
        raise NotVotedYet
    return battle


def battle_shared(battle_id: uuid.UUID) -> Battle:
    """A battle that its voter shows to everybody. Raises NotShared, whatever the reason."""
    battle = (
        Battle.objects.select_related(
            "revision_a__contestant__organisation",
            "revision_b__contestant__organisation",
            "vote",
        )
        .filter(pk=battle_id, state=State.VOTED, share__isnull=False)
        .first()
    )
    if battle is None:
        raise NotShared
    return battle


# -- For votes at rest -----------------------------------------------------------------------


def votes_between(after: int, last: int) -> QuerySet[Vote]:
    """Votes with an id in (after, last], by id, with what `values_list` may ask of them:

    `a` and `b`, the final answers of the turn voted on; `claims_a` and `claims_b`, 1 where that
    side named itself in any turn and else 0; `battle_text`, the battle's id;
    `categories_text`, the battle's categories as JSON.
    """
    votes: QuerySet[Vote] = Vote.objects.filter(pk__gt=after, pk__lte=last)
    for side in Side.values:
        votes = with_final_answer(votes, side, "turn__answers", "turn")
        claimed = answers_claiming().filter(turn__battle=OuterRef("battle"), side=side)
        claims = Case(When(Exists(claimed), then=1), default=0)
        votes = votes.annotate(**{f"claims_{side}": claims})
    as_text = {
        "battle_text": Cast("battle_id", TextField()),
        "categories_text": Cast("battle__categories", TextField()),
    }
    return votes.annotate(**as_text).order_by("pk")


def answers_claiming() -> QuerySet[Answer]:
    """Final answers, of whichever turn, that gave their contestant away."""
    later = Answer.objects.filter(
        turn=OuterRef("turn"), side=OuterRef("side"), attempt__gt=OuterRef("attempt")
    )
    return Answer.objects.exclude(identity_claims=[]).filter(~Exists(later))


def turns_before_votes(after: int, last: int) -> QuerySet[Turn]:
    """The turns before the one voted on, of votes with an id in (after, last], by vote and number.

    With `a` and `b` as in `votes_between`.
    """
    turns = Turn.objects.filter(
        battle__vote__pk__gt=after,
        battle__vote__pk__lte=last,
        number__lt=F("battle__vote__turn__number"),
    )
    for side in Side.values:
        turns = with_final_answer(turns, side, "answers", "pk")
    return turns.order_by("battle__vote__pk", "number")


def with_final_answer(rows: QuerySet[Rows], side: str, answers: str, turn: str) -> QuerySet[Rows]:
    """`rows` with the last attempt of that side as `side`."""
    joined = FilteredRelation(answers, condition=Q(**{f"{answers}__side": side}))
    later = Answer.objects.filter(
        turn=OuterRef(turn), side=side, attempt__gt=OuterRef(f"{side}__attempt")
    )
    return rows.alias(**{side: joined}).filter(~Exists(later))


def votes_existing(ids: set[int]) -> set[int]:
    """Those of `ids` that are votes."""
    return set(Vote.objects.filter(pk__in=ids).values_list("pk", flat=True))


def votes_by_hour(after: int) -> dict[datetime, int]:
    """How many votes that may count have an id above `after`, by the hour they were cast in."""
    votes = Vote.objects.order_by().filter(pk__gt=after).exclude(battle__mode=Mode.NAMED)
    by_hour = votes.values_list(TruncHour("created_at")).annotate(count=Count("pk"))
    return dict(by_hour)


def votes_last() -> int:
    """The highest id of a vote, 0 without any."""
    return Vote.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def votes_count_and_last(after: int) -> tuple[int, int]:
    """How many votes have an id above `after`, and the highest id among them (0 without any)."""
    found = Vote.objects.filter(pk__gt=after).aggregate(count=Count("pk"), last=Max("pk"))
    return found["count"], found["last"] or 0
