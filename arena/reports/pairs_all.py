"""All pairs of a publication: who beats whom, as observed and as its boards predict it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from arena.core.exceptions import BadInput
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import board_document, board_name
from arena.leaderboard.sentences import grouped
from arena.reports import pairs_all_words as words
from arena.reports.figures import Figure, Shown
from arena.reports.pairs_matrix import NUMBERED, Pairs, cell_size, pairs_of
from arena.reports.roster import Roster, roster_of

if TYPE_CHECKING:
    from ranking.pictures import Chart
    from ranking.plots.themes import Theme

# So many places are shown at first, and at most.
BLOCK, MOST = 20, 60
# So many of the most surprising are listed.
TOLD = 12
# What a kept page may be asked for: of each there are few. Places are endless.
KNOWN = frozenset({"board"})


# -- What is asked for -----------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """Places from `first` to `last` of a board, both counted from 1 and within it; of one that
    places nobody none, from 1 to 0.

    snapshot: as the address names it. is_default_board, are_first: whether it names none.
    """

    board: BoardName
    first: int
    last: int
    snapshot: str
    is_default_board: bool
    are_first: bool

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    def query(self, **others: str) -> str:
        """What names this in an address."""
        named = {"snapshot": self.snapshot} if self.snapshot else {}
        if not self.is_default_board:
            named["board"] = self.board.value
        if not self.are_first:
            named |= {"from": str(self.first), "to": str(self.last)}
        named |= others
        return f"?{urlencode(named)}" if named else ""


def asked_of(snapshot: Fitted, query: QueryDict) -> Asked:
    """Raises NoSuchBoard, or BadInput for places that the board has not."""
    board = board_name(snapshot, query.get("board", ""))
    placed = len(board_document(snapshot, board)["standings"])
    if query.get("show") == "all":
        first, last = 1, min(placed, MOST)
    else:
        first = place_asked(query.get("from") or "1", placed)
        to = query.get("to")
        last = place_asked(to, placed) if to else min(placed, first + BLOCK - 1)
    if placed and last < first:
        first, last = last, first
    if first == last and placed > 1:
        # One alone has nobody to be shown against.
        first, last = max(first - 1, 1), max(last, 2)
    return Asked(
        board=board,
        first=first,
        last=min(last, first + MOST - 1),
        snapshot=snapshot.short if query.get("snapshot") else "",
        is_default_board=board == board_name(snapshot, ""),
        are_first=(first, last) == (1, min(placed, BLOCK)),
    )


def place_asked(text: str, placed: int) -> int:
    """A place of the board; its last one for any beyond."""
    if not placed:
        return 1
    if not (text.isascii() and text.isdecimal() and len(text) < 7 and int(text) > 0):
        told = {"place": text[:20], "placed": grouped(placed)}
        raise BadInput(_("'%(place)s' is no place. They run from 1 to %(placed)s.") % told)
    return min(int(text), placed)


# -- The page --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """A link to the same page otherwise."""

    label: str
    address: str
    is_here: bool


@dataclass(frozen=True)
class Line:
    """A pair in a list. surprise: how far from expected, in words."""

    first: str
    second: str
    address: str
    votes: int
    observed: str
    expected: str
    surprise: str
    is_sure: bool


@dataclass(frozen=True)
class Cell:
    """observed: of a hundred, "" where they never met."""

    observed: str
    predicted: str
    address: str


@dataclass(frozen=True)
class Row:
    place: int
    name: str
    address: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class PairsPage:
    headline: str
    subtitle: str
    asked: Asked
    placed: int
    boards: tuple[Way, ...]
    blocks: tuple[Way, ...]
    lines: tuple[Line, ...]
    lines_heading: str
    rows: tuple[Row, ...]
    figures: tuple[Shown, ...]
    permalink: str
    snapshot: Fitted

    @property
    def is_numbered(self) -> bool:
        return self.asked.size <= NUMBERED


def pairs_page(snapshot: Fitted, query: QueryDict) -> PairsPage:
    asked = asked_of(snapshot, query)
    pairs = pairs_of(snapshot, asked.board)
    roster = roster_of(snapshot, asked.snapshot)
    return PairsPage(
        headline=words.headline(pairs),
        subtitle=words.subtitle(pairs),
        asked=asked,
        placed=len(pairs.names),
        boards=boards(snapshot, asked),
        blocks=blocks(asked, len(pairs.names)),
        lines=surprising(pairs, roster),
        lines_heading=words.lines_heading(pairs),
        rows=rows_of(pairs, asked, roster) if 1 < asked.size <= NUMBERED else (),
        figures=shown_figures(snapshot, pairs, asked),
        permalink=reverse("reports:pairs") + asked.query(snapshot=snapshot.short),
        snapshot=snapshot,
    )


def boards(snapshot: Fitted, asked: Asked) -> tuple[Way, ...]:
    """Nothing where there is no choice."""
    labels = {BoardName.CONTROLLED: _("style controlled"), BoardName.RAW: _("raw")}
    default = board_name(snapshot, "")
    found = [board for board in labels if board in snapshot.content["boards"]]
    if len(found) < 2:
        return ()
    places = {} if asked.are_first else {"from": str(asked.first), "to": str(asked.last)}
    named = ({"snapshot": asked.snapshot} if asked.snapshot else {}) | places
    return tuple(
        Way(
            str(labels[board]),
            address(named if board == default else named | {"board": board.value}),
            board == asked.board,
        )
        for board in found
    )


def blocks(asked: Asked, placed: int) -> tuple[Way, ...]:
    """Of BLOCK places each, and all together where that is not too many."""
    if placed <= BLOCK:
        return ()
    named = {"snapshot": asked.snapshot} if asked.snapshot else {}
    if not asked.is_default_board:
        named["board"] = asked.board.value
    found = []
    for start in range(1, placed + 1, BLOCK):
        last = min(start + BLOCK - 1, placed)
        # Of a last one that would stand alone the neighbour is shown too.
        first = min(start, last - 1)
        places = {"from": str(first), "to": str(last)} if first > 1 else {}
        is_here = (first, last) == (asked.first, asked.last)
        found.append(Way(f"{first}–{last}", address(named | places), is_here))
    last = min(placed, MOST)
    label = _("all") if placed <= MOST else _("the first %(most)s") % {"most": MOST}
    is_here = (asked.first, asked.last) == (1, last)
    return (*found, Way(label, address(named | {"show": "all"}), is_here))


def address(named: Mapping[str, str]) -> str:
    return reverse("reports:pairs") + (f"?{urlencode(named)}" if named else "")


def surprising(pairs: Pairs, roster: Roster) -> tuple[Line, ...]:
    """The pairs farthest from what the raw board expects, whoever won more than expected first."""
    upward = np.nan_to_num(np.triu(np.abs(pairs.surprise), 1))
    order = np.argsort(-upward, axis=None, kind="stable")[:TOLD]
    found = [np.unravel_index(k, upward.shape) for k in order if upward.flat[k] > 0]
    return tuple(line_of(pairs, roster, int(i), int(j)) for i, j in found)


def line_of(pairs: Pairs, roster: Roster, i: int, j: int) -> Line:
    if pairs.surprise[i, j] < 0:
        i, j = j, i
    surprise = float(pairs.surprise[i, j])
    return Line(
        first=pairs.names[i],
        second=pairs.names[j],
        address=pair_address(roster, pairs.names[i], pairs.names[j]),
        votes=int(pairs.votes[i, j]),
        observed=words.percent(pairs.observed[i, j]),
        expected=words.percent(pairs.expected[i, j]),
        surprise=words.decimal(surprise),
        is_sure=surprise > pairs.threshold,
    )


def pair_address(roster: Roster, one: str, other: str) -> str:
    """Empty for somebody whom pages may not speak of."""
    known = roster.by_name
    if one not in known or other not in known:
        return ""
    return roster.pair_address(known[one], known[other])


def rows_of(pairs: Pairs, asked: Asked, roster: Roster) -> tuple[Row, ...]:
    observed, chosen = pairs.observed, range(asked.first - 1, asked.last)
    # A pair has one page, whichever of the two is the row.
    addresses = {
        (i, j): pair_address(roster, pairs.names[i], pairs.names[j])
        for i, j in combinations(chosen, 2)
    }

    def cell(i: int, j: int) -> Cell | None:
        if i == j:
            return None
        return Cell(
            observed=words.percent(observed[i, j]) if pairs.votes[i, j] else "",
            predicted=words.percent(pairs.level[i, j]),
            address=addresses[min(i, j), max(i, j)],
        )

    found = []
    for i in chosen:
        known = roster.by_name.get(pairs.names[i])
        here = roster.address(known) if known else ""
        found.append(Row(i + 1, pairs.names[i], here, tuple(cell(i, j) for j in chosen)))
    return tuple(found)


# -- Figures ---------------------------------------------------------------------------------


def charts() -> ModuleType:
    """Imported with its libraries where a figure is drawn."""
    from arena.reports.charts import pairs_all

    return pairs_all


def figures(snapshot: Fitted, pairs: Pairs, asked: Asked) -> tuple[Figure, ...]:
    """Observed and predicted scores and counts of votes; none for fewer than two contestants."""
    if asked.size < 2 or len(pairs.names) < 2:
        return ()
    chosen = np.arange(asked.first - 1, asked.last)
    data, size = rows_of_data(pairs, chosen), size_of(pairs, chosen)
    told = {"rows": data, "size": size, "headings": words.headings()}

    def draw(kind: str, theme: Theme) -> Chart:
        chart: Chart = charts().heatmap(snapshot, pairs, chosen, kind, theme)
        return chart

    return tuple(
        Figure(
            name=kind,
            title=words.title(pairs, chosen, kind),
            words=words.told(pairs, chosen, kind),
            note=words.caption(pairs, kind, len(chosen)),
            draw=partial(draw, kind),
            **told,  # type: ignore[arg-type]
        )
        for kind in ("observed", "predicted", "votes")
    )


def shown_figures(snapshot: Fitted, pairs: Pairs, asked: Asked) -> tuple[Shown, ...]:
    return tuple(
        Shown(figure, figure_address(figure.name), asked.query())
        for figure in figures(snapshot, pairs, asked)
    )


def figure_address(name: str) -> str:
    return reverse("reports:pairs-figure", args=[name, "svg"]).removesuffix(".svg")


def rows_of_data(pairs: Pairs, chosen: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """One for each two of those that are shown, whether or not they met."""
    observed = pairs.observed
    return [
        {
            "contestant": pairs.names[i],
            "opponent": pairs.names[j],
            "votes": int(pairs.votes[i, j]),
            "observed": rounded(observed[i, j]),
            "predicted": rounded(pairs.level[i, j]),
            "expected_raw": rounded(pairs.expected[i, j]),
            "surprise": rounded(pairs.surprise[i, j]),
        }
        for k, i in enumerate(chosen)
        for j in chosen[k + 1 :]
    ]


def rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def size_of(pairs: Pairs, chosen: np.ndarray[Any, Any]) -> tuple[int, int]:
    """About how large the picture is: cells, and names on two sides."""
    longest = max(len(pairs.names[i]) for i in chosen)
    side = cell_size(len(chosen)) * len(chosen) + min(180, 6 * longest + 10) + 24
    return side, side
