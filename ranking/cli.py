"""The command line: python -m ranking fit FILE …"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from ranking.covariates import CONTROLS, GROUPS, expand_controls
from ranking.errors import RankingError, SpecError, VoteFileError
from ranking.fitting import fit
from ranking.io import VoteFile, read_votes
from ranking.movement import style_movement
from ranking.result import Coefficient, Leaderboard, Movement, Standing, Unplaced
from ranking.spec import RankingSpec
from ranking.votes import Votes

FAILURE = 2
_SHOWN_REJECTS = 5
_NARROWEST = 100
_REASONS = {
    "undefeated": "never lost or tied",
    "winless": "never won or tied",
    "above": "only ever beat those who are placed",
    "below": "only ever lost to those who are placed",
    "separate_group": "not connected with those who are placed",
    "no_votes": "no counted vote",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, or 2 after an error told on standard error."""
    parsed = _parser().parse_args(arguments)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        _fit(parsed, _console(), errors)
    except RankingError as error:
        errors.print(Text(f"ranking: {error}"))
        return FAILURE
    return 0


def _console() -> Console:
    """A console that a pipe or a log does not squeeze to 80 columns."""
    console = Console()
    if not console.is_terminal and console.width < _NARROWEST:
        return Console(width=_NARROWEST)
    return console


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ranking", description="Rankings from pairwise votes."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("fit", help="fit a ranking to a file of votes and print it")
    one.add_argument("file", type=Path, help="votes as CSV, JSON, JSON Lines or Parquet")
    one.add_argument(
        "--controls",
        metavar="NAMES",
        help=f"style to control for, separated by commas: {', '.join([*CONTROLS, *GROUPS])}",
    )
    one.add_argument("--no-position", action="store_true", help="no term for being shown first")
    one.add_argument(
        "--no-floor", action="store_true", help="no least variance for contestants of few votes"
    )
    one.add_argument(
        "--no-cluster", action="store_true", help="treat the votes of a voter as independent"
    )
    one.add_argument("--skip-bad", action="store_true", help="leave malformed rows out")
    one.add_argument("--spec", type=Path, metavar="FILE", help="settings as JSON; flags go first")
    one.add_argument("--json", type=Path, metavar="OUT", help="write the result (- for stdout)")
    return parser


def _fit(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    spec = _spec(parsed)
    with _progress(errors) as progress:
        task = progress.add_task("reading")
        read = read_votes(
            parsed.file,
            skip_bad=parsed.skip_bad,
            progress=lambda rows: progress.update(task, description=f"reading: {rows:,} votes"),
        )
        progress.update(task, description=f"fitting {read.table.num_rows:,} votes")
        board, movements = _ranked(Votes.from_arrow(read.table), spec)
    document = _document(board, movements, read)
    if str(parsed.json) == "-":
        sys.stdout.write(document)
        return
    # Before the table: a reader such as `head` may close the pipe that the table goes to.
    if parsed.json is not None:
        _write(parsed.json, document)
    _show(output, board, movements, read)


def _progress(console: Console) -> Progress:
    columns = SpinnerColumn(), TextColumn("{task.description}")
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _ranked(votes: Votes, spec: RankingSpec) -> tuple[Leaderboard, tuple[Movement, ...]]:
    if not spec.controls:
        return fit(votes, spec), ()
    moved = style_movement(votes, spec)
    return moved.controlled, moved.movements


def _spec(parsed: argparse.Namespace) -> RankingSpec:
    """The spec of --spec with the flags laid over it."""
    spec = RankingSpec() if parsed.spec is None else _read_spec(parsed.spec)
    changes: dict[str, Any] = {}
    if parsed.controls is not None:
        names = [name.strip() for name in parsed.controls.split(",") if name.strip()]
        changes |= {"controls": expand_controls(names), "scales": None}
    if parsed.no_position:
        changes["position"] = False
    if parsed.no_floor:
        changes["floor"] = False
    if parsed.no_cluster:
        changes["cluster"] = False
    return replace(spec, **changes)


def _read_spec(path: Path) -> RankingSpec:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(f"{path}: is not a readable JSON file ({error}).") from error
    if not isinstance(data, dict):
        raise SpecError(f"{path}: must hold one JSON object of settings.")
    return RankingSpec.from_dict(data)


def _document(board: Leaderboard, movements: Sequence[Movement], read: VoteFile) -> str:
    """The result as JSON; each standing of a controlled board carries its movement from raw."""
    data = board.to_dict()
    moved = {movement.contestant: movement for movement in movements}
    for row in data["standings"]:
        if movement := moved.get(row["contestant"]):
            row["moved_ranks"] = movement.ranks
            row["moved_rating"] = movement.rating
            row["moved_lower"], row["moved_upper"] = movement.lower, movement.upper
    data["file"] = {
        "schema": read.schema,
        "rows": read.rows_read,
        "rejects": [reject._asdict() for reject in read.rejects],
    }
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, document: str) -> None:
    try:
        path.write_text(document, encoding="utf-8")
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror or error})."
        raise VoteFileError(message) from error


