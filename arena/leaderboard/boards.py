"""From a snapshot to what its page shows: the sentences and scales computed from it."""

import math
from collections.abc import Iterable
from dataclasses import replace
from statistics import median
from typing import Any
from urllib.parse import quote_plus

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.categories import category_label
from arena.leaderboard.certainty import first_place
from arena.leaderboard.forms import form_of, toggle_label
from arena.leaderboard.models import Fitted
from arena.leaderboard.page import (
    Axis,
    BoardPage,
    ControlTag,
    Moved,
    Pooling,
    Row,
    UnplacedRow,
)
from arena.leaderboard.selectors import part_get, revisions_by_name
from arena.leaderboard.sentences import LABELS, grouped, joined, listed, sentence_translated
from arena.leaderboard.sources import Data, Source, all_rows, catalog_fields, shown, view_source
from arena.leaderboard.viewing import FAMILIES, OVERALL, View, query_of
from arena.leaderboard.why import whys

TICK_STEPS = (10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000)
# An interval wider than so many times the usual one may run off the axis.
WIDEST_SHOWN = 4.0
# A board of more rows than the first number shows the second at first.
ROWS_AT_ONCE, ROWS_AT_FIRST = 60, 40
# How a rule begins that leaves out the votes of other categories, see ranking.analysis.boards.
ELSEWHERE = "not "
# So many rows of the table an opened account takes.
WHY_ROWS = 3


def board_page(snapshot: Fitted, view: View) -> BoardPage:
    source = view_source(snapshot, view)
    document, counts = source.document, source.document["counts"]
    every = all_rows(snapshot, source)
    kept = shown(every, view, snapshot)
    cut = kept if view.whole or len(kept) <= ROWS_AT_ONCE else kept[:ROWS_AT_FIRST]
    rows = opened(tuple(map(row_of, cut)), snapshot, view)
    placed = tuple(map(row_of, every))
    address = board_address(view)
    return BoardPage(
        headline=headline(placed, view),
        subtitle=subtitle(placed, snapshot, view),
        eyebrow=board_words(view),
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        snapshot=snapshot.short,
        digest=snapshot.digest,
        engine=snapshot.engine,
        interval=_("pooled with all other votes") if view.is_pooled else interval_words(document),
        board=view.board.value,
        has_controlled=view.has_controlled,
        is_between=view.is_between,
        is_families=view.rows == FAMILIES,
        counted=counts["counted"],
        read=counts["read"],
        rows=rows,
        found=len(kept),
        placed=len(every),
        unplaced=unplaced_rows(document["unplaced"]),
        controls=tuple(control_tag(item) for item in document["coefficients"]),
        position=control_tag(document["position"]) if document["position"] else None,
        axis=axis(placed),
        warnings=warnings_of(snapshot, source),
        has_organisation=any(row.organisation for row in placed),
        has_licence=any(row.licence for row in placed),
        has_stage=any(row.stage for row in placed),
        has_price=any(row.price for row in placed),
        has_latency=any(row.latency for row in placed),
        has_slopes=bool(view.controls) and not view.sorting and any(row.moved for row in rows),
        left_out=left_out(counts),
        pooling=pooling(snapshot, view, counts["counted"]),
        query=view.query(),
        permalink=address + view.permalink(snapshot),
        address=address + view.query(),
        form=form_of(
            snapshot, view, address, every, tags_of(snapshot, source, view), len(kept) > len(cut)
        ),
    )


def board_address(view: View) -> str:
    if view.category == OVERALL:
        return reverse("leaderboard:board")
    return reverse("leaderboard:board-category", args=[view.category])


def warnings_of(snapshot: Fitted, source: Source) -> tuple[str, ...]:
    told = [*source.document["warnings"], *snapshot.content["refused"]]
    return tuple(dict.fromkeys(map(sentence_translated, told)))


