"""Two contestants: their record, what the board expects of it, how sure their order is, and what
their battles were about. Nothing is fitted here; see `contestants`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.leaderboard import sure
from arena.leaderboard.boards import interval_words, unplaced_sentence
from arena.leaderboard.exports import published
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import board_document, board_name, part_get
from arena.leaderboard.sentences import grouped
from arena.leaderboard.sure import Gap
from arena.leaderboard.sure_pairs import PairAnswer, Question, pair_answer
from arena.reports import contestants_words, pairs_words
from arena.reports.battles import Battles, battles_of
from arena.reports.contestants_figures import VERSUS_KEYS, is_unlike, row_named, versus_row
from arena.reports.figures import Figure, Shown
from arena.reports.roster import Known, Roster
from ranking.covariates import METRICS, TIMINGS

Data = Mapping[str, Any]
RECORD = "record"


def charts() -> ModuleType:
    """Imported with its libraries where something is drawn."""
    from arena.reports.charts import pairs_one

    return pairs_one


# -- What is known of a pair -----------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """Two revisions with what a publication says of them, from the side of the first.

    row: as `contestants_figures.versus_row` makes it; None where the publication knows of neither
    a battle nor a comparison of the two. problem: why their order is not known; "" where it is.
    """

    snapshot: Fitted
    roster: Roster
    first: Known
    second: Known
    board: BoardName
    document: Data
    parts: tuple[Data | None, Data | None]
    row: Data | None
    problem: str

    @property
    def names(self) -> tuple[str, str]:
        return self.first.name, self.second.name

    @property
    def has_met(self) -> bool:
        return self.row is not None and self.row["votes"] > 0

    @property
    def address(self) -> str:
        return self.roster.pair_address(self.first, self.second)

    @property
    def is_canonical(self) -> bool:
        """Whether it stands in the order that the other way round refers to."""
        return (self.first.slug, self.first.number) < (self.second.slug, self.second.number)


def pair_of(snapshot: Fitted, roster: Roster, first: Known, second: Known) -> Pair:
    board = board_name(snapshot, "")
    document = board_document(snapshot, board)
    parts = (
        part_get(snapshot, f"contestant/{first.name}"),
        part_get(snapshot, f"contestant/{second.name}"),
    )
    return Pair(
        snapshot=snapshot,
        roster=roster,
        first=first,
        second=second,
        board=board,
        document=document,
        parts=parts,
        row=row_of(parts[0], second.name),
        problem=problem_of(document, first, second),
    )


def row_of(part: Data | None, opponent: str) -> dict[str, Any] | None:
    table = part["versus"] if part else {"contestants": []}
    if opponent not in table["contestants"]:
        return None
    place = table["contestants"].index(opponent)
    return versus_row(opponent, {key: table[key][place] for key in VERSUS_KEYS})


def problem_of(document: Data, *pair: Known) -> str:
    for known in pair:
        if row_named(document["standings"], known.name):
            continue
        row = row_named(document["unplaced"], known.name)
        why = (
            unplaced_sentence(dict(row)) if row else contestants_words.nothing_counted(known.status)
        )
        return pairs_words.cannot_compare(known.name, why)
    return ""


# -- What the page shows ---------------------------------------------------------------------


@dataclass(frozen=True)
class Side:
    """One of the two."""

    name: str
    stage: str
    organisation: str
    address: str
    rank: str


@dataclass(frozen=True)
class Outcome:
    """One end of their battles. start, width: of its part of the bar, in percent."""

    label: str
    name: str
    votes: int
    share: str
    start: float
    width: float


@dataclass(frozen=True)
class Style:
    """A trait of both: medians with the middle 80 of 100 answers."""

    label: str
    first: str
    first_span: str
    second: str
    second_span: str


@dataclass(frozen=True)
class PairPage:
    first: Side
    second: Side
    slugs: tuple[str, str]
    snapshot: str
    digest: str
    made_at: datetime
    is_draft: bool
    engine: str
    interval: str
    board: str
    headline: str
    subtitle: str
    query: str
    named: str
    permalink: str
    canonical: str
    other_way: str
    has_met: bool
    outcomes: tuple[Outcome, ...]
    votes: int
    record: Shown | None
    problem: str
    gap: Gap | None
    difference: str
    is_level: bool
    better: str
    needed: str
    style: str
    styles: tuple[Style, ...]
    answer: PairAnswer | None
    question: Question | None
    battles: Battles | None


def pair_page(pair: Pair, *, page: str = "", opened: str = "") -> PairPage:
    """page: of the battles; opened: the vote whose battle is shown whole."""
    snapshot, row = pair.snapshot, pair.row
    question, answer = turned_of(pair)
    difference = row["difference"] if row else None
    half = half_of(pair)
    return PairPage(
        first=side_of(pair, pair.first),
        second=side_of(pair, pair.second),
        slugs=(pair.first.slug, pair.second.slug),
        snapshot=snapshot.short,
        digest=snapshot.digest,
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        engine=snapshot.engine,
        interval=interval_words(dict(pair.document)),
        board=pair.board.value,
        headline=pairs_words.headline(
            *pair.names, row["better"] if row else None, is_level=is_level(pair)
        ),
        subtitle=pairs_words.met_sentence(row["votes"] if row else 0, *pair.names),
        query=pair.roster.query(numbers_of(pair)),
        named=pair.roster.query({}),
        permalink=permalink(pair),
        canonical=canonical(pair),
        other_way=pair.roster.pair_address(pair.second, pair.first),
        has_met=pair.has_met,
        outcomes=outcomes_of(pair),
        votes=row["votes"] if row else 0,
        record=shown(pair, record_figure(pair)),
        problem=pair.problem,
        gap=gap_of(difference, half),
        difference=pairs_words.difference_sentence(difference, half)
        if difference is not None
        else "",
        is_level=is_level(pair),
        better=better_words(pair),
        needed=pairs_words.needed_sentence(row["needed"])
        if row is not None and row["difference"]
        else "",
        style=style_of(pair),
        styles=styles_of(pair),
        answer=answer,
        question=question,
        battles=battles_of(snapshot, pair.names, page=page, opened=opened, address=pair.address),
    )


def side_of(pair: Pair, known: Known) -> Side:
    row = row_named(pair.document["standings"], known.name)
    return Side(
        name=known.name,
        stage=known.stage,
        organisation=known.organisation,
        address=pair.roster.address(known),
        rank=grouped(row["rank"]) if row else "",
    )


def better_words(pair: Pair) -> str:
    if pair.row is None or pair.row["better"] is None or is_level(pair):
        return ""
    return sure.Chance.of(pair.row["better"]).words


def is_level(pair: Pair) -> bool:
    if pair.problem:
        return False
    rows = pair.document["standings"]
    ranks = {name: row["rank"] for name in pair.names if (row := row_named(rows, name))}
    return ranks[pair.first.name] == ranks[pair.second.name]


def half_of(pair: Pair) -> float | None:
    """Of the difference's 95% interval, as the board's own intervals are made."""
    if pair.row is None or pair.row["se"] is None:
        return None
    board = sure.Board(pair.snapshot, pair.board, pair.document, sure=None, fragility=None)
    return float(sure.deviate(board, sure.SETTLED) * pair.row["se"])


def gap_of(difference: float | None, half: float | None) -> Gap | None:
    if difference is None:
        return None
    return Gap(difference, (difference - half, difference + half) if half is not None else None)


# -- Addresses -------------------------------------------------------------------------------


def numbers_of(pair: Pair) -> dict[str, int]:
    two = (("first", pair.first), ("second", pair.second))
    return {side: known.number for side, known in two if not pair.roster.is_first(known)}


def permalink(pair: Pair) -> str:
    named = {
        "first": pair.first.number,
        "second": pair.second.number,
        "snapshot": pair.snapshot.short,
    }
    return f"{reverse('reports:pair', args=[pair.first.slug, pair.second.slug])}?{urlencode(named)}"


def canonical(pair: Pair) -> str:
    """Where the pair is in the one order that search engines are to know."""
    one, other = pair.first, pair.second
    return pair.roster.pair_address(*((one, other) if pair.is_canonical else (other, one)))


def shown(pair: Pair, figure: Figure | None) -> Shown | None:
    if figure is None:
        return None
    kept = {
        "first": pair.first.slug,
        "second": pair.second.slug,
        "name": figure.name,
        "form": "svg",
    }
    address = reverse("reports:pair-figure", kwargs=kept).removesuffix(".svg")
    return Shown(figure, address, pair.roster.query(numbers_of(pair)))


# -- The record ------------------------------------------------------------------------------


def outcomes_of(pair: Pair) -> tuple[Outcome, ...]:
    """How their battles ended, won to lost; the kinds that never happened are left out."""
    if not pair.has_met or pair.row is None:
        return ()
    row, total = pair.row, pair.row["votes"]
    first, second = pair.names
    kinds = (
        ("won", _("%(name)s preferred") % {"name": first}),
        ("tied", _("Tie")),
        ("both_bad", _("Both bad")),
        ("lost", _("%(name)s preferred") % {"name": second}),
    )
    made, start = [], 0.0
    for key, label in kinds:
        width = 100 * row[key] / total
        if row[key]:
            share = contestants_words.share(row[key] / total)
            made.append(Outcome(label, key, row[key], share, start, width))
        start += width
    return tuple(made)


def record_figure(pair: Pair) -> Figure | None:
    """What was observed beside what each board expects; None where neither is known."""
    rows = record_rows(pair)
    if not rows:
        return None
    row, first = pair.row, pair.first.name
    assert row is not None
    if row["observed"] is not None:
        title = pairs_words.record_title(
            first, row["observed"], row["expected"], is_unlike=is_unlike(row)
        )
    else:
        title = pairs_words.level_title(first, row["level"])
    return Figure(
        name=RECORD,
        title=title,
        words=pairs_words.record_words(rows),
        rows=rows,
        draw=lambda theme: charts().record_chart(pair.snapshot, pair.names, title, rows, theme),
        size=(492, 44 + 42 * len(rows)),
        note=pairs_words.record_note(),
        headings={
            "what": _("Score of %(name)s") % {"name": first},
            "kind": "",
            "share": pgettext("part of all", "Share"),
            "lower": _("At least"),
            "upper": _("At most"),
            "votes": _("Votes"),
        },
    )


def record_rows(pair: Pair) -> list[dict[str, Any]]:
    row = pair.row
    if row is None:
        return []
    is_raw = pair.board == BoardName.RAW
    kinds = [
        ("observed", _("Observed"), row["observed"]),
        ("raw", _("Expected, raw"), row["expected_raw"]),
        ("controlled", _("Expected, as written and shown"), None if is_raw else row["expected"]),
        ("level", _("Expected, written and shown alike"), row["level"]),
    ]
    return [
        {
            "what": what,
            "kind": kind,
            "share": share,
            "lower": row["lower"] if kind == "observed" else None,
            "upper": row["upper"] if kind == "observed" else None,
            "votes": row["votes"] if kind == "observed" else None,
        }
        for kind, what, share in kinds
        if share is not None
    ]


# -- What style said -------------------------------------------------------------------------


def style_of(pair: Pair) -> str:
    """ "" where they never met, or the board does not control for style."""
    if not pair.has_met or pair.row is None or pair.row["style"] is None:
        return ""
    chance = 1 / (1 + math.exp(-pair.row["style"]))
    return pairs_words.style_sentence(*pair.names, chance)


def styles_of(pair: Pair) -> tuple[Style, ...]:
    """Traits that are known of both and are not the same in all their answers."""
    one, other = pair.parts
    if one is None or other is None:
        return ()
    both = [
        (metric, one["style"][metric], other["style"][metric])
        for metric in (*METRICS, *TIMINGS)
        if metric in one["style"] and metric in other["style"]
    ]
    return tuple(style_shown(*each) for each in both if any(e["high"] for e in each[1:]))


def style_shown(metric: str, one: Data, other: Data) -> Style:
    return Style(
        label=str(contestants_words.LABELS_OF_METRICS[metric]),
        first=contestants_words.figure(one["mean"]),
        first_span=span_words(one),
        second=contestants_words.figure(other["mean"]),
        second_span=span_words(other),
    )


def span_words(spread: Data) -> str:
    low, high = (contestants_words.figure(spread[end]) for end in ("low", "high"))
    return f"{low}–{high}"


# -- What would turn their order -------------------------------------------------------------


def turned_of(pair: Pair) -> tuple[Question | None, PairAnswer | None]:
    """What is known of it, or is being worked out, or may be asked for."""
    if pair.problem:
        return None, None
    board = sure.board_of(pair.snapshot)
    if board.sure is None:
        return None, None
    question = Question(pair.snapshot, *pair.names, "")
    return question, pair_answer(board, question)


# -- To take away ----------------------------------------------------------------------------


def pair_data(pair: Pair) -> dict[str, Any]:
    one, other = pair.parts
    return {
        "snapshot": pair.snapshot.digest,
        "published_at": published(pair.snapshot),
        "engine": pair.snapshot.engine,
        "simulated_votes": pair.snapshot.content["simulated_votes"],
        "board": pair.board.value,
        "first": pair.first.name,
        "second": pair.second.name,
        "record": pair.row,
        "style": {
            "first": one["style"] if one else None,
            "second": other["style"] if other else None,
        },
    }
