"""How sure a publication is: what its page shows, from its parts and its default board.

What a part does not hold is absent, and one sentence says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median_low
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from scipy import special

from arena.leaderboard import sure_words
from arena.leaderboard.boards import axis, interval_words, row_of
from arena.leaderboard.certainty import first_place
from arena.leaderboard.exports import published, written
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.page import Axis
from arena.leaderboard.page import Row as BoardRow
from arena.leaderboard.selectors import (
    board_document,
    board_name,
    part_get,
    part_read,
    revisions_by_name,
)
from arena.leaderboard.sentences import joined, sentence_translated
from arena.leaderboard.sources import catalog_fields
from arena.leaderboard.templatetags.glyphs import doubt

ALL = "all"
# A board of more rows shows so many at first, and the matrix so many at once.
ROWS_AT_FIRST = 60
BLOCK = 20
FIRST = 10
TOPS = (3, 10)
# Beyond these the order of a pair is settled.
SETTLED = 0.975
LIKELY = 0.05
# Chances are published to the millionth: nearer to these no interval can be told from them.
TELLING = 1e-5
PLACE_STEPS = (1, 2, 5, 10, 20, 25, 50, 100)
MOST_PLACES = 6

Data = Mapping[str, Any]


# -- What a publication says -----------------------------------------------------------------


@dataclass(frozen=True)
class Board:
    """The default board of a publication with what is known of its certainty.

    sure, fragility: the parts; None where there is none.
    """

    snapshot: Fitted
    name: BoardName
    document: Data
    sure: Data | None
    fragility: Data | None

    @property
    def standings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.document["standings"]
        return found

    @property
    def names(self) -> list[str]:
        """Of the placed contestants, by rank."""
        return [row["contestant"] for row in self.standings]

    @property
    def counted(self) -> int:
        counted: int = self.document["counts"]["counted"]
        return counted

    def better(self, i: int, j: int) -> float:
        """P(contestant i of the part is better than j)."""
        assert self.sure is not None
        rows = self.sure["better"]
        return float(rows[i][j - i - 1] if i < j else 1.0 - rows[j][i - j - 1])

    def place_in_part(self, name: str) -> int:
        assert self.sure is not None
        place: int = self.sure["contestants"].index(name)
        return place


def board_of(snapshot: Fitted) -> Board:
    name = board_name(snapshot, "")
    sure = part_get(snapshot, "sure")
    return Board(
        snapshot=snapshot,
        name=name,
        document=board_document(snapshot, name),
        sure=sure if sure and sure["chances"] else None,
        fragility=part_get(snapshot, "fragility"),
    )


def why_absent(snapshot: Fitted, part: str) -> str:
    """Why a publication has no such part, in a sentence."""
    if snapshot.is_draft:
        return _("A draft does not work this out; its publication will.")
    content = part_read(snapshot, part)
    if content is not None and "error" in content:
        return sentence_translated(content["error"])
    return _("This publication did not work it out: too few contestants can be compared.")


# -- Everybody -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One placed contestant; what is not known is None."""

    board: BoardRow
    spread_lower: int | None
    spread_upper: int | None
    chances: tuple["Chance", ...]
    """To be the best, then to be among the first so many."""


@dataclass(frozen=True)
class Chance:
    """A probability. words: in percent; figure: the same in a table."""

    value: float
    words: str
    figure: str

    @classmethod
    def of(cls, value: float) -> "Chance":
        return cls(value, sure_words.chance(value), sure_words.cell(value))

    @property
    def is_nil(self) -> bool:
        return self.value < sure_words.NEAR_ZERO

    @property
    def is_open(self) -> bool:
        """Whether it could be either way."""
        return 1 - SETTLED < self.value < SETTLED


@dataclass(frozen=True)
class Turned:
    """What would turn the order of two contestants, in sentences and figures."""

    upper: str
    upper_rank: int
    lower: str
    lower_rank: int
    chance: Chance | None
    gap: "Gap"
    sentences: tuple[str, ...]
    votes: Data | None
    votes_share: str
    voters: Data | None
    riggings: tuple["Rigging", ...]

    @property
    def sentence(self) -> str:
        """All of them."""
        return joined(*self.sentences)

    @property
    def rigging(self) -> "Rigging | None":
        return self.riggings[0] if self.riggings else None


@dataclass(frozen=True)
class Rigging:
    sentence: str
    way: str
    """How the dishonest vote, in words."""
    cost: Data
    runs: str


@dataclass(frozen=True)
class Gap:
    """How far apart two contestants are, with the ends of the 95% interval where known."""

    points: float
    ends: tuple[float, float] | None

    @property
    def half(self) -> float | None:
        return (self.ends[1] - self.ends[0]) / 2 if self.ends else None

    @property
    def is_open(self) -> bool:
        return self.ends is None or self.ends[0] <= 0 <= self.ends[1]


