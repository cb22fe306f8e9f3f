"""What a rating costs: price and time against rating, and who is the best of all that cost no more.

Prices are those that the catalog states now, times those measured up to the publication; ratings
are the publication's. A price is of a mix: so many of a hundred tokens are output, the others
input.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import floor, log10
from typing import Any

import numpy as np
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from arena.catalog.models import Revision, Stage
from arena.core.exceptions import BadInput
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import (
    board_document,
    board_name,
    part_get,
    revisions_by_name,
)
from arena.leaderboard.sources import latency_of, prices
from arena.leaderboard.viewing import query_of
from arena.reports import prices_words as words
from arena.reports.roster import roster_of

Data = dict[str, Any]
Sure = NDArray[np.bool_]

# Of a hundred tokens, so many are output where nobody says otherwise: three in for one out is a
# common measure of chat.
USUAL_MIX = 25
MIX_STEP = 5
# From this chance on one contestant is taken to be better than another.
SETTLED = 0.975
ON, MAYBE_ON, MAYBE_OFF, OFF = "on", "maybe-on", "maybe-off", "off"


# -- What is asked for -----------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """snapshot: as the address names it. board: whose ratings. mix: percent of output tokens."""

    snapshot: str
    board: BoardName
    usual_board: BoardName
    mix: int = USUAL_MIX

    def query(self, **changes: object) -> str:
        """With the question mark; without what is the default."""
        asked: dict[str, object] = {
            "snapshot": self.snapshot,
            "board": self.board.value,
            "mix": self.mix,
        } | changes
        usual = {"board": self.usual_board.value, "mix": USUAL_MIX}
        return query_of(
            (name, str(value))
            for name, value in asked.items()
            if value != "" and value != usual.get(name)
        )


def question_of(snapshot: Fitted, query: QueryDict) -> Question:
    """Raises NoSuchBoard or BadInput."""
    return Question(
        snapshot=query.get("snapshot", ""),
        board=board_name(snapshot, query.get("board", "")),
        usual_board=board_name(snapshot, ""),
        mix=mix_of(query.get("mix", "").strip()),
    )


def mix_of(written: str) -> int:
    if not written:
        return USUAL_MIX
    if not (written.isascii() and written.isdigit() and len(written) <= 3 and int(written) <= 100):
        raise BadInput(_("The share of output tokens is a whole number from 0 to 100."))
    return int(written)


# -- Contestants -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Rated:
    """A placed contestant. price: dollars per million tokens, in and out; latency: seconds to
    the first token; None where it is not known."""

    name: str
    address: str
    organisation: str
    rating: float
    lower: float
    upper: float
    rank: int
    price: tuple[float, float] | None
    latency: float | None

    @property
    def half(self) -> float:
        return (self.upper - self.lower) / 2


def first_tokens_of(snapshot: Fitted) -> dict[str, float]:
    """Median seconds to the first token, as its voters felt it; of a contestant whose votes carry
    no times, as the arena measured it since."""
    told = (part_get(snapshot, "field") or {}).get("metrics", {}).get("first_token")
    felt = dict(zip(told["contestants"], told["medians"], strict=True)) if told else {}
    return {**latency_of(snapshot), **felt}


def rated_by(snapshot: Fitted, question: Question) -> tuple[Rated, ...]:
    """In the board's order, but for experimental variants: these are not to be had at any price."""
    roster, latencies = roster_of(snapshot, question.snapshot), first_tokens_of(snapshot)
    standings = [
        row
        for row in board_document(snapshot, question.board)["standings"]
        if roster.by_name[row["contestant"]].stage != Stage.EXPERIMENTAL
    ]
    revisions = revisions_by_name([row["contestant"] for row in standings])
    return tuple(
        Rated(
            name=name,
            address=roster.address(roster.by_name[name]),
            organisation=roster.by_name[name].organisation,
            rating=row["rating"],
            lower=row["rating_lower"],
            upper=row["rating_upper"],
            rank=row["rank"],
            price=price_of(revisions[name]),
            latency=latencies.get(name),
        )
        for row in standings
        for name in (row["contestant"],)
    )


def tried_out(snapshot: Fitted, question: Question, rated: Sequence[Rated]) -> int:
    """How many experimental variants are placed, and left out."""
    return len(board_document(snapshot, question.board)["standings"]) - len(rated)


