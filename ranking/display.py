"""Results as tables and lines on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console, JustifyMethod, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ranking.calibration import Calibration
from ranking.influence import Fragility
from ranking.io import Reject, VoteFile
from ranking.ledger import CAUSE_NAMES, Ledger, LedgerRow
from ranking.path import Attribution
from ranking.result import Coefficient, Counts, Leaderboard, Movement, Standing, Unplaced
from ranking.selection import Prepared
from ranking.simulation import Simulation
from ranking.spec import RankingSpec

_SHOWN_REJECTS = 5
_NARROWEST = 200
UNPLACED_REASONS = {
    "undefeated": "never lost or tied",
    "winless": "never won or tied",
    "above": "only ever beat those who are placed",
    "below": "only ever lost to those who are placed",
    "separate_group": "not connected with those who are placed",
    "no_votes": "no counted vote",
}


class _Output(Console):
    """A console that leaves it to its caller what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def wide_console() -> Console:
    """A console that a pipe or a log does not squeeze to 80 columns."""
    console = _Output()
    if not console.is_terminal and console.width < _NARROWEST:
        return _Output(width=_NARROWEST)
    return console


@dataclass(frozen=True, slots=True)
class Work:
    """What is being done, told on a terminal."""

    tell: Callable[[str], None]
    count: Callable[[str], Callable[[int, int], None]]
    """Of work whose size is known: takes a word on it, gives what to call with how much is done
    and how much there is."""


@contextmanager
def work_on(console: Console) -> Iterator[Work]:
    """A spinner, and a bar while it is known how much there is; nothing where nobody looks."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        _Known(BarColumn(bar_width=24)),
        _Known(TextColumn("{task.completed:,.0f} of {task.total:,.0f}")),
        _Known(TimeRemainingColumn()),
    )
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("reading", total=None)

        def tell(doing: str) -> None:
            progress.reset(task, description=doing, total=None)

        def count(doing: str) -> Callable[[int, int], None]:
            tell(doing)
            return lambda done, most: progress.update(task, completed=done, total=most)

        yield Work(tell, count)


class _Known(ProgressColumn):
    """A column of tasks whose size is known."""

    def __init__(self, column: ProgressColumn) -> None:
        super().__init__()
        self._column = column

    def render(self, task: Task) -> RenderableType:
        """Nothing while the size is unknown."""
        return Text("") if task.total is None else self._column.render(task)


class RowsRead(Protocol):
    """What is told of the file, or files, that votes were read from."""

    @property
    def schema(self) -> str: ...

    @property
    def rows_read(self) -> int: ...

    @property
    def rejects(self) -> tuple[Reject, ...]: ...


def show_board(
    output: Console, board: Leaderboard, movements: Sequence[Movement], read: RowsRead
) -> None:
    """Print a board, with its movements from raw where there are any, and what it rests on."""
    if board.standings:
        output.print(_standings_table(board, movements))
    if board.unplaced:
        output.print(_unplaced_table(board.unplaced))
    show_lines(output, [*_summary(board, read), *board.warnings])


def show_path(
    output: Console, attributions: Sequence[Attribution], prepared: Prepared, read: VoteFile
) -> None:
    """Print each contestant's account from raw to controlled, the furthest moved first."""
    headings = ("contestant", "rank", "raw", *prepared.spec.controls, "controlled", "moved")
    table = _table(*headings, left=["contestant"])
    for entry in sorted(attributions, key=lambda entry: -abs(entry.rating)):
        cells = [
            entry.contestant,
            f"{entry.raw_rank} → {entry.controlled_rank}",
            f"{entry.raw:.1f}",
            *(f"{term.rating:+.1f}" for term in entry.terms),
            f"{entry.controlled:.1f}",
            _moved(entry.ranks, entry.rating),
        ]
        table.add_row(*map(Text, cells))
    output.print(table)
    show_lines(output, [_counted(prepared.counts, read), *_rejects(read), *prepared.warnings])


def show_ledger(output: Console, ledger: Ledger, matched: str, reads: Sequence[VoteFile]) -> None:
    """Print what moved each contestant between two boards, a column per cause."""
    if ledger.causes:
        output.print(_ledger_table(ledger))
        show_lines(output, [*_changes(ledger), *_how_split(ledger, matched)])
    else:
        show_lines(output, ["Nothing differs between the two boards."])
    for side, read in zip(("before", "after"), reads, strict=True):
        if read.rejects:
            told = f"{side}: {len(read.rejects):,} of {read.rows_read:,} rows malformed"
            show_lines(output, [told, *_rejects(read)])


def _ledger_table(ledger: Ledger) -> Table:
    names = [CAUSE_NAMES[cause] for cause in ledger.causes]
    causes = [" + ".join(names)] if ledger.joint else names
    table = _table("contestant", "rank", *causes, "sum", left=["contestant"])
    for row in ledger.rows:
        table.add_row(*map(Text, _ledger_cells(row, len(causes))))
    return table


def _changes(ledger: Ledger) -> list[str]:
    return [f"{CAUSE_NAMES[cause]}: {_detail(change)}" for cause, change in ledger.changes.items()]


