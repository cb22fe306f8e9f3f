"""Everything that a publication says beside its two boards, as named parts.

    board/<toggles>             the board with these toggles on ("none", or names joined by "+")
    variant/<variant>/<board>   the raw and the controlled board under another choice
    path                        ratings along the strength of control, and why each contestant moves
    sure                        chances of places, who is better than whom
    fragility                   what would turn the order of the first, and what rigging would cost
    category/<name>/<board>     the raw and the controlled board of a category's votes
    category/<name>/pooled      of a category with few votes: ratings that borrow from all others
    categories                  everybody's rating and place in every category
    contestant/<name>           its record against everybody, how it writes, where style decided
    field                       how everybody writes, for comparison
    family/<name>               a family's revisions against each other, and the best of N
    method                      sides, ties, voters, forecasts, circles
    ledger/<rows>               what moved since the publication before

Each part is plain JSON, computed from the same votes as the boards, so that whoever has the votes
can compute it again. A part that these votes cannot give says why in `error`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ranking.analysis.boards import (
    NONE,
    TOGGLES,
    VARIANTS,
    board_parts,
    category_parts,
    toggles_name,
    variant_parts,
)
from ranking.analysis.categories import CATEGORY_PARTS, category_table, pooled_parts
from ranking.analysis.certainty import default_parts, fragility_document
from ranking.analysis.families import family_parts
from ranking.analysis.method import method_part
from ranking.analysis.moved import LEDGER, ledger_parts
from ranking.analysis.sources import Before, Part, Sources, sources_of
from ranking.analysis.tags import short_names
from ranking.publication import Publication
from ranking.threads import WORKERS

__all__ = [
    "LEDGER",
    "NONE",
    "TOGGLES",
    "VARIANTS",
    "Before",
    "Part",
    "Sources",
    "fragility_document",
    "parts",
    "short_names",
    "sources_of",
    "toggles_name",
]

AT_ONCE = 2
"""Kinds of parts that are made side by side: each has columns of its own in memory."""


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
    told: dict[str, dict[str, Any]] = {}
    made: dict[str, Callable[[], Iterator[Part]]] = {
        "boards": lambda: board_parts(sources.votes, published),
        "variants": lambda: variant_parts(sources, published),
        "default": lambda: default_parts(sources.votes, published),
        "categories": lambda: category_parts(sources, published),
        "pooled": lambda: pooled_parts(sources, published),
        "families": lambda: family_parts(sources, published),
        "method": lambda: method_part(sources, published),
        "ledger": lambda: ledger_parts(sources, published, before),
    }
    pool = ThreadPoolExecutor(min(WORKERS, AT_ONCE))
    try:
        futures = {name: pool.submit(_listed, make) for name, make in made.items()}
        for name, future in futures.items():
            tell(name)
            for part, content in future.result():
                if part.startswith(CATEGORY_PARTS):
                    told[part] = content
                yield part, content
    finally:
        # Whoever stops asking leaves the generator to the garbage collector, which may run in a
        # thread of this very pool: one that waited for the pool would then wait for itself.
        pool.shutdown(wait=False, cancel_futures=True)
    tell("table of categories")
    yield from category_table(sources, published, told)


def _listed(make: Callable[[], Iterator[Part]]) -> list[Part]:
    return list(make())
