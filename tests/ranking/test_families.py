"""Could it be one model, what does being picked add, and the parts that families have."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ranking import Votes
from ranking.analysis import Sources
from ranking.analysis.families import family_parts
from ranking.bestof import best_of
from ranking.onemodel import Answers, compared, holm, permutation_p
from ranking.publication import publication
from ranking.snapshots import Stated, canonical
from tests.ranking.making import Array

MEMBERS = ("exp", "rel")
OTHERS = ("kite", "lark", "rook", "wren")
USUAL = {"exp": "experimental", "rel": "released"}
NAMES = (*MEMBERS, *OTHERS)
DAY = 86_400.0
RELEASED = 20 * DAY
"""On 21 January 1970: every vote before it is of the private test."""


def arena(
    *,
    seed: int = 0,
    votes: int = 3000,
    lengths: tuple[float, float] = (1.0, 1.0),
    strengths: tuple[float, float] = (0.0, 0.0),
    prompts: int = 0,
    meet: bool = True,
    names: tuple[str, ...] = NAMES,
) -> tuple[Votes, Array | None]:
    """Six contestants, of which the first two write so much more than the others and are so much
    better. With prompts, each has one recorded answer to each."""
    rng = np.random.default_rng(seed)
    m = len(names)
    a = rng.integers(0, m, votes)
    b = (a + rng.integers(1, m, votes)) % m
    if not meet:
        both = (a < 2) & (b < 2)
        a, b = a[~both], b[~both]
    n = a.size
    prompt = rng.integers(0, prompts, n) if prompts else None
    longer = np.ones(m)
    longer[:2] = lengths
    tokens, marks = [], []
    shape = (m, max(prompts, 1))
    recorded = np.round(longer[:, None] * rng.lognormal(5.0, 0.5, shape)), rng.integers(0, 9, shape)
    for side in (a, b):
        fresh = np.round(longer[side] * rng.lognormal(5.0, 0.5, n)), rng.integers(0, 9, n)
        said = fresh if prompt is None else tuple(each[side, prompt] for each in recorded)
        tokens.append(said[0])
        marks.append(said[1])
    theta = np.array([*strengths, *rng.normal(0.0, 0.3, m - 2)])
    pull = 1.5 * (tokens[0] - tokens[1]) / (tokens[0] + tokens[1])
    chance = 1.0 / (1.0 + np.exp(-(theta[a] - theta[b] + pull)))
    outcome = np.where(rng.random(n) < chance, 0, 1)
    outcome[rng.random(n) < 0.1] = 2
    made = Votes.from_columns(
        a,
        b,
        outcome,
        contestants=list(names),
        voter=rng.integers(0, 300, n),
        shown_first=rng.choice([-1, 1], n),
        features={
            "tokens": tuple(tokens),
            "bold": tuple(marks),
            "lists": tuple(mark % 4 for mark in marks),
        },
        time=np.sort(rng.uniform(0.0, 40 * DAY, n)),
    )
    return made, prompt


def stated(stages: Mapping[str, str] = USUAL) -> dict[str, Stated]:
    """These are of one family, released on RELEASED; the others each of their own."""
    own = {name: Stated(family=name, stage="released") for name in NAMES if name not in stages}
    return own | {
        name: Stated(family="vireo", stage=stage, released="1970-01-21")
        for name, stage in stages.items()
    }


def part(
    votes: Votes, prompt: Array | None = None, stages: Mapping[str, str] = USUAL
) -> dict[str, Any]:
    sources = Sources(votes, stated=stated(stages), prompt=prompt)
    (found,) = family_parts(sources, publication(votes))
    assert found[0] == "family/vireo"
    assert canonical(found[1])
    return found[1]


def by_metric(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (pair,) = found["compared"]
    return {test["metric"]: test for test in pair["tests"]}


# -- Could it be one model -------------------------------------------------------------------


def null_p(seed: int, clustered: bool) -> float:
    """p where one model wrote all, by units of five answers that are alike."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(60), 5)
    values = np.round(100 * np.exp(rng.normal(0, 1, 60)[unit] + 0.1 * rng.normal(size=300)))
    first = (np.arange(60) % 2 == 0)[unit]
    told = unit if clustered else np.arange(300)
    answers = Answers({"tokens": values}, first, told)
    return permutation_p(answers, permutations=199, seed=seed)["tokens"]


