"""The weighted bootstrap: what it resamples, what it says, and that it agrees with the sandwich."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ranking import Bootstrap, RankingSpec, SpecError, Votes, bootstrap_fit, fit
from tests.ranking.making import CONTROLLED, Array, assert_same_numbers, plain, simulated

RAW = RankingSpec(draws=100)


def ses(found: Bootstrap) -> Array:
    return np.array([standing.se for standing in found.standings])


@pytest.mark.parametrize("by", ["vote", "voter"])
def test_it_agrees_with_the_sandwich(by: str) -> None:
    votes = simulated(1, votes=3000, voters=150)
    found = bootstrap_fit(votes, CONTROLLED, replicates=400, by=by)
    board = fit(votes, replace(CONTROLLED, cluster=by == "voter"))

    assert found.by == by
    np.testing.assert_allclose(ses(found), [s.se for s in board.standings], rtol=0.15)
    coefficients = (*board.coefficients, board.position)
    for one, other in zip(found.coefficients, coefficients, strict=True):
        assert other is not None
        assert one.name == other.name
        assert one.se == pytest.approx(other.se, rel=0.15)
        assert one.lower == pytest.approx(other.lower, abs=0.5 * other.se)
    for one, other in zip(found.standings, board.standings, strict=True):
        assert one.rating_lower == pytest.approx(other.rating_lower, abs=0.5 * other.se)
        assert one.rating_upper == pytest.approx(other.rating_upper, abs=0.5 * other.se)


def test_voters_are_resampled_as_a_whole() -> None:
    """Voters who repeat one vote twenty times are worth one vote each."""
    votes = simulated(2, votes=150, spread=0.2)
    rows = np.repeat(np.arange(len(votes)), 20)
    blocks = replace(
        votes,
        a=votes.a[rows],
        b=votes.b[rows],
        outcome=votes.outcome[rows],
        shown_first=None,
        voter=rows,
        features={},
    )
    voters = bootstrap_fit(blocks, RAW, replicates=200, by="voter")
    alone = bootstrap_fit(blocks, RAW, replicates=200, by="vote")

    assert np.median(ses(voters) / ses(alone)) == pytest.approx(np.sqrt(20), rel=0.3)


def test_auto_does_what_the_intervals_do() -> None:
    votes = simulated(3)
    assert bootstrap_fit(votes, RAW, replicates=10).by == "voter"
    assert bootstrap_fit(votes, replace(RAW, cluster=False), replicates=10).by == "vote"
    assert bootstrap_fit(replace(votes, voter=None), RAW, replicates=10).by == "vote"


def test_voters_of_one_vote_each_are_votes() -> None:
    votes = simulated(4)
    apart = replace(votes, voter=np.arange(len(votes)))
    by_voter = bootstrap_fit(apart, RAW, replicates=300, by="voter")
    by_vote = bootstrap_fit(apart, RAW, replicates=300, by="vote")

    np.testing.assert_allclose(ses(by_voter), ses(by_vote), rtol=0.2)


def test_more_replicates_extend_fewer() -> None:
    votes = simulated(5)
    few = bootstrap_fit(votes, CONTROLLED, replicates=10)
    more = bootstrap_fit(votes, CONTROLLED, replicates=15)
    other = bootstrap_fit(votes, replace(CONTROLLED, seed=1), replicates=10)

    assert np.array_equal(few.ratings, more.ratings[:10])
    assert not np.array_equal(few.ratings, other.ratings)
    again = bootstrap_fit(votes, CONTROLLED, replicates=10)
    assert json.dumps(few.to_dict()) == json.dumps(again.to_dict())


def test_ratings_are_contrasts_with_the_board_s_mean() -> None:
    found = bootstrap_fit(simulated(6), CONTROLLED, replicates=20)
    np.testing.assert_allclose(found.ratings.mean(axis=1), 1000.0)

    anchored = bootstrap_fit(simulated(6), replace(CONTROLLED, anchor="model 2"), replicates=20)
    np.testing.assert_allclose(ses(anchored), ses(found), atol=1e-9)


def rare() -> Votes:
    """Three well known contestants and one that won and lost once."""
    common = ["A>B", "B>A", "B>C", "C>B", "C>A", "A>C"] * 8
    return plain(*common, "D>A", "B>D")


def test_who_cannot_be_placed_is_counted_and_never_filled_in() -> None:
    found = bootstrap_fit(rare(), RankingSpec(position=False), replicates=200)
    by_name = {standing.contestant: standing for standing in found.standings}
    column = [standing.contestant for standing in found.standings].index("D")
    missing = int(np.isnan(found.ratings[:, column]).sum())

    # Both of its votes are drawn with probability (1 − 1/e)² or so.
    assert missing / 200 == pytest.approx(1 - (1 - np.exp(-1)) ** 2, abs=0.1)
    assert by_name["D"].unplaced == missing
    assert by_name["D"].placed + missing == 200
    assert by_name["A"].unplaced == found.without_estimate == 0
    assert [w for w in found.warnings if w.startswith(f"D: {missing} of 200 replicates")]
    placed = found.ratings[:, column][~np.isnan(found.ratings[:, column])]
    assert by_name["D"].se == pytest.approx(placed.std(ddof=1))


def test_who_is_missing_does_not_shift_the_others() -> None:
    """Against a mean that D left, everybody else would jump whenever it is missing."""
    found = bootstrap_fit(rare(), RankingSpec(position=False, floor=False), replicates=400)
    names = [standing.contestant for standing in found.standings]
    gone = np.isnan(found.ratings[:, names.index("D")])
    others = np.delete(found.ratings, names.index("D"), axis=1)

    base = np.mean([s.rating for s in found.standings if s.contestant != "D"])
    np.testing.assert_allclose(others[gone].mean(axis=1), base)


def test_replicates_without_an_estimate_are_said() -> None:
    votes = plain("A>B", "B>A", "A>B")
    found = bootstrap_fit(votes, RankingSpec(position=False), replicates=300)

    # Only one of the three votes is won by B: without it, or with it alone, nobody is placed.
    expected = (2 / 3) ** 3 + (1 / 3) ** 3
    assert found.without_estimate / 300 == pytest.approx(expected, abs=0.08)
    assert np.isnan(found.ratings).all(axis=1).sum() == found.without_estimate
    assert any("have no estimate at all" in warning for warning in found.warnings)


def test_ranks_are_percentiles_of_ranks() -> None:
    found = bootstrap_fit(simulated(7, spread=1.5), RAW, replicates=100)
    for column, standing in enumerate(found.standings):
        ranks = 1 + (found.ratings > found.ratings[:, [column]]).sum(axis=1)
        assert standing.rank_lower is not None
        assert standing.rank_upper is not None
        inside = (ranks >= standing.rank_lower) & (ranks <= standing.rank_upper)
        assert inside.mean() >= 0.95


def test_nobody_placed() -> None:
    found = bootstrap_fit(plain("A>B"), RankingSpec(position=False), replicates=10)

    assert found.standings == ()
    assert found.without_estimate == 10
    assert json.loads(json.dumps(found.to_dict()))["standings"] == []


def test_progress_is_told() -> None:
    told: list[int] = []
    bootstrap_fit(simulated(8), RAW, replicates=12, progress=told.append)

    assert told == list(range(1, 13))


def test_settings_are_checked() -> None:
    votes = simulated(9)
    with pytest.raises(SpecError, match="at least 10"):
        bootstrap_fit(votes, RAW, replicates=9)
    with pytest.raises(SpecError, match="auto, vote or voter"):
        bootstrap_fit(votes, RAW, by="pair")
    with pytest.raises(SpecError, match="known voter"):
        bootstrap_fit(replace(votes, voter=None), RAW, by="voter")


def test_labels_and_sides_leave_the_errors_alone() -> None:
    """Which side a vote was recorded on changes no replicate."""
    from tests.ranking.making import turned

    votes = simulated(10)
    other = turned(votes, np.arange(len(votes)) % 3 == 0)
    one, two = (bootstrap_fit(v, CONTROLLED, replicates=15).to_dict() for v in (votes, other))

    assert_same_numbers(one, two, 1e-8)
