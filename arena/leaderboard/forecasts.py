"""What a publication expects of a vote, and how the expectations of those before it came true.

Nothing is fitted here. A publication counts a tie, and both bad, as half a win for either side, so
a gap in log-odds gives A an expected score p and says nothing of how often votes are undecided.
They are taken to be as frequent as among all votes of the publication; the chance that A is called
better is then p less half of theirs, which keeps the expected score that was fitted.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from arena.leaderboard.exports import movements
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.selectors import board_name, snapshot_get, snapshots_up_to
from ranking.covariates import CONTROLS, pair_difference

# Publications whose forecasts are compared with the votes that came after them.
COMPARED = 10
FORECASTS_NEEDED = 50
BIN = 10
NOTHING = 1e-6

Pair = tuple[str, str]
Counts = tuple[int, int, int, int]
"""First better, second better, tie, both bad."""


@dataclass(frozen=True)
class Chances:
    """Of the four outcomes; they add up to 1."""

    a: float
    tie: float
    both_bad: float
    b: float

    @property
    def decided(self) -> float:
        """A's share of decided votes; ½ where none ever is."""
        decided = self.a + self.b
        return self.a / decided if decided else 0.5


@dataclass(frozen=True)
class Undecided:
    """Shares of all votes of a publication."""

    tie: float
    both_bad: float

    @property
    def both(self) -> float:
        return self.tie + self.both_bad

    def chances(self, gap: float) -> Chances:
        """gap: in log-odds, positive where A is expected to win."""
        score = 1 / (1 + math.exp(-gap))
        # So uneven a pair leaves no room for as many undecided votes as others have.
        undecided = min(self.both, 2 * score, 2 * (1 - score))
        part = undecided / self.both if self.both else 0.0
        return Chances(
            a=score - undecided / 2,
            tie=part * self.tie,
            both_bad=part * self.both_bad,
            b=1 - score - undecided / 2,
        )


@dataclass(frozen=True)
class Pull:
    """What one difference between two answers adds to A's log-odds, ± `half` at 95%.

    a and b: the counts that differ; of the side shown first 1 and 0.
    """

    name: str
    log_odds: float
    half: float
    a: float
    b: float

    @property
    def is_sure(self) -> bool:
        return abs(self.log_odds) > self.half


@dataclass(frozen=True)
class Past:
    """Earlier forecasts of `low` to `low` + BIN chances in 100."""

    low: int
    forecasts: int
    came_true: int