def test_p_is_even_where_it_is_one_model() -> None:
    """Permuted as wholes, units keep the level; taken apart they would not."""
    p = np.array([null_p(seed, clustered=True) for seed in range(120)])
    apart = np.array([null_p(seed, clustered=False) for seed in range(120)])

    assert (p <= 0.1).mean() == pytest.approx(0.1, abs=0.08)
    assert p.mean() == pytest.approx(0.5, abs=0.08)
    assert (apart <= 0.1).mean() > 0.4


def test_two_units_of_each_stratum_are_exchanged_exactly() -> None:
    """Five prompts, where the first always has more: 2 of 32 exchanges are as far apart."""
    values = np.array([10.0, 1.0, 20.0, 11.0, 30.0, 21.0, 40.0, 31.0, 50.0, 41.0])
    first = np.tile([True, False], 5)
    answers = Answers({"lists": values}, first, np.arange(10), np.repeat(np.arange(5), 2))

    p = permutation_p(answers, means=frozenset({"lists"}), permutations=4000)["lists"]

    assert p == pytest.approx(2 / 32, abs=0.02)
    loose = permutation_p(replace(answers, stratum=None), permutations=4000)["lists"]
    assert loose > 0.3


def test_effects_are_of_the_answers() -> None:
    values = np.array([1.0, 2.0, 3.0, 2.0, 5.0])
    answers = Answers({"bold": values}, np.array([1, 1, 1, 0, 0], bool), np.arange(5))

    (one,) = compared(answers, {"bold": 0.5}, {"bold": 1.0})

    assert (one.medians, one.means) == ((2.0, 3.5), (2.0, 3.5))
    assert one.more == pytest.approx((0 + 0.5 + 1) / 6)


def test_holm_keeps_the_order_and_never_falls() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == {"a": 0.03, "c": 0.06, "b": 0.06}


def test_what_never_differs_is_not_tested() -> None:
    answers = Answers({"emoji": np.zeros(8)}, np.arange(8) < 4, np.arange(8))

    assert permutation_p(answers) == {}
    with pytest.raises(ValueError, match="both"):
        permutation_p(replace(answers, first=np.ones(8, bool)))


# -- The best of N ---------------------------------------------------------------------------


def test_the_best_of_two_alike_gains_what_the_formula_says() -> None:
    """E[max] of two normal errors of correlation ρ is σ √((1 − ρ)/π)."""
    covariance = np.array([[4.0, 1.0], [1.0, 4.0]])
    found = best_of(np.array([0.1, 0.0]), covariance)

    assert found.spread == 0.0
    assert found.inflation == found.chance == pytest.approx(2 * math.sqrt(0.75 / math.pi), rel=0.02)


def test_the_best_of_many_apart_gains_nothing() -> None:
    found = best_of(np.array([0.0, 30.0, 60.0, 90.0]), np.eye(4))

    assert found.best == 3
    assert found.chance == pytest.approx(1.029, abs=0.02)
    assert found.inflation < 0.1
    assert found.p_identical < 1e-6


def test_one_is_no_choice() -> None:
    found = best_of(np.array([5.0]), np.array([[4.0]]))

    assert (found.chance, found.inflation, found.corrected) == (0.0, 0.0, 5.0)
    assert found.upper == pytest.approx(5.0 + 1.96 * 2, abs=0.01)


