"""The verbs of python -m ranking: their tables, their files, and errors without a traceback."""

import csv
import io
import json
import os
import re
import shlex
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from ranking import (
    BoardState,
    RankingSpec,
    Votes,
    calibrate,
    control_path,
    fragility,
    movement_ledger,
    style_movement,
)
from ranking.cli import main
from ranking.display import show_board, work_on
from ranking.io import read_votes, write_votes
from ranking.publication import publication
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


def test_path_tells_the_furthest_moved_first(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--controls", "length,headers", "--json", tmp_path / "out.json"]
    code, out, err = run(capsys, "path", votes, *flags)
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    want = control_path(read_back(votes), RankingSpec(controls=("length", "headers")))
    told = sorted(want.attributions, key=lambda entry: -abs(entry.rating))
    lines = out.splitlines()

    assert (code, err) == (0, "")
    assert "length" in lines[0]
    assert "headers" in lines[0]
    for line, entry in zip(lines[1:], told, strict=False):
        assert line.startswith(entry.contestant)
        for term in entry.terms:
            assert f"{term.rating:+.1f}" in line
        assert f"({entry.rating:+.1f})" in line
    assert "400 votes counted" in out
    assert data["attributions"] == json.loads(json.dumps(want.to_dict()["attributions"]))
    assert [len(data["path"]), data["file"]["rows"]] == [21, 400]


def test_path_json_on_standard_output_is_all_there_is(
    votes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run(capsys, "path", votes, "--controls", "length", "--json", "-")

    for entry in json.loads(out)["attributions"]:
        assert entry["raw"] + sum(t["rating"] for t in entry["terms"]) == entry["controlled"]


def test_a_path_needs_a_control(votes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "path", votes)

    assert (code, out) == (2, "")
    assert "at least one control" in err


def compared(out: str) -> dict[str, dict[str, Any]]:
    return {row["contestant"]: row for row in json.loads(out)["rows"]}


def test_compare_tells_new_votes(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = written(tmp_path / "early.parquet", slice(0, 300))
    code, out, err = run(capsys, "compare", early, votes, "--json", tmp_path / "out.json")
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    rows = out.splitlines()[1:]

    assert (code, err) == (0, "")
    assert "new votes" in out.splitlines()[0]
    assert "new votes: arrived 100; left 0" in out
    assert "matched by id" in out
    assert [row["contestant"] for row in data["rows"]] == [line[:7] for line in rows[:6]]
    assert (data["matched_by"], data["before"]["file"]["rows"]) == ("id", 300)
    for line, row in zip(rows, data["rows"], strict=False):
        assert f"{row['rank_before']} → {row['rank_after']}" in line


def test_compare_one_file_under_two_specs(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "after.json").write_text('{"controls": ["length"], "likelihood": "davidson"}')
    arguments = ["compare", votes, votes, "--spec-after", tmp_path / "after.json"]
    _, table, _ = run(capsys, *arguments)
    code, out, _ = run(capsys, *arguments, "--json", "-")
    after = RankingSpec(controls=("length",), likelihood="davidson")
    made = read_back(votes)
    want = movement_ledger(BoardState(made, RankingSpec()), BoardState(made, after))

    assert code == 0
    assert want.causes == ("C", "M")
    assert all(name in table.splitlines()[0] for name in ("control set", "method", "sum"))
    assert "likelihood bradley_terry → davidson" in table
    assert json.loads(out)["rows"] == json.loads(json.dumps(want.to_dict()["rows"]))
    for row in compared(out).values():
        assert sum(Fraction(term["ranks"]) for term in row["terms"]) == row["ranks"]
        assert sum(term["rating"] for term in row["terms"]) == row["rating"]


def test_compare_matches_by_id_whatever_the_order_of_rows(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    back = written(tmp_path / "back.parquet", slice(None, None, -1))
    plain = written(tmp_path / "plain.parquet", slice(None, None, -1), ids=False)
    _, by_id, _ = run(capsys, "compare", votes, back)
    _, by_row, _ = run(capsys, "compare", votes, plain)

    assert by_id == "Nothing differs between the two boards.\n"
    assert "matched by row" in by_row
    assert "new votes" in by_row


def test_compare_lists_who_entered_and_what_was_excluded(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pq.read_table(votes)
    keep = [
        "model 5" not in pair
        for pair in zip(table["model_a"].to_pylist(), table["model_b"].to_pylist(), strict=True)
    ]
    pq.write_table(table.filter(pa.array(keep)), tmp_path / "early.parquet")
    rule = pa.array([("rigged" if k < 40 else None) for k in range(400)])
    later = written(tmp_path / "later.parquet", excluded=rule)
    code, out, _ = run(capsys, "compare", tmp_path / "early.parquet", later)
    heading = out.splitlines()[0]

    assert code == 0
    assert all(name in heading for name in ("new votes", "exclusions", "roster"))
    assert "entered" in out
    assert "– → " in out
    assert "excluded rigged" in out


def test_compare_refuses_ids_that_only_some_votes_have(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = [None if k == 3 else f"vote {k}" for k in range(400)]
    holes = written(tmp_path / "holes.parquet", id=some)
    twice = written(tmp_path / "twice.parquet", id=["vote 1"] * 400)

    code, out, err = run(capsys, "compare", votes, holes)
    assert (code, out) == (2, "")
    assert "holes.parquet: 1 of 400 votes have no id" in err
    code, _, err = run(capsys, "compare", votes, twice)
    assert code == 2
    assert "vote 1" in err


def test_compare_lists_rows_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    before.write_text("model_a,model_b,winner\nx,y,tie\ny,x,tie\n")
    after.write_text("model_a,model_b,winner\nx,y,tie\ny,x,tie\nx,y,model_b\nx,y,win\n")
    refused = run(capsys, "compare", before, after)
    code, out, _ = run(capsys, "compare", before, after, "--skip-bad", "--no-position")

    assert (refused[0], refused[1]) == (2, "")
    assert code == 0
    assert "after: 1 of 4 rows malformed" in out
    assert "line 5: unknown outcome 'win'" in out
    assert "before: " not in out


def test_compare_says_which_file_is_missing(
    votes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "compare", votes, "no such file.csv")

    assert code == 2
    assert "no such file.csv" in err


def test_parts_are_those_of_a_publication(
    tmp_path: Path, votes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier, told = written(tmp_path / "early.parquet", slice(0, 300)), tmp_path / "parts.json"
    assert main(["parts", str(votes), "--before", str(earlier), "--json", str(told)]) == 0
    out, whole = capsys.readouterr().out, json.loads(told.read_text())

    read = read_votes(votes)
    published = publication(Votes.from_arrow(read.table))
    assert whole["publication"]["boards"].keys() == published.boards.keys()
    assert {"board/length+markdown", "path", "sure", "ledger/revisions"} < set(whole["parts"])
    first = published.default.standings[0]
    assert f"1 {first.contestant} {first.rating:.1f}" in out


def test_fragility_of_all_neighbours(votes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "fragility", votes)
    want = fragility(read_back(votes), RankingSpec())

    assert (code, err) == (0, "")
    assert "fewest votes" in out.splitlines()[0]
    for line, one in zip(out.splitlines()[1:], want, strict=False):
        assert line.split()[:4] == f"{one.contestant} {one.opponent}".split()
        assert f" {one.fewest} " in line
    assert "400 votes counted" in out


def test_fragility_of_pairs_by_voters(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--pair", "model 0", "model 1", "--pair", "model 2", "model 3", "--voters"]
    code, out, _ = run(capsys, "fragility", votes, *flags, "--json", tmp_path / "out.json")
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    column = pq.read_table(votes)["voter"].to_pylist()

    assert code == 0
    assert "fewest voters" in out
    assert data["unit"] == "voter"
    assert [{p["contestant"], p["opponent"]} for p in data["pairs"]] == [
        {"model 0", "model 1"},
        {"model 2", "model 3"},
    ]
    for pair in data["pairs"]:
        assert len(pair["voters"]) == pair["fewest"]
        assert {column[row] for row in pair["removed"]} == set(pair["voters"])


def test_fragility_of_contestants_that_are_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "votes.csv"
    file.write_text("model_a,model_b,winner\nx,y,tie\ny,x,tie\n")
    code, out, _ = run(capsys, "fragility", file, "--no-position")

    assert (code, out) == (0, "No two contestants stand in an order that could turn.\n")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--pair", "model 0", "nobody"], "'nobody' is not among the placed contestants"),
        (["--pair", "model 0", "model 0"], "level"),
    ],
)
def test_what_fragility_cannot_do_is_said(
    votes: Path, capsys: pytest.CaptureFixture[str], flags: list[str], said: str
) -> None:
    code, out, err = run(capsys, "fragility", votes, *flags)

    assert (code, out) == (2, "")
    assert said in err


def test_calibrate_tells_held_out_scores(votes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--folds", 3, "--bins", 4]
    code, out, err = run(capsys, "calibrate", votes, *flags)
    _, document, _ = run(capsys, "calibrate", votes, *flags, "--json", "-")
    want = calibrate(read_back(votes), RankingSpec(), folds=3, bins=4)
    data = json.loads(document)

    assert (code, err) == (0, "")
    assert f"log-loss {want.log_loss:.4f}" in out
    assert f"Brier {want.brier:.4f}" in out
    assert "predicted in order of time" in out
    assert f"{want.reliability[0].predicted:.3f}" in out
    assert (len(data["folds"]), len(data["reliability"])) == (3, 4)
    assert data["log_loss"] == want.log_loss


def test_calibrate_refuses_no_folds(votes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "calibrate", votes, "--folds", 0)

    assert (code, out) == (2, "")
    assert "folds must be a whole number" in err


@pytest.mark.parametrize("verb", ["path", "fragility", "calibrate"])
def test_every_verb_says_what_it_cannot_write_before_any_table(
    votes: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    flags = ["--controls", "length", "--json", "no such folder/out.json"]
    code, out, err = run(capsys, verb, votes, *flags)

    assert (code, out) == (2, "")
    assert "cannot be written" in err


@pytest.mark.parametrize(
    ("verb", "columns"),
    [
        ("fit", ["model_name", "rating", "rating_lower", "rating_upper", "vote_count"]),
        ("path", ["model_name", "rating", "rank", "raw_rating", "raw_rank", "moved_ranks"]),
        ("compare", ["model_name", "status", "rank_before", "rank_after", "rating_before"]),
        ("fragility", ["model_name", "opponent", "unit", "before", "fewest", "share"]),
        ("calibrate", ["predicted", "observed", "lower", "upper", "votes"]),
    ],
)
def test_every_verb_writes_its_table_and_its_chart(
    votes: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    verb: str,
    columns: list[str],
) -> None:
    (tmp_path / "after.json").write_text('{"controls": ["length"]}')
    files = [tmp_path / f"out.{ending}" for ending in ("csv", "parquet", "svg")]
    flags = [
        x
        for name, file in zip(("csv", "parquet", "plot"), files, strict=True)
        for x in (f"--{name}", file)
    ]
    if verb == "compare":
        flags = [votes, "--spec-after", tmp_path / "after.json", *flags]
    else:
        flags = ["--controls", "length", *flags]
    code, out, err = run(capsys, verb, votes, *flags)
    table = pq.read_table(files[1])
    with files[0].open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))

    assert (code, err) == (0, "")
    assert out
    assert table.column_names[: len(columns)] == columns
    assert [list(row) for row in rows] == [table.column_names] * table.num_rows
    assert table.num_rows >= 5
    assert files[2].read_text(encoding="utf-8").startswith("<svg")


def test_the_tables_say_what_the_results_say(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.parquet"
    run(capsys, "path", votes, "--controls", "length,headers", "--parquet", out)
    for row in pq.read_table(out).to_pylist():
        moved = row["length_rating"] + row["headers_rating"]
        assert row["raw_rating"] + moved == row["rating"]
        assert row["raw_rank"] - row["rank"] == row["moved_ranks"]

    early = written(tmp_path / "early.parquet", slice(0, 300))
    run(capsys, "compare", early, votes, "--likelihood", "davidson", "--parquet", out)
    for row in pq.read_table(out).to_pylist():
        assert row["V_ranks"] == row["moved_ranks"]
        assert row["V_rating"] == row["moved_rating"]


def test_compare_of_the_same_has_a_table_and_a_chart_all_the_same(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--csv", tmp_path / "out.csv", "--plot", tmp_path / "out.svg"]
    code, out, _ = run(capsys, "compare", votes, votes, *files)

    assert (code, out) == (0, "Nothing differs between the two boards.\n")
    assert len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) == 7
    assert "Nobody changes place." in (tmp_path / "out.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["intervals", "slope", "heatmap"])
def test_fit_draws_what_is_asked_for(
    votes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    said = {"intervals": "ranks it may hold", "slope": "points", "heatmap": "predicted"}
    flags = ["--controls", "length", "--plot", tmp_path / "out.svg", "--plot-kind", kind]
    code, _, err = run(capsys, "fit", votes, *flags, "--plot-theme", "dark")
    drawn = (tmp_path / "out.svg").read_text(encoding="utf-8")

    assert (code, err) == (0, "")
    assert said[kind] in drawn
    assert "#14161A" in drawn


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--plot", "out.pdf"], "a chart is one of .svg, .png, .html"),
        (["--plot", "no such folder/out.svg"], "there is no folder no such folder"),
        (["--plot-kind", "heatmap"], "--plot OUT"),
        (["--plot-theme", "dark"], "--plot OUT"),
        (["--plot", "out.svg", "--plot-kind", "slope"], "it needs --controls"),
        (["--csv", "."], "it is a folder"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_vote_is_read(
    capsys: pytest.CaptureFixture[str], flags: list[str], said: str
) -> None:
    code, out, err = run(capsys, "fit", "no such file.csv", *flags)

    assert (code, out) == (2, "")
    assert said in err
    assert "no such file" not in err


@pytest.mark.parametrize("flags", [[], ["--json", "-"]])
def test_a_reader_that_goes_away_ends_it_without_a_traceback(
    votes: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert main(["fit", str(votes), *flags]) == 2


def test_an_interrupt_is_told_in_one_line(
    votes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ranking.commands.fit", interrupted)

    assert run(capsys, "fit", votes) == (130, "", "ranking: interrupted.\n")


@pytest.mark.parametrize(
    "flags",
    [
        ["--parquet", "votes.parquet"],
        ["--json", "../here/votes.parquet"],
        ["--spec", "spec.json", "--json", "spec.json"],
        ["--csv", "out", "--json", "out"],
    ],
)
def test_a_result_never_replaces_what_is_read_or_another_result(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    before = written(here / "votes.parquet").read_bytes()
    (here / "spec.json").write_text("{}")
    monkeypatch.chdir(here)
    code, out, err = run(capsys, "fit", "votes.parquet", *flags)

    assert (code, out) == (2, "")
    assert "named twice" in err
    assert (here / "votes.parquet").read_bytes() == before
    assert not (here / "out").exists()


def test_a_narrow_terminal_hides_no_digit_and_no_name(votes: Path) -> None:
    board = style_movement(read_back(votes), RankingSpec(controls=("length",), draws=100))
    shown = {}
    for width in (200, 40):
        console = Console(file=io.StringIO(), width=width)
        show_board(console, board.controlled, board.movements, read_votes(votes))
        shown[width] = console.file.getvalue()  # type: ignore[attr-defined]
    signs = {width: sorted(re.sub(r"\s", "", text)) for width, text in shown.items()}

    assert signs[40] == signs[200]


def test_one_vote_is_not_votes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.csv").write_text("model_a,model_b,winner\nx,y,tie\n")
    _, out, _ = run(capsys, "fit", tmp_path / "one.csv", "--no-position")

    assert out.splitlines()[-1] == "1 vote counted"


def test_work_of_known_size_has_a_bar_on_a_terminal_and_nothing_elsewhere() -> None:
    seen = {}
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
        with work_on(console) as work:
            work.tell("reading [votes]")
            work.count("fitting")(3, 8)
        seen[terminal] = console.file.getvalue()  # type: ignore[attr-defined]

    assert "3 of 8" in seen[True]
    assert "fitting" in seen[True]
    assert seen[False] == ""


def test_kernels_tell_how_much_is_done() -> None:
    votes, told = simulated(1), []
    fragility(
        votes,
        pairs=[("model 0", "model 1"), ("model 2", "model 3")],
        progress=lambda *done: told.append(done),
    )
    calibrate(votes, folds=2, progress=lambda *done: told.append(done))
    after = RankingSpec(controls=("length",), likelihood="davidson")
    boards = BoardState(votes, RankingSpec()), BoardState(votes, after)
    movement_ledger(*boards, progress=lambda *done: told.append(done))

    assert told[:4] == [(1, 2), (2, 2), (1, 2), (2, 2)]
    assert told[-1] == (4, 4)


@pytest.mark.parametrize("verb", ["fit", "path", "compare", "fragility", "calibrate", "simulate"])
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])

    assert ended.value.code == 0
    assert "--json OUT" in capsys.readouterr().out


def test_the_documented_examples_print_what_the_text_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "ranking.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks[0][1], "make_votes.py", "exec"), {})
    lines = Path("votes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    Path("early.csv").write_text("".join(lines[:1001]), encoding="utf-8")
    Path("after.json").write_text('{"controls": ["length", "bold"], "likelihood": "davidson"}')
    shown = [block for kind, block in blocks if kind == "console"]

    assert len(shown) == 8
    for block in shown:
        command, _, want = block.partition("\n")
        _, out, err = run(capsys, *shlex.split(command.removeprefix("$ python -m ranking ")))
        assert err == ""
        assert [line.rstrip() for line in out.strip().splitlines()] == want.splitlines()
