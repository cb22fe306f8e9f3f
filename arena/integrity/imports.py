"""Taking files of votes in: whole, or not at all."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from arena.core.storage import publish_file, temporary_in
from arena.integrity.chain import segment_add, sha256_of
from arena.integrity.exceptions import AlreadyImported, VotesRefused
from arena.integrity.models import Origin, Segment
from ranking import RankingError
from ranking.io import Reject, VoteFile, read_votes

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Imported:
    """What became of a file: its segment, and the rows that were left out of it."""

    segment: Segment
    contestants_added: int
    rejects: tuple[Reject, ...]
    rejects_file: Path | None


def votes_import(
    *, path: Path, skip_bad: bool = False, progress: Progress | None = None
) -> Imported:
    """Make a file of votes a segment: whole, or not at all.

    With `skip_bad`, rows that cannot be used go to a rejects file and are counted. Raises
    VotesRefused, or AlreadyImported where the same file is part of the chain.
    """
    source = sha256_of(path)
    refuse_known(source, path)
    file = read(path, skip_bad, progress)
    if not file.table.num_rows:
        raise VotesRefused(f"{path.name} holds no vote that can be used. Nothing was imported.")
    segment, added = segment_add(
        table=file.table,
        origin=Origin.IMPORT,
        source_name=path.name[:255],
        source_sha256=source,
        source_schema=file.schema,
        rejected=len(file.rejects),
    )
    return Imported(segment, added, file.rejects, write_rejects(file.rejects, path, source))


def read(path: Path, skip_bad: bool, progress: Progress | None) -> VoteFile:
    try:
        return read_votes(path, skip_bad=skip_bad, progress=progress)
    except RankingError as error:
        raise VotesRefused(f"{error} Nothing was imported.") from error


def refuse_known(source: str, path: Path) -> None:
    known = Segment.objects.filter(source_sha256=source).first()
    if known:
        raise AlreadyImported(
            f"{path.name} was imported before, as {known.source_name}; nothing was added."
        )


def write_rejects(rejects: tuple[Reject, ...], path: Path, source: str) -> Path | None:
    """A CSV of the rows that were left out: line and reason."""
    if not rejects:
        return None
    final = Path(settings.VAR_DIR) / "rejects" / f"{path.stem}-{source[:12]}.csv"
    with temporary_in(final.parent, ".csv") as made:
        with made.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "reason"])
            writer.writerows((reject.line, reject.reason) for reject in rejects)
        publish_file(made, final)
    return final
