"""What the method rests on: sides, ties, voters, forecasts, circles.

One part of sections, each a plain object; one that these votes cannot give says why in `error`
and hides no other, and one that they have nothing for is absent:

    sides      how often the answer shown first wins, and whether the coin of sides is fair
    alone      votes of battles of a contestant against itself
    ties       how many votes are ties and both bad, by how even the two are and how strong
    voters     how many there are, and whose votes these are
    exposure   whom the votes showed, against who was there
    draws      how often pairs met, against the probability they were drawn with
    forecasts  scores of each board on votes it has not seen, and their reliability
    circles    what no single scale explains, and the pairs that fit it worst
    graph      who is connected with whom
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ranking.analysis.exposures import Drawn, coin, drawn_of, draws, exposure
from ranking.analysis.forecasts import forecasts
from ranking.analysis.shares import clustered_share, equal_parts, rounded, voters_of
from ranking.analysis.sources import FAILURES, Part, Sources, reason
from ranking.arrays import FloatArray, IndexArray
from ranking.calibration import leads, strengths
from ranking.graph import WinGraph
from ranking.intransitivity import measure_intransitivity
from ranking.publication import Publication
from ranking.selection import select_votes
from ranking.votes import A_WINS, B_WINS, BOTH_BAD, OUTCOMES, TIE, Votes

Json = dict[str, Any]

SIMULATIONS = 100
MOST_STRIKING = 12
LEVELS, VOTES_A_LEVEL = 5, 100
TOP_SHARES = (0.001, 0.01, 0.1, 0.5)
CURVE_POINTS = 50


def method_part(sources: Sources, published: Publication) -> Iterator[Part]:
    """The one part `method`."""
    votes = sources.votes
    chosen, _ = select_votes(votes, published.default.spec)
    rows, drawn = np.flatnonzero(chosen), drawn_of(votes)
    makers: dict[str, Callable[[], Json | None]] = {
        "sides": lambda: sides(votes, rows, drawn, published),
        "alone": lambda: alone(votes, published.default.spec.confidence),
        "ties": lambda: ties(votes, rows, published),
        "voters": lambda: voters(votes, rows, published),
        "exposure": lambda: exposure(sources, drawn),
        "draws": lambda: draws(votes, drawn),
        "forecasts": lambda: forecasts(sources, published),
        "circles": lambda: circles(votes, published),
        "graph": lambda: graph(votes, rows, published),
    }
    made = {name: attempted(make) for name, make in makers.items()}
    yield "method", {name: section for name, section in made.items() if section is not None}


def attempted(make: Callable[[], Json | None]) -> Json | None:
    """What a section says, or why it can say nothing."""
    try:
        return make()
    except FAILURES as error:
        return {"error": reason(error)}


def sides(votes: Votes, rows: IndexArray, drawn: Drawn, published: Publication) -> Json | None:
    """How often the answer shown first wins, of the counted votes that decide.

    stated: whether the votes say which was first; else the one listed first is taken for it.
    """
    outcome = votes.outcome[rows]
    decided = rows[outcome <= B_WINS]
    if not decided.size:
        return None
    first = np.ones(decided.size) if votes.shown_first is None else votes.shown_first[decided]
    won = (votes.outcome[decided] == A_WINS) == (first > 0)
    confidence = published.default.spec.confidence
    return {
        "stated": votes.shown_first is not None,
        "first": clustered_share(won.astype(float), voters_of(votes, decided), confidence),
        "coin": coin(votes, drawn),
    }


def alone(votes: Votes, confidence: float) -> Json | None:
    """Outcomes of battles of a contestant against itself, and how often the first was preferred."""
    rows = np.flatnonzero(votes.a == votes.b)
    if not rows.size:
        return None
    outcome = votes.outcome[rows]
    first = np.ones(rows.size) if votes.shown_first is None else votes.shown_first[rows]
    won = (outcome == A_WINS) == (first > 0)
    voter, decided = voters_of(votes, rows), outcome <= B_WINS
    return {
        "votes": int(rows.size),
        "decided": clustered_share(decided.astype(float), voter, confidence),
        "first": clustered_share(won[decided].astype(float), voter[decided], confidence),
    }


def ties(votes: Votes, rows: IndexArray, published: Publication) -> Json | None:
    """Shares of outcomes; ties by how far the two are apart, both bad by how strong they are."""
    if not rows.size:
        return None
    outcome, board = votes.outcome[rows], published.default
    counts = np.bincount(outcome, minlength=len(OUTCOMES))
    confidence, elo = board.spec.confidence, board.spec.elo
    theta = strengths(votes, board)
    level = 0.5 * (theta[votes.a[rows]] + theta[votes.b[rows]])
    placed = ~np.isnan(level)
    inside, voter = rows[placed], voters_of(votes, rows[placed])
    apart = np.abs(leads(votes, board, theta, inside)) * elo
    centre = board.spec.center if board.spec.anchor is None else anchored(published)
    return {
        "outcomes": {
            "decided": int(counts[:TIE].sum()),
            "tie": int(counts[TIE]),
            "both_bad": int(counts[BOTH_BAD]),
        },
        "apart": levels(apart, votes.outcome[inside] == TIE, voter, confidence)
        if counts[TIE]
        else [],
        "strength": levels(
            centre + elo * level[placed], votes.outcome[inside] == BOTH_BAD, voter, confidence
        )
        if counts[BOTH_BAD]
        else [],
    }


def anchored(published: Publication) -> float:
    """The rating of mean strength on a board with an anchor."""
    board = published.default
    first = board.standings[0]
    return first.rating - board.spec.elo * first.theta


def levels(
    values: FloatArray, hits: np.ndarray[Any, Any], voter: IndexArray, confidence: float
) -> list[Json]:
    """Shares of hits in parts of equally many votes by value; none where votes are too few."""
    parts = min(LEVELS, values.size // VOTES_A_LEVEL)
    if parts < 2:
        return []
    found = []
    for part in equal_parts(values, parts):
        share = clustered_share(hits[part].astype(float), voter[part], confidence)
        assert share is not None
        found.append({"mean": round(float(values[part].mean()), 2), **share})
    return found


def voters(votes: Votes, rows: IndexArray, published: Publication) -> Json | None:
    """Whose the counted votes are; None where no voter is known.

    curve: the share of votes that the busiest voters cast, by the share of voters they are.
    """
    if votes.voter is None or not (votes.voter[rows] >= 0).any():
        return None
    known = votes.voter[rows]
    known = known[known >= 0]
    sizes = np.bincount(known)
    sizes = np.sort(sizes[sizes > 0])[::-1]
    cast = np.cumsum(sizes) / known.size
    points = np.unique(np.geomspace(1, sizes.size, CURVE_POINTS).round().astype(int))
    effective = published.default.effective_voters
    return {
        "votes": int(known.size),
        "unknown": int(rows.size - known.size),
        "voters": int(sizes.size),
        "effective": None if effective is None else rounded(effective),
        "busiest": int(sizes[0]),
        "median": float(np.median(sizes)),
        "top": [
            {"voters": count, "share": rounded(share), "votes": rounded(cast[count - 1])}
            for share in TOP_SHARES
            if (count := int(share * sizes.size)) >= 1
        ],
        "curve": [[rounded(k / sizes.size), rounded(cast[k - 1])] for k in points.tolist()],
    }


def circles(votes: Votes, published: Publication) -> Json | None:
    """The share of the votes' log-odds that runs in circles, against votes without any."""
    board = published.default
    if len(board.standings) < 3:
        return None
    found = measure_intransitivity(votes, board.spec, simulations=SIMULATIONS)
    if not found.loops or not found.null_upper:
        # Without loops, or where nothing but ties is likely, there is nothing to hold it against.
        return None
    return {
        "share": rounded(found.curl_share),
        "loops": found.loops,
        "null_mean": rounded(found.null_mean),
        "null_upper": rounded(found.null_upper),
        "p_value": rounded(found.p_value),
        "simulations": found.simulations,
        "pairs": len(found.residuals),
        "flagged": sum(pair.flagged for pair in found.residuals),
        "striking": [
            {
                "first": pair.first,
                "second": pair.second,
                "votes": pair.votes,
                "observed": rounded(pair.observed),
                "expected": rounded(pair.expected),
                "standardised": rounded(pair.standardised),
                "p_adjusted": rounded(pair.p_adjusted),
                "flagged": pair.flagged,
            }
            for pair in found.residuals[:MOST_STRIKING]
        ],
    }


