"""Running jobs: one at a time per process, taken in order, alive while their lease is renewed."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import close_old_connections, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from arena.core.exceptions import ArenaError, BadInput, Conflict, Unknown
from arena.core.models import Job, JobState
from arena.core.services import audit

log = logging.getLogger(__name__)

WORKER = secrets.token_hex(16)
RENEW_SECONDS = 2.0
LEASE = timedelta(seconds=15)
# A job that takes its process down with it is not tried for ever.
MOST_ATTEMPTS = 3
SHOWN_ERROR = 2000


class Cancelled(Exception):
    """Raised inside a job whose row says that it is no longer wanted."""


class Stopped(Exception):
    """Raised inside a job whose process is about to end; the next one takes the job up."""


@dataclass(frozen=True)
class Task:
    """What a job's function is given: its parameters, who asked, and a way to tell progress."""

    job: Job
    ending: threading.Event | None = None

    @property
    def params(self) -> Mapping[str, Any]:
        params: Mapping[str, Any] = self.job.params
        return params

    def tell(self, message: str, done: float | None = None) -> None:
        """Say what is being done, and the share done where it is known.

        Raises Cancelled or Stopped, which a job lets through.
        """
        if self.ending and self.ending.is_set():
            raise Stopped
        held = mine(self.job).update(message=message[:200], done=done, seen_at=Now())
        if not held:
            raise Cancelled


Function = Callable[[Task], Any]
_FUNCTIONS: dict[str, Function] = {}
_EXPECTED: list[type[Exception]] = [ArenaError]


def job(kind: str, *expected: type[Exception]) -> Callable[[Function], Function]:
    """Make a function what jobs of `kind` run; its result must be plain JSON.

    expected: errors whose text is for the person who asked, beside ArenaError.
    """

    def register(function: Function) -> Function:
        _FUNCTIONS[kind] = function
        _EXPECTED.extend(expected)
        return function

    return register


@transaction.atomic
def job_create(*, kind: str, params: Mapping[str, Any], actor: Any = None) -> Job:
    """Queue a job."""
    if kind not in _FUNCTIONS:
        raise BadInput(f"There are no jobs of kind '{kind[:40]}'.")
    created = Job.objects.create(kind=kind, params=dict(params), actor=actor)
    audit(action=f"job.{kind}", subject=f"job {created.pk}", actor=actor, **params)
    return created


def job_ask(*, kind: str, params: Mapping[str, Any], actor: Any) -> tuple[Job, bool]:
    """A job that does this; False where the actor's own, still unfinished one is it."""
    unfinished = Job.objects.filter(
        kind=kind, actor=actor, state__in=(JobState.QUEUED, JobState.RUNNING)
    )
    for found in unfinished:
        if found.params == dict(params):
            return found, False
    return job_create(kind=kind, params=params, actor=actor), True


def jobs_run(ending: threading.Event) -> None:
    """Run the jobs that wait, one after the other, until there are none or the process ends."""
    while not ending.is_set() and job_run_next(ending):
        pass


def job_get(pk: int) -> Job:
    try:
        return Job.objects.get(pk=pk)
    except (Job.DoesNotExist, OverflowError) as error:
        raise Unknown(f"There is no job {pk}.") from error


@transaction.atomic
def job_cancel(*, pk: int, actor: Any = None) -> Job:
    """Stop a job; a running one ends at its next sign of progress. Raises Unknown, Conflict."""
    found = job_get(pk)
    unfinished = Job.objects.filter(pk=pk, state__in=(JobState.QUEUED, JobState.RUNNING))
    if not unfinished.update(state=JobState.CANCELLED, ended_at=Now()):
        raise Conflict(f"Job {pk} is {found.state}; there is nothing left to cancel.")
    audit(action="job.cancel", subject=f"job {pk}", actor=actor)
    return job_get(pk)


def job_run_next(ending: threading.Event | None = None) -> Job | None:
    """Run the oldest job that waits, or whose process is gone; None where there is none.

    ending: once it is set, the job stops at its next sign of progress and waits again.
    """
    taken = claim()
    if taken is None:
        return None
    with lease(taken):
        finish(taken, **outcome(taken, ending))
    return job_get(taken.pk)


def claim() -> Job | None:
    """Take a job for this process: the conditional update decides between two that want it."""
    lost = Q(state=JobState.RUNNING, seen_at__lt=Now() - LEASE)
    for waiting in Job.objects.filter(Q(state=JobState.QUEUED) | lost).order_by("id"):
        if waiting.attempts >= MOST_ATTEMPTS:
            error = f"Its process ended {MOST_ATTEMPTS} times while it ran. It is not tried again."
            Job.objects.filter(pk=waiting.pk, attempts=waiting.attempts).update(
                state=JobState.FAILED, error=error, ended_at=Now()
            )
            continue
        same = Job.objects.filter(
            pk=waiting.pk, state=waiting.state, attempts=waiting.attempts, worker=waiting.worker
        )
        if same.update(
            state=JobState.RUNNING,
            attempts=F("attempts") + 1,
            worker=WORKER,
            seen_at=Now(),
            started_at=Now(),
        ):
            return job_get(waiting.pk)
    return None


def mine(taken: Job) -> Any:
    """The row, as long as this attempt is the one that runs it."""
    return Job.objects.filter(
        pk=taken.pk, state=JobState.RUNNING, worker=WORKER, attempts=taken.attempts
    )


def outcome(taken: Job, ending: threading.Event | None) -> dict[str, Any]:
    """What became of the job, as fields of its row."""
    try:
        result = _FUNCTIONS[taken.kind](Task(taken, ending))
    except Cancelled:
        return {"state": JobState.CANCELLED}
    except Stopped:
        # This attempt was none of the job's fault.
        return {"state": JobState.QUEUED, "attempts": taken.attempts - 1, "ended_at": None}
    except tuple(_EXPECTED) as error:
        return {"state": JobState.FAILED, "error": str(error)[:SHOWN_ERROR]}
    except Exception:
        log.exception("%s failed", taken)
        return {
            "state": JobState.FAILED,
            "error": "Something went wrong inside the arena; the server's log has the details.",
        }
    return {"state": JobState.DONE, "result": result, "done": 1.0}


def finish(taken: Job, **fields: Any) -> None:
    mine(taken).update(**{"ended_at": Now(), **fields})


@contextmanager
def lease(taken: Job) -> Iterator[None]:
    """Renew the lease beside the work: a long computation gives no sign of its own."""
    ended = threading.Event()

    def renew() -> None:
        try:
            while not ended.wait(RENEW_SECONDS):
                close_old_connections()
                mine(taken).update(seen_at=Now())
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name=f"lease of {taken}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
