"""Open against closed: who is ahead at the top, since when, and how sure that is.

An experimental variant is left out: it is served to voters alone, so nobody can choose it.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import combinations
from math import sqrt
from operator import or_
from typing import Any

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from arena.catalog.models import Licence, Stage
from arena.leaderboard.models import BoardName, Fitted, Part, Snapshot, Standing
from arena.leaderboard.selectors import board_document, board_name
from arena.reports.makers import Member

Data = dict[str, Any]
Pairs = Mapping[str, "Versus"]

# So many publications tell how the gap between open and closed went.
MOMENTS = 12
# Of the best open and the best closed ones, so many are compared by their mean.
MOST_BEST = 5
BOTH = (Licence.OPEN, Licence.PROPRIETARY)


# -- Who is ahead of whom --------------------------------------------------------------------


@dataclass(frozen=True)
class Lead:
    """Points of rating between two. half: of its 95% interval; None where it is not known."""

    points: float
    half: float | None

    @property
    def could_be_nothing(self) -> bool:
        return self.half is None or abs(self.points) <= self.half

    @property
    def lower(self) -> float | None:
        return None if self.half is None else self.points - self.half

    @property
    def upper(self) -> float | None:
        return None if self.half is None else self.points + self.half


@dataclass(frozen=True)
class Versus:
    """One contestant against others on the default board: standard errors of their differences."""

    errors: Mapping[str, float]

    @classmethod
    def of(cls, profile: Data) -> "Versus":
        versus = profile["versus"]
        pairs = zip(versus["contestants"], versus["se"], strict=True)
        return cls({name: se for name, se in pairs if se is not None})


def reach_of(document: Data) -> float:
    """How many standard errors an interval of this board reaches to either side."""
    return next(
        (
            (row["rating_upper"] - row["rating"]) / row["se"]
            for row in document["standings"]
            if row["se"]
        ),
        0.0,
    )


def error_between(pairs: Pairs, one: str, other: str) -> float | None:
    for first, second in ((one, other), (other, one)):
        if first in pairs and second in pairs[first].errors:
            return pairs[first].errors[second]
    return None


def lead_of(pairs: Pairs, reach: float, one: Member, other: Member) -> Lead:
    assert one.place is not None and other.place is not None
    error = error_between(pairs, one.name, other.name)
    points = one.place.rating - other.place.rating
    return Lead(points, None if error is None else reach * error)


def lead_of_means(
    pairs: Pairs, reach: float, ones: Sequence[Member], others: Sequence[Member]
) -> Lead | None:
    """Of two means, of as many each; None where some standard error is not known.

    For weights c that sum to zero the variance of Σ c θ is −Σ_{i<j} c_i c_j Var(θ_i − θ_j).
    """
    weights = {one.name: 1 / len(ones) for one in ones}
    weights |= {other.name: -1 / len(others) for other in others}
    variance = 0.0
    for first, second in combinations(weights, 2):
        error = error_between(pairs, first, second)
        if error is None:
            return None
        variance -= weights[first] * weights[second] * error**2
    points = sum(
        weights[member.name] * member.place.rating
        for member in (*ones, *others)
        if member.place is not None
    )
    return Lead(points, reach * sqrt(max(variance, 0.0)))


def profiles(wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], Versus]:
    """By publication and contestant; one query. None of those that have no such part."""
    if not wanted:
        return {}
    asked = (Q(snapshot_id=pk, name=f"contestant/{name}") for pk, name in wanted)
    found = {}
    for part in Part.objects.filter(reduce(or_, asked)):
        content = json.loads(part.text)
        if "error" not in content:
            found[part.snapshot_id, content["contestant"]] = Versus.of(content)
    return found


# -- Open against closed ---------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """A contestant that was rated above all before it of its licence when it was released.

    lead: over the one that was best before; None for the first.
    """

    member: Member
    lead: Lead | None

    @property
    def could_be_none(self) -> bool:
        return self.lead is not None and self.lead.could_be_nothing


@dataclass(frozen=True)
class Moment:
    """Open against closed at one publication. lead: of the best closed over the best open."""

    number: int
    short: str
    published_at: datetime
    open: str
    closed: str
    lead: Lead


@dataclass(frozen=True)
class Openness:
    """Open against closed on the default board; experimental variants are left out.

    lead: of the best closed over the best open. top: how many of each `top_lead` is the same of
    the means of; None where its interval is not known.
    """

    open: Member
    closed: Member
    lead: Lead
    top: int
    top_lead: Lead | None
    open_records: tuple[Record, ...]
    closed_records: tuple[Record, ...]
    moments: tuple[Moment, ...]

    @property
    def has_records(self) -> bool:
        """Whether both have dates of release."""
        return bool(self.open_records and self.closed_records)


def openness_of(snapshot: Fitted, members: Sequence[Member]) -> Openness | None:
    """None where not both open and closed contestants are placed. Two queries."""
    placed = [member for member in members if member.place and member.is_available]
    ours = [member for member in placed if member.licence == Licence.OPEN]
    theirs = [member for member in placed if member.licence == Licence.PROPRIETARY]
    if not ours or not theirs:
        return None
    top = min(MOST_BEST, len(ours), len(theirs))
    records = [records_of(ours), records_of(theirs)]
    board = board_name(snapshot, "")
    earlier = earlier_bests(snapshot, board)
    named = {member.name for member in (*ours[:top], *theirs[:top], *records[0], *records[1])}
    wanted = {(best.pk, best.closed) for best in earlier}
    if not snapshot.is_draft:
        wanted |= {(snapshot.pk, name) for name in named}
    found = profiles(wanted)
    pairs = {name: found[snapshot.pk, name] for name in named if (snapshot.pk, name) in found}
    reach = reach_of(board_document(snapshot, board))
    lead = lead_of(pairs, reach, theirs[0], ours[0])
    return Openness(
        open=ours[0],
        closed=theirs[0],
        lead=lead,
        top=top,
        top_lead=lead_of_means(pairs, reach, theirs[:top], ours[:top]) if top > 1 else None,
        open_records=led(records[0], pairs, reach),
        closed_records=led(records[1], pairs, reach),
        moments=(
            *(best.moment(found) for best in earlier),
            *moments_now(snapshot, ours[0], theirs[0], lead),
        ),
    )


def records_of(members: Iterable[Member]) -> list[Member]:
    """By date of release, each rated above all before it."""
    dated = [member for member in members if member.released and member.place]
    dated.sort(key=lambda member: (member.released, member.place.rank if member.place else 0))
    records: list[Member] = []
    for member in dated:
        assert member.place is not None
        if not records or member.place.rating > records[-1].place.rating:  # type: ignore[union-attr]
            records.append(member)
    return records


def led(records: Sequence[Member], pairs: Pairs, reach: float) -> tuple[Record, ...]:
    before = (None, *records)
    return tuple(
        Record(member, lead_of(pairs, reach, member, earlier) if earlier else None)
        for member, earlier in zip(records, before, strict=False)
    )


def moments_now(snapshot: Fitted, ours: Member, theirs: Member, lead: Lead) -> Iterable[Moment]:
    """The publication's own; a draft is none."""
    if isinstance(snapshot, Snapshot):
        yield Moment(
            number=snapshot.number,
            short=snapshot.short,
            published_at=snapshot.published_at,
            open=ours.name,
            closed=theirs.name,
            lead=lead,
        )


