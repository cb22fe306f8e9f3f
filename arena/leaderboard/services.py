"""From votes to boards: drafts that staff see, and publications that stay."""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import zstandard
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from arena.battles.selectors import drawable
from arena.battles.services import weights_push
from arena.catalog.models import Revision
from arena.core.locks import lock_writes
from arena.core.services import audit
from arena.integrity.sealing import votes_seal
from arena.integrity.selectors import simulated_votes, votes_all, votes_state
from arena.leaderboard.heads import heads_hand_on
from arena.leaderboard.models import BoardName, Draft, Fitted, HeadPost, Part, Snapshot, Standing
from arena.leaderboard.selectors import (
    Sealed,
    board_name,
    board_state,
    families_now,
    latest_snapshot,
    sealed_now,
    sealed_read,
    stated_now,
)
from ranking import Leaderboard, Votes, next_pairs
from ranking.analysis import Before, parts, sources_of
from ranking.publication import Publication, publication
from ranking.sampling import UNSEEN_GAIN
from ranking.snapshots import FORM, GENESIS, Stated, canonical, digest_of, snapshot_document
from ranking.version import ENGINE

log = logging.getLogger(__name__)


def fingerprint(state: Mapping[str, Any]) -> str:
    """Names the votes, the computation and the form: nothing else decides what a refit says."""
    return digest_of({**state, "engine": ENGINE, "form": FORM})


def has_votes(state: Mapping[str, Any]) -> bool:
    return bool(state["segments"] or state["native"]["count"])


def is_published(state: Mapping[str, Any]) -> bool:
    """Whether the latest publication already says what these votes say."""
    latest = latest_snapshot()
    return latest is not None and latest.votes_state == fingerprint(state)


# -- Drafts ----------------------------------------------------------------------------------


def refit() -> Draft | None:
    """Fit all votes, sealed or not, and keep the result as the draft.

    None where the latest publication or the draft there is already says it. A draft of anything
    else than the votes are now does not stay.
    """
    state = votes_state()
    if is_published(state):
        # It was fitted before the publication, or before an exclusion was lifted.
        Draft.objects.all().delete()
        return None
    if not has_votes(state) or is_drafted(state):
        return None
    votes, state = votes_all()
    draft = draft_keep(fitted=publication(votes), state=state)
    sampling_push(votes, draft)
    return draft


def is_drafted(state: Mapping[str, Any]) -> bool:
    return Draft.objects.filter(votes_state=fingerprint(state)).exists()


@transaction.atomic
def draft_keep(*, fitted: Publication, state: Mapping[str, Any]) -> Draft:
    """Store the newest draft in place of any other."""
    document = {
        **fitted.to_dict(),
        "native": state["native"],
        "simulated_votes": simulated_votes(),
    }
    lock_writes(Draft)
    Draft.objects.all().delete()
    draft = Draft.objects.create(
        digest=digest_of(document),
        document=canonical(document),
        engine=ENGINE,
        counted=fitted.default.counts.counted,
        votes_state=fingerprint(state),
    )
    log.info("draft: %d votes counted", draft.counted)
    return draft


# -- Publications ----------------------------------------------------------------------------


def publish(*, published_at: datetime | None = None, actor: Any = None) -> Snapshot | None:
    """Seal what has been cast, fit the sealed votes and store the next publication.

    None where nothing has changed since the latest. Of two at once one stores it, and the other
    looks again. Killed at any moment it leaves all of the publication or nothing.
    """
    if not has_votes(state := votes_state()) or is_published(state):
        return None
    votes_seal()
    previous, sealed = latest_snapshot(), sealed_now()
    if not sealed.entries or is_published(sealed.state):
        return None
    sources = sources_of(sealed_read(sealed))
    names = sources.votes.contestants
    sources = replace(sources, places=families_now(names), stated=stated_now(names))
    fitted = publication(sources.votes)
    before = before_of(previous) if previous else None
    snapshot = snapshot_store(
        fitted=fitted,
        parts=parts_made(parts(sources, fitted, before)),
        families=sources.places or {},
        catalog=sources.stated,
        sealed=sealed,
        previous=previous,
        published_at=published_at or timezone.now(),
        actor=actor,
    )
    if snapshot is None:
        return publish(published_at=published_at, actor=actor)
    sampling_push(sources.votes, snapshot)
    return snapshot


def parts_made(made: Iterable[tuple[str, dict[str, Any]]]) -> list[Part]:
    """Parts to be stored, each packed as soon as it is made."""
    return [part_made(name, canonical(content)) for name, content in made]


def part_made(name: str, text: str) -> Part:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Part(name=name, digest=digest, packed=zstandard.compress(text.encode()))


