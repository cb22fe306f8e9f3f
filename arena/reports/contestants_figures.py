"""What is drawn of a contestant: rows to draw and take away, with the finding and the words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.battles.exposure import wilson
from arena.catalog.models import Revision
from arena.leaderboard.categories import category_label
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import (
    board_document,
    board_name,
    movements_of,
    part_get,
    parts_fetch,
    standings_of,
)
from arena.leaderboard.sentences import LABELS
from arena.reports import contestants_words as words
from arena.reports.figures import Figure
from arena.reports.roster import Known, Roster
from ranking.covariates import METRICS, TIMINGS

if TYPE_CHECKING:
    from types import ModuleType

Data = Mapping[str, Any]

WHY, WRITING, CATEGORIES, HISTORY, VERSUS = "why", "writing", "categories", "history", "versus"
NAMES = (WHY, WRITING, CATEGORIES, HISTORY, VERSUS)
# Ends of a 95% interval in standard errors.
Z = 1.959964
# A record of fewer votes is unlike anything by chance.
LEAST_COMPARED = 5
# Of publications so many of the latest are drawn.
MOST_PUBLICATIONS = 60
# Of these the median is mostly 0 or 1, which orders nobody.
COUNTS = ("headers", "lists", "bold", "code", "emoji")


@dataclass(frozen=True)
class Subject:
    """A revision with what a publication says of it.

    standing, unplaced: its row on the default board, of which it has one or the other, or neither
    where no vote on it was read. part: `contestant/<name>`; None where there is none.
    """

    snapshot: Fitted
    roster: Roster
    known: Known
    revision: Revision
    board: BoardName
    document: Data
    standing: Data | None
    unplaced: Data | None
    part: Data | None

    @property
    def name(self) -> str:
        return self.known.name

    @cached_property
    def raw(self) -> Data | None:
        """Its row on the raw board, where it is placed there."""
        rows = board_document(self.snapshot, BoardName.RAW)["standings"]
        return next((row for row in rows if row["contestant"] == self.name), None)

    @cached_property
    def movement(self) -> Data | None:
        """From raw to controlled; None where nothing is controlled or it is not placed."""
        if self.board == BoardName.RAW or self.standing is None:
            return None
        moved = movements_of(self.snapshot)
        return next((each for each in moved if each["contestant"] == self.name), None)

    @cached_property
    def account(self) -> Data | None:
        """What each control did to its rating."""
        path = part_get(self.snapshot, "path") if self.movement else None
        accounts = path["attributions"] if path else ()
        return next((each for each in accounts if each["contestant"] == self.name), None)


def subject_of(snapshot: Fitted, roster: Roster, known: Known) -> Subject:
    board = board_name(snapshot, "")
    document = board_document(snapshot, board)
    parts_fetch(snapshot, f"contestant/{known.name}", "path", "field", "categories", "fragility")
    return Subject(
        snapshot=snapshot,
        roster=roster,
        known=known,
        revision=Revision.objects.select_related("contestant__organisation").get(name=known.name),
        board=board,
        document=document,
        standing=row_named(document["standings"], known.name),
        unplaced=row_named(document["unplaced"], known.name),
        part=part_get(snapshot, f"contestant/{known.name}"),
    )


def row_named(rows: Sequence[Data], name: str) -> Data | None:
    return next((row for row in rows if row["contestant"] == name), None)


def charts() -> ModuleType:
    """Imported with its libraries where something is drawn."""
    from arena.reports.charts import contestants

    return contestants


# -- Why it moved ----------------------------------------------------------------------------


def why_figure(subject: Subject) -> Figure | None:
    """From the raw rating to the controlled one, control by control, the largest first."""
    account, standing, raw, moved = (
        subject.account,
        subject.standing,
        subject.raw,
        subject.movement,
    )
    if account is None or standing is None or raw is None or moved is None:
        return None
    terms = sorted(account["terms"], key=lambda term: -abs(term["rating"]))
    labelled = [(str(LABELS[term["control"]]), term["rating"]) for term in terms]
    rows, at = [why_end("raw", _("Raw"), raw)], raw["rating"]
    for label, points in labelled:
        rows.append(
            {
                "step": label,
                "kind": "gain" if points > 0 else "loss",
                "points": points,
                "from": at,
                "to": at + points,
            }
        )
        at += points
    rows.append(why_end("controlled", _("Controlled"), standing))
    could_be_nothing = abs(moved["rating"]) <= (moved["upper"] - moved["lower"]) / 2
    title = words.why_title(labelled, moved["rating"], could_be_nothing)
    return Figure(
        name=WHY,
        title=title,
        words=words.why_words(raw["rating"], labelled, standing["rating"]),
        rows=rows,
        draw=lambda theme: charts().why_chart(subject.snapshot, subject.name, title, rows, theme),
        size=(600, 312),
        note=_("Rating points; each bar is what one trait of its answers was worth."),
        headings={
            "step": _("Step"),
            "kind": "",
            "points": _("Points"),
            "from": pgettext("end of an interval", "From"),
            "to": pgettext("end of an interval", "To"),
            "rating": _("Rating"),
            "lower": _("At least"),
            "upper": _("At most"),
        },
    )


def why_end(kind: str, label: str, row: Data) -> dict[str, Any]:
    return {
        "step": label,
        "kind": kind,
        "points": None,
        "from": None,
        "to": None,
        "rating": row["rating"],
        "lower": row["rating_lower"],
        "upper": row["rating_upper"],
    }


# -- How it writes ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Trait:
    """One trait of its answers among all contestants'. place: from the most.

    at, middle, ticks: of it, of the median and of the others, in percent of the way from the
    least to the most.
    """

    label: str
    own: float
    median: float
    place: int
    of: int
    at: float
    middle: float
    ticks: tuple[float, ...]

    @property
    def own_words(self) -> str:
        return words.figure(self.own)

    @property
    def median_words(self) -> str:
        return words.figure(self.median)

    @property
    def drawn(self) -> dict[str, Any]:
        """What a chart has of it beside its data."""
        return {
            "own": self.own_words,
            "usual": self.median_words,
            "at": self.at,
            "middle": self.middle,
            "ticks": self.ticks,
        }

    @property
    def distance(self) -> float:
        """How far its place is from the middle one: 0 to ½."""
        return abs((self.place - 0.5) / self.of - 0.5)


def traits_of(subject: Subject) -> tuple[Trait, ...]:
    """Traits that it differs in from somebody; none where too few others are known."""
    field = part_get(subject.snapshot, "field") if subject.part else None
    if field is None:
        return ()
    assert subject.part is not None
    own = subject.part["style"]
    found = (
        trait_of(metric, own[metric], field["metrics"][metric], subject.name)
        for metric in (*METRICS, *TIMINGS)
        if metric in own and metric in field["metrics"]
    )
    return tuple(trait for trait in found if trait is not None)


def trait_of(metric: str, own: Data, field: Data, name: str) -> Trait | None:
    is_count = metric in COUNTS and "means" in field
    value = own["mean" if is_count else "median"]
    others = [
        each
        for who, each in zip(
            field["contestants"], field["means" if is_count else "medians"], strict=True
        )
        if who != name and each is not None
    ]
    every = [*others, value]
    low, high = min(every), max(every)
    if len(others) < 2 or low == high:
        return None
    # Lengths and times differ by factors.
    scale = Scale(low, high, is_ratio=low > 0 and not is_count)
    return Trait(
        label=str(words.LABELS_OF_METRICS[metric]),
        own=value,
        median=median(every),
        place=1 + sum(each > value for each in others),
        of=len(every),
        at=scale.percent(value),
        middle=scale.percent(median(every)),
        ticks=tuple(scale.percent(each) for each in others),
    )


@dataclass(frozen=True)
class Scale:
    low: float
    high: float
    is_ratio: bool

    def percent(self, value: float) -> float:
        if self.is_ratio:
            return 100 * math.log(value / self.low) / math.log(self.high / self.low)
        return 100 * (value - self.low) / (self.high - self.low)


def writing_figure(subject: Subject, traits: Sequence[Trait]) -> Figure | None:
    if not traits:
        return None
    rows = [
        {
            "trait": trait.label,
            "this": trait.own,
            "median": trait.median,
            "place": trait.place,
            "of": trait.of,
        }
        for trait in traits
    ]
    drawn = [row | trait.drawn for row, trait in zip(rows, traits, strict=True)]
    most = max(traits, key=lambda trait: trait.distance)
    title = words.writing_title(most.label, most.place, most.of)
    return Figure(
        name=WRITING,
        title=title,
        words=words.writing_words(subject.name, rows),
        rows=rows,
        draw=lambda theme: charts().writing_chart(
            subject.snapshot, subject.name, title, drawn, theme
        ),
        size=(620, 60 + 22 * len(rows)),
        headings={
            "trait": _("Trait"),
            "this": _("This one"),
            "median": _("Median of all"),
            "place": _("Place"),
            "of": _("Of"),
        },
    )


# -- By category -----------------------------------------------------------------------------


def categories_rows(subject: Subject) -> list[dict[str, Any]]:
    """All votes first, then every category that places it, the largest first."""
    table = part_get(subject.snapshot, "categories")
    standing = subject.standing
    if table is None or standing is None or subject.name not in table["contestants"]:
        return []
    place = table["contestants"].index(subject.name)
    found = []
    for number, name in enumerate(table["categories"]):
        row = {key: table[key][number][place] for key in CATEGORY_KEYS}
        if row["ratings"] is not None:
            found.append(category_row(name, row, pooled=table["pooled"][number]))
    found.sort(key=lambda row: -row["votes"])
    return [overall_row(subject), *found] if found else []


CATEGORY_KEYS = (
    *("votes", "ratings", "halves", "ranks", "rank_lower", "rank_upper", "raw_ratings"),
)


def category_row(name: str, row: Data, *, pooled: bool) -> dict[str, Any]:
    half = row["halves"]
    return {
        "category": str(category_label(name)),
        "name": name,
        "votes": row["votes"] or 0,
        "rating": row["ratings"],
        "lower": None if half is None else row["ratings"] - half,
        "upper": None if half is None else row["ratings"] + half,
        "raw_rating": row["raw_ratings"],
        "rank": row["ranks"],
        "rank_lower": row["rank_lower"],
        "rank_upper": row["rank_upper"],
        "pooled": pooled,
    }


def overall_row(subject: Subject) -> dict[str, Any]:
    standing, raw = subject.standing, subject.raw
    assert standing is not None
    return {
        "category": str(category_label(subject.snapshot.category)),
        "name": subject.snapshot.category,
        "votes": standing["votes"],
        "rating": standing["rating"],
        "lower": standing["rating_lower"],
        "upper": standing["rating_upper"],
        "raw_rating": raw["rating"] if raw and subject.board == BoardName.CONTROLLED else None,
        "rank": standing["rank"],
        "rank_lower": standing["rank_lower"],
        "rank_upper": standing["rank_upper"],
        "pooled": False,
    }


def categories_figure(subject: Subject, rows: Sequence[Data]) -> Figure | None:
    if not rows:
        return None
    overall, others = rows[0], rows[1:]
    apart = [(row["category"], distance_apart(row, overall, len(others))) for row in others]
    title = words.categories_title(
        [name for name, far in apart if far > 0], [name for name, far in apart if far < 0]
    )
    is_raw = subject.board == BoardName.RAW
    return Figure(
        name=CATEGORIES,
        title=title,
        words=words.categories_words(subject.name, rows),
        rows=rows,
        draw=lambda theme: charts().categories_chart(
            subject.snapshot, subject.name, title, rows, theme, is_raw=is_raw
        ),
        size=(760, 60 + 22 * len(rows)),
        headings={
            "category": _("Category"),
            "name": "",
            "votes": _("Votes"),
            "rating": _("Rating"),
            "lower": _("At least"),
            "upper": _("At most"),
            "raw_rating": _("Raw rating"),
            "rank": _("Rank"),
            "rank_lower": _("Best rank"),
            "rank_upper": _("Worst rank"),
            "pooled": _("Pooled"),
        },
    )


def distance_apart(row: Data, overall: Data, among: int) -> int:
    """1 or −1 where it is surely higher or lower than overall, else 0.

    among: so many categories are looked at, so each has to be as sure as that (Bonferroni). A
    category's votes are among all, and their correlation is not known here: without it the
    difference is taken to be less sure than it is.
    """
    if None in (row["lower"], overall["lower"]):
        return 0
    wider = NormalDist().inv_cdf(1 - 0.025 / among) / Z
    half = wider * math.hypot(row["upper"] - row["rating"], overall["upper"] - overall["rating"])
    gap = row["rating"] - overall["rating"]
    return 0 if abs(gap) <= half else 1 if gap > 0 else -1


# -- Over time -------------------------------------------------------------------------------


def history_rows(subject: Subject) -> list[dict[str, Any]]:
    """Places of all its contestant's revisions, by publication up to this one. One query."""
    number = subject.snapshot.content.get("number")
    if number is None:
        return []
    found = (
        standings_of(None)
        .filter(
            revision__contestant=subject.revision.contestant_id,
            rating__isnull=False,
            snapshot__number__lte=number,
            snapshot__number__gt=number - MOST_PUBLICATIONS,
        )
        .order_by("snapshot__number", "revision__number", "board")
        .values_list(
            *("snapshot__number", "snapshot__published_at", "revision__name", "board"),
            *("rating", "rating_lower", "rating_upper", "rank", "rank_lower", "rank_upper"),
            "votes",
        )
    )
    keys = (
        *("publication", "published_at", "revision", "board", "rating", "lower", "upper"),
        *("rank", "rank_lower", "rank_upper", "votes"),
    )
    rows = [dict(zip(keys, row, strict=True)) for row in found]
    return [row | {"published_at": row["published_at"].isoformat()} for row in rows]