@dataclass(frozen=True)
class SurePage:
    headline: str
    subtitle: str
    eyebrow_date: datetime
    is_draft: bool
    snapshot: str
    digest: str
    engine: str
    interval: str
    board: str
    counted: int
    read: int
    rows: tuple[Row, ...]
    placed: int
    all_rows: str
    """The address that shows every row; "" where all are shown."""
    axis: Axis
    places: tuple[int, ...]
    """Ticks of the axis of places."""
    tops: tuple[int, ...]
    neighbours: str
    """What is found of everybody, as a heading; then of ratings, places and the first place."""
    ratings: str
    sets: str
    best: str
    unplaced: str
    """Who is not on the page at all, as the votes place them nowhere; "" for nobody."""
    no_sets: str
    no_chances: str
    """Why rank sets and chances are absent; "" where they are not."""
    matrix: str
    """The address of the first block of the matrix; "" where there is none."""
    turned: tuple[Turned, ...]
    no_turned: str
    has_voters: bool
    no_voters: str
    weakest: str
    cheapest: str
    names: tuple[str, ...]
    query: str

    @property
    def address(self) -> str:
        return reverse("leaderboard:sure")

    @property
    def permalink(self) -> str:
        return f"{self.address}?{urlencode({'snapshot': self.snapshot})}"


def sure_page(board: Board, query: QueryDict) -> SurePage:
    snapshot = board.snapshot
    rows = board_rows(board)
    shown = rows if query.get("show") == ALL else rows[:ROWS_AT_FIRST]
    turned = neighbours_turned(board)
    named = {"snapshot": snapshot.short} if query.get("snapshot") else {}
    counts, unplaced = board.document["counts"], board.document["unplaced"]
    return SurePage(
        headline=headline(board),
        subtitle=_(
            "Every number here comes from the publication's votes, and says how far it can be "
            "trusted: where everyone may stand, who is better than whom, and how few votes would "
            "change it."
        ),
        eyebrow_date=snapshot.made_at,
        is_draft=snapshot.is_draft,
        snapshot=snapshot.short,
        digest=snapshot.digest,
        engine=snapshot.engine,
        interval=interval_words(dict(board.document)),
        board=board.name.value,
        counted=counts["counted"],
        read=counts["read"],
        rows=with_chances(board, shown),
        placed=len(rows),
        all_rows=""
        if len(shown) == len(rows)
        else f"{reverse('leaderboard:sure')}?{urlencode(named | {'show': ALL})}#everybody",
        axis=axis(rows),
        places=place_ticks(len(rows)),
        tops=tops_of(board),
        neighbours=neighbours_found(board),
        ratings=ratings_found(rows),
        sets=sets_found(board),
        best=best_found(board),
        unplaced=sure_words.unplaced_words([row["contestant"] for row in unplaced]),
        no_sets=no_sets(board),
        no_chances=no_chances(board),
        matrix=matrix_address(snapshot, 1) if board.sure and len(rows) > 1 else "",
        turned=turned,
        no_turned="" if turned else no_turned(board),
        has_voters=any(pair.voters for pair in turned),
        no_voters=""
        if not turned or board.document["clustered"]
        else _("The voters are not known here, so only single votes can be left out."),
        weakest=weakest(turned),
        cheapest=cheapest(turned),
        names=tuple(board.names) if board.sure else (),
        query=f"?{urlencode(named)}" if named else "",
    )


def board_rows(board: Board) -> tuple[BoardRow, ...]:
    revisions = revisions_by_name(board.names)
    return tuple(
        row_of(row | catalog_fields(revisions[row["contestant"]])) for row in board.standings
    )


def with_chances(board: Board, rows: Sequence[BoardRow]) -> tuple[Row, ...]:
    chances = {entry["contestant"]: entry for entry in board.sure["chances"]} if board.sure else {}
    tops = tops_of(board)
    return tuple(row_with(row, chances.get(row.name), tops) for row in rows)


def row_with(row: BoardRow, entry: Data | None, tops: Sequence[int]) -> Row:
    if entry is None:
        return Row(row, None, None, ())
    values: list[float] = []
    if entry["best"] is not None:
        values = [entry["best"], *(entry["top"][top - 1] for top in tops)]
    return Row(row, entry["spread_lower"], entry["spread_upper"], tuple(map(Chance.of, values)))


def tops_of(board: Board) -> tuple[int, ...]:
    """Such of TOPS as leave somebody out; none where the chances are not known."""
    if board.sure is None or board.sure["chances"][0]["best"] is None:
        return ()
    return tuple(top for top in TOPS if top < len(board.sure["chances"]))


