"""Votes with known truth, and the fit done the slow and obvious way."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ranking import RankingSpec, Votes
from ranking.covariates import CONTROLS, pair_difference

Array = npt.NDArray[Any]
FEATURES = ("tokens", "headers")
CONTROLLED = RankingSpec(controls=("length", "headers"), floor=False, draws=500)


def simulated(
    seed: int, votes: int = 400, contestants: int = 6, voters: int = 40, spread: float = 0.4
) -> Votes:
    """Votes of a right model: strengths, two style covariates, a position effect, ties."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, contestants, votes)
    b = (a + rng.integers(1, contestants, votes)) % contestants
    features = {
        name: tuple(np.round(rng.lognormal(3.0, 0.8, votes)) for _ in "ab") for name in FEATURES
    }
    shown = rng.choice([-1, 1], votes)
    theta = rng.normal(0.0, spread, contestants)
    x = [pair_difference(*columns) for columns in features.values()]
    eta = theta[a] - theta[b] + 0.8 * x[0] + 0.4 * x[1] + 0.1 * shown
    outcome = np.where(rng.random(votes) < 1 / (1 + np.exp(-eta)), 0, 1)
    outcome[rng.random(votes) < 0.15] = 2
    outcome[rng.random(votes) < 0.05] = 3
    return Votes.from_columns(
        a,
        b,
        outcome,
        contestants=[f"model {i}" for i in range(contestants)],
        voter=rng.integers(-1, voters, votes),
        shown_first=shown,
        features=features,
    )


def turned(votes: Votes, which: Array) -> Votes:
    """The same votes, those in `which` recorded the other way round."""
    assert votes.shown_first is not None
    swap = np.array([1, 0, 2, 3], dtype=np.int8)
    return replace(
        votes,
        a=np.where(which, votes.b, votes.a),
        b=np.where(which, votes.a, votes.b),
        outcome=np.where(which, swap[votes.outcome], votes.outcome),
        shown_first=np.where(which, -votes.shown_first, votes.shown_first),
        features={
            name: (np.where(which, b, a), np.where(which, a, b))
            for name, (a, b) in votes.features.items()
        },
    )


def repeated(votes: Votes, times: int) -> Votes:
    """Every vote `times` times."""

    def tiled(column: Array) -> Array:
        return np.tile(column, times)

    assert votes.shown_first is not None
    assert votes.voter is not None
    return replace(
        votes,
        a=tiled(votes.a),
        b=tiled(votes.b),
        outcome=tiled(votes.outcome),
        shown_first=tiled(votes.shown_first),
        voter=tiled(votes.voter),
        features={name: (tiled(a), tiled(b)) for name, (a, b) in votes.features.items()},
    )


def plain(*results: str) -> Votes:
    """Votes from words such as "A>B" (A beat B) and "A=B" (a tie)."""
    rows = [(word[0], word[2], "model_a" if word[1] == ">" else "tie") for word in results]
    a, b, winner = zip(*rows, strict=True)
    return Votes.from_columns(list(a), list(b), list(winner))


def rows_of(votes: Votes, spec: RankingSpec) -> tuple[Array, Array]:
    """Z, (n, M + K), and y, (n,), as the model writes them: dense, in the order of the votes."""
    n, m = len(votes), len(votes.contestants)
    strengths = np.zeros((n, m))
    strengths[np.arange(n), votes.a] += 1.0
    strengths[np.arange(n), votes.b] -= 1.0
    columns = []
    for name in spec.controls:
        a, b = votes.features[CONTROLS[name]]
        x = np.where(a + b > 0, (a - b) / np.where(a + b > 0, a + b, 1.0), 0.0)
        columns.append(x / np.sqrt(np.mean(x**2)))
    if spec.position:
        columns.append(np.ones(n) if votes.shown_first is None else votes.shown_first)
    y = np.choose(votes.outcome, [1.0, 0.0, 0.5, 0.5])
    return np.column_stack([strengths, *columns]), y


def loss_at(z: Array, y: Array, point: Array) -> float:
    """−log-likelihood with half-win ties, straight from its definition."""
    p = 1.0 / (1.0 + np.exp(-(z @ point)))
    return float(-np.sum(y * np.log(p) + (1.0 - y) * np.log(1.0 - p)))


def numbers(data: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number in JSON-able data with its place."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from numbers(value, f"{path}.{key}")
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            yield from numbers(value, f"{path}[{index}]")
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield path, float(data)


def assert_same_numbers(one: Any, other: Any, tolerance: float = 1e-9) -> None:
    first, second = dict(numbers(one)), dict(numbers(other))
    assert first.keys() == second.keys()
    apart = {
        place: (first[place], second[place])
        for place in first
        if not abs(first[place] - second[place]) <= tolerance
    }
    assert not apart