def history_figure(subject: Subject, rows: Sequence[Data]) -> Figure | None:
    """None where there is one publication alone: nothing went on yet."""
    if len({row["publication"] for row in rows}) < 2:
        return None
    own = [row for row in rows if row["revision"] == subject.name and row["board"] == subject.board]
    if own:
        title = words.history_title(own[0], own[-1], len(own))
    else:
        title = _("Other revisions of it have been in earlier publications.")
    name = subject.name
    return Figure(
        name=HISTORY,
        title=title,
        words=words.history_words(rows),
        rows=rows,
        draw=lambda theme: charts().history_chart(subject.snapshot, name, title, rows, theme),
        size=(680, 312),
        note=words.history_note(is_alone=all(row["revision"] == name for row in rows)),
        headings={
            "publication": _("Publication"),
            "published_at": _("Published"),
            "revision": _("Revision"),
            "board": _("Board"),
            "rating": _("Rating"),
            "lower": _("At least"),
            "upper": _("At most"),
            "rank": _("Rank"),
            "rank_lower": _("Best rank"),
            "rank_upper": _("Worst rank"),
            "votes": _("Votes"),
        },
    )


# -- Head to head ----------------------------------------------------------------------------


def versus_rows(subject: Subject) -> list[dict[str, Any]]:
    """Against everybody that it met or that is placed, whom it met most first."""
    if subject.part is None:
        return []
    table = subject.part["versus"]
    rows = [
        versus_row(name, {key: table[key][place] for key in VERSUS_KEYS})
        for place, name in enumerate(table["contestants"])
    ]
    rows.sort(key=lambda row: (-row["votes"], row["opponent"]))
    return rows


