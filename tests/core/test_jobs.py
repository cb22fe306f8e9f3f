"""Jobs outlast the request for them, and a process that ends does not lose one."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from arena.core import jobs
from arena.core.exceptions import BadInput, Conflict, Unknown
from arena.core.jobs import (
    Task,
    job_ask,
    job_cancel,
    job_create,
    job_get,
    job_run_next,
    jobs_run,
)
from arena.core.models import AuditEntry, Job, JobState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    """Three kinds of job that only these tests have."""
    before = dict(jobs._FUNCTIONS)

    @jobs.job("add")
    def add(task: Task) -> Any:
        task.tell("adding", 0.5)
        return {"sum": task.params["a"] + task.params["b"]}

    @jobs.job("refuse")
    def refuse(task: Task) -> Any:
        raise Conflict("The shelf is full. Clear it first.")

    @jobs.job("cancelled-by-its-owner")
    def cancelled(task: Task) -> Any:
        job_cancel(pk=task.job.pk)
        task.tell("this is never said")
        raise AssertionError("a cancelled job went on")

    yield
    jobs._FUNCTIONS.clear()
    jobs._FUNCTIONS.update(before)


def test_it_works() -> None:
    operator = User.objects.create_user("operator")
    job = job_create(kind="add", params={"a": 2, "b": 3}, actor=operator)
    assert (job.state, job.result) == (JobState.QUEUED, None)

    done = job_run_next()

    assert done is not None and done.pk == job.pk
    assert (done.state, done.done, done.result) == (JobState.DONE, 1.0, {"sum": 5})
    assert done.started_at and done.ended_at and done.started_at <= done.ended_at
    assert job_run_next() is None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("job.add", operator)


def test_jobs_run_in_the_order_they_were_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    first = job_create(kind="add", params={"a": 1, "b": 1})
    second = job_create(kind="refuse", params={})

    call_command("run_jobs")

    assert capsys.readouterr().out.splitlines() == [
        f"add {first.pk}: done",
        f"refuse {second.pk}: failed (The shelf is full. Clear it first.)",
    ]


def test_what_a_job_refuses_is_told_and_what_breaks_is_not() -> None:
    job_create(kind="refuse", params={})
    job_create(kind="add", params={"a": "one"})

    refused, broken = job_run_next(), job_run_next()

    assert refused and refused.error == "The shelf is full. Clear it first."
    assert broken and broken.state == JobState.FAILED
    assert "server's log" in broken.error and "KeyError" not in broken.error


def test_a_waiting_job_is_cancelled_and_never_runs() -> None:
    job = job_create(kind="add", params={"a": 1, "b": 1})

    assert job_cancel(pk=job.pk).state == JobState.CANCELLED
    assert job_run_next() is None
    with pytest.raises(Conflict, match="nothing left to cancel"):
        job_cancel(pk=job.pk)


def test_a_running_job_ends_at_its_next_sign_of_progress() -> None:
    job_create(kind="cancelled-by-its-owner", params={})

    ended = job_run_next()

    assert ended and (ended.state, ended.result) == (JobState.CANCELLED, None)


def test_a_job_whose_process_is_about_to_end_waits_for_the_next() -> None:
    job = job_create(kind="add", params={"a": 1, "b": 1})
    ending = threading.Event()
    ending.set()

    stopped = job_run_next(ending)
    assert stopped and (stopped.state, stopped.attempts) == (JobState.QUEUED, 0)
    jobs_run(ending)
    assert job_get(job.pk).state == JobState.QUEUED
    jobs_run(threading.Event())
    assert job_get(job.pk).result == {"sum": 2}


def test_asked_for_twice_it_is_one_job_until_it_has_ended() -> None:
    operator, other = User.objects.create_user("operator"), User.objects.create_user("other")
    ask = {"kind": "add", "params": {"a": 1, "b": 1}}
    job, is_new = job_ask(**ask, actor=operator)

    assert is_new
    assert job_ask(**ask, actor=operator) == (job, False)
    assert job_ask(**ask, actor=other)[1]
    assert job_ask(kind="add", params={"a": 1, "b": 2}, actor=operator)[1]
    jobs_run(threading.Event())
    assert job_ask(**ask, actor=operator)[1]


def left_behind(attempts: int) -> Job:
    """A job as a process that was killed a minute ago leaves it."""
    return Job.objects.create(
        kind="add",
        params={"a": 1, "b": 1},
        state=JobState.RUNNING,
        attempts=attempts,
        worker="0" * 32,
        seen_at=timezone.now() - timedelta(minutes=1),
    )


def test_a_job_whose_process_is_gone_is_run_again() -> None:
    left_behind(attempts=1)

    again = job_run_next()

    assert again and (again.state, again.attempts, again.result) == (JobState.DONE, 2, {"sum": 2})


def test_a_job_that_ends_its_process_every_time_is_given_up() -> None:
    job = left_behind(attempts=jobs.MOST_ATTEMPTS)

    assert job_run_next() is None
    assert job_get(job.pk).state == JobState.FAILED
    assert "not tried again" in job_get(job.pk).error


def test_a_job_that_another_process_runs_is_left_alone() -> None:
    job = left_behind(attempts=1)
    Job.objects.filter(pk=job.pk).update(seen_at=timezone.now())

    assert job_run_next() is None


def test_unknown_kinds_and_numbers_are_named() -> None:
    with pytest.raises(BadInput, match="no jobs of kind 'dance'"):
        job_create(kind="dance", params={})
    with pytest.raises(Unknown, match="no job 7"):
        job_get(7)
