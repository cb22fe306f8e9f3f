"""Whom a publication's pages may speak of, and where the page of each is.

A revision on a board of the publication may be spoken of. Of the others only those that the arena
makes no secret of: what is a draft, and what is tried out under no name of its own, stays unsaid.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import groupby
from urllib.parse import urlencode

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from arena.catalog.models import Revision, Stage, Status
from arena.core.exceptions import BadInput, Unknown
from arena.leaderboard.models import Fitted
from arena.leaderboard.selectors import STAGES, board_document, board_name
from arena.leaderboard.sentences import grouped, listed

# Of an error that lists what exists, so many are named.
MOST_NAMED = 60
NEAREST = 5
PLACE_OF_STAGE = {stage.value: place for place, stage in enumerate(STAGES)}
FIELDS = (
    *("name", "number", "stage", "family", "contestant__slug", "contestant__name"),
    *("contestant__status", "maker"),
)


@dataclass(frozen=True)
class Known:
    """A revision that pages may speak of. contestant: whose revision it is."""

    name: str
    number: int
    stage: str
    family: str
    slug: str
    contestant: str
    status: str
    organisation: str
    is_on_board: bool
    """Whether the publication says something of it, be it that it cannot be placed."""

    @property
    def precedence(self) -> tuple[bool, int, int]:
        """By which its contestant shows one revision where none is asked for."""
        return self.is_on_board, PLACE_OF_STAGE[self.stage], self.number


@dataclass(frozen=True)
class Roster:
    """Everybody that pages may speak of. snapshot: as addresses name it; "" for the latest."""

    snapshot: str
    everybody: tuple[Known, ...]

    @cached_property
    def by_name(self) -> dict[str, Known]:
        return {known.name: known for known in self.everybody}

    @cached_property
    def by_slug(self) -> dict[str, tuple[Known, ...]]:
        """Revisions of each contestant, first the one that is shown where none is asked for."""
        ordered = sorted(self.everybody, key=lambda known: known.slug)
        return {
            slug: tuple(sorted(of_one, key=lambda known: known.precedence, reverse=True))
            for slug, of_one in groupby(ordered, key=lambda known: known.slug)
        }

    def is_first(self, known: Known) -> bool:
        return self.by_slug[known.slug][0] is known

    def get(self, slug: str, number: str = "") -> Known:
        """The revision of that number, or the first one. Raises Unknown, saying what exists."""
        revisions = self.by_slug.get(slug)
        if revisions is None:
            raise Unknown(self.unknown_words(slug))
        found = [known for known in revisions if number in ("", str(known.number))]
        if not found:
            told = {
                "name": revisions[0].contestant,
                "number": number[:20],
                "numbers": listed(str(n) for n in sorted(known.number for known in revisions)),
            }
            raise Unknown(
                _("%(name)s has no revision '%(number)s' here. These exist: %(numbers)s.") % told
            )
        return found[0]

    def two(self, first: str, second: str, numbers: tuple[str, str]) -> tuple[Known, Known]:
        """The two of a pair. Raises Unknown, or BadInput where both are the same."""
        one, other = self.get(first, numbers[0]), self.get(second, numbers[1])
        if one is other:
            raise BadInput(
                _("%(name)s was named twice. Choose two different contestants.")
                % {"name": one.name}
            )
        return one, other

    def unknown_words(self, slug: str) -> str:
        slugs = list(self.by_slug)
        if near := get_close_matches(slug, slugs, n=NEAREST, cutoff=0.6):
            return _("There is no contestant '%(name)s'. The nearest names: %(names)s.") % {
                "name": slug[:80],
                "names": listed(near),
            }
        if not slugs:
            return _("There is no contestant '%(name)s', nor any other yet.") % {"name": slug[:80]}
        return _("There is no contestant '%(name)s'. These exist: %(names)s.") % {
            "name": slug[:80],
            "names": some_of(slugs),
        }

    def address(self, known: Known) -> str:
        named = {} if self.is_first(known) else {"revision": known.number}
        return reverse("reports:contestant", args=[known.slug]) + self.query(named)

    def pair_address(self, one: Known, other: Known) -> str:
        named = {
            side: known.number
            for side, known in (("first", one), ("second", other))
            if not self.is_first(known)
        }
        return reverse("reports:pair", args=[one.slug, other.slug]) + self.query(named)

    def query(self, named: dict[str, int]) -> str:
        asked = ({"snapshot": self.snapshot} if self.snapshot else {}) | named
        return f"?{urlencode(asked)}" if asked else ""


def some_of(names: Iterable[str]) -> str:
    every = sorted(names)
    more = len(every) - MOST_NAMED
    if more <= 0:
        return listed(every)
    return listed([*every[:MOST_NAMED], _("%(number)s more") % {"number": grouped(more)}])


def roster_of(snapshot: Fitted, named: str = "") -> Roster:
    """Of a publication; named: how the address names it. One query."""
    document = board_document(snapshot, board_name(snapshot, ""))
    on_board = {row["contestant"] for row in (*document["standings"], *document["unplaced"])}
    named_by = Coalesce("contestant__organisation__name", Value(""))
    revisions = Revision.objects.annotate(maker=named_by).order_by("contestant__name", "number")
    rows = revisions.values_list(*FIELDS)
    every = (
        Known(name, number, stage, family, slug, contestant, status, maker, name in on_board)
        for name, number, stage, family, slug, contestant, status, maker in rows
    )
    return Roster(named, tuple(known for known in every if is_public(known)))


def is_public(known: Known) -> bool:
    if known.is_on_board:
        return True
    return known.status != Status.DRAFT and known.stage != Stage.EXPERIMENTAL
