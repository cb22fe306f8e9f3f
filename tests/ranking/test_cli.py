"""python -m ranking fit: the table, the JSON, and errors without a traceback."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ranking.cli import main
from ranking.io import write_votes
from tests.ranking.making import simulated

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """A file of simulated votes with style."""
    made = simulated(1)
    names = list(made.contestants)
    assert made.shown_first is not None
    columns = {
        "model_a": [names[i] for i in made.a],
        "model_b": [names[i] for i in made.b],
        "winner": [("model_a", "model_b", "tie", "both_bad")[i] for i in made.outcome],
        "shown_first": ["model_a" if side > 0 else "model_b" for side in made.shown_first],
    }
    for name, (a, b) in made.features.items():
        columns |= {f"{name}_a": a.tolist(), f"{name}_b": b.tolist()}
    write_votes(pa.table(columns), tmp_path / "votes.parquet")
    return tmp_path / "votes.parquet"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_it_prints_a_table(votes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "fit", votes)

    assert (code, err) == (0, "")
    assert "model 3" in out
    assert "400 votes counted" in out
    assert "position: " in out
    assert "from raw" not in out


def test_controls_add_movement(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(
        capsys, "fit", votes, "--controls", "length,headers", "--json", tmp_path / "out.json"
    )
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))

    assert code == 0
    assert "from raw" in out
    assert "length: +" in out
    assert {"moved_ranks", "moved_rating"} <= data["standings"][0].keys()


def test_the_json_has_what_it_must(votes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "fit", votes, "--no-position", "--no-floor", "--json", "-")
    data = json.loads(out)
    wanted = {"contestant", "rating", "se", "rating_lower", "rating_upper", "rank", "votes"}

    assert code == 0
    assert len(data["standings"]) == 6
    assert wanted <= data["standings"][0].keys()
    assert data["position"] is None
    assert (data["spec"]["floor"], data["spec"]["position"]) == (False, False)


def test_flags_go_before_the_spec_file(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spec.json").write_text('{"confidence": 0.9, "controls": ["length"]}')
    arguments = ["fit", votes, "--spec", tmp_path / "spec.json", "--controls", "headers"]
    _, out, _ = run(capsys, *arguments, "--json", "-")
    spec = json.loads(out)["spec"]

    assert (spec["confidence"], spec["controls"]) == (0.9, ["headers"])


def test_bad_rows_are_left_out_only_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "votes.csv"
    file.write_text("model_a,model_b,winner\nx,y,tie\ny,x,tie\nx,y,win\n")
    refused = run(capsys, "fit", file)
    taken = run(capsys, "fit", file, "--skip-bad", "--no-position")

    assert refused[0] == 2
    assert refused[1] == ""
    assert "line 4: unknown outcome 'win'" in refused[2]
    assert taken[0] == 0
    assert "1 malformed" in taken[1]
    assert "line 4: unknown outcome 'win'" in taken[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--controls", "colour"], "unknown control 'colour'"),
        (["--controls", "bold"], "carry no 'bold'"),
        (["--spec", "no such file"], "not a readable JSON file"),
        (["--json", "no such folder/out.json"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(
    votes: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code, _, err = run(capsys, "fit", votes, *arguments)

    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_unplaced_contestants_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "votes.csv"
    file.write_text("model_a,model_b,winner\nx,y,tie\ny,x,tie\nu,x,model_a\nx,w,model_a\n")
    _, out, _ = run(capsys, "fit", file, "--no-position")

    assert "never lost or tied" in out
    assert "≥" in out
    assert "≤" in out
    assert "2 of contestants not placed" in out


def test_markup_in_names_is_printed_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "votes.csv"
    file.write_text("model_a,model_b,winner\n[red]x,[/y],tie\n[/y],[red]x,tie\n")
    code, out, _ = run(capsys, "fit", file, "--no-position")

    assert code == 0
    assert "[red]x" in out
    assert "[/y]" in out


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ranking", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_gives_the_golden_values(
    real_votes: Path, tmp_path: Path, golden: Mapping[str, Any]
) -> None:
    out = tmp_path / "out.json"
    file = str(real_votes / "llmfao.csv")
    flags = ["--skip-bad", "--no-position", "--no-floor", "--json", str(out)]
    done = command("fit", file, *flags)
    standings = json.loads(out.read_text(encoding="utf-8"))["standings"]
    want = {row[0]: row[1:4] for row in golden["llmfao"]["rows"]}

    assert (done.returncode, done.stderr) == (0, "")
    assert len(standings) == len(want) == 59
    for row in standings:
        got = [row["rating"], row["se_unclustered"], row["se"]]
        assert got == pytest.approx(want[row["contestant"]], abs=1e-5)


def test_an_error_ends_the_command_with_2() -> None:
    done = command("fit", "no such file.csv")

    assert done.returncode == 2
    assert done.stdout == ""
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr
