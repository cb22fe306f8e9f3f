"""Writes of the catalog."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from arena.catalog.models import (
    SERVED,
    Circuit,
    Contestant,
    Kind,
    Organisation,
    Revision,
    Status,
    check_endpoint,
    check_key_variable,
)
from arena.core.exceptions import BadInput, Conflict
from arena.core.locks import lock_writes
from arena.core.services import audit

# Room is left for what tells two of one name apart.
LONGEST_NAME = 150


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
    revision = Revision.objects.create(
        contestant=contestant,
        number=latest.number + 1 if latest else 1,
        name=name,
        kind=kind,
        **{"family": contestant.slug, **served},
    )
    if kind in SERVED:
        # Operators look for a new endpoint among the others before anything has failed.
        Circuit.objects.create(revision=revision)
    return revision


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


# -- From a server ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Added:
    """Names of revisions: made just now, and there before."""

    new: list[str]
    known: list[str]


def endpoint_address(url: str) -> str:
    """One spelling for one server. Raises BadInput, which repeats no secret."""
    url = url.strip()
    try:
        check_endpoint(url)
    except ValidationError as error:
        raise BadInput(" ".join(error.messages)) from error
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.lower(), path=parts.path.rstrip("/")).geturl()


def key_variable(name: str) -> str:
    """The name of an endpoint's key, or none. Raises BadInput, which repeats no key."""
    try:
        if name:
            check_key_variable(name)
    except ValidationError as error:
        raise BadInput(f"The key variable: {' '.join(error.messages)}") from error
    return name


@transaction.atomic
def endpoint_add(
    *,
    url: str,
    models: Iterable[str],
    kind: Kind = Kind.OPENAI,
    key_env: str = "",
    organisation: str = "",
    stage: str = "",
    status: Status = Status.ACTIVE,
    accepts_images: bool = False,
    actor: Any = None,
) -> Added:
    """Make each model of a server a contestant, unless it is one.

    accepts_images: whether they may be asked about pictures; also those that were there before.
    Raises BadInput for values that the catalog does not take; then nothing was added.
    """
    lock_writes(Revision)
    wanted = sorted(set(models))
    refuse_unprintable(wanted)
    known = dict(
        # By hand, addresses are written with a slash at the end as well.
        Revision.objects.filter(
            kind=kind, endpoint__in=(url, f"{url}/"), remote_model__in=wanted
        ).values_list("remote_model", "name")
    )
    slugs = free_slugs(model for model in wanted if model not in known)
    served: dict[str, Any] = {"kind": kind, "endpoint": url, "key_env": key_env, "stage": stage}
    stated: dict[str, Any] = {"status": status, "accepts_images": accepts_images}
    new = []
    for model, slug in slugs.items():
        name = model if is_free(model) else f"{model} ({slug[-40:]})"
        contestant = contestant_create(
            name=name, slug=slug, organisation=organisation, actor=actor, **stated
        )
        revision_create(contestant=contestant, name=name, remote_model=model, actor=actor, **served)
        new.append(name)
    if accepts_images:
        Contestant.objects.filter(revisions__name__in=known.values()).update(accepts_images=True)
    return Added(new, sorted(known.values()))


def refuse_unprintable(models: Iterable[str]) -> None:
    for model in models:
        if not model.strip() or not model.isprintable() or len(model) > LONGEST_NAME:
            raise BadInput(
                f"The server lists {model[:80]!a}, which is no name that a contestant can "
                "bear. Nothing was added; name those that you want, each by --model."
            )


def is_free(name: str) -> bool:
    taken = Contestant.objects.filter(name=name).exists()
    return not (taken or Revision.objects.filter(name=name).exists())


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
    audit(action="contestant.change", subject=slug, actor=actor, changes=said(before, changed))
    return contestant


@transaction.atomic
def contestant_save(*, contestant: Contestant, changed: Iterable[str], actor: Any) -> None:
    """Store a contestant whose form was checked, and say in the audit log what of it changed."""
    stored = Contestant.objects.select_related("organisation").filter(pk=contestant.pk).first()
    contestant.save()
    if stored is None:
        audit(
            action="contestant.create",
            subject=contestant.slug,
            actor=actor,
            name=contestant.name,
        )
        return
    names = list(changed)
    before, after = ({name: getattr(row, name) for name in names} for row in (stored, contestant))
    if changes := said(before, after):
        audit(action="contestant.change", subject=stored.slug, actor=actor, changes=changes)


def status_change(*, contestant: Contestant, status: Status, actor: Any) -> Contestant:
    """Activate, pause or retire a contestant. Raises Conflict, which says why it cannot be."""
    if status == Status.ACTIVE:
        refuse_mute(contestant)
    if status == Status.PAUSED and contestant.status != Status.ACTIVE:
        raise Conflict(f"{contestant} is {contestant.status}: only who is active can be paused.")
    if status == Status.RETIRED and contestant.status == Status.ARCHIVED:
        raise Conflict(f"{contestant} is known from imported votes only, and was never served.")
    return contestant_change(slug=contestant.slug, status=status, actor=actor)


def refuse_mute(contestant: Contestant) -> None:
    latest = contestant.revisions.order_by("-number").first()
    if latest is None or latest.kind == Kind.IMPORTED:
        raise Conflict(f"Nothing answers for {contestant} yet: add a revision that says what does.")


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
    refuse_unserved(kind, served)
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


def refuse_unserved(kind: str, served: Mapping[str, Any]) -> None:
    """Raises BadInput where the kind of a revision does not go with what it is said to serve."""
    if kind in SERVED and not (served.get("endpoint") and served.get("remote_model")):
        raise BadInput(f"A revision of kind {kind} needs endpoint and remote_model.")
    if kind not in SERVED and (served.get("endpoint") or served.get("key_env")):
        raise BadInput(f"A revision of kind {kind} has no endpoint. Leave endpoint and key out.")


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


def said(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Each change as the audit log holds it: what it was, and what it is."""
    return {name: [plain(before[name]), plain(after[name])] for name in after}


def plain(value: Any) -> Any:
    """A value as the audit log can hold it."""
    return value if isinstance(value, str | int | list | None) else str(value)
