"""From a snapshot to what its page shows: the sentences and scales computed from it."""

import math
from collections.abc import Iterable
from statistics import median
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.exports import board_data
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.page import Axis, BoardPage, ControlTag, Moved, Row, UnplacedRow
from arena.leaderboard.sentences import LABELS, listed, sentence_translated

TICK_STEPS = (10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000)
# An interval wider than so many times the usual one may run off the axis.
WIDEST_SHOWN = 4.0


def board_page(snapshot: Fitted, board: BoardName) -> BoardPage:
    data = board_data(snapshot, board)
    rows = tuple(row_of(standing) for standing in data["standings"])
    unplaced = tuple(unplaced_row(row) for row in data["unplaced"])
    counts = data["counts"]
    return BoardPage(
        headline=headline(rows, board),
        subtitle=subtitle(rows),
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        snapshot=snapshot.short,
        digest=snapshot.digest,
        engine=snapshot.engine,
        interval=interval_words(data),
        board=board.value,
        has_controlled=BoardName.CONTROLLED in snapshot.content["boards"],
        counted=counts["counted"],
        read=counts["read"],
        rows=rows,
        unplaced=unplaced,
        controls=tuple(control_tag(item) for item in data["coefficients"]),
        position=control_tag(data["position"]) if data["position"] else None,
        axis=axis(rows),
        warnings=tuple(map(sentence_translated, data["warnings"])),
        has_organisation=any(row.organisation for row in rows),
        has_licence=any(row.licence for row in rows),
        has_stage=any(row.stage for row in rows),
        left_out=left_out(counts),
    )


def row_of(standing: dict[str, Any]) -> Row:
    return Row(
        name=standing["contestant"],
        slug=standing["slug"],
        organisation=standing.get("organisation", ""),
        licence=standing.get("licence", ""),
        stage=standing.get("stage", ""),
        rank=standing["rank"],
        rank_lower=standing["rank_lower"],
        rank_upper=standing["rank_upper"],
        rating=standing["rating"],
        lower=standing["rating_lower"],
        upper=standing["rating_upper"],
        votes=standing["votes"],
        moved=moved_of(standing) if "raw_rank" in standing else None,
    )


def moved_of(standing: dict[str, Any]) -> Moved:
    return Moved(
        raw_rank=standing["raw_rank"],
        raw_rating=standing["raw_rating"],
        ranks=standing["moved_ranks"],
        rating=standing["moved_rating"],
        half=standing["moved_half"],
    )


def unplaced_row(row: dict[str, Any]) -> UnplacedRow:
    return UnplacedRow(
        name=row["contestant"],
        slug=row["slug"],
        organisation=row.get("organisation", ""),
        votes=row["votes"],
        sentence=unplaced_sentence(row),
    )


def unplaced_sentence(row: dict[str, Any]) -> str:
    match row["reason"]:
        case "undefeated" | "winless":
            return one_sided_sentence(row)
        case "above":
            return _("Its group has only ever beaten the main board, so how far above is unknown.")
        case "below":
            return _("Its group has only ever lost to the main board, so how far below is unknown.")
        case "no_votes":
            return _("None of its votes count.")
    return _("Not comparable: it has met nobody on the main board.")


def one_sided_sentence(row: dict[str, Any]) -> str:
    """Of a contestant that only ever won, or only ever lost: the bound, where there is one."""
    votes, bound = row["votes"], row["bound"]
    told = {"battles": grouped(votes), "bound": grouped(bound) if bound else ""}
    match row["reason"], bool(bound):
        case "undefeated", True:
            sentence = ngettext(
                "Undefeated in %(battles)s battle: above %(bound)s, and no more can be said.",
                "Undefeated in %(battles)s battles: above %(bound)s, and no more can be said.",
                votes,
            )
        case "undefeated", False:
            sentence = ngettext(
                "Undefeated in %(battles)s battle: no upper bound.",
                "Undefeated in %(battles)s battles: no upper bound.",
                votes,
            )
        case "winless", True:
            sentence = ngettext(
                "Never better in %(battles)s battle: below %(bound)s, and no more can be said.",
                "Never better in %(battles)s battles: below %(bound)s, and no more can be said.",
                votes,
            )
        case "winless", False:
            sentence = ngettext(
                "Never better in %(battles)s battle: no lower bound.",
                "Never better in %(battles)s battles: no lower bound.",
                votes,
            )
    return sentence % told


def control_tag(coefficient: dict[str, Any]) -> ControlTag:
    per_unit = coefficient["elo"] / coefficient["value"] if coefficient["value"] else 0.0
    half = (coefficient["upper"] - coefficient["lower"]) / 2 * per_unit
    return ControlTag(str(LABELS[coefficient["name"]]), coefficient["elo"], abs(half))


# -- Sentences -------------------------------------------------------------------------------


