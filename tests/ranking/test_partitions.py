"""Fits to files out of core: the same board, within memory and disk, and nothing left behind."""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ranking import (
    IdentificationError,
    Leaderboard,
    RankingSpec,
    ResourceError,
    SeparationError,
    SpecError,
    VoteFileError,
    Votes,
    fit,
    style_movement,
)
from ranking.cli import main
from ranking.io import read_votes
from ranking.outofcore import fit_files
from tests.ranking.making import assert_same_numbers

VOTES = 900
PLACED = 6
OUTSIDE = [("new", "m1", "model_a"), ("new", "m2", "model_a"), ("m3", "old", "model_a")]
OUTSIDE += [("pair 1", "pair 2", "model_a"), ("pair 2", "pair 1", "model_a")]
OUTSIDE += [("pair 1", "m0", "model_a"), ("far 1", "far 2", "model_a")]


def vote_table() -> pa.Table:
    """Votes with everything that a table can have: outsiders first, unknown voters, exclusions."""
    rng = np.random.default_rng(3)
    n = VOTES + len(OUTSIDE)
    a = rng.integers(0, PLACED, n)
    b = (a + rng.integers(1, PLACED, n)) % PLACED
    gap = rng.normal(0.0, 0.5, PLACED)[a] - rng.normal(0.0, 0.5, PLACED)[b]
    winner = np.where(rng.random(n) < 1 / (1 + np.exp(-gap)), "model_a", "model_b").tolist()
    tied = rng.random(n)
    winner = [
        "tie" if t < 0.15 else "both_bad" if t < 0.2 else w
        for t, w in zip(tied, winner, strict=True)
    ]
    names = [[f"m{i}" for i in side] for side in (a, b)]
    for row, (one, other, won) in enumerate(OUTSIDE):
        names[0][row], names[1][row], winner[row] = one, other, won

    def some(values: list[Any], share: float) -> list[Any]:
        return [None if rng.random() < share else value for value in values]

    counted = [None] * len(OUTSIDE)
    columns: dict[str, Any] = {
        "model_a": names[0],
        "model_b": names[1],
        "winner": winner,
        "voter": some([f"voter {v}" for v in rng.integers(0, 40, n)], 0.1),
        "shown_first": some([f"model_{'ab'[k]}" for k in rng.integers(0, 2, n)], 0.1),
        "draw_probability": some(rng.uniform(0.01, 0.2, n).tolist(), 0.02),
        "timestamp": some((1.7e9 + rng.uniform(0.0, 3e7, n)).tolist(), 0.02),
        "excluded": counted + [("spam", "test", None, None)[k] for k in rng.integers(0, 4, VOTES)],
    }
    for side in "ab":
        columns[f"tokens_{side}"] = np.round(rng.lognormal(5.0, 1.0, n))
        columns[f"headers_{side}"] = rng.integers(0, 5, n).astype(float)
    columns["tokens_a"] = some(columns["tokens_a"].tolist(), 0.02)
    return pa.table(columns)


def written(table: pa.Table, folder: Path, files: int = 3) -> list[Path]:
    """The table in several Parquet files of uneven length."""
    ends = (np.linspace(0.0, 1.0, files + 1) ** 2 * table.num_rows).astype(int)
    paths = [folder / f"segment {k}.parquet" for k in range(files)]
    for path, low, high in zip(paths, ends, ends[1:], strict=False):
        pq.write_table(table.slice(low, high - low), path)
    return paths


def in_memory(table: pa.Table, folder: Path) -> Votes:
    path = folder / "all of them"
    pq.write_table(table, path)
    return Votes.from_arrow(read_votes(path).table)


def words(data: Any) -> Any:
    """JSON-able data without its numbers."""
    if isinstance(data, dict):
        return {key: words(value) for key, value in data.items() if key != "spec_digest"}
    if isinstance(data, list | tuple):
        return [words(value) for value in data]
    return None if isinstance(data, float) else data


def assert_same_board(one: Any, other: Any) -> None:
    assert_same_numbers(one.to_dict(), other.to_dict())
    assert words(one.to_dict()) == words(other.to_dict())


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return vote_table()


