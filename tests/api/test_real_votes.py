"""Real votes: page and API show exactly what the command line gives under the board's own spec."""

import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from tests.api.test_boards import bearing

ROOT = Path(__file__).parent.parent.parent
FILES = {"llmfao.csv": 59, "arena_140k_votes.parquet": 53}
pytestmark = pytest.mark.django_db


def command_line(votes: Path, spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    (folder / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-m", "ranking", "fit", votes, "--skip-bad"]
    command += ["--spec", folder / "spec.json", "--json", folder / "board.json"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    board: dict[str, Any] = json.loads((folder / "board.json").read_text())
    return board


@pytest.mark.parametrize(("name", "contestants"), FILES.items())
def test_page_api_and_command_line_agree(
    real_votes: Path, tmp_path: Path, client: Client, name: str, contestants: int
) -> None:
    call_command("import_votes", str(real_votes / name), skip_bad=True)
    call_command("publish")
    root = User.objects.create_superuser("root")
    api = bearing(root).get("/api/v1/boards/current/").json()
    page = unescape(client.get("/leaderboard/").content.decode())
    fitted = command_line(real_votes / name, api["spec"], tmp_path)["standings"]

    assert len(api["standings"]) == len(fitted) == contestants
    for row, standing in zip(api["standings"], fitted, strict=True):
        assert {key: row[key] for key in standing} == pytest.approx(standing, abs=1e-9)
    names = re.findall(r'class="name"[^>]*>([^<]+)<', page)
    ratings = re.findall(r'<td class="rating"[^>]*><b>(\d+)</b>', page)
    assert names == [row["contestant"] for row in api["standings"]]
    assert ratings == [f"{row['rating']:.0f}" for row in api["standings"]]


@pytest.mark.parametrize("name", FILES)
def test_what_the_file_does_not_hold_is_absent_from_its_page(
    real_votes: Path, client: Client, name: str
) -> None:
    call_command("import_votes", str(real_votes / name), skip_bad=True)
    call_command("publish")
    page = client.get("/leaderboard/").content.decode()

    for absent in ("Moved from raw", "Licence", "Controlled for", "Simulated", "None"):
        assert absent not in page


def test_an_export_gives_the_same_board_again(
    real_votes: Path, tmp_path: Path, client: Client
) -> None:
    call_command("import_votes", str(real_votes / "arena_140k_votes.parquet"), skip_bad=True)
    call_command("publish")
    call_command("export_votes", str(tmp_path / "all.parquet"))
    board = client.get("/leaderboard/download.json").json()
    fitted = command_line(tmp_path / "all.parquet", board["spec"], tmp_path)["standings"]

    for row, standing in zip(board["standings"], fitted, strict=True):
        assert {key: row[key] for key in standing} == pytest.approx(standing, abs=1e-9)
