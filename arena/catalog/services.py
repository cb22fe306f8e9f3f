"""Writes of the catalog."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.text import slugify

from arena.catalog.models import Contestant, Kind, Revision, Status


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
