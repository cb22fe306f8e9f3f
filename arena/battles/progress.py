"""What pages say of a collection: of its file before it is stored, and how far its judging is."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.functions import Left
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.battles.assignment import OPEN, cells_of, known_to, why_none
from arena.battles.collecting import Fault, Survey
from arena.battles.collections import Entry
from arena.battles.models import Battle, Collection, Outcome, State, Vote
from arena.catalog.models import Revision
from arena.voters.models import Voter

NAMED_AT_MOST = 20
BEGINNING = 80


# -- A file before it is stored --------------------------------------------------------------


def survey_words(found: Survey, planned: Sequence[Entry], votes_per_cell: int) -> Iterator[str]:
    """What storing the file would come to."""
    yield (
        f"{counted(len(found.prompts), 'prompt')} with {counted(found.answers, 'answer')} of "
        f"{counted(len(found.models), 'model')}: {counted(found.cells, 'pair')} of answers to "
        f"judge, {counted(found.cells * votes_per_cell, 'vote')} at {votes_per_cell:,} each."
    )
    if found.repeated:
        yield f"Said more than once in the same words, and taken once: {found.repeated:,}."
    new = [entry for entry in planned if entry.revision is None and entry.name == entry.model]
    if new:
        yield f"New contestants: {named(entry.name for entry in new)}."
    on_record = [entry for entry in planned if entry.revision and entry.name == entry.model]
    if on_record:
        yield f"On record already, and used: {named(entry.name for entry in on_record)}."
    for entry in planned:
        if entry.name != entry.model:
            yield (
                f"“{entry.model}” is the name of a contestant whose votes are on other answers, so "
                f"these compete as “{entry.name}”."
            )
    if idle := [entry.name for entry in planned if not entry.is_judged]:
        yield f"Not active, so that pairs with it are not judged until it is: {named(idle)}."
    lacking = sum(1 for _ in found.lacking())
    if lacking:
        yield (
            f"Not every model answered every prompt: {counted(lacking, 'prompt')} of "
            f"{len(found.prompts):,} lack an answer. The pairs that are there are judged."
        )


def counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def named(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - NAMED_AT_MOST
    return ", ".join(every[:NAMED_AT_MOST]) + (f" and {more:,} more" if more > 0 else "")


def place_words(fault: Fault) -> str:
    return f"line {fault.line:,}" if fault.line else "the file"


# -- For judges ------------------------------------------------------------------------------


@dataclass(frozen=True)
class JudgingPage:
    """refusal: why no pair is given to this person now, empty where one is.

    left_open: their latest battle here that has no vote.
    """

    name: str
    slug: str
    votes_in: int
    votes_wanted: int
    progress: str
    judged: str
    refusal: str
    left_open: uuid.UUID | None


def judging_page(collection: Collection, voter: Voter | None) -> JudgingPage:
    """Names nobody: whom the answers are from is what judges must not know."""
    known = known_to(voter, [collection])
    refusal = why_none(known, is_open=collection.is_open)
    wanted, judged = known.votes_wanted, int(known.judged.sum())
    return JudgingPage(
        name=collection.name,
        slug=collection.slug,
        votes_in=known.votes_in,
        votes_wanted=wanted,
        progress=_("%(votes)s of %(wanted)s votes are in.")
        % {"votes": f"{known.votes_in:,}", "wanted": f"{wanted:,}"},
        judged=judged_words(judged),
        refusal=refusal.message if refusal else "",
        left_open=left_open(collection, voter) if collection.is_open else None,
    )


def judged_words(count: int) -> str:
    if not count:
        return _("You have not judged any pair yet.")
    return ngettext(
        "You have judged %(count)d pair.", "You have judged %(count)d pairs.", count
    ) % {"count": count}


def left_open(collection: Collection, voter: Voter | None) -> uuid.UUID | None:
    if voter is None:
        return None
    mine = Battle.objects.filter(
        voter=voter, state__in=OPEN, recorded_prompt__collection=collection
    )
    return mine.order_by("-created_at").values_list("pk", flat=True).first()


# -- For operators ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Spread:
    """Votes of some cells: how many cells, and the votes of the poorest, the mean, the richest."""

    cells: int
    least: int
    mean: float
    most: int


@dataclass(frozen=True)
class PromptProgress:
    """beginning: of its text, a line of at most BEGINNING characters."""

    pk: int
    slug: str
    beginning: str
    spread: Spread


@dataclass(frozen=True)
class VoterProgress:
    pk: int
    votes: int
    share: float


@dataclass(frozen=True)
class Agreement:
    """cells: those with two votes or more. unanimous: those of them whose votes say the same.

    Votes say the same where they prefer the same answer, or none.
    """

    cells: int
    unanimous: int


@dataclass(frozen=True)
class Progress:
    """contestants: by name. pairs: by places of two among them, the smaller first. prompts: those
    with the fewest votes a cell first. voters: those with the most votes first.

    effective_voters: as many voters with equally many votes each would be as concentrated;
    None without votes.
    """

    cells: int
    complete: int
    votes: int
    wanted: int
    contestants: tuple[Revision, ...]
    pairs: Mapping[tuple[int, int], Spread]
    prompts: tuple[PromptProgress, ...]
    voters: tuple[VoterProgress, ...]
    effective_voters: float | None
    agreement: Agreement


Cell = tuple[int, int, int]
"""A prompt and two revisions by id, the smaller first."""


def progress_of(collection: Collection) -> Progress:
    """How far the judging is, and whom its votes rest on."""
    said, voters = votes_said(collection), voters_of(collection)
    counts = {cell: said[cell].total() if cell in said else 0 for cell in cells_in(collection)}
    revisions = Revision.objects.filter(recorded__prompt__collection=collection).distinct()
    contestants = tuple(revisions.order_by("name"))
    return Progress(
        cells=len(counts),
        complete=sum(count >= collection.votes_per_cell for count in counts.values()),
        votes=sum(counts.values()),
        wanted=collection.votes_per_cell * len(counts),
        contestants=contestants,
        pairs=pairs_of(contestants, counts),
        prompts=prompts_of(collection, counts),
        voters=voters,
        effective_voters=effective(voters),
        agreement=agreement(said.values()),
    )


def cells_in(collection: Collection) -> Iterator[Cell]:
    cells = cells_of(collection.pk)
    yield from zip(cells.prompt.tolist(), cells.first.tolist(), cells.second.tolist(), strict=True)


def votes_said(collection: Collection) -> dict[Cell, Counter[int]]:
    """By cell, how many votes prefer each revision, and how many prefer none (0)."""
    rows = (
        Vote.objects.order_by()
        .filter(battle__recorded_prompt__collection=collection)
        .values_list(
            "battle__recorded_prompt", "battle__revision_a", "battle__revision_b", "outcome"
        )
        .annotate(Count("pk"))
    )
    said: dict[Cell, Counter[int]] = defaultdict(Counter)
    for prompt, a, b, outcome, count in rows.iterator():
        preferred = {Outcome.MODEL_A: a, Outcome.MODEL_B: b}.get(outcome, 0)
        said[prompt, min(a, b), max(a, b)][preferred] += count
    return said


def agreement(said: Iterable[Counter[int]]) -> Agreement:
    compared = [votes for votes in said if votes.total() > 1]
    return Agreement(len(compared), sum(len(votes) == 1 for votes in compared))


def pairs_of(
    contestants: Sequence[Revision], counts: Mapping[Cell, int]
) -> dict[tuple[int, int], Spread]:
    place = {revision.pk: number for number, revision in enumerate(contestants)}
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for (_prompt, first, second), count in counts.items():
        one, other = sorted((place[first], place[second]))
        found[one, other].append(count)
    return {pair: spread(votes) for pair, votes in found.items()}


def prompts_of(collection: Collection, counts: Mapping[Cell, int]) -> tuple[PromptProgress, ...]:
    found: dict[int, list[int]] = defaultdict(list)
    for (prompt, _first, _second), count in counts.items():
        found[prompt].append(count)
    texts = collection.prompts.values_list("pk", "slug", Left("text", BEGINNING))
    rows = (
        PromptProgress(pk, slug, " ".join(text.split()), spread(found[pk]))
        for pk, slug, text in texts
        if pk in found
    )
    return tuple(sorted(rows, key=lambda row: (row.spread.mean, row.pk)))


def spread(votes: Sequence[int]) -> Spread:
    return Spread(len(votes), min(votes), sum(votes) / len(votes), max(votes))


def voters_of(collection: Collection) -> tuple[VoterProgress, ...]:
    rows = (
        Battle.objects.filter(state=State.VOTED, recorded_prompt__collection=collection)
        .values_list("voter")
        .annotate(votes=Count("owner"))
        .order_by("-votes", "voter")
    )
    found = list(rows)
    total = sum(votes for _voter, votes in found)
    return tuple(VoterProgress(voter, votes, votes / total) for voter, votes in found)


def effective(voters: Sequence[VoterProgress]) -> float | None:
    """n² / Σ nᵢ² of voters with nᵢ votes each."""
    return 1.0 / sum(voter.share**2 for voter in voters) if voters else None
