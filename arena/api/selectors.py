"""How the arena is, and whose tokens there are."""

from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet
from django.db.models.functions import Now
from knox.models import AuthToken

from arena.battles.models import Worker
from arena.battles.selectors import votes_count_and_last
from arena.battles.services import WORKER_STALE
from arena.core.models import Job, JobState
from arena.integrity import files
from arena.integrity.models import Segment
from arena.integrity.selectors import sealed_up_to
from arena.leaderboard.models import Draft, Snapshot

# How many of the newest files are looked for: in a bucket each look is a request.
LOOKED_FOR = 100


def health() -> dict[str, Any]:
    """What an operator watches. It asks the database, so that it works is one of the answers."""
    segments = list(Segment.objects.order_by("id"))
    missing = [
        segment.sha256
        for segment in segments[-LOOKED_FOR:]
        if not files.exists(files.SEGMENTS, segment.sha256)
    ]
    cached = is_cached()
    return {
        "status": "ok" if cached and not missing else "degraded",
        "database": True,
        "cache": cached,
        "segments": len(segments),
        "segments_missing": missing,
        "unsealed_votes": votes_count_and_last(sealed_up_to(segments))[0],
        "last_refit": latest(Draft.objects.values_list("created_at", flat=True)),
        "last_publication": latest(Snapshot.objects.values_list("published_at", flat=True)),
        "queued_jobs": Job.objects.filter(state=JobState.QUEUED).count(),
        "running_jobs": Job.objects.filter(state=JobState.RUNNING).count(),
        "stale_workers": Worker.objects.filter(seen_at__lt=Now() - WORKER_STALE).count(),
    }


def latest(times: QuerySet[Any, datetime]) -> datetime | None:
    return times.first()


def is_cached() -> bool:
    try:
        cache.set("api-health", "ok", 10)
        return bool(cache.get("api-health") == "ok")
    except Exception:  # each kind of cache fails in its own way
        return False


def tokens(user: str = "") -> QuerySet[AuthToken]:
    """All tokens, or those of a user; each knows only its first characters."""
    found = AuthToken.objects.select_related("user").order_by("user__username", "created")
    return found.filter(user__username=user) if user else found