def place_ticks(placed: int) -> tuple[int, ...]:
    """The first place, the last, and round ones between."""
    step = next((step for step in PLACE_STEPS if placed / step <= MOST_PLACES), PLACE_STEPS[-1])
    between = [place for place in range(step, placed, step) if 1 < place < placed - step / 2]
    return tuple(sorted({1, *between, placed}))


def matrix_address(snapshot: Fitted, start: int) -> str:
    named = {"snapshot": snapshot.short} | ({"from": start} if start > 1 else {})
    return f"{reverse('leaderboard:sure-pairs')}?{urlencode(named)}"


# -- Findings --------------------------------------------------------------------------------


def headline(board: Board) -> str:
    if not board.standings:
        return _("Nobody can be placed yet.")
    if len(board.standings) == 1:
        return _("%(name)s is the only one that can be placed.") % {"name": board.names[0]}
    possible = [row["contestant"] for row in board.standings if row["rank_lower"] == 1]
    if not possible:
        return _("Too few voters to say how sure the ranks are.")
    sentence = first_place(board.snapshot, is_settled=len(possible) == 1)
    return sentence or sure_words.first_sentence(possible)


def neighbours_found(board: Board) -> str:
    if board.sure is None or len(board.names) < 2:
        return _("Where everyone may stand")
    places = [board.place_in_part(name) for name in board.names]
    found = [Chance.of(board.better(i, j)) for i, j in pairwise(places)]
    return sure_words.neighbours_sentence(sum(chance.is_open for chance in found), len(found))


def ratings_found(rows: Sequence[BoardRow]) -> str:
    if not rows:
        return ""
    half = doubt(median_low(row.half for row in rows))
    return _("The usual rating is known to %(half)s points.") % {"half": half}


def sets_found(board: Board) -> str:
    sets = [
        row["rank_upper"] - row["rank_lower"] + 1
        for row in board.standings
        if row["rank_lower"] is not None
    ]
    if not sets:
        return ""
    return sure_words.sets_sentence(median_low(sets), sets.count(1), len(sets))


def best_found(board: Board) -> str:
    if board.sure is None or board.sure["chances"][0]["best"] is None:
        return ""
    chances = [entry["best"] for entry in board.sure["chances"]]
    return sure_words.best_sentence(sum(best >= LIKELY for best in chances), len(chances))


def no_sets(board: Board) -> str:
    if all(row["rank_lower"] is not None for row in board.standings):
        return ""
    return _("Rank sets are absent: too few voters for statements about all ranks at once.")


def no_chances(board: Board) -> str:
    if board.sure is None:
        return why_absent(board.snapshot, "sure")
    if board.sure["chances"][0]["best"] is None:
        return _("Chances of places are absent: too few voters for them.")
    return ""


def weakest(turned: Sequence[Turned]) -> str:
    """Which order the fewest votes hold."""
    known = [pair for pair in turned if pair.votes and pair.votes["fewest"]]
    if not known:
        return _("What would undo an order")
    pair = min(known, key=lambda pair: pair.votes["fewest"] if pair.votes else 0)
    assert pair.votes is not None
    return _("The weakest order, %(upper)s above %(lower)s, rests on %(votes)s") % {
        "votes": sure_words.votes_words(pair.votes["votes"]),
        "upper": pair.upper,
        "lower": pair.lower,
    }


def cheapest(turned: Sequence[Turned]) -> str:
    """Which place is the cheapest to rig."""
    known = [pair for pair in turned if pair.rigging and pair.rigging.cost["votes"]]
    if not known:
        return _("What rigging would cost")
    pair = min(known, key=lambda pair: pair.rigging.cost["votes"] if pair.rigging else 0)
    assert pair.rigging is not None
    return _("The cheapest place to rig costs %(votes)s: %(lower)s over %(upper)s") % {
        "votes": sure_words.votes_words(pair.rigging.cost["votes"]),
        "lower": pair.lower,
        "upper": pair.upper,
    }


# -- Neighbours ------------------------------------------------------------------------------


def neighbours_turned(board: Board) -> tuple[Turned, ...]:
    """Of the first, each with the next."""
    if board.fragility is None:
        return ()
    costs = {cost["contestant"]: cost for cost in board.fragility["rigging"]}
    by_pair: dict[tuple[str, str], list[Data]] = {}
    for pair in board.fragility["pairs"]:
        by_pair.setdefault((pair["contestant"], pair["opponent"]), []).append(pair)
    return tuple(
        turned_of(board, upper, lower, found, [costs[lower]] if lower in costs else [])
        for (upper, lower), found in by_pair.items()
    )


