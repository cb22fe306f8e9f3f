"""What each verb of the command line does: read, compute, write, then show."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from ranking.arrays import AnyArray
from ranking.calibration import calibrate
from ranking.covariates import expand_controls
from ranking.display import show_board, show_calibration, show_fragility, show_ledger, show_path
from ranking.errors import SpecError, VoteFileError
from ranking.fitting import fit
from ranking.influence import Fragility, Unit, fragility
from ranking.io import VoteFile, read_votes
from ranking.ledger import Ledger, movement_ledger
from ranking.movement import style_movement
from ranking.outputs import as_csv, as_json, standings_table, write_parquet, write_text
from ranking.path import control_path
from ranking.result import Counts, Leaderboard, Movement, StyleMovement
from ranking.selection import select_votes
from ranking.spec import RankingSpec
from ranking.states import BoardState
from ranking.votes import Votes

Tell = Callable[[str], None]


def run_fit(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """Fit a ranking to a file of votes; with controls also the raw one."""
    spec = spec_of(parsed, parsed.spec)
    with _work(errors) as tell:
        read = _read(parsed.file, parsed, tell)
        tell(f"fitting {read.table.num_rows:,} votes")
        board, moved = _ranked(Votes.from_arrow(read.table), spec)
    movements = () if moved is None else moved.movements
    table = standings_table(board, moved)
    # Files come before the table: a reader such as `head` may close the pipe it goes to.
    if parsed.csv is not None:
        write_text(parsed.csv, as_csv(table))
    if parsed.parquet is not None:
        write_parquet(parsed.parquet, table)
    if _json_is_all(parsed, lambda: _board_data(board, movements, read)):
        return
    show_board(output, board, movements, read)


def run_path(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """What control of style did to each contestant, feature by feature."""
    spec = spec_of(parsed, parsed.spec)
    with _work(errors) as tell:
        read = _read(parsed.file, parsed, tell)
        tell("fitting the raw and the controlled board")
        path = control_path(Votes.from_arrow(read.table), spec)
        tell("walking from the raw board to the controlled one")
        data = None if parsed.json is None else path.to_dict() | {"file": _file_data(read)}
        attributions = path.attributions
    if _json_is_all(parsed, lambda: data):
        return
    show_path(output, attributions, path.prepared, read)


def run_compare(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """What moved each contestant between two files, or two specs, cause by cause."""
    paths = (parsed.before, parsed.after)
    specs = [spec_of(parsed, path) for path in (parsed.spec_before, parsed.spec_after)]
    with _work(errors) as tell:
        reads = [_read(parsed.before, parsed, tell)]
        same = parsed.before.resolve() == parsed.after.resolve()
        reads.append(reads[0] if same else _read(parsed.after, parsed, tell))
        ids = _ids(paths, reads)
        boards = [
            BoardState(Votes.from_arrow(read.table), spec, ids=known)
            for read, spec, known in zip(reads, specs, ids, strict=True)
        ]
        ledger = movement_ledger(*boards, progress=lambda fits: tell(f"fitted {fits} boards"))
    matched = "id" if ids[0] is not None else "row"
    if _json_is_all(parsed, lambda: _ledger_data(ledger, specs, reads, matched)):
        return
    show_ledger(output, ledger, matched, reads)


def _ids(paths: Sequence[Path], reads: Sequence[VoteFile]) -> list[AnyArray | None]:
    """The ids of both files, or of neither where one of them has none.

    Raises VoteFileError when some votes of a file have an id and others have not.
    """
    found: list[AnyArray | None] = []
    for path, read in zip(paths, reads, strict=True):
        names = read.table.column_names
        values = read.table.column("id").to_pylist() if "id" in names else [None]
        missing = sum(value is None for value in values)
        if 0 < missing < len(values):
            raise VoteFileError(
                f"{path}: {missing:,} of {len(values):,} votes have no id. "
                "Give every vote one, or leave the column out."
            )
        found.append(None if missing else np.array(values, dtype=object))
    return [None, None] if any(ids is None for ids in found) else found


def _ledger_data(
    ledger: Ledger, specs: Sequence[RankingSpec], reads: Sequence[VoteFile], matched: str
) -> dict[str, Any]:
    before, after = (
        {"spec": spec.to_dict(), "file": _file_data(read)}
        for spec, read in zip(specs, reads, strict=True)
    )
    return ledger.to_dict() | {"matched_by": matched, "before": before, "after": after}


def run_fragility(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """How few votes, or voters, hold contestants in their order."""
    spec = spec_of(parsed, parsed.spec)
    unit: Unit = "voter" if parsed.voters else "vote"
    with _work(errors) as tell:
        read = _read(parsed.file, parsed, tell)
        tell(f"taking {unit}s out and fitting again")
        votes = Votes.from_arrow(read.table)
        found = fragility(votes, spec, pairs=parsed.pair, unit=unit)
        _, counts = select_votes(votes, spec)
    if _json_is_all(parsed, lambda: _fragility_data(found, spec, read, unit, counts)):
        return
    show_fragility(output, found, unit, counts, read)


def _fragility_data(
    found: Sequence[Fragility],
    spec: RankingSpec,
    read: VoteFile,
    unit: Unit,
    counts: Counts,
) -> dict[str, Any]:
    """What was found; voters by the name that the file gives them, null where unknown."""
    named = _voter_names(read)
    pairs = [
        one.to_dict() | {"voters": [named[v] if v >= 0 else None for v in one.voters]}
        for one in found
    ]
    return {
        "unit": unit,
        "spec": spec.to_dict(),
        "counts": counts.to_dict(),
        "pairs": pairs,
        "file": _file_data(read),
    }


def _voter_names(read: VoteFile) -> list[str]:
    """Names of the voters in the order in which Votes numbers them."""
    if "voter" not in read.table.column_names:
        return []
    occurring = read.table.column("voter").unique().to_pylist()
    return sorted(name for name in occurring if name is not None)


def run_calibrate(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """How well a spec predicts votes that it has not seen."""
    spec = spec_of(parsed, parsed.spec)
    with _work(errors) as tell:
        read = _read(parsed.file, parsed, tell)
        tell(f"predicting {parsed.folds} blocks of votes from those before them")
        votes = Votes.from_arrow(read.table)
        found = calibrate(votes, spec, folds=parsed.folds, bins=parsed.bins)
    if _json_is_all(parsed, lambda: found.to_dict() | {"file": _file_data(read)}):
        return
    show_calibration(output, found, read)


def spec_of(parsed: argparse.Namespace, path: Path | None) -> RankingSpec:
    """The spec of a file, or the usual one, with the flags laid over it."""
    spec = RankingSpec() if path is None else _read_spec(path)
    changes: dict[str, Any] = {}
    if parsed.controls is not None:
        names = [name.strip() for name in parsed.controls.split(",") if name.strip()]
        changes |= {"controls": expand_controls(names), "scales": None}
    if parsed.likelihood is not None:
        changes["likelihood"] = parsed.likelihood
    if parsed.weights is not None:
        changes["weights"] = None if parsed.weights == "none" else parsed.weights
    if parsed.half_life is not None:
        changes["half_life_days"] = parsed.half_life
    for setting in ("position", "floor", "cluster"):
        if getattr(parsed, f"no_{setting}", False):
            changes[setting] = False
    return replace(spec, **changes)


def _read_spec(path: Path) -> RankingSpec:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(f"{path}: is not a readable JSON file ({error}).") from error
    if not isinstance(data, dict):
        raise SpecError(f"{path}: must hold one JSON object of settings.")
    return RankingSpec.from_dict(data)


@contextmanager
def _work(console: Console) -> Iterator[Tell]:
    """A spinner on a terminal, and what to call with a word on what is being done."""
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False)
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("reading")
        yield lambda doing: progress.update(task, description=doing)


def _read(path: Path, parsed: argparse.Namespace, tell: Tell) -> VoteFile:
    return read_votes(
        path,
        skip_bad=parsed.skip_bad,
        progress=lambda rows: tell(f"reading {path.name}: {rows:,} votes"),
    )


def _json_is_all(parsed: argparse.Namespace, data: Callable[[], Any]) -> bool:
    """Write the JSON that was asked for; whether it went to standard output, so no table does."""
    if parsed.json is None:
        return False
    if str(parsed.json) != "-":
        write_text(parsed.json, as_json(data()))
        return False
    sys.stdout.write(as_json(data()))
    return True


def _ranked(votes: Votes, spec: RankingSpec) -> tuple[Leaderboard, StyleMovement | None]:
    if not spec.controls:
        return fit(votes, spec), None
    moved = style_movement(votes, spec)
    return moved.controlled, moved


def _board_data(
    board: Leaderboard, movements: Sequence[Movement], read: VoteFile
) -> dict[str, Any]:
    """The board; each standing of a controlled one carries its movement from raw."""
    data = board.to_dict()
    moved = {movement.contestant: movement for movement in movements}
    for row in data["standings"]:
        if movement := moved.get(row["contestant"]):
            row["moved_ranks"] = movement.ranks
            row["moved_rating"] = movement.rating
            row["moved_lower"], row["moved_upper"] = movement.lower, movement.upper
    return data | {"file": _file_data(read)}


def _file_data(read: VoteFile) -> dict[str, Any]:
    return {
        "schema": read.schema,
        "rows": read.rows_read,
        "rejects": [reject._asdict() for reject in read.rejects],
    }
