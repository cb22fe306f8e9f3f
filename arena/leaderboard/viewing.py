"""What a reader asks the board to show: read from an address, and written as its canonical one.

An address that names what a publication does not hold is answered by a sentence that says what it
holds. What is left out has a default, and what is not understood at all is passed over.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from django.http import QueryDict
from django.utils.translation import gettext as _

from arena.catalog.models import Licence, Stage
from arena.core.exceptions import ArenaError, BadInput
from arena.leaderboard.exceptions import NoSuchBoard
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import board_name, part_get, part_names
from ranking.analysis import NONE, TOGGLES, VARIANTS, toggles_name
from ranking.covariates import expand_controls

OVERALL = "overall"
POSITION = "position"
REVISIONS, FAMILIES = "revisions", "families"
ALL = "all"
# Sent by the board's form whatever is ticked, so that ticking nothing is said too.
EXPLICIT = POSITION
RAW, FULL = 0.0, 1.0
# A thin category's board of its own votes alone, and the kind of board that borrows.
ALONE = "none"
POOLED = "pooled"

# Whether a first look at a column shows the largest first.
SORTS = {
    "rank": False,
    "contestant": False,
    "organisation": False,
    "stage": False,
    "rating": True,
    "moved": True,
    "votes": True,
    "licence": False,
    "price": False,
    "latency": False,
}


@dataclass(frozen=True)
class Choices:
    """What a publication lets a reader choose from.

    full: the toggles of its controlled board; empty where nothing is controlled.
    sets: of toggles, each with a board of its own; of those the toggles can be switched singly.
    """

    full: tuple[str, ...]
    sets: frozenset[tuple[str, ...]]
    variants: tuple[str, ...]
    categories: tuple[str, ...]
    has_path: bool

    @cached_property
    def toggles(self) -> tuple[str, ...]:
        """Those that can be switched singly, in their order."""
        switched = {name for toggles in self.sets for name in toggles}
        return tuple(name for name in TOGGLES if name in switched)


def choices_of(snapshot: Fitted) -> Choices:
    names = part_names(snapshot)
    boards = {name.removeprefix("board/") for name in names if name.startswith("board/")}
    return Choices(
        full=full_toggles(snapshot),
        sets=frozenset(toggles_of(name) for name in boards),
        variants=tuple(name for name in VARIANTS if f"variant/{name}/{BoardName.RAW}" in names),
        categories=tuple(
            sorted(
                name.removeprefix("category/").removesuffix(f"/{BoardName.RAW}")
                for name in names
                if name.startswith("category/") and name.endswith(f"/{BoardName.RAW}")
            )
        ),
        has_path="path" in names,
    )


def toggles_of(name: str) -> tuple[str, ...]:
    """The toggles of the board of that name."""
    return () if name == NONE else tuple(name.split("+"))


def full_toggles(snapshot: Fitted) -> tuple[str, ...]:
    controlled = snapshot.content["boards"].get(BoardName.CONTROLLED)
    held = set(controlled["spec"]["controls"]) if controlled else set()
    return tuple(name for name in TOGGLES if held & set(expand_controls([name])))


@dataclass(frozen=True)
class Filters:
    """Which rows are shown; ranks stay those of the whole board."""

    search: str = ""
    organisation: str = ""
    licence: str = ""
    stage: str = ""
    votes: int = 0

    def __bool__(self) -> bool:
        return self != Filters()


@dataclass(frozen=True)
class View:
    """One view of a publication.

    snapshot: as the address names it; "" for the latest. strength: of control, between 0 and 1
    along the path where the board is neither raw nor controlled, else the end at which it stands.
    opened: the contestants, by name, whose movement is explained. boards: which a category or a
    variant has; those that its votes could not give are not among them. alone: whether a thin
    category is to rest on its own votes.
    """

    choices: Choices = field(compare=False, repr=False)
    snapshot: str = ""
    category: str = OVERALL
    controls: tuple[str, ...] = ()
    variant: str = ""
    strength: float = FULL
    rows: str = REVISIONS
    sort: str = "rank"
    descending: bool = False
    filters: Filters = Filters()
    opened: frozenset[str] = frozenset()
    boards: frozenset[str] = frozenset()
    alone: bool = False
    whole: bool = False
    """Whether all rows are shown, however many there are."""

    @property
    def board(self) -> BoardName:
        return BoardName.CONTROLLED if self.controls else BoardName.RAW

    @property
    def is_between(self) -> bool:
        """Whether it stands between the raw and the controlled board."""
        return RAW < self.strength < FULL

    @property
    def is_plain(self) -> bool:
        """Whether it rests on the publication's own votes and spec."""
        return self.category == OVERALL and not self.variant

    @property
    def is_full(self) -> bool:
        """Whether everything that the publication controls for is held equal."""
        return bool(self.controls) and self.controls == self.choices.full and not self.is_between

    @property
    def has_slider(self) -> bool:
        return self.choices.has_path and self.is_plain

    @property
    def has_toggles(self) -> bool:
        return len(self.choices.sets) > 1 and self.is_plain

    @property
    def has_controlled(self) -> bool:
        """Whether there is a controlled board beside the raw one."""
        if self.is_plain:
            return bool(self.choices.full)
        return bool(self.choices.full) and bool(self.boards & {BoardName.CONTROLLED, POOLED})

    @property
    def has_raw(self) -> bool:
        return self.is_plain or BoardName.RAW in self.boards

    @property
    def can_be_pooled(self) -> bool:
        """Whether this is the board of a thin category as the publication's default board is."""
        return POOLED in self.boards and self.controls == self.choices.full

    @property
    def is_pooled(self) -> bool:
        return self.can_be_pooled and not self.alone

    @property
    def can_be_alone(self) -> bool:
        """Whether the same board is there of the category's own votes."""
        return self.can_be_pooled and self.board in self.boards

    @property
    def part_of_choice(self) -> str:
        """How parts name the category or the variant."""
        return f"variant/{self.variant}" if self.variant else f"category/{self.category}"

    @property
    def part(self) -> str:
        """The part that holds this board; "" for the two of the document itself."""
        if self.is_pooled:
            return f"{self.part_of_choice}/{POOLED}"
        if not self.is_plain:
            return f"{self.part_of_choice}/{self.board}"
        if self.controls in ((), self.choices.full):
            return ""
        return f"board/{toggles_name(self.controls)}"

    @property
    def name(self) -> str:
        """For files: what is controlled for, in few words."""
        words = [self.category] if self.category != OVERALL else []
        words += [self.variant] if self.variant else []
        words += [POOLED] if self.is_pooled else []
        if self.is_between:
            words.append(f"strength-{self.strength:g}")
        elif self.is_full or not self.controls:
            words.append(self.board.value)
        else:
            words.append("-".join(self.controls))
        return "-".join(words)

    def changed(self, **changes: object) -> "View":
        return replace(self, **changes)  # type: ignore[arg-type]

    def asked(self) -> list[tuple[str, str]]:
        """Its canonical query, without what is the default."""
        filters = self.filters
        default = self.controls == self.choices.full
        pairs = [
            ("snapshot", self.snapshot),
            ("controls", "" if default else ",".join(self.controls) or NONE),
            ("strength", f"{self.strength:g}" if self.is_between else ""),
            ("variant", self.variant),
            ("pooling", ALONE if self.alone and self.can_be_pooled else ""),
            ("rows", self.rows if self.rows != REVISIONS else ""),
            ("q", filters.search),
            ("organisation", filters.organisation),
            ("licence", filters.licence),
            ("stage", filters.stage),
            ("votes", str(filters.votes or "")),
            ("sort", self.sorting),
            *(("open", name) for name in sorted(self.opened)),
            ("show", ALL if self.whole else ""),
        ]
        return [(name, value) for name, value in pairs if value]

    @property
    def sorting(self) -> str:
        """The value of `sort`; "" for the board's own order."""
        if (self.sort, self.descending) == ("rank", False):
            return ""
        return f"-{self.sort}" if self.descending else self.sort

    def query(self) -> str:
        """Its canonical query with the question mark; "" where all is the default."""
        return query_of(self.asked())

    def permalink(self, snapshot: Fitted) -> str:
        """The query that names the publication and the controls, whatever the defaults become."""
        others = [pair for pair in self.asked() if pair[0] not in ("snapshot", "controls")]
        held = ",".join(self.controls) or NONE
        return query_of([("controls", held), ("snapshot", snapshot.short), *others])


