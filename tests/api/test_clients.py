"""What the documentation says, done: its commands and its clients against a live server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User

from arena.integrity.imports import votes_import
from arena.integrity.models import Segment
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from tests.api.conftest import styled, token_of
from tests.conftest import missing
from tests.leaderboard.test_refit import cast, cycle

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def token(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An arena with two publications; its server runs jobs."""
    monkeypatch.setattr(settings, "JOBS_SECONDS", 0.05)
    votes_import(path=styled(tmp_path))
    publish()
    cast(Voter.objects.create())
    publish()
    return token_of(User.objects.create_superuser("root"))


def client(name: str, **environment: str) -> str:
    """What a client prints."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "clients" / name],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_httpx(token: str, site: str) -> None:
    said = client("httpx_client.py", TILTYARD_URL=site, TOKEN=token)

    assert "again: 304" in said
    assert "2 publications" in said
    assert "ledger: done" in said
    assert re.search(r"wren +\{'V': ", said)


def test_pandas(token: str, site: str) -> None:
    said = client("pandas_client.py", TILTYARD_URL=site, TOKEN=token)

    assert "rating_lower" in said and "wren" in said


def test_duckdb_over_the_network_and_from_the_folder(token: str, site: str) -> None:
    fetched = client("duckdb_client.py", TILTYARD_URL=site, TOKEN=token)
    direct = client("duckdb_client.py", FILES=f"{settings.SEGMENTS_DIR}/*.parquet")

    assert fetched == direct
    assert "wren" in fetched


def commands(text: str) -> str:
    """The shell commands of a page, in order, less those that need the server's own shell."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return "\n".join(block for block in blocks if "manage.py" not in block)


def test_the_commands_of_the_documentation_do_what_it_says(
    token: str, site: str, tmp_path: Path
) -> None:
    for tool in ("bash", "curl"):
        if shutil.which(tool) is None:
            missing("curl", f"there is no {tool}")
    folder = tmp_path / "client"
    folder.mkdir()
    cycle(folder, name="votes.csv")
    script = commands((ROOT / "docs" / "api.md").read_text())
    script = script.replace("http://127.0.0.1:8000", site).replace("export TOKEN=…", "")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TOKEN": token},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert (folder / "board.csv").read_text().startswith("model_name,organization,")
    assert len((folder / "votes.ndjson").read_text().splitlines()) > 200
    assert Segment.objects.filter(source_name__endswith="votes.csv").exists()


# -- What only a real server shows -----------------------------------------------------------


def test_bodies_are_refused_by_their_length_before_they_are_read(token: str, site: str) -> None:
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    large = httpx.post(f"{site}/api/v1/exclusions/", content=b" " * 3_000_000, headers=headers)
    chunks = httpx.post(f"{site}/api/v1/exclusions/", content=iter([b"{", b"}"]), headers=headers)

    assert (large.status_code, chunks.status_code) == (413, 411)
    for response in (large, chunks):
        assert response.headers["Content-Type"] == "application/problem+json"
    assert "2,621,440 bytes" in large.json()["detail"]


def test_whoever_goes_away_early_leaves_the_server_working(token: str, site: str) -> None:
    headers = {"Authorization": f"Token {token}"}
    for _ in range(5):
        with httpx.stream("GET", f"{site}/api/v1/votes.ndjson", headers=headers) as response:
            assert next(response.iter_bytes(10))
    votes = httpx.get(f"{site}/api/v1/votes.ndjson", headers=headers)

    assert len(votes.text.splitlines()) == 241