def price_of(revision: Revision) -> tuple[float, float] | None:
    stated = prices(revision)
    return (stated["price_in"], stated["price_out"]) if stated else None


def surely_above(snapshot: Fitted, question: Question, rated: Sequence[Rated]) -> Sure:
    """(n, n): whether the row is better than the column, beyond doubt.

    On the default board by the published chance of every pair. Of the other one no such chances
    are published, so there it takes intervals that do not touch, which asks for more.
    """
    part = part_get(snapshot, "sure") if question.board == question.usual_board else None
    if part is None or not part["better"]:
        lower = np.array([one.lower for one in rated])
        upper = np.array([one.upper for one in rated])
        return np.asarray(lower[:, None] > upper[None, :])
    names = part["contestants"]
    better = np.full((len(names), len(names)), 0.5)
    for i, row in enumerate(part["better"]):
        better[i, i + 1 :] = row
        better[i + 1 :, i] = 1.0 - np.array(row)
    place = {name: i for i, name in enumerate(names)}
    chosen = [place[one.name] for one in rated]
    return np.asarray(better[np.ix_(chosen, chosen)] >= SETTLED)


# -- The frontier ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """From the one of the frontier that costs less to this one.

    each: what one more point of rating costs. could_be_nothing: whether the points could.
    """

    name: str
    points: float
    more: float
    times: float | None
    each: float
    could_be_nothing: bool


@dataclass(frozen=True)
class Point:
    """A contestant at its cost.

    state: "on" the frontier, where nobody of no higher cost is rated above it; "maybe-on", where
    somebody could be; "maybe-off", where it could belong there; "off". step: None for the one
    that costs least, and for all that are not on the frontier.
    """

    rated: Rated
    cost: float
    state: str
    number: int = 0
    """Its place on the frontier from the least cost on; 0 off it."""
    step: Step | None = None

    @property
    def is_on(self) -> bool:
        return self.state in (ON, MAYBE_ON)

    @property
    def is_sure(self) -> bool:
        return self.state in (ON, OFF)


@dataclass(frozen=True)
class Frontier:
    """Rating against one cost. points: by cost, the higher rated first. absent: how many placed
    contestants have no known cost."""

    points: tuple[Point, ...]
    absent: int

    @cached_property
    def on(self) -> tuple[Point, ...]:
        return tuple(point for point in self.points if point.is_on)

    @property
    def sure(self) -> int:
        return sum(point.state == ON for point in self.points)

    @property
    def maybe(self) -> int:
        """Off it as it stands, but they could belong there."""
        return sum(point.state == MAYBE_OFF for point in self.points)


def frontier_of(
    rated: Sequence[Rated], above: Sure, cost_of: Callable[[Rated], float | None]
) -> Frontier | None:
    """None where nobody has a cost."""
    known = [(i, one, cost) for i, one in enumerate(rated) if (cost := cost_of(one)) is not None]
    if not known:
        return None
    known.sort(key=lambda entry: (entry[2], -entry[1].rating))
    order = [i for i, _, _ in known]
    costs = np.array([cost for _, _, cost in known])
    ratings = np.array([one.rating for _, one, _ in known])
    states = states_of(costs, ratings, above[np.ix_(order, order)])
    points = [Point(one, cost, state) for (_, one, cost), state in zip(known, states, strict=True)]
    return Frontier(tuple(stepped(points, order, above)), len(rated) - len(points))


def states_of(costs: NDArray[np.float64], ratings: NDArray[np.float64], above: Sure) -> list[str]:
    """By cost: who is on the frontier as rated, and who is beyond doubt on it or off it."""
    others = ~np.eye(len(costs), dtype=bool)
    no_dearer = (costs[:, None] >= costs[None, :]) & others
    cheaper = costs[:, None] > costs[None, :]
    # Of two alike in rating the cheaper one alone is worth its cost.
    beaten = (no_dearer & (ratings[None, :] > ratings[:, None])) | (
        cheaper & (ratings[None, :] == ratings[:, None])
    )
    is_on = ~np.logical_or.reduce(beaten, axis=1)
    surely_on = np.logical_and.reduce(above | ~no_dearer, axis=1)
    surely_off = np.logical_or.reduce(no_dearer & above.T, axis=1)
    return [
        (ON if sure_on else MAYBE_ON) if on else (OFF if sure_off else MAYBE_OFF)
        for on, sure_on, sure_off in zip(is_on, surely_on, surely_off, strict=True)
    ]


def stepped(points: Sequence[Point], order: Sequence[int], above: Sure) -> list[Point]:
    """The points in order, those of the frontier numbered and with their step from the last."""
    made: list[Point] = []
    before: tuple[Point, int] | None = None
    number = 0
    for point, i in zip(points, order, strict=True):
        if not point.is_on:
            made.append(point)
            continue
        number += 1
        step = step_between(before[0], point, not above[i, before[1]]) if before else None
        made.append(Point(point.rated, point.cost, point.state, number, step))
        before = point, i
    return made


def step_between(before: Point, point: Point, could_be_nothing: bool) -> Step | None:
    """None between two that are level in both."""
    points, more = point.rated.rating - before.rated.rating, point.cost - before.cost
    if points <= 0:
        return None
    times = point.cost / before.cost if before.cost else None
    return Step(before.rated.name, points, more, times, more / points, could_be_nothing)


# -- Where they are drawn --------------------------------------------------------------------


@dataclass(frozen=True)
class Scale:
    """From a value to percent of the drawing. Costs are drawn by their logarithm, those of
    nothing at its very edge."""

    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool

    def at(self, value: float) -> float:
        if not self.is_log:
            return 100 * (value - self.low) / (self.high - self.low)
        if value <= self.low:
            return 0.0
        return 100 * log10(value / self.low) / log10(self.high / self.low)


STEPS, CLOSE_STEPS = (1, 2, 5), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
FEWEST_TICKS, MOST_TICKS = 4, 8
ROOM = 0.06


def cost_scale(costs: Sequence[float]) -> Scale:
    """Around all costs, with round ticks; those that are nothing stand at its left end."""
    positive = [cost for cost in costs if cost > 0] or [1.0]
    room = max(10 ** (ROOM * log10(max(positive) / min(positive))), 1.3)
    # What costs nothing needs an edge of its own, clear of what costs least.
    low, high = min(positive) / room ** (2 if min(costs) <= 0 else 1), max(positive) * room
    first, last = floor(log10(low)), floor(log10(high)) + 1

    def inside_of(steps: Sequence[float]) -> list[float]:
        ticks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
        return [tick for tick in ticks if low <= tick <= high]

    inside = inside_of(STEPS)
    if len(inside) < FEWEST_TICKS:
        inside = inside_of(CLOSE_STEPS)
    if len(inside) > MOST_TICKS:
        tens = [tick for tick in inside if abs(log10(tick) - round(log10(tick))) < 1e-9]
        inside = tens if len(tens) > 1 else inside[::2]
    return Scale(low, high, tuple(inside), is_log=True)


def rating_scale(points: Sequence[Point]) -> Scale:
    low = min(point.rated.rating for point in points)
    high = max(point.rated.rating for point in points)
    halves = sorted(point.rated.half for point in points)
    # By the usual interval: one of few votes would squeeze all others together.
    reach = 1.5 * halves[len(halves) // 2] + 0.03 * (high - low) + 1.0
    low, high = low - reach, high + reach
    step = next(
        (step for step in (5, 10, 20, 25, 50, 100, 200, 500) if (high - low) / step <= MOST_TICKS),
        1000,
    )
    first = int(-(-low // step)) * step
    ticks = tuple(float(tick) for tick in range(first, int(high) + 1, step))
    return Scale(low, high, ticks, is_log=False)


# -- The page --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Panel:
    """One of the page's drawings with its table. kind: price or latency."""

    kind: str
    title: str
    said: str
    frontier: Frontier
    across: Scale
    up: Scale
    board: str

    @property
    def is_price(self) -> bool:
        return self.kind == "price"

    @cached_property
    def off(self) -> tuple[Point, ...]:
        return tuple(point for point in self.frontier.points if not point.is_on)

    @property
    def absent(self) -> str:
        return words.absent_sentence(self.kind, self.frontier.absent)


