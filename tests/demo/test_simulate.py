"""The demo's world has a right answer, and the ranking finds it."""

import json
import re
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from arena.demo import world
from arena.demo.simulate import CORRELATION, RIGGED_VOTES, RIGGING_RULE, VOTES, World, simulate
from arena.demo.world import (
    CONTESTANTS,
    GAMMA,
    ORGANISATIONS,
    PUBLISHED_AT,
    REVISIONS,
    SIBLING,
    VARIANT,
)
from ranking import Leaderboard, RankingSpec, StyleMovement, Votes, style_movement
from ranking.covariates import CONTROLS, METRICS, TIMINGS, style_metrics

NAMES = [revision.name for revision in REVISIONS]


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate()


@pytest.fixture(scope="module")
def boards(demo: World) -> dict[datetime, StyleMovement]:
    spec = RankingSpec(controls=("style",))
    return {
        moment: style_movement(Votes.from_arrow(until(demo, moment)), spec)
        for moment in PUBLISHED_AT
    }


def until(demo: World, moment: datetime) -> pa.Table:
    return demo.votes.filter(pc.less(demo.votes["timestamp"], pa.scalar(moment)))


def rank(board: Leaderboard, name: str) -> int:
    return next(standing.rank for standing in board.standings if standing.contestant == name)


def column(demo: World, name: str) -> list:
    return demo.votes[name].to_pylist()


def test_it_works(demo):
    assert demo.votes.num_rows == VOTES == len(demo.prompts)
    assert len(demo.answers) == len(REVISIONS) * len(demo.materials)
    assert set(column(demo, "winner")) == {"model_a", "model_b", "tie", "both_bad"}


def test_same_seed_same_bytes(demo):
    again = simulate()
    assert again.votes.equals(demo.votes)
    assert again.answers == demo.answers
    assert again.truth == demo.truth


def test_cast():
    assert (len(CONTESTANTS), len(REVISIONS), len(ORGANISATIONS)) == (40, 41, 12)
    assert len({contestant.slug for contestant in CONTESTANTS}) == 40
    assert {c.organisation for c in CONTESTANTS} == {o.name for o in ORGANISATIONS}
    assert {r.contestant for r in REVISIONS} == {c.name for c in CONTESTANTS}
    variant, sibling = (next(r for r in REVISIONS if r.name == n) for n in (VARIANT, SIBLING))
    assert variant.family == sibling.family == "vireo-2"
    assert (variant.stage, sibling.stage) == ("experimental", "released")
    assert (variant.contestant, variant.number) == (sibling.contestant, 1)
    assert sibling.number == 2
    assert all(0 <= value <= 1 for r in REVISIONS for value in (r.style.bold, r.style.emoji))


def test_truth_is_planted_as_designed(demo):
    theta = np.array([demo.truth["theta"][name] for name in NAMES])
    assert abs(theta.mean()) < 1e-12
    assert theta.std() == pytest.approx(0.35)
    assert (np.diff(theta) < 0).all()
    assert demo.truth["rank"][VARIANT] == 30
    assert demo.truth["rank"][SIBLING] == 32
    assert demo.truth["gamma"] == GAMMA
    assert json.loads(json.dumps(demo.truth)) == demo.truth


def test_no_answer_names_who_wrote_it(demo):
    """Blindness: neither a full name nor its first word, nor an organisation."""
    names = {name for c in CONTESTANTS for name in (c.name, *c.aliases)} | set(NAMES)
    given_away = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
    for (name, slug), text in demo.answers.items():
        assert not given_away.search(text), (name, slug)


def test_no_two_contestants_give_the_same_answer(demo):
    assert len(set(demo.answers.values())) == len(demo.answers)


def test_votes_carry_the_metrics_of_the_answers_shown(demo):
    rows = demo.votes.slice(17_000, 200).to_pylist()
    for row, slug in zip(rows, demo.prompts[17_000:17_200], strict=True):
        for side in "ab":
            counts = style_metrics(demo.answers[row[f"model_{side}"], slug])
            assert [row[f"{name}_{side}"] for name in METRICS] == [
                getattr(counts, name) for name in METRICS
            ]


