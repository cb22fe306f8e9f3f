"""Figures of endpoints, out of the answers that they gave."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from arena.battles.health import Health, Seconds, healths
from arena.battles.models import Answer, Battle, Mode, State, Turn
from arena.catalog.models import Kind, Revision
from arena.voters.models import Voter
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> tuple[Revision, Revision]:
    first, second = (
        factories.revision(name, Kind.OPENAI, endpoint="http://localhost/v1")
        for name in ("Wren", "Kite")
    )
    return first, second


def answered(
    pair: tuple[Revision, Revision], voter: Voter, a: dict[str, Any], b: dict[str, Any], **of: Any
) -> Battle:
    """A battle with these two answers."""
    battle = factories.battle(*pair, voter, state=State.FAILED, **of)
    turn = Turn.objects.get(battle=battle)
    for side, fields in (("a", a), ("b", b)):
        Answer.objects.create(turn=turn, side=side, **fields)
    return battle


def timed(first: float, whole: float, **fields: Any) -> dict[str, Any]:
    return {"first_token_seconds": first, "duration_seconds": whole, **fields}


def test_it_works(pair: tuple[Revision, Revision], alice: Voter) -> None:
    answered(pair, alice, timed(0.2, 2.0), timed(1.0, 9.0, finish_reason="refusal"))
    answered(pair[::-1], alice, {"error_kind": "TimedOut"}, timed(0.4, 4.0))
    answered(pair, alice, timed(0.9, 3.0), {"error_kind": "Filtered"})
    found = healths()

    assert found[pair[0].pk] == Health(3, {}, 0, Seconds(0.4, 0.9), Seconds(3.0, 4.0))
    kite = found[pair[1].pk]
    assert (kite.answers, kite.errors) == (3, {"TimedOut": 1, "Filtered": 1})
    assert (kite.error_rate, kite.refusal_rate) == (2 / 3, 2 / 3)
    assert kite.first_token == Seconds(1.0, 1.0)


def test_who_only_failed_has_no_times(pair: tuple[Revision, Revision], alice: Voter) -> None:
    answered(pair, alice, {"error_kind": "Gone"}, {"text": "stopped", "finish_reason": "stopped"})
    wren, kite = (healths()[revision.pk] for revision in pair)

    assert (wren.errors, wren.first_token, wren.duration) == ({"Gone": 1}, None, None)
    assert (kite.answers, kite.errors, kite.duration) == (1, {}, None)


def test_the_median_and_what_95_of_100_do_not_exceed(
    pair: tuple[Revision, Revision], alice: Voter
) -> None:
    battle = factories.battle(*pair, alice, state=State.FAILED)
    turn = Turn.objects.get(battle=battle)
    Answer.objects.bulk_create(
        Answer(turn=turn, side="a", attempt=number, first_token_seconds=number)
        for number in range(1, 101)
    )

    assert healths()[pair[0].pk].first_token == Seconds(50.5, 95)


def test_old_battles_and_recorded_answers_tell_of_no_endpoint(
    pair: tuple[Revision, Revision], alice: Voter
) -> None:
    old = answered(pair, alice, timed(1, 1), timed(1, 1))
    Battle.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))
    answered(pair, alice, timed(1, 1), timed(1, 1), mode=Mode.RECORDED)

    assert healths() == {}
    assert set(healths(hours=26)) == {revision.pk for revision in pair}


def test_of_many_battles_the_latest_are_read_in_one_query(
    pair: tuple[Revision, Revision], alice: Voter, django_assert_num_queries: Any
) -> None:
    for number in range(4):
        battle = answered(pair, alice, timed(number, 9), timed(number, 9))
        Battle.objects.filter(pk=battle.pk).update(
            created_at=timezone.now() - timedelta(minutes=10 - number)
        )
    with django_assert_num_queries(1):
        found = healths(most=2)

    assert found[pair[0].pk].first_token == Seconds(2.5, 3)
