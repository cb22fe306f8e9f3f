"""Six contestants that organisations made, at a price, and votes on them.

By substance wren, kite, lark, rook, swift and finch, best first; the worse write more. Alder made
wren and kite (closed), Birch lark and rook (open), Cedar swift and finch: finch is an experimental
variant of swift.
"""

import re
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

from django.test import Client

from arena.catalog.models import Contestant, Kind, Organisation, Status
from arena.catalog.services import revision_add
from arena.integrity.imports import votes_import
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from ranking.analysis.certainty import default_parts
from ranking.analysis.method import method_part
from ranking.analysis.moved import ledger_parts
from tests.leaderboard.stylish import stylish

CAST: tuple[tuple[str, str, str, tuple[str, str] | None, date], ...] = (
    ("wren", "Alder", "proprietary", ("3", "15"), date(2026, 3, 1)),
    ("kite", "Alder", "proprietary", ("1", "5"), date(2026, 1, 1)),
    ("lark", "Birch", "open", ("0.5", "1"), date(2026, 2, 1)),
    ("rook", "Birch", "open", ("0.2", "0.4"), date(2025, 11, 1)),
    ("swift", "Cedar", "open", None, date(2026, 4, 1)),
)


def parts(sources: Any, made: Any, before: Any = None) -> Any:
    """The parts that these pages read, which are made sooner than all."""
    yield from default_parts(sources.votes, made)
    yield from method_part(sources, made)
    yield from ledger_parts(sources, made, before)


def cast_made(kind: Kind = Kind.IMPORTED) -> None:
    served = {"endpoint": "http://127.0.0.1:9/v1"} if kind == Kind.OPENAI else {}
    for name, maker, licence, price, released in CAST:
        organisation, _ = Organisation.objects.get_or_create(
            slug=maker.lower(), defaults={"name": maker}
        )
        contestant = Contestant.objects.create(
            name=name,
            slug=name,
            organisation=organisation,
            licence=licence,
            price_in=price[0] if price else None,
            price_out=price[1] if price else None,
            released_on=released,
            status=Status.ACTIVE,
        )
        # The variant came first, and is of the same contestant.
        stages = {"finch": "experimental", "swift": "released"} if name == "swift" else {name: ""}
        for own, stage in stages.items():
            revision_add(
                contestant=contestant,
                name=own,
                kind=kind,
                stage=stage,
                family=f"family-of-{name}",
                remote_model=own,
                **served,
            )


def published(folder: Path, votes: int = 700, name: str = "first.csv") -> Snapshot:
    votes_import(path=stylish(folder, votes, name))
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def said(client: Client, address: str, status: int = 200) -> str:
    """The page's words, without its markup and drawings."""
    response = client.get(address)
    assert response.status_code == status, response.content[:400]
    text = re.sub(r"<svg.*?</svg>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
