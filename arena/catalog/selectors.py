"""Reads of the catalog."""

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from arena.catalog.circuits import not_paused, with_state
from arena.catalog.models import SERVED, Circuit, Contestant, Revision, Status
from arena.core.exceptions import Unknown

LATEST = Subquery(
    Revision.objects.filter(contestant=OuterRef("contestant"))
    .order_by("-number")
    .values("number")[:1]
)


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


def current_revisions() -> QuerySet[Revision]:
    """The latest revision of each contestant."""
    return Revision.objects.filter(number=LATEST)


def served_revisions() -> QuerySet[Revision]:
    """The latest revision of each active contestant, where an endpoint serves it."""
    return current_revisions().filter(contestant__status=Status.ACTIVE, kind__in=SERVED)


def drawable_count() -> int:
    """How many contestants can be drawn now for a prompt of the visitor's own."""
    return not_paused(served_revisions()).count()


def revisions_with_health(revisions: QuerySet[Revision]) -> QuerySet[Revision]:
    """The same, each with its circuit and that circuit's state, where it has one."""
    return revisions.prefetch_related(
        Prefetch("circuit", queryset=with_state(Circuit.objects.all()))
    )


def with_current(contestants: QuerySet[Contestant]) -> QuerySet[Contestant]:
    """The same, each with `current`: a list of its latest revision with its health, or empty."""
    current = revisions_with_health(current_revisions())
    return contestants.prefetch_related(Prefetch("revisions", queryset=current, to_attr="current"))


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
