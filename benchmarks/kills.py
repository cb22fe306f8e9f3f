"""What `kill -9` leaves behind: a chain that verifies, and every vote once.

    python benchmarks/kills.py --times 50

On an arena of its own (SQLite, or a database of its own on the server that DATABASE_URL names),
starts a seal, an import and a publication again and again, each as a process, and kills it at a
moment drawn from the time that it takes undisturbed. After each kill the chain is verified and the
votes are counted; then the work is done once more, and both again.
"""

import argparse
import csv
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
KINDS = ("seal", "import", "publish")
CONTESTANTS = 20
VOTERS = 200


def main() -> None:
    options = arguments()
    if options.child:
        work(options.child, options.file)
        return
    with arena() as folder:
        for kind in options.kinds or KINDS:
            print(trials(kind, folder, options), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="all without any")
    parser.add_argument("--times", type=int, default=50, help="kills of each kind")
    parser.add_argument("--votes", type=int, default=3_000, help="new ones each time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


@contextmanager
def arena() -> Iterator[Path]:
    """An empty arena of our own; its folder."""
    from sealing import own_database

    server = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TILTYARD_VAR": folder, "SECRET_KEY": "benchmark"}
        if not server:
            set_up(migrate=True)
            yield Path(folder)
            return
        with own_database(server, None) as (url, _):
            os.environ["DATABASE_URL"] = url
            set_up(migrate=True)
            yield Path(folder)
            from django.db import connections

            connections.close_all()


def set_up(*, migrate: bool = False) -> None:
    import django
    from django.core.management import call_command

    os.environ["DJANGO_SETTINGS_MODULE"] = "arena.config.settings"
    django.setup()
    if migrate:
        call_command("migrate", verbosity=0)


# -- The process that is killed --------------------------------------------------------------


def work(kind: str, file: Path) -> None:
    from django.core.management import call_command

    set_up()
    from arena.leaderboard import services  # so that the clock starts after the imports

    assert services
    print("ready", flush=True)
    if kind == "import":
        call_command("import_votes", str(file), stdout=sys.stderr)
    else:
        call_command(kind, stdout=sys.stderr)


def started(kind: str, file: Path) -> subprocess.Popen[str]:
    """A process that has imported everything and begins the work now."""
    command = [sys.executable, __file__, "--child", kind, "--file", str(file)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout
    child.stdout.readline()
    return child


# -- Trials ----------------------------------------------------------------------------------


@dataclass
class Trials:
    kind: str
    seconds: float
    found: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        counts = ", ".join(f"{what} {count}" for what, count in sorted(self.found.items()))
        return f"{self.kind} ({self.seconds:.2f} s undisturbed): {counts}"


def trials(kind: str, folder: Path, options: argparse.Namespace) -> Trials:
    luck = random.Random(f"{options.seed} {kind}")
    result = Trials(kind, undisturbed(kind, folder, options.votes))
    for _ in range(options.times):
        file = new_votes(kind, folder, options.votes)
        child = started(kind, file)
        time.sleep(luck.uniform(0, result.seconds))
        ended = child.poll() is not None
        child.kill()
        child.wait()
        result.found["ended before the kill" if ended else "killed in the middle"] += 1
        result.found.update(faults("after the kill", file if ended else None))
        again = started(kind, file)
        again.wait()
        if again.returncode:
            result.found["FAILED the second time"] += 1
        result.found.update(faults("after doing it again", file))
        result.found["files left in the making"] += len(list(folder.rglob(".making-*")))
        remove_left(folder)
    return result


def undisturbed(kind: str, folder: Path, votes: int) -> float:
    """Seconds that the work takes, the second time of two."""
    for _ in range(2):
        child = started(kind, new_votes(kind, folder, votes))
        start = time.perf_counter()
        if child.wait():
            sys.exit(f"{kind} fails undisturbed.")
    return time.perf_counter() - start


def remove_left(folder: Path) -> None:
    """What `manage.py seal` would sweep away a day later."""
    for path in folder.rglob(".making-*"):
        path.unlink()


def faults(when: str, file: Path | None) -> Counter[str]:
    """What does not hold; `file` is imported for sure."""
    from django.db import connection

    from arena.core.exceptions import ArenaError
    from arena.integrity.chain import chain_verify

    found: Counter[str] = Counter()
    try:
        chain_verify()
        found[f"chain verifies {when}"] += 1
    except ArenaError as error:
        found[f"BROKEN {when}: {error}"] += 1
    checks: list[Callable[[], str]] = [native_once, imported_once, snapshots_linked]
    problems = [problem for check in checks if (problem := check())]
    if file and file.exists() and not imported(file):
        problems.append("an import that had ended is gone")
    found.update(f"WRONG {when}: {problem}" for problem in problems)
    if not problems:
        found[f"every vote once {when}"] += 1
    connection.close()
    return found


def native_once() -> str:
    from arena.battles.models import Vote
    from arena.integrity.selectors import votes_read

    cast = [f"n:{pk}" for pk in Vote.objects.order_by("pk").values_list("pk", flat=True)]
    sealed = ids_in(last_vote__isnull=False)
    if sealed != cast[: len(sealed)]:
        return "sealed votes are not those cast"
    read = [vote for vote in votes_read(["id"]).table["id"].to_pylist() if vote.startswith("n:")]
    return "" if read == cast else "votes read are not those cast"


def imported_once() -> str:
    names = Counter(name.rpartition("-")[0] for name in ids_in(last_vote__isnull=True))
    return "" if len(set(names.values())) <= 1 else "a file was imported by halves, or twice"


def ids_in(**which: object) -> list[str]:
    """Ids of the votes in some segments, in the chain's order."""
    from arena.integrity.models import Segment
    from arena.integrity.selectors import exclusions_by_file, segment_table

    return [
        vote
        for segment in Segment.objects.filter(**which).order_by("id")
        for vote in segment_table(segment, exclusions_by_file([]), ["id"])["id"].to_pylist()
    ]


def snapshots_linked() -> str:
    from arena.leaderboard.models import Snapshot

    previous = "0" * 64
    for snapshot in Snapshot.objects.order_by("id"):
        if hashlib.sha256(snapshot.document.encode()).hexdigest() != snapshot.digest:
            return f"snapshot {snapshot} was altered"
        if snapshot.previous != previous:
            return f"snapshot {snapshot} does not follow the one before"
        previous = snapshot.digest
    return ""


def imported(file: Path) -> bool:
    from arena.integrity.files import sha256_of
    from arena.integrity.models import Segment

    return Segment.objects.filter(source_sha256=sha256_of(file)).exists()


# -- Votes -----------------------------------------------------------------------------------


def new_votes(kind: str, folder: Path, votes: int) -> Path:
    """Votes to work on: a file of them, or as many cast; the file's path."""
    path = folder / f"{uuid.uuid4()}.csv"
    if kind == "import":
        write_file(path, 10 * votes)
    else:
        cast(votes)
    return path


def write_file(path: Path, votes: int) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "model_a", "model_b", "winner"])
        for number in range(votes):
            a, b = random.sample(range(CONTESTANTS), 2)
            winner = random.choice(["model_a", "model_b", "tie"])
            rows.writerow([f"{path.stem}-{number}", f"contestant {a}", f"contestant {b}", winner])


