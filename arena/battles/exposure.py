"""How often each contestant was shown, how often it is drawn now, and what A/A battles say.

A battle counts from its draw on, whatever became of it: who meets whom is the arena's choice, and
whether somebody votes is not. Battles of a contestant against itself (A/A) are counted apart, and
those of contestants that somebody named were not drawn at all.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import nlargest, nsmallest
from itertools import chain, pairwise
from math import sqrt
from operator import attrgetter
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Count, F, Q, Sum, TextField, When
from django.db.models.functions import Cast, Now, Substr
from django.utils import timezone

from arena.battles.matchmaking import Chances, Entrant, Rules, chances_of, entrants_of, rules_now
from arena.battles.models import Battle, Mode, Outcome, RecordedAnswer, SamplingRule, State
from arena.battles.selectors import drawable, revisions_served, standing
from arena.catalog.models import Kind, Revision
from arena.core.exceptions import BadInput, Conflict
from arena.core.services import audit

# Fewer evenly drawn battles than this would say nothing of an even drawing's shares.
ENOUGH = 100
# The normal quantile of a 95 % interval.
Z = 1.959963984540054


# -- What was shown --------------------------------------------------------------------------


@dataclass(frozen=True)
class Exposed:
    """How often one contestant in one stage, one organisation or one stage was shown.

    name: empty where no organisation, or no stage, is stated.
    battles: that showed it. places: sides of battles, of which `share` is its part of all.
    expected: the share that an even drawing over the same eligible pairs would have given it;
    None where the stored probabilities cannot say it.
    """

    name: str
    slug: str
    organisation: str
    stage: str
    battles: int
    places: int
    votes: int
    share: float
    expected: float | None


@dataclass(frozen=True)
class Exposure:
    """All that was drawn since then, or of all time.

    effective: the expected shares are as sure as so many evenly drawn battles would make them.
    """

    since: datetime | None
    battles: int
    votes: int
    effective: float
    organisations: tuple[Exposed, ...]
    stages: tuple[Exposed, ...]
    contestants: tuple[Exposed, ...]


class Met(NamedTuple):
    """One row of the database's answer: two revisions by side, in one pool.

    weight, squares: the sums of 1/π and of 1/π² over these battles, π as it was drawn with.
    """

    a: int
    b: int
    prompt: int | None
    month: str | None
    battles: int
    votes: int
    weight: float
    squares: float

    @property
    def pool(self) -> Hashable:
        return self.prompt, self.month


@dataclass
class PoolSums:
    battles: int = 0
    votes: int = 0
    weight: float = 0.0
    squares: float = 0.0

    def add(self, met: Met) -> None:
        self.battles += met.battles
        self.votes += met.votes
        self.weight += met.weight
        self.squares += met.squares


class Group(NamedTuple):
    """What a row stands for."""

    name: str
    slug: str = ""
    organisation: str = ""
    stage: str = ""


@dataclass
class Tally:
    """Sums over the battles that showed a group, on one side or on both."""

    battles: int = 0
    votes: int = 0
    places: int = 0
    weights: dict[Hashable, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, met: Met, sides: int) -> None:
        self.battles += met.battles
        self.votes += met.votes
        self.places += sides * met.battles
        self.weights[met.pool] += sides * met.weight


def exposure(since: datetime | None = None, settled: datetime | None = None) -> Exposure:
    """Two queries, whatever the number of battles, of which one goes through all of them.

    since: only of battles that began from then on. settled: only of those that began before or are
    voted on.

    An even drawing's share is estimated from the stored probabilities: each battle weighs 1/π of
    its pair, normalised within battles that had the same pairs to draw from, which are those on
    one recorded prompt, and those on prompts of visitors' own within one month. Under an even
    drawing all weigh the same and the estimate is the share itself; whatever the weights, boosts
    and exclusions did is undone. A roster that changes within a month blurs it.
    """
    groups = groups_of(Revision.objects.select_related("contestant__organisation"))
    pools: dict[Hashable, PoolSums] = defaultdict(PoolSums)
    levels: tuple[dict[Group, Tally], ...] = tuple(defaultdict(Tally) for _ in LEVELS)
    for met in drawn_pairs(since, settled):
        pools[met.pool].add(met)
        for tallies, first, second in zip(levels, groups[met.a], groups[met.b], strict=True):
            for group in {first, second}:
                tallies[group].add(met, 2 if first == second else 1)
    effective = effective_battles(pools.values())
    organisations, stages, contestants = (
        exposed_rows(tallies, pools, effective >= ENOUGH) for tallies in levels
    )
    return Exposure(
        since=since,
        battles=sum(pool.battles for pool in pools.values()),
        votes=sum(pool.votes for pool in pools.values()),
        effective=effective,
        organisations=organisations,
        stages=stages,
        contestants=contestants,
    )


def drawn_pairs(since: datetime | None, settled: datetime | None) -> Iterator[Met]:
    """Battles of two different contestants that were drawn, by side and pool."""
    battles = Battle.objects.exclude(mode=Mode.NAMED).exclude(revision_a=F("revision_b"))
    if since:
        battles = battles.filter(created_at__gte=since)
    if settled:
        battles = battles.filter(are_settled(settled))
    weight = 1.0 / F("draw_probability")
    found = (
        battles.annotate(month=MONTH_OF_OWN_PROMPT)
        .values("revision_a_id", "revision_b_id", "recorded_prompt_id", "month")
        .annotate(
            battles=Count("pk"),
            votes=Count("pk", filter=Q(state=State.VOTED)),
            weight=Sum(weight),
            squares=Sum(weight * weight),
        )
    )
    return (Met(*row) for row in found.values_list(*COLUMNS).iterator())


def are_settled(moment: datetime) -> Q:
    """Of battles: voted on, or begun before that moment."""
    return Q(state=State.VOTED) | Q(created_at__lt=moment)


COLUMNS = ("revision_a_id", "revision_b_id", "recorded_prompt_id", *Met._fields[3:])
# Not by TruncMonth, which for SQLite is a call into Python for each battle: both write a time
# with its year and month first.
MONTH_OF_OWN_PROMPT = Case(
    When(recorded_prompt=None, then=Substr(Cast("created_at", TextField()), 1, 7)),
    default=None,
)


def effective_battles(pools: Collection[PoolSums]) -> float:
    """n²/Σ v² of the normalised weights v: how many equal weights would be as sure."""
    total = sum(pool.battles for pool in pools)
    spread = sum(pool.battles**2 * pool.squares / pool.weight**2 for pool in pools)
    return total**2 / spread if total else 0.0


def exposed_rows(
    tallies: Mapping[Group, Tally], pools: Mapping[Hashable, PoolSums], is_said: bool
) -> tuple[Exposed, ...]:
    """The most often shown first."""
    places = 2 * sum(pool.battles for pool in pools.values())
    rows = (
        Exposed(
            **group._asdict(),
            battles=tally.battles,
            places=tally.places,
            votes=tally.votes,
            share=tally.places / places,
            expected=expected_places(tally, pools) / places if is_said else None,
        )
        for group, tally in tallies.items()
    )
    return tuple(sorted(rows, key=lambda row: (-row.places, row.name)))


def expected_places(tally: Tally, pools: Mapping[Hashable, PoolSums]) -> float:
    """Σ over pools of the pool's battles times the group's part of the pool's weights."""
    return sum(
        pools[pool].battles * weight / pools[pool].weight for pool, weight in tally.weights.items()
    )


