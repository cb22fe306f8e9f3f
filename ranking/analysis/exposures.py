"""Whom the votes showed how often, and whether pairs were drawn as the log says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, special

from ranking.analysis.boards import has_draws
from ranking.analysis.shares import rounded
from ranking.analysis.sources import Sources
from ranking.arrays import BoolArray, FloatArray, IndexArray
from ranking.calibration import in_time
from ranking.votes import Votes

Json = dict[str, Any]

NAMED = "named"
"""The rule of battles whose contestants somebody chose: nobody drew them."""
EXPERIMENTAL = "experimental"
DRAW_BINS = 8
LEAST_MET = 5
"""Where pairs met less often on average, those that never met would be missed."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Votes of two different contestants whom nobody chose, in the order of time where it is known.

    rows: (n,) of the votes. a, b: (n,) ids. first, last: (M,) places in that order of each
    contestant's first and last vote; 0 and n − 1 of all where times are unknown.
    """

    rows: IndexArray
    a: IndexArray
    b: IndexArray
    first: IndexArray
    last: IndexArray
    order: str

    @property
    def places(self) -> IndexArray:
        """(M,) how many of the 2n places each contestant had."""
        m = self.first.size
        return np.bincount(self.a, minlength=m) + np.bincount(self.b, minlength=m)


def drawn_of(votes: Votes) -> Drawn:
    kept = votes.a != votes.b
    if votes.excluded is not None and NAMED in votes.rules:
        kept &= votes.excluded != votes.rules.index(NAMED)
    rows, order = in_time(votes, np.flatnonzero(kept))
    a, b = votes.a[rows].astype(np.intp), votes.b[rows].astype(np.intp)
    m, n = len(votes.contestants), rows.size
    first, last = np.full(m, n), np.full(m, -1)
    if order == "time":
        at = np.arange(n)
        for side in (a, b):
            # Of several values for one index the last assignment holds.
            last_of, first_of = np.full(m, -1), np.full(m, n)
            last_of[side] = at
            first_of[side[::-1]] = at[::-1]
            first, last = np.minimum(first, first_of), np.maximum(last, last_of)
    else:
        met = np.bincount(a, minlength=m) + np.bincount(b, minlength=m) > 0
        first[met], last[met] = 0, n - 1
    return Drawn(rows, a, b, first, last, order)


def exposure(sources: Sources, drawn: Drawn) -> Json | None:
    """How often each organisation and stage was shown, against its share of who was there.

    A contestant is there from its first vote to its last, where times are known. fair: places
    that drawing any two of those there would have given; None of none.
    """
    if not drawn.rows.size:
        return None
    names, stated = sources.votes.contestants, sources.stated
    held: dict[str, list[str]] = {}
    for level in ("organisation", "stage"):
        held[level] = [getattr(stated[n], level) if n in stated else "" for n in names]
    return {
        "votes": int(drawn.rows.size),
        "roster": drawn.order,
        **{
            f"{level}s": groups(sources, drawn, labels) if any(labels) else []
            for level, labels in held.items()
        },
    }


def groups(sources: Sources, drawn: Drawn, labels: list[str]) -> list[Json]:
    """One for each label, the most often shown first."""
    names, stated, places = sources.votes.contestants, sources.stated, drawn.places
    members: dict[str, list[int]] = defaultdict(list)
    for i, label in enumerate(labels):
        if places[i]:
            members[label].append(i)
    spans, lengths = roster_spans(drawn)
    told = []
    for label, ids in members.items():
        fair, error = fair_places(spans, lengths, ids)
        tried = [
            names[i] for i in ids if names[i] in stated and stated[names[i]].stage == EXPERIMENTAL
        ]
        told.append(
            {
                "name": label,
                "contestants": len(ids),
                "places": int(places[ids].sum()),
                "fair": rounded(fair),
                "error": rounded(error),
                "experimental": sorted(tried),
            }
        )
    return sorted(told, key=lambda each: (-each["places"], each["name"]))


def roster_spans(drawn: Drawn) -> tuple[FloatArray, FloatArray]:
    """Stretches of votes in which nobody came or went: (M, S) who was there, (S,) their votes."""
    ends = np.unique(np.concatenate([drawn.first, drawn.last + 1, [0, drawn.rows.size]]))
    ends = ends[(ends >= 0) & (ends <= drawn.rows.size)]
    low, high = ends[:-1], ends[1:]
    there = (drawn.first[:, None] <= low) & (drawn.last[:, None] >= high - 1)
    return there.astype(float), (high - low).astype(float)


def fair_places(spans: FloatArray, lengths: FloatArray, ids: list[int]) -> tuple[float, float]:
    """Places that an even drawing would have given these, and how far chance moves them.

    Two of M are drawn without putting one back: of k members 2k/M a vote, with the variance of
    the hypergeometric distribution.
    """
    there = np.maximum(spans.sum(axis=0), 2.0)
    mine = spans[ids].sum(axis=0)
    share = mine / there
    left = np.divide(there - 2.0, there - 1.0)
    variance = float((lengths * 2.0 * share * (1.0 - share) * left).sum())
    return float((lengths * 2.0 * share).sum()), float(np.sqrt(max(0.0, variance)))


def coin(votes: Votes, drawn: Drawn) -> Json | None:
    """Whether each contestant was shown first as often as a fair coin would show it.

    With d the times shown first less those shown second and L = Σ (e_a − e_b)(e_a − e_b)ᵀ its
    covariance, dᵀL⁺d is χ² with as many degrees of freedom as L has rank.
    """
    if votes.shown_first is None or not drawn.rows.size:
        return None
    m = drawn.first.size
    shown = votes.shown_first[drawn.rows].astype(float)
    lead = np.bincount(drawn.a, shown, m) - np.bincount(drawn.b, shown, m)
    laplacian = np.diag(drawn.places.astype(float))
    met = np.bincount(drawn.a * m + drawn.b, minlength=m * m).reshape(m, m)
    laplacian -= met + met.T
    inverse, rank = linalg.pinvh(laplacian, return_rank=True)
    if not rank:
        return None
    statistic = float(lead @ inverse @ lead)
    return {
        "statistic": rounded(statistic),
        "degrees": int(rank),
        "p_value": rounded(special.chdtrc(rank, statistic)),
    }


def draws(votes: Votes, drawn: Drawn) -> Json | None:
    """How often pairs met, against the probability with which the log says they were drawn.

    A pair is open to the votes that were cast while both were there. With π of each of its n
    votes, Σ 1/π is as many as it was open to if the log is right (Horvitz and Thompson 1952), so
    n/Σ(1/π) of these were due. statistic: Σ (n − due)²/due, χ² with `degrees`. bins: of pairs of
    about the same probability. None where most votes carry no probability, or pairs met too
    seldom.
    """
    if not has_draws(votes) or not drawn.rows.size:
        return None
    assert votes.draw_probability is not None
    m, chance = drawn.first.size, votes.draw_probability[drawn.rows]
    known = ~np.isnan(chance)
    pair = np.minimum(drawn.a, drawn.b) * m + np.maximum(drawn.a, drawn.b)
    met, place, times = np.unique(pair[known], return_inverse=True, return_counts=True)
    if times.mean() < LEAST_MET:
        return None
    # Where nothing changed all votes of a pair have one probability, but for rounding.
    typical = _to_digits(times / np.bincount(place, 1.0 / chance[known]))
    i, j = np.divmod(met, m)
    before = np.concatenate([[0], np.cumsum(known)])
    begun = np.maximum(drawn.first[i], drawn.first[j])
    ended = np.minimum(drawn.last[i], drawn.last[j]) + 1
    due = typical * (before[ended] - before[begun])
    statistic, degrees = float(((times - due) ** 2 / due).sum()), met.size - 1
    return {
        "votes": int(known.sum()),
        "pairs": int(met.size),
        "statistic": rounded(statistic),
        "degrees": int(degrees),
        "p_value": rounded(special.chdtrc(degrees, statistic)) if degrees else 1.0,
        "bins": [
            {
                "pairs": int(part.sum()),
                "low": float(typical[part].min()),
                "high": float(typical[part].max()),
                "due": rounded(due[part].sum()),
                "met": int(times[part].sum()),
            }
            for part in alike(typical)
        ],
    }


def alike(chance: FloatArray) -> list[BoolArray]:
    """Masks of pairs of about the same probability, rising; one where all are the same."""
    edges = np.unique(np.quantile(chance, np.linspace(0.0, 1.0, DRAW_BINS + 1)))
    place = np.searchsorted(edges[1:-1], chance, side="right")
    return [place == k for k in np.unique(place)]


def _to_digits(values: FloatArray) -> FloatArray:
    """Four significant digits."""
    return np.array([float(f"{value:.4g}") for value in values.tolist()])
