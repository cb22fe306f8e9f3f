"""The engine gives the values that two independent computations gave."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranking import Leaderboard, RankingSpec, Votes, fit
from ranking.inference import fisher
from ranking.io import read_votes
from ranking.newton import solve
from ranking.selection import prepare

PLAIN = RankingSpec(position=False, floor=False, cluster=False)
Golden = Mapping[str, Any]


def by_name(board: Leaderboard, field: str) -> dict[str, float]:
    return {standing.contestant: getattr(standing, field) for standing in board.standings}


def column(golden: Golden, name: str) -> dict[str, float]:
    index = golden["columns"].index(name)
    return {row[0]: row[index] for row in golden["rows"]}


@pytest.fixture
def games(golden: Golden) -> tuple[list[str], list[str]]:
    """The 22 games of the article's example: winners and losers, in the order listed."""
    rows = [(a, b) for a, b, times in golden["wikipedia"]["wins"] for _ in range(times)]
    return [a for a, _ in rows], [b for _, b in rows]


@pytest.fixture
def wikipedia(games: tuple[list[str], list[str]]) -> Votes:
    return Votes.from_columns(*games, ["model_a"] * 22)


def test_wikipedia(wikipedia: Votes, golden: Golden) -> None:
    board, want = fit(wikipedia, PLAIN), golden["wikipedia"]
    elo = 400 / np.log(10)

    assert board.log_likelihood == pytest.approx(-want["nll"], abs=1e-8)
    for i, name in enumerate(want["order"]):
        assert by_name(board, "theta")[name] == pytest.approx(want["theta"][i], abs=1e-8)
        assert by_name(board, "rating")[name] == pytest.approx(want["elo_400_1000"][i], abs=1e-7)
        assert by_name(board, "se")[name] == pytest.approx(elo * want["se_sandwich"][i], abs=1e-7)


def test_wikipedia_model_based_errors(wikipedia: Votes, golden: Golden) -> None:
    design = prepare(wikipedia, PLAIN).design
    assert design is not None
    errors = np.sqrt(fisher(design, solve(design)).diagonal())

    np.testing.assert_allclose(errors, golden["wikipedia"]["se_fisher"], atol=1e-8)


@pytest.fixture
def contextual_features() -> dict[str, tuple[Any, Any]]:
    """Two columns whose pair difference is cos(k)."""
    wave = np.cos(np.arange(22))
    return {"tokens": (0.5 + 0.5 * wave, 0.5 - 0.5 * wave)}


CONTEXTUAL = RankingSpec(
    controls=("length",), scales={"length": 1.0}, position=False, floor=False, cluster=False
)


def check_contextual(board: Leaderboard, want: Golden) -> None:
    elo = 400 / np.log(10)
    for name, theta, se in zip("ABCD", want["theta"], want["se_sandwich"], strict=False):
        assert by_name(board, "theta")[name] == pytest.approx(theta, abs=1e-8)
        assert by_name(board, "se")[name] == pytest.approx(elo * se, abs=1e-7)
    (length,) = board.coefficients
    assert length.value == pytest.approx(want["gamma"], abs=1e-8)
    assert length.se == pytest.approx(want["se_sandwich"][4], abs=1e-8)


def test_contextual(
    games: tuple[list[str], list[str]], contextual_features: Any, golden: Golden
) -> None:
    votes = Votes.from_columns(*games, ["model_a"] * 22, features=contextual_features)
    board = fit(votes, CONTEXTUAL)

    check_contextual(board, golden["contextual"]["mle"])
    assert -board.log_likelihood == pytest.approx(golden["contextual"]["mle"]["nll"], abs=1e-8)


def test_contextual_weighted_by_inverse_pair_count(
    games: tuple[list[str], list[str]], contextual_features: Any, golden: Golden
) -> None:
    pairs = [frozenset(game) for game in zip(*games, strict=True)]
    weight = [1.0 / pairs.count(pair) for pair in pairs]
    votes = Votes.from_columns(
        *games, ["model_a"] * 22, features=contextual_features, weight=weight
    )

    check_contextual(fit(votes, CONTEXTUAL), golden["contextual"]["weighted"])
    spec = replace(CONTEXTUAL, weights="inverse_pair", pair_floor=1)
    check_contextual(fit(replace(votes, weight=None), spec), golden["contextual"]["weighted"])


@pytest.fixture(scope="module")
def llmfao(real_votes: Path) -> Votes:
    return Votes.from_arrow(read_votes(real_votes / "llmfao.csv").table)


def test_llmfao(llmfao: Votes, golden: Golden) -> None:
    board, want = fit(llmfao, RankingSpec(position=False, floor=False)), golden["llmfao"]

    assert len(board.standings) == 59
    assert by_name(board, "rating") == pytest.approx(column(want, "rating"), abs=1e-5)
    assert by_name(board, "se_unclustered") == pytest.approx(column(want, "se"), abs=1e-5)
    assert by_name(board, "se") == pytest.approx(column(want, "se_clustered"), abs=1e-5)
    assert board.clusters == 124
    assert board.effective_voters == pytest.approx(want["effective_voters"], abs=1e-5)


def test_llmfao_with_position(llmfao: Votes, golden: Golden) -> None:
    board, want = fit(llmfao, RankingSpec(floor=False)), golden["llmfao"]
    ratings, errors = (
        column(want, "rating_with_position"),
        column(want, "se_clustered_with_position"),
    )

    assert by_name(board, "rating") == pytest.approx(ratings, abs=1e-5)
    assert by_name(board, "se") == pytest.approx(errors, abs=1e-5)
    assert board.position is not None
    assert board.position.value == pytest.approx(want["position_coefficient"], abs=1e-7)


def test_arena_140k(real_votes: Path, golden: Golden) -> None:
    read = read_votes(real_votes / "arena_140k_votes.parquet", skip_bad=True)
    board, want = fit(Votes.from_arrow(read.table), PLAIN), golden["arena_140k"]

    assert (read.rows_read, len(read.rejects), board.counts.counted) == (135_634, 10, 135_624)
    assert len(board.standings) == 53
    assert by_name(board, "rating") == pytest.approx(column(want, "rating"), abs=1e-5)
    assert by_name(board, "se") == pytest.approx(column(want, "se"), abs=1e-5)


def test_the_floor_keeps_two_votes_from_looking_certain(real_votes: Path) -> None:
    table = read_votes(real_votes / "arena_140k_votes.parquet", skip_bad=True).table
    votes, name = Votes.from_arrow(table), "qwen3-coder-480b-a35b-instruct"

    assert by_name(fit(votes, PLAIN), "se")[name] < 7
    assert 235 < by_name(fit(votes, RankingSpec(position=False)), "se")[name] < 247
