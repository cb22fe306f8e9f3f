"""The pages on families: revisions of one model against each other, and the best of N tested."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from arena.catalog.models import Revision
from arena.core.exceptions import Unknown
from arena.leaderboard.models import BoardName, Fitted, Part, Snapshot, Standing
from arena.leaderboard.selectors import (
    STAGES,
    board_name,
    part_get,
    part_names,
    standings_of,
)
from arena.leaderboard.sentences import joined
from arena.reports import families_words as words
from arena.reports.roster import Roster, roster_of

FAMILY = "family/"
# Of a comparison whose prompts are not known to be the same.
ANY = "any"
UNRELEASED = ("experimental", "preview")
# From so small a p on, two are told apart.
LEVEL = 0.05
# So many publications are told of a family, the latest ones.
MOST_PUBLICATIONS = 30

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """On one board. half: of the 95% interval."""

    rating: float
    half: float
    rank: int
    rank_lower: int | None
    rank_upper: int | None

    @property
    def lower(self) -> float:
        return self.rating - self.half

    @property
    def upper(self) -> float:
        return self.rating + self.half

    @property
    def set_words(self) -> str:
        return words.span(self.rank_lower, self.rank_upper)


@dataclass(frozen=True)
class Member:
    """A revision with counted votes. place: on the default board; raw: on the raw one, None where
    that is the default. first, last: days of its votes, where their times are known."""

    name: str
    address: str
    stage: str
    is_head: bool
    votes: int
    place: Place | None
    raw: Place | None
    first: datetime | None
    last: datetime | None

    @property
    def is_unreleased(self) -> bool:
        return self.stage in UNRELEASED

    @property
    def moved(self) -> float | None:
        return self.place.rating - self.raw.rating if self.place and self.raw else None


@dataclass(frozen=True)
class Direct:
    """A record of one against the other. score: share of the points won, and as the default and
    the raw board expected it, None where they place not both."""

    one: str
    other: str
    address: str
    votes: int
    won: int
    lost: int
    tied: int
    both_bad: int
    score: float
    expected: float | None
    expected_raw: float | None

    @property
    def score_words(self) -> str:
        return words.share_words(self.score)

    @property
    def expected_words(self) -> str:
        return words.share_words(self.expected)

    @property
    def expected_raw_words(self) -> str:
        return words.share_words(self.expected_raw)


@dataclass(frozen=True)
class Test:
    """One thing compared. values: of the first and the second, as the column is headed by."""

    metric: str
    label: str
    first: str
    second: str
    more: float | None
    p: float
    adjusted: float

    @property
    def is_apart(self) -> bool:
        return self.adjusted < LEVEL

    @property
    def note(self) -> str:
        return words.metric_note(self.metric)

    @property
    def more_words(self) -> str:
        return words.share_words(self.more)

    @property
    def p_words(self) -> str:
        return words.p_words(self.p)

    @property
    def adjusted_words(self) -> str:
        return words.p_words(self.adjusted)


@dataclass(frozen=True)
class Compared:
    """Whether one model could have given the answers of both. is_alike: whether they answered the
    same prompts, so far as is known."""

    first: str
    second: str
    is_alike: bool
    said: str
    how: str
    p: float
    tests: tuple[Test, ...]
    shares: Mapping[str, Any]

    @property
    def is_apart(self) -> bool:
        return self.p < LEVEL

    @property
    def apart(self) -> frozenset[str]:
        return frozenset(test.metric for test in self.tests if test.is_apart)

    @property
    def drawn(self) -> list[str]:
        """Metrics whose distribution is known, in their order."""
        return [test.metric for test in self.tests if test.metric in self.shares]

    @property
    def has_substance(self) -> bool:
        """Whether it was asked how they fare with style accounted for."""
        return any(test.metric == words.SUBSTANCE for test in self.tests)


@dataclass(frozen=True)
class Rated:
    """By the fit that the best of N rests on."""

    name: str
    address: str
    votes: int
    rating: float
    half: float
    is_best: bool = False

    @property
    def lower(self) -> float:
        return self.rating - self.half

    @property
    def upper(self) -> float:
        return self.rating + self.half


@dataclass(frozen=True)
class Published:
    """The released one, from votes since its release. lead: over the best of the unreleased."""

    rated: Rated
    released: datetime | None
    left_out: int
    lead: float
    lead_half: float

    @property
    def could_be_nothing(self) -> bool:
        return abs(self.lead) <= self.lead_half


@dataclass(frozen=True)
class Picked:
    """What was tested unreleased. tested: N. chance: what being the best of N adds where all are
    identical; inflation: as far apart as they are estimated to be; corrected: without it."""

    tested: int
    variants: tuple[Rated, ...]
    best: Rated
    chance: float
    inflation: float
    spread: float
    p_identical: float
    corrected: float
    published: Published | None
    sentences: tuple[str, ...]

    @property
    def is_choice(self) -> bool:
        return len(self.variants) > 1

    @property
    def half(self) -> float:
        return self.best.half


@dataclass(frozen=True)
class Publication:
    """Who stood for the family in one publication. address: of the ledger from the one before,
    where another revision stood for it then."""

    number: int
    published_at: datetime
    head: str
    rank: int | None
    raw_rank: int | None
    address: str


@dataclass(frozen=True)
class FamilyPage:
    snapshot: str
    made_at: datetime
    is_draft: bool
    is_simulated: bool
    slug: str
    name: str
    board: str
    headline: str
    subtitle: str
    members: tuple[Member, ...]
    direct: tuple[Direct, ...]
    never_met: str
    compared: tuple[Compared, ...]
    telling: Compared | None
    picked: Picked | None
    publications: tuple[Publication, ...]
    query: str
    permalink: str

    @property
    def has_raw(self) -> bool:
        """Whether the raw board is another one than that which is shown."""
        return self.board == BoardName.CONTROLLED

    @property
    def has_stages(self) -> bool:
        return any(member.stage for member in self.members)

    @property
    def has_times(self) -> bool:
        return any(member.first for member in self.members)

    @property
    def placed(self) -> list[Member]:
        return [member for member in self.members if member.place]

    @property
    def votes(self) -> int:
        return sum(member.votes for member in self.members)

    @property
    def tested(self) -> int:
        return sum(member.is_unreleased for member in self.members)

    @property
    def spread(self) -> float | None:
        return spread_of([member.place for member in self.members])

    @property
    def raw_spread(self) -> float | None:
        return spread_of([member.raw for member in self.members])


def spread_of(places: Sequence[Place | None]) -> float | None:
    """Between the best and the worst; None where fewer than two are placed."""
    ratings = [place.rating for place in places if place]
    return max(ratings) - min(ratings) if len(ratings) > 1 else None


# -- One family ------------------------------------------------------------------------------


def family_page(snapshot: Fitted, slug: str, named: str) -> FamilyPage:
    """named: how the address names the publication. Raises Unknown, saying which families exist."""
    part = family_part(snapshot, slug)
    roster = roster_of(snapshot, named)
    head = snapshot.content.get("families", {}).get(slug, "")
    members = members_of(part, roster, head)
    compared = tuple(compared_of(pair) for pair in part["compared"])
    direct = tuple(direct_of(row, roster) for row in part["direct"])
    name = name_of(slug, roster)
    picked = picked_of(part.get("best_of"), members, roster)
    telling = telling_pair(members, compared)
    return FamilyPage(
        snapshot=snapshot.short,
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        is_simulated=bool(snapshot.content["simulated_votes"]),
        slug=slug,
        name=name,
        board=board_name(snapshot, "").value,
        headline=words.headline(name, members, telling),
        subtitle=joined(*words.subtitles(members, telling, picked)),
        members=members,
        direct=direct,
        never_met=words.never_met(members, direct),
        compared=tuple(
            sorted(compared, key=lambda each: telling is None or each is not telling[2])
        ),
        telling=telling[2] if telling else None,
        picked=picked,
        publications=publications_of(snapshot, members),
        query=roster.query({}),
        permalink=f"{reverse('reports:family', args=[slug])}?snapshot={snapshot.short}",
    )


def family_part(snapshot: Fitted, slug: str) -> Data:
    """Raises Unknown, saying which families have one."""
    part = part_get(snapshot, f"{FAMILY}{slug}")
    if part is None:
        slugs = slugs_of(snapshot)
        raise Unknown(words.unknown(slug, slugs) if is_told(snapshot) else words.untold())
    return part


def is_told(snapshot: Fitted) -> bool:
    """Whether families would have parts: a draft has none, nor has a publication of an earlier
    form, whose document knows no catalog."""
    return not snapshot.is_draft and "catalog" in snapshot.content


def slugs_of(snapshot: Fitted) -> list[str]:
    names = part_names(snapshot)
    return sorted(name.removeprefix(FAMILY) for name in names if name.startswith(FAMILY))


def name_of(slug: str, roster: Roster) -> str:
    """What the contestant is called whose revisions are of the family."""
    members = [known for known in roster.everybody if known.family == slug]
    return max(members, key=lambda known: known.precedence).contestant if members else slug


def members_of(part: Data, roster: Roster, head: str) -> tuple[Member, ...]:
    return tuple(member_of(row, part["board"], roster, head) for row in part["members"])


def member_of(row: Data, board: str, roster: Roster, head: str) -> Member:
    boards, name = row["boards"], row["contestant"]
    return Member(
        name=name,
        address=roster.address(roster.by_name[name]),
        stage=row["stage"],
        is_head=name == head,
        votes=row["votes"],
        place=place_of(boards.get(board)),
        raw=place_of(boards.get(BoardName.RAW)) if board != BoardName.RAW else None,
        first=moment_of(row["first"]),
        last=moment_of(row["last"]),
    )


def place_of(row: Data | None) -> Place | None:
    if row is None:
        return None
    return Place(
        rating=row["rating"],
        half=(row["upper"] - row["lower"]) / 2,
        rank=row["rank"],
        rank_lower=row["rank_lower"],
        rank_upper=row["rank_upper"],
    )


def moment_of(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def direct_of(row: Data, roster: Roster) -> Direct:
    one, other = roster.by_name[row["a"]], roster.by_name[row["b"]]
    votes = row["votes"]
    points = row["won"] + 0.5 * (row["tied"] + row["both_bad"])
    expected, raw = (row[key] for key in ("expected", "expected_raw"))
    return Direct(
        one=one.name,
        other=other.name,
        address=roster.pair_address(one, other),
        votes=votes,
        won=row["won"],
        lost=row["lost"],
        tied=row["tied"],
        both_bad=row["both_bad"],
        score=points / votes,
        expected=None if expected is None else expected / votes,
        expected_raw=None if raw is None else raw / votes,
    )


def compared_of(pair: Data) -> Compared:
    tests = tuple(test_of(test) for test in pair["tests"])
    apart = frozenset(test.metric for test in tests if test.is_apart)
    is_alike = pair["prompts"] != ANY
    return Compared(
        first=pair["first"],
        second=pair["second"],
        is_alike=is_alike,
        said=words.one_model(pair, apart, tests, is_alike=is_alike),
        how=words.how_compared(pair),
        p=pair["p"],
        tests=tests,
        shares=pair["shares"],
    )


def test_of(test: Data) -> Test:
    metric = test["metric"]
    values = test["medians"] or test["means"]
    write = words.score if test["medians"] is None else words.median
    return Test(
        metric=metric,
        label=words.metric_label(metric),
        first=write(values[0]),
        second=write(values[1]),
        more=test["more"],
        p=test["p"],
        adjusted=test["adjusted"],
    )


def telling_pair(
    members: Sequence[Member], compared: Sequence[Compared]
) -> tuple[Member, Member, Compared] | None:
    """The comparison that says most of the family: of an unreleased one, the best, with whom the
    family is known by; else of any unlike stages; else the first."""
    by_name = {member.name: member for member in members}
    pairs = [(by_name[each.first], by_name[each.second], each) for each in compared]
    if not pairs:
        return None

    def precedence(pair: tuple[Member, Member, Compared]) -> tuple[bool, bool, float]:
        first, second, _ = pair
        return (
            first.is_unreleased and not second.is_unreleased,
            second.is_head,
            first.place.rating if first.place else float("-inf"),
        )

    return max(pairs, key=precedence)


# -- The best of N ---------------------------------------------------------------------------


def picked_of(best_of: Data | None, members: Sequence[Member], roster: Roster) -> Picked | None:
    """None where nothing unreleased was tested, or these votes place none of it."""
    if best_of is None or "error" in best_of:
        return None
    variants = [rated_of(row, roster, best_of["best"]) for row in best_of["variants"]]
    variants.sort(key=lambda rated: -rated.rating)
    picked, published = best_of["picked"], published_of(best_of["published"], roster)
    found = Picked(
        tested=best_of["tested"],
        variants=tuple(variants),
        best=next(rated for rated in variants if rated.is_best),
        chance=picked["chance"],
        inflation=picked["inflation"],
        spread=picked["spread"],
        p_identical=picked["p_identical"],
        corrected=picked["corrected"],
        published=published,
        sentences=(),
    )
    return replace(found, sentences=words.picked_sentences(found))


def rated_of(row: Data, roster: Roster, best: str = "") -> Rated:
    return Rated(
        name=row["contestant"],
        address=roster.address(roster.by_name[row["contestant"]]),
        votes=row["votes"],
        rating=row["rating"],
        half=(row["upper"] - row["lower"]) / 2,
        is_best=row["contestant"] == best,
    )


def published_of(row: Data | None, roster: Roster) -> Published | None:
    if row is None:
        return None
    released = row["released"]
    return Published(
        rated=rated_of(row, roster),
        released=datetime.fromisoformat(released).replace(tzinfo=UTC) if released else None,
        left_out=row["left_out"],
        lead=row["lead"]["points"],
        lead_half=(row["lead"]["upper"] - row["lead"]["lower"]) / 2,
    )


# -- Over publications -----------------------------------------------------------------------


def publications_of(snapshot: Fitted, members: Sequence[Member]) -> tuple[Publication, ...]:
    """Up to this one, the latest first: who of these stood for the family. One query."""
    if not isinstance(snapshot, Snapshot):
        return ()
    found = standings_of(None, revisions=[member.name for member in members]).filter(
        snapshot__number__lte=snapshot.number,
        snapshot__number__gte=snapshot.number - MOST_PUBLICATIONS,
    )
    rows: dict[int, dict[str, list[Standing]]] = {}
    for standing in found.order_by("snapshot__number"):
        rows.setdefault(standing.snapshot.number, {}).setdefault(standing.board, []).append(
            standing
        )
    told: list[Publication] = []
    before: Standing | None = None
    for number, boards in sorted(rows.items()):
        board = BoardName.CONTROLLED if BoardName.CONTROLLED in boards else BoardName.RAW
        head = max(boards[board], key=lambda each: stage_order(each.revision))
        raw = next(
            (
                each
                for each in boards.get(BoardName.RAW, ())
                if each.revision_id == head.revision_id
            ),
            None,
        )
        is_swap = before is not None and before.revision_id != head.revision_id
        told.append(
            Publication(
                number=number,
                published_at=head.snapshot.published_at,
                head=head.revision.name,
                rank=head.rank,
                raw_rank=raw.rank if raw else None,
                address=ledger_address(before.snapshot, head.snapshot)
                if before and is_swap
                else "",
            )
        )
        before = head
    return tuple(reversed(told[-MOST_PUBLICATIONS:]))


def stage_order(revision: Revision) -> tuple[int, int, str]:
    """As publications choose who stands for a family: the furthest released, then the newest."""
    places = {stage.value: place for place, stage in enumerate(STAGES)}
    return places[revision.stage], revision.number, revision.name


def ledger_address(before: Fitted, after: Fitted) -> str:
    query = f"from={before.short}&to={after.short}&rows=families"
    return f"{reverse('leaderboard:moved')}?{query}"


# -- All families ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A family in the list. tested: unreleased members; chance: what being the best of them adds
    where all are the same, None where there was no choice. is_apart: what was tested and what was
    released did not give like answers to the same prompts; is_level: nothing tells them apart."""

    slug: str
    name: str
    address: str
    headline: str
    revisions: int
    tested: int
    votes: int
    spread: float | None
    raw_spread: float | None
    chance: float | None
    is_apart: bool
    is_level: bool


