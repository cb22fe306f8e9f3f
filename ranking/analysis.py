"""Everything that a publication says beside its two boards, as named parts.

    board/<toggles>             the board with these toggles on ("none", or names joined by "+")
    variant/<variant>/<board>   the raw and the controlled board under another choice
    path                        ratings along the strength of control, and why each contestant moves
    sure                        chances of places, who is better than whom
    fragility                   what would turn the order of the first, and what rigging would cost
    category/<name>/<board>     the raw and the controlled board of a category's votes
    ledger/<rows>               what moved since the publication before

Each part is plain JSON, computed from the same votes as the boards, so that whoever has the votes
can compute it again. A part that these votes cannot give says why in `error`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranking.arrays import BoolArray
from ranking.contrasts import Contrasts, contrasts_of
from ranking.covariates import expand_controls
from ranking.errors import FitError, RankingError
from ranking.fitting import estimate, fit
from ranking.influence import Fragility, Questioned, Unit, fragility_of
from ranking.ledger import movement_ledger
from ranking.movement import raw_of, style_movement
from ranking.newton import NoEstimateError
from ranking.path import ControlPath, path_of
from ranking.publication import CARRIED_SHARE, CONTROLLED, RAW, Publication, is_carried
from ranking.result import Leaderboard, Movement
from ranking.rigging import rigging_of
from ranking.selection import prepare
from ranking.spec import RankingSpec
from ranking.states import BoardState, Fits
from ranking.subsets import ControlSubset, control_subsets
from ranking.tables import CATEGORY
from ranking.threads import WORKERS
from ranking.votes import BOTH_BAD, Votes

TOGGLES = ("length", "markdown", "code", "emoji", "latency")
"""What a reader can switch; each is a control or a group of controls."""

LATENCY = "latency"
NONE = "none"
"""Names the board with every toggle off."""

LEDGER = "ledger"

FIRST = 10
"""So many contestants from the top are asked how few votes would turn their order."""

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

AT_ONCE = 2
"""Kinds of parts that are made side by side: each has columns of its own in memory."""

FAILURES = (FitError, NoEstimateError, np.linalg.LinAlgError, ValueError)
"""What a part may fail of: votes too few or too extreme for it. The others are made anyway."""

Part = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Votes, and what of them the parts need that a single fit does not.

    claimed: (n,) whether an answer of the vote gave its contestant away; None: not known.
    categories: name -> (n,) whether the vote belongs to it.
    places: what a family's row is called -> the contestant that fills it; None: no families.
    """

    votes: Votes
    claimed: BoolArray | None = None
    categories: Mapping[str, BoolArray] = field(default_factory=dict)
    places: Mapping[str, str] | None = None


def sources_of(table: pa.Table, places: Mapping[str, str] | None = None) -> Sources:
    """What a table of sealed votes tells. Tags that are no yes or no name no category."""
    claimed = None
    if "flags" in table.column_names:
        found = pc.match_substring(table["flags"].cast(pa.string()), "identity_")
        claimed = found.fill_null(False).to_numpy()
    tags = {
        name.removeprefix(CATEGORY): table[name]
        for name in table.column_names
        if name.startswith(CATEGORY) and pa.types.is_boolean(table[name].type)
    }
    categories = {
        name: tags[tag].fill_null(False).to_numpy() for tag, name in short_names(tags).items()
    }
    return Sources(Votes.from_arrow(table), claimed, categories, places)


