"""What moved between two publications: from their ledger to what the page shows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from math import ceil, floor
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arena.catalog.models import Revision
from arena.core.models import Job
from arena.leaderboard import asking, moved_words
from arena.leaderboard.exceptions import NoSuchLedger
from arena.leaderboard.ledgers import (
    Rows,
    check_rows,
    ledger_of,
    published_ledger,
    rows_between,
)
from arena.leaderboard.models import Snapshot
from arena.leaderboard.moved_words import CAUSES, Standing, Told
from arena.leaderboard.selectors import (
    board_document,
    board_name,
    revisions_by_name,
    snapshot_get,
)
from arena.leaderboard.sentences import grouped, joined, sentence_translated
from ranking import Ledger, LedgerRow

LEDGER = "ledger"
CHART, TABLE = "chart", "table"
# So many publications can be chosen from; the others by their address.
MOST_CHOICES = 60
LOG_PAGE = 20
TICK_STEPS = (1, 2, 5, 10, 20, 50, 100)
MOST_TICKS = 8
# Of a publication's movements, so many are told in its paragraph.
MOST_TOLD = 3


# -- What is asked for -----------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """Two publications, what the rows are, and how they are shown.

    before: None where `after` is the first publication and no other was named.
    """

    before: Snapshot | None
    after: Snapshot
    rows: Rows
    shown: str = CHART

    @property
    def is_backwards(self) -> bool:
        return self.before is not None and self.before.number > self.after.number

    @property
    def is_same(self) -> bool:
        return self.before is not None and self.before.pk == self.after.pk

    def turned(self) -> "Question":
        assert self.before is not None
        return replace(self, before=self.after, after=self.before)

    @property
    def query(self) -> str:
        """Its canonical address, behind the question mark."""
        named = {"from": self.before.short} if self.before else {}
        named |= {"to": self.after.short, "rows": self.rows.value}
        return urlencode(named if self.shown == CHART else named | {"as": self.shown})

    @property
    def address(self) -> str:
        return f"{reverse('leaderboard:moved')}?{self.query}"

    @property
    def params(self) -> dict[str, str]:
        """Of the job that answers it."""
        assert self.before is not None
        return {
            "before": self.before.digest,
            "after": self.after.digest,
            "rows": self.rows.value,
        }


def question_of(query: QueryDict) -> Question:
    """Raises NothingPublished, NoSuchSnapshot or NoSuchLedger."""
    after = snapshot_get(query.get("to", "") or query.get("snapshot", ""))
    named = query.get("from", "")
    before = snapshot_get(named) if named else before_of(after)
    shown = TABLE if query.get("as") == TABLE else CHART
    wanted = query.get("rows", "")
    if not wanted:
        usual = rows_between(before, after)[0] if before else Rows.FAMILIES
        return Question(before, after, usual, shown)
    if wanted not in set(Rows):
        told = {"rows": wanted[:40], "known": ", ".join(Rows)}
        raise NoSuchLedger(_("There are no rows '%(rows)s'. These exist: %(known)s.") % told)
    if before is not None:
        check_rows(before, after, Rows(wanted))
    return Question(before, after, Rows(wanted), shown)


def before_of(snapshot: Snapshot) -> Snapshot | None:
    """The publication before; None for the first."""
    return Snapshot.objects.filter(digest=snapshot.previous).first()


@asking.answers(LEDGER, gettext_lazy("What moved between two publications"))
def ledger_address(params: Mapping[str, Any]) -> str:
    before, after = (snapshot_get(params[name]) for name in ("before", "after"))
    return Question(before, after, Rows(params["rows"])).address


@dataclass(frozen=True)
class Answer:
    """What is known about a question: the ledger's document, why there is none, or the job."""

    document: Mapping[str, Any] | None = None
    refused: str = ""
    job: Job | None = None


def answer_to(question: Question) -> Answer:
    """From the later publication, or from what a reader asked for before."""
    assert question.before is not None
    found = published_ledger(question.before, question.after, question.rows)
    if found is not None:
        if "error" in found:
            return Answer(refused=sentence_translated(found["error"]))
        return Answer(document=found)
    job = asking.job_for(LEDGER, question.params)
    if job is not None and job.result is not None:
        return Answer(document=job.result)
    return Answer(job=job)


# -- The account of a ledger -----------------------------------------------------------------


@dataclass(frozen=True)
class Cause:
    """One cause that differs, and how much it moved in all."""

    letter: str
    name: str
    detail: str
    total: Fraction
    start: float
    width: float
    """Where its share of all the movement begins and how wide it is, in percent."""

    @property
    def label(self) -> str:
        return moved_words.decimal(self.total)


@dataclass(frozen=True)
class Part:
    """What one cause did to a row."""

    letter: str
    ranks: Fraction
    rating: float
    could_be_chance: bool = False
    """Whether new votes do as much by chance alone."""