def graph(votes: Votes, rows: IndexArray, published: Publication) -> Json | None:
    """Who met whom in the votes that the default board counts, placed or not."""
    if not rows.size:
        return None
    m = len(votes.contestants)
    met = WinGraph.of(m, votes.a[rows], votes.b[rows], votes.outcome[rows])
    first, second, counts = met.pairs()
    links = sparse.coo_array((np.ones(first.size), (first, second)), shape=(m, m))
    _, group = csgraph.connected_components(links, directed=False)
    _, strong = csgraph.connected_components(met.beats(), directed=True, connection="strong")
    opponents = np.bincount(first, minlength=m) + np.bincount(second, minlength=m)
    took = np.bincount(first, counts, m) + np.bincount(second, counts, m)
    there = opponents > 0
    known = int(there.sum())
    fewest, least = (int(np.where(there, x, x.max() + 1).argmin()) for x in (opponents, took))
    return {
        "contestants": known,
        "placed": len(published.default.standings),
        "pairs": int(first.size),
        "possible": known * (known - 1) // 2,
        "components": sizes_of(group[there]),
        "mutual": sizes_of(strong[there]),
        "median_votes": float(np.median(counts)),
        "fewest_opponents": {
            "contestant": votes.contestants[fewest],
            "opponents": int(opponents[fewest]),
        },
        "fewest_votes": {"contestant": votes.contestants[least], "votes": int(took[least])},
    }


def sizes_of(group: IndexArray) -> list[int]:
    """How many belong to each group, the largest first."""
    sizes = np.bincount(group)
    return sorted(sizes[sizes > 0].tolist(), reverse=True)
