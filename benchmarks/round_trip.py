"""Do our files of votes mean the same elsewhere? Exits with 1 where they do not.

    TILTYARD_DATA=… .venv/bin/python benchmarks/round_trip.py [--native N]

For real votes, imported and exported, and for N votes cast here and sealed, each in an arena of
its own: peers fit plain Bradley-Terry to the file (peer_reads.py) and their ratings are compared
with those of `python -m ranking fit --no-position`; the export goes into an empty arena, whose
publication must be the same apart from the chain; and the catalog JSON is read as a consumer does.

Needs the peers' environment, .venv-peers, which `make bench` makes; FastChat's package is added
to it without its dependencies.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from exports import ROOT, environment, manage, served
from kills import cast, set_up
from peers import HERE, PEERS_PYTHON

FASTCHAT = "fschat==0.2.36"
FILES = ("llmfao.csv", "arena_140k_votes.parquet")
LIMIT = 0.1
AS_SHIPPED = "as shipped"
# What another chain makes different; everything else of a publication must be the same.
OF_CHAIN = ("number", "previous", "segments", "head", "sha256")
CATALOG_KEYS = {"rating", "rating_q975", "rating_q025"}


@dataclass
class Checks:
    """What was found, line by line, and whether all of it holds."""

    failed: list[str] = field(default_factory=list)

    def say(self, holds: bool, what: str) -> None:
        print(f"  {'ok    ' if holds else 'FAILED'}  {what}", flush=True)
        if not holds:
            self.failed.append(what)


# -- Arenas ----------------------------------------------------------------------------------


def empty(folder: Path) -> Path:
    folder.mkdir()
    manage(folder, "migrate", "--no-input", "--verbosity", "0")
    return folder


def arena_of(votes: Path, folder: Path) -> Path:
    """A new arena with the file's votes, published."""
    manage(empty(folder), "import_votes", str(votes), "--skip-bad")
    manage(folder, "publish")
    return folder


def arena_of_cast(votes: int, folder: Path) -> Path:
    """A new arena with votes cast there, published and thereby sealed; a tenth never counts."""
    child = [sys.executable, __file__, "--cast", str(votes)]
    subprocess.run(child, env=environment(empty(folder)), check=True)
    manage(folder, "publish")
    return folder