@dataclass(frozen=True)
class PricePage:
    """headline, subtitle: of the first panel. is_part: whether only what changes with the mix is
    wanted. absences: what is not known here, in sentences; left_out: who is, "" for nobody."""

    snapshot: str
    made_at: datetime
    is_draft: bool
    question: Question
    boards: tuple[tuple[str, str, bool], ...]
    """(name, address, whether it is the shown one); empty where there is one alone."""
    headline: str
    subtitle: str
    panels: tuple[Panel, ...]
    absences: tuple[str, ...]
    left_out: str
    is_simulated: bool

    @property
    def has_prices(self) -> bool:
        return any(panel.is_price for panel in self.panels)

    @property
    def address(self) -> str:
        return reverse("reports:prices") + self.question.query()

    @property
    def permalink(self) -> str:
        return reverse("reports:prices") + self.question.query(snapshot=self.snapshot)

    @property
    def within(self) -> str:
        """What keeps links within the publication that the reader named."""
        return query_of([("snapshot", self.question.snapshot)] if self.question.snapshot else [])

    @property
    def mix_words(self) -> str:
        return words.mix_words(self.question.mix)


def price_page(snapshot: Fitted, query: QueryDict) -> PricePage:
    """Raises NoSuchBoard or BadInput."""
    question = question_of(snapshot, query)
    rated = rated_by(snapshot, question)
    above = surely_above(snapshot, question, rated)
    share = question.mix / 100
    found = {
        "price": frontier_of(rated, above, lambda one: mixed(one.price, share)),
        "latency": frontier_of(rated, above, lambda one: one.latency),
    }
    panels = tuple(
        panel_of(kind, frontier, question)
        for kind, frontier in found.items()
        if frontier is not None
    )
    first = panels[0].frontier if panels else None
    return PricePage(
        snapshot=snapshot.short,
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        question=question,
        boards=boards_of(snapshot, question),
        headline=words.headline(panels[0].kind, first) if first else words.nothing_known(rated),
        subtitle=words.top_step(panels[0].kind, first) if first else "",
        panels=panels,
        absences=absences_of(found),
        left_out=words.left_out_sentence(tried_out(snapshot, question, rated)),
        is_simulated=bool(snapshot.content["simulated_votes"]),
    )


