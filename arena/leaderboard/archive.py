"""The archive: every publication with all that it takes to check it."""

import json
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from arena.core.exceptions import Unknown
from arena.integrity import files
from arena.integrity.exceptions import SegmentMissing
from arena.integrity.models import Segment
from arena.leaderboard.differences import differences
from arena.leaderboard.models import Part, Snapshot
from arena.leaderboard.selectors import latest_snapshot
from ranking.snapshots import snapshot_text

PARQUET = "application/vnd.apache.parquet"
PER_PAGE = 20

Absolute = Callable[[str], str]
"""From a path to the address that others reach it by."""


@dataclass(frozen=True)
class Line:
    """One publication in the list of all."""

    number: int
    digest: str
    short: str
    published_at: datetime
    counted: int
    segments: int
    changes: tuple[str, ...]
    """What differs from the one before it, in sentences."""


@dataclass(frozen=True)
class PartFile:
    name: str
    digest: str


@dataclass(frozen=True)
class Pictures:
    """What can be had drawn of a publication. files: form and address of each."""

    of: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Shown:
    """One publication with its files and the command that checks it."""

    line: Line
    previous: str
    engine: str
    files: tuple[Segment, ...]
    votes: int
    withheld: bool
    has_texts: bool
    command: str


@dataclass(frozen=True)
class Index:
    page: "Page[Snapshot]"
    lines: tuple[Line, ...]
    latest: Shown | None
    command_for_all: str


def index(page: str, absolute: Absolute) -> Index:
    """The list of all publications, the newest first."""
    latest = latest_snapshot()
    paginator = Paginator(snapshots().order_by("-number"), PER_PAGE)
    found, places = paginator.get_page(page), places_of_links()
    listed = list(found)
    changes = differences(listed)
    return Index(
        page=found,
        lines=tuple(
            line_of(snapshot, places.get(snapshot.head, 0), changes[snapshot.digest])
            for snapshot in listed
        ),
        latest=publication(latest, absolute) if latest else None,
        command_for_all=command(absolute(reverse("leaderboard:archive-all")), "*.json"),
    )


def snapshots() -> QuerySet[Snapshot]:
    """All publications in order; their documents stay in the database."""
    return Snapshot.objects.order_by("number").defer("document")


def places_of_links() -> dict[str, int]:
    """How many segments the chain has up to each link."""
    links = Segment.objects.order_by("id").values_list("link", flat=True)
    return {link: place for place, link in enumerate(links, start=1)}


def line_of(snapshot: Snapshot, segments: int, changes: tuple[str, ...]) -> Line:
    return Line(
        number=snapshot.number,
        digest=snapshot.digest,
        short=snapshot.short,
        published_at=snapshot.published_at,
        counted=snapshot.counted,
        segments=segments,
        changes=changes,
    )


def publication(snapshot: Snapshot, absolute: Absolute) -> Shown:
    segments = tuple(segments_of(snapshot))
    listed = reverse("leaderboard:archive-list", args=[snapshot.digest])
    return Shown(
        line=line_of(snapshot, len(segments), differences([snapshot])[snapshot.digest]),
        previous="" if snapshot.number == 1 else snapshot.previous,
        engine=snapshot.engine,
        files=segments,
        votes=sum(segment.rows for segment in segments),
        withheld=not settings.ARCHIVE_VOTES,
        has_texts=settings.PUBLISH_TEXT,
        command=command(absolute(listed), f"{snapshot.digest}.json"),
    )


def segments_of(snapshot: Snapshot) -> QuerySet[Segment]:
    """The segments that a publication rests on, in the chain's order."""
    last = Segment.objects.filter(link=snapshot.head).values("pk")
    return Segment.objects.filter(pk__lte=Subquery(last)).order_by("pk")


def command(listed: str, checked: str) -> str:
    """Fetches every file of a list into the folder one is in, and checks them there."""
    return (
        f"curl -fsS {shlex.quote(listed)} |\n  xargs -n 1 curl -fsSO &&\n"
        f"python -m ranking verify {checked} --votes ."
    )


