"""How well each board forecasts votes that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ranking.analysis.boards import variants_of
from ranking.analysis.shares import (
    clustered_error,
    clustered_share,
    equal_parts,
    reach_of,
    rounded,
    voters_of,
)
from ranking.analysis.sources import FAILURES, Sources, reason
from ranking.arrays import FloatArray, IndexArray
from ranking.calibration import HeldOut, held_out, in_time
from ranking.errors import SpecError
from ranking.publication import CONTROLLED, RAW, Publication
from ranking.selection import select_votes
from ranking.spec import RankingSpec
from ranking.votes import Votes

MOST = 100_000
"""So many of the newest counted votes are learnt from and forecast: every fold is a fit."""
LEAST = 200
"""Fewer forecasts than these would say nothing of how good they are."""
FOLDS = 4
MOST_BINS, VOTES_A_BIN = 10, 100

Json = dict[str, Any]


def forecasts(sources: Sources, published: Publication) -> Json:
    """Held-out scores of both boards and of each variant, and the reliability of the two.

    Raises what the forecasts of the raw board raise.
    """
    spec = published.default.spec
    chosen, counts = select_votes(sources.votes, spec)
    rows, order = in_time(sources.votes, np.flatnonzero(chosen))
    newest = np.sort(rows[-MOST:])
    cut = newest_of(sources, newest)
    held = {RAW: of_spec(cut.votes, published.raw.spec)}
    told: list[Json] = [scores(RAW, held[RAW])]
    for name, votes, wanted in others(cut, published):
        try:
            found = of_spec(votes, wanted)
        except FAILURES as error:
            told.append({"board": name, "error": reason(error)})
        else:
            told.append(scores(name, found))
            held |= {name: found} if name == CONTROLLED else {}
    return {
        "order": order,
        "votes": int(newest.size),
        "of": counts.counted,
        "folds": FOLDS,
        "boards": told,
        "better": better(cut.votes, held, spec.confidence),
        "reliability": {
            name: reliability(cut.votes, each, spec.confidence) for name, each in held.items()
        },
    }


def newest_of(sources: Sources, rows: IndexArray) -> Sources:
    claimed = None if sources.claimed is None else sources.claimed[rows]
    return Sources(taken(sources.votes, rows), claimed)


def taken(votes: Votes, rows: IndexArray) -> Votes:
    """Some of the votes, in the order of rows; contestants and rules stay."""
    optional = ("shown_first", "voter", "weight", "excluded", "draw_probability", "time")
    columns = {name: getattr(votes, name) for name in optional}
    return replace(
        votes,
        **{name: column[rows] for name, column in columns.items() if column is not None},
        a=votes.a[rows],
        b=votes.b[rows],
        outcome=votes.outcome[rows],
        features={name: (a[rows], b[rows]) for name, (a, b) in votes.features.items()},
    )


def others(cut: Sources, published: Publication) -> Iterator[tuple[str, Votes, RankingSpec]]:
    """The controlled board, and the default one under each other choice."""
    if published.controlled is not None:
        yield CONTROLLED, cut.votes, published.controlled.spec
    for name, votes, changed in variants_of(cut):
        yield name, votes, replace(published.default.spec, **changed)


def of_spec(votes: Votes, spec: RankingSpec) -> HeldOut:
    found = held_out(votes, replace(spec, scales=None), folds=FOLDS)
    if found.predicted.y.size < LEAST:
        raise SpecError(
            f"only {found.predicted.y.size} votes can be forecast from earlier ones, too few to "
            "say how well."
        )
    return found


def scores(name: str, held: HeldOut) -> Json:
    """Losses a vote, with those of a forecast that knows no contestant."""
    found = held.predicted
    return {
        "board": name,
        "forecast": int(found.y.size),
        "not_forecast": sum(fold.unpredicted for fold in held.folds),
        "log_loss": rounded(found.loss.mean()),
        "log_loss_without": rounded(found.baseline.mean()),
        "brier": rounded(np.square(found.y - found.expected).mean()),
        "brier_without": rounded(np.square(found.y - 0.5).mean()),
    }


def better(votes: Votes, held: dict[str, HeldOut], confidence: float) -> Json | None:
    """By how much the controlled board's forecasts are off less than the raw board's, a vote."""
    if CONTROLLED not in held:
        return None
    raw, controlled = held[RAW].predicted, held[CONTROLLED].predicted
    if not np.array_equal(raw.rows, controlled.rows):
        return None
    voter = voters_of(votes, raw.rows)
    gains = {
        "brier": np.square(raw.y - raw.expected) - np.square(controlled.y - controlled.expected),
        "log_loss": raw.loss - controlled.loss,
    }
    reach = {
        name: reach_of(confidence) * clustered_error(gain, voter) for name, gain in gains.items()
    }
    if not np.isfinite(list(reach.values())).all():
        return None
    return {
        name: {
            "gain": rounded(gain.mean()),
            "lower": rounded(gain.mean() - reach[name]),
            "upper": rounded(gain.mean() + reach[name]),
        }
        for name, gain in gains.items()
    }


def reliability(votes: Votes, held: HeldOut, confidence: float) -> list[Json]:
    """What the favourite was expected to score and scored, in parts of equally many votes."""
    found = held.predicted
    voter = voters_of(votes, found.rows)
    parts = equal_parts(found.expected, min(MOST_BINS, found.y.size // VOTES_A_BIN))
    return [
        reliable(found.expected[part], found.y[part], voter[part], confidence) for part in parts
    ]


def reliable(expected: FloatArray, y: FloatArray, voter: IndexArray, confidence: float) -> Json:
    scored = clustered_share(y, voter, confidence)
    assert scored is not None
    return {"expected": rounded(expected.mean()), **scored}