@dataclass(frozen=True)
class IndexPage:
    snapshot: str
    made_at: datetime
    is_draft: bool
    headline: str
    subtitle: str
    lines: tuple[Line, ...]
    has_raw: bool
    query: str
    permalink: str

    @property
    def has_choice(self) -> bool:
        return any(line.chance is not None for line in self.lines)


def index_page(snapshot: Fitted, named: str) -> IndexPage:
    """named: how the address names the publication, "" where it does not."""
    roster = roster_of(snapshot, named)
    heads = snapshot.content.get("families", {})
    lines = [line_of(part, roster, heads) for part in family_parts(snapshot)]
    lines.sort(key=lambda line: (not line.is_apart, -line.tested, line.name.casefold()))
    headline = words.index_headline(lines) if is_told(snapshot) else words.untold()
    return IndexPage(
        snapshot=snapshot.short,
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        headline=headline,
        subtitle=words.index_subtitle(lines),
        lines=tuple(lines),
        has_raw=board_name(snapshot, "") != BoardName.RAW,
        query=roster.query({}),
        permalink=f"{reverse('reports:families')}?snapshot={snapshot.short}",
    )


def family_parts(snapshot: Fitted) -> list[Data]:
    """One query however many there are."""
    if not slugs_of(snapshot):
        return []
    found = Part.objects.filter(snapshot_id=snapshot.pk, name__startswith=FAMILY).order_by("name")
    return [json.loads(part.text) for part in found]


