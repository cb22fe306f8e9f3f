"""Who meets whom: the stored probability is the one that was drawn with."""

from collections import Counter
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from arena.battles import matchmaking
from arena.battles.exceptions import NobodyToMeet
from arena.battles.matchmaking import Entrant, Rules, chances_of, drawn, pair_for
from arena.battles.models import Boost, PairExclusion
from arena.battles.services import weights_push
from arena.catalog.circuits import revision_failed
from arena.catalog.models import Kind, Revision
from tests import factories

NAMES = ("Wren", "Kite", "Linnet", "Ostrel")


def entrants(count: int, families: tuple[str, ...] = ()) -> tuple[Entrant, ...]:
    return tuple(
        Entrant(n, n + 100, families[n] if families else f"family-{n}") for n in range(count)
    )


def probabilities(people: tuple[Entrant, ...], rules: Rules) -> dict[tuple[int, int], float]:
    chances = chances_of(people, rules)
    assert chances is not None
    steps = zip([0.0, *chances.sums], chances.sums, strict=False)
    pairs = zip(chances.first, chances.second, strict=True)
    return dict(zip(pairs, (after - before for before, after in steps), strict=True))


@pytest.fixture
def served(db: None) -> list[Revision]:
    return [
        factories.revision(name, Kind.OPENAI, endpoint="http://localhost/v1", remote_model=name)
        for name in NAMES
    ]


def drawn_pairs(times: int = 400) -> Counter[frozenset[str]]:
    pairs = (pair_for(None) for _ in range(times))
    return Counter(frozenset({pair.a.name, pair.b.name}) for pair in pairs)


def test_it_works(served: list[Revision]) -> None:
    pair = pair_for(None)

    assert pair.a != pair.b
    assert pair.probability == pytest.approx(1 / 6)


def test_without_weights_every_pair_and_every_side_is_as_likely(served: list[Revision]) -> None:
    pairs = [pair_for(None) for _ in range(600)]
    left = Counter(pair.a.name for pair in pairs)

    assert len({frozenset({pair.a.pk, pair.b.pk}) for pair in pairs}) == 6
    # 600 draws, an expected 150 each; five standard deviations.
    assert all(abs(left[name] - 150) < 54 for name in NAMES)


@pytest.mark.django_db
def test_nobody_meets_where_there_is_one() -> None:
    factories.revision("Wren", Kind.OPENAI, endpoint="http://localhost/v1")

    with pytest.raises(NobodyToMeet):
        pair_for(None)


def test_pushed_weights_decide_and_are_stored_with_the_pair(served: list[Revision]) -> None:
    wren, kite = served[:2]
    weights_push(gains={(kite.pk, wren.pk): 8.0}, unseen=1.0, votes=10)

    likely = {"Wren", "Kite"}
    pairs = [pair_for(None) for _ in range(300)]
    of_the_two = [pair for pair in pairs if {pair.a.name, pair.b.name} == likely]
    expected = 0.9 * 8 / 13 + 0.1 / 6
    assert [pair.probability for pair in of_the_two] == pytest.approx([expected] * len(of_the_two))
    assert abs(len(of_the_two) - 300 * expected) < 45


@override_settings(SAMPLING="uniform")
def test_uniform_sampling_leaves_weights_aside(served: list[Revision]) -> None:
    weights_push(gains={(served[0].pk, served[1].pk): 1000.0}, unseen=1.0, votes=10)

    assert pair_for(None).probability == pytest.approx(1 / 6)


def test_a_boost_draws_a_contestant_more_often_until_it_ends(served: list[Revision]) -> None:
    boost = Boost.objects.create(contestant=served[0].contestant, factor=3.0, reason="new")
    boosted = drawn_pairs()
    Boost.objects.filter(pk=boost.pk).update(ends_at=timezone.now() - timedelta(seconds=1))
    matchmaking.drawing_forget()

    with_wren = sum(count for pair, count in boosted.items() if "Wren" in pair)
    expected = 400 * (0.9 * 9 / 12 + 0.1 / 2)
    assert abs(with_wren - expected) < 50
    assert pair_for(None).probability == pytest.approx(1 / 6)


def test_contestants_kept_apart_do_not_meet(served: list[Revision]) -> None:
    PairExclusion.objects.create(
        first=served[1].contestant, second=served[0].contestant, reason="the same weights"
    )

    pairs = drawn_pairs(200)
    assert frozenset({"Wren", "Kite"}) not in pairs
    assert len(pairs) == 5


def test_a_paused_revision_is_not_drawn(
    served: list[Revision], settings: pytest.FixtureRequest
) -> None:
    for _ in range(3):
        revision_failed(revision_id=served[0].pk, kind="Unreachable", detail="refused")

    assert all("Wren" not in pair for pair in drawn_pairs(60))


@override_settings(AA_SHARE=0.25)
def test_some_served_contestants_meet_themselves(served: list[Revision]) -> None:
    pairs = [pair_for(None) for _ in range(300)]
    alone = [pair for pair in pairs if pair.a == pair.b]

    assert {round(pair.probability, 9) for pair in alone} == {0.25 / 4}
    assert {round(pair.probability, 9) for pair in pairs if pair.a != pair.b} == {0.75 / 6}
    assert abs(len(alone) - 75) < 40


@override_settings(AA_SHARE=1.0)
@pytest.mark.django_db
def test_recorded_answers_never_meet_themselves() -> None:
    prompt = factories.prompt()
    factories.on_record(prompt, Wren="One.", Kite="Two.")

    pair = pair_for(prompt)
    assert pair.a != pair.b
    assert pair.probability == 1.0


@pytest.mark.django_db
def test_families_are_kept_apart_where_the_operator_says_so() -> None:
    people = entrants(3, ("vireo", "vireo", "wren"))

    assert set(probabilities(people, Rules())) == {(0, 1), (0, 2), (1, 2)}
    assert set(probabilities(people, Rules(families_apart=True))) == {(0, 2), (1, 2)}


@given(
    count=st.integers(2, 12),
    boosts=st.lists(st.tuples(st.integers(100, 111), st.floats(0.01, 100)), max_size=5),
    floor=st.floats(0, 1),
)
def test_probabilities_are_a_distribution_above_the_floor(
    count: int, boosts: list[tuple[int, float]], floor: float
) -> None:
    rules = Rules(boosts=tuple(boosts), floor=floor)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(matchmaking, "gains", lambda weights: ({}, 1.0))
        matchmaking.drawing_forget()
        found = probabilities(entrants(count), rules)

    assert sum(found.values()) == pytest.approx(1.0)
    assert min(found.values()) >= floor / len(found) - 1e-12


def test_the_drawn_probability_is_that_of_the_pair(served: list[Revision]) -> None:
    rules = Rules(boosts=((102, 5.0),))
    people = entrants(5)
    expected = probabilities(people, rules)

    for _ in range(50):
        first, second, probability = drawn(people, rules, 0.0)
        assert probability == pytest.approx(expected[first, second])
