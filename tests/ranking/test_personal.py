"""One person's ranking: the posterior of a stated prior, and how little few votes say."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import optimize, special

from ranking import SpecError, Votes
from ranking.personal import PRIOR_SD, PersonalRanking, personal_ranking, personal_spec

Row = tuple[str, str, str]


def votes_of(rows: Sequence[Row], excluded: Sequence[str | None] | None = None) -> Votes:
    a, b, winner = zip(*rows, strict=True)
    return Votes.from_columns(a, b, winner, excluded=excluded)


def ranks(ranking: PersonalRanking) -> dict[str, tuple[int, int]]:
    return {one.contestant: (one.rank_lower, one.rank_upper) for one in ranking.standings}


def drawn(seed: int, votes: int = 60, contestants: int = 6, spread: float = 1.0) -> list[Row]:
    rng = np.random.default_rng(seed)
    theta = spread * np.linspace(1.0, -1.0, contestants)
    rows: list[Row] = []
    for _ in range(votes):
        a, b = rng.choice(contestants, 2, replace=False)
        won = rng.random() < special.expit(theta[a] - theta[b])
        outcome = "tie" if rng.random() < 0.1 else "model_a" if won else "model_b"
        rows.append((f"m{a}", f"m{b}", outcome))
    return rows


def test_it_works() -> None:
    ranking = personal_ranking(votes_of([("wren", "kite", "model_a")] * 7))

    assert [one.contestant for one in ranking.standings] == ["wren", "kite"]
    assert ranking.settled == (("wren", "kite"),)
    assert ranks(ranking) == {"wren": (1, 1), "kite": (2, 2)}
    assert ranking.votes == 7


def test_ratings_are_the_mode_of_the_stated_posterior() -> None:
    """Against a minimiser that knows nothing of Newton's method here."""
    rows, sd = drawn(1), 250.0
    ranking = personal_ranking(votes_of(rows), personal_spec(sd))
    names, elo = sorted({name for row in rows for name in row[:2]}), ranking.spec.elo
    place = {name: k for k, name in enumerate(names)}
    a, b = (np.array([place[row[side]] for row in rows]) for side in (0, 1))
    y = np.array([{"model_a": 1.0, "model_b": 0.0, "tie": 0.5}[row[2]] for row in rows])

    def objective(theta: np.ndarray) -> float:
        d, centred = theta[a] - theta[b], theta - theta.mean()
        loss = np.logaddexp(0.0, -d) + (1.0 - y) * d
        return float(loss.sum() + centred @ centred / (2.0 * (sd / elo) ** 2))

    found = optimize.minimize(objective, np.zeros(len(names)), tol=1e-12).x
    rating = {one.contestant: one.rating for one in ranking.standings}
    expected = 1000.0 + elo * (found - found.mean())
    assert [rating[name] for name in names] == pytest.approx(expected, abs=0.05)


def test_intervals_are_of_the_inverse_information() -> None:
    """Two contestants: the posterior of their gap has the precision n p(1 − p) + 1/(2σ²)."""
    ranking = personal_ranking(votes_of([("a", "b", "model_a")] * 3 + [("a", "b", "model_b")]))
    best, elo = ranking.standings[0], ranking.spec.elo
    gap = 2.0 * (best.rating - 1000.0) / elo
    p = special.expit(gap)
    precision = 4.0 * p * (1.0 - p) + 0.5 * (elo / PRIOR_SD) ** 2
    half = 1.959964 * elo * 0.5 / np.sqrt(precision)

    assert 4.0 * p + gap * 0.5 * (elo / PRIOR_SD) ** 2 == pytest.approx(3.0)
    assert (best.rating_upper - best.rating_lower) / 2 == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_few_votes_place_nobody(count: int) -> None:
    ranking = personal_ranking(votes_of([("a", "b", "model_a")] * count))

    assert ranking.settled == ()
    assert ranks(ranking) == {"a": (1, 2), "b": (1, 2)}
    assert ranking.standings[0].rating_lower < ranking.standings[1].rating_upper


def test_ties_alone_part_nobody() -> None:
    ranking = personal_ranking(votes_of([("a", "b", "tie"), ("b", "a", "both_bad")] * 50))

    assert ranking.settled == ()
    assert [one.rank for one in ranking.standings] == [1, 1]


def test_whom_no_chain_of_votes_connects_are_never_compared() -> None:
    """One is always better than its opponent, one always worse: only the prior compares them."""
    rows = [("a", "b", "model_a")] * 60 + [("c", "d", "model_a")] * 60
    ranking = personal_ranking(votes_of(rows))

    assert set(ranking.settled) == {("a", "b"), ("c", "d")}
    assert ranks(ranking)["a"] == (1, 3)
    assert ranks(ranking)["d"] == (2, 4)


def test_a_rank_set_is_what_the_settled_pairs_say() -> None:
    ranking = personal_ranking(votes_of(drawn(3, votes=400, spread=1.5)))

    assert ranking.settled
    for one in ranking.standings:
        above = sum(worse == one.contestant for _, worse in ranking.settled)
        below = sum(better == one.contestant for better, _ in ranking.settled)
        assert (one.rank_lower, one.rank_upper) == (1 + above, 6 - below)
        assert one.rank_lower <= one.rank <= one.rank_upper


def test_sides_and_order_leave_no_trace() -> None:
    rows = drawn(4, votes=200)
    other = {"model_a": "model_b", "model_b": "model_a", "tie": "tie"}
    turned = [(b, a, other[outcome]) for a, b, outcome in reversed(rows)]

    assert personal_ranking(votes_of(rows)) == personal_ranking(votes_of(turned))


def test_excluded_votes_and_contestants_of_these_alone_are_left_out() -> None:
    rows = [*drawn(5), ("ghost", "m0", "model_a")]
    excluded = [None] * 60 + ["rigging"]

    assert personal_ranking(votes_of(rows, excluded)) == personal_ranking(votes_of(rows[:-1]))


def test_no_counted_vote_is_an_empty_ranking() -> None:
    ranking = personal_ranking(votes_of([("a", "b", "model_a")], ["rigging"]))

    assert (ranking.votes, ranking.standings, ranking.settled) == (0, (), ())


def test_a_prior_without_width_is_refused() -> None:
    with pytest.raises(SpecError, match="positive"):
        personal_spec(0.0)
