"""Who judges what next of answers that were recorded.

A cell is a prompt and an unordered pair of contestants that both answered it. Cells with the
fewest votes come first, each pair of contestants as likely as any other that has such a cell. No
voter gets an answer twice, since after a vote they know who wrote it. A share of the draws is
uniform over all cells that still need votes, so that the stored probability of a pair is never
small.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import combinations, groupby
from operator import itemgetter

import numpy as np
from django.conf import settings
from django.db.models import Case, Q, When
from django.db.models.functions import Now
from django.utils import timezone
from numpy.typing import NDArray

from arena.battles.exceptions import (
    AllJudged,
    CollectionClosed,
    CollectionComplete,
    NobodyToMeet,
    PairsLeftOpen,
    PairsTaken,
)
from arena.battles.matchmaking import Pairing, random, revision_drawn
from arena.battles.models import Battle, Collection, Mode, Prompt, RecordedAnswer, State
from arena.catalog.models import Revision, Status
from arena.core.exceptions import Conflict
from arena.voters.models import Voter

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# How long a process goes by its count of older votes.
SETTLED_SECONDS = 60.0
# So long a battle without a vote keeps its cell from being given to somebody else.
RESERVED = timedelta(minutes=10)
OPEN = (State.GENERATING, State.COMPLETE)


@dataclass(frozen=True)
class Assignment:
    prompt: Prompt
    pairing: Pairing


@dataclass(frozen=True)
class Cells:
    """Ids of a prompt and of two revisions, the smaller first, for each cell; sorted by them."""

    prompt: Integers
    first: Integers
    second: Integers


@dataclass(frozen=True)
class Settled:
    """Votes by cell, one column, on battles that began up to `until`; read_at: monotonic."""

    read_at: float
    until: datetime
    votes: Integers


_settled: dict[int, Settled] = {}


@dataclass(frozen=True)
class Known:
    """All cells that can be judged now and what is known of each, as arrays of one length.

    votes: those cast. taken: these and the battles in which one may still be cast. judged, open:
    whether this voter has voted on it, and whether it is in an unfinished battle of theirs.
    """

    prompt: Integers
    first: Integers
    second: Integers
    wanted: Integers
    votes: Integers
    taken: Integers
    judged: Booleans
    open: Booleans

    @property
    def candidates(self) -> Integers:
        """Indices of the cells that may be given to this voter."""
        return np.flatnonzero((self.taken < self.wanted) & ~self.met)

    @property
    def met(self) -> Booleans:
        """Whether this voter has been given an answer of it, in this cell or in another."""
        mine = self.judged | self.open
        first, second = self.prompt << 32 | self.first, self.prompt << 32 | self.second
        answers = np.concatenate([first[mine], second[mine]])
        met: Booleans = np.isin(first, answers) | np.isin(second, answers)
        return met

    @property
    def pairs(self) -> Integers:
        """A number for each unordered pair of revisions."""
        return self.first << 32 | self.second

    @property
    def votes_wanted(self) -> int:
        return int(self.wanted.sum())

    @property
    def votes_in(self) -> int:
        """Votes up to those wanted of each cell."""
        return int(np.minimum(self.votes, self.wanted).sum())


def assignment_for(*, voter: Voter, collection: Collection | None) -> Assignment:
    """The next cell for this voter, of that collection or of all open ones, sides by coin.

    Raises a Conflict that says why there is none: CollectionClosed, CollectionComplete, AllJudged,
    PairsLeftOpen, PairsTaken or NobodyToMeet.
    """
    known = known_to(voter, [collection] if collection else collections_open())
    if refusal := why_none(known, is_open=collection is None or collection.is_open):
        raise refusal
    cell, probability = drawn(known, settings.SAMPLING_FLOOR)
    sides = [revision_drawn(int(known.first[cell])), revision_drawn(int(known.second[cell]))]
    random.shuffle(sides)
    prompt = Prompt.objects.get(pk=int(known.prompt[cell]))
    return Assignment(prompt, Pairing(sides[0], sides[1], probability))


def why_none(known: Known, *, is_open: bool) -> Conflict | None:
    """Why this voter is given no cell now; None where they are."""
    if not is_open:
        return CollectionClosed()
    if known.candidates.size:
        return None
    if not known.wanted.size:
        return NobodyToMeet()
    wants = known.votes < known.wanted
    if not wants.any():
        return CollectionComplete()
    if (wants & known.open).any():
        return PairsLeftOpen()
    if (wants & ~known.met).any():
        return PairsTaken()
    return AllJudged(int(known.judged.sum()))


def drawn(known: Known, floor: float) -> tuple[int, float]:
    """Index of a candidate, and the probability of its pair of revisions, whatever the prompt."""
    candidates = known.candidates
    pairs, taken = known.pairs, known.taken[candidates]
    fewest = candidates[taken == taken.min()]
    preferred = np.unique(pairs[fewest])
    if random.random() < floor:
        cell = candidates[random.randrange(candidates.size)]
    else:
        of_pair = fewest[pairs[fewest] == preferred[random.randrange(preferred.size)]]
        cell = of_pair[random.randrange(of_pair.size)]
    pair = pairs[cell]
    evenly = float(np.mean(pairs[candidates] == pair))
    by_votes = float(np.isin(pair, preferred)) / preferred.size
    return int(cell), floor * evenly + (1.0 - floor) * by_votes


# -- What is known ---------------------------------------------------------------------------


def collections_open() -> list[Collection]:
    return list(Collection.objects.filter(is_open=True))


def known_to(voter: Voter | None, collections: Sequence[Collection]) -> Known:
    """What the draw rests on; without a voter, what anybody new would find."""
    of_each = [known_of(voter, collection) for collection in collections]
    return Known(
        **{
            field.name: np.concatenate(
                [
                    np.zeros(0, field_type(field.name)),
                    *(getattr(one, field.name) for one in of_each),
                ]
            )
            for field in fields(Known)
        }
    )


def field_type(name: str) -> type[np.generic]:
    return np.bool_ if name in {"judged", "open"} else np.int64


def known_of(voter: Voter | None, collection: Collection) -> Known:
    cells = cells_of(collection.pk)
    counts = counted(cells, voter, collection)
    now = judged_now(cells)
    return Known(
        prompt=cells.prompt[now],
        first=cells.first[now],
        second=cells.second[now],
        wanted=np.full(int(now.sum()), collection.votes_per_cell, np.int64),
        votes=counts[now, 0],
        taken=counts[now, 1],
        judged=counts[now, 2] > 0,
        open=counts[now, 3] > 0,
    )


@lru_cache(maxsize=16)
def cells_of(collection: int) -> Cells:
    """All cells of a collection. Its answers never change, so a process reads them once."""
    answers = (
        RecordedAnswer.objects.filter(prompt__collection=collection)
        .order_by("prompt", "revision")
        .values_list("prompt", "revision")
    )
    rows = [
        (prompt, first, second)
        for prompt, group in groupby(answers.iterator(), key=itemgetter(0))
        for first, second in combinations([revision for _, revision in group], 2)
    ]
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Cells(table[:, 0], table[:, 1], table[:, 2])


def cells_forget() -> None:
    cells_of.cache_clear()
    _settled.clear()


def judged_now(cells: Cells) -> Booleans:
    """Which cells have two active contestants: an operator's pause holds here as well."""
    revisions = np.unique([cells.first, cells.second])
    active = Revision.objects.filter(
        pk__in=revisions.tolist(), contestant__status=Status.ACTIVE
    ).values_list("pk", flat=True)
    drawable = np.fromiter(active, np.int64)
    return np.isin(cells.first, drawable) & np.isin(cells.second, drawable)


