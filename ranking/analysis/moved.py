"""What moved since the publication before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ranking.analysis.sources import FAILURES, Before, Part, Sources, reason
from ranking.ledger import movement_ledger
from ranking.publication import Publication
from ranking.states import BoardState, Fits

LEDGER = "ledger"


def ledger_parts(sources: Sources, published: Publication, before: Before | None) -> Iterator[Part]:
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
