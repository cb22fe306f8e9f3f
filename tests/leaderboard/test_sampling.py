"""A refit tells matchmaking what one more vote on each pair would tell."""

import pytest

from arena.battles.matchmaking import pair_for
from arena.battles.models import PairWeights, State
from arena.battles.services import vote_cast
from arena.catalog.models import Kind, Revision
from arena.leaderboard.services import publish, refit
from arena.voters.models import Voter
from ranking.sampling import UNSEEN_GAIN
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(alice: Voter) -> list[Revision]:
    """Three served contestants, and ten votes on the pair of the first two."""
    served = [
        factories.revision(name, Kind.OPENAI, endpoint="http://localhost/v1", remote_model=name)
        for name in ("Wren", "Kite", "Linnet")
    ]
    for number in range(10):
        battle = factories.battle(served[0], served[1], alice, state=State.COMPLETE)
        outcome = "model_a" if number % 2 else "model_b"
        vote_cast(
            battle_id=battle.pk,
            attempt=battle.attempt,
            voter=alice,
            outcome=outcome,
            key=f"key-{number:08}",
        )
    return served


def test_it_works(cast: list[Revision]) -> None:
    refit()

    weights = PairWeights.objects.get()
    ((first, second, gain),) = weights.gains
    assert {first, second} == {cast[0].pk, cast[1].pk}
    assert 0 < gain < weights.unseen == UNSEEN_GAIN
    assert weights.votes == 10


def test_what_was_seen_often_is_drawn_less(cast: list[Revision]) -> None:
    publish()
    gain = PairWeights.objects.get().gains[0][2]
    met = 0.1 / 3 + 0.9 * gain / (gain + 2 * UNSEEN_GAIN)

    for _ in range(60):
        pair = pair_for(None)
        apart = {pair.a.name, pair.b.name} != {"Wren", "Kite"}
        assert pair.probability == pytest.approx((1 - met) / 2 if apart else met)


def test_without_two_contestants_to_draw_nothing_is_pushed(cast: list[Revision]) -> None:
    for revision in cast[1:]:
        type(revision.contestant).objects.filter(pk=revision.contestant_id).update(status="paused")
    refit()

    assert not PairWeights.objects.exists()