@dataclass(frozen=True)
class Row:
    """A row of the ledger; + is up."""

    contestant: str
    name: str
    note: str
    """Its organisation, or the revisions that were exchanged."""
    status: str
    rank_before: int | None
    rank_after: int | None
    rating_before: float | None
    rating_after: float | None
    ranks: int | None
    rating: float | None
    parts: tuple[Part, ...]
    sentence: str

    @property
    def direction(self) -> str:
        if not self.ranks:
            return "level"
        return "up" if self.ranks > 0 else "down"

    @property
    def ends(self) -> tuple[float, float]:
        """How far its bars reach on either side."""
        return (
            float(sum(part.ranks for part in self.parts if part.ranks < 0)),
            float(sum(part.ranks for part in self.parts if part.ranks > 0)),
        )


@dataclass(frozen=True)
class Scale:
    """The axis of ranks that all rows share."""

    low: float
    high: float
    ticks: tuple[int, ...]


@dataclass(frozen=True)
class Group:
    """Rows under one heading; without a heading where there is one group alone."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Account:
    """A ledger in words and figures."""

    headline: str
    subtitle: str
    causes: tuple[Cause, ...]
    groups: tuple[Group, ...]
    quiet: tuple[Row, ...]
    """Rows that only who came and went moved, or nothing."""
    has_roster: bool
    rows: tuple[Row, ...]
    """All of them, by rank on the later board."""
    scale: Scale
    has_chance: bool
    """Whether chance alone can do as much as some term."""
    is_joint: bool
    orders: int
    left_out: int
    """Orders of the causes that could not be followed."""

    @property
    def telling(self) -> tuple[Row, ...]:
        """Rows that are not folded."""
        return tuple(row for group in self.groups for row in group.rows)


def account_of(before: Snapshot, after: Snapshot, document: Mapping[str, Any]) -> Account:
    ledger = ledger_of(document)
    revisions = revisions_by_name(
        [name for row in ledger.rows for name in (row.revision_before, row.revision_after) if name]
    )
    told = Told(
        ledger=ledger,
        names={row.contestant: shown_name(row, revisions) for row in ledger.rows},
        stages={name: revision.stage for name, revision in revisions.items()},
        before=standings(before),
        after=standings(after),
    )
    own = [row for row in ledger.rows if is_moved(row)]
    telling = [row for row in ledger.rows if is_telling(row)]
    quiet = [row for row in ledger.rows if not is_telling(row)]
    made = {row.contestant: shown_row(told, row, revisions) for row in ledger.rows}
    return Account(
        headline=moved_words.headline(told, own),
        subtitle=moved_words.subtitle(told, own),
        causes=tuple(causes(told)),
        groups=in_groups(ledger, telling, made),
        quiet=tuple(made[row.contestant] for row in quiet),
        has_roster="R" in ledger.causes,
        rows=tuple(made[row.contestant] for row in ledger.rows),
        scale=scale(made.values()),
        has_chance=any(part.could_be_chance for row in made.values() for part in row.parts),
        is_joint=ledger.joint,
        orders=ledger.orders,
        left_out=ledger.orders_left_out,
    )


def shown_name(row: LedgerRow, revisions: Mapping[str, Revision]) -> str:
    """A revision's name; the family's where another revision has taken its place."""
    name = row.revision_after or row.revision_before or row.contestant
    if row.status != "stayed" or row.revision_before == row.revision_after:
        return name
    family = revisions[name].contestant.name if name in revisions else row.contestant
    return _("%(name)s family") % {"name": family}


def shown_row(told: Told, row: LedgerRow, revisions: Mapping[str, Revision]) -> Row:
    return Row(
        contestant=row.contestant,
        name=told.names[row.contestant],
        note=note(row, revisions),
        status=row.status,
        rank_before=row.rank_before,
        rank_after=row.rank_after,
        rating_before=row.rating_before,
        rating_after=row.rating_after,
        ranks=row.ranks,
        rating=row.rating,
        parts=tuple(
            Part(term.cause, term.ranks, term.rating, moved_words.could_be_chance(told, row, term))
            for term in row.terms
        ),
        sentence=moved_words.row_sentence(told, row),
    )


def note(row: LedgerRow, revisions: Mapping[str, Revision]) -> str:
    if row.status == "stayed" and row.revision_before != row.revision_after:
        return f"{row.revision_before} → {row.revision_after}"
    revision = revisions.get(row.revision_after or row.revision_before or "")
    organisation = revision.contestant.organisation if revision else None
    return organisation.name if organisation else ""


def standings(snapshot: Snapshot) -> dict[str, Standing]:
    document = board_document(snapshot, board_name(snapshot, ""))
    return {
        row["contestant"]: Standing(row["votes"], row["se"], row["rank_lower"], row["rank_upper"])
        for row in document["standings"]
    }


def is_moved(row: LedgerRow) -> bool:
    """Whether it changed place by more than who came and went."""
    return bool(row.ranks) and any(term.ranks for term in row.terms if term.cause != "R")


def is_telling(row: LedgerRow) -> bool:
    """Whether there is more to say of it than who came and went."""
    if row.status != "stayed" or row.revision_before != row.revision_after:
        return True
    return any(term.ranks for term in row.terms if term.cause != "R")


def in_groups(
    ledger: Ledger, telling: Sequence[LedgerRow], made: Mapping[str, Row]
) -> tuple[Group, ...]:
    """Those whose main reason was not new votes first; who came and went last."""
    stayed = sorted(
        (row for row in telling if row.status == "stayed"),
        key=lambda row: (-abs(row.ranks or 0), -sum(abs(term.ranks) for term in row.terms)),
    )
    others = [row for row in telling if row.status != "stayed"]
    by_votes = [row for row in stayed if moved_words.main_cause(row) == "V"]
    by_others = [row for row in stayed if moved_words.main_cause(row) != "V"]
    named = (
        (_("Mainly for other reasons than new votes"), by_others),
        (_("Mainly by new votes"), by_votes),
        (_("Entered or left"), others),
    )
    groups = [(title, rows) for title, rows in named if rows]
    alone = len(groups) == 1 or len(ledger.causes) == 1
    return tuple(
        Group("" if alone else title, tuple(made[row.contestant] for row in rows))
        for title, rows in groups
    )


def causes(told: Told) -> Iterable[Cause]:
    """In the ledger's order, each with its share of all the movement."""
    totals = told.ledger.totals
    every = float(sum(totals.values()))
    start = 0.0
    if told.ledger.joint and told.ledger.causes:
        (letters,) = totals or {"".join(told.ledger.causes): Fraction(0)}
        names = ", ".join(moved_words.cause_detail(told, cause) for cause in told.ledger.causes)
        total = totals.get(letters, Fraction(0))
        yield Cause(letters, _("Told as one"), names, total, 0.0, 100.0 if total else 0.0)
        return
    for cause in told.ledger.causes:
        total = totals.get(cause, Fraction(0))
        width = 100 * float(total) / every if every else 0.0
        detail = moved_words.cause_detail(told, cause)
        yield Cause(cause, str(CAUSES[cause]), detail, total, start, width)
        start += width


