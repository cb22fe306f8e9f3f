"""Battles of a pair that may be read: voted on, sealed, counted, and with texts handed out.

A text is shown only where the operator hands out both votes and texts, as the archive does, and
only while it is kept: what was erased on request is gone from here too. Nothing is said of who
voted, nor at which hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.battles.models import Mode, Outcome, Side, Turn, Vote
from arena.battles.selectors import answers_of, turns_of
from arena.core.exceptions import Unknown
from arena.core.markdown import render
from arena.integrity import files
from arena.integrity.models import Exclusion, Origin
from arena.integrity.selectors import last_vote_of
from arena.leaderboard.judgements import NAME_OF_VOTE
from arena.leaderboard.models import Fitted
from ranking.sealed import ids_at

PER_PAGE = 20
# Characters of a prompt that a line about its battle shows.
EXCERPT = 180


@dataclass(frozen=True)
class Line:
    """A battle in the list. is_open: whether it is the one that is shown whole."""

    vote: int
    day: date
    prompt: str
    verdict: str
    turns: int
    address: str
    is_open: bool


@dataclass(frozen=True)
class Said:
    """One turn, the first contestant's answer first."""

    number: int
    prompt: str
    first: SafeString
    second: SafeString


@dataclass(frozen=True)
class Opened:
    line: Line
    turns: tuple[Said, ...]
    winner: str
    """first, second or nothing."""


@dataclass(frozen=True)
class Battles:
    """page: of the list."""

    lines: tuple[Line, ...]
    page: Page[Vote]
    opened: Opened | None


def are_readable() -> bool:
    return bool(settings.PUBLISH_TEXT and settings.ARCHIVE_VOTES)


def battles_of(
    snapshot: Fitted, names: tuple[str, str], *, page: str, opened: str, address: str
) -> Battles | None:
    """Of the revisions of these two names, the newest first; None where none may be read.

    opened: the vote whose battle is shown whole, "" for none. address: of the pair's page, to
    which what is asked of the list is added. Raises Unknown for a battle that is not among them.
    """
    if not are_readable() or snapshot.is_draft:
        return None
    votes = votes_readable(snapshot, names)
    found = Paginator(votes, PER_PAGE).get_page(page)
    if not found.paginator.count:
        return None
    shown = opened_of(votes, names, opened, address) if opened else None
    lines = tuple(line_of(vote, names, address, opened) for vote in found)
    return Battles(lines=lines, page=found, opened=shown)


def countable(votes: QuerySet[Vote]) -> QuerySet[Vote]:
    """Those that count and whose texts are kept."""
    erased = Turn.objects.filter(battle=OuterRef("battle"), salt="")
    excluded = Exclusion.objects.filter(lifted_at=None, vote=NAME_OF_VOTE)
    return votes.exclude(battle__mode=Mode.NAMED).filter(~Exists(erased), ~Exists(excluded))


def votes_readable(snapshot: Fitted, names: tuple[str, str]) -> QuerySet[Vote]:
    """Sealed votes of a pair that may be read; the newest first."""
    one, other = names
    beginning = Turn.objects.filter(battle=OuterRef("battle"), number=1)
    sealed = Vote.objects.filter(
        Q(battle__revision_a__name=one, battle__revision_b__name=other)
        | Q(battle__revision_a__name=other, battle__revision_b__name=one),
        pk__lte=last_vote_of(snapshot.content["head"]),
    )
    return (
        countable(sealed)
        .annotate(
            excerpt=Subquery(beginning.values(start=Left("prompt", EXCERPT + 1))),
            name_a=F("battle__revision_a__name"),
            turn_number=F("turn__number"),
        )
        .order_by("-pk")
    )


def line_of(vote: Vote, names: tuple[str, str], address: str, opened: str) -> Line:
    excerpt: str = vote.excerpt or ""  # type: ignore[attr-defined]
    joint = "&" if "?" in address else "?"
    return Line(
        vote=vote.pk,
        day=vote.created_at.date(),
        prompt=shortened(excerpt),
        verdict=verdict_words(Outcome(vote.outcome), ordered(vote, names)),
        turns=vote.turn_number,  # type: ignore[attr-defined]
        address=f"{address}{joint}battle={vote.pk}#battle",
        is_open=opened == str(vote.pk),
    )


def shortened(text: str) -> str:
    """Up to EXCERPT characters, and no half of a word where there are words."""
    if len(text) <= EXCERPT:
        return text
    whole = text[:EXCERPT].rpartition(" ")[0]
    return f"{whole or text[:EXCERPT]}…"


def ordered(vote: Vote, names: tuple[str, str]) -> tuple[str, str]:
    """The names as the sides had them: A, then B."""
    one, other = names
    return (one, other) if vote.name_a == one else (other, one)  # type: ignore[attr-defined]


def verdict_words(outcome: Outcome, sides: tuple[str, str]) -> str:
    match outcome:
        case Outcome.MODEL_A:
            return _("%(name)s preferred") % {"name": sides[0]}
        case Outcome.MODEL_B:
            return _("%(name)s preferred") % {"name": sides[1]}
        case Outcome.TIE:
            return _("A tie")
    return _("Neither was good")


def opened_of(votes: QuerySet[Vote], names: tuple[str, str], opened: str, address: str) -> Opened:
    number = int(opened) if opened.isascii() and opened.isdigit() and len(opened) < 16 else 0
    vote = votes.select_related("battle").filter(pk=number).first()
    if vote is None:
        raise Unknown(
            _(
                "No battle of these two may be read under that number. The list names those that "
                "may."
            )
        )
    first = Side.A if ordered(vote, names)[0] == names[0] else Side.B
    won = {Outcome.MODEL_A: Side.A, Outcome.MODEL_B: Side.B}.get(Outcome(vote.outcome))
    turns = [turn for turn in turns_of(vote.battle) if turn.number <= vote.turn_number]  # type: ignore[attr-defined]
    return Opened(
        line=line_of(vote, names, address, opened),
        turns=tuple(said_of(turn, first) for turn in turns),
        winner="" if won is None else "first" if won == first else "second",
    )


def said_of(turn: Turn, first: Side) -> Said:
    texts = answers_of(turn)
    second = Side.B if first == Side.A else Side.A
    return Said(
        number=turn.number,
        prompt=turn.prompt,
        first=render(texts.get(first, "")),
        second=render(texts.get(second, "")),
    )


# -- Which vote is which ---------------------------------------------------------------------


def readable_at(snapshot: Fitted, rows: Sequence[int]) -> dict[int, int]:
    """Of these rows of a publication's sealed votes, those whose battles may be read: the vote.

    Raises SegmentMissing.
    """
    if not rows or not are_readable() or snapshot.is_draft:
        return {}
    found = votes_at(snapshot, rows)
    if not found:
        return {}
    kept = set(
        countable(Vote.objects.filter(pk__in=list(found.values()))).values_list("pk", flat=True)
    )
    return {row: vote for row, vote in found.items() if vote in kept}


def votes_at(snapshot: Fitted, rows: Sequence[int]) -> dict[int, int]:
    """By row, the number of the vote that was cast here; others are not in it."""
    found: dict[int, int] = {}
    begin = 0
    for entry in snapshot.content["segments"]:
        end = begin + entry["rows"]
        here = [row - begin for row in rows if begin <= row < end]
        if here and entry["origin"] == Origin.NATIVE:
            ids = ids_at(files.local(entry["sha256"]), here)
            found |= {begin + row: int(name.removeprefix("n:")) for row, name in ids.items()}
        begin = end
    return found
