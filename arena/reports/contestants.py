"""A contestant's page, and the list of all: what a publication says of one revision.

Whatever the publication does not know of it is left out: a section that would be empty is not
there. Nothing is fitted here; all numbers are those of the document and of its parts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from arena.catalog.models import Kind, Revision, Stage
from arena.leaderboard import sure_words
from arena.leaderboard.boards import axis, interval_words, row_of, unplaced_sentence
from arena.leaderboard.exports import published
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.page import Axis, Row
from arena.leaderboard.selectors import board_document, board_name, part_get, part_names
from arena.leaderboard.sentences import grouped
from arena.leaderboard.sources import board_source, catalog_fields
from arena.leaderboard.viewing import OVERALL
from arena.leaderboard.why import scales_of
from arena.leaderboard.why import sentence as why_sentence
from arena.reports import contestants_words as words
from arena.reports.battles import readable_at
from arena.reports.contestants_figures import (
    CATEGORIES,
    HISTORY,
    VERSUS,
    WHY,
    WRITING,
    Subject,
    Trait,
    categories_figure,
    categories_rows,
    history_figure,
    history_rows,
    is_unlike,
    traits_of,
    versus_figure,
    versus_rows,
    why_figure,
    writing_figure,
)
from arena.reports.figures import Figure, Shown
from arena.reports.roster import Known, Roster

Data = Mapping[str, Any]

# Of opponents so many are shown at first, of battles against style so many at all.
OPPONENTS_AT_FIRST = 20
EXAMPLES = 6
ROWS_AT_FIRST = 100
ALL = "all"


# -- What the page shows ---------------------------------------------------------------------


@dataclass(frozen=True)
class Stated:
    """What the catalog states; "" where it states nothing."""

    organisation: str
    organisation_page: str
    licence: str
    parameters: str
    context: str
    price: str
    released: date | None
    status: str


@dataclass(frozen=True)
class Served:
    """One revision of the contestant with what is served as it."""

    number: int
    name: str
    stage: str
    address: str
    is_shown: bool
    place: str
    since: datetime
    kind: str
    remote_model: str
    decoding: str
    system_prompt: str
    identity: str


@dataclass(frozen=True)
class Division:
    """A category's row: its rating on the axis that all share."""

    label: str
    address: str
    rank: int
    places: str
    rating: float
    lower: float
    upper: float
    raw: float | None
    votes: int
    is_pooled: bool
    is_overall: bool


@dataclass(frozen=True)
class Meeting:
    """An opponent: shares of the votes, observed with its interval and as expected."""

    name: str
    stage: str
    rank: int | None
    address: str
    votes: int
    record: str
    observed: float | None
    lower: float
    upper: float
    expected: float | None
    expected_raw: float | None
    is_unlike: bool

    @property
    def observed_words(self) -> str:
        return words.share(self.observed) if self.observed is not None else ""

    @property
    def expected_words(self) -> str:
        return words.share(self.expected) if self.expected is not None else ""


@dataclass(frozen=True)
class Example:
    """A battle whose vote went against style. chance: what style alone gave to the loser."""

    said: str
    chance: str
    address: str


@dataclass(frozen=True)
class Disagreements:
    sentence: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Change:
    """How easily its place could change. turned: sentences, each with its pair's page. climb: what
    it would take to stand one higher; is_estimate: whether that names a number of wins."""

    turned: tuple[tuple[str, str], ...]
    climb: str
    is_estimate: bool
    more: tuple[tuple[str, str], ...]
    """Neighbours with their pair's page, of whom nobody worked out yet what would turn it."""


