"""A voter's ranking and their agreement with the board, as they come from stored votes."""

from pathlib import Path

import pytest
from scipy.stats import binomtest

from arena.battles.models import Battle, Mode, Vote
from arena.battles.services import vote_cast
from arena.catalog.models import Revision
from arena.integrity.imports import votes_import
from arena.integrity.models import Exclusion
from arena.integrity.services import exclusion_lift, votes_exclude
from arena.leaderboard.judgements import Uncounted, judgements_of
from arena.leaderboard.personal import (
    BoardPlace,
    agreement,
    exact_interval,
    own_ranking,
    places_on,
)
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from tests import factories
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db


def judge(voter: Voter, a: Revision, b: Revision, outcome: str, **fields: object) -> Battle:
    """One vote of theirs."""
    battle = factories.battle(a, b, voter, **fields)
    vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=voter,
        outcome=outcome,
        key=f"key-{battle.pk}",
    )
    return battle


def named(mode: Mode) -> dict[str, object]:
    return {"mode": mode, "draw_probability": None if mode == Mode.NAMED else 0.5}


def test_it_works(alice: Voter) -> None:
    wren, kite = factories.revision("wren"), factories.revision("kite")
    for _ in range(10):
        judge(alice, wren, kite, "model_a")
    judge(alice, kite, wren, "model_b")
    ranking = own_ranking(judgements_of(alice))

    assert ranking is not None
    assert ranking.votes == 11
    assert ranking.settled == (("wren", "kite"),)


def test_only_blind_votes_between_two_that_stand_make_the_ranking(alice: Voter) -> None:
    wren, kite = factories.revision("wren"), factories.revision("kite")
    judge(alice, wren, kite, "model_a", **named(Mode.RECORDED))
    judge(alice, wren, kite, "model_a", **named(Mode.NAMED))
    judge(alice, wren, wren, "tie")
    out = judge(alice, wren, kite, "model_a")
    votes_exclude(votes=[f"n:{out.vote.pk}"], rule="rigging", reason="A test.")

    found = judgements_of(alice)
    reasons = [judgement.uncounted for judgement in found]
    assert reasons == [None, Uncounted.NAMED, Uncounted.SAME_REVISION, Uncounted.EXCLUDED]
    ranking = own_ranking(found)
    assert ranking is not None
    assert ranking.votes == 1

    exclusion_lift(pk=Exclusion.objects.get().pk, reason="A mistake.")
    assert judgements_of(alice)[-1].uncounted is None


def test_without_a_counted_vote_there_is_no_ranking(alice: Voter) -> None:
    wren = factories.revision("wren")
    judge(alice, wren, wren, "tie")

    assert own_ranking(judgements_of(alice)) is None
    assert own_ranking([]) is None


def test_another_voters_votes_are_not_among_them(alice: Voter, bob: Voter) -> None:
    wren, kite = factories.revision("wren"), factories.revision("kite")
    judge(bob, wren, kite, "model_a")

    assert judgements_of(alice) == []
    assert len(judgements_of(bob)) == Vote.objects.count() == 1


def test_agreement_counts_decided_votes_between_those_the_board_parts(alice: Voter) -> None:
    wren, kite, lark = (factories.revision(name) for name in ("wren", "kite", "lark"))
    for a, b, outcome in (
        (wren, kite, "model_a"),  # with
        (kite, wren, "model_b"),  # with
        (wren, kite, "model_b"),  # against
        (wren, kite, "tie"),
        (wren, kite, "both_bad"),
        (wren, lark, "model_a"),  # the board has no lark
    ):
        judge(alice, a, b, outcome)
    judge(alice, wren, kite, "model_a", **named(Mode.NAMED))
    places = {"wren": BoardPlace(1, 1100.0, 5.0), "kite": BoardPlace(2, 900.0, 5.0)}
    found = agreement(judgements_of(alice), places)

    assert (found.votes, found.agreeing) == (3, 2)
    assert not found.is_enough
    assert found.expected == pytest.approx(1 / (1 + 10 ** (-200 / 400)))
    assert (found.lower, found.upper) == pytest.approx(exact_interval(2, 3))


@pytest.mark.parametrize(("successes", "trials"), [(0, 12), (5, 12), (12, 12), (41, 64)])
def test_the_interval_is_the_exact_one(successes: int, trials: int) -> None:
    known = binomtest(successes, trials).proportion_ci(method="exact")

    assert exact_interval(successes, trials) == pytest.approx((known.low, known.high))


def test_places_are_the_raw_boards_of_the_publication(tmp_path: Path) -> None:
    assert places_on(None) == {}
    votes_import(path=cycle(tmp_path))
    snapshot = publish()
    assert snapshot is not None
    standings = snapshot.content["boards"]["raw"]["standings"]

    places = places_on(snapshot)
    assert {name: place.rank for name, place in places.items()} == {
        row["contestant"]: row["rank"] for row in standings
    }