def line_of(part: Data, roster: Roster, heads: Mapping[str, str]) -> Line:
    slug = part["family"]
    members = members_of(part, roster, heads.get(slug, ""))
    telling = telling_pair(members, [compared_of(pair) for pair in part["compared"]])
    picked = picked_of(part.get("best_of"), members, roster)
    is_swap = telling is not None and telling[0].is_unreleased and not telling[1].is_unreleased
    name = name_of(slug, roster)
    return Line(
        slug=slug,
        name=name,
        address=reverse("reports:family", args=[slug]) + roster.query({}),
        headline=words.headline(name, members, telling),
        revisions=len(members),
        tested=sum(member.is_unreleased for member in members),
        votes=sum(member.votes for member in members),
        spread=spread_of([member.place for member in members]),
        raw_spread=spread_of([member.raw for member in members]),
        chance=picked.chance if picked and picked.is_choice else None,
        is_apart=bool(telling and is_swap and telling[2].is_apart and telling[2].is_alike),
        is_level=bool(telling and is_swap and not telling[2].is_apart),
    )


# -- To take away ----------------------------------------------------------------------------


def family_data(snapshot: Fitted, slug: str) -> dict[str, Any]:
    """All that the publication says of a family. Raises Unknown."""
    return told_of(snapshot) | dict(family_part(snapshot, slug))


def index_data(snapshot: Fitted, page: IndexPage) -> dict[str, Any]:
    return told_of(snapshot) | {"families": [line_data(line, page) for line in page.lines]}


def told_of(snapshot: Fitted) -> dict[str, Any]:
    return {
        "snapshot": snapshot.digest,
        "simulated_votes": snapshot.content["simulated_votes"],
    }


def line_data(line: Line, page: IndexPage) -> dict[str, Any]:
    row: dict[str, Any] = {
        "family": line.slug,
        "name": line.name,
        "revisions": line.revisions,
        "tested": line.tested,
        "votes": line.votes,
        "spread": line.spread,
    }
    if page.has_raw:
        row["raw_spread"] = line.raw_spread
    if page.has_choice:
        row["inflation_of_the_best"] = line.chance
    return row | {"finding": line.headline}