@dataclass(frozen=True)
class Forecaster:
    """A publication as far as forecasts need it. standings and unplaced: the document's rows."""

    digest: str
    board: BoardName
    standings: Mapping[str, Mapping[str, Any]]
    unplaced: Mapping[str, Mapping[str, Any]]
    coefficients: tuple[Mapping[str, Any], ...]
    position: Mapping[str, Any] | None
    met: Mapping[Pair, Counts]
    undecided: Undecided
    past: tuple[Past, ...]

    def gap(self, a: str, b: str) -> float | None:
        """Log-odds of A over B, written alike; None where one is not placed."""
        if a not in self.standings or b not in self.standings:
            return None
        return float(self.standings[a]["theta"] - self.standings[b]["theta"])

    def style(self, a: Mapping[str, int], b: Mapping[str, int]) -> tuple[Pull, ...]:
        """What the differences of these two answers' metrics pull at."""
        return tuple(
            style_pull(coefficient, a[metric], b[metric])
            for coefficient in self.coefficients
            if (metric := CONTROLS[coefficient["name"]])
        )

    def first_place(self) -> Pull | None:
        """What being shown first does for A; None where the publication does not tell."""
        if self.position is None:
            return None
        return Pull("position", self.position["value"], half_of(self.position), 1, 0)

    def past_of(self, chance: float) -> Past | None:
        """Earlier forecasts about as likely; None where too few to compare with."""
        low = min(int(100 * chance) // BIN * BIN, 100 - BIN)
        found = next((past for past in self.past if past.low == low), None)
        return found if found and found.forecasts >= FORECASTS_NEEDED else None

    def meetings(self, a: str, b: str) -> Counts | None:
        """How their votes went, as seen from `a`."""
        if a < b:
            return self.met.get((a, b))
        seen = self.met.get((b, a))
        return (seen[1], seen[0], seen[2], seen[3]) if seen else None


def half_of(coefficient: Mapping[str, Any]) -> float:
    return float(coefficient["upper"] - coefficient["lower"]) / 2


def style_pull(coefficient: Mapping[str, Any], a: int, b: int) -> Pull:
    difference = float(pair_difference(np.array([float(a)]), np.array([float(b)]))[0])
    column = difference / coefficient["scale"]
    half = abs(column) * half_of(coefficient)
    return Pull(coefficient["name"], column * coefficient["value"], half, a, b)


def points(pulls: tuple[Pull, ...], undecided: Undecided) -> tuple[float, ...]:
    """Percentage points of decided votes that each pull moves towards A, between equals.

    Log-odds add up and percentages do not, so all of what they do together is shared out in
    proportion to their log-odds: the points add up to it, in whatever order they are taken.
    """
    together = sum(pull.log_odds for pull in pulls)
    # Nearly a constant around 0, where the ratio itself cannot be computed.
    probe = together if abs(together) > NOTHING else NOTHING
    per_log_odd = (undecided.chances(probe).decided - 0.5) / probe
    return tuple(100 * per_log_odd * pull.log_odds for pull in pulls)


# -- From documents --------------------------------------------------------------------------


@lru_cache(maxsize=4)
def forecaster(digest: str) -> Forecaster:
    """Of the publication of that digest, which says the same for ever. Raises NoSuchSnapshot."""
    snapshot = snapshot_get(digest)
    board = board_name(snapshot, "")
    document, met = snapshot.content["boards"][board], counts_by_pair(snapshot.content)
    moved = movements(snapshot, board)
    return Forecaster(
        digest=digest,
        board=board,
        standings={
            row["contestant"]: row | moved.get(row["contestant"], {})
            for row in document["standings"]
        },
        unplaced={row["contestant"]: row for row in document["unplaced"]},
        coefficients=tuple(document["coefficients"]),
        position=document["position"],
        met=met,
        undecided=undecided_of(met),
        past=past_forecasts(snapshot),
    )


def counts_by_pair(content: Mapping[str, Any]) -> dict[Pair, Counts]:
    """Votes of each pair that met, as seen from the first of both names in order."""
    names = content["pairs"]["contestants"]
    counts: dict[Pair, Counts] = {}
    for a, b, won, lost, tie, bad in content["pairs"]["rows"]:
        if names[a] < names[b]:
            counts[names[a], names[b]] = (won, lost, tie, bad)
        else:
            counts[names[b], names[a]] = (lost, won, tie, bad)
    return counts


def undecided_of(met: Mapping[Pair, Counts]) -> Undecided:
    won, lost, tie, bad = (sum(column) for column in zip(*met.values(), strict=True))
    total = won + lost + tie + bad
    return Undecided(tie / total, bad / total)


# -- Forecasts that votes have answered ------------------------------------------------------


def past_forecasts(snapshot: Snapshot) -> tuple[Past, ...]:
    """How the latest publications before this one forecast the votes that came after each.

    A vote answers two forecasts: that the one is called better, and that the other is. They
    rest on the raw board, because votes per pair do not tell how the answers were written.
    """
    made, true = [0] * (100 // BIN), [0] * (100 // BIN)
    documents = (each.content for each in snapshots_up_to(snapshot.number, COMPARED + 1))
    for newer, older in pairwise(documents):
        for chance, came_true, votes in answered(older, newer):
            place = min(int(100 * chance) // BIN, len(made) - 1)
            made[place] += votes
            true[place] += came_true
    return tuple(Past(place * BIN, made[place], true[place]) for place in range(len(made)))


def answered(
    older: Mapping[str, Any], newer: Mapping[str, Any]
) -> Iterator[tuple[float, int, int]]:
    """(chance that `older` gave it, how often it came true, of how many votes) per forecast.

    A pair from which votes were taken out since then is left out: what came after cannot be told.
    """
    thetas = {
        row["contestant"]: row["theta"] for row in older["boards"][BoardName.RAW]["standings"]
    }
    before = counts_by_pair(older)
    undecided = undecided_of(before)
    for pair, counts in counts_by_pair(newer).items():
        since = [now - then for now, then in zip(counts, before.get(pair, (0,) * 4), strict=True)]
        first, second = pair
        if min(since) < 0 or first not in thetas or second not in thetas:
            continue
        chances = undecided.chances(thetas[first] - thetas[second])
        yield chances.a, since[0], sum(since)
        yield chances.b, since[1], sum(since)
