"""Places over publications: who held which, who came and went, and who took whose place."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from arena.core.exceptions import BadInput
from arena.leaderboard.models import BoardName, Fitted, Snapshot, Standing
from arena.leaderboard.selectors import board_name, snapshots_up_to
from arena.leaderboard.viewing import FAMILIES, REVISIONS, known_rows, query_of
from arena.reports import history_words as words
from arena.reports.roster import PLACE_OF_STAGE, Known, Roster, roster_of

# So many publications are shown, up to the one that the address names.
PUBLICATIONS = 24
TOPS = (10, 20, 50, 100)
USUAL_TOP = 20
# So many contestants can be chosen one by one.
MOST_CHOSEN = 50
COLUMNS = (
    *("snapshot_id", "revision__name", "rank", "rank_lower", "rank_upper"),
    *("rating", "rating_lower", "rating_upper"),
)


# -- What is asked for -----------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """snapshot: as the address names it. top: whoever was among so many first at any of the
    publications; or chosen: contestants by slug. rows: families, each with the revision that stood
    for it at the time, or revisions."""

    snapshot: str
    board: BoardName
    usual_board: BoardName
    rows: str
    usual_rows: str
    top: int = USUAL_TOP
    chosen: tuple[str, ...] = ()

    def query(self, **changes: object) -> str:
        """With the question mark; without what is the default."""
        asked: dict[str, object] = {
            "snapshot": self.snapshot,
            "board": self.board.value,
            "rows": self.rows,
            "top": "" if self.chosen else self.top,
        } | changes
        usual = {
            "board": self.usual_board.value,
            "rows": self.usual_rows,
            "top": USUAL_TOP,
        }
        pairs = [
            (name, str(value))
            for name, value in asked.items()
            if value != "" and value != usual.get(name)
        ]
        return query_of([*pairs, *(("contestant", slug) for slug in self.chosen)])


def question_of(snapshot: Fitted, query: QueryDict, roster: Roster) -> Question:
    """Raises NoSuchBoard or BadInput."""
    chosen = tuple(dict.fromkeys(slug for slug in query.getlist("contestant") if slug))
    if len(chosen) > MOST_CHOSEN:
        raise BadInput(
            _("No more than %(most)s contestants can be chosen at once.") % {"most": MOST_CHOSEN}
        )
    usual = FAMILIES if has_families(roster) else REVISIONS
    return Question(
        snapshot=query.get("snapshot", ""),
        board=board_name(snapshot, query.get("board", "")),
        usual_board=board_name(snapshot, ""),
        rows=known_rows(query.get("rows", "") or usual),
        usual_rows=usual,
        top=top_of(query.get("top", "")),
        chosen=chosen,
    )


def has_families(roster: Roster) -> bool:
    """Whether any family has more than one revision on the board."""
    families = Counter(known.family for known in roster.everybody if known.is_on_board)
    return any(count > 1 for family, count in families.items() if family)


def top_of(written: str) -> int:
    if not written:
        return USUAL_TOP
    if written not in map(str, TOPS):
        told = {"name": written[:20], "known": ", ".join(map(str, TOPS))}
        raise BadInput(_("The first '%(name)s' cannot be shown. These can: %(known)s.") % told)
    return int(written)


# -- Lines -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Publication:
    """One column. moved: the address of what moved since the column before; "" for the first."""

    pk: int
    number: int
    short: str
    published_at: datetime
    board: str
    moved: str


@dataclass(frozen=True)
class Place:
    rank: int
    rank_lower: int | None
    rank_upper: int | None
    rating: float
    half: float

    def could_be(self, other: "Place") -> bool:
        """Whether both may be the same place. Without rank sets nobody knows."""
        if None in (self.rank_lower, self.rank_upper, other.rank_lower, other.rank_upper):
            return True
        assert self.rank_lower and self.rank_upper and other.rank_lower and other.rank_upper
        return self.rank_lower <= other.rank_upper and other.rank_lower <= self.rank_upper


@dataclass(frozen=True)
class Line:
    """One family, or one revision. name: of the revision that stands for it at the end.

    places, holders: by column, its place (None where it had none) and the revision that stood for
    it ("" for none). joined: the column at which it came onto the board; None for who was there
    from the first column on. sibling: of a revision that came, who of its family stood there one
    column before, at the place joined_from; "" where nobody did.
    """

    name: str
    address: str
    family: str
    stage: str
    places: tuple[Place | None, ...]
    holders: tuple[str, ...]
    joined: int | None = None
    sibling: str = ""
    sibling_stayed: bool = False
    joined_from: int | None = None

    @property
    def swaps(self) -> tuple[int, ...]:
        """Columns at which another revision stands for it than one column before."""
        return tuple(
            column
            for column in range(1, len(self.holders))
            if self.holders[column]
            and self.holders[column - 1]
            and self.holders[column] != self.holders[column - 1]
        )

    @property
    def cells(self) -> list[tuple[Place | None, bool]]:
        """By column, its place, and whether another revision has taken it over."""
        return [(place, column in self.swaps) for column, place in enumerate(self.places)]

    @property
    def last(self) -> Place | None:
        return self.places[-1]

    @property
    def first_at(self) -> int:
        return next(i for i, place in enumerate(self.places) if place)

    @property
    def last_at(self) -> int:
        return max(i for i, place in enumerate(self.places) if place)

    @property
    def has_left(self) -> bool:
        return self.last is None

    @property
    def ends(self) -> tuple[Place, Place]:
        """The first and the last place that it had."""
        first, last = self.places[self.first_at], self.places[self.last_at]
        assert first is not None and last is not None
        return first, last

    @property
    def change(self) -> int:
        """Places won from the first to the last; + is up."""
        first, last = self.ends
        return first.rank - last.rank

    @property
    def could_be_nothing(self) -> bool:
        first, last = self.ends
        return first.could_be(last)


def publications_of(snapshot: Fitted, question: Question) -> tuple[Publication, ...]:
    """The earliest first. One query."""
    latest = snapshot.number if isinstance(snapshot, Snapshot) else 2**62
    known = list(snapshots_up_to(latest, PUBLICATIONS))[::-1]
    made: list[Publication] = []
    for each in known:
        before = known[len(made) - 1] if made else None
        made.append(
            Publication(
                pk=each.pk,
                number=each.number,
                short=each.short,
                published_at=each.published_at,
                board=reverse("leaderboard:board") + query_of([("snapshot", each.short)]),
                moved=moved_address(before, each) if before else "",
            )
        )
    return tuple(made)


def moved_address(before: Snapshot, after: Snapshot) -> str:
    asked = query_of([("from", before.short), ("to", after.short)])
    return reverse("leaderboard:moved") + asked


def lines_of(
    publications: Sequence[Publication], question: Question, roster: Roster
) -> tuple[Line, ...]:
    """By the last place; those that have left after them. Two queries."""
    columns = {each.pk: i for i, each in enumerate(publications)}
    every = Standing.objects.filter(snapshot__in=list(columns), board=question.board).order_by()
    shown = names_shown(every, question, roster)
    families = {roster.by_name[name].family for name in shown} - {""}
    found = every.filter(Q(revision__name__in=shown) | Q(revision__family__in=families))
    places: dict[str, list[Place | None]] = {}
    # Also where it has no place it may be the one that stands for its family.
    present: dict[str, set[int]] = {}
    for pk, name, *values in found.values_list(*COLUMNS):
        if name in roster.by_name:
            row = places.setdefault(name, [None] * len(columns))
            row[columns[pk]] = place_of(values)
            present.setdefault(name, set()).add(columns[pk])
    if question.rows == FAMILIES:
        lines = family_lines(places, present, roster, len(columns))
        lines = [line for line in lines if question.chosen or is_among(line, question.top)]
    else:
        made = {name: revision_line(name, row, roster) for name, row in places.items() if any(row)}
        lines = [with_sibling(line, made.values()) for name, line in made.items() if name in shown]
    return tuple(sorted(lines, key=order))


def names_shown(every: "QuerySet[Standing]", question: Question, roster: Roster) -> set[str]:
    if question.chosen:
        slugs = question.chosen
        return {known.name for slug in slugs for known in revisions_of(roster, slug)}
    first = every.filter(rank__lte=question.top)
    names = first.values_list("revision__name", flat=True).distinct()
    return {name for name in names if name in roster.by_name}


def is_among(line: Line, top: int) -> bool:
    return any(place.rank <= top for place in line.places if place)


def revision_line(name: str, row: Sequence[Place | None], roster: Roster) -> Line:
    known = roster.by_name[name]
    return Line(
        name=name,
        address=roster.address(known),
        family=known.family,
        stage=known.stage,
        places=tuple(row),
        holders=tuple(name if place else "" for place in row),
    )


def family_lines(
    places: Mapping[str, Sequence[Place | None]],
    present: Mapping[str, Collection[int]],
    roster: Roster,
    columns: int,
) -> list[Line]:
    """At each publication the furthest released revision stands for its family, then the newest,
    as publications themselves have it."""
    families: dict[str, list[Known]] = {}
    for name in places:
        known = roster.by_name[name]
        families.setdefault(known.family or name, []).append(known)
    lines = []
    for members in families.values():
        ranked = sorted(
            members, key=lambda known: (PLACE_OF_STAGE[known.stage], known.number, known.name)
        )
        heads = [
            next((known.name for known in reversed(ranked) if column in present[known.name]), "")
            for column in range(columns)
        ]
        row = tuple(places[head][column] if head else None for column, head in enumerate(heads))
        if any(row):
            holders = tuple(head if place else "" for head, place in zip(heads, row, strict=True))
            last = next(head for head in reversed(holders) if head)
            line = replace(revision_line(last, row, roster), holders=holders)
            joined = line.first_at or None
            lines.append(replace(line, joined=joined))
    return lines


def revisions_of(roster: Roster, slug: str) -> tuple[Known, ...]:
    """All that the contestant has. Raises Unknown, saying what exists."""
    return roster.by_slug[roster.get(slug).slug]


def place_of(values: Sequence[Any]) -> Place | None:
    rank, rank_lower, rank_upper, rating, lower, upper = values
    if rank is None:
        return None
    return Place(rank, rank_lower, rank_upper, rating, (upper - lower) / 2)


def with_sibling(line: Line, every: Iterable[Line]) -> Line:
    """When it came, and after whom of its family."""
    if line.places[0] is not None:
        return line
    joined = line.first_at
    before = [
        other
        for other in every
        if other.family == line.family and other is not line and other.places[joined - 1]
    ]
    if not before or not line.family:
        return replace(line, joined=joined)
    sibling = min(before, key=lambda other: rank_at(other, joined - 1))
    return replace(
        line,
        joined=joined,
        sibling=sibling.name,
        sibling_stayed=sibling.places[joined] is not None,
        joined_from=rank_at(sibling, joined - 1),
    )


def rank_at(line: Line, column: int) -> int:
    place = line.places[column]
    assert place is not None
    return place.rank


def order(line: Line) -> tuple[bool, int, int, str]:
    first, last = line.ends
    return line.has_left, last.rank, first.rank, line.name


# -- The page --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """A contestant that can be chosen."""

    slug: str
    name: str
    is_chosen: bool


@dataclass(frozen=True)
class HistoryPage:
    """boards, rows: (name, address, whether it is the shown one); empty where there is one alone.
    tops: (how many, address, whether shown)."""

    snapshot: str
    made_at: datetime
    is_draft: bool
    question: Question
    publications: tuple[Publication, ...]
    lines: tuple[Line, ...]
    headline: str
    subtitle: str
    boards: tuple[tuple[str, str, bool], ...]
    rows: tuple[tuple[str, str, bool], ...]
    tops: tuple[tuple[int, str, bool], ...]
    choices: tuple[Choice, ...]
    is_simulated: bool

    @property
    def has_history(self) -> bool:
        """Whether there is more than one publication, and anybody on two of them."""
        return len(self.publications) > 1 and bool(self.lines)

    @property
    def is_cut(self) -> bool:
        """Whether there are earlier publications than those shown."""
        return bool(self.publications) and self.publications[0].number > 1

    @property
    def joined(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.joined is not None)

    @property
    def left(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.has_left)

    @property
    def is_families(self) -> bool:
        return self.question.rows == FAMILIES

    @property
    def notes(self) -> tuple[str, ...]:
        """Who came and went, in sentences."""
        return words.notes(self)

    @property
    def within(self) -> str:
        """What keeps links within the publication that the reader named."""
        return query_of([("snapshot", self.question.snapshot)] if self.question.snapshot else [])

    @property
    def permalink(self) -> str:
        return reverse("reports:history") + self.question.query(snapshot=self.snapshot)

    @property
    def earlier(self) -> str:
        """The address of the publications before these."""
        if not self.is_cut:
            return ""
        return reverse("reports:history") + self.question.query(snapshot=self.publications[0].short)


def history_page(snapshot: Fitted, query: QueryDict) -> HistoryPage:
    """Raises NoSuchBoard, BadInput, or Unknown for a contestant that is not there."""
    roster = roster_of(snapshot, query.get("snapshot", ""))
    question = question_of(snapshot, query, roster)
    publications = publications_of(snapshot, question)
    lines = lines_of(publications, question, roster)
    address = reverse("reports:history")
    boards = [board for board in BoardName if board.value in snapshot.content["boards"]]
    page = HistoryPage(
        snapshot=snapshot.short,
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        question=question,
        publications=publications,
        lines=lines,
        headline="",
        subtitle="",
        boards=tuple(
            (each.value, address + question.query(board=each.value), each == question.board)
            for each in boards
            if len(boards) > 1
        ),
        rows=tuple(
            (name, address + question.query(rows=name), name == question.rows)
            for name in (FAMILIES, REVISIONS)
            if has_families(roster)
        ),
        tops=tops_of(question, sum(known.is_on_board for known in roster.everybody)),
        choices=choices_of(roster, question),
        is_simulated=bool(snapshot.content["simulated_votes"]),
    )
    return replace(page, headline=words.headline(page), subtitle=words.subtitle(page))


def tops_of(question: Question, every: int) -> tuple[tuple[int, str, bool], ...]:
    """Those that show more than the one before."""
    plain = replace(question, chosen=())
    known = [top for top, before in zip(TOPS, (0, *TOPS), strict=False) if before < every]
    return tuple(
        (
            top,
            reverse("reports:history") + replace(plain, top=top).query(),
            not question.chosen and top == question.top,
        )
        for top in known
    )


def choices_of(roster: Roster, question: Question) -> tuple[Choice, ...]:
    chosen = set(question.chosen)
    return tuple(
        Choice(slug, revisions[0].contestant, slug in chosen)
        for slug, revisions in roster.by_slug.items()
        if any(known.is_on_board for known in revisions)
    )


def rows_of(page: HistoryPage) -> list[dict[str, Any]]:
    """As they are downloaded: a row for each place."""
    return [
        {
            "contestant": holder,
            "publication": publication.number,
            "published_at": publication.published_at.date().isoformat(),
            "rank": place.rank,
            "rank_lower": place.rank_lower,
            "rank_upper": place.rank_upper,
            "rating": round(place.rating, 2),
            "half": round(place.half, 2),
        }
        for line in page.lines
        for publication, place, holder in zip(
            page.publications, line.places, line.holders, strict=True
        )
        if place is not None
    ]


# -- How it is drawn -------------------------------------------------------------------------

# Pixels: of a place, of all of them, of all columns, between two columns, of a name's letter and
# of the longest name, left of the first column, right of the last beside names, and above.
ROW, TALLEST, ACROSS, NEAREST, FURTHEST = 22.0, 1100.0, 720.0, 34.0, 320.0
LETTER, LONGEST, LEFT, RIGHT, HEAD = 7.3, 330.0, 34.0, 42.0, 26.0


@dataclass(frozen=True)
class Layout:
    """Where columns and places stand, in pixels. deepest: the last place with a row of its own;
    is_cut: whether some places lie below it."""

    columns: int
    deepest: int
    is_cut: bool
    room: float

    @property
    def row(self) -> float:
        return min(ROW, max(TALLEST / self.deepest, 3.0))

    @property
    def gap(self) -> float:
        return min(FURTHEST, max(NEAREST, ACROSS / max(self.columns - 1, 1)))

    @property
    def end(self) -> float:
        """Of the last column."""
        return self.x(self.columns - 1)

    @property
    def width(self) -> float:
        return self.end + RIGHT + self.room

    @property
    def height(self) -> float:
        return HEAD + self.row * (self.deepest + self.is_cut)

    def x(self, column: int) -> float:
        return LEFT + self.gap * column

    def y(self, rank: int) -> float:
        return HEAD + self.row * (min(rank, self.deepest + 1) - 0.5)


def layout_of(page: HistoryPage) -> Layout:
    lowest = max(place.rank for line in page.lines for place in line.places if place)
    # Whoever fell far from among the first would squeeze these together.
    most = lowest if page.question.chosen else 2 * page.question.top
    room = min(LONGEST, LETTER * max(len(line.name) for line in page.lines))
    return Layout(len(page.publications), min(lowest, most), lowest > most, room)
