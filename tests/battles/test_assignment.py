"""Who judges what next: votes spread over cells, pairs and voters, with known probabilities."""

from collections import Counter
from datetime import timedelta
from itertools import combinations

import numpy as np
import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.assignment import (
    Assignment,
    Known,
    assignment_for,
    cells_forget,
    cells_of,
    drawn,
    known_to,
)
from arena.battles.collections import collection_aim, collection_create, collection_open
from arena.battles.exceptions import (
    AllJudged,
    CollectionClosed,
    CollectionComplete,
    NobodyToMeet,
    PairsLeftOpen,
    PairsTaken,
)
from arena.battles.files import answers_keep
from arena.battles.matchmaking import revision_drawn
from arena.battles.models import Battle, Collection, Mode, State, Vote
from arena.battles.progress import judging_page, progress_of
from arena.catalog.models import Contestant, Status
from arena.voters.models import Voter
from tests import factories

pytestmark = pytest.mark.django_db
PROMPTS, MODELS = ("sky", "sea", "rain"), ("Wren", "Kite", "Linnet")


def collected(
    name: str = "Trial",
    prompts: tuple[str, ...] = PROMPTS,
    models: tuple[str, ...] = MODELS,
    votes_per_cell: int = 2,
) -> Collection:
    rows = "".join(f"Why the {p}?,{m},{m} on {p}\n" for p in prompts for m in models)
    digest = answers_keep(pieces=[f"prompt,model,answer\n{rows}".encode()])
    return collection_create(digest=digest, name=name, votes_per_cell=votes_per_cell)


@pytest.fixture
def collection() -> Collection:
    """Three prompts and three contestants: nine cells."""
    return collected()


def begin(
    voter: Voter, collection: Collection | None, state: State = State.VOTED, outcome: str = "tie"
) -> Assignment:
    """Give the voter the next cell, and have their battle come to `state`."""
    assigned = assignment_for(voter=voter, collection=collection)
    made = factories.battle(
        assigned.pairing.a,
        assigned.pairing.b,
        voter,
        state=state,
        mode=Mode.RECORDED,
        recorded_prompt=assigned.prompt,
        draw_probability=assigned.pairing.probability,
    )
    if state == State.VOTED:
        key = f"key-{made.pk}"
        turn = made.turns.get()
        Vote.objects.create(
            battle=made, voter=voter, turn=turn, outcome=outcome, idempotency_key=key
        )
    return assigned


def cell(assigned: Assignment) -> tuple[int, frozenset[int]]:
    return assigned.prompt.pk, frozenset({assigned.pairing.a.pk, assigned.pairing.b.pk})


def voters(count: int) -> list[Voter]:
    return [Voter.objects.create() for _ in range(count)]


# -- Drawing ---------------------------------------------------------------------------------


def test_it_works(collection: Collection, alice: Voter) -> None:
    assigned = assignment_for(voter=alice, collection=collection)

    assert assigned.prompt.collection == collection
    names = {assigned.pairing.a.name, assigned.pairing.b.name}
    assert len(names) == 2 and names <= set(MODELS)
    assert assigned.pairing.probability == pytest.approx(1 / 3)


@pytest.mark.parametrize("state", [State.VOTED, State.COMPLETE])
def test_nobody_gets_an_answer_twice(alice: Voter, state: State) -> None:
    """After a vote they know who wrote it."""
    collection = collected(models=("Wren", "Kite", "Linnet", "Ostrel"))
    given = [cell(begin(alice, collection, state)) for _ in range(6)]

    answers = [(prompt, revision) for prompt, pair in given for revision in pair]
    assert len(set(answers)) == len(answers) == 12
    with pytest.raises(AllJudged if state == State.VOTED else PairsLeftOpen):
        assignment_for(voter=alice, collection=collection)