@dataclass(frozen=True)
class ContestantPage:
    name: str
    slug: str
    number: int
    stage: str
    snapshot: str
    digest: str
    made_at: datetime
    is_draft: bool
    engine: str
    interval: str
    board: str
    address: str
    query: str
    """Of its figures: the revision and the publication, where they are not the default."""
    named: str
    """The publication alone, of other pages about it."""
    permalink: str
    family: str
    family_page: str
    headline: str
    subtitle: str
    stated: Stated
    row: Row | None
    placed: int
    votes: int
    raw_rating: float | None
    raw_half: float | None
    latency: str
    served: tuple[Served, ...]
    why: Shown | None
    why_sentence: str
    traits: tuple[Trait, ...]
    writing: Shown | None
    divisions: tuple[Division, ...]
    pooled: str
    axis: Axis | None
    categories: Shown | None
    history: Shown | None
    meetings: tuple[Meeting, ...]
    opponents: int
    """How many it met or could be compared with, shown or not."""
    all_meetings: str
    versus: Shown | None
    change: Change | None
    disagreements: Disagreements | None

    @property
    def has_facts(self) -> bool:
        """Whether there is a number to be told of it beneath its name."""
        stated = self.stated
        told = (stated.licence, stated.parameters, stated.context, stated.price, stated.released)
        return bool(self.row or self.votes or self.latency or any(told))

    @property
    def has_findings(self) -> bool:
        """Whether its votes say anything of it."""
        shown = (self.why, self.traits, self.divisions, self.history, self.versus, self.change)
        return any(shown) or self.disagreements is not None

    @property
    def has_unlike(self) -> bool:
        """Whether some record shown is marked as unlike the expectation."""
        return any(meeting.is_unlike for meeting in self.meetings)

    @property
    def siblings(self) -> tuple[Served, ...]:
        return tuple(served for served in self.served if not served.is_shown)

    @property
    def own(self) -> Served:
        return next(served for served in self.served if served.is_shown)


def contestant_page(subject: Subject, *, whole: bool = False) -> ContestantPage:
    """whole: whether every opponent is shown, however many there are."""
    known, snapshot, roster = subject.known, subject.snapshot, subject.roster
    row, raw = standing_row(subject), subject.raw
    divided, met, history = (
        categories_rows(subject),
        versus_rows(subject),
        history_rows(subject),
    )
    divisions, traits = tuple(division_of(each, roster) for each in divided), traits_of(subject)
    meetings = meetings_of(subject, met if whole else met[:OPPONENTS_AT_FIRST])
    why = why_figure(subject)
    query = query_of(subject)
    return ContestantPage(
        name=known.name,
        slug=known.slug,
        number=known.number,
        stage=known.stage,
        snapshot=snapshot.short,
        digest=snapshot.digest,
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        engine=snapshot.engine,
        interval=interval_words(dict(subject.document)),
        board=subject.board.value,
        address=roster.address(known),
        query=query,
        named=roster.query({}),
        permalink=permalink(subject),
        family=known.family,
        family_page=family_page(snapshot, roster, known),
        headline=headline(subject, row),
        subtitle=words.status_sentence(known.status),
        stated=stated_of(subject.revision, roster),
        row=row,
        placed=len(subject.document["standings"]),
        votes=(subject.standing or subject.unplaced or {"votes": 0})["votes"],
        raw_rating=raw["rating"] if raw and subject.board == BoardName.CONTROLLED else None,
        raw_half=(raw["rating_upper"] - raw["rating_lower"]) / 2
        if raw and raw["rating_lower"] is not None
        else None,
        latency=latency_words(subject),
        served=served_of(subject),
        why=shown(subject, why, query),
        why_sentence=moved_sentence(subject, row) if why else "",
        traits=traits,
        writing=shown(subject, writing_figure(subject, traits), query),
        divisions=divisions,
        pooled=words.pooled_words([each.label for each in divisions if each.is_pooled]),
        axis=divisions_axis(subject, divisions) if divisions else None,
        categories=shown(subject, categories_figure(subject, divided), query),
        history=shown(subject, history_figure(subject, history), query),
        meetings=meetings,
        opponents=len(met),
        all_meetings="" if len(meetings) == len(met) else all_meetings(subject),
        versus=shown(subject, versus_figure(subject, met), query),
        change=change_of(subject),
        disagreements=disagreements_of(subject),
    )