def scale(rows: Iterable[Row]) -> Scale:
    """Whole ranks that hold every bar, with few round ticks."""
    ends = [end for row in rows for end in row.ends] + [float(row.ranks or 0) for row in rows]
    low, high = floor(min([*ends, -1.0])), ceil(max([*ends, 1.0]))
    step = next((step for step in TICK_STEPS if (high - low) / step <= MOST_TICKS), TICK_STEPS[-1])
    first = ceil(low / step) * step
    return Scale(low - 0.25, high + 0.25, tuple(range(first, high + 1, step)))


# -- The page --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class MovedPage:
    """The page in whichever state it is: exactly one of its last five says what."""

    question: Question
    from_choices: tuple[Choice, ...]
    to_choices: tuple[Choice, ...]
    account: Account | None = None
    asked: asking.Progress | None = None
    refused: str = ""
    is_wanted: bool = False
    """Whether nobody has asked for it yet."""
    is_first: bool = False

    @property
    def title(self) -> str:
        if self.account:
            return self.account.headline
        if self.is_first:
            return _("This is the first publication, so nothing has moved yet.")
        if self.question.is_same:
            return _("Both are the same publication, so nothing moved between them.")
        if self.refused:
            return _("This ledger cannot be given.")
        return _("What moved between these two has yet to be worked out.")

    @property
    def has_families(self) -> bool:
        before, after = self.question.before, self.question.after
        return before is not None and Rows.FAMILIES in rows_between(before, after)

    @property
    def is_table(self) -> bool:
        return self.question.shown == TABLE

    @property
    def other_form(self) -> str:
        """The address of the table beside the chart, or of the chart beside the table."""
        return replace(self.question, shown=CHART if self.is_table else TABLE).address

    @property
    def other_rows(self) -> str:
        """The address of the families beside the revisions, or the other way round."""
        rows = Rows.REVISIONS if self.question.rows == Rows.FAMILIES else Rows.FAMILIES
        return replace(self.question, rows=rows).address


def moved_page(question: Question) -> MovedPage:
    chosen = MovedPage(question, *choices(question))
    if question.before is None:
        return replace(chosen, is_first=True)
    if question.is_same:
        return chosen
    answer = answer_to(question)
    if answer.document is not None:
        account = account_of(question.before, question.after, answer.document)
        return replace(chosen, account=account)
    if answer.refused:
        return replace(chosen, refused=answer.refused)
    if answer.job is None:
        return replace(chosen, is_wanted=True)
    asked = asking.progress_of(answer.job)
    return replace(chosen, asked=asked, is_wanted=not asked.is_unfinished)


