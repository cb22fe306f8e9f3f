"""Reads of the catalog."""

from django.db.models import QuerySet

from arena.catalog.models import Contestant, Revision
from arena.core.exceptions import Unknown


def contestants_all() -> QuerySet[Contestant]:
    return Contestant.objects.select_related("organisation")


def contestant_get(slug: str) -> Contestant:
    """Raises Unknown."""
    try:
        return contestants_all().get(slug=slug)
    except Contestant.DoesNotExist as error:
        raise Unknown(f"There is no contestant '{slug[:80]}'.") from error


def revisions_of(contestant: Contestant) -> QuerySet[Revision]:
    return contestant.revisions.select_related("contestant").order_by("id")


def revision_get(pk: int) -> Revision:
    """Raises Unknown."""
    try:
        return Revision.objects.select_related("contestant").get(pk=pk)
    except (Revision.DoesNotExist, OverflowError) as error:
        raise Unknown(f"There is no revision {pk}.") from error


def names_meant(name: str) -> list[str]:
    """Names that votes know a contestant by: all of its revisions by slug, or the one named so.

    Raises Unknown.
    """
    names = list(Revision.objects.filter(contestant__slug=name).values_list("name", flat=True))
    if not names:
        names = list(Revision.objects.filter(name=name).values_list("name", flat=True))
    if not names:
        raise Unknown(f"Nobody is called '{name[:80]}'. Write a contestant's slug or its name.")
    return names
