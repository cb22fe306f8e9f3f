"""Votes come in as files and go out as files; what is refused says why."""

import csv
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from arena.battles.services import vote_cast
from arena.catalog.models import Contestant, Kind, Revision, Status
from arena.integrity.files import local, sha256_of
from arena.integrity.imports import votes_import
from arena.integrity.models import GENESIS, Segment
from arena.integrity.selectors import votes_all, votes_read
from arena.integrity.services import votes_exclude, votes_export
from arena.voters.models import Voter
from ranking.snapshots import link_of
from tests import factories

pytestmark = pytest.mark.django_db

PLAIN = "model_a,model_b,winner\nwren,kite,model_a\nkite,wren,tie\nwren,lark,both_bad\n"
SIDES = "left,right,winner,worker\nwren,kite,left,7\nkite,wren,tie,8\n"


def file(folder: Path, text: str, name: str = "votes.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def run(*arguments: object) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


def test_it_works(tmp_path: Path) -> None:
    said = run("import_votes", file(tmp_path, PLAIN))

    segment = Segment.objects.get()
    assert "3 votes imported" in said
    assert segment.rows == votes_read().table.num_rows == 3
    assert sha256_of(local(segment.sha256)) == segment.sha256
    assert segment.link == link_of(GENESIS, segment.sha256)


def test_a_name_the_catalog_lacks_becomes_an_archived_contestant(tmp_path: Path) -> None:
    factories.revision("wren")
    votes_import(path=file(tmp_path, PLAIN))

    added = Revision.objects.filter(kind=Kind.IMPORTED)
    assert sorted(revision.name for revision in added) == ["kite", "lark"]
    assert set(Contestant.objects.exclude(name="wren").values_list("status", flat=True)) == {
        Status.ARCHIVED
    }


def test_voters_are_known_where_the_file_knows_them(tmp_path: Path) -> None:
    votes_import(path=file(tmp_path, SIDES))

    assert votes_read().table["voter"].to_pylist() == ["7", "8"]


def test_the_same_file_twice_adds_nothing(tmp_path: Path) -> None:
    path = file(tmp_path, PLAIN)
    run("import_votes", path)
    said = run("import_votes", path)

    assert "nothing was added" in said
    assert Segment.objects.count() == 1


def test_each_segment_is_linked_to_the_one_before(tmp_path: Path) -> None:
    first = votes_import(path=file(tmp_path, PLAIN, "one.csv")).segment
    second = votes_import(path=file(tmp_path, SIDES, "two.csv")).segment

    assert second.predecessor == first.link
    assert second.link == link_of(first.link, second.sha256)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("wren,kite,model_c", "model_c"),
        ("wren,wren,tie", "itself"),
        ("wren,,tie", "model_b"),
        ("wren,kite,NaN", "NaN"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_taken(tmp_path: Path, row: str, said: str) -> None:
    path = file(tmp_path, f"{PLAIN}{row}\n")

    with pytest.raises(CommandError) as raised:
        run("import_votes", path)
    assert "line 5" in str(raised.value)
    assert said in str(raised.value)
    assert "Nothing was imported" in str(raised.value)
    assert not Segment.objects.exists()
    assert not Contestant.objects.exists()


def test_bad_rows_can_be_left_out_and_are_kept_aside(tmp_path: Path) -> None:
    imported = votes_import(path=file(tmp_path, f"{PLAIN}wren,wren,tie\n"), skip_bad=True)

    assert imported.segment.rows == 3
    assert imported.segment.rejected == 1
    assert imported.rejects_file is not None
    with imported.rejects_file.open() as rejects:
        assert [row["line"] for row in csv.DictReader(rejects)] == ["5"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "empty"), ("who,what\na,b\n", "model_a"), ("model_a,model_b,winner\n", "no vote")],
)
def test_files_that_are_not_votes_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run("import_votes", file(tmp_path, text))


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.csv"):
        run("import_votes", tmp_path / "none.csv")


def test_votes_cast_here_stand_beside_the_imported_ones(tmp_path: Path, alice: Voter) -> None:
    votes_import(path=file(tmp_path, PLAIN))
    native_vote(alice)

    table = votes_read().table
    assert table["winner"].to_pylist() == ["model_a", "tie", "both_bad", "model_b"]
    assert table["tokens_a"].to_pylist() == [None, None, None, 40]
    assert len(votes_all()[0]) == 4


def native_vote(voter: Voter) -> None:
    battle = factories.battle(factories.revision("heron"), factories.revision("swift"), voter)
    vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=voter,
        outcome="model_b",
        key="key-of-a-test",
    )


def test_excluded_votes_are_marked_and_not_dropped(tmp_path: Path, alice: Voter) -> None:
    segment = votes_import(path=file(tmp_path, PLAIN)).segment
    native_vote(alice)
    native = votes_read().table["id"].to_pylist()[-1]

    votes_exclude(votes=[f"{segment.sha256}:1", native], rule="rigging", reason="a test")

    assert votes_read().table["excluded"].to_pylist() == [None, "rigging", None, "rigging"]


def test_the_export_is_all_votes(tmp_path: Path, alice: Voter) -> None:
    votes_import(path=file(tmp_path, PLAIN))
    native_vote(alice)

    assert votes_export(path=tmp_path / "all.parquet") == 4
    assert pq.read_table(tmp_path / "all.parquet").num_rows == 4


def test_a_lost_segment_is_named(tmp_path: Path) -> None:
    segment = votes_import(path=file(tmp_path, PLAIN)).segment
    local(segment.sha256).unlink()

    with pytest.raises(CommandError, match=segment.sha256):
        run("export_votes", tmp_path / "all.parquet")
    assert not (tmp_path / "all.parquet").exists()
