"""Davidson, Rao-Kupper and four outcomes: probabilities, derivatives, limits and invariances."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from ranking import RankingSpec, SeparationError, Votes, fit, style_movement
from ranking.channels import score_change
from ranking.inference import bread, cluster_meat, clusters_of, vote_meat
from ranking.likelihoods import (
    BOTH_BAD_SCORE,
    DAVIDSON,
    FOUR_OUTCOMES,
    FOUR_WITHOUT_TIES,
    RAO_KUPPER,
    Likelihood,
)
from ranking.newton import evaluate, residuals, solve
from tests.ranking.making import (
    CONTROLLED,
    Array,
    assert_same_numbers,
    plain,
    rows_of,
    simulated,
    turned,
)
from tests.ranking.test_newton import derivative, design_of

MODELS = ("davidson", "rao_kupper", "four_outcome")
PLAIN = RankingSpec(position=False, floor=False)


def chances(model: str, a: Array, b: Array, tie: float) -> Array:
    """(4, n) probabilities of a, b, tie and both bad, written out as the papers have them."""
    p, q, theta = np.exp(a), np.exp(b), np.exp(tie)
    if model == "davidson":
        total = p + q + theta * np.sqrt(p * q)
        return np.array([p / total, q / total, theta * np.sqrt(p * q) / total, 0.0 * total])
    ground = 1.0 if model == "four_outcome" else 0.0
    won, lost = p / (p + theta * q + ground), q / (q + theta * p + ground)
    bad = ground / (ground + p + q)
    return np.array([won, lost, 1.0 - won - lost - bad, bad])


def loss_of(model: str, votes: Votes, spec: RankingSpec, point: Array) -> float:
    """−log-likelihood at (θ, γ, tie[, level]), row by row in the order of the votes."""
    z, _ = rows_of(votes, spec)
    m, own = len(votes.contestants), 2 if model == "four_outcome" else 1
    theta, gamma, tie = point[:m], point[m : point.size - own], point[point.size - own]
    u = z[:, m:] @ gamma
    level = point[-1] if own == 2 else 0.0
    a, b = level + theta[votes.a] + u / 2, level + theta[votes.b] - u / 2
    outcome = np.minimum(votes.outcome, 2) if own == 1 else votes.outcome
    return -float(np.log(chances(model, a, b, tie)[outcome, np.arange(len(votes))]).sum())


def spec_of(model: str) -> RankingSpec:
    return replace(CONTROLLED, likelihood=model)


def somewhere(model: str) -> Array:
    own = [0.7, -0.3] if model == "four_outcome" else [0.7]
    return np.append(np.random.default_rng(7).normal(0.0, 0.5, 6 + 3), own)


@pytest.mark.parametrize("model", MODELS)
def test_the_loss_is_that_of_the_papers(model: str) -> None:
    votes, point = simulated(3), somewhere(model)

    assert evaluate(design_of(votes, spec_of(model)), point).loss == pytest.approx(
        loss_of(model, votes, spec_of(model), point), rel=1e-10
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_gradient_and_hessian_are_slopes(model: str, weighted: bool) -> None:
    votes, point = simulated(1), somewhere(model)
    if weighted:
        weight = np.random.default_rng(2).uniform(0.5, 2.0, len(votes))
        votes = replace(votes, weight=weight)
    design = design_of(votes, spec_of(model))
    here = evaluate(design, point)

    slope = derivative(lambda p: evaluate(design, p).loss, point)
    np.testing.assert_allclose(here.gradient, slope, rtol=1e-7, atol=1e-6)
    bend = derivative(lambda p: evaluate(design, p).gradient, point)
    np.testing.assert_allclose(here.hessian, bend, rtol=1e-7, atol=1e-6)
    m = design.contestants
    twice = np.full(len(design), 2.0)
    score = score_change(design, residuals(design, point[:m], point[m:]), twice)
    np.testing.assert_allclose(score, -here.gradient, atol=1e-9)


def test_four_outcomes_without_ties_have_right_slopes() -> None:
    votes = simulated(1)
    votes = replace(votes, outcome=np.where(votes.outcome == 2, 0, votes.outcome).astype(np.int8))
    design, point = design_of(votes, spec_of("four_outcome")), somewhere("davidson")
    assert design.likelihood is FOUR_WITHOUT_TIES

    slope = derivative(lambda p: evaluate(design, p).loss, point)
    np.testing.assert_allclose(evaluate(design, point).gradient, slope, rtol=1e-7, atol=1e-6)
    bend = derivative(lambda p: evaluate(design, p).gradient, point)
    np.testing.assert_allclose(evaluate(design, point).hessian, bend, rtol=1e-7, atol=1e-6)
    nearly = np.insert(point, point.size - 1, 1e-9)
    limit = loss_of("four_outcome", votes, spec_of("four_outcome"), nearly)
    assert evaluate(design, point).loss == pytest.approx(limit, rel=1e-8)


@pytest.mark.parametrize("likelihood", [DAVIDSON, RAO_KUPPER, FOUR_OUTCOMES])
def test_probabilities_sum_to_one_and_keep_their_digits(likelihood: Likelihood) -> None:
    """A gap of 60 makes outcomes of probability 1e-26, whose logarithm must still be right."""
    scores = [1.0, 0.0, 0.5, *([BOTH_BAD_SCORE] if likelihood.levelled else [])]
    for gap in (-60.0, -1.0, 0.0, 3.0, 60.0):
        level = np.array([0.4]) if likelihood.levelled else None
        losses = [
            likelihood.rows(np.array([gap]), 0.3, level, np.array([y]), None)[0] for y in scores
        ]
        assert np.exp(-np.array(losses)).sum() == pytest.approx(1.0, abs=1e-14)
        assert np.isfinite(losses).all()


@pytest.mark.parametrize("model", MODELS)
def test_a_general_optimiser_finds_nothing_better(model: str) -> None:
    votes, spec = simulated(4), spec_of(model)
    solution = solve(design_of(votes, spec))
    best = np.concatenate([solution.theta, solution.gamma])
    bounds: list[tuple[float | None, float | None]] = [(None, None)] * best.size
    bounds[len(votes.contestants) + 3] = (None if model == "davidson" else 0.01, None)
    other = optimize.minimize(
        lambda p: loss_of(model, votes, spec, p), best + 0.3, method="L-BFGS-B", bounds=bounds
    )

    assert solution.loss <= other.fun + 1e-6
    assert solution.loss == pytest.approx(loss_of(model, votes, spec, best), rel=1e-10)
    assert solution.certificate <= 0.5


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_is_recovered(model: str) -> None:
    rng, n, m = np.random.default_rng(0), 60_000, 5
    theta, tie, level = np.linspace(-0.6, 0.6, m), 0.5, 0.4
    a = rng.integers(0, m, n)
    b = (a + rng.integers(1, m, n)) % m
    shown = rng.choice([-1, 1], n)
    above = level if model == "four_outcome" else 0.0
    p = chances(model, above + theta[a] + 0.1 * shown, above + theta[b] - 0.1 * shown, tie)
    outcome = (rng.random(n) > p.cumsum(axis=0)[:3]).sum(axis=0)
    names = [*"ABCDE"]
    votes = Votes.from_columns(a, b, outcome, contestants=names, shown_first=shown)
    board = fit(votes, RankingSpec(likelihood=model, draws=100))

    for standing in board.standings:
        error = abs(standing.theta - theta[names.index(standing.contestant)])
        assert error < 4 * standing.se / board.spec.elo
    assert board.tie is not None
    assert board.position is not None
    assert abs(board.tie.value - tie) < 4 * board.tie.se
    assert abs(board.position.value - 0.2) < 4 * board.position.se
    assert board.coefficients == ()
    if model == "four_outcome":
        assert board.level is not None
        assert abs(board.level.value - level) < 4 * board.level.se
    else:
        assert board.level is None


@pytest.mark.parametrize("model", MODELS)
def test_without_ties_each_is_bradley_terry_and_says_so(model: str) -> None:
    votes = simulated(5)
    votes = replace(votes, outcome=(votes.outcome % 2).astype(np.int8))
    board, want = fit(votes, spec_of(model)), fit(votes, CONTROLLED)

    assert board.tie is None
    assert any("no finite estimate" in warning for warning in board.warnings)
    assert_same_numbers(
        [(s.theta, s.se) for s in board.standings],
        [(s.theta, s.se) for s in want.standings],
    )
    assert board.log_likelihood == want.log_likelihood


def test_four_outcomes_without_both_bad_are_rao_kupper() -> None:
    votes = simulated(6)
    votes = replace(votes, outcome=np.minimum(votes.outcome, 2))
    board, want = fit(votes, spec_of("four_outcome")), fit(votes, spec_of("rao_kupper"))

    assert board.level is None
    assert any("both bad" in warning for warning in board.warnings)
    assert board.tie == want.tie
    assert board.standings == want.standings


@pytest.mark.parametrize("model", ["davidson", "rao_kupper"])
def test_few_ties_come_close_to_bradley_terry(model: str) -> None:
    """The limit without ties is the one that few ties approach."""
    games = ["A>B", "B>C", "C>A", "A>C", "B>A", "C>B", "A>B"]
    votes = plain(*games * 2000, "A=B")
    few, none = fit(votes, replace(PLAIN, likelihood=model)), fit(plain(*games * 2000), PLAIN)

    assert few.tie is not None
    for one, other in zip(few.standings, none.standings, strict=True):
        assert one.theta == pytest.approx(other.theta, abs=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_nothing_but_ties_has_no_tie_parameter(model: str) -> None:
    with pytest.raises(SeparationError, match="tie") as caught:
        fit(plain("A=B", "B=C", "A=C"), replace(PLAIN, likelihood=model))
    assert caught.value.covariates == ("tie",)


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(MODELS), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_recording_votes_the_other_way_round_changes_no_number(
    model: str, seed: int, which: int
) -> None:
    votes = simulated(seed)
    mask = np.random.default_rng(which).random(len(votes)) < 0.5
    spec = replace(spec_of(model), draws=100)
    before = style_movement(votes, spec).to_dict()
    after = style_movement(turned(votes, mask), spec).to_dict()

    assert_same_numbers(before, after, tolerance=1e-9)


def dense_scores(design: Any, residual: Array) -> Array:
    """(n, M + K) one row's score after the other, by the chain rule."""
    scores = np.zeros((len(design), design.contestants + len(design.coefficients)))
    pair = np.repeat(np.arange(design.first.size), design.counts)
    first, second = design.first[pair], design.second[pair]
    n, k = np.arange(len(design)), design.contestants + len(design.names)
    scores[n, first] += residual[0]
    scores[n, second] -= residual[0]
    scores[:, design.contestants : k] = (residual[0] * design.x).T
    scores[:, k:] = residual[1:].T
    if design.likelihood.levelled:
        scores[n, first] += 0.5 * residual[-1]
        scores[n, second] += 0.5 * residual[-1]
    return scores


