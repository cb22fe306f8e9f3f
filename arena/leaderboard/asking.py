"""Work that readers may ask for: one job for each question, kept with its answer.

A page says where its answers stand, asks `job_for` for one, and offers `job_wanted` where there is
none yet. Meanwhile it includes `leaderboard/_job.html`, which follows the job:

    @answers("ledger", gettext_lazy("What moved between two publications"))
    def address(params): return reverse("leaderboard:moved") + …

    job = job_for("ledger", params)                                 # on GET
    job = job_wanted(kind="ledger", params=params, address=…)       # on POST, then redirect
    {% include "leaderboard/_job.html" with asked=asked %}          # asked = progress_of(job)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from arena.core.exceptions import TooMany, Unknown
from arena.core.jobs import job_create
from arena.core.locks import lock_writes
from arena.core.models import Job, JobState
from arena.leaderboard.sentences import sentence_translated
from arena.voters.door import asking_admit
from arena.voters.networks import Address

UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
# How long somebody is asked to wait while too many questions are open.
RETRY_SECONDS = 60.0

Shown = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Kind:
    """A kind of job that readers may ask for: what it is called, and where its answer is shown."""

    title: Any
    address: Shown


_KINDS: dict[str, Kind] = {}


def answers(kind: str, title: Any) -> Callable[[Shown], Shown]:
    """Let readers ask for jobs of this kind; the function says where the answer to one is shown.

    title: what is being worked out, marked by gettext_lazy.
    """

    def register(address: Shown) -> Shown:
        _KINDS[kind] = Kind(title, address)
        return address

    return register


@dataclass(frozen=True)
class Progress:
    """How far a job is, for `leaderboard/_job.html`."""

    pk: int
    title: str
    state: str
    message: str
    share: float | None
    """Of the work done, 0 to 1; None where it is not known."""
    ahead: int
    """How many others come first."""
    error: str
    address: str
    """Where its answer is shown."""

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def is_done(self) -> bool:
        return self.state == JobState.DONE


def job_for(kind: str, params: Mapping[str, Any]) -> Job | None:
    """The newest job that answers, is to answer or could not answer this question."""
    asked = Job.objects.filter(kind=kind, actor=None, params=ordered(params))
    return asked.exclude(state=JobState.CANCELLED).first()


def job_wanted(*, kind: str, params: Mapping[str, Any], address: Address | None) -> Job:
    """The job that answers this question; a new one where none does.

    address: of the one who asks, as `networks.address_of` finds it. Raises TooMany where their
    network asked too often, or too many questions wait already.
    """
    if (found := answering(kind, params)) is not None:
        return found
    asking_admit(address=address)
    with transaction.atomic():
        # Otherwise two who ask at once would each begin one.
        lock_writes(Job)
        if (found := answering(kind, params)) is not None:
            return found
        if open_questions().count() >= settings.ASKED_WAITING:
            raise TooMany(
                _("Other readers' questions are being worked out. Ask again in a minute."),
                retry_after=RETRY_SECONDS,
            )
        return job_create(kind=kind, params=ordered(params))


def answering(kind: str, params: Mapping[str, Any]) -> Job | None:
    """The job that has the answer or will have it; one that failed is worth another try."""
    found = job_for(kind, params)
    return None if found is None or found.state == JobState.FAILED else found


def ordered(params: Mapping[str, Any]) -> dict[str, Any]:
    """In one order: SQLite compares JSON as text."""
    return dict(sorted(params.items()))


def open_questions() -> Any:
    """What readers asked for and is not answered yet; operators' jobs have an actor."""
    return Job.objects.filter(kind__in=list(_KINDS), actor=None, state__in=UNFINISHED)


def asked_get(pk: int) -> Job:
    """A job that readers may see. Raises Unknown."""
    found = Job.objects.filter(pk=pk, kind__in=list(_KINDS), actor=None).first()
    if found is None:
        raise Unknown(_("Nobody asked for this, or the answer is no longer kept."))
    return found


def progress_of(job: Job) -> Progress:
    kind = _KINDS[job.kind]
    waiting = job.state == JobState.QUEUED
    return Progress(
        pk=job.pk,
        title=str(kind.title),
        state=job.state,
        message=sentence_translated(job.message),
        share=job.done,
        ahead=Job.objects.filter(state__in=UNFINISHED, pk__lt=job.pk).count() if waiting else 0,
        error=sentence_translated(job.error),
        address=kind.address(job.params),
    )
