"""Simulated votes: the same seed the same bytes, and a truth that a fit recovers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranking import RankingSpec, SpecError, Votes, fit
from ranking.cli import main
from ranking.io import read_votes
from ranking.simulation import SimulationSpec, drawn_outcomes, simulate

SMALL = {"contestants": 8, "votes": 600, "voters": 60}


def test_it_works() -> None:
    made = simulate(SimulationSpec())
    votes = Votes.from_arrow(made.votes)

    assert len(votes) == 30_000
    assert len(votes.contestants) == 40
    assert list(made.theta) == sorted(votes.contestants)
    assert np.std(list(made.theta.values())) == pytest.approx(0.35)


def test_a_fit_recovers_the_truth_within_its_intervals() -> None:
    """At about the nominal rate: 95 % of 6 × 24 ratings, and coefficients and position."""
    inside, coefficients = [], []
    for seed in range(6):
        made = simulate(SimulationSpec(contestants=24, votes=12_000, voters=800, seed=seed))
        spec = RankingSpec(controls=tuple(made.spec.style), draws=100)
        board = fit(Votes.from_arrow(made.votes), spec)
        for standing in board.standings:
            planted = spec.center + spec.elo * made.theta[standing.contestant]
            inside.append(standing.rating_lower <= planted <= standing.rating_upper)
        assert board.position is not None
        found = {one.name: one for one in (*board.coefficients, board.position)}
        for name, value in {**made.spec.style, "position": made.spec.position}.items():
            coefficients.append(found[name].lower <= value <= found[name].upper)
        assert dict(board.spec.scales or {}) == pytest.approx(made.scales)

    assert 0.91 <= np.mean(inside) <= 0.99
    assert np.mean(coefficients) >= 0.85


def test_ties_keep_the_expected_score() -> None:
    rng = np.random.default_rng(0)
    p = np.full(200_000, 0.7)
    outcome = drawn_outcomes(rng, p, rng.random(p.size), 0.6, 0.25)
    share = np.bincount(outcome, minlength=4) / p.size

    assert share[0] + 0.5 * (share[2] + share[3]) == pytest.approx(0.7, abs=0.005)
    assert share[2] + share[3] == pytest.approx(0.6 * 0.7 * 0.3, abs=0.005)
    assert share[3] / (share[2] + share[3]) == pytest.approx(0.25, abs=0.02)


def test_few_voters_are_very_active_and_none_too_much() -> None:
    voter = Votes.from_arrow(simulate(SimulationSpec()).votes).voter
    assert voter is not None
    votes_of = np.sort(np.bincount(voter))[::-1]

    assert votes_of[0] < 0.015 * votes_of.sum()
    assert votes_of[: len(votes_of) // 10].sum() > 0.4 * votes_of.sum()


def test_votes_without_style_ties_or_voters_in_common() -> None:
    plain = SimulationSpec(style={}, ties=0.0, correlation=0.0, **SMALL)
    votes = Votes.from_arrow(simulate(plain).votes)

    assert votes.features == {}
    assert set(votes.outcome) == {0, 1}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"contestants": 1}, "contestants must be at least 2"),
        ({"voters": 0}, "voters must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"ties": 2.5}, "ties must lie between 0 and 2"),
        ({"correlation": 1.0}, "correlation must lie between"),
        ({"spread": float("nan")}, "spread must lie between"),
        ({"position": float("inf")}, "position must lie between"),
        ({"style": {"first_token": 0.1}}, "cannot be simulated"),
        ({"style": {"length": float("nan")}}, "effect of length"),
    ],
)
def test_what_cannot_be_simulated_is_said(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        SimulationSpec(**asked)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def flags() -> list[object]:
    return [part for name, value in SMALL.items() for part in (f"--{name}", value)]


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_every_format_reads_back_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    file = tmp_path / f"votes.{ending}"
    code, out, err = run(capsys, "simulate", file, "--seed", 4, *flags())
    first = file.read_bytes()
    run(capsys, "simulate", file, "--seed", 4, *flags())
    read = Votes.from_arrow(read_votes(file).table)
    made = Votes.from_arrow(simulate(SimulationSpec(seed=4, **SMALL)).votes)

    assert (code, err) == (0, "")
    assert "600 votes written" in out
    assert file.read_bytes() == first
    assert read.contestants == made.contestants
    for name in ("a", "b", "outcome", "shown_first", "voter", "time", "draw_probability"):
        assert np.array_equal(getattr(read, name), getattr(made, name)), name
    for metric, sides in made.features.items():
        assert all(np.array_equal(x, y) for x, y in zip(sides, read.features[metric], strict=True))


def test_the_truth_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = tmp_path / "truth.json"
    style = ["--style", "length=0.5,bold=-0.2"]
    _, out, _ = run(capsys, "simulate", tmp_path / "v.csv", *flags(), *style, "--json", truth)
    data = json.loads(truth.read_text(encoding="utf-8"))

    assert data["gamma"] == {"length": 0.5, "bold": -0.2}
    assert data["scales"].keys() == data["gamma"].keys()
    assert sum(data["theta"].values()) == pytest.approx(0.0)
    assert "length: +0.5000, worth +86.9 points" in out
    assert "contestant 1" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["votes.txt"], ".parquet, .csv, .jsonl"),
        (["no such folder/votes.csv"], "there is no folder"),
        (["votes.csv", "--style", "length"], "length=0.35,bold=0.2 or none"),
        (["votes.csv", "--style", "colour=1"], "cannot be simulated"),
        (["votes.csv", "--votes", "0"], "votes must be at least 1"),
        (["votes.csv", "--json", "no such folder/truth.json"], "there is no folder"),
    ],
)
def test_what_simulate_cannot_do_is_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "simulate", *arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert not list(tmp_path.iterdir())