def headline(rows: tuple[Row, ...], board: BoardName) -> str:
    if not rows:
        return _("Nobody can be placed yet.")
    movers = [row for row in rows if row.moved and row.moved.ranks]
    if board == BoardName.RAW or not movers:
        return leader_sentence(rows)
    return joined(movers_sentence(len(movers), len(rows)), furthest_sentence(movers))


def movers_sentence(movers: int, every: int) -> str:
    return ngettext(
        "With style controlled, %(movers)s of %(all)s contestants changes place.",
        "With style controlled, %(movers)s of %(all)s contestants change place.",
        movers,
    ) % {"movers": grouped(movers), "all": grouped(every)}


def furthest_sentence(movers: Iterable[Row]) -> str:
    row = max(movers, key=lambda row: (abs(row.moved.ranks), abs(row.moved.rating)))  # type: ignore[union-attr]
    assert row.moved is not None
    told = {"name": row.name, "raw": row.moved.raw_rank, "rank": row.rank}
    if row.moved.ranks < 0:
        return _("%(name)s falls furthest, from %(raw)s to %(rank)s.") % told
    return _("%(name)s rises furthest, from %(raw)s to %(rank)s.") % told


def leader_sentence(rows: tuple[Row, ...]) -> str:
    first = rows[0]
    if len(rows) == 1:
        return _("%(name)s is the only one that can be placed.") % {"name": first.name}
    sharing = [row.name for row in rows if row.rank == 1]
    if len(sharing) == len(rows):
        return _("All %(all)s contestants share first place.") % {"all": grouped(len(rows))}
    if len(sharing) > 1:
        return _("%(names)s share first place.") % {"names": listed(sharing)}
    lead = round(first.rating - rows[1].rating)
    return ngettext(
        "%(name)s leads %(all)s contestants, %(lead)s point ahead of %(second)s.",
        "%(name)s leads %(all)s contestants, %(lead)s points ahead of %(second)s.",
        lead,
    ) % {
        "name": first.name,
        "all": grouped(len(rows)),
        "lead": grouped(lead),
        "second": rows[1].name,
    }


def subtitle(rows: tuple[Row, ...]) -> str:
    """How sure first place is, from the rank sets."""
    possible = [row for row in rows if row.rank_lower == 1]
    if not rows or any(row.rank_lower is None for row in rows):
        return _("Too few voters to say how sure the ranks are.")
    if len(possible) == 1:
        return _("First place is settled: at 95%% confidence only %(name)s can hold it.") % {
            "name": possible[0].name
        }
    return _("First place is not settled: at 95%% confidence any of %(number)s could hold it.") % {
        "number": grouped(len(possible))
    }


def interval_words(data: dict[str, Any]) -> str:
    if data["clustered"]:
        voters = round(data["effective_voters"])
        return ngettext(
            "voter-clustered sandwich, %(voters)s effective voter",
            "voter-clustered sandwich, %(voters)s effective voters",
            voters,
        ) % {"voters": grouped(voters)}
    return _("sandwich per vote; the voters are not known")


def left_out(counts: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    """Why votes do not count, the commonest first; only what happened."""
    reasons = [
        (_("excluded: %(rule)s") % {"rule": rule}, number)
        for rule, number in counts["excluded"].items()
    ]
    reasons += [
        (_("without the style of their answers"), counts["missing"]),
        (_("both bad, left out by the spec"), counts["both_bad"]),
        (_("between contestants that are not placed"), counts["unplaced"]),
    ]
    return tuple(sorted((item for item in reasons if item[1]), key=lambda item: -item[1]))


def joined(first: str, second: str) -> str:
    """Two sentences, with what the language has between them."""
    return _("%(first)s %(second)s") % {"first": first, "second": second}


def grouped(value: float) -> str:
    """A whole number as the reader's language groups its digits."""
    return str(number_format(round(value), force_grouping=True))


# -- Scale -----------------------------------------------------------------------------------


def axis(rows: tuple[Row, ...]) -> Axis:
    """A rating axis with round ticks that holds every rating and every usual interval.

    A contestant of very few votes has an interval many times as wide as the others'; an axis
    that held it would show nothing of them.
    """
    if not rows:
        return Axis(900.0, 1100.0, (900, 1000, 1100))
    widest = WIDEST_SHOWN * median(row.half for row in rows)
    values = [value for row in rows for value in (row.rating, raw_rating(row))]
    values += [value for row in rows if row.half <= widest for value in (row.lower, row.upper)]
    low, high = min(values), max(values)
    step = next((step for step in TICK_STEPS if (high - low) / step <= 6), TICK_STEPS[-1])
    low, high = low - step * 0.1, high + step * 0.1
    first = math.ceil(low / step) * step
    cut = any(row.lower < low or row.upper > high for row in rows)
    return Axis(low, high, tuple(range(first, math.floor(high) + 1, step)), cut)


def raw_rating(row: Row) -> float:
    return row.moved.raw_rating if row.moved else row.rating
