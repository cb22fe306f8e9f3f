"""The boards that a publication holds, and the rows that a view shows of one."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from arena.battles.models import Answer, Side
from arena.catalog.models import SERVED, Revision
from arena.leaderboard.exceptions import NoSuchBoard
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import board_document, board_name, part_get, revisions_by_name
from arena.leaderboard.viewing import FAMILIES, Filters, View

# So many of the newest answers tell how long each contestant takes to begin.
LATEST_ANSWERS = 20_000
LATENCY_SECONDS = 24 * 3600

Data = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A board as it was published, and the raw board that its movements begin at.

    raw: by contestant, rank and rating there; empty where nothing moved. movements: as the
    publication has them.
    """

    board: str
    category: str
    document: Data
    movements: list[Data] = field(default_factory=list)
    raw: Mapping[str, Data] = field(default_factory=dict)

    def moved(self) -> dict[str, Data]:
        """Place on the raw board and the way from there, by contestant."""
        return {
            moved["contestant"]: {
                "raw_rank": self.raw[moved["contestant"]]["rank"],
                "raw_rating": self.raw[moved["contestant"]]["rating"],
                "moved_ranks": moved["ranks"],
                "moved_rating": moved["rating"],
                "moved_half": half(moved),
            }
            for moved in self.movements
        }


def half(moved: Data) -> float | None:
    """Half the interval of a movement; None where none is known."""
    return (moved["upper"] - moved["lower"]) / 2 if "upper" in moved else None


def by_contestant(document: Data) -> dict[str, Data]:
    return {row["contestant"]: row for row in document["standings"]}


# -- Boards ----------------------------------------------------------------------------------


def board_source(snapshot: Fitted, board: BoardName) -> Source:
    """One of the two boards of the document itself."""
    document = board_document(snapshot, board)
    if board == BoardName.RAW:
        return Source(board.value, snapshot.category, document)
    raw = by_contestant(board_document(snapshot, BoardName.RAW))
    return Source(board.value, snapshot.category, document, snapshot.content["movements"], raw)


def view_source(snapshot: Fitted, view: View) -> Source:
    """The board that a view shows. Raises NoSuchBoard where these votes did not allow it."""
    if view.is_between:
        return between(snapshot, view)
    if not view.part:
        return board_source(snapshot, view.board)
    document = part_required(snapshot, view.part)
    if view.is_pooled:
        return Source(view.name, view.category, pooled_document(snapshot, document))
    return Source(
        view.name, view.category, document, document["movements"], raw_of(snapshot, view, document)
    )


def pooled_document(snapshot: Fitted, part: Data) -> Data:
    """The pooled ratings of a category as a board has them: whom all votes cannot place is not
    placed here either."""
    everybody = board_document(snapshot, board_name(snapshot, ""))
    shared = ("spec", "unplaced", "clustered", "effective_voters")
    return {
        **{name: everybody[name] for name in shared},
        "coefficients": [],
        "position": None,
        "warnings": part["warnings"],
        "counts": part["counts"],
        "standings": part["standings"],
    }


def raw_of(snapshot: Fitted, view: View, document: Data) -> dict[str, Data]:
    if not view.controls:
        return {}
    if not view.is_plain:
        return by_contestant(part_required(snapshot, f"{view.part_of_choice}/{BoardName.RAW}"))
    if set(view.controls) <= set(view.choices.full):
        return by_contestant(board_document(snapshot, BoardName.RAW))
    return began_at(document)


def began_at(document: Data) -> dict[str, Data]:
    """Where a board of the votes that carry timings moved from: of these the raw one is not
    published."""
    rows = by_contestant(document)
    return {
        moved["contestant"]: {
            "rank": rows[moved["contestant"]]["rank"] + moved["ranks"],
            "rating": rows[moved["contestant"]]["rating"] - moved["rating"],
        }
        for moved in document["movements"]
    }


def part_required(snapshot: Fitted, name: str) -> Data:
    part = part_get(snapshot, name)
    if part is None:
        raise NoSuchBoard(_("These votes are too few, or too one-sided, for a board of their own."))
    return part


# -- Between raw and controlled --------------------------------------------------------------


def between(snapshot: Fitted, view: View) -> Source:
    """The board at a strength of control. Of it ratings and ranks are known, and no intervals."""
    path = part_required(snapshot, "path")
    names = path["contestants"]
    at = dict(zip(names, ratings_at(path, view.strength), strict=True))
    raw = {
        name: {"rank": rank, "rating": rating}
        for name, rank, rating in zip(names, path["ranks"][0], path["ratings"][0], strict=True)
    }
    full = board_document(snapshot, BoardName.CONTROLLED)
    ranks = ranks_of(at)
    standings = [
        {
            **{name: row[name] for name in ("contestant", "votes")},
            "rating": at[row["contestant"]],
            "rank": ranks[row["contestant"]],
            **dict.fromkeys(("rating_lower", "rating_upper", "rank_lower", "rank_upper")),
        }
        for row in full["standings"]
        if row["contestant"] in at
    ]
    standings.sort(key=lambda row: (row["rank"], row["contestant"]))
    movements = [
        {
            "contestant": name,
            "ranks": raw[name]["rank"] - ranks[name],
            "rating": at[name] - raw[name]["rating"],
        }
        for name in names
    ]
    return Source(view.name, view.category, full | {"standings": standings}, movements, raw)


def ratings_at(path: Data, strength: float) -> list[float]:
    """Ratings at any strength, on straight lines between the published ones."""
    strengths, ratings = path["strengths"], path["ratings"]
    upper = min(bisect_right(strengths, strength), len(strengths) - 1)
    low, high = strengths[upper - 1], strengths[upper]
    share = (strength - low) / (high - low)
    return [
        before + share * (after - before)
        for before, after in zip(ratings[upper - 1], ratings[upper], strict=True)
    ]


