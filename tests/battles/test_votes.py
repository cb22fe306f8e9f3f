"""Casting a vote: once per battle, by its voter, when both answers are finished."""

import threading
import uuid

import pytest
from django.db import connections

from arena.battles import exceptions
from arena.battles.models import Battle, State, Vote
from arena.battles.services import vote_cast
from arena.core.exceptions import ArenaError
from arena.voters.models import Voter
from tests import factories

KEY = "0f1e2d3c-aaaa"


@pytest.fixture
def battle(alice: Voter) -> Battle:
    return factories.battle(factories.revision("Wren"), factories.revision("Kite"), alice)


def cast(battle: Battle, voter: Voter, outcome: str = "model_a", key: str = KEY) -> Vote:
    """As a window that shows the battle as `battle` was read."""
    return vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=voter, outcome=outcome, key=key
    )


def test_it_works(battle: Battle, alice: Voter) -> None:
    vote = cast(battle, alice)

    battle.refresh_from_db()
    assert (vote.outcome, vote.voter, battle.state) == ("model_a", alice, State.VOTED)


def test_the_same_vote_sent_again_is_the_first_one(battle: Battle, alice: Voter) -> None:
    assert cast(battle, alice) == cast(battle, alice)
    assert Vote.objects.count() == 1


def test_a_vote_is_never_changed(battle: Battle, alice: Voter) -> None:
    cast(battle, alice)

    with pytest.raises(exceptions.AlreadyVoted):
        cast(battle, alice, outcome="tie")
    with pytest.raises(exceptions.AlreadyVoted):
        cast(battle, alice, key="another-key-1")
    assert [vote.outcome for vote in Vote.objects.all()] == ["model_a"]


def test_nobody_else_may_vote(battle: Battle, bob: Voter) -> None:
    with pytest.raises(exceptions.NotYourBattle):
        cast(battle, bob)
    assert not Vote.objects.exists()


def test_a_window_left_open_judges_no_turn_that_it_never_showed(
    battle: Battle, alice: Voter
) -> None:
    Battle.objects.update(attempt=2)

    with pytest.raises(exceptions.GoneOn):
        cast(battle, alice)
    battle.refresh_from_db()
    assert battle.state == State.COMPLETE
    assert cast(battle, alice).outcome == "model_a"


def test_a_key_serves_one_battle(battle: Battle, alice: Voter) -> None:
    other = factories.battle(battle.revision_a, battle.revision_b, alice)
    cast(battle, alice)

    with pytest.raises(exceptions.KeyUsed):
        cast(other, alice)
    other.refresh_from_db()
    assert other.state == State.COMPLETE


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (State.GENERATING, exceptions.NotFinished),
        (State.FAILED, exceptions.NothingToVoteOn),
        (State.INTERRUPTED, exceptions.NothingToVoteOn),
    ],
)
def test_unfinished_battles_take_no_vote(
    battle: Battle, alice: Voter, state: State, error: type[ArenaError]
) -> None:
    Battle.objects.update(state=state)

    with pytest.raises(error):
        cast(battle, alice)
    assert not Vote.objects.exists()


def test_unknown_battles_outcomes_and_keys_are_refused(battle: Battle, alice: Voter) -> None:
    with pytest.raises(exceptions.NoSuchBattle):
        vote_cast(battle_id=uuid.uuid4(), attempt=1, voter=alice, outcome="tie", key=KEY)
    with pytest.raises(exceptions.BadOutcome):
        cast(battle, alice, outcome="model_c")
    with pytest.raises(exceptions.BadKey):
        cast(battle, alice, key="short")
    assert not Vote.objects.exists()


def test_votes_cannot_be_edited_or_deleted(battle: Battle, alice: Voter) -> None:
    vote = cast(battle, alice)

    with pytest.raises(TypeError):
        vote.delete()
    with pytest.raises(TypeError):
        vote.save()


@pytest.mark.django_db(transaction=True)
def test_racing_clicks_make_one_vote_each(alice: Voter) -> None:
    """Eight threads press different buttons in the same battles at once."""
    wren, kite = factories.revision("Wren"), factories.revision("Kite")
    battles = [factories.battle(wren, kite, alice) for _ in range(12)]
    outcomes = ["model_a", "model_b", "tie", "both_bad"] * 2
    unexpected: list[BaseException] = []

    def click(number: int) -> None:
        for battle in battles:
            try:
                cast(battle, alice, outcomes[number], key=f"key-{number}-{battle.pk.hex[:20]}")
            except exceptions.AlreadyVoted:
                continue
            except BaseException as error:
                unexpected.append(error)
        connections.close_all()

    threads = [threading.Thread(target=click, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert unexpected == []
    assert Vote.objects.count() == len(battles)
    assert not Battle.objects.exclude(state=State.VOTED).exists()