def test_a_common_error_is_no_advantage() -> None:
    """What all share moves nobody ahead, also where it makes the covariance singular."""
    own = np.eye(3) - 1 / 3
    shared = best_of(np.array([1.0, 0.5, 0.0]), own + 100.0)
    alone = best_of(np.array([1.0, 0.5, 0.0]), own)

    assert shared.inflation == pytest.approx(alone.inflation, abs=0.1)
    assert shared.spread == pytest.approx(alone.spread, abs=1e-6)


def test_on_average_the_correction_takes_off_what_being_picked_adds() -> None:
    rng = np.random.default_rng(3)
    naive, left = [], []
    for _ in range(300):
        errors = rng.normal(size=5)
        found = best_of(errors, np.eye(5), draws=4000)
        naive.append(found.estimate)
        left.append(found.corrected)

    assert np.mean(naive) > 1.0
    assert abs(np.mean(left)) < 0.2


# -- Parts -----------------------------------------------------------------------------------


def test_it_works() -> None:
    votes, _ = arena(lengths=(3.0, 1.0))
    found = part(votes)
    exp, rel = found["members"]

    assert [exp["contestant"], rel["contestant"]] == ["exp", "rel"]
    board = publication(votes).boards["controlled"]
    standing = next(s for s in board.standings if s.contestant == "exp")
    assert exp["boards"]["controlled"]["rating"] == standing.rating
    assert exp["votes"] == standing.votes
    assert exp["boards"]["raw"]["rating"] > exp["boards"]["controlled"]["rating"] + 30
    assert 0 <= exp["first"] < exp["last"] <= 40 * DAY
    # The hour of a single vote is nobody's affair.
    assert exp["first"] % DAY == exp["last"] % DAY == 0


def test_members_of_another_style_and_the_same_substance_are_told_apart_by_style() -> None:
    tests = by_metric(part(arena(lengths=(3.0, 1.0))[0]))

    assert tests["tokens"]["adjusted"] < 0.01
    assert tests["tokens"]["more"] > 0.9
    assert tests["outcome"]["adjusted"] < 0.01
    assert tests["substance"]["adjusted"] > 0.05


def test_members_of_another_strength_are_told_apart_by_substance() -> None:
    tests = by_metric(part(arena(strengths=(0.5, -0.5))[0]))

    assert tests["tokens"]["p"] > 0.05
    assert tests["substance"]["adjusted"] < 0.01


def test_members_alike_are_not_told_apart() -> None:
    found = [part(arena(seed=seed)[0])["compared"][0]["p"] for seed in range(8)]

    assert sum(p < 0.05 for p in found) <= 1


def test_answers_to_the_same_prompts_are_exchanged_within_each() -> None:
    """Recorded answers count once, however often they were shown."""
    for seed in range(3):
        votes, prompt = arena(seed=seed, prompts=12, meet=False)
        (pair,) = part(votes, prompt)["compared"]

        assert (pair["prompts"], pair["unit"], pair["shared"]) == ("same", "answer", 12)
        assert pair["units"] == [12, 12]
        assert pair["p"] > 0.01


def test_recorded_answers_to_unknown_prompts_count_once_as_well() -> None:
    votes, _ = arena(prompts=12, meet=False)
    (pair,) = part(votes)["compared"]

    assert (pair["prompts"], pair["unit"]) == ("any", "answer")
    assert max(pair["units"]) <= 12


def test_direct_battles_are_to_one_prompt() -> None:
    votes, _ = arena(lengths=(3.0, 1.0))
    found = part(votes)
    (pair,), (direct,) = found["compared"], found["direct"]

    assert pair["prompts"] == "battle"
    assert pair["answers"] == [direct["votes"]] * 2
    assert direct["won"] + direct["lost"] + direct["tied"] == direct["votes"]
    score = direct["won"] + 0.5 * direct["tied"]
    assert direct["expected"] == pytest.approx(score, abs=4 * 0.5 * math.sqrt(direct["votes"]))


def test_members_that_never_met_have_no_record() -> None:
    found = part(arena(meet=False)[0])

    assert found["direct"] == []
    assert found["compared"][0]["unit"] == "voter"