VERSUS_KEYS = (
    *("votes", "won", "lost", "tied", "both_bad", "expected", "expected_raw", "level", "style"),
    *("difference", "se", "better", "needed"),
)


def versus_row(name: str, entry: Data) -> dict[str, Any]:
    votes = entry["votes"]
    observed = (entry["won"] + (entry["tied"] + entry["both_bad"]) / 2) / votes if votes else None
    interval = wilson(observed * votes, votes) if observed is not None else None
    low, high = (interval.lower, interval.upper) if interval else (None, None)
    return {
        "opponent": name,
        "votes": votes,
        "won": entry["won"],
        "tied": entry["tied"],
        "both_bad": entry["both_bad"],
        "lost": entry["lost"],
        "observed": observed,
        "lower": low,
        "upper": high,
        "expected": per_vote(entry["expected"], votes),
        "expected_raw": per_vote(entry["expected_raw"], votes),
        **{key: entry[key] for key in ("level", "style", "difference", "se", "better", "needed")},
    }


def per_vote(total: float | None, votes: int) -> float | None:
    return total / votes if total is not None and votes else None


def is_unlike(row: Data) -> bool:
    """Whether chance alone leads so far from the board's expectation once in 20 records."""
    expected, votes = row["expected"], row["votes"]
    if expected is None or votes < LEAST_COMPARED:
        return False
    spread = math.sqrt(max(expected * (1 - expected), 1e-9) / votes)
    return bool(abs(row["observed"] - expected) > Z * spread)


