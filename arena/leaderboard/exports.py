"""A board as data: one form for the page's downloads and for the API."""

import csv
import io
from typing import Any

from arena.catalog.models import Revision
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.selectors import board_document, revisions_by_name

CSV_COLUMNS = (
    *("model_name", "organization", "license", "rating", "rating_lower", "rating_upper"),
    *("vote_count", "rank", "rank_lower", "rank_upper", "category", "leaderboard_publish_date"),
)
MOVED_COLUMNS = ("raw_rank", "raw_rating", "moved_ranks", "moved_rating", "moved_half")


def board_data(snapshot: Snapshot, board: BoardName) -> dict[str, Any]:
    """The board with its spec, counts and everything it rests on, as plain values."""
    document = board_document(snapshot, board)
    names = [row["contestant"] for row in (*document["standings"], *document["unplaced"])]
    revisions, moved = revisions_by_name(names), movements(snapshot, board)
    return {
        "snapshot": snapshot.digest,
        "board": board.value,
        "category": snapshot.category,
        "published_at": published(snapshot),
        "engine": snapshot.engine,
        "simulated_votes": snapshot.content["simulated_votes"],
        "spec": document["spec"],
        "counts": document["counts"],
        "clustered": document["clustered"],
        "effective_voters": document["effective_voters"],
        "coefficients": document["coefficients"],
        "position": document["position"],
        "warnings": [*document["warnings"], *snapshot.content["refused"]],
        "standings": [
            row | catalog_fields(revisions[row["contestant"]]) | moved.get(row["contestant"], {})
            for row in document["standings"]
        ],
        "unplaced": [
            row | catalog_fields(revisions[row["contestant"]]) for row in document["unplaced"]
        ],
    }


def published(snapshot: Snapshot) -> str:
    return snapshot.published_at.isoformat() if snapshot.published_at else ""


def catalog_fields(revision: Revision) -> dict[str, str]:
    """What the catalog says; a field it does not state is left out."""
    contestant = revision.contestant
    stated = {
        "slug": contestant.slug,
        "organisation": contestant.organisation.name if contestant.organisation else "",
        "licence": contestant.licence,
        "stage": revision.stage,
        "family": revision.family,
    }
    return {name: value for name, value in stated.items() if value}


def movements(snapshot: Snapshot, board: BoardName) -> dict[str, dict[str, float]]:
    """Place on the raw board and the way from there, by contestant; none on the raw board."""
    if board == BoardName.RAW:
        return {}
    raw = {row["contestant"]: row for row in board_document(snapshot, BoardName.RAW)["standings"]}
    return {
        moved["contestant"]: {
            "raw_rank": raw[moved["contestant"]]["rank"],
            "raw_rating": raw[moved["contestant"]]["rating"],
            "moved_ranks": moved["ranks"],
            "moved_rating": moved["rating"],
            "moved_half": (moved["upper"] - moved["lower"]) / 2,
        }
        for moved in snapshot.content["movements"]
    }


def board_csv(snapshot: Snapshot, board: BoardName) -> str:
    """The placed contestants in the field's column names, then ours."""
    data = board_data(snapshot, board)
    columns = CSV_COLUMNS + (MOVED_COLUMNS if board == BoardName.CONTROLLED else ())
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in data["standings"]:
        writer.writerow(
            row
            | {
                "model_name": unformula(row["contestant"]),
                "organization": unformula(row.get("organisation", "")),
                "license": row.get("licence", ""),
                "vote_count": row["votes"],
                "category": data["category"],
                "leaderboard_publish_date": data["published_at"][:10],
            }
        )
    return text.getvalue()


def unformula(value: str) -> str:
    """A name that a spreadsheet would run as a formula, made plain text."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