@pytest.fixture(scope="module")
def votes(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Votes:
    return in_memory(table, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def files(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return written(table, tmp_path_factory.mktemp("files"))


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """A folder for temporary files that a fit has to leave as empty as it was."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    yield folder
    assert not list(folder.iterdir())


SPECS = {
    "clustered": RankingSpec(),
    "controlled": RankingSpec(controls=("length", "headers"), anchor="m3"),
    "raw on the same votes": RankingSpec(complete_for=("length",), cluster=False, floor=False),
    "davidson, weighted by pair": RankingSpec(
        likelihood="davidson", controls=("length",), weights="inverse_pair", pair_floor=30
    ),
    "weighted by draw and age": RankingSpec(
        likelihood="rao_kupper", weights="draw_probability", half_life_days=90.0, position=False
    ),
    "four outcomes": RankingSpec(likelihood="four_outcome", controls=("headers",)),
    "priors": RankingSpec(
        prior_strengths=0.5, prior_coefficients=2.0, controls=("length",), both_bad="drop"
    ),
    "frozen scales": RankingSpec(controls=("length",), scales={"length": 0.5}, cluster=True),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_board_is_that_of_the_votes_in_memory(
    spec: RankingSpec, votes: Votes, files: list[Path], temporary: Path
) -> None:
    found = fit_files(files, spec, partitions=3, folder=temporary)

    assert_same_board(found.board, fit(votes, spec))
    assert found.board.unplaced


@pytest.mark.parametrize("partitions", [1, 7])
def test_however_many_partitions(votes: Votes, files: list[Path], partitions: int) -> None:
    spec = SPECS["controlled"]

    assert_same_board(fit_files(files, spec, partitions=partitions).board, fit(votes, spec))


def test_movement_from_the_raw_board(votes: Votes, files: list[Path]) -> None:
    for spec in (SPECS["controlled"], SPECS["davidson, weighted by pair"]):
        found = fit_files(files, spec, partitions=3, movement=True)

        assert_same_board(found.movement, style_movement(votes, spec))
        assert found.movement is not None
        assert found.board == found.movement.controlled


def test_a_movement_needs_controls(files: list[Path]) -> None:
    with pytest.raises(SpecError, match="at least one control"):
        fit_files(files, RankingSpec(), movement=True)


def test_nobody_can_be_placed(tmp_path: Path) -> None:
    table = pa.table({"model_a": ["x", "y"], "model_b": ["y", "z"], "winner": ["model_a"] * 2})

    found = fit_files(written(table, tmp_path, 1), RankingSpec())

    assert_same_board(found.board, fit(in_memory(table, tmp_path), RankingSpec()))
    assert found.board.standings == ()


def test_every_vote_excluded(tmp_path: Path) -> None:
    columns = {"model_a": ["x", "y"], "model_b": ["y", "x"], "winner": ["tie"] * 2}
    table = pa.table(columns | {"excluded": ["spam"] * 2})

    found = fit_files(written(table, tmp_path, 1))

    assert_same_board(found.board, fit(in_memory(table, tmp_path)))


def test_files_of_several_formats_and_a_folder(tmp_path: Path) -> None:
    segments = tmp_path / "segments" / "ab"
    segments.mkdir(parents=True)
    table = vote_table().select(["model_a", "model_b", "winner", "voter"])
    written(table.slice(0, 500), segments, 2)
    rest = table.slice(500).to_pylist()
    lines = ["model_a,model_b,winner,voter"]
    lines += [",".join(value or "" for value in row.values()) for row in rest]
    (tmp_path / "rest.csv").write_text("\n".join(lines))

    found = fit_files([tmp_path / "segments", tmp_path / "rest.csv"], partitions=2)

    assert_same_board(found.board, fit(in_memory(table, tmp_path)))
    assert [(file.path.name, file.rows_read) for file in found.files] == [
        ("segment 0.parquet", 125),
        ("segment 1.parquet", 375),
        ("rest.csv", table.num_rows - 500),
    ]


def test_a_metric_that_only_one_file_has(tmp_path: Path) -> None:
    table = vote_table()
    with_it, without = table.slice(0, 600), table.slice(600).drop_columns(["tokens_a", "tokens_b"])
    pq.write_table(with_it, tmp_path / "with.parquet")
    pq.write_table(without, tmp_path / "without.parquet")
    spec = RankingSpec(controls=("length",))

    found = fit_files([tmp_path / "without.parquet", tmp_path / "with.parquet"], spec)

    whole = in_memory(pa.concat_tables([with_it, without], promote_options="default"), tmp_path)
    assert_same_board(found.board, fit(whole, spec))
    assert found.board.counts.missing > 100


def test_a_metric_that_no_file_has(files: list[Path], temporary: Path) -> None:
    with pytest.raises(SpecError, match=r"no 'bold'.*They carry: tokens, headers\."):
        fit_files(files, RankingSpec(controls=("bold",)), folder=temporary)


def test_an_anchor_that_nobody_is(files: list[Path]) -> None:
    with pytest.raises(SpecError, match="anchor 'nobody'"):
        fit_files(files, RankingSpec(anchor="nobody"))


def test_rows_that_are_no_votes(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner\nx,y,model_a\ny,x,model_a\nx,x,model_a\n")

    with pytest.raises(VoteFileError, match="1 row is malformed, of 3") as raised:
        fit_files([path], folder=temporary)
    found = fit_files([path], RankingSpec(position=False), skip_bad=True, folder=temporary)

    assert raised.value.rejects == found.files[0].rejects
    assert (found.files[0].rows_read, found.board.counts.read) == (3, 2)


@pytest.mark.parametrize("likelihood", ["bradley_terry", "davidson"])
def test_a_covariate_that_splits_wins_from_losses(
    tmp_path: Path, temporary: Path, likelihood: Any
) -> None:
    table = vote_table()
    a, b = (np.nan_to_num(table[f"tokens_{side}"].to_numpy()) for side in "ab")
    won = pa.array(np.where(a == b, "tie", np.where(a > b, "model_a", "model_b")))
    table = table.set_column(2, "winner", won).drop_columns(["shown_first"])
    spec = RankingSpec(controls=("length",), likelihood=likelihood)

    with pytest.raises(SeparationError) as here:
        fit(in_memory(table, tmp_path), spec)
    with pytest.raises(SeparationError) as there:
        fit_files(written(table, tmp_path), spec, partitions=3, folder=temporary)

    assert there.value.covariates == here.value.covariates == ("length",)


def test_a_covariate_that_follows_from_the_contestants(tmp_path: Path, temporary: Path) -> None:
    table = vote_table().select(["model_a", "model_b", "winner", "voter"])
    for side in "ab":
        table = table.append_column(f"tokens_{side}", pa.array([100.0] * table.num_rows))
        strong = [float(name == "m0") for name in table[f"model_{side}"].to_pylist()]
        table = table.append_column(f"bold_{side}", pa.array(strong))
    spec = RankingSpec(controls=("length", "bold"))

    with pytest.raises(IdentificationError) as here:
        fit(in_memory(table, tmp_path), spec)
    with pytest.raises(IdentificationError) as there:
        fit_files(written(table, tmp_path), spec, partitions=3, folder=temporary)
    kept = RankingSpec(controls=("length",))
    found = fit_files(written(table, tmp_path), kept, partitions=3, folder=temporary)

    assert there.value.covariates == here.value.covariates == ("bold",)
    assert any("length is equal on both sides" in told for told in found.board.warnings)


def test_paths_that_cannot_be_fitted(tmp_path: Path, files: list[Path], temporary: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for paths, why in [
        ([empty], "without a Parquet file"),
        ([files[0], files[0].parent], "given twice"),
        ([], "no file"),
        ([tmp_path / "absent.parquet"], "No such file"),
    ]:
        with pytest.raises(VoteFileError, match=why):
            fit_files(paths, folder=temporary)


def test_too_little_memory(tmp_path: Path, files: list[Path], temporary: Path) -> None:
    with pytest.raises(ResourceError, match="Give at least"):
        fit_files(files, memory=100 << 20, folder=temporary)
    names = [f"m{i}" for i in range(3_000)]
    ring = pa.table({"model_a": names, "model_b": [*names[1:], names[0]], "winner": names})
    ring = ring.set_column(2, "winner", pa.array(["tie"] * len(names)))
    with pytest.raises(ResourceError, match="3,000 contestants need matrices"):
        fit_files(written(ring, tmp_path, 1), memory=512 << 20, folder=temporary)


def test_a_voter_with_too_many_votes(tmp_path: Path, temporary: Path) -> None:
    rows = 600_000
    x, y, tie, busy = (pa.repeat(word, rows) for word in ("x", "y", "tie", "busy"))
    table = pa.table({"model_a": x, "model_b": y, "winner": tie, "voter": busy})
    paths = written(table, tmp_path, 1)

    with pytest.raises(ResourceError, match=r"a few voters cast so many.*--no-cluster"):
        fit_files(paths, memory=450 << 20, folder=temporary)
    alone = RankingSpec(cluster=False, position=False)
    found = fit_files(paths, alone, memory=450 << 20, folder=temporary)

    assert found.board.counts.counted == rows


def test_too_little_disk(files: list[Path], temporary: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 10, limits[1]))
        with pytest.raises(ResourceError, match="temporary files cannot be kept"):
            fit_files(files, folder=temporary)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with pytest.raises(ResourceError, match="temporary files cannot be kept"):
        fit_files(files, folder=temporary / "absent")


def test_interrupting_leaves_nothing(files: list[Path], temporary: Path) -> None:
    def interrupt(doing: str) -> None:
        if doing == "fitting":
            assert list(temporary.iterdir())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_files(files, progress=interrupt, folder=temporary)


def test_the_same_votes_give_the_same_bytes(files: list[Path]) -> None:
    boards: list[Leaderboard] = [fit_files(files, partitions=3).board for _ in range(2)]

    assert boards[0].to_dict() == boards[1].to_dict()


def test_the_command_line_prints_the_same_board(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.concat_tables(map(pq.read_table, files)), whole)
    arguments = ["--controls", "length"]

    assert main(["fit", str(whole), *arguments]) == 0
    here = capsys.readouterr().out
    assert main(["fit", *map(str, files), "--memory", "1G", *arguments]) == 0
    assert capsys.readouterr().out == here
    heatmap = ["--plot-kind", "heatmap", "--plot", str(tmp_path / "chart.svg")]
    assert main(["fit", *map(str, files), *heatmap]) == 2
    assert "give one file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["fit", str(whole), "--memory", "much"])
    assert "'much' is no size" in capsys.readouterr().err