def row_of(standing: Data) -> Row:
    known = standing["rating_lower"] is not None
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
        lower=standing["rating_lower"] if known else standing["rating"],
        upper=standing["rating_upper"] if known else standing["rating"],
        votes=standing["votes"],
        moved=moved_of(standing) if "raw_rank" in standing else None,
        price=price_of(standing) if "price_in" in standing else None,
        latency=number_format(round(standing["latency"], 2), 2) if "latency" in standing else "",
        revision=standing.get("revision", 0),
        below="below" in standing,
    )


def price_of(standing: Data) -> tuple[str, str]:
    """As short as they are exact: 2.5, not 2.500."""
    return number_format(f"{standing['price_in']:g}"), number_format(f"{standing['price_out']:g}")


def moved_of(standing: Data) -> Moved:
    half = standing["moved_half"]
    return Moved(
        raw_rank=standing["raw_rank"],
        raw_rating=standing["raw_rating"],
        ranks=standing["moved_ranks"],
        rating=standing["moved_rating"],
        half=math.inf if half is None else half,
    )


def opened(rows: tuple[Row, ...], snapshot: Fitted, view: View) -> tuple[Row, ...]:
    """The rows with their places and, where the reader asked for it, why they moved."""
    explained = whys(snapshot, view, rows) if view.is_full and view.has_slider else None
    began, links = raw_places(rows), Openings(view)
    made, place = [], 1
    for row in rows:
        why = explained.get(row.name) if explained else None
        opening = links.of(row.name) if explained is not None and row.moved else ""
        made.append(replace(row, place=place, began=began[row.name], opening=opening, why=why))
        place += 1 + (WHY_ROWS if why else 0)
    return tuple(made)


class Openings:
    """Addresses that open a row's account, or close it: one for each row, so made of parts."""

    def __init__(self, view: View) -> None:
        self.view, self.address = view, board_address(view)
        query = view.query()
        self.begin = f"{self.address}{query}{'&' if query else '?'}"

    def of(self, name: str) -> str:
        if name not in self.view.opened:
            return f"{self.begin}open={quote_plus(name)}"
        return self.address + self.view.changed(opened=self.view.opened - {name}).query()


def raw_places(rows: tuple[Row, ...]) -> dict[str, int]:
    """By contestant, which of these rows it would be in the order of the raw board."""
    order = sorted(rows, key=lambda row: row.moved.raw_rank if row.moved else row.rank)
    return {row.name: place for place, row in enumerate(order, 1)}


def tags_of(snapshot: Fitted, source: Source, view: View) -> dict[str, ControlTag]:
    """What each control is worth: on this board, else where everything is held equal."""
    held = source.document["coefficients"]
    boards = snapshot.content["boards"]
    full = boards["controlled"]["coefficients"] if "controlled" in boards else []
    if view.has_toggles and set(view.choices.toggles) > set(view.choices.full):
        most = part_get(snapshot, f"board/{'+'.join(view.choices.toggles)}")
        full = [*(most["coefficients"] if most else []), *full]
    position = [source.document["position"]] if source.document["position"] else []
    return {item["name"]: control_tag(item) for item in (*full, *held, *position)}


