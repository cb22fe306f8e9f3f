"""A board as data: one form for the page's downloads and for the API."""

import csv
import io
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import revisions_by_name
from arena.leaderboard.sources import (
    Source,
    board_source,
    catalog_fields,
    view_rows,
    view_source,
)
from arena.leaderboard.viewing import View

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
# What the page shows beside; a view's own file has those of them that anything is known of.
VIEW_COLUMNS = ("stage", "family", "price_in", "price_out", "latency")


def board_data(snapshot: Fitted, view: View) -> dict[str, Any]:
    """The whole board that a view is of, with its spec, counts and everything it rests on."""
    source = view_source(snapshot, view)
    names = [row["contestant"] for row in source.document["standings"]]
    revisions, moved = revisions_by_name(names), source.moved()
    rows = [
        row | catalog_fields(revisions[row["contestant"]]) | moved.get(row["contestant"], {})
        for row in source.document["standings"]
    ]
    return source_data(snapshot, source, rows)


def view_data(snapshot: Fitted, view: View) -> dict[str, Any]:
    """The rows that a view shows, with the same about the board that they are of."""
    source = view_source(snapshot, view)
    data = source_data(snapshot, source, view_rows(snapshot, view))
    return data | {"board": view.name, "view": dict(view.asked())}


def source_data(snapshot: Fitted, source: Source, rows: list[dict[str, Any]]) -> dict[str, Any]:
    document = source.document
    revisions = revisions_by_name([row["contestant"] for row in document["unplaced"]])
    return {
        "snapshot": snapshot.digest,
        "board": source.board,
        "category": source.category,
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
        "standings": rows,
        "unplaced": [
            row | catalog_fields(revisions[row["contestant"]]) for row in document["unplaced"]
        ],
    }


def published(snapshot: Fitted) -> str:
    """When it was published; nothing for a draft."""
    return "" if snapshot.is_draft else snapshot.made_at.isoformat()


def movements(snapshot: Fitted, board: BoardName) -> dict[str, dict[str, Any]]:
    """Place on the raw board and the way from there, by contestant; none on the raw board."""
    return board_source(snapshot, board).moved()


def board_rows(snapshot: Fitted, view: View) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """The placed contestants in the field's column names, then ours: columns, and rows."""
    data = board_data(snapshot, view)
    columns = CSV_COLUMNS + (MOVED_COLUMNS if view.controls else ())
    return columns, named_rows(data, columns)


def named_rows(data: dict[str, Any], columns: Iterable[str]) -> list[dict[str, Any]]:
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
    return [{name: row.get(name) for name in columns} for row in rows]


def board_csv(snapshot: Fitted, view: View) -> str:
    return written(*board_rows(snapshot, view))


def view_csv(snapshot: Fitted, view: View) -> str:
    """The rows that a view shows, in its order."""
    data = view_data(snapshot, view)
    columns = CSV_COLUMNS + (MOVED_COLUMNS if view.controls else ())
    columns += tuple(name for name in VIEW_COLUMNS if any(name in row for row in data["standings"]))
    return written(columns, named_rows(data, columns))


def written(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    """As CSV, in which no name is a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        names = {name: unformula(row[name]) for name in ("model_name", "organization")}
        writer.writerow(row | names)
    return text.getvalue()


def board_parquet(snapshot: Fitted, view: View) -> bytes:
    """As Parquet, names as they are."""
    columns, rows = board_rows(snapshot, view)
    schema = pa.schema([(name, PARQUET_KINDS.get(name, pa.float64())) for name in columns])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink, compression="zstd")
    return sink.getvalue()


def board_catalog(snapshot: Fitted, *views: View) -> dict[str, dict[str, dict[str, float | None]]]:
    """As the field's catalog: ratings with the ends of their 95% intervals, by category."""
    return {
        view.category: {
            row["contestant"]: {
                "rating": row["rating"],
                "rating_q975": row["rating_upper"],
                "rating_q025": row["rating_lower"],
            }
            for row in view_source(snapshot, view).document["standings"]
        }
        for view in views
    }


def unformula(value: str) -> str:
    """A name that a spreadsheet would run as a formula, made plain text."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