def turned_of(
    board: Board,
    upper: str,
    lower: str,
    found: Sequence[Data],
    costs: Sequence[Data],
    difference: Data | None = None,
) -> Turned:
    """difference: as a fit of the votes has it, where one was made."""
    by_unit = {pair["unit"]: pair for pair in found}
    votes, voters = by_unit.get("vote"), by_unit.get("voter")
    ranks = {row["contestant"]: row["rank"] for row in board.standings}
    swap = {"upper": f"#{ranks[upper]}", "lower": f"#{ranks[lower]}"}
    sentences = []
    if votes:
        sentences.append(sure_words.votes_sentence(votes, swap, board.counted))
    if voters:
        sentences.append(sure_words.voters_sentence(voters, swap))
    return Turned(
        upper=upper,
        upper_rank=ranks[upper],
        lower=lower,
        lower_rank=ranks[lower],
        chance=chance_between(board, upper, lower),
        gap=gap_of(difference) if difference else gap_between(board, upper, lower),
        sentences=tuple(sentences),
        votes=votes,
        votes_share=sure_words.share(votes["share"]) if votes and votes["share"] else "",
        voters=voters,
        riggings=tuple(rigging_shown(cost, upper) for cost in costs),
    )


def rigging_shown(cost: Data, upper: str) -> Rigging:
    ways = {
        "target_only": _("voting for it wherever it takes part"),
        "omnipresent": _("voting for it, and elsewhere against those above it"),
    }
    return Rigging(
        sentence=sure_words.rigging_sentence(cost, upper),
        way=ways[cost["strategy"]],
        cost=cost,
        runs=sure_words.runs_words(cost),
    )


def no_turned(board: Board) -> str:
    if board.fragility is None:
        return why_absent(board.snapshot, "fragility")
    return _("No two neighbours among the first stand in an order that could be turned.")


def chance_between(board: Board, upper: str, lower: str) -> Chance | None:
    if board.sure is None:
        return None
    return Chance.of(board.better(board.place_in_part(upper), board.place_in_part(lower)))


def gap_of(difference: Data) -> Gap:
    return Gap(difference["difference"], (difference["lower"], difference["upper"]))


def gap_between(board: Board, upper: str, lower: str) -> Gap:
    """The interval is read off the chance, which is that of a normal or t with this difference."""
    ratings = {row["contestant"]: row["rating"] for row in board.standings}
    points = ratings[upper] - ratings[lower]
    found = chance_between(board, upper, lower)
    if found is None or not TELLING < abs(found.value - 0.5) < 0.5 - TELLING:
        return Gap(points, None)
    reach = points * deviate(board, SETTLED) / deviate(board, found.value)
    return Gap(points, (points - abs(reach), points + abs(reach)))


def deviate(board: Board, value: float) -> float:
    """Standard errors above zero at which so much of the estimate's distribution lies below."""
    if not board.document["clustered"]:
        return float(special.ndtri(value))
    return float(special.stdtrit(board.document["effective_voters"] - 1.0, value))


# -- As data ---------------------------------------------------------------------------------

CSV_COLUMNS = (
    *("model_name", "organization", "rank", "rank_lower", "rank_upper"),
    *("spread_lower", "spread_upper", "rating", "rating_lower", "rating_upper"),
)


def sure_csv(snapshot: Fitted) -> str:
    """A row for each placed contestant, with what is known of its places."""
    board = board_of(snapshot)
    tops = tops_of(board)
    chances = () if no_chances(board) else ("p_best", *(f"p_top_{top}" for top in tops))
    return written(
        (*CSV_COLUMNS, *chances),
        [csv_row(row, chances) for row in with_chances(board, board_rows(board))],
    )


def csv_row(row: Row, chances: Sequence[str]) -> dict[str, Any]:
    shown = row.board
    return {
        "model_name": shown.name,
        "organization": shown.organisation,
        "rank": shown.rank,
        "rank_lower": shown.rank_lower,
        "rank_upper": shown.rank_upper,
        "spread_lower": row.spread_lower,
        "spread_upper": row.spread_upper,
        "rating": shown.rating,
        "rating_lower": shown.lower,
        "rating_upper": shown.upper,
        **{name: chance.value for name, chance in zip(chances, row.chances, strict=True)},
    }


def sure_data(snapshot: Fitted) -> dict[str, Any]:
    """Both parts whole, with the board's standings that they are about."""
    board = board_of(snapshot)
    return {
        "snapshot": snapshot.digest,
        "board": board.name.value,
        "published_at": published(snapshot),
        "engine": snapshot.engine,
        "simulated_votes": snapshot.content["simulated_votes"],
        "counted": board.counted,
        "clustered": board.document["clustered"],
        "effective_voters": board.document["effective_voters"],
        "standings": board.standings,
        "sure": board.sure,
        "fragility": board.fragility,
    }