def _show(
    output: Console, board: Leaderboard, movements: Sequence[Movement], read: VoteFile
) -> None:
    if board.standings:
        output.print(_standings_table(board, movements))
    if board.unplaced:
        output.print(_unplaced_table(board.unplaced))
    for line in [*_summary(board, read), *board.warnings]:
        output.print(Text(line))


def _standings_table(board: Leaderboard, movements: Sequence[Movement]) -> Table:
    moved = {movement.contestant: movement for movement in movements}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("rank", "set", "contestant", "rating", f"{board.spec.confidence:.0%} interval"):
        table.add_column(heading, justify="left" if heading == "contestant" else "right")
    table.add_column("votes", justify="right")
    if moved:
        table.add_column("from raw", justify="right")
    for standing in board.standings:
        cells = _cells(standing)
        if moved:
            cells.append(_moved(moved[standing.contestant]))
        table.add_row(*map(Text, cells))
    return table


def _cells(standing: Standing) -> list[str]:
    low, high = standing.rank_lower, standing.rank_upper
    return [
        str(standing.rank),
        "" if low is None else str(low) if low == high else f"{low}–{high}",
        standing.contestant,
        f"{standing.rating:.1f}",
        f"{standing.rating_lower:.1f} … {standing.rating_upper:.1f}",
        f"{standing.votes:,}",
    ]


def _moved(movement: Movement) -> str:
    arrow = "▲" if movement.ranks > 0 else "▼" if movement.ranks < 0 else "="
    ranks = f"{arrow}{abs(movement.ranks)}" if movement.ranks else arrow
    return f"{ranks} ({movement.rating:+.1f})"


def _unplaced_table(unplaced: Sequence[Unplaced]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title="not placed")
    for heading in ("contestant", "votes", "why", "rating"):
        table.add_column(heading, justify="right" if heading == "votes" else "left")
    for entry in unplaced:
        cells = [entry.contestant, f"{entry.votes:,}", _REASONS[entry.reason], _bound(entry)]
        table.add_row(*map(Text, cells))
    return table


def _bound(entry: Unplaced) -> str:
    if entry.bound is None:
        return ""
    return f"{'≥' if entry.is_lower_bound else '≤'} {entry.bound:.0f}"


def _summary(board: Leaderboard, read: VoteFile) -> list[str]:
    counts = board.counts
    left_out = [
        *((number, f"excluded as {rule}") for rule, number in counts.excluded),
        (counts.missing, "without a control"),
        (counts.unweighted, "without what their weight needs"),
        (counts.both_bad, "both bad"),
        (counts.unplaced, "of contestants not placed"),
        (len(read.rejects), "malformed"),
    ]
    told = [f"{number:,} {why}" for number, why in left_out if number]
    lines = [
        f"{counts.counted:,} votes counted" + (f"; left out: {', '.join(told)}" if told else "")
    ]
    lines += [f"  line {reject.line}: {reject.reason}" for reject in read.rejects[:_SHOWN_REJECTS]]
    if len(read.rejects) > _SHOWN_REJECTS:
        lines.append(f"  … and {len(read.rejects) - _SHOWN_REJECTS:,} more")
    if board.clusters is not None and board.effective_voters is not None:
        lines.append(
            f"Intervals clustered by {board.clusters:,} voters, who weigh like "
            f"{board.effective_voters:.1f} equally active ones"
        )
    own = (board.position, board.tie, board.level)
    coefficients = [*board.coefficients, *filter(None, own)]
    return [*lines, *map(_told, coefficients)]


def _told(coefficient: Coefficient) -> str:
    return (
        f"{coefficient.name}: {coefficient.value:+.4f} "
        f"({coefficient.lower:+.4f} … {coefficient.upper:+.4f}), "
        f"worth {coefficient.elo:+.1f} points"
    )
