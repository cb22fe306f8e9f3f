"""Exposure: who was shown how often, who is drawn how often, and what A/A battles say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from arena.battles import exposure as exposed
from arena.battles.exposure import (
    Exposure,
    alone_votes,
    exposure,
    pairs_now,
    pools_now,
    sampling_rule_create,
    sampling_rule_end,
    wilson,
)
from arena.battles.models import Battle, Boost, Mode, PairExclusion, SamplingRule, State
from arena.battles.services import vote_cast, weights_push
from arena.catalog.models import Contestant, Kind, Organisation, Revision
from arena.core.exceptions import BadInput, Conflict
from arena.core.models import AuditEntry
from arena.integrity.imports import votes_import
from arena.leaderboard.services import publish, refit
from arena.voters.models import Voter
from tests import factories
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db


def served(name: str, maker: str = "", **fields: object) -> Revision:
    """A contestant that answers any prompt, of that organisation."""
    made = factories.revision(name, Kind.OPENAI, endpoint="http://localhost/v1", **fields)
    if maker:
        own, _ = Organisation.objects.get_or_create(name=maker, slug=maker.lower())
        Contestant.objects.filter(pk=made.contestant_id).update(organisation=own)
    return made


def drawn(a: Revision, b: Revision, voter: Voter, times: int = 1, **fields: Any) -> None:
    """Battles of these two; with `on` begun on that day."""
    on = fields.pop("on", None)
    given = {"state": State.FAILED, "draw_probability": 1.0, "owner": "test", **fields}
    made = Battle.objects.bulk_create(
        Battle(revision_a=a, revision_b=b, voter=voter, **given) for _ in range(times)
    )
    if on:
        Battle.objects.filter(pk__in=[battle.pk for battle in made]).update(created_at=on)


def shares(rows: tuple[exposed.Exposed, ...]) -> dict[str, float]:
    return {row.name: round(row.share, 6) for row in rows}


def expected(rows: tuple[exposed.Exposed, ...]) -> dict[str, float | None]:
    return {row.name: row.expected and round(row.expected, 6) for row in rows}


# -- What was shown --------------------------------------------------------------------------


def test_it_works(alice: Voter) -> None:
    wren = served("Wren", "Aviary", stage="released")
    kite = served("Kite", "Aviary", stage="preview")
    lark = served("Lark")
    drawn(wren, lark, alice, 2, state=State.VOTED)
    drawn(wren, kite, alice)
    shown = exposure()

    assert (shown.battles, shown.votes) == (3, 2)
    contestants = {row.name: row for row in shown.contestants}
    assert [row.name for row in shown.contestants] == ["Wren", "Lark", "Kite"]
    assert contestants["Wren"].organisation == "Aviary"
    assert (contestants["Wren"].battles, contestants["Wren"].votes) == (3, 2)
    assert contestants["Wren"].share == 0.5
    stages = {row.name: (row.battles, row.places) for row in shown.stages}
    assert stages == {"released": (3, 3), "preview": (1, 1), "": (2, 2)}


def test_two_of_one_maker_in_a_battle_are_one_battle_and_two_places(alice: Voter) -> None:
    wren, kite = served("Wren", "Aviary"), served("Kite", "Aviary")
    drawn(wren, kite, alice, 3, state=State.VOTED)
    drawn(wren, served("Lark", "Meadow"), alice)
    aviary = exposure().organisations[0]

    assert (aviary.name, aviary.battles, aviary.votes, aviary.places) == ("Aviary", 4, 3, 7)
    assert aviary.share == 7 / 8


def test_who_states_no_maker_is_one_row(alice: Voter) -> None:
    drawn(served("Wren"), served("Kite"), alice)
    [row] = exposure().organisations

    assert (row.name, row.battles, row.places, row.share) == ("", 1, 2, 1.0)


def test_only_what_was_drawn_counts(alice: Voter) -> None:
    wren, kite = served("Wren"), served("Kite")
    drawn(wren, kite, alice)
    drawn(wren, wren, alice)
    drawn(wren, kite, alice, mode=Mode.NAMED)

    assert exposure().battles == 1


def test_since_a_day(alice: Voter) -> None:
    wren, kite, lark = served("Wren"), served("Kite"), served("Lark")
    drawn(wren, kite, alice, 5, on=datetime(2026, 1, 5, tzinfo=UTC))
    drawn(wren, lark, alice, 2, on=datetime(2026, 3, 5, tzinfo=UTC))

    assert shares(exposure(datetime(2026, 3, 1, tzinfo=UTC)).contestants) == {
        "Wren": 0.5,
        "Lark": 0.5,
    }
    assert exposure().battles == 7


def test_an_arena_without_battles() -> None:
    assert exposure() == Exposure(None, 0, 0, 0.0, (), (), ())


# -- Beside an even drawing ------------------------------------------------------------------


def test_an_even_drawing_is_told_from_one_that_favours(alice: Voter) -> None:
    wren, kite, lark = served("Wren"), served("Kite"), served("Lark")
    drawn(wren, kite, alice, 240, draw_probability=0.8)
    drawn(wren, lark, alice, 30, draw_probability=0.1)
    drawn(kite, lark, alice, 30, draw_probability=0.1)
    shown = exposure()

    assert shares(shown.contestants) == {"Wren": 0.45, "Kite": 0.45, "Lark": 0.1}
    third = round(1 / 3, 6)
    assert expected(shown.contestants) == {"Wren": third, "Kite": third, "Lark": third}
    assert 100 < shown.effective < 130


def test_an_even_drawing_is_found_even_while_the_roster_grows(alice: Voter) -> None:
    wren, kite, lark = served("Wren"), served("Kite"), served("Lark")
    drawn(wren, kite, alice, 90, on=datetime(2026, 1, 5, tzinfo=UTC))
    for pair in ((wren, kite), (wren, lark), (kite, lark)):
        drawn(*pair, alice, 30, on=datetime(2026, 2, 5, tzinfo=UTC), draw_probability=1 / 3)
    shown = exposure()

    assert expected(shown.contestants) == shares(shown.contestants)
    assert shown.effective == pytest.approx(180)


def test_battles_on_recorded_prompts_are_measured_among_themselves(alice: Voter) -> None:
    wren, kite, lark = served("Wren"), served("Kite"), served("Lark")
    drawn(wren, kite, alice, 100, draw_probability=0.001, recorded_prompt=factories.prompt())
    drawn(wren, lark, alice, 100)
    shown = exposure()

    assert expected(shown.contestants) == shares(shown.contestants)


def test_of_few_battles_nothing_is_said(alice: Voter) -> None:
    drawn(served("Wren"), served("Kite"), alice, 99)

    assert expected(exposure().contestants) == {"Wren": None, "Kite": None}


def test_more_battles_take_no_more_queries(alice: Voter, django_assert_num_queries: Any) -> None:
    revisions = [served(f"Wren {number}", f"Maker {number}") for number in range(6)]
    for number in range(5):
        drawn(revisions[number], revisions[number + 1], alice, 50)
    with django_assert_num_queries(2):
        assert exposure().battles == 250
    with django_assert_num_queries(1):
        alone_votes()


# -- What is drawn now -----------------------------------------------------------------------


def chances(pool: exposed.Pool) -> dict[str, float]:
    return {row.name: round(row.chance, 6) for row in pool.contestants}


def test_what_is_drawn_now(settings: Any) -> None:
    settings.SAMPLING, settings.AA_SHARE = "uniform", 0.0
    wren, kite = served("Wren", "Aviary"), served("Kite", "Aviary")
    served("Lark", "Mew")
    weights_push(gains={(wren.pk, kite.pk): 9.0}, unseen=1.0, votes=9)
    [pool] = pools_now()

    third = round(2 / 3, 6)
    assert (pool.pairs, pool.alone) == (3, 0.0)
    assert chances(pool) == {"Wren": third, "Kite": third, "Lark": third}
    assert {row.name: round(row.chance, 6) for row in pool.organisations} == {
        "Aviary": 1.0,
        "Mew": third,
    }
    settings.SAMPLING, settings.SAMPLING_FLOOR = "adaptive", 0.0
    [pool] = pools_now()
    most, least = round(10 / 11, 6), round(2 / 11, 6)
    assert chances(pool) == {"Wren": most, "Kite": most, "Lark": least}
    assert {round(row.even, 6) for row in pool.contestants} == {third}


def test_boosts_and_exclusions_show(settings: Any) -> None:
    settings.SAMPLING, settings.SAMPLING_FLOOR, settings.AA_SHARE = "uniform", 0.0, 0.0
    wren, kite, lark = served("Wren"), served("Kite"), served("Lark")
    Boost.objects.create(contestant=wren.contestant, factor=3.0, reason="It is new.")
    [pool] = pools_now()
    assert chances(pool)["Wren"] == round(6 / 7, 6)

    PairExclusion.objects.create(
        first=kite.contestant, second=lark.contestant, reason="They are the same weights."
    )
    [pool] = pools_now()
    assert (pool.pairs, chances(pool)["Wren"]) == (2, 1.0)


def test_a_contestant_against_itself_is_part_of_what_is_drawn(settings: Any) -> None:
    settings.AA_SHARE = 0.2
    for name in ("Wren", "Kite"):
        served(name)
    [pool] = pools_now()

    assert pool.alone == 0.2
    assert chances(pool) == {"Wren": 0.9, "Kite": 0.9}


def test_recorded_prompts_are_picked_alike() -> None:
    factories.on_record(factories.prompt("one"), Wren="a", Kite="b")
    factories.on_record(factories.prompt("two"), Wren="a", Lark="b")
    factories.on_record(factories.prompt("three"), Lark="nobody to meet")
    [pool] = pools_now()

    assert pool.name == "A recorded prompt"
    assert chances(pool) == {"Wren": 1.0, "Kite": 0.5, "Lark": 0.5}


def test_where_nobody_can_meet_nothing_is_drawn() -> None:
    served("Wren")

    assert pools_now() == ()
    assert pairs_now(weights=0) is None


def test_the_strongest_and_the_weakest_pairs() -> None:
    wren, kite, lark = served("Wren"), served("Kite"), served("Lark")
    weights_push(gains={(wren.pk, kite.pk): 0.5, (wren.pk, lark.pk): 0.1}, unseen=0.2, votes=40)
    found = pairs_now(weights=exposed.rules_now().weights, most=1)

    assert found is not None and found.pairs == 3
    [strongest], [weakest] = found.strongest, found.weakest
    assert {strongest.first, strongest.second} == {wren, kite}
    assert {weakest.first, weakest.second} == {wren, lark}
    assert strongest.probability == pytest.approx(0.1 / 3 + 0.9 * 0.5 / 0.8)


# -- A/A battles -----------------------------------------------------------------------------


def voted_alone(revision: Revision, voter: Voter, *outcomes: str) -> None:
    for outcome in outcomes:
        battle = factories.battle(revision, revision, voter)
        vote_cast(
            battle_id=battle.pk,
            attempt=battle.attempt,
            voter=voter,
            outcome=outcome,
            key=f"key-{battle.pk}",
        )


def test_without_votes_there_are_no_figures(alice: Voter) -> None:
    wren = served("Wren")
    factories.battle(wren, wren, alice)
    alone = alone_votes()

    assert (alone.battles, alone.votes, alone.decided, alone.left) == (1, 0, None, None)


def test_noise_and_the_side(alice: Voter) -> None:
    wren, kite = served("Wren"), served("Kite")
    voted_alone(wren, alice, "model_a", "model_a", "model_b", "tie", "both_bad")
    other = factories.battle(wren, kite, alice)
    vote_cast(
        battle_id=other.pk,
        attempt=other.attempt,
        voter=alice,
        outcome="model_a",
        key="key-of-another",
    )
    alone = alone_votes()

    assert alone.outcomes == {"model_a": 2, "model_b": 1, "tie": 1, "both_bad": 1}
    assert (alone.battles, alone.votes) == (5, 5)
    assert alone.decided is not None and alone.decided.share == 3 / 5
    assert alone.left is not None and alone.left.share == 2 / 3
    assert alone_votes(timezone.now() + timedelta(days=1)).votes == 0


def test_ties_alone_say_nothing_of_the_side(alice: Voter) -> None:
    voted_alone(served("Wren"), alice, "tie")
    alone = alone_votes()

    assert alone.decided is not None and alone.decided.share == 0.0
    assert alone.left is None


@pytest.mark.parametrize(
    ("hits", "of", "lower", "upper"),
    [
        (5, 10, 0.2366, 0.7634),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilsons_interval(hits: int, of: int, lower: float, upper: float) -> None:
    """The last is Newcombe's example (1998, table I)."""
    found = wilson(hits, of)

    assert found is not None
    assert (round(found.lower, 4), round(found.upper, 4)) == (lower, upper)