def test_style_varies_between_contestants_and_within_each(demo):
    tokens = np.array(
        [
            [style_metrics(demo.answers[name, m.slug]).tokens for m in demo.materials]
            for name in NAMES
        ]
    )
    lengths = np.log(tokens)
    own = lengths - lengths.mean(axis=0)  # what the prompt itself asks for is common to all
    between = own.mean(axis=1).std()
    within = np.sqrt((own - own.mean(axis=1, keepdims=True)).var(axis=1).mean())
    assert 0.4 < between < 0.6
    assert within > 0.35
    assert tokens.min() >= 20
    assert tokens.max() <= 800


def test_the_variant_is_replaced_at_the_first_publication(demo):
    before = until(demo, PUBLISHED_AT[0])
    after = demo.votes.slice(before.num_rows)
    for table, present, absent in ((before, VARIANT, SIBLING), (after, SIBLING, VARIANT)):
        seen = set(table["model_a"].to_pylist()) | set(table["model_b"].to_pylist())
        assert present in seen
        assert absent not in seen
    assert column(demo, "timestamp") == sorted(column(demo, "timestamp"))
    assert column(demo, "timestamp")[-1] < PUBLISHED_AT[1]


def test_pairs_are_drawn_as_recorded(demo):
    """χ² of the pair counts of one week against the probability the votes carry."""
    honest = until(demo, PUBLISHED_AT[0]).filter(pc.is_null(pc.field("excluded")))
    a, b = honest["model_a"].to_pylist(), honest["model_b"].to_pylist()
    counts = np.unique(
        [f"{min(x, y)}|{max(x, y)}" for x, y in zip(a, b, strict=True)], return_counts=True
    )[1]
    expected = honest["draw_probability"][0].as_py() * honest.num_rows
    assert counts.size == 40 * 39 // 2
    assert ((counts - expected) ** 2 / expected).sum() == pytest.approx(counts.size, rel=0.2)
    assert not any(x == y for x, y in zip(a, b, strict=True))


def test_few_voters_cast_many_votes_and_none_more_than_one_percent(demo):
    votes = np.unique(column(demo, "voter"), return_counts=True)[1]
    assert 1_900 < votes.size <= 2_000
    assert 0.005 * VOTES < votes.max() < 0.013 * VOTES
    assert np.median(votes) < 10


def test_riggers_vote_for_one_contestant_and_are_excluded(demo):
    rigged = demo.votes.filter(pc.equal(demo.votes["excluded"], RIGGING_RULE))
    assert rigged.num_rows == RIGGED_VOTES
    assert set(rigged["voter"].to_pylist()) == set(demo.truth["riggers"])
    assert all(row[row["winner"]] == world.RIGGED for row in rigged.to_pylist())
    counted = demo.votes.filter(pc.is_null(demo.votes["excluded"]))
    assert not set(counted["voter"].to_pylist()) & set(demo.truth["riggers"])


def test_outcomes_follow_the_planted_probabilities(demo):
    """Among votes of like probability p, wins and half the ties make up p of the total."""
    counted = demo.votes.filter(pc.is_null(demo.votes["excluded"]))
    values = counted.to_pydict()
    theta = demo.truth["theta"]
    logit = np.array(
        [theta[x] - theta[y] for x, y in zip(values["model_a"], values["model_b"], strict=True)]
    )
    logit += demo.truth["position"]
    native = np.array(values["pacing"]) == "native"
    for control, gamma in GAMMA.items():
        metric = CONTROLS[control]
        a, b = np.array(values[f"{metric}_a"]), np.array(values[f"{metric}_b"])
        share = (a - b) / np.where(a + b > 0, a + b, 1.0)
        shown = native if metric in TIMINGS else 1.0
        logit += gamma / demo.truth["scales"][control] * share * shown
    p = 1 / (1 + np.exp(-logit))
    winner = np.array(values["winner"])
    tied = (winner == "tie") | (winner == "both_bad")
    score = (winner == "model_a") + tied / 2
    for low, high in ((0.0, 0.35), (0.35, 0.5), (0.5, 0.65), (0.65, 1.0)):
        among = (p > low) & (p <= high)
        assert score[among].mean() == pytest.approx(p[among].mean(), abs=0.02)
        assert tied[among].mean() == pytest.approx(0.6 * (p * (1 - p))[among].mean(), abs=0.02)
    assert (winner == "both_bad").sum() / tied.sum() == pytest.approx(0.25, abs=0.02)


