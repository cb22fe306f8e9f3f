"""Contestants one by one: whom each met and how that went, how it writes, what it lacks.

    contestant/<name>   of everybody with a counted vote
    field               how everybody writes, for comparison

Numbers are to the millionth, and numbers of further votes beyond a hundred to two digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from ranking.analysis.sources import Part
from ranking.arrays import AnyArray, FloatArray, IndexArray
from ranking.contrasts import Contrasts
from ranking.covariates import METRICS, TIMINGS
from ranking.encounters import (
    Encounters,
    disagreements_of,
    encounters_of,
    expected_by,
    further_votes,
    straight_wins,
)
from ranking.fingerprints import Fingerprint, fingerprints
from ranking.fitting import Estimate
from ranking.publication import CONTROLLED, RAW, PairCounts, Publication
from ranking.selection import Prepared
from ranking.votes import A_WINS, B_WINS, BOTH_BAD, TIE

PROFILE = "contestant/"

CLEAR = 0.1
"""Style leans to a side from so many logits on: a chance of 52.5 % between equals."""

EXAMPLES = 20
"""So many votes that went against style are named of each contestant."""

_EXPECTED = ("expected", "expected_raw", "level", "style", "difference", "se", "better", "needed")
_DIGITS = 6
_EXACT = 100

Tables = Mapping[str, AnyArray]
"""By key of `versus`: (N, N) of the contestant of a row against that of a column; NaN is null."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The default board's fit, its sums per pair, and the comparison of everybody on it."""

    fitted: Estimate
    encounters: Encounters
    contrasts: Contrasts

    @classmethod
    def of(cls, fitted: Estimate, contrasts: Contrasts) -> Placed:
        return cls(fitted, encounters_of(fitted), contrasts)

    @property
    def ids(self) -> IndexArray:
        """(M,) what the votes call those whom the design numbers from 0."""
        return np.flatnonzero(self.fitted.prepared.placement.main)

    @property
    def order(self) -> IndexArray:
        """(M,) the design's numbers in the board's order."""
        number = {name: i for i, name in enumerate(self.fitted.prepared.labels)}
        return np.array([number[entry.contestant] for entry in self.contrasts.chances])


def profile_parts(
    prepared: Prepared, published: Publication, placed: Placed | None
) -> Iterator[Part]:
    """The part of every contestant with a counted vote, and the field's.

    placed: None where the votes place nobody. There is then a record and a style, and no more.
    """
    names = published.pairs.contestants
    tables = versus_tables(published, placed)
    together = _together(tables, placed)
    prints = tuple(fingerprints(prepared.votes, prepared.rows, (*METRICS, *TIMINGS)))
    climb = {} if placed is None else climbs(placed)
    against = {}
    if placed is not None and published.controlled is not None:
        against = disagreements(placed)
    met = np.flatnonzero(tables["votes"].any(axis=1)).tolist()
    met.sort(key=names.__getitem__)
    alphabetical = np.array(sorted(range(len(names)), key=names.__getitem__))
    for i in met:
        others = alphabetical[together[i, alphabetical]]
        content = {
            "contestant": names[i],
            "board": RAW if published.controlled is None else CONTROLLED,
            "versus": {"contestants": [names[j] for j in others]}
            | {key: _listed(key, table[i, others]) for key, table in tables.items()},
            "style": {one.metric: _style(one, i) for one in prints if one.votes[i]},
            "climb": climb.get(i),
            "disagreements": against.get(i),
        }
        yield f"{PROFILE}{names[i]}", content
    yield "field", field(prints, met, names)


# -- Against each other ------------------------------------------------------------------------


def versus_tables(published: Publication, placed: Placed | None) -> dict[str, AnyArray]:
    """What `versus` lists, of everybody against everybody."""
    tables: dict[str, AnyArray] = dict(records(published.pairs))
    n = len(published.pairs.contestants)
    found = {} if placed is None else expectations(placed, published)
    for key in _EXPECTED:
        tables[key] = np.full((n, n), np.nan)
        if placed is not None:
            tables[key][np.ix_(placed.ids, placed.ids)] = found[key]
    return tables


def records(pairs: PairCounts) -> dict[str, IndexArray]:
    """(N, N) votes and their outcomes, as the default board counts them."""
    n = len(pairs.contestants)
    rows = np.array(pairs.rows, dtype=np.intp).reshape(-1, 6)
    a, b, outcomes = rows[:, 0], rows[:, 1], rows[:, 2:]
    tables = {}
    for key, seen, turned in (
        ("won", A_WINS, B_WINS),
        ("lost", B_WINS, A_WINS),
        ("tied", TIE, TIE),
        ("both_bad", BOTH_BAD, BOTH_BAD),
    ):
        tables[key] = np.zeros((n, n), dtype=np.intp)
        tables[key][a, b], tables[key][b, a] = outcomes[:, seen], outcomes[:, turned]
    return {"votes": np.asarray(sum(tables.values())), **tables}


