"""Does `verify` find every flipped bit, in the right file, and every altered number?

    python benchmarks/flips.py [--bits N] [--numbers N] [--votes N] [--files F]

Flips single random bits in the files of a publication, each file equally often, and restores
them; then alters single published ratings, intervals and coefficients and computes all hashes
anew. Flips are checked in this process, and every hundredth by the command.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from verifying import publish, seal, verify_apart

from ranking.errors import VerificationError
from ranking.simulation import SimulationSpec
from ranking.snapshots import digest_of, snapshot_text
from ranking.verify import verify

Place = tuple[str | int, ...]


def found(snapshot: Path, *, every_number: bool = False) -> VerificationError | None:
    try:
        verify([snapshot], snapshot.parent, every_number=every_number)
    except VerificationError as error:
        return error
    return None


def flip(snapshot: Path, bits: int, draw: random.Random) -> Counter[str]:
    """How often a flipped bit was found in its file, in another one, or not at all."""
    files = [snapshot, *sorted(snapshot.parent.glob("*.parquet"))]
    counted: Counter[str] = Counter()
    for number in range(bits):
        path = files[number % len(files)]
        place, bit = draw.randrange(path.stat().st_size), draw.randrange(8)
        toggle(path, place, bit)
        error = found(snapshot)
        right = error is not None and error.file == str(path)
        counted["in the right file" if right else "elsewhere" if error else "not at all"] += 1
        if number % 100 == 0:
            _, code, said = verify_apart(snapshot)
            right = code == 1 and path.name in said
            counted["by the command" if right else "not by the command"] += 1
        toggle(path, place, bit)
    return counted


def toggle(path: Path, place: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << bit]))


def alter(snapshot: Path, numbers: int, draw: random.Random) -> Counter[str]:
    """How often an altered number was found where it is, with every hash computed anew."""
    document = json.loads(snapshot.read_text())
    del document["sha256"]
    default = document["boards"]["controlled"]
    places = {
        "default board": list(numbers_in(default["standings"], ("boards", "controlled"))),
        "everything": list(numbers_in(document["boards"]["raw"]["standings"], ("boards", "raw"))),
    }
    counted: Counter[str] = Counter()
    for number in range(numbers):
        what = "everything" if number % 4 == 3 else "default board"
        place = draw.choice(places[what])
        changed = json.loads(json.dumps(document))
        add(changed, place, draw.choice((-1, 1)) * 10 ** draw.uniform(-5, 1))
        path = snapshot.with_name(f"{digest_of(changed)}.json")
        path.write_text(snapshot_text(changed))
        error = found(path, every_number=what == "everything")
        path.unlink()
        right = error is not None and error.where == written(place)
        counted[f"{what}: {'where it is' if right else 'elsewhere' if error else 'no'}"] += 1
    return counted


def numbers_in(rows: list[dict[str, Any]], board: tuple[str, str]) -> Iterator[Place]:
    """Every number with a decimal point of a board's standings."""
    for index, row in enumerate(rows):
        for key, value in row.items():
            if isinstance(value, float):
                yield (*board, "standings", index, key)


def add(document: Any, place: Place, amount: float) -> None:
    for key in place[:-1]:
        document = document[key]
    document[place[-1]] += amount


def written(place: Place) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bits", type=int, default=1000)
    parser.add_argument("--numbers", type=int, default=40)
    parser.add_argument("--votes", type=int, default=30_000)
    parser.add_argument("--files", type=int, default=3)
    given = parser.parse_args()
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        snapshot = publish(folder, seal(folder, SimulationSpec(votes=given.votes), given.files))
        assert found(snapshot) is None
        print(f"{given.bits:,} flipped bits, found:")
        for what, times in flip(snapshot, given.bits, draw).most_common():
            print(f"  {times:6,} {what}")
        print(f"{given.numbers:,} altered numbers with all hashes computed anew, found:")
        for what, times in alter(snapshot, given.numbers, draw).most_common():
            print(f"  {times:6,} {what}")
        assert found(snapshot) is None


if __name__ == "__main__":
    main()