def contestant_figures(subject: Subject, name: str) -> tuple[Figure, ...]:
    """The figure of that name alone, where there is one; else all of its page's."""
    made = {
        WHY: lambda: why_figure(subject),
        WRITING: lambda: writing_figure(subject, traits_of(subject)),
        CATEGORIES: lambda: categories_figure(subject, categories_rows(subject)),
        HISTORY: lambda: history_figure(subject, history_rows(subject)),
        VERSUS: lambda: versus_figure(subject, versus_rows(subject)),
    }
    if name in made and (found := made[name]()) is not None:
        return (found,)
    return tuple(figure for make in made.values() if (figure := make()) is not None)


# -- Addresses -------------------------------------------------------------------------------


def query_of(subject: Subject) -> str:
    """Of the page and of its figures: whatever is not the default."""
    roster, known = subject.roster, subject.known
    return roster.query({} if roster.is_first(known) else {"revision": known.number})


def permalink(subject: Subject) -> str:
    named = {"revision": subject.known.number, "snapshot": subject.snapshot.short}
    return f"{reverse('reports:contestant', args=[subject.known.slug])}?{urlencode(named)}"


def all_meetings(subject: Subject) -> str:
    address = subject.roster.address(subject.known)
    return f"{address}{'&' if '?' in address else '?'}show={ALL}#head-to-head"


def shown(subject: Subject, figure: Figure | None, query: str) -> Shown | None:
    if figure is None:
        return None
    kept = {"slug": subject.known.slug, "name": figure.name, "form": "svg"}
    address = reverse("reports:contestant-figure", kwargs=kept).removesuffix(".svg")
    return Shown(figure, address, query)


def family_page(snapshot: Fitted, roster: Roster, known: Known) -> str:
    """ "" where the family has one revision alone, of which there is no page."""
    if f"family/{known.family}" not in part_names(snapshot):
        return ""
    return reverse("reports:family", args=[known.family]) + roster.query({})


# -- Who it is, and where it stands ----------------------------------------------------------


def standing_row(subject: Subject) -> Row | None:
    if subject.standing is None:
        return None
    moved = board_source(subject.snapshot, subject.board).moved().get(subject.name, {})
    return row_of({**subject.standing, **catalog_fields(subject.revision), **moved})


def headline(subject: Subject, row: Row | None) -> str:
    if row is not None:
        placed = len(subject.document["standings"])
        return words.headline(row, placed, has_controlled=subject.board == BoardName.CONTROLLED)
    if subject.unplaced is not None:
        return unplaced_sentence(dict(subject.unplaced))
    return words.nothing_counted(subject.known.status)


def stated_of(revision: Revision, roster: Roster) -> Stated:
    """A price and a day of release are the released revision's, and no experiment's."""
    contestant = revision.contestant
    organisation = contestant.organisation
    is_trial = revision.stage in (Stage.EXPERIMENTAL, Stage.PREVIEW)
    is_alone = len(roster.by_slug[contestant.slug]) == 1
    is_its_own = is_alone or not is_trial
    return Stated(
        organisation=organisation.name if organisation else "",
        organisation_page=reverse("reports:organisation", args=[organisation.slug])
        + roster.query({})
        if organisation
        else "",
        licence=words.licence_words(contestant.licence),
        parameters=contestant.parameters,
        context=context_words(contestant.context_tokens),
        price=price_words(revision) if is_its_own else "",
        released=contestant.released_on if is_its_own else None,
        status=words.status_words(contestant.status),
    )


def context_words(tokens: int | None) -> str:
    if tokens is None:
        return ""
    return f"{grouped(tokens / 1000)}k" if tokens % 1000 == 0 else grouped(tokens)


def price_words(revision: Revision) -> str:
    contestant = revision.contestant
    if contestant.price_in is None or contestant.price_out is None:
        return ""
    return " / ".join(
        number_format(f"{price:g}")
        for price in (float(contestant.price_in), float(contestant.price_out))
    )


def latency_words(subject: Subject) -> str:
    """Median seconds to the first token, as voters felt it; "" where they felt none."""
    own = subject.part["style"].get("first_token") if subject.part else None
    return number_format(round(own["median"], 2), 2) if own else ""


