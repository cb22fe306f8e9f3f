"""Collections of answers made elsewhere: stored whole or not at all, opened and closed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from arena.battles.collecting import Limits, Row, Survey, rows_of, survey
from arena.battles.exceptions import AlreadyCollected, AnswersRefused
from arena.battles.files import answers_path, answers_remove
from arena.battles.models import Collection, Prompt, RecordedAnswer
from arena.catalog.models import Kind, Revision, Status
from arena.catalog.services import contestant_create, is_free, revision_create
from arena.core.exceptions import BadInput, Conflict
from arena.core.locks import lock_writes
from arena.core.services import audit

MOST_VOTES_PER_CELL = 1_000
LONGEST_REVISION_NAME = 200
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Entry:
    """Under which name a model of a file competes; `revision` is None where it is to be made."""

    model: str
    name: str
    revision: Revision | None

    @property
    def is_judged(self) -> bool:
        return self.revision is None or self.revision.contestant.status == Status.ACTIVE


def limits() -> Limits:
    return Limits(prompt=settings.PROMPT_MAX_CHARACTERS, answer=settings.ANSWER_MAX_CHARACTERS)


def answers_survey(*, digest: str) -> Survey:
    """What a kept file holds and what is wrong with it.

    Raises AnswersRefused where it is no longer kept, AlreadyCollected where it is stored.
    """
    refuse_stored(digest)
    return survey(answers_path(digest), limits())


def refuse_stored(digest: str) -> None:
    if known := Collection.objects.filter(source_sha256=digest).first():
        raise AlreadyCollected(f"This file is stored as “{known.name}”. Nothing was added.")


# -- Who competes ----------------------------------------------------------------------------


def entries(*, models: Iterable[str], collection: str) -> list[Entry]:
    """How the models of a file of that name compete, by model.

    A recorded revision of that name is used. A name that belongs to anything else, such as a
    model that is served, gets a contestant of its own that says where the answers are from: whose
    votes are whose stays clear. Raises BadInput where such a name would be too long.
    """
    wanted = sorted(models)
    recorded = Revision.objects.filter(kind=Kind.RECORDED).select_related("contestant")
    known = {revision.name: revision for revision in recorded.filter(name__in=wanted)}
    found = []
    for model in wanted:
        name, revision = model, known.get(model)
        if revision is None and not is_free(model):
            name = name_apart(model, collection)
            revision = recorded.filter(name=name).first()
        found.append(Entry(model, name, revision))
    return found


def name_apart(model: str, collection: str) -> str:
    name = f"{model} (recorded {collection})"
    if len(name) > LONGEST_REVISION_NAME:
        raise BadInput(
            f"'{model[:80]}' is the name of another contestant, and '{name[:80]}…' is too long for "
            "one of its own. Nothing was stored; give the collection a shorter name."
        )
    return name


def revision_of(entry: Entry, actor: Any) -> Revision:
    if entry.revision:
        return entry.revision
    contestant = contestant_create(name=entry.name, status=Status.ACTIVE, actor=actor)
    return revision_create(
        contestant=contestant,
        name=entry.name,
        kind=Kind.RECORDED,
        remote_model=entry.model,
        actor=actor,
    )


# -- Storing ---------------------------------------------------------------------------------


def collection_create(
    *, digest: str, name: str, votes_per_cell: int = 3, actor: Any = None
) -> Collection:
    """Store a kept file: its prompts, answers and contestants, all of them or none.

    Raises AnswersRefused where it has faults, AlreadyCollected where it is stored, Conflict where
    the name is taken, BadInput for a name or number that cannot be.
    """
    name = checked_name(name)
    refuse_number(votes_per_cell)
    found = answers_survey(digest=digest)
    if found.fault_count:
        raise AnswersRefused("The file has faults, so nothing was stored. Look at the report.")
    with transaction.atomic():
        lock_writes(Collection)
        refuse_stored(digest)
        if Collection.objects.filter(name=name).exists():
            raise Conflict(f"There is a collection named “{name}”. Give this one another name.")
        collection = Collection.objects.create(
            slug=free_slug(name),
            name=name,
            votes_per_cell=votes_per_cell,
            source_sha256=digest,
            created_by=actor,
        )
        planned = entries(models=found.models, collection=name)
        revisions = {entry.model: revision_of(entry, actor) for entry in planned}
        answers_store(collection, found, revisions)
        audit(
            action="collection.create",
            subject=collection.slug,
            actor=actor,
            name=name,
            sha256=digest,
            prompts=len(found.prompts),
            answers=found.answers,
            cells=found.cells,
            votes_per_cell=votes_per_cell,
        )
    answers_remove(digest)
    return collection


def answers_store(collection: Collection, found: Survey, revisions: dict[str, Revision]) -> None:
    prompts: dict[str, Prompt] = {}
    unread = rows_of(answers_path(collection.source_sha256), Survey())
    while rows := list(islice(unread, ROWS_AT_ONCE)):
        new = {row.key: row for row in reversed(rows) if row.key not in prompts}
        prompts |= prompts_store(collection, [*reversed(new.values())], len(prompts))
        RecordedAnswer.objects.bulk_create(
            RecordedAnswer(prompt=prompts[key], revision=revisions[model], text=text)
            for (key, model), text in answers_first_said(found, rows).items()
        )


def answers_first_said(found: Survey, rows: Iterable[Row]) -> dict[tuple[str, str], str]:
    """By prompt's key and model; what an earlier line said already is left out."""
    return {
        (row.key, model): text
        for row in rows
        for model, text in row.answers
        if found.prompts[row.key].answers[model][0] == row.line
    }