def test_timings_are_of_native_pacing_from_the_first_publication_on(demo):
    votes = demo.votes
    since = pc.greater_equal(votes["timestamp"], pa.scalar(PUBLISHED_AT[0]))
    assert pc.equal(votes["pacing"], "native").equals(since)
    for side in "ab":
        first, duration = (np.array(votes[f"{name}_{side}"]) for name in TIMINGS)
        assert (first > 0).all()
        assert (first < duration).all()
        assert 0.4 < np.log(first).std() < 0.6


def test_one_vote_in_fifty_claims_an_identity_and_no_side_more_than_the_other(demo):
    flags = demo.votes["flags"].to_pylist()
    assert sum(map(bool, flags)) == pytest.approx(VOTES / 50, rel=0.15)
    assert flags.count("identity_a") == pytest.approx(flags.count("identity_b"), rel=0.25)


def test_a_voter_agrees_with_himself_about_long_answers(demo):
    counted = demo.votes.filter(pc.is_null(demo.votes["excluded"])).to_pydict()
    longer = np.sign(np.array(counted["tokens_a"]) - np.array(counted["tokens_b"]))
    winner = np.array(counted["winner"])
    liked = longer * ((winner == "model_a") * 1.0 - (winner == "model_b") * 1.0)
    liked -= liked.mean()
    _, voter = np.unique(counted["voter"], return_inverse=True)
    sums, squares, n = (np.bincount(voter, x) for x in (liked, liked**2, np.ones(liked.size)))
    together = (sums**2 - squares).sum() / (n * (n - 1)).sum()
    # Signs of normal scores with correlation ρ correlate by 2/π·asin ρ; ties take a little off.
    assert together / liked.var() == pytest.approx(2 / np.pi * np.arcsin(CORRELATION), abs=0.05)


def test_raw_boards_put_the_variant_near_the_top_and_controlled_ones_where_it_belongs(boards):
    for movement in boards.values():
        assert rank(movement.raw, VARIANT) <= 4
        assert 27 <= rank(movement.controlled, VARIANT) <= 33
    last = boards[PUBLISHED_AT[1]]
    assert 29 <= rank(last.controlled, SIBLING) <= 35
    assert abs(rank(last.raw, SIBLING) - rank(last.controlled, SIBLING)) <= 6
    furthest = min(last.movements, key=lambda movement: movement.rating)
    assert furthest.contestant == VARIANT
    assert furthest.upper < -100


def test_the_controlled_board_recovers_the_truth(demo, boards):
    board = boards[PUBLISHED_AT[1]].controlled
    theta = {standing.contestant: standing for standing in board.standings}
    planted = np.array([demo.truth["theta"][name] for name in NAMES])
    found = np.array([theta[name].theta for name in NAMES])
    assert np.corrcoef(planted, found)[0, 1] > 0.97
    inside = [
        theta[name].rating_lower <= 1000 + board.spec.elo * value <= theta[name].rating_upper
        for name, value in demo.truth["theta"].items()
    ]
    assert sum(inside) >= 36
    for coefficient in board.coefficients:
        assert coefficient.value == pytest.approx(GAMMA[coefficient.name], abs=0.1)
        assert coefficient.scale == pytest.approx(demo.truth["scales"][coefficient.name])
    assert board.position.value == pytest.approx(world.POSITION, abs=0.06)


def test_the_raw_board_does_not(demo, boards):
    board = boards[PUBLISHED_AT[1]].raw
    found = {standing.contestant: standing.theta for standing in board.standings}
    planted = [demo.truth["theta"][name] for name in NAMES]
    assert np.corrcoef(planted, [found[name] for name in NAMES])[0, 1] < 0.85