@override_settings(SAMPLING_FLOOR=0.0)
def test_the_cells_with_the_fewest_votes_come_first(collection: Collection) -> None:
    first = Counter(cell(begin(voter, collection)) for voter in voters(9))
    assert set(first.values()) == {1} and len(first) == 9

    second = Counter(cell(begin(voter, collection)) for voter in voters(9))
    assert set(second.values()) == {1} and len(second) == 9


def test_every_cell_gets_its_votes_and_no_more(collection: Collection) -> None:
    """Whoever comes, with the floor's uniform draws as well, until all is judged."""
    begun = Counter(cell(begin(voter, collection)) for voter in voters(18))

    assert set(begun.values()) == {2}
    with pytest.raises(CollectionComplete):
        assignment_for(voter=Voter.objects.create(), collection=collection)


@override_settings(SAMPLING_FLOOR=0.0)
def test_pairs_are_alike_however_many_prompts_they_have(alice: Voter) -> None:
    """Wren and Kite share twenty prompts, Linnet and Ostrel one."""
    rows = [f"Why {n}?,{model},x {model}\n" for n in range(20) for model in ("Wren", "Kite")]
    rows += ["How?,Linnet,One.\n", "How?,Ostrel,Two.\n"]
    digest = answers_keep(pieces=[row.encode() for row in ("prompt,model,answer\n", *rows)])
    collection = collection_create(digest=digest, name="Uneven")

    drawn_now = [assignment_for(voter=alice, collection=collection) for _ in range(200)]
    assert {assigned.pairing.probability for assigned in drawn_now} == {0.5}
    # 200 draws, an expected 100; five standard deviations.
    assert abs(sum(a.prompt.text == "How?" for a in drawn_now) - 100) < 36


def test_sides_are_drawn_by_coin(collection: Collection, alice: Voter) -> None:
    pairings = [assignment_for(voter=alice, collection=collection).pairing for _ in range(200)]

    assert abs(sum(pair.a.pk < pair.b.pk for pair in pairings) - 100) < 36


def test_the_stored_probability_is_the_one_drawn_with(alice: Voter) -> None:
    collection = collected(prompts=("sky", "sea"), votes_per_cell=3)
    for voter in voters(3):
        begin(voter, collection)

    draws = Counter()
    said = {}
    for _ in range(1500):
        pairing = assignment_for(voter=alice, collection=collection).pairing
        pair = frozenset({pairing.a.pk, pairing.b.pk})
        draws[pair] += 1
        said.setdefault(pair, set()).add(pairing.probability)
    for pair, probabilities in said.items():
        (probability,) = probabilities
        deviation = (1500 * probability * (1 - probability)) ** 0.5
        assert abs(draws[pair] - 1500 * probability) < 5 * deviation + 1
    assert sum(next(iter(p)) for p in said.values()) == pytest.approx(1.0)


def known(counts: list[int], judged: list[bool], wanted: int) -> Known:
    """Cells of two prompts and four contestants, in that order."""
    cells = [(p, a, b) for p in (1, 2) for a, b in combinations((11, 12, 13, 14), 2)]
    table = np.array(cells[: len(counts)], np.int64)
    taken = np.array(counts, np.int64)
    return Known(
        prompt=table[:, 0],
        first=table[:, 1],
        second=table[:, 2],
        wanted=np.full(len(counts), wanted),
        votes=taken,
        taken=taken,
        judged=np.array(judged),
        open=np.zeros(len(counts), bool),
    )


@given(
    counts=st.lists(st.integers(0, 4), min_size=12, max_size=12),
    judged=st.lists(st.booleans(), min_size=12, max_size=12),
    floor=st.floats(0.0, 1.0),
)
def test_only_candidates_are_drawn_and_never_with_a_small_probability(
    counts: list[int], judged: list[bool], floor: float
) -> None:
    all_cells = known(counts, judged, wanted=4)
    if not all_cells.candidates.size:
        return
    index, probability = drawn(all_cells, floor)

    assert index in all_cells.candidates
    pairs = all_cells.pairs
    of_pair = int((pairs[all_cells.candidates] == pairs[index]).sum())
    at_least = floor * of_pair / all_cells.candidates.size
    assert at_least * (1 - 1e-12) <= probability <= 1.0
    if floor == 0.0:
        assert counts[index] == min(counts[candidate] for candidate in all_cells.candidates)