def served_of(subject: Subject) -> tuple[Served, ...]:
    """All its contestant's revisions that may be spoken of, the newest first. One query."""
    spoken = {known.name: known for known in subject.roster.by_slug[subject.known.slug]}
    places = {row["contestant"]: row for row in subject.document["standings"]}
    revisions = subject.revision.contestant.revisions.order_by("-number")
    return tuple(
        served(subject, revision, spoken[revision.name], places.get(revision.name))
        for revision in revisions
        if revision.name in spoken
    )


def served(subject: Subject, revision: Revision, known: Known, place: Data | None) -> Served:
    """Of what is served no more than the operator tells, and of what is only tried out nothing."""
    is_told = settings.PUBLISH_SERVED and revision.stage not in (Stage.EXPERIMENTAL, Stage.PREVIEW)
    return Served(
        number=revision.number,
        name=revision.name,
        stage=revision.stage,
        address=subject.roster.address(known),
        is_shown=known is subject.known,
        place=place_words(place) if place else "",
        since=revision.created_at,
        kind=str(words.KINDS[Kind(revision.kind)]),
        remote_model=revision.remote_model if is_told else "",
        decoding=decoding_words(revision.decoding) if is_told else "",
        system_prompt=revision.system_prompt if is_told else "",
        identity=revision.identity,
    )


def place_words(row: Data) -> str:
    told = {"rank": row["rank"], "lower": row["rank_lower"], "upper": row["rank_upper"]}
    if row["rank_lower"] is None:
        return _("rank %(rank)s") % told
    return _("rank %(rank)s, set %(lower)s–%(upper)s") % told


def decoding_words(decoding: Mapping[str, Any]) -> str:
    return json.dumps(decoding, sort_keys=True, ensure_ascii=False) if decoding else ""


# -- Why it moved ----------------------------------------------------------------------------


def moved_sentence(subject: Subject, row: Row | None) -> str:
    assert row is not None and subject.account is not None
    return why_sentence(row, dict(subject.account), scales_of(subject.snapshot))


# -- Categories ------------------------------------------------------------------------------


def division_of(row: Data, roster: Roster) -> Division:
    known = row["lower"] is not None
    is_overall = row["name"] == OVERALL
    places = f"{row['rank_lower']}–{row['rank_upper']}" if row["rank_lower"] is not None else ""
    where = (
        reverse("leaderboard:board")
        if is_overall
        else reverse("leaderboard:board-category", args=[row["name"]])
    )
    return Division(
        label=row["category"],
        address=where + roster.query({}),
        rank=row["rank"],
        places=places,
        rating=row["rating"],
        lower=row["lower"] if known else row["rating"],
        upper=row["upper"] if known else row["rating"],
        raw=row["raw_rating"],
        votes=row["votes"],
        is_pooled=row["pooled"],
        is_overall=is_overall,
    )


def divisions_axis(subject: Subject, divisions: Sequence[Division]) -> Axis:
    """One that holds every rating and every usual interval, as the board's does."""
    assert subject.standing is not None
    rows = tuple(
        row_of(
            {
                **subject.standing,
                "slug": "",
                "rating": each.rating,
                "rating_lower": each.lower,
                "rating_upper": each.upper,
                **raw_fields(each),
            }
        )
        for each in divisions
    )
    return axis(rows)


def raw_fields(each: Division) -> dict[str, Any]:
    if each.raw is None:
        return {}
    moved = {"raw_rank": 0, "moved_ranks": 0, "moved_half": None}
    return {"raw_rating": each.raw, "moved_rating": each.rating - each.raw, **moved}


# -- Head to head ----------------------------------------------------------------------------


def meetings_of(subject: Subject, rows: Sequence[Data]) -> tuple[Meeting, ...]:
    """In the board's order, those that are not placed last."""
    ranks = {row["contestant"]: row["rank"] for row in subject.document["standings"]}
    spoken = [row for row in rows if row["opponent"] in subject.roster.by_name]
    spoken.sort(key=lambda row: ranks.get(row["opponent"], len(ranks) + 1))
    return tuple(meeting_of(subject, row, ranks.get(row["opponent"])) for row in spoken)