def parts_of(snapshot: Snapshot) -> tuple[PartFile, ...]:
    """Everything that it says beside its document."""
    rows = Part.objects.filter(snapshot=snapshot).order_by("name").values_list("name", "digest")
    return tuple(PartFile(name, digest) for name, digest in rows)


def pictures_of(snapshot: Snapshot, parts: Iterable[PartFile]) -> tuple[Pictures, ...]:
    """Of the board, of how sure it is, and of what moved where that is known."""
    named, names = f"?snapshot={snapshot.short}", {part.name for part in parts}
    found = [(_("The board"), "leaderboard:picture"), (_("How sure"), "leaderboard:sure-picture")]
    if names & {"ledger/revisions", "ledger/families"}:
        found.append((_("What moved"), "leaderboard:moved-picture"))
    return tuple(
        Pictures(
            of, tuple((form.upper(), reverse(view, args=[form]) + named) for form in ("svg", "png"))
        )
        for of, view in found
    )


# -- Files -----------------------------------------------------------------------------------


def addresses(publications: Iterable[Snapshot], absolute: Absolute) -> list[str]:
    """Where each file of these publications is, none twice."""
    given = list(publications)
    paths = [reverse("leaderboard:archive-snapshot", args=[each.digest]) for each in given]
    paths += [reverse("leaderboard:archive-part", args=[digest]) for digest in digests_of(given)]
    if given and settings.ARCHIVE_VOTES:
        # The segments of the newest begin with those of all others.
        newest = max(given, key=lambda snapshot: snapshot.number)
        for segment in segments_of(newest):
            paths.append(reverse("leaderboard:archive-segment", args=[segment.sha256]))
            if settings.PUBLISH_TEXT and files.exists(files.TEXTS, segment.sha256):
                paths.append(reverse("leaderboard:archive-texts", args=[segment.sha256]))
    return [absolute(path) for path in paths]


def digests_of(publications: Iterable[Snapshot]) -> list[str]:
    """What names the parts of these publications, none twice."""
    named = Part.objects.filter(snapshot__in=[each.pk for each in publications])
    return list(named.order_by("digest").values_list("digest", flat=True).distinct())


def part_file(digest: str) -> str:
    """The text of a part. Raises Unknown."""
    part = Part.objects.filter(digest=digest).order_by("pk").first()
    if part is None:
        raise Unknown(_("No publication has a part of that name."))
    return part.text


def snapshot_file(snapshot: Snapshot) -> str:
    return snapshot_text(json.loads(snapshot.document))


def segment_file(sha256: str) -> "File[bytes]":
    """A published segment, opened. Raises Unknown, saying why there is none, and SegmentMissing."""
    if not settings.ARCHIVE_VOTES:
        raise Unknown(_("The votes of this arena are not handed out. Its operator holds them."))
    refuse_unpublished(sha256)
    path = files.local(sha256)
    try:
        return File(path.open("rb"), name=path.name)
    except OSError as error:
        raise SegmentMissing(f"{path.name} is gone. Restore it from a backup.") from error


def texts_file(sha256: str) -> "File[bytes]":
    """The texts of a published segment's votes, opened. Raises Unknown."""
    if not (settings.PUBLISH_TEXT and settings.ARCHIVE_VOTES):
        raise Unknown(_("The texts of this arena are not handed out."))
    refuse_unpublished(sha256)
    if not files.exists(files.TEXTS, sha256):
        raise Unknown(
            _("There are no texts of these votes: none were recorded, or all are erased.")
        )
    return storages[files.TEXTS].open(files.name_of(sha256))


def refuse_unpublished(sha256: str) -> None:
    latest = latest_snapshot()
    if latest is None or not segments_of(latest).filter(sha256=sha256).exists():
        raise Unknown(_("No publication rests on a file of votes of that name."))
