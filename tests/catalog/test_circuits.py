"""The circuit breaker: who keeps failing is not drawn for a while, and answers forget all."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from arena.catalog.circuits import (
    State,
    circuit_close,
    not_paused,
    pause_seconds,
    paused_revisions,
    revision_failed,
    revisions_answered,
    with_state,
)
from arena.catalog.models import Circuit, Kind, Revision
from arena.core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_strikes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BREAKER_FAILURES", 3)
    monkeypatch.setattr(settings, "BREAKER_SECONDS", 60)


@pytest.fixture
def wren(db: None) -> Revision:
    return served("Wren")


def served(name: str) -> Revision:
    return factories.revision(
        name, Kind.OPENAI, endpoint="http://localhost/v1", remote_model="linnet-3"
    )


def fail(revision: Revision, times: int = 1) -> None:
    for number in range(times):
        revision_failed(revision_id=revision.pk, kind="TimedOut", detail=f"after {number} s")


def answer(*revisions: Revision) -> None:
    revisions_answered(revision_ids=[revision.pk for revision in revisions])


def circuit(revision: Revision) -> Circuit:
    return Circuit.objects.get(revision=revision)


def is_drawn(revision: Revision) -> bool:
    drawn = not_paused(Revision.objects.all()).filter(pk=revision.pk).exists()
    assert drawn != paused_revisions().filter(pk=revision.pk).exists()
    return drawn


def let_pass(revision: Revision) -> None:
    """The pause of the revision is over."""
    Circuit.objects.filter(revision=revision).update(paused_until=Now() - timedelta(seconds=1))


def pauses() -> int:
    return AuditEntry.objects.filter(action="revision.pause").count()


def resumptions() -> int:
    return AuditEntry.objects.filter(action="revision.resume").count()


# -- Opening ---------------------------------------------------------------------------------


def test_it_works(wren: Revision) -> None:
    fail(wren, 2)
    assert is_drawn(wren)
    fail(wren)

    assert not is_drawn(wren)
    kept = circuit(wren)
    assert (kept.failures, kept.trips, kept.last_error) == (3, 1, "TimedOut")
    assert kept.last_detail == "after 0 s"
    assert kept.failed_at is not None


def test_a_pause_is_told_once(wren: Revision, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        logging.getLogger("arena.catalog.circuits"),
        "warning",
        lambda message, *values: told.append(message % values),
    )
    fail(wren, 5)

    (entry,) = AuditEntry.objects.filter(action="revision.pause")
    assert entry.subject == "Wren"
    assert entry.detail == {"failures": 3, "seconds": 60.0, "error": "TimedOut"}
    assert entry.actor is None
    (line,) = told
    assert line == (
        "Wren is not drawn for 60 s after 3 failures in a row; the last one was TimedOut: after 2 s"
    )


def test_the_pause_is_as_long_as_set(wren: Revision) -> None:
    fail(wren, 3)

    left = Circuit.objects.annotate(now=Now()).get(revision=wren)
    assert left.paused_until is not None
    assert 55 < (left.paused_until - left.now).total_seconds() <= 60  # type: ignore[attr-defined]


def test_who_has_no_row_yet_is_counted(wren: Revision) -> None:
    Circuit.objects.all().delete()
    assert is_drawn(wren)
    fail(wren, 3)

    assert not is_drawn(wren)


def test_others_are_drawn_as_before(wren: Revision) -> None:
    kite = served("Kite")
    fail(wren, 3)
    fail(kite, 2)

    assert (is_drawn(wren), is_drawn(kite)) == (False, True)
    assert list(paused_revisions()) == [wren]


def test_what_fails_during_a_pause_does_not_lengthen_it(wren: Revision) -> None:
    fail(wren, 3)
    until = circuit(wren).paused_until
    fail(wren, 4)

    assert circuit(wren).paused_until == until
    assert (circuit(wren).failures, circuit(wren).trips) == (7, 1)
    assert pauses() == 1


def test_details_that_no_database_keeps_are_kept(wren: Revision) -> None:
    revision_failed(revision_id=wren.pk, kind="R" * 99, detail="a\x00b\ud800" + "c" * 9999)

    assert circuit(wren).last_error == "R" * 40
    assert circuit(wren).last_detail.startswith("a\ufffdb\ufffdc")


def test_no_number_of_failures_pauses_where_the_breaker_is_off(
    wren: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "BREAKER_FAILURES", 0)
    fail(wren, 9)

    assert is_drawn(wren)
    assert circuit(wren).failures == 9


# -- Trying again ----------------------------------------------------------------------------


def test_after_a_pause_it_is_drawn_and_one_failure_pauses_it_for_longer(wren: Revision) -> None:
    fail(wren, 3)
    for trips, seconds in ((2, 120), (3, 240)):
        let_pass(wren)
        assert is_drawn(wren)
        fail(wren)
        assert not is_drawn(wren)
        assert circuit(wren).trips == trips
        entry = AuditEntry.objects.filter(action="revision.pause").latest("id")
        assert entry.detail["seconds"] == seconds


@pytest.mark.parametrize(
    ("first", "trips", "seconds"),
    [(60, 0, 60), (60, 5, 1920), (60, 6, 3600), (60, 4000, 3600), (0.5, 1, 1.0), (7200, 3, 7200)],
)
def test_pauses_double_up_to_an_hour(
    monkeypatch: pytest.MonkeyPatch, first: float, trips: int, seconds: float
) -> None:
    monkeypatch.setattr(settings, "BREAKER_SECONDS", first)

    assert pause_seconds(trips) == seconds


# -- Closing ---------------------------------------------------------------------------------


def test_one_answer_forgets_all(wren: Revision) -> None:
    fail(wren, 3)
    let_pass(wren)
    answer(wren)

    assert is_drawn(wren)
    kept = circuit(wren)
    assert (kept.failures, kept.trips, kept.paused_until) == (0, 0, None)
    assert kept.last_error == "TimedOut"
    assert resumptions() == 1
    fail(wren, 2)
    assert is_drawn(wren)


def test_an_answer_between_failures_breaks_the_row(wren: Revision) -> None:
    for _ in range(4):
        fail(wren, 2)
        answer(wren)

    assert is_drawn(wren)
    assert pauses() == resumptions() == 0


def test_an_answer_that_began_before_the_pause_ends_it(wren: Revision) -> None:
    fail(wren, 3)
    answer(wren)

    assert is_drawn(wren)


def test_where_nothing_failed_an_answer_takes_one_query_for_each(
    wren: Revision, django_assert_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    kite = served("Kite")
    with django_assert_num_queries(2) as asked:
        answer(wren, kite)
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)
    with django_assert_num_queries(0):
        answer()


def test_a_failure_takes_few_queries(wren: Revision) -> None:
    def queries(times: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            fail(wren, times)
        return sum("SAVEPOINT" not in query["sql"] for query in asked.captured_queries)

    assert queries(1) == 3
    assert queries(1) == 3
    assert queries(1) == 5


def test_an_operator_lets_it_be_drawn_again(wren: Revision) -> None:
    operator = User.objects.create_user("operator")
    fail(wren, 3)

    assert circuit_close(revision=wren, actor=operator, reason="The server was restarted.")
    assert is_drawn(wren)
    entry = AuditEntry.objects.get(action="revision.resume")
    assert (entry.subject, entry.actor) == ("Wren", operator)
    assert entry.detail["reason"] == "The server was restarted."


def test_where_nothing_failed_an_operator_changes_nothing(wren: Revision) -> None:
    assert not circuit_close(revision=wren, actor=None, reason="To be sure.")
    assert resumptions() == 0


# -- What operators are told -----------------------------------------------------------------


def state(revision: Revision) -> str:
    return with_state(Circuit.objects.filter(revision=revision)).get().state  # type: ignore[attr-defined, no-any-return]


def test_the_state_of_an_endpoint_through_its_life(wren: Revision) -> None:
    assert state(wren) == State.UNKNOWN
    fail(wren)
    assert state(wren) == State.FAILING
    fail(wren, 2)
    assert state(wren) == State.PAUSED
    let_pass(wren)
    assert state(wren) == State.TRYING
    answer(wren)
    assert state(wren) == State.ANSWERING
    Circuit.objects.update(reachable=False)
    assert state(wren) == State.FAILING


# -- Many processes at once ------------------------------------------------------------------


def at_once(*works: Callable[[], None]) -> None:
    """Each work in a thread of its own, all let loose together."""
    raised: list[BaseException] = []
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        try:
            ready.wait()
            work()
        except BaseException as error:
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []


@pytest.mark.django_db(transaction=True)
def test_racing_failures_are_all_counted_and_pause_once(wren: Revision) -> None:
    Circuit.objects.all().delete()
    at_once(*[lambda: fail(wren, 5)] * 8)

    kept = circuit(wren)
    assert (kept.failures, kept.trips) == (40, 1)
    assert pauses() == 1


@pytest.mark.django_db(transaction=True)
def test_racing_failures_after_a_pause_pause_once_more(wren: Revision) -> None:
    fail(wren, 3)
    let_pass(wren)
    at_once(*[lambda: fail(wren)] * 8)

    assert circuit(wren).trips == 2
    assert pauses() == 2


@pytest.mark.django_db(transaction=True)
def test_racing_answers_resume_once(wren: Revision) -> None:
    kite = served("Kite")
    fail(wren, 3)
    fail(kite, 3)
    at_once(*[lambda: answer(wren, kite), lambda: answer(kite, wren)] * 4)

    assert is_drawn(wren)
    assert is_drawn(kite)
    assert resumptions() == 2


@pytest.mark.django_db(transaction=True)
def test_answers_and_failures_at_once_leave_a_state_that_makes_sense(wren: Revision) -> None:
    def answers() -> None:
        for _ in range(9):
            answer(wren)

    at_once(*[lambda: fail(wren, 9), answers] * 4)

    kept = circuit(wren)
    assert (kept.trips > 0) == (kept.paused_until is not None)
    assert pauses() >= resumptions()
    assert pauses() - resumptions() == (1 if kept.trips else 0)