def _ledger_cells(row: LedgerRow, causes: int) -> list[str]:
    ranks = " → ".join("–" if r is None else str(r) for r in (row.rank_before, row.rank_after))
    if row.ranks is None or row.rating is None:
        return [row.contestant, ranks, *[""] * causes, row.status]
    terms = [
        f"{_places(term.ranks)} ({term.rating:+.1f})" if term.ranks or term.rating else "·"
        for term in row.terms
    ]
    return [row.contestant, ranks, *terms, _moved(row.ranks, row.rating)]


def _places(ranks: Fraction) -> str:
    if not ranks:
        return "0"
    return f"{ranks.numerator:+}" if ranks.denominator == 1 else f"{float(ranks):+.2f}"


def _how_split(ledger: Ledger, matched: str) -> list[str]:
    by = "id" if matched == "id" else "row, as far as both files begin alike"
    lines = [f"Votes matched by {by}. Each term: ranks (points); their sums are exact."]
    if ledger.joint:
        lines.append("No order of the causes could be followed, so they are told as one.")
    elif ledger.orders_left_out:
        lines.append(f"{ledger.orders_left_out:,} orders of the causes could not be followed.")
    return lines


def _detail(value: Any) -> str:
    """What differs in a cause, as words."""
    if isinstance(value, Mapping):
        if value.keys() == {"before", "after"}:
            return f"{_detail(value['before'])} → {_detail(value['after'])}"
        return "; ".join(f"{name} {_detail(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return f"{value:,}" if type(value) is int else "none" if value is None else str(value)


def show_fragility(
    output: Console, found: Sequence[Fragility], unit: str, counts: Counts, read: VoteFile
) -> None:
    """Print how few votes or voters turn each order."""
    if not found:
        show_lines(output, ["No two contestants stand in an order that could turn."])
        return
    headings = ("contestant", "ahead of", "by", f"fewest {unit}s", "share", "predicted", "then by")
    table = _table(*headings, left=headings[:2])
    for one in found:
        cells = [
            one.contestant,
            one.opponent,
            f"{one.before:.1f}",
            "none found" if one.fewest is None else f"{one.fewest:,}",
            "" if one.share is None else f"{one.share:.2%}",
            "" if one.predicted is None else f"{one.predicted:,}",
            "" if one.after is None else f"{one.after:.1f}",
        ]
        table.add_row(*map(Text, cells))
    output.print(table)
    if any(one.fewest is not None for one in found):
        told = f"So many {unit}s turn the order, as exact refits show; fewer might."
        show_lines(output, [told])
    show_lines(output, [_counted(counts, read), *_rejects(read)])


def show_parts(output: Console, parts: Mapping[str, Mapping[str, Any]], read: VoteFile) -> None:
    """Print which parts there are, and of whom a board's first three are."""
    table = _table("part", "what it says", left=("part", "what it says"))
    for name, part in parts.items():
        table.add_row(Text(name), Text(_first_of(part)))
    output.print(table)
    show_lines(output, _rejects(read))


def _first_of(part: Mapping[str, Any]) -> str:
    if "error" in part:
        return str(part["error"])
    first = part.get("standings", ())[:3]
    return ", ".join(f"{row['rank']} {row['contestant']} {row['rating']:.1f}" for row in first)


def show_calibration(output: Console, found: Calibration, read: VoteFile) -> None:
    """Print the held-out scores, by block and as a reliability curve."""
    folds = _table("learnt from", "predicted", "not predictable", "log-loss", "Brier")
    for fold in found.folds:
        numbers = (fold.learnt, fold.predicted, fold.unpredicted)
        losses = ("" if x is None else f"{x:.4f}" for x in (fold.log_loss, fold.brier))
        folds.add_row(*(f"{n:,}" for n in numbers), *losses)
    interval = f"{found.spec.confidence:.0%} interval"
    curve = _table("favourite expected", "scored", interval, "votes")
    for one in found.reliability:
        bounds = f"{one.lower:.3f} … {one.upper:.3f}"
        curve.add_row(f"{one.predicted:.3f}", f"{one.observed:.3f}", bounds, f"{one.votes:,}")
    output.print(folds)
    output.print()
    output.print(curve)
    show_lines(output, [*_scores(found), _counted(found.counts, read), *_rejects(read)])
    show_lines(output, found.warnings)


def _scores(found: Calibration) -> list[str]:
    return [
        f"log-loss {found.log_loss:.4f} (baseline {found.baseline_log_loss:.4f}), "
        f"Brier {found.brier:.4f}, calibration error {found.calibration_error:.4f}",
        f"{so_many(found.predicted, 'vote')} predicted in order of {found.order}, "
        f"{found.unpredicted:,} not predictable",
    ]


def show_truth(output: Console, made: Simulation, path: Path) -> None:
    """Print what was planted in simulated votes, in points and on the log-odds."""
    spec, usual = made.spec, RankingSpec()
    table = _table("rank", "contestant", "planted rating", "theta", left=["contestant"])
    for place, (name, theta) in enumerate(made.theta.items(), start=1):
        rating = usual.center + usual.elo * theta
        table.add_row(*map(Text, (str(place), name, f"{rating:.1f}", f"{theta:+.4f}")))
    output.print(table)
    planted = {**spec.style, "position": spec.position}
    lines = [
        f"{name}: {value:+.4f}, worth {usual.elo * value:+.1f} points"
        for name, value in planted.items()
    ]
    show_lines(output, [f"{so_many(spec.votes, 'vote')} written to {path}", *lines])


def so_many(number: int, thing: str) -> str:
    """A number and what it is of, one or several."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def show_lines(output: Console, lines: Iterable[str]) -> None:
    """Print lines as they are: names may hold what rich would take for markup."""
    for line in lines:
        output.print(Text(line))


def _table(*headings: str, left: Sequence[str] = (), title: str | None = None) -> Table:
    """An empty table; columns not in `left` hold numbers.

    Where a terminal is too narrow cells go on below: an ellipsis would hide digits and make names
    alike.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", title=title)
    for heading in headings:
        justify: JustifyMethod = "left" if heading in left else "right"
        table.add_column(Text(heading), justify=justify, overflow="fold")
    return table


def _standings_table(board: Leaderboard, movements: Sequence[Movement]) -> Table:
    moved = {movement.contestant: movement for movement in movements}
    interval = f"{board.spec.confidence:.0%} interval"
    headings = ["rank", "set", "contestant", "rating", interval, "votes"]
    table = _table(*headings, *(["from raw"] if moved else []), left=["contestant"])
    for standing in board.standings:
        cells = _cells(standing)
        if moved:
            movement = moved[standing.contestant]
            cells.append(_moved(movement.ranks, movement.rating))
        table.add_row(*map(Text, cells))
    return table


def _cells(standing: Standing) -> list[str]:
    return [
        str(standing.rank),
        told_rank_set(standing),
        standing.contestant,
        f"{standing.rating:.1f}",
        f"{standing.rating_lower:.1f} … {standing.rating_upper:.1f}",
        f"{standing.votes:,}",
    ]


def told_rank_set(standing: Standing) -> str:
    """The ranks that it may hold, as text; empty where the voters are too few to say."""
    low, high = standing.rank_lower, standing.rank_upper
    if low is None or high is None:
        return ""
    return str(low) if low == high else f"{low}–{high}"


def _moved(ranks: int, rating: float) -> str:
    arrow = "▲" if ranks > 0 else "▼" if ranks < 0 else "="
    return f"{arrow}{abs(ranks) if ranks else ''} ({rating:+.1f})"


def _unplaced_table(unplaced: Sequence[Unplaced]) -> Table:
    left = ["contestant", "why", "rating"]
    table = _table("contestant", "votes", "why", "rating", left=left, title="not placed")
    for entry in unplaced:
        cells = [
            entry.contestant,
            f"{entry.votes:,}",
            UNPLACED_REASONS[entry.reason],
            _bound(entry),
        ]
        table.add_row(*map(Text, cells))
    return table


def _bound(entry: Unplaced) -> str:
    if entry.bound is None:
        return ""
    return f"{'≥' if entry.is_lower_bound else '≤'} {entry.bound:.0f}"


def _summary(board: Leaderboard, read: RowsRead) -> list[str]:
    lines = [_counted(board.counts, read), *_rejects(read)]
    if board.clusters is not None and board.effective_voters is not None:
        lines.append(
            f"Intervals clustered by {so_many(board.clusters, 'voter')}, who weigh like "
            f"{board.effective_voters:.1f} equally active ones"
        )
    own = (board.position, board.tie, board.level)
    coefficients = [*board.coefficients, *filter(None, own)]
    return [*lines, *map(_told, coefficients)]


def _counted(counts: Counts, read: RowsRead) -> str:
    left_out = [
        *((number, f"excluded as {rule}") for rule, number in counts.excluded),
        (counts.missing, "without a control"),
        (counts.unweighted, "without what their weight needs"),
        (counts.both_bad, "both bad"),
        (counts.unplaced, "of contestants not placed"),
        (len(read.rejects), "malformed"),
    ]
    told = [f"{number:,} {why}" for number, why in left_out if number]
    return f"{so_many(counts.counted, 'vote')} counted" + (
        f"; left out: {', '.join(told)}" if told else ""
    )


def _rejects(read: RowsRead) -> list[str]:
    lines = [f"  line {reject.line}: {reject.reason}" for reject in read.rejects[:_SHOWN_REJECTS]]
    if len(read.rejects) > _SHOWN_REJECTS:
        lines.append(f"  … and {len(read.rejects) - _SHOWN_REJECTS:,} more")
    return lines


def _told(coefficient: Coefficient) -> str:
    return (
        f"{coefficient.name}: {coefficient.value:+.4f} "
        f"({coefficient.lower:+.4f} … {coefficient.upper:+.4f}), "
        f"worth {coefficient.elo:+.1f} points"
    )
