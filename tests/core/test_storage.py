"""Files appear whole under their name, or not at all; modules import what they were built with."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import StaticFilesStorage

from arena.core.storage import ModuleManifestStorage, publish_file, temporary_in


class Broken(Exception):
    """What the maker of a file meets in the middle of writing."""


def test_it_works(tmp_path: Path) -> None:
    final = tmp_path / "votes.parquet"
    with temporary_in(tmp_path, ".parquet") as made:
        made.write_bytes(b"every vote")
        assert not final.exists()
        publish_file(made, final)

    assert final.read_bytes() == b"every vote"
    assert list(tmp_path.iterdir()) == [final]


def test_the_folder_is_made_where_it_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "segments"
    with temporary_in(folder, ".csv") as made:
        publish_file(made, folder / "empty.csv")

    assert (folder / "empty.csv").read_bytes() == b""


def test_a_published_file_replaces_the_one_before(tmp_path: Path) -> None:
    final = tmp_path / "votes.csv"
    final.write_text("an older and longer export")
    with temporary_in(tmp_path, ".csv") as made:
        made.write_text("a newer one")
        publish_file(made, final)

    assert final.read_text() == "a newer one"


def test_a_maker_that_fails_leaves_nothing_half_written(tmp_path: Path) -> None:
    final = tmp_path / "votes.csv"
    final.write_text("the last good export")
    with pytest.raises(Broken), temporary_in(tmp_path, ".csv") as made:
        made.write_text("half of a")
        raise Broken

    assert final.read_text() == "the last good export"
    assert list(tmp_path.iterdir()) == [final]


def test_a_file_that_was_never_made_replaces_nothing(tmp_path: Path) -> None:
    final = tmp_path / "votes.csv"
    final.write_text("the last good export")
    with pytest.raises(FileNotFoundError):
        publish_file(tmp_path / "none.csv", final)

    assert final.read_text() == "the last good export"


def test_two_makers_in_one_folder_do_not_meet(tmp_path: Path) -> None:
    with temporary_in(tmp_path, ".csv") as one, temporary_in(tmp_path, ".csv") as other:
        one.write_text("one")
        other.write_text("other")
        publish_file(one, tmp_path / "one.csv")
        publish_file(other, tmp_path / "other.csv")

    assert (tmp_path / "one.csv").read_text() == "one"
    assert (tmp_path / "other.csv").read_text() == "other"


def collected(folder: Path, neighbour: str) -> str:
    """What `page.js` imports once collected beside a `part.js` that reads `neighbour`."""
    folder.mkdir()
    (folder / "part.js").write_text(neighbour)
    (folder / "page.js").write_text('import { part } from "./part.js";\n')
    source = StaticFilesStorage(location=folder, base_url="/static/")
    storage = ModuleManifestStorage(location=folder, base_url="/static/")
    for _ in storage.post_process({name: (source, name) for name in ("part.js", "page.js")}):
        pass
    found = re.search(r'from "\./(.+)"', (folder / storage.stored_name("page.js")).read_text())
    assert found is not None
    assert (folder / found[1]).read_text() == neighbour
    return found[1]


def test_a_module_never_loads_a_stale_neighbour(tmp_path: Path) -> None:
    before = collected(tmp_path / "before", "export const part = 1;\n")
    after = collected(tmp_path / "after", "export const part = 2;\n")

    assert before != after


def test_a_long_chain_of_imports_is_named_to_its_end(tmp_path: Path) -> None:
    names = [f"part{number}.js" for number in range(12)]
    for name, following in pairwise(names):
        (tmp_path / name).write_text(f'import "./{following}";\n')
    (tmp_path / names[-1]).write_text("export {};\n")
    source = StaticFilesStorage(location=tmp_path, base_url="/static/")
    storage = ModuleManifestStorage(location=tmp_path, base_url="/static/")

    results = list(storage.post_process({name: (source, name) for name in names}))
    assert not [result for *_, result in results if isinstance(result, Exception)]