# -- Who is grouped how ----------------------------------------------------------------------


def by_organisation(revision: Revision) -> Group:
    maker = revision.contestant.organisation
    return Group(maker.name, maker.slug) if maker else Group("")


def by_stage(revision: Revision) -> Group:
    return Group(revision.stage, stage=revision.stage)


def by_contestant(revision: Revision) -> Group:
    """A contestant that was served in two stages has two rows."""
    contestant, maker = revision.contestant, by_organisation(revision)
    return Group(contestant.name, contestant.slug, maker.name, revision.stage)


LEVELS = (by_organisation, by_stage, by_contestant)


def groups_of(revisions: Iterable[Revision]) -> dict[int, tuple[Group, ...]]:
    """By revision id, the group that it belongs to on each level."""
    return {revision.pk: tuple(by(revision) for by in LEVELS) for revision in revisions}


def revisions_of(ids: Collection[int]) -> Mapping[int, Revision]:
    """With contestant and organisation."""
    return Revision.objects.select_related("contestant__organisation").in_bulk(list(ids))


# -- What is drawn now -----------------------------------------------------------------------


@dataclass(frozen=True)
class Chance:
    """How probable it is that the next battle shows one, and would be if all pairs were alike."""

    name: str
    slug: str
    organisation: str
    stage: str
    chance: float
    even: float


@dataclass(frozen=True)
class Pool:
    """What is drawn now where a visitor asks something of their own, or takes a recorded prompt.

    pairs: how many may be drawn. alone: the share of A/A battles.
    """

    name: str
    pairs: int
    alone: float
    organisations: tuple[Chance, ...]
    contestants: tuple[Chance, ...]