def versus_figure(subject: Subject, rows: Sequence[Data]) -> Figure | None:
    met = [row for row in rows if row["votes"]]
    if not met:
        return None
    compared = [
        row for row in met if row["expected"] is not None and row["votes"] >= LEAST_COMPARED
    ]
    unlike = [row for row in compared if is_unlike(row)]
    if compared:
        title = words.versus_title(len(unlike), len(compared), 0.05 * len(compared))
    else:
        title = _("Its record against everybody that it met.")
    is_raw = subject.board == BoardName.RAW
    return Figure(
        name=VERSUS,
        title=title,
        words=words.versus_words(subject.name, met),
        rows=rows,
        draw=lambda theme: charts().versus_chart(
            subject.snapshot, subject.name, title, met, theme, is_raw=is_raw
        ),
        size=(760, 60 + 22 * len(met)),
        headings={
            "opponent": _("Opponent"),
            "votes": _("Votes"),
            "won": _("Won"),
            "tied": _("Tied"),
            "both_bad": _("Both bad"),
            "lost": _("Lost"),
            "observed": _("Observed"),
            "lower": _("At least"),
            "upper": _("At most"),
            "expected": _("Expected"),
            "expected_raw": _("Expected, raw"),
            "level": _("Written alike"),
            "style": _("Style, log-odds"),
            "difference": _("Difference"),
            "se": _("Standard error"),
            "better": _("P(better)"),
            "needed": _("Votes needed"),
        },
    )
