"""What is said of an estimate without a fit, against the fit."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import RankingSpec, Votes
from ranking.fitting import Estimate, estimate
from ranking.influence import Questioned, fragility_of
from ranking.nearby import Near, Nearby, few_rows
from ranking.refits import refit
from ranking.rigging import rigging_of
from ranking.selection import prepare
from tests.ranking.making import CONTROLLED, simulated


def fitted(votes: Votes, spec: RankingSpec = CONTROLLED) -> Estimate:
    prepared = prepare(votes, spec)
    assert prepared.design is not None
    return estimate(prepared, prepared.design)


@pytest.fixture(scope="module")
def many() -> Estimate:
    return fitted(simulated(1, votes=20_000, contestants=8))


def removal(nearby: Nearby, rows: np.ndarray, want: float) -> Near | None:
    design = nearby.fitted.design
    gone = few_rows(design, rows, design.y[rows], np.full(rows.size, -1.0))
    return nearby.settle(gone, lambda near: near if near.spread.max() < want else None)


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.1, 0.4])
@pytest.mark.parametrize("prior", [0.0, 20.0])
def test_a_refit_lies_within_the_bounds(share: float, prior: float) -> None:
    votes = simulated(2, votes=20_000, contestants=8)
    base = fitted(votes, replace(CONTROLLED, prior_strengths=prior))
    nearby = Nearby.of(base)
    assert nearby is not None
    rng = np.random.default_rng(3)
    # Votes of one side alone go, so that the estimate moves.
    lost = np.flatnonzero((base.design.y == 0.0) & (rng.random(len(base.design)) < 3.0 * share))
    rows = lost[: max(1, int(share * len(base.design)))]
    times = np.ones(len(base.design))
    times[rows] = 0.0
    found = refit(base, times)
    assert found is not None

    for want in (1.0, 1e-2, 1e-4, 1e-9):
        near = removal(nearby, rows, want)
        if near is None:
            assert want < 1e-4 or share > 0.05
            continue
        gap = near.theta[:, None] - near.theta
        exact = found.theta[:, None] - found.theta
        assert (np.abs(gap - exact) <= near.spread + 1e-9).all()


def test_added_votes_are_those_of_a_design_with_them(many: Estimate) -> None:
    nearby, design = Nearby.of(many), many.design
    assert nearby is not None
    rows = np.array([5, 5, 5, 700, 701, 19_000])
    come = few_rows(design, rows, np.ones(rows.size), np.ones(rows.size))
    near = nearby.settle(come, lambda near: near if near.spread.max() < 1e-9 else None)
    assert near is not None

    votes = many.prepared.votes
    source = np.append(np.arange(len(votes)), design.rows[rows])
    labels = np.repeat(design.first, design.counts)[rows]
    outcome = np.append(votes.outcome, np.where(votes.a[design.rows[rows]] == labels, 0, 1))
    assert votes.shown_first is not None
    more = replace(
        votes,
        a=votes.a[source],
        b=votes.b[source],
        outcome=outcome,
        shown_first=votes.shown_first[source],
        voter=None,
        features={name: (a[source], b[source]) for name, (a, b) in votes.features.items()},
    )
    exact = fitted(more, many.prepared.spec).solution.theta
    assert near.theta - near.theta.mean() == pytest.approx(exact, abs=1e-8)


def test_too_much_change_is_left_to_a_fit(many: Estimate) -> None:
    nearby = Nearby.of(many)
    assert nearby is not None
    of_one = (many.design.first == 0) | (many.design.second == 0)
    rows = np.flatnonzero(np.repeat(of_one, many.design.counts))

    assert removal(nearby, rows, 1.0) is None


@pytest.mark.parametrize("changes", [{"likelihood": "davidson"}, {"weights": "inverse_pair"}])
def test_other_fits_have_no_bounds(changes: dict[str, str]) -> None:
    base = fitted(simulated(4), replace(CONTROLLED, **changes))

    assert Nearby.of(base) is None


@pytest.mark.parametrize("seed", range(3))
def test_bounds_decide_as_refits_do(seed: int) -> None:
    """The same searches, once with bounds and once without."""
    votes = simulated(seed, votes=4_000, contestants=6)
    questioned = Questioned.of(votes, CONTROLLED)
    assert questioned.nearby is not None
    exactly = replace(questioned, nearby=None)

    for unit in ("vote", "voter"):
        for one, other in zip(
            fragility_of(questioned, None, unit), fragility_of(exactly, None, unit), strict=True
        ):
            assert one.after == pytest.approx(other.after, abs=1e-6)
            assert replace(one, after=None) == replace(other, after=None)
    for name in questioned.fitted.prepared.labels:
        if questioned.fitted.solution.theta.argmax() != (
            questioned.fitted.prepared.labels.index(name)
        ):
            assert rigging_of(questioned, name) == rigging_of(exactly, name)
