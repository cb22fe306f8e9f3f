"""Who made the contestants, and how much each organisation was shown.

Licence, stage and date of release are those that the publication states; where it states none
they are the catalog's of today. Ratings and intervals are the publication's own.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from django.urls import reverse

from arena.catalog.models import Licence, Organisation, Revision, Stage
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import (
    board_document,
    board_name,
    part_get,
    part_names,
)
from arena.leaderboard.sure_words import share
from arena.reports.roster import Roster
from ranking.snapshots import Stated

Data = dict[str, Any]

VARIANTS = (Stage.EXPERIMENTAL.value, Stage.PREVIEW.value)


# -- Contestants -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """On one board. half: of the 95% interval of the rating."""

    rank: int
    rank_lower: int | None
    rank_upper: int | None
    rating: float
    half: float

    @property
    def lower(self) -> float:
        return self.rating - self.half

    @property
    def upper(self) -> float:
        return self.rating + self.half


@dataclass(frozen=True)
class Member:
    """A contestant with counted votes.

    family: its slug; family_address: of its page, "" where there is none. place: on the default
    board, raw: on the raw one; None where the votes place it nowhere.
    """

    name: str
    address: str
    organisation: Organisation | None
    licence: str
    stage: str
    family: str
    family_address: str
    released: date | None
    votes: int
    place: Place | None
    raw: Place | None

    @property
    def is_variant(self) -> bool:
        return self.stage in VARIANTS

    @property
    def is_available(self) -> bool:
        """Whether somebody could use it: an experimental variant is served to voters alone."""
        return self.stage != Stage.EXPERIMENTAL


def members_of(snapshot: Fitted, roster: Roster) -> tuple[Member, ...]:
    """In the order of the default board, those without a place last. Two queries."""
    default = board_document(snapshot, board_name(snapshot, ""))
    raw = places_of(board_document(snapshot, BoardName.RAW))
    places = places_of(default)
    known, organisations = catalog_now(), Organisation.objects.in_bulk()
    stated, parts = snapshot.content.get("catalog"), part_names(snapshot)
    found = []
    for row in (*default["standings"], *default["unplaced"]):
        if not row["votes"]:
            continue
        name = row["contestant"]
        one, now = roster.by_name[name], known[name]
        # A draft, and a publication of an earlier form, state nothing themselves.
        said = Stated(**stated.get(name, {})) if stated is not None else now.stated
        has_family = f"family/{one.family}" in parts
        found.append(
            Member(
                name=name,
                address=roster.address(one),
                organisation=organisations.get(now.organisation),
                licence=said.licence,
                stage=said.stage,
                family=one.family,
                family_address=family_address(one.family, roster) if has_family else "",
                released=date.fromisoformat(said.released) if said.released else None,
                votes=row["votes"],
                place=places.get(name),
                raw=raw.get(name),
            )
        )
    return tuple(found)


class Now(NamedTuple):
    """What the catalog says today: the organisation by its key, and the rest."""

    organisation: int | None
    stated: Stated


def catalog_now() -> dict[str, Now]:
    """By revision; narrow, for revisions may be many and carry whole system prompts."""
    rows = Revision.objects.order_by().values_list(
        *("name", "stage", "contestant__organisation_id"),
        *("contestant__licence", "contestant__released_on"),
    )
    return {
        name: Now(
            organisation,
            Stated(
                stage=stage,
                licence=licence,
                released=released.isoformat() if released else "",
            ),
        )
        for name, stage, organisation, licence, released in rows
    }


def family_address(family: str, roster: Roster) -> str:
    return reverse("reports:family", args=[family]) + roster.query({})


def places_of(document: Data) -> dict[str, Place]:
    return {
        row["contestant"]: Place(
            rank=row["rank"],
            rank_lower=row["rank_lower"],
            rank_upper=row["rank_upper"],
            rating=row["rating"],
            half=(row["rating_upper"] - row["rating_lower"]) / 2,
        )
        for row in document["standings"]
    }


# -- Organisations ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Exposed:
    """Of all places, two a battle: the share that it had, and the fair one, of an even drawing."""

    share: float
    fair: float

    @property
    def times(self) -> float:
        return self.share / self.fair

    @property
    def share_words(self) -> str:
        return share(self.share)


@dataclass(frozen=True)
class Maker:
    """An organisation with its contestants. name: "" for those that state none. shown: None where
    the publication does not say it."""

    name: str
    slug: str
    url: str
    address: str
    members: tuple[Member, ...]
    shown: Exposed | None = None

    @cached_property
    def best(self) -> Member | None:
        return best_of(self.members)

    @cached_property
    def best_raw(self) -> Member | None:
        placed = [member for member in self.members if member.raw]
        return min(placed, key=lambda member: member.raw.rank if member.raw else 0, default=None)

    @cached_property
    def stages(self) -> Counter[str]:
        return Counter(member.stage for member in self.members)

    @cached_property
    def licences(self) -> Counter[str]:
        return Counter(member.licence for member in self.members)

    @cached_property
    def variants(self) -> tuple[Member, ...]:
        """Tested before any release."""
        return tuple(member for member in self.members if member.is_variant)

    @property
    def open(self) -> int:
        return self.licences[Licence.OPEN]

    @property
    def closed(self) -> int:
        return self.licences[Licence.PROPRIETARY]

    @property
    def votes(self) -> int:
        return sum(member.votes for member in self.members)


def best_of(members: Iterable[Member]) -> Member | None:
    placed = (member for member in members if member.place)
    return min(placed, key=lambda member: member.place.rank if member.place else 0, default=None)


def makers_of(members: Sequence[Member], roster: Roster) -> tuple[Maker, ...]:
    """By the best place; those of whom nobody is placed last, and before none the unnamed."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        maker = member.organisation
        groups.setdefault(maker.name if maker else "", []).append(member)
    made = [maker_of(group, roster) for group in groups.values()]
    worst = len(members) + 1

    def order(maker: Maker) -> tuple[bool, int, str]:
        best = maker.best
        return not maker.name, best.place.rank if best and best.place else worst, maker.name

    return tuple(sorted(made, key=order))


def maker_of(group: Sequence[Member], roster: Roster) -> Maker:
    organisation = group[0].organisation
    address = ""
    if organisation:
        address = reverse("reports:organisation", args=[organisation.slug]) + roster.query({})
    return Maker(
        name=organisation.name if organisation else "",
        slug=organisation.slug if organisation else "",
        url=organisation.url if organisation else "",
        address=address,
        members=tuple(group),
    )


def shown_of(snapshot: Fitted) -> dict[str, Exposed]:
    """By organisation, in all votes of the publication whose contestants were drawn."""
    part = part_get(snapshot, "method") or {}
    exposure = part.get("exposure", {})
    if "organisations" not in exposure:
        return {}
    places = 2 * exposure["votes"]
    return {
        group["name"]: Exposed(group["places"] / places, group["fair"] / places)
        for group in exposure["organisations"]
        if group["fair"]
    }