# -- Reservations ----------------------------------------------------------------------------


def test_a_battle_under_way_keeps_its_cell(alice: Voter, bob: Voter) -> None:
    collection = collected(prompts=("sky",), models=("Wren", "Kite"), votes_per_cell=1)
    begin(alice, collection, State.GENERATING)

    with pytest.raises(PairsTaken):
        assignment_for(voter=bob, collection=collection)
    Battle.objects.update(taken_at=timezone.now() - timedelta(minutes=11))
    assert assignment_for(voter=bob, collection=collection)


@pytest.mark.parametrize("state", [State.FAILED, State.INTERRUPTED, State.STOPPED])
def test_a_battle_that_came_to_nothing_keeps_none(alice: Voter, bob: Voter, state: State) -> None:
    collection = collected(prompts=("sky",), models=("Wren", "Kite"), votes_per_cell=1)
    begin(alice, collection, state)

    assert assignment_for(voter=bob, collection=collection)
    assert assignment_for(voter=alice, collection=collection)


def test_what_lies_open_before_a_voter_is_not_given_again(alice: Voter) -> None:
    collection = collected(prompts=("sky",), models=("Wren", "Kite"))
    begin(alice, collection, State.COMPLETE)
    Battle.objects.update(taken_at=timezone.now() - timedelta(days=1))

    with pytest.raises(PairsLeftOpen):
        assignment_for(voter=alice, collection=collection)


# -- Refusals --------------------------------------------------------------------------------


def test_a_closed_collection_says_so(collection: Collection, alice: Voter) -> None:
    collection_open(collection=collection, is_open=False, reason="enough", actor=None)
    collection.refresh_from_db()

    with pytest.raises(CollectionClosed):
        assignment_for(voter=alice, collection=collection)
    with pytest.raises(NobodyToMeet):
        assignment_for(voter=alice, collection=None)


def test_a_paused_contestant_is_not_judged(collection: Collection, alice: Voter) -> None:
    Contestant.objects.filter(name="Wren").update(status=Status.PAUSED)

    pairs = {cell(begin(alice, collection))[1] for _ in range(3)}
    assert len(pairs) == 1
    with pytest.raises(AllJudged):
        assignment_for(voter=alice, collection=collection)
    Contestant.objects.filter(name="Kite").update(status=Status.PAUSED)
    with pytest.raises(NobodyToMeet):
        assignment_for(voter=alice, collection=collection)


def test_without_a_collection_all_open_ones_are_judged(alice: Voter) -> None:
    for name, prompt in (("First", "sky"), ("Second", "sea")):
        collected(name, prompts=(prompt,), models=("Wren", "Kite"))

    assert {begin(alice, None).prompt.text for _ in range(2)} == {"Why the sky?", "Why the sea?"}
    with pytest.raises(AllJudged):
        assignment_for(voter=alice, collection=None)


def test_votes_on_old_battles_count_as_well(alice: Voter, bob: Voter) -> None:
    """Those are counted once in a while, and are seen by every draw."""
    collection = collected(prompts=("sky",), models=("Wren", "Kite"), votes_per_cell=2)
    begin(alice, collection)
    Battle.objects.update(created_at=timezone.now() - timedelta(days=3))
    cells_forget()
    begin(bob, collection)

    carol = Voter.objects.create()
    with pytest.raises(CollectionComplete):
        assignment_for(voter=carol, collection=collection)
    collection_aim(collection=collection, votes_per_cell=3, actor=None)
    collection.refresh_from_db()
    with pytest.raises(AllJudged):
        assignment_for(voter=alice, collection=collection)
    assert assignment_for(voter=carol, collection=collection)


