"""The whole way of somebody who trusts nobody: download everything, run the printed command."""

import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import httpx
import pytest

from arena.integrity.imports import votes_import
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from tests.conftest import missing
from tests.leaderboard.test_refit import cast, cycle

ROOT = Path(__file__).parent.parent.parent


def without_django(folder: Path) -> dict[str, str]:
    """An environment in which `python` is this one, knows `ranking` and has no Django."""
    (folder / "sitecustomize.py").write_text(
        "import sys\nsys.modules.update(django=None, arena=None)\n"
    )
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": binaries, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def printed_command(page: str) -> str:
    found = re.search(r'<pre id="command"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


@pytest.fixture
def published(tmp_path: Path, transactional_db: None) -> None:
    """Two publications, the second with a vote that was cast here."""
    votes_import(path=cycle(tmp_path))
    publish()
    cast(Voter.objects.create())
    publish()


def test_the_printed_command_verifies_what_was_downloaded(
    tmp_path: Path, site: str, published: None
) -> None:
    for tool in ("bash", "curl", "xargs"):
        if shutil.which(tool) is None:
            missing("curl", f"there is no {tool}")
    command = printed_command(httpx.get(f"{site}/archive/").text)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    environment = without_django(tmp_path)

    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "verified"
    assert len(list(folder.glob("*.parquet"))) == 2
    parts = Snapshot.objects.latest("number").content["parts"].values()
    assert {f"{digest}.json" for digest in parts} < {path.name for path in folder.glob("*.json")}

    segment = next(folder.glob("*.parquet"))
    segment.write_bytes(segment.read_bytes()[:-1] + b"0")
    again = subprocess.run(
        ["bash", "-c", command.splitlines()[-1]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 1
    assert segment.name in again.stderr