def query_of(pairs: Iterable[tuple[str, str]]) -> str:
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value)
    return f"?{query.urlencode(safe=',')}" if query else ""


# -- Reading ---------------------------------------------------------------------------------


def view_of(snapshot: Fitted, query: QueryDict, category: str = OVERALL) -> View:
    """The view that an address asks for. Raises NoSuchBoard or BadInput, saying what exists."""
    choices = choices_of(snapshot)
    view = View(
        choices=choices,
        snapshot=query.get("snapshot", ""),
        category=known_category(category, choices),
        variant=known_variant(query.get("variant", ""), choices),
        rows=known_rows(query.get("rows", "")),
        filters=filters_of(query),
        opened=frozenset(query.getlist("open")),
        whole=query.get("show") == ALL,
    )
    if view.category != OVERALL:
        # Of a category there is one kind of board.
        view = view.changed(variant="")
    view = view.changed(
        boards=boards_of(snapshot, view), alone=known_pooling(query.get("pooling", "")) == ALONE
    )
    view = with_strength(with_controls(view, query, snapshot), query)
    return with_sort(view, query.get("sort", ""))


def one_of(
    value: str, known: Iterable[str], sentence: str, error: type[ArenaError] = NoSuchBoard
) -> str:
    """The value, if it is known; else the error, whose sentence has a place for both."""
    if value not in (known := list(known)):
        raise error(sentence % {"name": value[:80], "known": ", ".join(known) or _("none yet")})
    return value


