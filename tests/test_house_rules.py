"""The house rules: who may import whom, who reads the environment, what a file may hold."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for room in ("arena", "ranking")
    for path in (ROOT / room).rglob("*.py")
    if "migrations" not in path.parts
)


def lint_imports(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_rooms_import_only_what_they_may() -> None:
    result = lint_imports()

    assert result.returncode == 0, result.stdout + result.stderr


def test_a_forbidden_import_is_noticed() -> None:
    """The rule bites: core may not know battles."""
    offender = ROOT / "arena" / "core" / "_offender_of_the_house_rules.py"
    offender.write_text("import arena.battles.models\n")
    try:
        result = lint_imports()
    finally:
        offender.unlink()

    assert result.returncode != 0
    assert "_offender_of_the_house_rules" in result.stdout


def test_only_the_settings_read_the_environment() -> None:
    allowed = {
        "arena/config/settings.py",
        "arena/config/asgi.py",  # names the settings module
        "arena/core/keys.py",  # a provider's key, by the name its revision gives
        "arena/core/dumps.py",  # hands all of it on to PostgreSQL's own programs
    }
    readers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    }

    assert readers <= allowed
