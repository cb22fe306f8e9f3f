"""Partially pooled categories: limits, coverage, and the estimate of τ."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from ranking import (
    PooledCategories,
    RankingSpec,
    SpecError,
    Votes,
    VotesError,
    fit,
    pooled_categories,
)
from tests.ranking.making import assert_same_numbers, plain, repeated, simulated, turned

SPEC = RankingSpec(position=False, cluster=False, floor=False)
ELO = SPEC.elo
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=6, deadline=None)


def sliced(
    rng: np.random.Generator, tau: float, outside: int, inside: int, contestants: int = 12
) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Votes of which the last `inside` are of a category, its mask, and its true strengths."""
    n = outside + inside
    theta = rng.normal(0.0, 0.5, contestants)
    special = theta + rng.normal(0.0, tau, contestants)
    mask = np.arange(n) >= outside
    a = rng.integers(0, contestants, n)
    b = (a + rng.integers(1, contestants, n)) % contestants
    gap = np.where(mask, special[a] - special[b], theta[a] - theta[b])
    outcome = np.where(rng.random(n) < 1 / (1 + np.exp(-gap)), 0, 1)
    names = [f"m{i:02}" for i in range(contestants)]
    return Votes.from_columns(a, b, outcome, contestants=names), mask, special - special.mean()


def column(result: PooledCategories, field: str, category: int = 0) -> np.ndarray:
    ordered = sorted(result.categories[category].standings, key=lambda s: s.contestant)
    return np.array([getattr(s, field) for s in ordered])


def board(votes: Votes) -> np.ndarray:
    return np.array(
        [s.rating for s in sorted(fit(votes, SPEC).standings, key=lambda s: s.contestant)]
    )


def test_the_strengths_minimise_the_penalised_loss() -> None:
    votes, mask, _ = sliced(np.random.default_rng(1), 0.4, 800, 200, contestants=5)
    result = pooled_categories(votes, {"thin": mask}, SPEC)
    tau, m = result.tau / ELO, 5
    y = 1.0 - votes.outcome

    def loss(point: np.ndarray) -> float:
        theta, special = point[:m], point[m:]
        gap = np.where(mask, special[votes.a] - special[votes.b], theta[votes.a] - theta[votes.b])
        prior = np.sum((special - theta) ** 2) / (2 * tau**2)
        return float(np.sum(np.logaddexp(0.0, gap) - y * gap) + prior + np.sum(point) ** 2)

    best = optimize.minimize(loss, np.zeros(2 * m), method="BFGS", options={"gtol": 1e-7}).x

    assert column(result, "rating") == pytest.approx(
        1000 + ELO * (best[m:] - best[m:].mean()), abs=1e-2
    )
    assert column(result, "deviation") == pytest.approx(ELO * (best[m:] - best[:m]), abs=1e-2)


def test_intervals_cover_the_category_s_own_strengths() -> None:
    rng = np.random.default_rng(2)
    covered, errors, alone = [], [], []
    for _ in range(20):
        votes, mask, truth = sliced(rng, 0.3, 3000, 400)
        result = pooled_categories(votes, {"thin": mask}, SPEC)
        true = 1000 + ELO * truth
        covered.extend(
            (column(result, "rating_lower") <= true) & (true <= column(result, "rating_upper"))
        )
        errors.append(np.mean((column(result, "rating") - true) ** 2))
        own = replace(votes, excluded=np.where(mask, -1, 0).astype(np.int32), rules=("outside",))
        alone.append(np.mean((board(own) - true) ** 2))

    # 20 runs know their coverage to ± .017.
    assert 0.90 <= np.mean(covered) <= 0.99
    assert np.mean(errors) < 0.75 * np.mean(alone)


def test_rank_sets_hold_the_category_s_own_ranks_at_once() -> None:
    rng = np.random.default_rng(9)
    right, narrow = [], []
    for _ in range(40):
        votes, mask, truth = sliced(rng, 0.3, 3000, 400)
        result = pooled_categories(votes, {"thin": mask}, SPEC)
        rank = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
        lower, upper = column(result, "rank_lower"), column(result, "rank_upper")
        right.append(bool(((lower <= rank) & (rank <= upper)).all()))
        narrow.append(np.mean(upper - lower))

    assert np.mean(right) >= 0.9
    assert np.mean(narrow) < 9.0


def test_tau_is_recovered_from_several_categories() -> None:
    rng = np.random.default_rng(3)
    found = []
    for tau in (0.1, 0.4):
        votes, mask, _ = sliced(rng, tau, 20_000, 8000, contestants=30)
        found.append(pooled_categories(votes, {"c": mask}, SPEC).tau / ELO)

    assert found == pytest.approx([0.1, 0.4], rel=0.35)