def known_category(name: str, choices: Choices) -> str:
    sentence = _("There is no category '%(name)s'. These exist: %(known)s.")
    return one_of(name, (OVERALL, *choices.categories), sentence)


def known_variant(name: str, choices: Choices) -> str:
    sentence = _("This publication has no variant '%(name)s'. These exist: %(known)s.")
    return one_of(name, choices.variants, sentence) if name else ""


def boards_of(snapshot: Fitted, view: View) -> frozenset[str]:
    """Which boards a category or a variant has; a part may only say why there is none."""
    if view.is_plain:
        return frozenset()
    kinds = (BoardName.RAW, BoardName.CONTROLLED, POOLED)
    return frozenset(
        str(kind)
        for kind in kinds
        if part_get(snapshot, f"{view.part_of_choice}/{kind}") is not None
    )


def known_pooling(name: str) -> str:
    sentence = _("Pooling cannot be '%(name)s'. It can be: %(known)s.")
    return one_of(name, (ALONE,), sentence, BadInput) if name else ""


def known_rows(name: str) -> str:
    sentence = _("Rows cannot be '%(name)s'. They can be: %(known)s.")
    return one_of(name or REVISIONS, (REVISIONS, FAMILIES), sentence, BadInput)


def filters_of(query: QueryDict) -> Filters:
    return Filters(
        search=query.get("q", "").strip()[:100],
        organisation=query.get("organisation", "")[:120],
        licence=stated(query.get("licence", ""), Licence),
        stage=stated(query.get("stage", ""), Stage),
        votes=votes_least(query.get("votes", "").strip()),
    )


def stated(value: str, choices: type[Licence] | type[Stage]) -> str:
    sentence = _("Rows cannot be filtered by '%(name)s'. These exist: %(known)s.")
    return one_of(value, filter(None, choices.values), sentence, BadInput) if value else ""


def votes_least(written: str) -> int:
    if not written:
        return 0
    if not (written.isascii() and written.isdigit() and len(written) <= 12):
        raise BadInput(_("The least number of votes is a whole number, such as 100."))
    return int(written)


def with_controls(view: View, query: QueryDict, snapshot: Fitted) -> View:
    """With the toggles that the address switches on; without a word of them, all that it can."""
    choices = view.choices
    full = choices.full if view.has_controlled else ()
    if "controls" not in query:
        # The two boards' own names, as the API has them.
        board = board_name(snapshot, query.get("board", ""))
        return view.changed(controls=() if board == BoardName.RAW else full)
    known = choices.toggles or choices.full
    sentence = _("This publication has no control '%(name)s'. These exist: %(known)s.")
    on = {one_of(name, known, sentence) for name in named_in(query.getlist("controls"))}
    controls = tuple(name for name in known if name in on)
    if controls and not (view.is_plain and controls in choices.sets):
        # Of a category or a variant there are the raw and the fully controlled board alone.
        controls = full
    return view.changed(controls=controls)


def named_in(written: Iterable[str]) -> set[str]:
    names = {name.strip() for value in written for name in value.split(",")}
    return names - {"", NONE, EXPLICIT}


def with_strength(view: View, query: QueryDict) -> View:
    strength = strength_of(query.get("strength", "").strip())
    full = view.choices.full
    if strength is not None and RAW < strength < FULL and not view.has_slider:
        raise NoSuchBoard(
            _("There is no path from raw to controlled here. These strengths exist: 0 and 1.")
        )
    if strength == RAW:
        view = view.changed(controls=())
    # A set of toggles of its own is held equal at full strength.
    if strength is None or not RAW < strength < FULL or view.controls != full:
        return view.changed(strength=FULL if view.controls else RAW)
    return view.changed(strength=strength)


def strength_of(written: str) -> float | None:
    if not written:
        return None
    try:
        strength = float(written.replace(",", "."))
    except ValueError:
        strength = math.nan
    if not RAW <= strength <= FULL:
        raise BadInput(_("A strength of control is a number from 0 (raw) to 1 (controlled)."))
    return round(strength, 3)


def with_sort(view: View, written: str) -> View:
    column = written.removeprefix("-") or "rank"
    sentence = _("The board has no column '%(name)s'. It can be sorted by: %(known)s.")
    one_of(column, SORTS, sentence, BadInput)
    return view.changed(sort=column, descending=written.startswith("-"))
