"""The verbs of python -m ranking: their tables, their files, and errors without a traceback."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ranking import RankingSpec, Votes, style_movement
from ranking.cli import main
from ranking.io import write_votes
from tests.ranking.making import simulated

DAY = 86_400_000_000


def written(path: Path, rows: slice = slice(None), *, ids: bool = True, **extra: Any) -> Path:
    """A file of some of the same simulated votes with style, voters, times and ids."""
    made = simulated(1)
    names, voter = made.contestants, made.voter
    assert made.shown_first is not None
    assert voter is not None
    n = len(made)
    columns: dict[str, Any] = {
        "model_a": [names[i] for i in made.a],
        "model_b": [names[i] for i in made.b],
        "winner": [("model_a", "model_b", "tie", "both_bad")[i] for i in made.outcome],
        "shown_first": ["model_a" if side > 0 else "model_b" for side in made.shown_first],
        "voter": [None if v < 0 else f"voter {v}" for v in voter],
        "timestamp": pa.array((np.arange(n) * DAY).tolist(), pa.timestamp("us", tz="UTC")),
    }
    for name, (a, b) in made.features.items():
        columns |= {f"{name}_a": a.tolist(), f"{name}_b": b.tolist()}
    if ids:
        columns["id"] = [f"vote {k}" for k in range(n)]
    table = pa.table(columns | extra)
    write_votes(table.take(np.arange(n)[rows]), path)
    return path


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    return written(tmp_path / "votes.parquet")


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def read_back(path: Path) -> Votes:
    return Votes.from_arrow(pq.read_table(path))


def test_fit_takes_likelihood_weights_and_half_life(
    votes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--likelihood", "davidson", "--weights", "inverse_pair", "--half-life", 90]
    code, out, _ = run(capsys, "fit", votes, *flags, "--json", "-")
    spec = json.loads(out)["spec"]

    assert code == 0
    assert (spec["likelihood"], spec["weights"]) == ("davidson", "inverse_pair")
    assert spec["half_life_days"] == 90.0
    assert json.loads(out)["tie"]["name"]


def test_the_flag_none_undoes_weights_of_a_spec_file(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spec.json").write_text('{"weights": "inverse_pair"}')
    arguments = ["fit", votes, "--spec", tmp_path / "spec.json", "--weights", "none"]
    _, out, _ = run(capsys, *arguments, "--json", "-")

    assert json.loads(out)["spec"]["weights"] is None


def test_fit_writes_standings_in_the_fields_columns(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--csv", tmp_path / "out.csv", "--parquet", tmp_path / "out.parquet"]
    code, out, _ = run(capsys, "fit", votes, "--controls", "length", *files)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    table = pq.read_table(tmp_path / "out.parquet")
    moved = style_movement(read_back(votes), RankingSpec(controls=("length",)))
    first, movement = moved.controlled.standings[0], moved.movements[0]

    assert code == 0
    assert "from raw" in out
    assert list(rows[0]) == table.column_names
    assert len(rows) == table.num_rows == 6
    assert rows[0]["model_name"] == first.contestant
    got = table.to_pylist()[0]
    assert float(rows[0]["rating"]) == got["rating"] == first.rating
    assert int(rows[0]["vote_count"]) == got["vote_count"] == first.votes
    assert (got["moved_ranks"], got["moved_rating"]) == (movement.ranks, movement.rating)
    assert got["raw_rank"] - got["rank"] == movement.ranks


def test_standings_without_controls_have_no_movement(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "fit", votes, "--parquet", tmp_path / "out.parquet", "--json", "-")

    assert pq.read_table(tmp_path / "out.parquet").column_names == [
        *("model_name", "rating", "rating_lower", "rating_upper", "vote_count"),
        *("rank", "rank_lower", "rank_upper"),
    ]


def test_a_formula_for_a_name_is_made_text_in_csv_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "votes.csv"
    file.write_text("model_a,model_b,winner\n=1+1,y,tie\ny,=1+1,tie\n")
    files = ["--csv", tmp_path / "out.csv", "--parquet", tmp_path / "out.parquet"]
    run(capsys, "fit", file, "--no-position", *files)

    assert "\n'=1+1," in (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert "=1+1" in pq.read_table(tmp_path / "out.parquet")["model_name"].to_pylist()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--half-life", "-1"], "half_life_days must be positive"),
        (["--half-life", "nan"], "must be a finite number"),
        (["--csv", "no such folder/out.csv"], "cannot be written"),
        (["--parquet", "no such folder/out.parquet"], "cannot be written"),
        (["--weights", "draw_probability"], "probab"),
    ],
)
def test_what_fit_cannot_do_is_said_without_a_traceback(
    votes: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code, out, err = run(capsys, "fit", votes, *arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