def meeting_of(subject: Subject, row: Data, rank: int | None) -> Meeting:
    opponent = subject.roster.by_name[row["opponent"]]
    told = [grouped(row[key]) for key in ("won", "tied", "both_bad", "lost")]
    level = row["expected"] if row["expected"] is not None else row["level"]
    return Meeting(
        name=opponent.name,
        stage=opponent.stage,
        rank=rank,
        address=subject.roster.pair_address(subject.known, opponent),
        votes=row["votes"],
        record="–".join(told),
        observed=row["observed"],
        lower=row["lower"] or 0.0,
        upper=row["upper"] or 0.0,
        expected=level,
        expected_raw=row["expected_raw"],
        is_unlike=is_unlike(row),
    )


# -- How easily it could change --------------------------------------------------------------


def change_of(subject: Subject) -> Change | None:
    if subject.standing is None or len(subject.document["standings"]) < 2:
        return None
    climb = subject.part["climb"] if subject.part else None
    turned = turned_of(subject)
    is_first = subject.standing["rank"] == 1
    return Change(
        turned=tuple(turned.values()),
        climb=words.climb_sentence(climb) if climb else words.top_sentence() if is_first else "",
        is_estimate=bool(climb and climb["wins"]),
        more=neighbours_of(subject, turned),
    )


def turned_of(subject: Subject) -> dict[str, tuple[str, str]]:
    """By neighbour, what would turn their order, as the publication worked it out."""
    fragility = part_get(subject.snapshot, "fragility")
    counted = subject.document["counts"]["counted"]
    found: dict[str, tuple[str, str]] = {}
    for pair in fragility["pairs"] if fragility else ():
        names = {"upper": pair["contestant"], "lower": pair["opponent"]}
        if subject.name not in names.values() or pair["unit"] != "vote":
            continue
        other = names["lower" if names["upper"] == subject.name else "upper"]
        if other in subject.roster.by_name:
            found[other] = (
                sure_words.votes_sentence(pair, names, counted),
                pair_page(subject, other),
            )
    return found


def pair_page(subject: Subject, other: str) -> str:
    return subject.roster.pair_address(subject.known, subject.roster.by_name[other])


