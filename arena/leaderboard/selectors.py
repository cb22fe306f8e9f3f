"""Reads of publications, and of the sealed votes that one rests on."""

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from arena.battles.models import Battle, State
from arena.battles.selectors import battle_get
from arena.catalog.models import Revision, Stage
from arena.integrity import files
from arena.integrity.exceptions import SegmentMissing
from arena.integrity.models import Segment
from arena.integrity.selectors import sealed_up_to, standing_exclusions, state_of, votes_state
from arena.leaderboard.exceptions import NoSuchBoard, NoSuchSnapshot, NothingPublished, NotRevealed
from arena.leaderboard.models import TEXTS, BoardName, Draft, Fitted, Part, Snapshot, Standing
from arena.voters.models import Voter
from ranking import BoardState, RankingError, RankingSpec, Votes
from ranking.errors import SnapshotError
from ranking.sealed import PUBLISHED_COLUMNS, columns_for, file_digest, read_sealed
from ranking.snapshots import SegmentEntry, Stated

NAME = re.compile(r"[0-9a-f]{6,64}")
DRAFT = "draft"
# How addresses name the default board.
CURRENT = "current"
# How far a revision has come.
STAGES = (Stage.UNKNOWN, Stage.EXPERIMENTAL, Stage.PREVIEW, Stage.RELEASED)


def snapshots() -> QuerySet[Snapshot]:
    """All publications, the latest first; a document is fetched when somebody asks for it."""
    return Snapshot.objects.defer("document")


def latest_snapshot() -> Snapshot | None:
    return snapshots().first()


def latest_digest() -> str | None:
    """Of the latest publication, without its document."""
    return Snapshot.objects.values_list("digest", flat=True).first()


def snapshot_get(name: str = "") -> Snapshot:
    """The snapshot of that (short) name, or the latest publication without one.

    Raises NoSuchSnapshot or NothingPublished.
    """
    if not name:
        latest = latest_snapshot()
        if latest is None:
            state = votes_state()
            raise NothingPublished(waiting=bool(state["segments"] or state["native"]["count"]))
        return latest
    known = snapshots()
    found = known.filter(digest__startswith=name).first() if NAME.fullmatch(name) else None
    if found is None:
        recent = ", ".join(snapshot.short for snapshot in known.only("digest")[:5])
        told = {"name": name[:64], "recent": recent or _("none yet")}
        raise NoSuchSnapshot(
            _("There is no publication '%(name)s'. The latest are: %(recent)s.") % told
        )
    return found


def digest_at(moment: datetime) -> str | None:
    """Of the publication that was the latest one then."""
    before = Snapshot.objects.filter(created_at__lte=moment)
    return before.values_list("digest", flat=True).first()


def snapshots_up_to(number: int, count: int) -> QuerySet[Snapshot]:
    """So many publications up to that number, the latest first."""
    return snapshots().filter(number__lte=number)[:count]


def draft_get() -> Draft:
    """The draft; for staff alone. Raises NoSuchSnapshot where the latest publication is newer."""
    draft = Draft.objects.first()
    if draft is None:
        raise NoSuchSnapshot(
            _("There is no draft: nothing has been refitted since the latest publication.")
        )
    return draft


def draft_exists() -> bool:
    return Draft.objects.exists()


# -- Sealed votes ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Sealed:
    """The segments so far, and the exclusions that name votes in them, each vote under one rule.

    `state` is what `votes_state` says while no vote is unsealed.
    """

    entries: tuple[SegmentEntry, ...]
    exclusions: dict[str, list[str]]
    state: dict[str, Any]


def sealed_now() -> Sealed:
    segments = list(Segment.objects.order_by("id"))
    standing = list(standing_exclusions())
    return Sealed(
        entries=tuple(
            SegmentEntry(segment.sha256, segment.link, segment.rows, segment.origin)
            for segment in segments
        ),
        exclusions=exclusions_within(segments, standing),
        state=state_of(segments, standing, 0, 0),
    )


def exclusions_within(
    segments: Sequence[Segment], standing: Iterable[tuple[str, str]]
) -> dict[str, list[str]]:
    """Names of excluded votes by rule; under several rules a vote shows the first applied."""
    known, last = {segment.sha256 for segment in segments}, sealed_up_to(segments)
    rule_of: dict[str, str] = {}
    for vote, rule in standing:
        file, _, row = vote.partition(":")
        number = int(row)
        if file in known or (file == "n" and number <= last):
            # However it was spelt ("n:007"), a document has one name for each vote.
            rule_of.setdefault(f"{file}:{number}", rule)
    named: dict[str, list[str]] = defaultdict(list)
    for vote, rule in rule_of.items():
        named[rule].append(vote)
    return dict(named)


def sealed_read(sealed: Sealed) -> pa.Table:
    """What a publication needs of the sealed votes, as `ranking verify` reads them.

    Raises SegmentMissing for a file that is gone or altered: no publication rests on it.
    """
    for entry in sealed.entries:
        path = files.local(entry.sha256)
        if not path.exists() or file_digest(path) != entry.sha256:
            raise SegmentMissing(f"{path} is gone or was altered. Restore it from a backup.")
    try:
        return read_sealed(
            sealed.entries, sealed.exclusions, files.local, PUBLISHED_COLUMNS, categories=True
        ).table
    except RankingError as error:
        raise SegmentMissing(f"{error} Restore it from a backup.") from error


# -- Parts -----------------------------------------------------------------------------------


def part_names(snapshot: Fitted) -> frozenset[str]:
    """Names of the parts that it has; a draft has none."""
    return frozenset(snapshot.content.get("parts", ()))