def unplaced_rows(unplaced: list[Data]) -> tuple[UnplacedRow, ...]:
    revisions = revisions_by_name([row["contestant"] for row in unplaced]) if unplaced else {}
    return tuple(
        unplaced_row(row | catalog_fields(revisions[row["contestant"]])) for row in unplaced
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


def headline(rows: tuple[Row, ...], view: View) -> str:
    if not rows:
        return _("Nobody can be placed yet.")
    movers = [row for row in rows if row.moved and row.moved.ranks]
    if not view.controls or not movers:
        return leader_sentence(rows)
    return joined(movers_sentence(len(movers), len(rows), view), furthest_sentence(movers))


def movers_sentence(movers: int, every: int, view: View) -> str:
    told = {"movers": grouped(movers), "all": grouped(every), "held": held_words(view)}
    if view.is_between:
        told["strength"] = number_format(view.strength, 2)
        sentence = ngettext(
            "At strength %(strength)s of control, %(movers)s of %(all)s contestants changes place.",
            "At strength %(strength)s of control, %(movers)s of %(all)s contestants change place.",
            movers,
        )
    elif view.controls == view.choices.full:
        sentence = ngettext(
            "With style controlled, %(movers)s of %(all)s contestants changes place.",
            "With style controlled, %(movers)s of %(all)s contestants change place.",
            movers,
        )
    else:
        sentence = ngettext(
            "With %(held)s alone controlled, %(movers)s of %(all)s contestants changes place.",
            "With %(held)s alone controlled, %(movers)s of %(all)s contestants change place.",
            movers,
        )
    return sentence % told


def held_words(view: View) -> str:
    return listed(toggle_label(name).lower() for name in view.controls)


def board_words(view: View) -> str:
    if view.category == OVERALL:
        return _("Overall board")
    return _("Category: %(category)s") % {"category": category_label(view.category)}


def pooling(snapshot: Fitted, view: View, votes: int) -> Pooling | None:
    """Of a thin category: what its ratings rest on, and the way to the other kind."""
    if not view.can_be_pooled:
        return None
    other = board_address(view) + view.changed(alone=view.is_pooled).query()
    named = query_of([("snapshot", view.snapshot)] if view.snapshot else [])
    method = f"{reverse('reports:categories')}{named}#pooling"
    if not view.is_pooled:
        return Pooling(alone_sentence(votes), other, is_shown=False, method=method)
    part = part_get(snapshot, view.part)
    assert part is not None
    sentence = pooled_sentence(votes, part["pooled"])
    return Pooling(sentence, other if view.can_be_alone else "", is_shown=True, method=method)


def pooled_sentence(votes: int, borrowed: float) -> str:
    """How much of what sets the category apart its own votes settle."""
    return ngettext(
        "Only %(votes)s vote here, so ratings are pooled: it settles %(share)s%% of how far this "
        "category differs from all other votes, and the rest is borrowed from them.",
        "Only %(votes)s votes here, so ratings are pooled: they settle %(share)s%% of how far this "
        "category differs from all other votes, and the rest is borrowed from them.",
        votes,
    ) % {"votes": grouped(votes), "share": number_format(math.ceil(100 * (1 - borrowed)))}


def alone_sentence(votes: int) -> str:
    return ngettext(
        "Only %(votes)s vote here, and these ratings rest on it alone.",
        "Only %(votes)s votes here, and these ratings rest on them alone.",
        votes,
    ) % {"votes": grouped(votes)}


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


def subtitle(rows: tuple[Row, ...], snapshot: Fitted, view: View) -> str:
    """How sure first place is, from chances and fragility; on other boards from the rank sets."""
    if not rows:
        return ""
    if view.is_between:
        return _("Between the ends ratings are exact, and their intervals are not computed.")
    if any(row.rank_lower is None for row in rows):
        return _("Too few voters to say how sure the ranks are.")
    possible = [row for row in rows if row.rank_lower == 1]
    # Chances and fragility are those of the publication's own board.
    is_own = view.is_plain and view.controls == view.choices.full and len(rows) > 1
    if is_own and (sentence := first_place(snapshot, is_settled=len(possible) == 1)):
        return sentence
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
    reasons = [(rule_words(rule), number) for rule, number in counts["excluded"].items()]
    reasons += [
        (_("without the style of their answers"), counts["missing"]),
        (_("both bad, left out by the spec"), counts["both_bad"]),
        (_("between contestants that are not placed"), counts["unplaced"]),
    ]
    return tuple(sorted((item for item in reasons if item[1]), key=lambda item: -item[1]))


def rule_words(rule: str) -> str:
    """A category's board leaves out all other votes by a rule that names it."""
    if rule.startswith(ELSEWHERE):
        category = str(category_label(rule.removeprefix(ELSEWHERE)))
        return _("not in the category “%(category)s”") % {"category": category}
    return _("excluded: %(rule)s") % {"rule": rule}


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