def counted(cells: Cells, voter: Voter | None, collection: Collection) -> Integers:
    """For each cell: votes, votes and fresh battles, and of this voter votes and open battles."""
    settled = settled_of(collection, cells)
    is_voted = Q(state=State.VOTED)
    is_open = Q(state__in=OPEN)
    is_fresh = is_open & Q(taken_at__gt=Now() - RESERVED)
    is_later = Q(created_at__gt=settled.until)
    is_mine = Q(voter=voter.pk if voter else 0)
    # Not by the collection: by time and by voter these few are found without its other battles.
    counts = counts_at(
        cells,
        is_later | is_mine,
        is_later & is_voted,
        is_later & (is_voted | is_fresh),
        is_mine & is_voted,
        is_mine & is_open,
    )
    counts[:, :1] += settled.votes
    counts[:, 1:2] += settled.votes
    return counts


def settled_of(collection: Collection, cells: Cells) -> Settled:
    """Votes on battles so old that hardly any is still voted on, as they were a minute ago at most.

    To count all votes takes longer than a draw may. A vote on an older battle is seen a minute
    later, and meanwhile its cell may be given once more than it needs.
    """
    known = _settled.get(collection.pk)
    if known is None or time.monotonic() - known.read_at > SETTLED_SECONDS:
        until = timezone.now() - RESERVED
        is_old = Q(created_at__lte=until, recorded_prompt__collection=collection)
        is_voted = Q(state=State.VOTED)
        known = Settled(time.monotonic(), until, counts_at(cells, is_old & is_voted, is_voted))
        _settled[collection.pk] = known
    return known


def counts_at(cells: Cells, wanted: Q, *conditions: Q) -> Integers:
    """Of the wanted battles, how many in each cell meet each condition: a row a cell.

    They are counted here: grouping them would lead SQLite through all battles by prompt.
    """
    marks = {f"mark_{n}": Case(When(each, then=1), default=0) for n, each in enumerate(conditions)}
    rows = (
        Battle.objects.order_by()
        .filter(wanted, mode=Mode.RECORDED)
        .annotate(**marks)
        .values_list("recorded_prompt", "revision_a", "revision_b", *marks)
    )
    found = np.array(list(rows), np.int64).reshape(-1, 3 + len(conditions))
    found = found[np.isin(found[:, 0], cells.prompt)]
    counts = np.zeros((cells.prompt.size, len(conditions)), np.int64)
    np.add.at(counts, place_of(cells, found[:, 0], np.sort(found[:, 1:3])), found[:, 3:])
    return counts


def place_of(cells: Cells, prompts: Integers, pairs: Integers) -> Integers:
    """Index of the cell of each prompt and pair of revisions, the smaller first."""
    every_prompt, revisions = np.unique(cells.prompt), np.unique([cells.first, cells.second])

    def number(prompt: Integers, first: Integers, second: Integers) -> Integers:
        row = np.searchsorted(every_prompt, prompt) * revisions.size
        column = np.searchsorted(revisions, second)
        return (row + np.searchsorted(revisions, first)) * revisions.size + column

    numbers = number(cells.prompt, cells.first, cells.second)
    return np.searchsorted(numbers, number(prompts, pairs[:, 0], pairs[:, 1]))