def cast(votes: int) -> None:
    """Votes of finished battles, written as fast as the database takes them."""
    from django.db import transaction

    from arena.battles.models import Answer, Battle, State, Turn, Vote

    revisions, voters = cast_of_players()
    with transaction.atomic():
        battles = []
        for _ in range(votes):
            a, b = random.sample(revisions, 2)
            battles.append(
                Battle(
                    voter=random.choice(voters),
                    revision_a=a,
                    revision_b=b,
                    state=State.VOTED,
                    draw_probability=0.01,
                    owner="kills",
                )
            )
        Battle.objects.bulk_create(battles)
        turns = Turn.objects.bulk_create(
            Turn(battle=battle, number=1, prompt="Why is the sky blue?") for battle in battles
        )
        style = {"headers": 0, "lists": 1, "bold": 0, "code": 0, "emoji": 0}
        Answer.objects.bulk_create(
            Answer(
                turn=turn, side=side, text=f"because {side}", tokens=random.randrange(400), **style
            )
            for turn in turns
            for side in "ab"
        )
        Vote.objects.bulk_create(
            Vote(
                battle=battle,
                voter=battle.voter,
                turn=turn,
                outcome=random.choice(["model_a", "model_b", "tie"]),
                idempotency_key=battle.pk.hex,
            )
            for battle, turn in zip(battles, turns, strict=True)
        )


def cast_of_players() -> tuple[list[object], list[object]]:
    """Contestants' revisions and voters, made the first time."""
    from arena.catalog.models import Contestant, Kind, Revision
    from arena.catalog.services import revision_add
    from arena.voters.models import Voter

    if not Revision.objects.exists():
        for number in range(CONTESTANTS):
            name = f"contestant {number}"
            contestant = Contestant.objects.create(name=name, slug=f"contestant-{number}")
            revision_add(contestant=contestant, name=name, kind=Kind.RECORDED)
    if not Voter.objects.exists():
        Voter.objects.bulk_create(Voter() for _ in range(VOTERS))
    return list(Revision.objects.all()), list(Voter.objects.all())


if __name__ == "__main__":
    main()