@dataclass(frozen=True)
class Bests:
    """The best open and closed ones of an earlier publication, with the closed one's reach."""

    pk: int
    number: int
    short: str
    published_at: datetime
    open: str
    closed: str
    points: float
    reach: float

    def moment(self, found: Mapping[tuple[int, str], Versus]) -> Moment:
        versus = found.get((self.pk, self.closed))
        error = versus.errors.get(self.open) if versus else None
        half = None if error is None else self.reach * error
        lead = Lead(self.points, half)
        return Moment(self.number, self.short, self.published_at, self.open, self.closed, lead)


COLUMNS = (
    *("snapshot_id", "revision__contestant__licence", "revision__name"),
    *("rating", "se", "rating_upper"),
    *("snapshot__number", "snapshot__digest", "snapshot__published_at"),
)


def earlier_bests(snapshot: Fitted, board: BoardName) -> list[Bests]:
    """Of the publications before, the earliest first, on the same board. One query.

    Their documents stay unread, so licences are those that the catalog states today.
    """
    if not isinstance(snapshot, Snapshot) or snapshot.number == 1:
        return []
    best_first = Window(
        RowNumber(),
        partition_by=[F("snapshot_id"), F("revision__contestant__licence")],
        order_by=[F("rank").asc(), F("revision_id").asc()],
    )
    found = (
        Standing.objects.filter(
            board=board,
            snapshot__number__lt=snapshot.number,
            snapshot__number__gt=snapshot.number - MOMENTS,
            rank__isnull=False,
            revision__contestant__licence__in=BOTH,
        )
        .exclude(revision__stage=Stage.EXPERIMENTAL)
        .annotate(place=best_first)
        .filter(place=1)
        .order_by("snapshot__number")
        .values(*COLUMNS)
    )
    bests: dict[int, dict[str, Data]] = {}
    for row in found:
        bests.setdefault(row["snapshot_id"], {})[row["revision__contestant__licence"]] = row
    return [
        bests_of(best[Licence.OPEN], best[Licence.PROPRIETARY])
        for best in bests.values()
        if len(best) == len(BOTH)
    ]


def bests_of(ours: Data, theirs: Data) -> Bests:
    return Bests(
        pk=theirs["snapshot_id"],
        number=theirs["snapshot__number"],
        short=theirs["snapshot__digest"][:12],
        published_at=theirs["snapshot__published_at"],
        open=ours["revision__name"],
        closed=theirs["revision__name"],
        points=theirs["rating"] - ours["rating"],
        reach=(theirs["rating_upper"] - theirs["rating"]) / theirs["se"] if theirs["se"] else 0.0,
    )