def short_names(tags: Iterable[str]) -> dict[str, str]:
    """What each tag's category is called: its last word, where no other ends in it."""
    tags = sorted(tags)
    last = Counter(tag.rpartition(".")[2] for tag in tags)
    words = {tag: tag.rpartition(".")[2] for tag in tags}
    return {tag: word if last[word] == 1 else tag for tag, word in words.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """The publication before: its votes, its default board's spec and its families."""

    votes: Votes
    spec: RankingSpec
    places: Mapping[str, str] | None = None


def parts(
    sources: Sources,
    published: Publication,
    before: Before | None = None,
    tell: Callable[[str], None] = lambda name: None,
) -> Iterator[Part]:
    """The parts of a publication, in one order; `tell` hears the names of what is being made.

    Two kinds are made at a time: half of the work is NumPy's, which leaves the interpreter to
    others. Each is one thread's work, so what it gives does not depend on the other.
    """
    made: dict[str, Callable[[], Iterator[Part]]] = {
        "boards": lambda: boards(sources.votes, published),
        "variants": lambda: variants(sources, published),
        "default": lambda: of_default(sources.votes, published),
        "categories": lambda: categories(sources, published),
        "ledger": lambda: ledgers(sources, published, before),
    }
    with ThreadPoolExecutor(min(WORKERS, AT_ONCE)) as pool:
        futures = {name: pool.submit(_listed, make) for name, make in made.items()}
        for name, future in futures.items():
            tell(name)
            yield from future.result()


def _listed(make: Callable[[], Iterator[Part]]) -> list[Part]:
    return list(make())


def reason(error: Exception) -> str:
    """What a part without numbers says instead."""
    if isinstance(error, RankingError):
        return str(error)
    return "These votes are too few or too extreme for it: the fit comes to no end."


# -- Boards ----------------------------------------------------------------------------------


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


def boards(votes: Votes, published: Publication) -> Iterator[Part]:
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


def variants(sources: Sources, published: Publication) -> Iterator[Part]:
    """Raw and controlled board under each other choice that these votes allow."""
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
        yield from two_boards(f"variant/{name}", votes, changed, published)


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


def without(votes: Votes, out: BoolArray, rule: str) -> Votes:
    """The votes, of which some do not count by one more rule."""
    before = votes.excluded if votes.excluded is not None else np.full(len(votes), -1, np.int32)
    rules = votes.rules if rule in votes.rules else (*votes.rules, rule)
    excluded = np.where((before < 0) & out, rules.index(rule), before)
    return replace(votes, excluded=excluded.astype(np.int32), rules=rules)


def has_draws(votes: Votes) -> bool:
    """Whether most votes say with which probability their pair was drawn."""
    drawn = votes.draw_probability
    return drawn is not None and bool((~np.isnan(drawn)).mean() >= CARRIED_SHARE)


def categories(sources: Sources, published: Publication) -> Iterator[Part]:
    """Both boards of each category's votes, where any of them counts."""
    out = sources.votes.excluded
    for name, inside in sources.categories.items():
        if not (inside if out is None else inside & (out < 0)).any():
            continue
        votes = without(sources.votes, ~inside, f"not {name}")
        yield from two_boards(f"category/{name}", votes, {}, published)


# -- Why, and how sure -----------------------------------------------------------------------


def of_default(votes: Votes, published: Publication) -> Iterator[Part]:
    """Why the default board is as it is, and how sure it is, from one fit of it."""
    prepared = prepare(votes, published.default.spec)
    if prepared.design is None:
        return
    fitted = estimate(prepared, prepared.design)
    if published.controlled is not None:
        yield "path", path(path_of(prepared, prepared.design, fitted.solution))
    contrasts = contrasts_of(fitted)
    yield "sure", certainty(contrasts)
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


# -- What moved ------------------------------------------------------------------------------


def ledgers(sources: Sources, published: Publication, before: Before | None) -> Iterator[Part]:
    """What moved since the publication before, by revision and by family."""
    if before is None:
        return
    spec = published.default.spec
    rows: dict[str, tuple[Mapping[str, str] | None, ...]] = {"revisions": (None, None)}
    if before.places is not None and sources.places is not None:
        rows["families"] = (before.places, sources.places)
    fits: Fits = {}
    for name, (was, now) in rows.items():
        try:
            ledger = movement_ledger(
                BoardState(before.votes, before.spec, was),
                BoardState(sources.votes, spec, now),
                fits=fits,
            )
        except FAILURES as error:
            yield f"{LEDGER}/{name}", {"error": reason(error)}
        else:
            yield f"{LEDGER}/{name}", ledger.to_dict()