def test_without_voters_votes_are_on_their_own() -> None:
    votes, _ = arena(meet=False)

    assert part(replace(votes, voter=None))["compared"][0]["unit"] == "vote"


def test_the_published_one_is_rated_by_votes_since_its_release() -> None:
    votes, _ = arena(strengths=(0.0, 0.3))
    found = part(votes)["best_of"]
    time, published = votes.time, found["published"]
    assert time is not None
    of_it = (votes.a == 1) | (votes.b == 1)

    assert published["left_out"] == int((of_it & (time < RELEASED)).sum()) > 100
    assert published["votes"] == int((of_it & (time >= RELEASED)).sum())
    alone = replace(votes, excluded=np.where(of_it & (time < RELEASED), 0, -1), rules=("early",))
    board = publication(alone).default
    standing = next(s for s in board.standings if s.contestant == "rel")
    assert published["rating"] == pytest.approx(standing.rating, abs=0.5)
    assert published["lead"]["points"] == pytest.approx(
        published["rating"] - found["variants"][0]["rating"]
    )


def test_one_variant_was_not_picked_from_several() -> None:
    picked = part(arena()[0])["best_of"]

    assert picked["tested"] == 1
    assert picked["picked"]["inflation"] == 0.0


def test_the_best_of_several_variants_is_corrected() -> None:
    votes, _ = arena(names=NAMES)
    stages = dict.fromkeys(("exp", "kite", "lark"), "experimental")
    found = part(votes, stages=stages | {"rel": "released"})["best_of"]
    ratings = {each["contestant"]: each["rating"] for each in found["variants"]}

    assert found["tested"] == 3
    assert found["best"] == max(ratings, key=lambda name: ratings[name])
    picked = found["picked"]
    assert picked["estimate"] == ratings[found["best"]]
    assert 0 < picked["inflation"] <= picked["chance"] * 1.05


def test_without_anything_unreleased_there_is_no_best_of() -> None:
    assert "best_of" not in part(arena()[0], stages={"exp": "released", "rel": "released"})


def test_the_published_one_is_whom_the_family_is_known_by() -> None:
    votes, _ = arena()
    said = stated(USUAL | {"kite": "released"})
    sources = Sources(votes, stated=said, places={"vireo": "kite"})
    ((_, found),) = family_parts(sources, publication(votes))

    assert found["best_of"]["published"]["contestant"] == "kite"


def test_pairs_of_unlike_stage_come_first() -> None:
    found = part(arena()[0], stages=USUAL | {"kite": "experimental"})
    pairs = [(pair["first"], pair["second"]) for pair in found["compared"]]

    assert pairs[-1] == ("exp", "kite") or pairs[-1] == ("kite", "exp")
    assert len(pairs) == 3


@pytest.mark.parametrize("votes", [arena()[0], replace(arena()[0], time=None)])
def test_a_family_of_one_is_none(votes: Votes) -> None:
    sources = Sources(votes, stated=stated({"rel": "released"}))

    assert list(family_parts(sources, publication(votes))) == []
    assert list(family_parts(Sources(votes), publication(votes))) == []


def test_a_winless_member_is_there_without_a_rating() -> None:
    votes, _ = arena()
    lost = np.where(votes.a == 0, 1, np.where(votes.b == 0, 0, votes.outcome)).astype(np.int8)
    found = part(replace(votes, outcome=lost))

    assert found["members"][0]["boards"]["controlled"] is None
    assert found["direct"][0]["expected"] is None
    assert "best_of" not in found
    assert "substance" not in by_metric(found) or by_metric(found)["substance"]["p"] < 0.01


def test_the_same_votes_give_the_same_text() -> None:
    votes, prompt = arena(prompts=12)

    assert canonical(part(votes, prompt)) == canonical(part(votes, prompt))


def test_few_votes_are_not_compared() -> None:
    votes, _ = arena(votes=40)

    assert part(votes)["compared"] == []