def test_their_votes_are_kept_and_counted_but_rank_nobody(alice: Voter, tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    before = publish()
    voted_alone(factories.known("wren"), alice, "model_a", "model_a", "tie")
    draft = refit()
    after = publish()

    assert before is not None and draft is not None and after is not None
    for fitted in (draft, after):
        for board in fitted.content["boards"].values():
            assert board["counts"]["excluded"] == {"same_revision": 3}
    assert after.counted == before.counted == 48
    ratings = [
        [
            (row["contestant"], row["rating"])
            for row in snapshot.content["boards"]["raw"]["standings"]
        ]
        for snapshot in (before, after)
    ]
    assert ratings[0] == ratings[1]


# -- The operator's hand ---------------------------------------------------------------------


def boost(**fields: object) -> Boost:
    wren = Contestant.objects.first() or served("Wren").contestant
    return Boost(**{"contestant": wren, "factor": 2.0, "reason": "It is new.", **fields})


def test_a_boost_is_made_and_ended_and_both_are_in_the_log() -> None:
    operator = User.objects.create_user("operator")
    made = boost()
    sampling_rule_create(rule=made, actor=operator)
    sampling_rule_end(rule=made, reason="It has votes enough.", actor=operator)

    ended, begun = AuditEntry.objects.filter(action__startswith="boost.")
    assert (begun.action, begun.subject, begun.actor) == ("boost.create", "Wren × 2", operator)
    assert begun.detail == {"reason": "It is new.", "ends_at": None}
    assert (ended.action, ended.detail) == ("boost.end", {"reason": "It has votes enough."})
    made.refresh_from_db()
    assert made.ends_at is not None and made.reason == "It is new."
    with pytest.raises(Conflict, match="has ended already"):
        sampling_rule_end(rule=made, reason="Again.", actor=operator)


@pytest.mark.parametrize(
    "wrong", [{"reason": " "}, {"ends_at": timezone.now() - timedelta(seconds=1)}]
)
def test_a_rule_needs_a_reason_and_a_time_to_come(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        sampling_rule_create(rule=boost(**wrong), actor=None)
    assert not Boost.objects.exists()
    assert not AuditEntry.objects.filter(action="boost.create").exists()


def test_a_pair_kept_apart_is_named_in_the_log() -> None:
    first, second = served("Wren").contestant, served("Kite").contestant
    rule: SamplingRule = PairExclusion(first=first, second=second, reason="The same weights.")
    sampling_rule_create(rule=rule, actor=None)

    [entry] = AuditEntry.objects.filter(action="pair_exclusion.create")
    assert entry.subject == "Wren never meets Kite"
