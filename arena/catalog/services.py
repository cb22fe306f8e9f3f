"""Writes of the catalog."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from arena.catalog.models import Contestant, Kind, Organisation, Revision, Status
from arena.core.exceptions import BadInput, Conflict
from arena.core.locks import lock_writes
from arena.core.services import audit


@transaction.atomic
def contestants_archive(*, names: Iterable[str]) -> int:
    """Give every name that no revision bears an archived contestant with one revision.

    Returns how many were added.
    """
    wanted = set(names)
    missing = sorted(wanted - set(known_names(wanted)))
    slugs, taken = free_slugs(missing), set(Contestant.objects.values_list("name", flat=True))
    contestants = Contestant.objects.bulk_create(
        Contestant(
            # A contestant may bear the name of a revision that it never had; slugs are free.
            name=name if name not in taken else f"{name[:150]} ({slugs[name][:40]})",
            slug=slugs[name],
            status=Status.ARCHIVED,
        )
        for name in missing
    )
    for name, contestant in zip(missing, contestants, strict=True):
        revision_add(contestant=contestant, name=name, kind=Kind.IMPORTED)
    return len(missing)


def known_names(names: set[str]) -> list[str]:
    revisions = Revision.objects.values_list("name", flat=True)
    # Beyond a few hundred names one query over all is cheaper than many bound parameters.
    return [name for name in revisions if name in names]


def revision_add(*, contestant: Contestant, name: str, kind: Kind, **served: object) -> Revision:
    """The contestant's next revision; `served` are the fields that say what it serves."""
    latest = contestant.revisions.order_by("-number").first()
    return Revision.objects.create(
        contestant=contestant,
        number=latest.number + 1 if latest else 1,
        name=name,
        kind=kind,
        **{"family": contestant.slug, **served},
    )


def free_slugs(names: Iterable[str]) -> dict[str, str]:
    """A slug for each name that no contestant and no other of the names has."""
    taken = set(Contestant.objects.values_list("slug", flat=True))
    slugs = {}
    for name in names:
        base = slugify(name)[:200] or "contestant"
        slug, number = base, 2
        while slug in taken:
            slug, number = f"{base}-{number}", number + 1
        taken.add(slug)
        slugs[name] = slug
    return slugs


@transaction.atomic
def endpoint_add(*, url: str, key_env: str, models: Iterable[str]) -> list[str]:
    """Make each model of a server an active contestant; returns the names that were new."""
    served = Revision.objects.filter(endpoint=url).values_list("remote_model", flat=True)
    wanted = sorted(set(models) - set(served))
    slugs = free_slugs(wanted)
    return [endpoint_contestant(url, key_env, model, slugs[model]) for model in wanted]


def endpoint_contestant(url: str, key_env: str, model: str, slug: str) -> str:
    taken = (
        Contestant.objects.filter(name=model).exists()
        or Revision.objects.filter(name=model).exists()
    )
    name = f"{model} ({slug})" if taken else model
    contestant = Contestant.objects.create(name=name, slug=slug, status=Status.ACTIVE)
    revision_add(
        contestant=contestant,
        name=name,
        kind=Kind.OPENAI,
        endpoint=url,
        key_env=key_env,
        remote_model=model,
    )
    return name


# -- By hand, one at a time ------------------------------------------------------------------


@transaction.atomic
def contestant_create(
    *, name: str, slug: str = "", organisation: str = "", actor: Any = None, **stated: Any
) -> Contestant:
    """A contestant with what is stated of it; `organisation` is a name, made where it is new.

    Raises Conflict where name or slug are taken, BadInput for values the catalog does not take.
    """
    lock_writes(Contestant)
    refuse_taken(name=name, slug=slug)
    contestant = Contestant(
        name=name,
        slug=slug or free_slugs([name])[name],
        organisation=organisation_named(organisation),
        **stated,
    )
    save_checked(contestant)
    audit(action="contestant.create", subject=contestant.slug, actor=actor, name=name)
    return contestant


@transaction.atomic
def contestant_change(*, slug: str, actor: Any = None, **changes: Any) -> Contestant:
    """Change what is stated of a contestant. What it serves is a revision's, and never changes.

    Raises Contestant.DoesNotExist, Conflict, BadInput.
    """
    contestant = Contestant.objects.select_for_update().get(slug=slug)
    if "organisation" in changes:
        changes["organisation"] = organisation_named(changes["organisation"])
    before = {name: getattr(contestant, name) for name in changes}
    changed = {name: value for name, value in changes.items() if value != before[name]}
    if not changed:
        return contestant
    if "name" in changed:
        refuse_taken(name=changed["name"])
    for name, value in changed.items():
        setattr(contestant, name, value)
    save_checked(contestant)
    said = {name: [plain(before[name]), plain(changed[name])] for name in changed}
    audit(action="contestant.change", subject=slug, actor=actor, changes=said)
    return contestant


@transaction.atomic
def revision_create(
    *, contestant: Contestant, name: str, kind: Kind, actor: Any = None, **served: Any
) -> Revision:
    """The contestant's next revision, which is served from now on where the contestant is active.

    Raises Conflict where the name is taken, BadInput for values that the catalog does not take.
    """
    lock_writes(Revision)
    if Revision.objects.filter(name=name).exists():
        raise Conflict(f"There is a revision named '{name[:80]}'. A revision's name is its own.")
    if kind == Kind.OPENAI and not (served.get("endpoint") and served.get("remote_model")):
        raise BadInput("A revision of kind openai needs endpoint and remote_model.")
    if kind != Kind.OPENAI and (served.get("endpoint") or served.get("key_env")):
        raise BadInput(f"A revision of kind {kind} has no endpoint. Leave endpoint and key out.")
    draft = Revision(contestant=contestant, number=1, name=name, kind=kind, **served)
    checked(draft, leave_out=("number", "family", "identity"))
    revision = revision_add(contestant=contestant, name=name, kind=kind, **served)
    audit(
        action="revision.create",
        subject=name,
        actor=actor,
        contestant=contestant.slug,
        number=revision.number,
        identity=revision.identity,
    )
    return revision


def organisation_named(name: str) -> Organisation | None:
    if not name:
        return None
    found = Organisation.objects.filter(name=name).first()
    return found or Organisation.objects.create(name=name, slug=free_organisation_slug(name))


def free_organisation_slug(name: str) -> str:
    base = slugify(name)[:70] or "organisation"
    taken = set(Organisation.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    number, slug = 2, base
    while slug in taken:
        number, slug = number + 1, f"{base}-{number}"
    return slug


def refuse_taken(*, name: str, slug: str = "") -> None:
    if Contestant.objects.filter(name=name).exists():
        raise Conflict(f"There is a contestant named '{name[:80]}' already.")
    if slug and Contestant.objects.filter(slug=slug).exists():
        raise Conflict(f"There is a contestant with the slug '{slug[:80]}' already.")


def save_checked(contestant: Contestant) -> None:
    checked(contestant)
    contestant.save()


def checked(row: Contestant | Revision, leave_out: Iterable[str] = ()) -> None:
    try:
        row.full_clean(exclude=set(leave_out), validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        faults = (f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise BadInput(" ".join(faults)) from error


def plain(value: Any) -> Any:
    """A value as the audit log can hold it."""
    return value if isinstance(value, str | int | list | None) else str(value)
