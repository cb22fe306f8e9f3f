"""Refits: from votes to an immutable snapshot."""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from arena.catalog.models import Revision
from arena.core.locks import lock_writes
from arena.integrity.selectors import simulated_votes, votes_all, votes_state
from arena.leaderboard.models import GENESIS, BoardName, Snapshot, Standing
from ranking import FitError, Leaderboard, Movement, RankingSpec, Votes, fit, style_movement
from ranking.covariates import CONTROLS
from ranking.version import ENGINE

log = logging.getLogger(__name__)

# Latency is a control only by choice: it needs natively paced votes.
STYLE_CONTROLS = ("length", "headers", "lists", "bold", "code", "emoji")
# A control is part of the board once most votes carry it: the votes that lack one count on
# neither board, so a control that few carry would cost more votes than it explains.
CARRIED_SHARE = 0.5


@dataclass(frozen=True)
class Fitted:
    """Both boards of one set of votes, or the raw one alone and why."""

    raw: Leaderboard
    controlled: Leaderboard | None
    movements: tuple[Movement, ...]
    refused: tuple[str, ...]
    """Why a fuller model could not be fitted to these votes."""

    @property
    def default(self) -> Leaderboard:
        return self.controlled or self.raw


def refit(*, published_at: datetime | None = None) -> Snapshot | None:
    """Fit all votes and publish the result; None where nothing has changed since the last.

    A snapshot's document names what it was fitted on and the snapshot before it, so the same
    votes give the same bytes and none can be taken out of the row.
    """
    latest, state = latest_snapshot(), votes_state()
    if not has_votes(state) or (latest and latest.votes_state == fingerprint(state)):
        return None
    votes, state = votes_all()
    fitted = fit_boards(votes)
    return snapshot_publish(
        fitted=fitted,
        document=describe(fitted, state, latest),
        votes_state=fingerprint(state),
        previous=latest,
        published_at=published_at or timezone.now(),
    )


class Refitter:
    """Refits again and again; a state of the votes that failed is not tried twice."""

    def __init__(self) -> None:
        self.failed = ""

    def __call__(self) -> Snapshot | None:
        """Raises what `refit` raises, once for each state of the votes."""
        tried = fingerprint(votes_state())
        if tried == self.failed:
            return None
        try:
            return refit()
        except Exception:
            self.failed = tried
            raise


def latest_snapshot() -> Snapshot | None:
    return Snapshot.objects.order_by("-id").first()


def has_votes(state: Mapping[str, Any]) -> bool:
    return bool(state["segments"] or state["native"]["count"])


def fingerprint(state: Mapping[str, Any]) -> str:
    """Names the votes and the computation: nothing else decides what a refit says."""
    return digest_of({**state, "engine": ENGINE})


def board_controls(votes: Votes) -> tuple[str, ...]:
    """The style controls that most votes carry and that differ anywhere."""
    return tuple(name for name in STYLE_CONTROLS if is_carried(votes, CONTROLS[name]))


def is_carried(votes: Votes, metric: str) -> bool:
    if metric not in votes.features:
        return False
    a, b = votes.features[metric]
    present = ~(np.isnan(a) | np.isnan(b))
    return bool(present.mean() >= CARRIED_SHARE and (a[present] != b[present]).any())


def fit_boards(votes: Votes) -> Fitted:
    """The fullest model that these votes determine: style controlled, raw, raw without position.

    A few votes often cannot tell a covariate from the contestants; the reason is kept and shown.
    """
    refused: list[str] = []
    controls = board_controls(votes)
    if controls:
        try:
            moved = style_movement(votes, RankingSpec(controls=controls))
            return Fitted(moved.raw, moved.controlled, moved.movements, ())
        except FitError as error:
            refused.append(f"Style is not controlled for: {error}")
    try:
        return Fitted(fit(votes, RankingSpec()), None, (), tuple(refused))
    except FitError as error:
        refused.append(f"The side shown first is not accounted for: {error}")
    return Fitted(fit(votes, RankingSpec(position=False)), None, (), tuple(refused))


def describe(fitted: Fitted, state: Mapping[str, Any], previous: Snapshot | None) -> str:
    """The canonical JSON of a snapshot."""
    boards = {BoardName.RAW.value: fitted.raw.to_dict()}
    if fitted.controlled:
        boards[BoardName.CONTROLLED.value] = fitted.controlled.to_dict()
    return canonical(
        {
            **state,
            "engine": ENGINE,
            "previous": previous.digest if previous else GENESIS,
            "category": "overall",
            "simulated_votes": simulated_votes(),
            "spec": fitted.default.spec.to_dict(),
            "boards": boards,
            "movements": [asdict(movement) for movement in fitted.movements],
            "refused": list(fitted.refused),
        }
    )


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@transaction.atomic
def snapshot_publish(
    *,
    fitted: Fitted,
    document: str,
    votes_state: str,
    previous: Snapshot | None,
    published_at: datetime,
) -> Snapshot | None:
    """Store a snapshot after `previous`; None where another process put one there meanwhile."""
    lock_writes(Snapshot)
    if latest_snapshot() != previous:
        return None
    snapshot = Snapshot.objects.create(
        digest=hashlib.sha256(document.encode()).hexdigest(),
        previous=previous.digest if previous else GENESIS,
        document=document,
        engine=ENGINE,
        counted=fitted.default.counts.counted,
        votes_state=votes_state,
        published_at=published_at,
    )
    revisions = dict(Revision.objects.values_list("name", "pk"))
    for board, leaderboard in boards_of(fitted):
        Standing.objects.bulk_create(standing_rows(snapshot, board, leaderboard, revisions))
    log.info("snapshot %s: %d votes counted", snapshot, snapshot.counted)
    return snapshot


def boards_of(fitted: Fitted) -> list[tuple[BoardName, Leaderboard]]:
    boards = [(BoardName.RAW, fitted.raw)]
    return [*boards, (BoardName.CONTROLLED, fitted.controlled)] if fitted.controlled else boards


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
