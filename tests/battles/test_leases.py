"""Battles of a process that ended do not stay unfinished for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone

from arena.battles.models import Battle, State, Worker
from arena.battles.services import battles_interrupt_orphans, worker_end, worker_renew
from arena.voters.models import Voter
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def battle(alice: Voter) -> Battle:
    wren, kite = factories.revision("Wren"), factories.revision("Kite")
    return factories.battle(wren, kite, alice, state=State.GENERATING, owner="here")


def state_after(battle: Battle, *, worker: str = "other", writing: bool = False) -> str:
    battles_interrupt_orphans(worker=worker, writing=[battle.pk] if writing else [])
    battle.refresh_from_db()
    return battle.state


def test_a_battle_whose_process_is_alive_goes_on(battle: Battle) -> None:
    worker_renew(worker="here")

    assert state_after(battle) == State.GENERATING


def test_a_battle_whose_process_went_silent_is_interrupted(battle: Battle) -> None:
    worker_renew(worker="here")
    Worker.objects.update(seen_at=timezone.now() - timedelta(seconds=7))

    assert state_after(battle) == State.INTERRUPTED


def test_a_battle_whose_process_ended_is_interrupted(battle: Battle) -> None:
    worker_renew(worker="here")
    worker_end(worker="here")

    assert state_after(battle) == State.INTERRUPTED


def test_a_battle_that_its_own_process_no_longer_writes_is_interrupted(battle: Battle) -> None:
    worker_renew(worker="here")
    Battle.objects.update(taken_at=timezone.now() - timedelta(seconds=7))

    assert state_after(battle, worker="here", writing=True) == State.GENERATING
    assert state_after(battle, worker="here") == State.INTERRUPTED


def test_finished_battles_are_left_alone(battle: Battle) -> None:
    Battle.objects.update(state=State.COMPLETE)

    assert state_after(battle) == State.COMPLETE