def neighbours_of(subject: Subject, known: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Those beside it, but for who shares its place: nothing turns an order that is none."""
    if "sure" not in part_names(subject.snapshot):
        # A draft does not work such things out.
        return ()
    ranks = {row["contestant"]: row["rank"] for row in subject.document["standings"]}
    names = list(ranks)
    place = names.index(subject.name)
    beside = names[max(place - 1, 0) : place] + names[place + 1 : place + 2]
    return tuple(
        (name, f"{pair_page(subject, name)}#turned")
        for name in beside
        if name not in known
        and name in subject.roster.by_name
        and ranks[name] != ranks[subject.name]
    )


# -- Where style and vote disagree -----------------------------------------------------------


def disagreements_of(subject: Subject) -> Disagreements | None:
    found = subject.part["disagreements"] if subject.part else None
    if not found or not found["decided"]:
        return None
    spoken = [each for each in found["examples"] if each["opponent"] in subject.roster.by_name]
    shown = spoken[:EXAMPLES]
    readable = readable_at(subject.snapshot, [each["row"] for each in shown])
    return Disagreements(
        sentence=words.disagreements_sentence(found["against"], found["decided"]),
        examples=tuple(example_of(subject, each, readable.get(each["row"])) for each in shown),
    )


def example_of(subject: Subject, example: Data, vote: int | None) -> Example:
    """vote: whose battle may be read; None for a link to what style said of the pair."""
    pair = pair_page(subject, example["opponent"])
    joint = "&" if "?" in pair else "?"
    return Example(
        said=words.disagreement_words(example["opponent"], won=example["won"]),
        chance=words.share(1 / (1 + math.exp(-example["style"]))),
        address=f"{pair}#style" if vote is None else f"{pair}{joint}battle={vote}#battle",
    )


# -- To take away ----------------------------------------------------------------------------


def contestant_data(subject: Subject) -> dict[str, Any]:
    """All that the publication says of it, as plain values."""
    snapshot, revision = subject.snapshot, subject.revision
    return {
        "snapshot": snapshot.digest,
        "published_at": published(snapshot),
        "engine": snapshot.engine,
        "simulated_votes": snapshot.content["simulated_votes"],
        "contestant": subject.name,
        "revision": revision.number,
        "identity": revision.identity,
        "stage": revision.stage,
        "family": revision.family,
        "board": subject.board.value,
        "standing": subject.standing,
        "unplaced": subject.unplaced,
        "raw": subject.raw,
        "movement": subject.movement,
        "account": subject.account,
        "categories": categories_rows(subject),
        "history": history_rows(subject),
        "versus": versus_rows(subject),
        "profile": subject.part,
    }


# -- The list of all -------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A revision in the list. why: it has no place; "" where it has one."""

    name: str
    stage: str
    address: str
    organisation: str
    family: str
    family_page: str
    rank: int | None
    rating: float | None
    half: float | None
    votes: int
    status: str
    why: str


@dataclass(frozen=True)
class IndexPage:
    headline: str
    snapshot: str
    made_at: datetime
    is_draft: bool
    engine: str
    lines: tuple[Line, ...]
    found: int
    search: str
    named: str
    """The publication, as the address names it."""
    query: str
    permalink: str
    all_lines: str
    has_organisation: bool
    has_families: bool
    has_status: bool


def index_page(snapshot: Fitted, roster: Roster, *, search: str, whole: bool) -> IndexPage:
    board = board_name(snapshot, "")
    document = board_document(snapshot, board)
    rows = {row["contestant"]: row for row in (*document["standings"], *document["unplaced"])}
    sought = search.strip().casefold()
    kept = [known for known in roster.everybody if is_sought(known, sought)]
    kept.sort(key=lambda known: order_of(rows.get(known.name), known))
    cut = kept if whole else kept[:ROWS_AT_FIRST]
    here = reverse("reports:contestants")
    asked = {"q": search} if search else {}
    named = {"snapshot": roster.snapshot} if roster.snapshot else {}
    return IndexPage(
        headline=words.index_headline(len(roster.by_slug), len(document["standings"])),
        snapshot=snapshot.short,
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        engine=snapshot.engine,
        lines=tuple(line_of(snapshot, roster, known, rows.get(known.name)) for known in cut),
        found=len(kept),
        search=search,
        named=roster.snapshot,
        query=roster.query({}),
        permalink=f"{here}?{urlencode({'snapshot': snapshot.short} | asked)}",
        all_lines=""
        if len(cut) == len(kept)
        else f"{here}?{urlencode(named | asked | {'show': ALL})}",
        has_organisation=any(known.organisation for known in roster.everybody),
        has_families=any(name.startswith("family/") for name in part_names(snapshot)),
        has_status=len({known.status for known in roster.everybody}) > 1,
    )


def is_sought(known: Known, sought: str) -> bool:
    told = f"{known.name}\n{known.contestant}\n{known.organisation}\n{known.family}"
    return not sought or sought in told.casefold()


def order_of(row: Data | None, known: Known) -> tuple[int, int, str]:
    """By rank, then those that the votes place nowhere, then those without votes."""
    if row is None:
        return 2, 0, known.name.casefold()
    if row.get("rank") is None:
        return 1, -row["votes"], known.name.casefold()
    return 0, row["rank"], known.name.casefold()


def line_of(snapshot: Fitted, roster: Roster, known: Known, row: Data | None) -> Line:
    is_placed = row is not None and row.get("rank") is not None
    rating = row["rating"] if row and is_placed else None
    has_interval = row is not None and is_placed and row["rating_lower"] is not None
    return Line(
        name=known.name,
        stage=known.stage,
        address=roster.address(known),
        organisation=known.organisation,
        family=known.family,
        family_page=family_page(snapshot, roster, known),
        rank=row["rank"] if row and is_placed else None,
        rating=rating,
        half=(row["rating_upper"] - row["rating_lower"]) / 2 if row and has_interval else None,
        votes=row["votes"] if row else 0,
        status=words.status_words(known.status),
        why=""
        if is_placed
        else unplaced_sentence(dict(row))
        if row
        else words.nothing_counted(known.status),
    )
