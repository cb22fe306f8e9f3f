"""The passes of a fit on a Dask cluster of two workers."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ranking import RankingSpec, ResourceError, SpecError, VoteFileError, fit
from ranking.distributed import connect
from ranking.outofcore import fit_files
from tests.ranking.test_partitions import OUTSIDE, assert_same_board, in_memory, vote_table, written

if TYPE_CHECKING:
    from distributed import Client

# The scheduler's own threads and sockets outlive a test by a moment.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def client() -> Iterator["Client"]:
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        connect(cluster.scheduler_address) as client,
    ):
        yield client


def test_the_board_is_that_of_one_process(client: "Client", tmp_path: Path) -> None:
    table = vote_table().slice(len(OUTSIDE))
    spec = RankingSpec(controls=("length",), likelihood="davidson", weights="inverse_pair")
    paths = written(table, tmp_path)

    found = fit_files(paths, spec, client=client, folder=tmp_path)

    assert_same_board(found.board, fit(in_memory(table, tmp_path), spec))
    assert found.board == fit_files(paths, spec, partitions=2).board


def test_errors_of_workers_are_ours(client: "Client", tmp_path: Path) -> None:
    paths = written(vote_table(), tmp_path)
    folder = tmp_path / "temporary"
    folder.mkdir()

    with pytest.raises(VoteFileError, match="No such file"):
        fit_files([*paths, tmp_path / "absent.parquet"], client=client, folder=folder)
    with pytest.raises(SpecError, match="no 'bold'"):
        fit_files(paths, RankingSpec(controls=("bold",)), client=client, folder=folder)

    assert not list(folder.iterdir())


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ranking.distributed._CONNECT_SECONDS", 0.5)

    with pytest.raises(ResourceError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        connect("tcp://127.0.0.1:1")