def choices(question: Question) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
    """Of the two publications."""
    before, after = question.before, question.after
    shown = [snapshot.pk for snapshot in (before, after) if snapshot]
    latest = Snapshot.objects.values_list("pk", flat=True)[:MOST_CHOICES]
    known = list(
        Snapshot.objects.filter(Q(pk__in=list(latest)) | Q(pk__in=shown)).defer("document")
    )
    labels = publication_labels(known)
    chosen = [
        tuple(
            Choice(each.short, labels[each.pk], snapshot is not None and each.pk == snapshot.pk)
            for each in known
        )
        for snapshot in (before, after)
    ]
    return chosen[0], chosen[1]


def publication_labels(known: Iterable[Snapshot]) -> dict[int, str]:
    """Number and day; the time too where several were published on one day."""
    days = Counter(each.published_at.date() for each in known)
    often = max(days.values()) > 1
    form = "SHORT_DATETIME_FORMAT" if often else "SHORT_DATE_FORMAT"
    return {
        each.pk: _("%(date)s, no. %(number)s")
        % {"number": each.number, "date": date_format(each.published_at, form)}
        for each in known
    }


# -- Downloads -------------------------------------------------------------------------------


def document_of(question: Question) -> Mapping[str, Any]:
    """The ledger. Raises NoSuchLedger where it is not known (yet)."""
    if question.before is None:
        raise NoSuchLedger(_("This is the first publication, so nothing has moved yet."))
    if question.is_same:
        raise NoSuchLedger(_("Both are the same publication, so nothing moved between them."))
    answer = answer_to(question)
    if answer.document is None:
        raise NoSuchLedger(
            answer.refused
            or _("This ledger has not been worked out yet. Its page offers to do that.")
        )
    return answer.document


def ledger_data(question: Question) -> dict[str, Any]:
    """The ledger as JSON, with the publications that it lies between."""
    document = document_of(question)
    assert question.before is not None
    return {
        "before": question.before.digest,
        "after": question.after.digest,
        "published_before": question.before.published_at.isoformat(),
        "published_after": question.after.published_at.isoformat(),
        "simulated_votes": question.after.content["simulated_votes"],
        "rows_are": question.rows.value,
        **document,
    }


# -- The log ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A publication in a paragraph."""

    number: int
    short: str
    digest: str
    published_at: datetime
    title: str
    sentences: tuple[str, ...]
    address: str

    @property
    def text(self) -> str:
        return joined(*self.sentences)


def log_page(wanted: str) -> "Page[Snapshot]":
    return Paginator(Snapshot.objects.all(), LOG_PAGE).get_page(wanted)


def entries(snapshots: Iterable[Snapshot]) -> list[Entry]:
    """Each with what moved since the one before."""
    shown = list(snapshots)
    earlier = Snapshot.objects.in_bulk([each.previous for each in shown], field_name="digest")
    return [entry(each, earlier.get(each.previous)) for each in shown]


def entry(snapshot: Snapshot, before: Snapshot | None) -> Entry:
    title, sentences = paragraph(snapshot, before)
    rows = rows_between(before, snapshot)[0] if before else Rows.FAMILIES
    return Entry(
        number=snapshot.number,
        short=snapshot.short,
        digest=snapshot.digest,
        published_at=snapshot.published_at,
        title=title,
        sentences=sentences,
        address=Question(before, snapshot, rows).address,
    )


def paragraph(snapshot: Snapshot, before: Snapshot | None) -> tuple[str, tuple[str, ...]]:
    if before is None:
        placed = len(standings(snapshot))
        told = {
            "placed": grouped(placed),
            "votes": grouped(snapshot.counted),
        }
        return (
            _("The first publication."),
            (_("It counts %(votes)s votes and places %(placed)s contestants.") % told,),
        )
    question = Question(before, snapshot, rows_between(before, snapshot)[0])
    answer = answer_to(question)
    if answer.document is None:
        why = answer.refused or _("What moved since the one before has not been worked out.")
        return _("Publication %(number)s.") % {"number": snapshot.number}, (why,)
    account = account_of(before, snapshot, answer.document)
    return account.headline, tuple(telling_sentences(account))


def telling_sentences(account: Account) -> Iterable[str]:
    """What differs, then the movements that say most."""
    yield moved_words.differing([(cause.name, cause.detail) for cause in account.causes])
    for row in account.telling[:MOST_TOLD]:
        yield moved_words.row_in_a_line(row.name, row.rank_before, row.rank_after, row.sentence)
    more = len(account.telling) - MOST_TOLD
    if more > 0:
        yield moved_words.more_rows(more)