def absences_of(found: Mapping[str, Frontier | None]) -> tuple[str, ...]:
    """What is not known, where the headline does not say it: it does that of prices."""
    missing = [kind for kind, frontier in found.items() if frontier is None]
    return tuple(
        words.unknown_sentence(kind)
        for kind in missing
        if kind == "latency" or len(missing) < len(found)
    )


def mixed(price: tuple[float, float] | None, share: float) -> float | None:
    """Dollars for a million tokens of which `share` are output."""
    return None if price is None else round((1 - share) * price[0] + share * price[1], 6)


def panel_of(kind: str, frontier: Frontier, question: Question) -> Panel:
    return Panel(
        kind=kind,
        title=words.headline(kind, frontier),
        said=words.sure_sentence(kind, frontier, is_default=question.board == question.usual_board),
        frontier=frontier,
        across=cost_scale([point.cost for point in frontier.points]),
        up=rating_scale(frontier.points),
        board=question.board.value,
    )


def boards_of(snapshot: Fitted, question: Question) -> tuple[tuple[str, str, bool], ...]:
    known = [board for board in BoardName if board.value in snapshot.content["boards"]]
    if len(known) < 2:
        return ()
    address = reverse("reports:prices")
    return tuple(
        (board.value, address + question.query(board=board.value), board == question.board)
        for board in known
    )


def rows_of(panel: Panel) -> list[dict[str, Any]]:
    """As they are downloaded."""
    rows = []
    for point in panel.frontier.points:
        rated, step = point.rated, point.step
        cost = {"price": point.cost} if panel.is_price else {"seconds": point.cost}
        if panel.is_price and rated.price:
            cost |= {"price_in": rated.price[0], "price_out": rated.price[1]}
        rows.append(
            {
                "contestant": rated.name,
                **cost,
                "rating": round(rated.rating, 2),
                "rating_lower": round(rated.lower, 2),
                "rating_upper": round(rated.upper, 2),
                "frontier": point.is_on,
                "sure": point.is_sure,
                "step_points": None if step is None else round(step.points, 2),
                "step_each": None if step is None else float(f"{step.each:.4g}"),
            }
        )
    return rows