@pytest.mark.parametrize("model", MODELS)
def test_sandwiches_are_those_of_the_rows_scores(model: str) -> None:
    votes = simulated(8)
    design = design_of(votes, spec_of(model))
    solution = solve(design)
    residual = residuals(design, solution.theta, solution.gamma)
    scores = dense_scores(design, residual)
    np.testing.assert_allclose(scores.sum(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(vote_meat(design, residual), scores.T @ scores, atol=1e-9)

    assert votes.voter is not None
    code = votes.voter[design.rows]
    known = [scores[code == voter].sum(axis=0) for voter in np.unique(code[code >= 0])]
    summed = np.array([*known, *scores[code < 0]])
    clusters = clusters_of(design, votes.voter)
    want = len(summed) / (len(summed) - 1) * summed.T @ summed
    np.testing.assert_allclose(cluster_meat(design, clusters, residual), want, atol=1e-9)

    other = residuals(design, 0.5 * solution.theta, solution.gamma)
    theirs = dense_scores(design, other)
    crossed = np.array(
        [
            *(theirs[code == voter].sum(axis=0) for voter in np.unique(code[code >= 0])),
            *theirs[code < 0],
        ]
    )
    mixed = len(summed) / (len(summed) - 1) * summed.T @ crossed
    np.testing.assert_allclose(cluster_meat(design, clusters, residual, other), mixed, atol=1e-9)


def test_strengths_of_four_outcomes_are_contrasts_and_their_errors_too() -> None:
    """The level is a parameter of its own, so the strengths' errors match another gauge's."""
    design = design_of(simulated(9), spec_of("four_outcome"))
    solution = solve(design)
    m, inverse = design.contestants, bread(design, solution)
    # Without the level the strengths are absolute and the Hessian is regular by itself.
    absolute = np.linalg.inv(solution.hessian[:-1, :-1])
    centre = np.eye(m) - 1.0 / m

    assert abs(solution.theta.sum()) < 1e-9
    np.testing.assert_allclose(
        (inverse @ solution.hessian @ inverse.T)[:m, :m],
        centre @ absolute[:m, :m] @ centre,
        atol=1e-9,
    )


def bad(*results: str) -> Votes:
    """As `plain`, with A~B for a vote that found both bad."""
    names = {">": "model_a", "=": "tie", "~": "both_bad"}
    a, b, winner = zip(*((word[0], word[2], names[word[1]]) for word in results), strict=True)
    return Votes.from_columns(list(a), list(b), list(winner))


FOUR = RankingSpec(likelihood="four_outcome", position=False, floor=False)


def test_the_ground_connects_whom_wins_do_not() -> None:
    """A always beat B, but B also won and A was found bad: all are measured by the ground."""
    votes = bad("A>B", "A>B", "B>C", "A~C", "C>B", "B~C", "A=B")
    decided = bad("A>B", "A>B", "B>C", "C>B", "A>C", "B~C")
    board = fit(votes, FOUR)

    assert sorted(s.contestant for s in board.standings) == ["A", "B", "C"]
    assert [entry.contestant for entry in fit(decided, FOUR).unplaced] == ["A"]


def test_who_only_was_found_bad_is_not_placed() -> None:
    votes = bad("A>B", "B>A", "A~B", "A=B", "X~A", "X~B")
    board = fit(votes, FOUR)

    assert [(entry.contestant, entry.bound) for entry in board.unplaced] == [("X", None)]
    assert board.counts.unplaced == 2


def test_leaving_one_out_may_leave_out_another() -> None:
    """Y beats the ground only by beating X, who is found bad whenever Y is not there."""
    votes = bad("A>B", "B>A", "A~B", "A=B", "Y>X", "Y~A", "X~B", "B>Y")
    board = fit(votes, FOUR)

    assert {entry.contestant for entry in board.unplaced} == {"X", "Y"}
    assert board.counts.counted == 4


def test_four_outcomes_cannot_drop_one() -> None:
    with pytest.raises(ValueError, match="cannot drop"):
        RankingSpec(likelihood="four_outcome", both_bad="drop")


@pytest.mark.parametrize("model", ["davidson", "rao_kupper"])
def test_an_undefeated_contestant_s_bound_has_the_deviance(model: str) -> None:
    """Where the profile, computed by brute force, has fallen to a twentieth of its supremum."""
    games = ["A>B", "B>A", "A=B", "B>C", "C>A", "A>C", "C>B", "B=C"] * 5
    votes = plain(*games, "U>A", "U>B", "U>A")
    spec = replace(PLAIN, likelihood=model)
    (entry,) = fit(votes, spec).unplaced
    assert entry.bound is not None
    t = (entry.bound - 1000.0) / spec.elo

    def profile(free: Array) -> float:
        theta = np.array([free[0], free[1], -free[0] - free[1], t])
        return loss_of(model, votes, spec, np.append(theta, free[2]))

    at_bound = optimize.minimize(profile, [0.0, 0.0, 0.5], method="Nelder-Mead", tol=1e-10)
    supremum = solve(design_of(plain(*games), spec)).loss
    assert at_bound.fun - supremum == pytest.approx(-np.log(0.05), abs=1e-4)