def expectations(placed: Placed, published: Publication) -> dict[str, FloatArray]:
    """(M, M) of the placed, as the design numbers them."""
    met, design = placed.encounters, placed.encounters.design
    theta, m = placed.fitted.solution.theta, design.contestants
    expected = np.zeros((2, m, m))
    for table, sums in zip(expected, (met.expected, _expected_raw(placed, published)), strict=True):
        table[design.first, design.second] = sums
        table[design.second, design.first] = met.votes - sums
    style = np.full((m, m), np.nan)
    if published.controlled is not None:
        style[design.first, design.second] = met.style / met.votes
        style[design.second, design.first] = -met.style / met.votes
    contrasts, board = placed.contrasts, np.ix_(placed.order, placed.order)
    difference, se, better = np.empty((3, m, m))
    difference[board], se[board] = contrasts.difference, contrasts.se
    better[board] = contrasts.probability
    return {
        "expected": expected[0],
        "expected_raw": expected[1],
        "level": special.expit(theta[:, None] - theta),
        "style": style,
        "difference": difference,
        "se": se,
        "better": better,
        "needed": further_votes(met, se / placed.fitted.prepared.spec.elo, contrasts.reach),
    }


def _expected_raw(placed: Placed, published: Publication) -> FloatArray:
    """(P,) expected scores under the raw board as it is published."""
    raw = {standing.contestant: standing.theta for standing in published.raw.standings}
    theta = np.array([raw[name] for name in placed.fitted.prepared.labels])
    position = published.raw.position
    return expected_by(placed.encounters, theta, position.value if position else 0.0)


def _together(tables: Tables, placed: Placed | None) -> AnyArray:
    """(N, N) who is listed with whom: who met, and everybody placed with everybody placed."""
    together = tables["votes"].astype(bool)
    if placed is not None:
        together[np.ix_(placed.ids, placed.ids)] = True
    np.fill_diagonal(together, False)
    return together


def _listed(key: str, values: AnyArray) -> list[Any]:
    """A row of a table as JSON has it."""
    if values.dtype.kind == "i":
        return list(values.tolist())
    shown = about if key == "needed" else _rounded
    return [None if math.isnan(value) else shown(value) for value in values.tolist()]


def _rounded(value: float) -> float:
    # Adding 0 turns −0 into 0.
    return round(value, _DIGITS) + 0.0


def about(votes: float) -> int:
    """Whole votes, rounded up; to two digits where they are many. An estimate is no better."""
    if votes == 0.0:
        return 0
    whole = max(1, math.ceil(round(votes, _DIGITS)))
    unit = 1 if whole <= _EXACT else 10 ** (len(str(whole)) - 2)
    return -(-whole // unit) * unit


# -- One by one ----------------------------------------------------------------------------------


def climbs(placed: Placed) -> dict[int, dict[str, Any]]:
    """Of everybody but the first: who stands next above, and what it takes to pass."""
    contrasts, order, ids = placed.contrasts, placed.order, placed.ids
    ranks = np.array([entry.rank for entry in contrasts.chances])
    # Who shares a place has the same one above.
    next_above = np.searchsorted(ranks, ranks) - 1
    above = np.full(order.size, -1)
    above[order] = np.where(next_above < 0, -1, order[next_above])
    wins = straight_wins(placed.encounters, above)
    return {
        int(ids[order[k]]): {
            "above": contrasts.chances[j].contestant,
            "gap": _rounded(float(contrasts.difference[j, k])),
            "se": _rounded(float(contrasts.se[j, k])),
            "better": _rounded(float(contrasts.probability[k, j])),
            "wins": None if math.isnan(wins[order[k]]) else about(float(wins[order[k]])),
        }
        for k, j in enumerate(next_above.tolist())
        if j >= 0
    }


def disagreements(placed: Placed) -> dict[int, dict[str, Any]]:
    """Of every placed contestant: decided votes in which style leaned, and those against it."""
    found = disagreements_of(placed.encounters, CLEAR, EXAMPLES)
    labels, ids = placed.fitted.prepared.labels, placed.ids.tolist()
    told: dict[int, dict[str, Any]] = {
        ids[i]: {"decided": decided, "against": against, "examples": []}
        for i, (decided, against) in enumerate(
            zip(found.decided.tolist(), found.against.tolist(), strict=True)
        )
    }
    columns = (found.contestant, found.opponent, found.won, found.row, found.lean)
    for i, j, won, row, lean in zip(*(column.tolist() for column in columns), strict=True):
        named = {"row": row, "opponent": labels[j], "won": won, "style": lean}
        told[ids[i]]["examples"].append(named)
    return told


def _style(one: Fingerprint, i: int) -> dict[str, Any]:
    low, median, high = (_rounded(float(value)) for value in one.quantiles[:, i])
    return {
        "votes": int(one.votes[i]),
        "mean": _rounded(float(one.mean[i])),
        "low": low,
        "median": median,
        "high": high,
    }


def field(
    prints: Sequence[Fingerprint], met: Sequence[int], names: Sequence[str]
) -> dict[str, Any]:
    """Median and mean of everybody who has one, metric by metric."""
    metrics = {}
    for one in prints:
        carried = [i for i in met if one.votes[i]]
        if carried:
            metrics[one.metric] = {
                "contestants": [names[i] for i in carried],
                "medians": [_rounded(float(one.quantiles[1, i])) for i in carried],
                "means": [_rounded(float(one.mean[i])) for i in carried],
            }
    return {"metrics": metrics}
