"""What control of style moves, and how sure that is."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import RankingSpec, SpecError, fit, style_movement
from ranking.movement import raw_of
from tests.ranking.making import CONTROLLED, assert_same_numbers, simulated
from tests.ranking.test_inference import ELO, clustered, scores


def test_both_boards_are_fits_to_the_same_votes() -> None:
    votes = simulated(1)
    a, b = (np.array(column) for column in votes.features["headers"])
    a[:50] = np.nan
    votes = replace(votes, features={**votes.features, "headers": (a, b)})
    moved = style_movement(votes, CONTROLLED)

    assert moved.raw.counts == moved.controlled.counts
    assert moved.raw.counts.missing == 50
    assert moved.raw.spec.controls == ()
    assert moved.raw.position is not None
    assert_same_numbers(moved.controlled.to_dict(), fit(votes, CONTROLLED).to_dict())
    assert_same_numbers(moved.raw.to_dict(), fit(votes, raw_of(CONTROLLED)).to_dict())


def test_each_board_says_what_it_would_say_alone() -> None:
    votes = simulated(1)
    decided = replace(votes, outcome=np.minimum(votes.outcome, 1))
    spec = replace(CONTROLLED, likelihood="davidson")
    moved = style_movement(decided, spec)

    assert moved.raw.warnings == fit(decided, raw_of(spec)).warnings != ()
    assert moved.controlled.warnings == fit(decided, spec).warnings


def test_movement_is_controlled_less_raw() -> None:
    moved = style_movement(simulated(2), CONTROLLED)
    raw = {standing.contestant: standing for standing in moved.raw.standings}

    for standing, movement in zip(moved.controlled.standings, moved.movements, strict=True):
        before = raw[standing.contestant]
        assert movement.contestant == standing.contestant
        assert movement.ranks == before.rank - standing.rank
        assert movement.rating == pytest.approx(standing.rating - before.rating, abs=1e-9)
        assert movement.lower < movement.rating < movement.upper


@pytest.mark.parametrize("cluster", [True, False])
def test_the_movement_s_error_is_that_of_the_difference_of_influences(cluster: bool) -> None:
    votes = simulated(3)
    spec = replace(CONTROLLED, cluster=cluster)
    moved = style_movement(votes, spec)
    s, inverse = scores(votes, spec)
    s_raw, inverse_raw = scores(votes, raw_of(spec))
    influence = s @ inverse[:6].T - s_raw @ inverse_raw[:6].T
    variance = clustered(votes, influence) if cluster else influence.T @ influence
    error = dict(zip(votes.contestants, ELO * np.sqrt(variance.diagonal()), strict=True))

    for movement in moved.movements:
        assert movement.se == pytest.approx(error[movement.contestant], rel=1e-7)


def test_the_movement_s_interval_is_narrower_than_two_independent_ones() -> None:
    moved = style_movement(simulated(4, votes=3000), CONTROLLED)
    raw = {standing.contestant: standing.se for standing in moved.raw.standings}
    for standing, movement in zip(moved.controlled.standings, moved.movements, strict=True):
        assert movement.se < 0.7 * np.hypot(standing.se, raw[standing.contestant])


def test_the_movement_s_interval_covers() -> None:
    """Style that differs between contestants moves them by a known amount in the long run."""
    truth = style_movement(simulated(100, votes=200_000, voters=20_000), CONTROLLED)
    expected = {movement.contestant: movement.rating for movement in truth.movements}
    spec = replace(CONTROLLED, draws=100, cluster=False)
    large = simulated(100, votes=200_000, voters=20_000)
    inside = total = 0
    for part in range(40):
        rows = slice(5000 * part, 5000 * (part + 1))
        assert large.shown_first is not None
        votes = replace(
            large,
            a=large.a[rows],
            b=large.b[rows],
            outcome=large.outcome[rows],
            shown_first=large.shown_first[rows],
            voter=None,
            features={n: (a[rows], b[rows]) for n, (a, b) in large.features.items()},
        )
        for movement in style_movement(votes, spec).movements:
            inside += movement.lower <= expected[movement.contestant] <= movement.upper
            total += 1

    assert 0.90 <= inside / total <= 0.99


def test_a_movement_needs_controls() -> None:
    with pytest.raises(SpecError, match="at least one control"):
        style_movement(simulated(5), RankingSpec())


def test_nobody_placed_means_nothing_moved() -> None:
    votes = replace(simulated(6, votes=1), outcome=np.array([0]))
    moved = style_movement(votes, CONTROLLED)

    assert moved.movements == ()
    assert moved.raw.standings == moved.controlled.standings == ()
