"""The boards of a publication's parts: subsets of the toggles, variants, categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ranking.analysis.sources import FAILURES, Part, Sources, reason, without
from ranking.covariates import expand_controls
from ranking.fitting import fit
from ranking.movement import raw_of, style_movement
from ranking.publication import CARRIED_SHARE, CONTROLLED, RAW, Publication, is_carried
from ranking.result import Leaderboard, Movement
from ranking.subsets import ControlSubset, control_subsets
from ranking.votes import BOTH_BAD, Votes

TOGGLES = ("length", "markdown", "code", "emoji", "latency")
"""What a reader can switch; each is a control or a group of controls."""

LATENCY = "latency"
NONE = "none"
"""Names the board with every toggle off."""

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "davidson": {"likelihood": "davidson"},
    "rao_kupper": {"likelihood": "rao_kupper"},
    "four_outcome": {"likelihood": "four_outcome"},
    "no_both_bad": {"both_bad": "drop"},
    "inverse_pair": {"weights": "inverse_pair"},
    "draw_probability": {"weights": "draw_probability"},
    "no_identity": {},
}
"""Other choices of ties, weights and votes: what each changes in the spec. The last leaves out
votes on answers that gave themselves away."""


def toggles_of(votes: Votes, published: Publication) -> dict[str, tuple[str, ...]]:
    """The toggles that these votes can serve, in the order of TOGGLES, with what each switches.

    Those of the controlled board, and latency where most votes carry timings that differ.
    """
    if published.controlled is None:
        return {}
    held = [*published.controlled.spec.controls, *latency_of(votes)]
    switched = {name: [c for c in expand_controls([name]) if c in held] for name in TOGGLES}
    return {name: tuple(controls) for name, controls in switched.items() if controls}


def latency_of(votes: Votes) -> tuple[str, ...]:
    """Controls of latency that most votes carry: natively paced ones alone have timings."""
    return tuple(name for name in expand_controls([LATENCY]) if is_carried(votes, name))


def toggles_name(on: Sequence[str]) -> str:
    """How parts name the board with these toggles on."""
    return "+".join(name for name in TOGGLES if name in on) or NONE


def board_parts(votes: Votes, published: Publication) -> Iterator[Part]:
    """The board under every subset of the toggles, each with its movement from all off.

    Boards with latency rest on the votes that carry it, and move from the board of these.
    """
    if published.controlled is None:
        return
    toggles = toggles_of(votes, published)
    style = {name: controls for name, controls in toggles.items() if name != LATENCY}
    spec = replace(published.controlled.spec, controls=(), complete_for=None, scales=None)
    for found in control_subsets(votes, spec, style):
        yield f"board/{toggles_name(found.on)}", subset_document(found)
    if LATENCY in toggles:
        for found in control_subsets(votes, spec, toggles):
            if LATENCY in found.on:
                yield f"board/{toggles_name(found.on)}", subset_document(found)


def subset_document(found: ControlSubset) -> dict[str, Any]:
    if found.board is None:
        return {"error": str(found.error)}
    return board_document(found.board, found.movements)


def board_document(board: Leaderboard, movements: Sequence[Movement] = ()) -> dict[str, Any]:
    return {**board.to_dict(), "movements": [asdict(movement) for movement in movements]}


def variant_parts(sources: Sources, published: Publication) -> Iterator[Part]:
    """Raw and controlled board under each other choice that these votes allow."""
    for name, votes, changed in variants_of(sources):
        yield from two_boards(f"variant/{name}", votes, changed, published)


def variants_of(sources: Sources) -> Iterator[tuple[str, Votes, Mapping[str, Any]]]:
    """Each other choice that these votes allow: its votes, and what it changes in the spec."""
    for name, changed in VARIANTS.items():
        votes = sources.votes
        if name == "no_identity":
            if sources.claimed is None or not sources.claimed.any():
                continue
            votes = without(votes, sources.claimed, "identity")
        if name == "draw_probability" and not has_draws(votes):
            continue
        if name == "no_both_bad" and not (votes.outcome == BOTH_BAD).any():
            continue
        yield name, votes, changed


def two_boards(
    name: str, votes: Votes, changed: Mapping[str, Any], published: Publication
) -> Iterator[Part]:
    """Both boards of these votes with the publication's spec, but for what is changed.

    Where style cannot be controlled for, the raw board stands alone beside the reason.
    """
    spec = replace(published.default.spec, scales=None, **changed)
    if published.controlled is not None:
        try:
            moved = style_movement(votes, spec)
        except FAILURES as error:
            yield f"{name}/{CONTROLLED}", {"error": reason(error)}
        else:
            yield f"{name}/{RAW}", board_document(moved.raw)
            yield f"{name}/{CONTROLLED}", board_document(moved.controlled, moved.movements)
            return
    try:
        yield f"{name}/{RAW}", board_document(fit(votes, raw_of(spec)))
    except FAILURES as error:
        yield f"{name}/{RAW}", {"error": reason(error)}


def has_draws(votes: Votes) -> bool:
    """Whether most votes say with which probability their pair was drawn."""
    drawn = votes.draw_probability
    return drawn is not None and bool((~np.isnan(drawn)).mean() >= CARRIED_SHARE)


def category_parts(sources: Sources, published: Publication) -> Iterator[Part]:
    """Both boards of each category's votes, where any of them counts."""
    out = sources.votes.excluded
    for name, inside in sources.categories.items():
        if not (inside if out is None else inside & (out < 0)).any():
            continue
        votes = without(sources.votes, ~inside, f"not {name}")
        yield from two_boards(f"category/{name}", votes, {}, published)
