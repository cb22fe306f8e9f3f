"""Online Elo: against the rule written out, and how little an order may decide."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import RankingSpec, SpecError, Votes, fit, online, online_elo
from ranking.scores import scores_of
from tests.ranking.making import assert_same_numbers, plain, simulated, turned

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)


def written_out(votes: Votes, k: float, order: np.ndarray | None = None) -> dict[str, float]:
    """Elo's rule on ratings, vote by vote."""
    rating = dict.fromkeys(votes.contestants, 1000.0)
    for row in range(len(votes)) if order is None else order:
        a, b = votes.contestants[votes.a[row]], votes.contestants[votes.b[row]]
        expected = 1.0 / (1.0 + 10.0 ** ((rating[b] - rating[a]) / 400.0))
        change = k * ([1.0, 0.0, 0.5, 0.5][votes.outcome[row]] - expected)
        rating[a], rating[b] = rating[a] + change, rating[b] - change
    return rating


def ratings(result: online.OnlineElo) -> dict[str, float]:
    return {entry.contestant: entry.rating for entry in result.ratings}


def test_it_follows_elo_s_rule_in_the_order_of_the_votes() -> None:
    votes = simulated(1)

    assert ratings(online_elo(votes, k=16.0)) == pytest.approx(written_out(votes, 16.0))


def test_a_first_win_between_equals_is_worth_half_of_k() -> None:
    result = online_elo(plain("A>B"), k=32.0)

    assert [(r.contestant, r.rating, r.rank) for r in result.ratings] == [
        ("A", 1016.0, 1),
        ("B", 984.0, 2),
    ]


@few
@given(seeds, st.floats(0.1, 200.0))
def test_points_are_handed_on_and_never_made(seed: int, k: float) -> None:
    votes = simulated(seed, votes=60)
    weight = np.random.default_rng(seed).uniform(0.1, 5.0, len(votes))
    result = online_elo(replace(votes, weight=weight), k=k)

    assert np.mean([entry.rating for entry in result.ratings]) == pytest.approx(1000.0)


@few
@given(seeds, seeds)
def test_recording_votes_the_other_way_round_changes_nothing(seed: int, which: int) -> None:
    votes = simulated(seed, votes=80)
    mask = np.random.default_rng(which).random(len(votes)) < 0.5
    one, other = (online_elo(v, permutations=5) for v in (votes, turned(votes, mask)))

    assert_same_numbers(one.to_dict(), other.to_dict())


@pytest.mark.parametrize("slab", [64, 1 << 22])
def test_every_permutation_plays_every_vote_once(
    slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online, "_SLAB_VOTES", slab)
    orders = [[] for _ in range(3)]
    for rows in online._slabs(101, 3, seed=7):
        for p, order in enumerate(orders):
            order.extend(row for row in rows[:, p].tolist() if row < 101)

    assert all(sorted(order) == list(range(101)) for order in orders)
    assert orders[0] != orders[1]
    votes = simulated(2, votes=101)
    scores = scores_of(votes, RankingSpec(), method="a test")
    step = 24.0 / RankingSpec().elo
    played = 1000.0 + RankingSpec().elo * online.run_permuted(scores, step, 3, seed=7)
    for order, theta in zip(orders, played, strict=True):
        expected = written_out(votes, 24.0, np.array(order))
        assert dict(zip(votes.contestants, theta, strict=True)) == pytest.approx(expected)


def test_slabs_make_every_order_equally_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "_SLAB_VOTES", 8000)
    table = np.concatenate(list(online._slabs(4, 6000, seed=1)))
    orders = [tuple(row for row in column if row < 4) for column in table.T.tolist()]
    _, counts = np.unique(orders, axis=0, return_counts=True)

    assert counts.size == 24
    assert np.sum((counts - 250.0) ** 2 / 250.0) < 49.7  # χ² of 23 degrees, 99.9 %


def test_weights_scale_the_step() -> None:
    votes = simulated(3, votes=50)
    uneven = replace(votes, weight=np.where(np.arange(50) < 25, 1.0, 3.0))
    result = ratings(online_elo(uneven, k=10.0))
    rating = dict.fromkeys(votes.contestants, 1000.0)
    for row in range(50):
        a, b = votes.contestants[votes.a[row]], votes.contestants[votes.b[row]]
        expected = 1.0 / (1.0 + 10.0 ** ((rating[b] - rating[a]) / 400.0))
        k = 5.0 if row < 25 else 15.0
        change = k * ([1.0, 0.0, 0.5, 0.5][votes.outcome[row]] - expected)
        rating[a], rating[b] = rating[a] + change, rating[b] - change

    assert result == pytest.approx(rating)


def test_the_spread_over_orders_narrows_with_k_around_the_fit() -> None:
    votes = simulated(4, votes=4000)
    spec = RankingSpec(position=False)
    slow, fast = (online_elo(votes, spec, k=k, permutations=40) for k in (2.0, 32.0))
    fitted = {s.contestant: s.rating for s in fit(votes, spec).standings}

    def width(result: online.OnlineElo) -> float:
        return float(np.mean([e.upper - e.lower for e in result.ratings]))  # type: ignore[operator]

    assert width(slow) < 0.5 * width(fast)
    for entry in slow.ratings:
        assert entry.median == pytest.approx(fitted[entry.contestant], abs=10.0)


def test_the_same_seed_gives_the_same_spread_and_another_does_not() -> None:
    votes = simulated(5)
    one, again, other = (
        online_elo(votes, RankingSpec(seed=seed), permutations=8).to_dict()["ratings"]
        for seed in (0, 0, 1)
    )

    assert one == again
    assert one != other


def test_the_spec_decides_which_votes_count_and_on_which_scale() -> None:
    votes = simulated(6)
    drop = online_elo(votes, RankingSpec(both_bad="drop", scale=100.0, center=0.0))
    anchored = online_elo(votes, RankingSpec(anchor="model 3", center=500.0), permutations=3)
    pinned = next(e for e in anchored.ratings if e.contestant == "model 3")

    assert drop.counts.both_bad == int((votes.outcome == 3).sum())
    assert drop.counts.counted == len(votes) - drop.counts.both_bad
    assert (pinned.rating, pinned.lower, pinned.upper) == (500.0, 500.0, 500.0)


def test_who_has_no_vote_has_no_rating() -> None:
    votes = Votes.from_columns(["x"], ["y"], ["model_a"], contestants=["x", "y", "z"])
    result = online_elo(votes)

    assert result.absent == ("z",)
    assert ratings(result).keys() == {"x", "y"}


def test_strengths_far_apart_do_not_overflow() -> None:
    result = online_elo(plain(*["A>B", "B>A"] * 3), k=1e9, permutations=2)

    assert all(np.isfinite(entry.rating) for entry in result.ratings)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"k": 0.0}, "k must be"),
        ({"k": float("nan")}, "k must be"),
        ({"permutations": -1}, "permutations must be"),
        ({"permutations": 2.5}, "permutations must be"),
        ({"spec": RankingSpec(controls=("length",))}, "knows no controls"),
        ({"spec": RankingSpec(anchor="nobody")}, "anchor"),
    ],
)
def test_what_it_cannot_do_is_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        online_elo(simulated(7), **settings)  # type: ignore[arg-type]


def test_votes_of_which_none_counts_are_refused() -> None:
    votes = Votes.from_columns(["x"], ["y"], ["both_bad"])
    with pytest.raises(SpecError, match="at least one vote"):
        online_elo(votes, RankingSpec(both_bad="drop"))