def test_few_votes_borrow_and_many_do_not() -> None:
    rng = np.random.default_rng(4)
    votes, mask, _ = sliced(rng, 0.5, 10_000, 10_000)
    thin = mask & (np.arange(len(votes)) < 10_100)
    result = pooled_categories(votes, {"thin": thin, "thick": mask}, SPEC)
    own = replace(votes, excluded=np.where(mask, -1, 0).astype(np.int32), rules=("outside",))

    assert [c.votes for c in result.categories] == [100, 10_000]
    assert result.categories[0].pooled > 0.4 > 0.1 > result.categories[1].pooled
    assert column(result, "rating", 1) == pytest.approx(board(own), abs=8.0)
    assert np.abs(column(result, "deviation")).max() < np.abs(column(result, "deviation", 1)).max()


def test_a_contestant_without_votes_in_a_category_is_all_borrowed() -> None:
    votes, mask, _ = sliced(np.random.default_rng(5), 0.3, 3000, 300)
    mask = mask & (votes.a != 0) & (votes.b != 0)
    result = pooled_categories(votes, {"thin": mask}, SPEC)
    absent = next(s for s in result.categories[0].standings if s.contestant == "m00")

    assert (absent.votes, absent.pooled) == (0, pytest.approx(1.0))
    assert absent.deviation == pytest.approx(0.0, abs=1e-6)
    assert absent.se >= 0.9 * result.tau * np.sqrt(11 / 12)


def test_an_undefeated_contestant_of_a_category_has_a_finite_rating() -> None:
    votes, mask, _ = sliced(np.random.default_rng(6), 0.3, 3000, 300)
    outcome = np.where(mask & (votes.a == 3), 0, np.where(mask & (votes.b == 3), 1, votes.outcome))
    result = pooled_categories(replace(votes, outcome=outcome), {"thin": mask}, SPEC)
    best = result.categories[0].standings[0]

    assert best.contestant == "m03"
    assert best.deviation > 0.0
    assert np.isfinite(best.rating_upper)


@few
@given(seeds, seeds)
def test_recording_votes_the_other_way_round_changes_nothing(seed: int, which: int) -> None:
    votes = simulated(seed, votes=300)
    mask = np.random.default_rng(which).random(len(votes)) < 0.5
    category = {"some": np.arange(300) % 3 == 0}
    spec = RankingSpec(controls=("length",))
    one, other = (pooled_categories(v, category, spec) for v in (votes, turned(votes, mask)))

    assert_same_numbers(one.to_dict(), other.to_dict(), tolerance=1e-5)


def test_voters_who_vote_alike_widen_the_intervals() -> None:
    votes = simulated(7, votes=600)
    apart = replace(votes, voter=np.arange(600, dtype=np.int32))
    alike = replace(repeated(apart, 4), voter=np.tile(np.arange(600, dtype=np.int32), 4))
    spec = replace(SPEC, cluster=True)
    mask = np.tile(np.arange(600) % 4 == 0, 4)
    clustered = pooled_categories(alike, {"c": mask}, spec)
    naive = pooled_categories(alike, {"c": mask}, SPEC)

    assert (column(clustered, "se") > 1.2 * column(naive, "se")).all()
    assert column(clustered, "rating") == pytest.approx(column(naive, "rating"))


def test_the_anchor_stands_at_the_centre_of_every_category() -> None:
    votes, mask, _ = sliced(np.random.default_rng(8), 0.3, 1000, 300)
    result = pooled_categories(votes, {"c": mask, "d": ~mask}, replace(SPEC, anchor="m01"))

    assert column(result, "rating", 0)[1] == column(result, "rating", 1)[1] == 1000.0
    assert {c.name for c in result.categories} == {"c", "d"}


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (np.zeros(400, dtype=bool), "no counted vote"),
        (np.ones(3, dtype=bool), "shape"),
        (np.ones(400), "not booleans"),
    ],
)
def test_a_malformed_category_is_refused(mask: np.ndarray, told: str) -> None:
    with pytest.raises(VotesError, match=told) as caught:
        pooled_categories(simulated(1), {"thin": mask})
    assert caught.value.column == "thin"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (RankingSpec(likelihood="davidson"), "bradley_terry"),
        (RankingSpec(prior_strengths=1.0), "prior of its own"),
        (RankingSpec(anchor="nobody"), "anchor"),
    ],
)
def test_specs_that_cannot_be_pooled_are_refused(spec: RankingSpec, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        pooled_categories(simulated(1), {"all": np.ones(400, dtype=bool)}, spec)


def test_nothing_to_pool_is_refused() -> None:
    with pytest.raises(SpecError, match="at least one category"):
        pooled_categories(simulated(1), {})
    with pytest.raises(SpecError, match="nobody is placed"):
        pooled_categories(plain("A>B"), {"all": [True]})
    unknown = replace(simulated(1), voter=None)
    with pytest.raises(SpecError, match="cluster is asked for"):
        pooled_categories(unknown, {"c": np.arange(400) < 99}, RankingSpec(cluster=True))