def test_a_draw_asks_as_little_of_many_cells_as_of_few(alice: Voter) -> None:
    few = collected("Few", prompts=("sky",))
    many = collected("Many", prompts=tuple(f"p{n}" for n in range(40)))
    begin(Voter.objects.create(), few)
    asked = []
    for collection in (few, many):
        for revision in np.unique(cells_of(collection.pk).first):
            revision_drawn(int(revision))
        assignment_for(voter=alice, collection=collection)
        revision_drawn(int(cells_of(collection.pk).second.max()))
        with CaptureQueriesContext(connection) as queries:
            assignment_for(voter=alice, collection=collection)
        asked.append(len(queries))

    assert asked == [3, 3]


# -- Progress --------------------------------------------------------------------------------


def test_the_page_of_judges_counts(collection: Collection, alice: Voter, bob: Voter) -> None:
    for _ in range(2):
        begin(alice, collection)
    begin(bob, collection)
    left = begin(bob, collection, State.COMPLETE)

    page = judging_page(collection, alice)
    assert (page.votes_in, page.votes_wanted, page.refusal, page.left_open) == (3, 18, "", None)
    assert page.progress == "3 of 18 votes are in."
    assert page.judged == "You have judged 2 pairs."
    assert judging_page(collection, bob).left_open == Battle.objects.get(state=State.COMPLETE).pk
    assert judging_page(collection, None).judged == "You have not judged any pair yet."
    assert left.prompt.collection == collection


def test_operators_see_how_far_it_is_and_whom_it_rests_on(alice: Voter, bob: Voter) -> None:
    collection = collected(prompts=("sky", "sea"), votes_per_cell=2)
    for voter in (alice, bob):
        begin(voter, collection, outcome="tie")
    begin(alice, collection, outcome="both_bad")
    progress = progress_of(collection)

    assert (progress.votes, progress.wanted, progress.cells) == (3, 12, 6)
    assert [revision.name for revision in progress.contestants] == ["Kite", "Linnet", "Wren"]
    assert progress.pairs.keys() == {(0, 1), (0, 2), (1, 2)}
    for spreads in (progress.pairs.values(), (each.spread for each in progress.prompts)):
        assert sum(spread.cells * spread.mean for spread in spreads) == pytest.approx(3)
    assert [(voter.pk, voter.votes) for voter in progress.voters] == [(alice.pk, 2), (bob.pk, 1)]
    assert progress.effective_voters == pytest.approx(9 / 5)


def test_voters_agree_where_they_prefer_the_same_whatever_the_side(alice: Voter) -> None:
    collection = collected(prompts=("sky",), models=("Wren", "Kite"), votes_per_cell=5)
    for voter, winner in ((alice, "Wren"), (Voter.objects.create(), "Wren")):
        assigned = begin(voter, collection, State.COMPLETE)
        side = "model_a" if assigned.pairing.a.name == winner else "model_b"
        voted(voter, side)
    assert progress_of(collection).agreement.unanimous == 1

    carol = Voter.objects.create()
    begin(carol, collection, State.COMPLETE)
    voted(carol, "tie")
    agreement = progress_of(collection).agreement
    assert (agreement.cells, agreement.unanimous) == (1, 0)


def voted(voter: Voter, outcome: str) -> None:
    battle = Battle.objects.get(voter=voter, state=State.COMPLETE)
    Battle.objects.filter(pk=battle.pk).update(state=State.VOTED)
    Vote.objects.create(
        battle=battle,
        voter=voter,
        turn=battle.turns.get(),
        outcome=outcome,
        idempotency_key=f"key-{battle.pk}",
    )


def test_nothing_is_known_of_no_collection() -> None:
    assert known_to(None, []).candidates.size == 0