def prompts_store(collection: Collection, rows: list[Row], before: int) -> dict[str, Prompt]:
    """The prompts of these rows by key; `before` of the collection's are stored already."""
    prompts = Prompt.objects.bulk_create(
        Prompt(
            slug=prompt_slug(collection, number, row.prompt_id),
            collection=collection,
            text=row.prompt,
            category=row.category,
            language=row.language,
        )
        for number, row in enumerate(rows, start=before + 1)
    )
    return {row.key: prompt for row, prompt in zip(rows, prompts, strict=True)}


def prompt_slug(collection: Collection, number: int, prompt_id: str) -> str:
    """Begins with what no other file has, and ends with how the operator calls the prompt."""
    parts = collection.source_sha256[:12], str(number), slugify(prompt_id)[:40]
    return "-".join(filter(None, parts))


def checked_name(name: str) -> str:
    name = name.strip()
    longest = Collection._meta.get_field("name").max_length
    if not name or not name.isprintable() or len(name) > (longest or 0):
        raise BadInput(f"Give the collection a name of one line, at most {longest} characters.")
    return name


def refuse_number(votes_per_cell: int) -> None:
    if not 1 <= votes_per_cell <= MOST_VOTES_PER_CELL:
        raise BadInput(f"A pair can be given 1 to {MOST_VOTES_PER_CELL:,} votes.")


def free_slug(name: str) -> str:
    base = slugify(name)[:70] or "answers"
    taken = set(Collection.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in numbered(base) if slug not in taken)


def numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


# -- Running ---------------------------------------------------------------------------------


@transaction.atomic
def collection_open(*, collection: Collection, is_open: bool, reason: str, actor: Any) -> None:
    """Open it to be judged, or close it. Raises Conflict where it is so already."""
    changed = Collection.objects.filter(pk=collection.pk, is_open=not is_open)
    if not changed.update(is_open=is_open):
        raise Conflict(f"“{collection.name}” is {'open' if is_open else 'closed'} already.")
    action = "collection.open" if is_open else "collection.close"
    audit(action=action, subject=collection.slug, actor=actor, reason=reason)


@transaction.atomic
def collection_aim(*, collection: Collection, votes_per_cell: int, actor: Any) -> None:
    """Change how many votes each of its cells is to get. Raises BadInput."""
    refuse_number(votes_per_cell)
    stored = Collection.objects.select_for_update().get(pk=collection.pk)
    before = stored.votes_per_cell
    stored.votes_per_cell = votes_per_cell
    stored.save(update_fields=["votes_per_cell"])
    audit(
        action="collection.change",
        subject=stored.slug,
        actor=actor,
        changes={"votes_per_cell": [before, votes_per_cell]},
    )