def part_read(snapshot: Fitted, name: str) -> dict[str, Any] | None:
    """The part of that name; one that could not be computed says why in `error`.

    It is the same for all who ask: not to be changed.
    """
    digest = snapshot.content.get("parts", {}).get(name)
    if digest is None:
        return None

    def text() -> str:
        return Part.objects.get(snapshot_id=snapshot.pk, name=name).text

    content: dict[str, Any] = TEXTS.get(digest, text, json.loads)
    return content


def parts_fetch(snapshot: Fitted, *names: str) -> None:
    """Have these parts at hand, fetched by one query, for a page that will read them all."""
    digests = snapshot.content.get("parts", {})
    wanted = [name for name in names if name in digests and digests[name] not in TEXTS]
    if len(wanted) > 1:
        for part in Part.objects.filter(snapshot_id=snapshot.pk, name__in=wanted):
            TEXTS.put(part.digest, json.loads(text := part.text), len(text))


def part_get(snapshot: Fitted, name: str) -> dict[str, Any] | None:
    """The part of that name, None where the publication has none or says why not."""
    content = part_read(snapshot, name)
    return None if content is None or "error" in content else content


def families_now(contestants: Iterable[str]) -> dict[str, str]:
    """By family, which of these revisions stands for it: the furthest released, then the newest.

    A revision of no family stands for itself.
    """
    known = revisions_by_name(list(contestants))
    order = {stage.value: place for place, stage in enumerate(STAGES)}
    ranked = sorted(known.values(), key=lambda each: (order[each.stage], each.number, each.name))
    return {revision.family or revision.name: revision.name for revision in ranked}


def stated_now(contestants: Iterable[str]) -> dict[str, Stated]:
    """What the catalog says of each of these revisions, by name."""
    return {
        name: Stated(
            family=revision.family,
            stage=revision.stage,
            organisation=organisation.name if (organisation := contestant.organisation) else "",
            licence=contestant.licence,
            released=contestant.released_on.isoformat() if contestant.released_on else "",
        )
        for name, revision in revisions_by_name(list(contestants)).items()
        for contestant in (revision.contestant,)
    }


# -- Boards and battles ----------------------------------------------------------------------


def board_name(snapshot: Fitted, wanted: str) -> BoardName:
    """Which board to show: the one asked for, else the style-controlled one where there is one.

    Raises NoSuchBoard, saying what exists.
    """
    boards = snapshot.content["boards"]
    if not wanted:
        return BoardName.CONTROLLED if BoardName.CONTROLLED in boards else BoardName.RAW
    if wanted not in boards:
        told = {"board": wanted[:40], "boards": ", ".join(sorted(boards))}
        raise NoSuchBoard(
            _("There is no board '%(board)s' in this publication. These exist: %(boards)s.") % told
        )
    return BoardName(wanted)


def movements_of(snapshot: Fitted) -> list[dict[str, Any]]:
    """From raw to controlled, with both places. Raises NoSuchBoard where nothing is controlled."""
    if BoardName.CONTROLLED not in snapshot.content["boards"]:
        why = " ".join(snapshot.content["refused"]) or "Its votes carry no style to control for."
        raise NoSuchBoard(f"This publication has no controlled board. {why}")
    places = [
        {row["contestant"]: row for row in board_document(snapshot, board)["standings"]}
        for board in (BoardName.RAW, BoardName.CONTROLLED)
    ]
    return [
        moved
        | {
            f"{side}_{name}": rows[moved["contestant"]][name]
            for side, rows in zip(("raw", "controlled"), places, strict=True)
            for name in ("rank", "rating")
        }
        for moved in snapshot.content["movements"]
    ]


def standings_of(
    snapshot: Snapshot | None, *, board: str = "", revisions: Iterable[str] | None = None
) -> QuerySet[Standing]:
    """Places on the boards of a publication, or of all; narrowed to a board or some revisions."""
    found = Standing.objects.select_related("revision__contestant", "snapshot")
    found = found.defer("snapshot__document")
    if snapshot is not None:
        found = found.filter(snapshot=snapshot)
    if board:
        found = found.filter(board=board)
    if revisions is not None:
        found = found.filter(revision__name__in=list(revisions))
    return found


def revisions_by_name(names: list[str]) -> dict[str, Revision]:
    """Revisions with contestant and organisation, by name; one query however many there are."""
    revisions = Revision.objects.select_related("contestant__organisation")
    wanted = set(names)
    return {revision.name: revision for revision in revisions if revision.name in wanted}


def battle_revealed(battle_id: uuid.UUID, voter: Voter) -> Battle:
    """The voter's own battle once its vote has committed; otherwise it does not exist.

    Raises NoSuchBattle, or NotRevealed before the vote and for anybody else.
    """
    battle = battle_get(battle_id)
    if battle.state != State.VOTED or battle.voter_id != voter.pk:
        raise NotRevealed
    return battle


def board_document(snapshot: Fitted, board: BoardName) -> dict[str, Any]:
    document: dict[str, Any] = snapshot.content["boards"][board]
    return document


def board_state(snapshot: Snapshot, board: BoardName) -> BoardState:
    """A published board with the votes it was fitted to."""
    spec = RankingSpec.from_dict(board_document(snapshot, board)["spec"])
    entries = [SegmentEntry(**entry) for entry in snapshot.content["segments"]]
    exclusions = snapshot.content["exclusions"]
    try:
        table = read_sealed(entries, exclusions, files.local, columns_for(spec)).table
    except SnapshotError as error:
        raise SegmentMissing(f"{error} Restore it from a backup.") from error
    return BoardState(Votes.from_arrow(table), spec)