@dataclass
class Sums:
    """Probabilities by revision id, as drawn and as an even drawing would have them."""

    chance: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    even: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    makers: dict[Group, float] = field(default_factory=lambda: defaultdict(float))
    makers_even: dict[Group, float] = field(default_factory=lambda: defaultdict(float))
    pairs: set[tuple[int, int]] = field(default_factory=set)


OWN, RECORDED = "A prompt of one's own", "A recorded prompt"


def pools_now() -> tuple[Pool, ...]:
    """The pools from which two can be drawn at this moment."""
    served, recorded, rules = entrants_served(), entrants_recorded(), rules_now()
    revisions = revisions_of({one.revision for many in (served, *recorded) for one in many})
    found = (
        pool_now(OWN, Counter([served]), settings.AA_SHARE, rules, revisions),
        pool_now(RECORDED, recorded, 0.0, rules, revisions),
    )
    return tuple(pool for pool in found if pool is not None)


def entrants_served() -> tuple[Entrant, ...]:
    rows = revisions_served().values_list("pk", "contestant_id", "family")
    return entrants_of(rows.order_by("pk"))


def entrants_recorded() -> Counter[tuple[Entrant, ...]]:
    """Who may be drawn on recorded prompts, and on how many of them just these."""
    revisions = drawable().filter(kind=Kind.RECORDED)
    answers = RecordedAnswer.objects.filter(revision__in=revisions).order_by("revision")
    by_prompt: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for prompt, revision, contestant, family in answers.values_list(
        "prompt", "revision", "revision__contestant", "revision__family"
    ):
        by_prompt[prompt].append((revision, contestant, family))
    return Counter(map(entrants_of, by_prompt.values()))


def pool_now(
    name: str,
    times: Mapping[tuple[Entrant, ...], int],
    alone: float,
    rules: Rules,
    revisions: Mapping[int, Revision],
) -> Pool | None:
    """Chances over prompts that are picked alike; None where no two may meet."""
    drawn = {entrants: chances_of(entrants, rules) for entrants in times}
    open_to = {entrants: chances for entrants, chances in drawn.items() if chances is not None}
    if not open_to:
        return None
    prompts, sums = sum(times[entrants] for entrants in open_to), Sums()
    for entrants, chances in open_to.items():
        add_pairs(sums, entrants, chances, times[entrants] / prompts, alone, revisions)
    return Pool(
        name=name,
        pairs=len(sums.pairs),
        alone=alone,
        organisations=chance_rows(sums.makers, sums.makers_even),
        contestants=chance_rows(
            {by_contestant(revisions[pk]): chance for pk, chance in sums.chance.items()},
            {by_contestant(revisions[pk]): even for pk, even in sums.even.items()},
        ),
    )


def add_pairs(
    sums: Sums,
    entrants: Sequence[Entrant],
    chances: Chances,
    share: float,
    alone: float,
    revisions: Mapping[int, Revision],
) -> None:
    """Add a share of the draws; in `alone` of them one of the entrants meets itself."""
    ids = [entrant.revision for entrant in entrants]
    makers = {pk: by_organisation(revisions[pk]) for pk in ids}
    even = share * (1.0 - alone) / len(chances.sums)
    for first, second, probability in pairs_in(chances):
        add_pair(sums, ids[first], ids[second], share * (1.0 - alone) * probability, even, makers)
    for pk in ids:
        itself = share * alone / len(ids)
        add_each(sums, {pk}, {makers[pk]}, itself, itself)


def add_pair(
    sums: Sums, first: int, second: int, chance: float, even: float, makers: Mapping[int, Group]
) -> None:
    sums.pairs.add((first, second))
    add_each(sums, {first, second}, {makers[first], makers[second]}, chance, even)


def add_each(
    sums: Sums, ids: Iterable[int], makers: Iterable[Group], chance: float, even: float
) -> None:
    for pk in ids:
        sums.chance[pk] += chance
        sums.even[pk] += even
    for maker in makers:
        sums.makers[maker] += chance
        sums.makers_even[maker] += even


def pairs_in(chances: Chances) -> Iterator[tuple[int, int, float]]:
    """Each pair of indices with its probability."""
    steps = (after - before for before, after in pairwise(chain((0.0,), chances.sums)))
    yield from zip(chances.first, chances.second, steps, strict=True)