def before_of(previous: Snapshot) -> Before:
    """The publication before, with its votes."""
    state = board_state(previous, board_name(previous, ""))
    return Before(state.votes, state.spec, previous.content.get("families"))


@transaction.atomic
def snapshot_store(
    *,
    fitted: Publication,
    parts: Sequence[Part],
    families: Mapping[str, str],
    catalog: Mapping[str, Stated],
    sealed: Sealed,
    previous: Snapshot | None,
    published_at: datetime,
    actor: Any,
) -> Snapshot | None:
    """Store a publication after `previous`; None where another process put one there meanwhile."""
    lock_writes(Snapshot)
    if latest_snapshot() != previous:
        return None
    document = snapshot_document(
        fitted,
        number=previous.number + 1 if previous else 1,
        previous=previous.digest if previous else GENESIS,
        segments=sealed.entries,
        exclusions=sealed.exclusions,
        families=families,
        catalog=catalog,
        parts={part.name: part.digest for part in parts},
    )
    snapshot = Snapshot.objects.create(
        number=document["number"],
        digest=digest_of(document),
        previous=document["previous"],
        head=document["head"],
        document=canonical(document),
        engine=ENGINE,
        category=document["category"],
        counted=fitted.default.counts.counted,
        votes_state=fingerprint(sealed.state),
        published_at=published_at,
    )
    standings_store(snapshot, fitted)
    parts_store(snapshot, parts)
    HeadPost.objects.create(snapshot=snapshot)
    Draft.objects.all().delete()
    audit(action="snapshot.publish", subject=snapshot.digest, actor=actor, number=snapshot.number)
    # Robust: whatever fails there, the publication stands.
    transaction.on_commit(heads_hand_on, robust=True)
    log.info("publication %d, %s: %d votes", snapshot.number, snapshot, snapshot.counted)
    return snapshot


def parts_store(snapshot: Snapshot, parts: Iterable[Part]) -> None:
    for part in parts:
        part.snapshot = snapshot
        part.save()


def standings_store(snapshot: Snapshot, fitted: Publication) -> None:
    revisions = dict(Revision.objects.values_list("name", "pk"))
    for board, leaderboard in fitted.boards.items():
        rows = standing_rows(snapshot, BoardName(board), leaderboard, revisions)
        Standing.objects.bulk_create(rows)


def standing_rows(
    snapshot: Snapshot, board: BoardName, leaderboard: Leaderboard, revisions: Mapping[str, int]
) -> Iterable[Standing]:
    where = {"snapshot": snapshot, "board": board}
    for placed in leaderboard.standings:
        yield Standing(
            **where,
            revision_id=revisions[placed.contestant],
            rank=placed.rank,
            rank_lower=placed.rank_lower,
            rank_upper=placed.rank_upper,
            rating=placed.rating,
            se=placed.se,
            rating_lower=placed.rating_lower,
            rating_upper=placed.rating_upper,
            votes=placed.votes,
        )
    for unplaced in leaderboard.unplaced:
        yield Standing(
            **where,
            revision_id=revisions[unplaced.contestant],
            votes=unplaced.votes,
            reason=unplaced.reason,
        )


# -- Sampling --------------------------------------------------------------------------------


def sampling_push(votes: Votes, fitted: Fitted) -> None:
    """Tell matchmaking what one more vote on each pair of those that may be drawn would tell."""
    revisions = dict(drawable().values_list("name", "pk"))
    if len(revisions) < 2 or not fitted.counted:
        return
    chances = next_pairs(votes, contestants=list(revisions), floor=settings.SAMPLING_FLOOR)
    weights_push(
        gains={
            (revisions[pair.first], revisions[pair.second]): pair.gain
            for pair in chances.pairs
            if pair.votes
        },
        unseen=UNSEEN_GAIN,
        votes=sum(pair.votes for pair in chances.pairs),
    )


# -- Again and again -------------------------------------------------------------------------


class Refitter:
    """Publishes where it is time and refits otherwise, again and again.

    A state of the votes that failed is not tried twice.
    """

    def __init__(self) -> None:
        self.failed = ""

    def __call__(self) -> Snapshot | Draft | None:
        """Raises what `refit` and `publish` raise, once for each state of the votes."""
        tried = fingerprint(votes_state())
        if tried == self.failed:
            return None
        try:
            return publish() if is_time_to_publish() else refit()
        except Exception:
            self.failed = tried
            raise


def is_time_to_publish() -> bool:
    """Whether PUBLISH_SECONDS have passed since the latest publication was made."""
    if not settings.PUBLISH_SECONDS:
        return False
    latest = latest_snapshot()
    wait = timedelta(seconds=settings.PUBLISH_SECONDS)
    return latest is None or timezone.now() - latest.created_at >= wait
