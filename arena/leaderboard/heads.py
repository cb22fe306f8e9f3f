"""Handing a statement on each publication to where the arena cannot rewrite it."""

import fcntl
import logging
import os
from pathlib import Path

import httpx
from django.conf import settings
from django.utils import timezone

from arena.core.exceptions import Conflict
from arena.leaderboard.models import HeadPost, Snapshot
from ranking import RankingError
from ranking.heads import head_line

log = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(10, connect=5)


class HeadNotHandedOn(Conflict):
    """A statement could not be written or posted; it stays pending and is tried again."""


FAILURES = (OSError, httpx.HTTPError, httpx.InvalidURL, RankingError, HeadNotHandedOn)


def heads_hand_on() -> None:
    """Hand on what is pending; a failure is logged, and tried again by the next call."""
    try:
        heads_post()
    except HeadNotHandedOn as error:
        log.warning("%s It will be tried again.", error)


def heads_post() -> int:
    """Append pending statements to HEAD_FILE and send them to HEAD_WEBHOOK, in order.

    Returns how many lines went out. Raises HeadNotHandedOn after trying both.
    """
    done, failures = 0, []
    for hand_on in (file_pending, post_pending):
        try:
            done += hand_on()
        except FAILURES as error:
            failures.append(str(error))
    if failures:
        raise HeadNotHandedOn(" ".join(failures))
    return done


def line_of(snapshot: Snapshot) -> str:
    """The statement on a publication, signed where HEAD_KEY_FILE names a key."""
    statement = {
        "number": snapshot.number,
        "snapshot": snapshot.digest,
        "previous": snapshot.previous,
        "head": snapshot.head,
        "published_at": snapshot.published_at.isoformat(),
    }
    key = Path(settings.HEAD_KEY_FILE).read_bytes() if settings.HEAD_KEY_FILE else None
    return head_line(statement, key)


def file_pending() -> int:
    if not settings.HEAD_FILE:
        return 0
    pending = list(HeadPost.objects.filter(filed_at=None).select_related("snapshot"))
    for post in pending:
        line_append(Path(settings.HEAD_FILE), line_of(post.snapshot))
        HeadPost.objects.filter(pk=post.pk).update(filed_at=timezone.now())
    return len(pending)


def line_append(path: Path, line: str) -> None:
    """Append a line durably, unless the file has it.

    A line that a power cut left unfinished is completed: the same publication gives the same
    line, signature included.
    """
    wanted = f"{line}\n".encode()
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        lines = file.read().splitlines(keepends=True)
        if wanted in lines:
            return
        begun = lines[-1] if lines and not lines[-1].endswith(b"\n") else b""
        if not wanted.startswith(begun):
            raise HeadNotHandedOn(
                f"{path} ends in the middle of a line that this arena did not write. "
                "Look at it, end the line and run `manage.py post_head`."
            )
        file.write(wanted.removeprefix(begun))
        file.flush()
        os.fsync(file.fileno())


def post_pending() -> int:
    if not settings.HEAD_WEBHOOK:
        return 0
    pending = list(HeadPost.objects.filter(posted_at=None).select_related("snapshot"))
    for post in pending:
        webhook_post(line_of(post.snapshot), post.snapshot.digest)
        HeadPost.objects.filter(pk=post.pk).update(posted_at=timezone.now())
    return len(pending)


def webhook_post(line: str, digest: str) -> None:
    """Any 2xx takes it; it may come twice, which the key tells the receiver."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": digest}
    response = httpx.post(
        settings.HEAD_WEBHOOK, content=line.encode(), headers=headers, timeout=TIMEOUT
    )
    if not response.is_success:
        raise HeadNotHandedOn(f"{settings.HEAD_WEBHOOK} answered {response.status_code}.")