def chance_rows(chances: Mapping[Group, float], even: Mapping[Group, float]) -> tuple[Chance, ...]:
    rows = (
        Chance(**group._asdict(), chance=chance, even=even[group])
        for group, chance in chances.items()
    )
    return tuple(sorted(rows, key=lambda row: (-row.chance, row.name)))


# -- Pairs -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PairNow:
    first: Revision
    second: Revision
    probability: float


@dataclass(frozen=True)
class PairsNow:
    """The pairs drawn most and least often under some weights, with today's roster and rules."""

    pairs: int
    strongest: tuple[PairNow, ...]
    weakest: tuple[PairNow, ...]


def pairs_now(*, weights: int, most: int = 10) -> PairsNow | None:
    """With the pushed weights of that id; None where no two may meet.

    Among those who answer any prompt; where there are none, among those on the most recorded
    prompts.
    """
    entrants = entrants_served()
    if len(entrants) < 2:
        common = entrants_recorded().most_common(1)
        entrants = common[0][0] if common else ()
    chances = chances_of(entrants, replace(rules_now(), weights=weights))
    if chances is None:
        return None
    revisions = revisions_of([entrant.revision for entrant in entrants])
    found = [
        PairNow(
            revisions[entrants[first].revision], revisions[entrants[second].revision], probability
        )
        for first, second, probability in pairs_in(chances)
    ]
    by_chance = attrgetter("probability")
    return PairsNow(
        pairs=len(found),
        strongest=tuple(nlargest(most, found, key=by_chance)),
        weakest=tuple(nsmallest(most, found, key=by_chance)),
    )


# -- A/A battles -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval:
    share: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Alone:
    """Votes of battles in which a contestant met itself; both answers were drawn alike.

    decided: how often people prefer one of two such answers, which is noise. left: how often
    that one stood on the left, which is .5 where the side does not matter. None without votes
    that would say it.
    """

    battles: int
    votes: int
    outcomes: Mapping[str, int]
    decided: Interval | None
    left: Interval | None


def alone_votes(since: datetime | None = None) -> Alone:
    battles = Battle.objects.filter(revision_a=F("revision_b")).exclude(mode=Mode.NAMED)
    if since:
        battles = battles.filter(created_at__gte=since)
    counted = battles.values_list("vote__outcome").annotate(Count("pk"))
    found = dict(counted.order_by())
    outcomes = {outcome: found.get(outcome, 0) for outcome in Outcome.values}
    left, right = outcomes[Outcome.MODEL_A], outcomes[Outcome.MODEL_B]
    votes = sum(outcomes.values())
    return Alone(
        battles=sum(found.values()),
        votes=votes,
        outcomes=outcomes,
        decided=wilson(left + right, votes),
        left=wilson(left, left + right),
    )


def wilson(hits: float, of: int) -> Interval | None:
    """A share with its 95 % interval (Wilson 1927), which never leaves [0, 1]; None of none.

    A tie may count half a hit: it varies less than a hit does, so the interval is rather too wide.
    """
    if not of:
        return None
    share, z2 = hits / of, Z * Z
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return Interval(share, max(0.0, centre - reach), min(1.0, centre + reach))


# -- The operator's hand ---------------------------------------------------------------------


@transaction.atomic
def sampling_rule_create(*, rule: SamplingRule, actor: Any) -> None:
    """Put a boost or a pair's exclusion into force; every process draws by it a second later.

    Raises BadInput.
    """
    rule.reason = rule.reason.strip()
    if not rule.reason:
        raise BadInput("Give a reason: it is what tells a boost from favour.")
    if rule.ends_at is not None and rule.ends_at <= timezone.now():
        raise BadInput("It would have ended before it began. Give a later end, or none.")
    rule.actor = actor
    rule.save(force_insert=True)
    audit(
        action=f"{action_name(rule)}.create",
        subject=str(rule)[:200],
        actor=actor,
        reason=rule.reason,
        ends_at=rule.ends_at.isoformat(timespec="minutes") if rule.ends_at else None,
    )


@transaction.atomic
def sampling_rule_end(*, rule: SamplingRule, reason: str, actor: Any) -> None:
    """End it now; its row stays. Raises Conflict where it has ended already."""
    if not standing(type(rule)).filter(pk=rule.pk).update(ends_at=Now()):
        raise Conflict(f"“{rule}” has ended already.")
    audit(action=f"{action_name(rule)}.end", subject=str(rule)[:200], actor=actor, reason=reason)


def action_name(rule: SamplingRule) -> str:
    return str(rule._meta.verbose_name).replace(" ", "_")