def ranks_of(ratings: Mapping[str, float]) -> dict[str, int]:
    """1 + how many are rated higher."""
    ranks: dict[str, int] = {}
    order = sorted(ratings, key=lambda name: -ratings[name])
    for place, name in enumerate(order, 1):
        above = order[place - 2] if place > 1 else None
        tied = above is not None and ratings[above] == ratings[name]
        ranks[name] = ranks[above] if tied and above else place
    return ranks


# -- Rows ------------------------------------------------------------------------------------


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


def slug_of(revision: Revision) -> str:
    return revision.contestant.slug


def prices(revision: Revision) -> dict[str, float]:
    """Dollars per million tokens, where the catalog states them."""
    contestant = revision.contestant
    if contestant.price_in is None or contestant.price_out is None:
        return {}
    return {"price_in": float(contestant.price_in), "price_out": float(contestant.price_out)}


def view_rows(snapshot: Fitted, view: View) -> list[Data]:
    """The rows that a view shows, in its order: each a standing with what the catalog says of the
    contestant, and how far it moved. Of a family's row, its other revisions follow it."""
    return shown(all_rows(snapshot, view_source(snapshot, view)), view, snapshot)


def all_rows(snapshot: Fitted, source: Source) -> list[Data]:
    """Of every placed contestant, in the board's order."""
    rows = source.document["standings"]
    revisions = revisions_by_name([row["contestant"] for row in rows])
    moved, latencies = source.moved(), latency_of(snapshot)
    slugs = Counter(map(slug_of, revisions.values()))
    return [
        row
        | catalog_fields(revisions[name])
        | prices(revisions[name])
        | moved.get(name, {})
        | ({"latency": latencies[name]} if name in latencies else {})
        | ({"revision": revisions[name].number} if slugs[slug_of(revisions[name])] > 1 else {})
        for row in rows
        for name in (row["contestant"],)
    ]


def shown(rows: list[Data], view: View, snapshot: Fitted) -> list[Data]:
    kept = [row for row in rows if passes(row, view.filters)]
    # A draft, and a publication of an earlier form, say nothing of families.
    if view.rows == FAMILIES and "families" in snapshot.content:
        return unfolded(kept, view, set(snapshot.content["families"].values()))
    return ordered(kept, view)


def unfolded(rows: list[Data], view: View, heads: set[str]) -> list[Data]:
    """Families in the view's order, each followed by its other revisions."""
    families: dict[str, list[Data]] = {}
    for row in rows:
        families.setdefault(row.get("family") or row["contestant"], []).append(row)
    for family in families.values():
        family.sort(key=lambda row: (row["contestant"] not in heads, row["rank"]))
    first = {family[0]["contestant"]: family for family in families.values()}
    order = ordered([family[0] for family in families.values()], view)
    return [
        row | ({"below": head["contestant"]} if row is not first[head["contestant"]][0] else {})
        for head in order
        for row in first[head["contestant"]]
    ]


def passes(row: Data, filters: Filters) -> bool:
    sought = filters.search.casefold()
    return (
        (not sought or sought in f"{row['contestant']}\n{row.get('organisation', '')}".casefold())
        and filters.organisation in ("", row.get("organisation", ""))
        and filters.licence in ("", row.get("licence", ""))
        and filters.stage in ("", row.get("stage", ""))
        and row["votes"] >= filters.votes
    )


KEYS: Mapping[str, Callable[[Data], Any]] = {
    "rank": lambda row: row["rank"],
    "contestant": lambda row: row["contestant"].casefold(),
    "organisation": lambda row: row.get("organisation", "").casefold() or None,
    "stage": lambda row: row.get("stage") or None,
    "rating": lambda row: row["rating"],
    "moved": lambda row: row.get("moved_rating"),
    "votes": lambda row: row["votes"],
    "licence": lambda row: row.get("licence") or None,
    "price": lambda row: row.get("price_out"),
    "latency": lambda row: row.get("latency"),
}


def ordered(rows: Iterable[Data], view: View) -> list[Data]:
    """In the view's order; what has no value in its column comes last either way."""
    key = KEYS[view.sort]
    rows = list(rows)
    known = [row for row in rows if key(row) is not None]
    known.sort(key=key, reverse=view.descending)
    return known + [row for row in rows if key(row) is None]


# -- Latency ---------------------------------------------------------------------------------


def latency_of(snapshot: Fitted) -> dict[str, float]:
    """Median seconds to the first token by revision, of answers asked for up to then.

    Only of contestants that are asked as people wait: a recorded answer has no time of its own.
    """
    key = f"latency:{snapshot.digest}"
    found: dict[str, float] | None = cache.get(key)
    if found is None:
        found = latency_counted(snapshot.made_at)
        cache.set(key, found, LATENCY_SECONDS)
    return found


def latency_counted(until: datetime) -> dict[str, float]:
    answers = (
        Answer.objects.filter(
            first_token_seconds__isnull=False, turn__battle__created_at__lte=until
        )
        .order_by("-pk")
        .values_list(
            *("side", "first_token_seconds"),
            *(
                f"turn__battle__revision_{side}__{name}"
                for side in "ab"
                for name in ("name", "kind")
            ),
        )[:LATEST_ANSWERS]
    )
    seconds: dict[str, list[float]] = {}
    for side, first, name_a, kind_a, name_b, kind_b in answers:
        name, kind = (name_a, kind_a) if side == Side.A else (name_b, kind_b)
        if kind in SERVED:
            seconds.setdefault(name, []).append(first)
    return {name: median(values) for name, values in seconds.items()}
