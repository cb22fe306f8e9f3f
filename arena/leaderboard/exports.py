"""A board as data: one form for the page's downloads and for the API."""

import csv
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from arena.catalog.models import Revision
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import board_document, revisions_by_name

CSV_COLUMNS = (
    *("model_name", "organization", "license", "rating", "rating_lower", "rating_upper"),
    *("vote_count", "rank", "rank_lower", "rank_upper", "category", "leaderboard_publish_date"),
)
PARQUET_KINDS = {
    **dict.fromkeys(
        ("model_name", "organization", "license", "category", "leaderboard_publish_date"),
        pa.string(),
    ),
    **dict.fromkeys(
        ("vote_count", "rank", "rank_lower", "rank_upper", "raw_rank", "moved_ranks"), pa.int64()
    ),
}
MOVED_COLUMNS = ("raw_rank", "raw_rating", "moved_ranks", "moved_rating", "moved_half")


def board_data(snapshot: Fitted, board: BoardName) -> dict[str, Any]:
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


def published(snapshot: Fitted) -> str:
    """When it was published; nothing for a draft."""
    return "" if snapshot.is_draft else snapshot.made_at.isoformat()


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


def movements(snapshot: Fitted, board: BoardName) -> dict[str, dict[str, float]]:
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


def board_rows(snapshot: Fitted, board: BoardName) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """The placed contestants in the field's column names, then ours: columns, and rows."""
    data = board_data(snapshot, board)
    columns = CSV_COLUMNS + (MOVED_COLUMNS if board == BoardName.CONTROLLED else ())
    rows = [
        row
        | {
            "model_name": row["contestant"],
            "organization": row.get("organisation", ""),
            "license": row.get("licence", ""),
            "vote_count": row["votes"],
            "category": data["category"],
            "leaderboard_publish_date": data["published_at"][:10],
        }
        for row in data["standings"]
    ]
    return columns, [{name: row.get(name) for name in columns} for row in rows]


def board_csv(snapshot: Fitted, board: BoardName) -> str:
    """As CSV, in which no name is a formula."""
    columns, rows = board_rows(snapshot, board)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        names = {name: unformula(row[name]) for name in ("model_name", "organization")}
        writer.writerow(row | names)
    return text.getvalue()


def board_parquet(snapshot: Fitted, board: BoardName) -> bytes:
    """As Parquet, names as they are."""
    columns, rows = board_rows(snapshot, board)
    schema = pa.schema([(name, PARQUET_KINDS.get(name, pa.float64())) for name in columns])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink, compression="zstd")
    return sink.getvalue()


def board_catalog(snapshot: Fitted, board: BoardName) -> dict[str, dict[str, dict[str, float]]]:
    """As the field's catalog: ratings with the ends of their 95% intervals, by category."""
    return {
        snapshot.category: {
            row["contestant"]: {
                "rating": row["rating"],
                "rating_q975": row["rating_upper"],
                "rating_q025": row["rating_lower"],
            }
            for row in board_document(snapshot, board)["standings"]
        }
    }


def unformula(value: str) -> str:
    """A name that a spreadsheet would run as a formula, made plain text."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