def cast_some(votes: int) -> None:
    """Random votes on anonymous battles, and on named ones as a tenth of them."""
    set_up()
    from arena.battles.models import Battle, Mode, Vote

    random.seed(1)
    cast(votes)
    named = Vote.objects.order_by("pk").values_list("battle", flat=True)[: votes // 10]
    Battle.objects.filter(pk__in=list(named)).update(mode=Mode.NAMED)


def exported(arena: Path) -> Path:
    path = arena / "exported.parquet"
    manage(arena, "export_votes", str(path))
    return path


# -- Peers -----------------------------------------------------------------------------------


def install_fastchat() -> None:
    if not PEERS_PYTHON.exists():
        raise SystemExit(f"{PEERS_PYTHON} is absent. Run `make bench`, which installs the peers.")
    install = [PEERS_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--no-deps", FASTCHAT], check=True)


def our_ratings(votes: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "ranking", "fit", votes, "--no-position", "--json", "-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"Our fit of {votes} failed:\n{done.stderr}")
    standings = json.loads(done.stdout)["standings"]
    return {standing["contestant"]: standing["rating"] for standing in standings}


def peer_ratings(votes: Path) -> dict[str, dict[str, float]]:
    command = [PEERS_PYTHON, HERE / "peer_reads.py", votes]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"A peer failed on {votes}:\n{done.stderr}")
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def apart(ours: dict[str, float], theirs: dict[str, float]) -> float:
    """Largest difference of two sets of ratings, each around its mean."""
    if ours.keys() != theirs.keys():
        return float("inf")
    both = np.array([[ratings[name] for name in ours] for ratings in (ours, theirs)])
    return float(np.abs(np.diff(both - both.mean(axis=1, keepdims=True), axis=0)).max())


def check_peers(votes: Path, checks: Checks) -> None:
    ours = our_ratings(votes)
    for peer, theirs in peer_ratings(votes).items():
        difference = apart(ours, theirs)
        said = f"{peer}: {len(theirs)} contestants, at most {difference:.2g} points apart"
        if AS_SHIPPED in peer:
            print(f"  ({said})")
        else:
            checks.say(difference <= LIMIT, said)


# -- Publications ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Published:
    """What an arena's site hands out."""

    document: dict[str, Any]
    board: dict[str, Any]
    catalog: dict[str, Any]


def published(arena: Path) -> Published:
    user = "from django.contrib.auth.models import User; User.objects.create_superuser('root')"
    manage(arena, "shell", "--command", user)
    headers = {"Authorization": f"Token {manage(arena, 'create_api_token', 'root')}"}
    with served(arena) as (address, _), httpx.Client(base_url=address, headers=headers) as client:

        def get(path: str) -> dict[str, Any]:
            found: dict[str, Any] = client.get(path).raise_for_status().json()
            return found

        board = get("/api/v1/boards/current/")
        document = get(f"/archive/{board['snapshot']}.json")
        return Published(document, board, get("/api/v1/catalog.json"))


def without_chain(document: dict[str, Any]) -> str:
    kept = {name: value for name, value in document.items() if name not in OF_CHAIN}
    return json.dumps(kept, sort_keys=True)


def check_again(first: Published, second: Published, checks: Checks) -> None:
    texts = [without_chain(each.document) for each in (first, second)]
    same, size = texts[0] == texts[1], f"{len(texts[0]):,} bytes"
    checks.say(same, f"exported, imported, published: the same document ({size} without the chain)")


def check_catalog(found: Published, checks: Checks) -> None:
    rows = list(catalog_rows(found.catalog))
    expected = [
        (found.board["category"], row["contestant"], row["rating_lower"], row["rating"])
        for row in found.board["standings"]
    ]
    ordered = all(lower <= rating <= upper for *_, lower, rating, upper in rows)
    same = sorted(row[:4] for row in rows) == sorted(expected)
    checks.say(ordered and same, f"catalog JSON: {len(rows)} contestants, as on the board")


def catalog_rows(catalog: dict[str, Any]) -> Iterator[tuple[str, str, float, float, float]]:
    """category, contestant, lower, rating, upper; ValueError where the shape is another."""
    for category, contestants in catalog.items():
        for name, cell in contestants.items():
            if cell.keys() != CATALOG_KEYS:
                raise ValueError(f"{category}, {name}: {sorted(cell)} instead of {CATALOG_KEYS}.")
            yield category, name, cell["rating_q025"], cell["rating"], cell["rating_q975"]


def check_arena(arena: Path, file: Path, export: Path, checks: Checks) -> None:
    """file: of the arena's votes, which the peers read."""
    check_peers(file, checks)
    first = published(arena)
    again = arena_of(export, arena.with_name(f"{arena.name} again"))
    check_again(first, published(again), checks)
    check_catalog(first, checks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--native", type=int, default=600, help="votes cast here")
    parser.add_argument("--cast", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.cast:
        cast_some(given.cast)
        return
    data = Path(os.environ.get("TILTYARD_DATA") or "no such folder")
    if not data.is_dir():
        raise SystemExit("Name the folder of real votes: TILTYARD_DATA=…")
    install_fastchat()
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        for file in FILES:
            print(f"{file}, imported and exported")
            arena = arena_of(data / file, Path(name) / file)
            export = exported(arena)
            check_arena(arena, export, export, checks)
        print(f"{given.native:,} votes cast and sealed, a tenth of them named")
        arena = arena_of_cast(given.native, Path(name) / "native")
        (sealed,) = (arena / "segments").glob("*.parquet")
        check_arena(arena, sealed, exported(arena), checks)
    if checks.failed:
        raise SystemExit(f"{len(checks.failed)} checks failed.")


if __name__ == "__main__":
    main()
