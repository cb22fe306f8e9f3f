"""Why the default board is as it is, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np

from ranking.analysis.profiles import Placed, profile_parts
from ranking.analysis.sources import FAILURES, Part, reason
from ranking.contrasts import Contrasts, contrasts_of
from ranking.fitting import estimate
from ranking.influence import Fragility, Questioned, Unit, fragility_of
from ranking.path import ControlPath, path_of
from ranking.publication import Publication
from ranking.result import Leaderboard
from ranking.rigging import rigging_of
from ranking.selection import prepare
from ranking.votes import Votes

FIRST = 10
"""So many contestants from the top are asked how few votes would turn their order."""


def default_parts(votes: Votes, published: Publication) -> Iterator[Part]:
    """Why the default board is as it is, how sure it is, and everybody on it, from one fit."""
    prepared = prepare(votes, published.default.spec)
    if prepared.design is None:
        yield from profile_parts(prepared, published, None)
        return
    fitted = estimate(prepared, prepared.design)
    if published.controlled is not None:
        yield "path", path(path_of(prepared, prepared.design, fitted.solution))
    contrasts = contrasts_of(fitted)
    yield "sure", certainty(contrasts)
    yield from profile_parts(prepared, published, Placed.of(fitted, contrasts))
    yield "fragility", fragilities(Questioned.of_estimate(votes, fitted), contrasts.board)


def path(walked: ControlPath) -> dict[str, Any]:
    """The way from raw to controlled, and its account by feature."""
    try:
        grid, accounts = walked.grid(), walked.attributions
    except FAILURES as error:
        return {"error": reason(error)}
    names = sorted(walked.contestants)
    at = [{standing.contestant: standing for standing in point.standings} for point in grid]
    return {
        "contestants": names,
        "features": list(walked.features),
        "strengths": [point.strength for point in grid],
        "ratings": [[shown[name].rating for name in names] for shown in at],
        "ranks": [[shown[name].rank for name in names] for shown in at],
        "attributions": [account.to_dict() for account in accounts],
    }


def certainty(found: Contrasts) -> dict[str, Any]:
    """Chances; of the pairs the upper triangle, to the millionth."""
    return {
        "contestants": [entry.contestant for entry in found.chances],
        "chances": [asdict(entry) for entry in found.chances],
        "better": [
            [round(float(p), 6) for p in found.probability[i, i + 1 :]]
            for i in range(len(found.chances))
        ],
    }


def fragilities(questioned: Questioned, board: Leaderboard) -> dict[str, Any]:
    """Of the first, by pairs of neighbours: votes and voters whose removal would turn them, and
    the votes that would lift the second over the first."""
    first = board.standings[: FIRST + 1]
    pairs = [
        (above.contestant, below.contestant)
        for above, below in pairwise(first)
        if above.rank != below.rank
    ]
    units: tuple[Unit, ...] = ("vote", "voter") if board.clustered else ("vote",)
    return {
        "pairs": [
            fragility_document(questioned.votes, entry)
            for unit in units
            for entry in fragility_of(questioned, pairs, unit)
        ],
        "rigging": list(riggings(questioned, [below for _, below in pairs])),
    }


def riggings(questioned: Questioned, contestants: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What lifting each costs; nothing of whom dishonest votes leave no estimate to rank by."""
    for contestant in contestants:
        with suppress(*FAILURES):
            yield rigging_of(questioned, contestant).to_dict()


def fragility_document(votes: Votes, found: Fragility) -> dict[str, Any]:
    """Without whom it is: how many votes go, and of how many voters they are (None: not known)."""
    told = found.to_dict()
    rows = np.array(told.pop("removed"), dtype=np.int64)
    voters = None
    if votes.voter is not None and (votes.voter[rows] >= 0).all():
        voters = int(np.unique(votes.voter[rows]).size)
    return told | {"votes": rows.size, "voters": voters}
