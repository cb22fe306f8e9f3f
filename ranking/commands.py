"""What each verb of the command line does: read, compute, write, then show."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from rich.console import Console

from ranking.analysis import Before, parts, sources_of
from ranking.arrays import AnyArray
from ranking.calibration import calibrate
from ranking.covariates import expand_controls
from ranking.display import (
    RowsRead,
    Work,
    show_board,
    show_calibration,
    show_fragility,
    show_ledger,
    show_parts,
    show_path,
    show_truth,
    work_on,
)
from ranking.distributed import connect
from ranking.errors import PlotError, SpecError, VoteFileError
from ranking.fitting import fit
from ranking.influence import Fragility, Unit, fragility
from ranking.io import VoteFile, read_votes
from ranking.ledger import Ledger, movement_ledger
from ranking.movement import style_movement
from ranking.outofcore import MEMORY, fit_files
from ranking.outputs import (
    as_csv,
    as_json,
    check_votes_path,
    check_writable,
    fragility_table,
    ledger_table,
    path_table,
    reliability_table,
    standings_table,
    write_parquet,
    write_simulated,
    write_text,
)
from ranking.path import control_path
from ranking.pictures import check_picture, save_chart
from ranking.publication import publication
from ranking.result import Counts, Leaderboard, Movement, StyleMovement
from ranking.selection import select_votes
from ranking.simulation import STYLE, SimulationSpec, simulate
from ranking.spec import RankingSpec
from ranking.spill import joined_reads
from ranking.states import BoardState
from ranking.votes import Votes

if TYPE_CHECKING:
    from ranking.pictures import Chart
    from ranking.plots.themes import Theme


def run_fit(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """Fit a ranking to files of votes; with controls also the raw one."""
    _check_outputs(parsed)
    spec = spec_of(parsed, parsed.spec)
    if parsed.plot_kind == "slope" and not spec.controls:
        raise SpecError("a slope chart leads from raw to controlled: it needs --controls.")
    with work_on(errors) as work:
        ranked = (_from_files if _out_of_core(parsed) else _from_file)(parsed, spec, work)
        board, moved = ranked.board, ranked.moved
        _write_files(
            parsed,
            work,
            table=lambda: standings_table(board, moved),
            chart=lambda _, theme: _board_chart(parsed.plot_kind, ranked, theme),
        )
    movements = () if moved is None else moved.movements
    if _json_is_all(parsed, lambda: _board_data(board, movements) | ranked.data):
        return
    show_board(output, board, movements, ranked.read)


class _Ranked(NamedTuple):
    """A board, its movement from raw, and what it was made of; votes: where they are in memory."""

    board: Leaderboard
    moved: StyleMovement | None
    votes: Votes | None
    read: RowsRead
    data: dict[str, Any]


def _from_file(parsed: argparse.Namespace, spec: RankingSpec, work: Work) -> _Ranked:
    read = _read(parsed.files[0], parsed, work)
    work.tell(f"fitting {read.table.num_rows:,} votes")
    votes = Votes.from_arrow(read.table)
    return _Ranked(*_ranked(votes, spec), votes, read, {"file": _file_data(read)})


def _out_of_core(parsed: argparse.Namespace) -> bool:
    asked = parsed.memory is not None or parsed.dask is not None
    return asked or len(parsed.files) > 1 or parsed.files[0].is_dir()


def _from_files(parsed: argparse.Namespace, spec: RankingSpec, work: Work) -> _Ranked:
    if parsed.plot_kind == "heatmap":
        raise SpecError(
            "a heatmap is drawn from votes in memory: give one file, without --memory and --dask."
        )
    with nullcontext() if parsed.dask is None else connect(parsed.dask) as client:
        found = fit_files(
            parsed.files,
            spec,
            memory=parsed.memory or MEMORY,
            client=client,
            movement=bool(spec.controls),
            skip_bad=parsed.skip_bad,
            progress=work.tell,
        )
    files = [{"path": str(file.path), **_file_data(file)} for file in found.files]
    return _Ranked(found.board, found.movement, None, joined_reads(found.files), {"files": files})


def _board_chart(
    kind: str | None,
    ranked: _Ranked,
    theme: Theme,
) -> Chart:
    from ranking import plots

    board, moved, votes = ranked.board, ranked.moved, ranked.votes
    if kind == "heatmap" and votes is not None:
        return plots.heatmap_chart(board, votes, theme=theme)
    if kind == "slope" and moved is not None:
        return plots.slope_chart(moved, theme=theme)
    return plots.interval_chart(board, raw=None if moved is None else moved.raw, theme=theme)


def run_path(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """What control of style did to each contestant, feature by feature."""
    _check_outputs(parsed)
    spec = spec_of(parsed, parsed.spec)
    with work_on(errors) as work:
        read = _read(parsed.file, parsed, work)
        work.tell("fitting the raw and the controlled board")
        path = control_path(Votes.from_arrow(read.table), spec)
        work.tell("walking from the raw board to the controlled one")
        data = None if parsed.json is None else path.to_dict() | {"file": _file_data(read)}
        attributions = path.attributions
        _write_files(
            parsed,
            work,
            table=lambda: path_table(attributions, path.spec.controls),
            chart=lambda plots, theme: plots.path_chart(path, theme=theme),
        )
    if _json_is_all(parsed, lambda: data):
        return
    show_path(output, attributions, path.prepared, read)


def run_compare(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """What moved each contestant between two files, or two specs, cause by cause."""
    _check_outputs(parsed)
    paths = (parsed.before, parsed.after)
    specs = [spec_of(parsed, path) for path in (parsed.spec_before, parsed.spec_after)]
    with work_on(errors) as work:
        reads = [_read(parsed.before, parsed, work)]
        same = parsed.before.resolve() == parsed.after.resolve()
        reads.append(reads[0] if same else _read(parsed.after, parsed, work))
        ids = _ids(paths, reads)
        boards = [
            BoardState(Votes.from_arrow(read.table), spec, ids=known)
            for read, spec, known in zip(reads, specs, ids, strict=True)
        ]
        ledger = movement_ledger(*boards, progress=work.count("fitting boards"))
        _write_files(
            parsed,
            work,
            table=lambda: ledger_table(ledger),
            chart=lambda plots, theme: plots.ledger_chart(ledger, theme=theme),
        )
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
    _check_outputs(parsed)
    spec = spec_of(parsed, parsed.spec)
    unit: Unit = "voter" if parsed.voters else "vote"
    with work_on(errors) as work:
        read = _read(parsed.file, parsed, work)
        votes = Votes.from_arrow(read.table)
        progress = work.count(f"taking {unit}s out and fitting again, pair after pair")
        found = fragility(votes, spec, pairs=parsed.pair, unit=unit, progress=progress)
        _, counts = select_votes(votes, spec)
        _write_files(
            parsed,
            work,
            table=lambda: fragility_table(found),
            chart=lambda plots, theme: plots.fragility_chart(found, theme=theme),
        )
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


def run_parts(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """Compute what a publication says beside its boards, for comparison with an arena's pages."""
    _check_outputs(parsed)
    with work_on(errors) as work:
        read = _read(parsed.file, parsed, work)
        sources = sources_of(read.table)
        work.tell(f"fitting {read.table.num_rows:,} votes")
        published = publication(sources.votes)
        before = None
        if parsed.before is not None:
            earlier = Votes.from_arrow(_read(parsed.before, parsed, work).table)
            before = Before(earlier, publication(earlier).default.spec)
        told = dict(
            parts(sources, published, before, lambda name: work.tell(f"computing the {name}"))
        )
    everything = {"publication": published.to_dict(), "parts": told, "file": _file_data(read)}
    if _json_is_all(parsed, lambda: everything):
        return
    show_parts(output, told, read)


def run_calibrate(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """How well a spec predicts votes that it has not seen."""
    _check_outputs(parsed)
    spec = spec_of(parsed, parsed.spec)
    with work_on(errors) as work:
        read = _read(parsed.file, parsed, work)
        votes = Votes.from_arrow(read.table)
        progress = work.count("predicting blocks of votes from those before them")
        found = calibrate(votes, spec, folds=parsed.folds, bins=parsed.bins, progress=progress)
        _write_files(
            parsed,
            work,
            table=lambda: reliability_table(found),
            chart=lambda plots, theme: plots.reliability_chart(found, theme=theme),
        )
    if _json_is_all(parsed, lambda: found.to_dict() | {"file": _file_data(read)}):
        return
    show_calibration(output, found, read)


def run_simulate(parsed: argparse.Namespace, output: Console, errors: Console) -> None:
    """Write votes with a planted truth, and tell the truth."""
    check_votes_path(parsed.file)
    _check_outputs(parsed)
    asked = {field.name: getattr(parsed, field.name) for field in fields(SimulationSpec)}
    asked["style"] = STYLE if parsed.style is None else _effects(parsed.style)
    with work_on(errors) as work:
        work.tell(f"drawing {parsed.votes:,} votes")
        made = simulate(SimulationSpec(**asked))
        work.tell(f"writing {parsed.file.name}")
        write_simulated(parsed.file, made.votes)
    if _json_is_all(parsed, made.truth):
        return
    show_truth(output, made, parsed.file)


def _effects(told: str) -> dict[str, float]:
    """Effects as they are typed: length=0.35,bold=0.2, or none."""
    effects: dict[str, float] = {}
    for part in told.split(",") if told != "none" else ():
        name, _, value = part.partition("=")
        try:
            effects[name.strip()] = float(value)
        except ValueError as error:
            example = "length=0.35,bold=0.2 or none"
            raise SpecError(f"--style takes effects such as {example}, not {told!r}.") from error
    return effects


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


def _read(path: Path, parsed: argparse.Namespace, work: Work) -> VoteFile:
    return read_votes(
        path,
        skip_bad=parsed.skip_bad,
        progress=lambda rows: work.tell(f"reading {path.name}: {rows:,} votes"),
    )


def _check_outputs(parsed: argparse.Namespace) -> None:
    """Raises VoteFileError or PlotError for what cannot be written, before anything is done."""
    _check_apart(parsed)
    named = (getattr(parsed, name, None) for name in ("json", "csv", "parquet"))
    for path in named:
        if path is not None and str(path) != "-":
            check_writable(path)
    if getattr(parsed, "plot", None) is not None:
        check_picture(parsed.plot)
        return
    for flag in ("plot_kind", "plot_theme"):
        if getattr(parsed, flag, None) is not None:
            name = flag.replace("_", "-")
            raise PlotError(f"--{name} says how a chart looks; say where it goes with --plot OUT.")


def _check_apart(parsed: argparse.Namespace) -> None:
    """Raises VoteFileError where a result would replace votes, settings or another result."""
    given = vars(parsed)
    names = ("file", "before", "after", "spec", "spec_before", "spec_after")
    paths = [*given.get("files", ()), *(given.get(name) for name in names)]
    taken = {path.resolve() for path in paths if path is not None}
    for name in ("json", "csv", "parquet", "plot"):
        path = given.get(name)
        if path is None or str(path) == "-" or (path.exists() and not path.is_file()):
            continue
        if path.resolve() in taken:
            raise VoteFileError(f"{path}: is named twice, and --{name} would write over it.")
        taken.add(path.resolve())


def _write_files(
    parsed: argparse.Namespace,
    work: Work,
    *,
    table: Callable[[], pa.Table],
    chart: Callable[[ModuleType, Theme], Chart],
) -> None:
    """Write the table and the chart that were asked for.

    Files come before what is printed: a reader such as `head` may close the pipe it goes to.
    """
    if parsed.csv is not None:
        write_text(parsed.csv, as_csv(table()))
    if parsed.parquet is not None:
        write_parquet(parsed.parquet, table())
    if parsed.plot is not None:
        work.tell(f"drawing {parsed.plot.name}")
        # Altair takes half a second to import, which only those who draw should wait for.
        from ranking import plots

        save_chart(chart(plots, parsed.plot_theme or "light"), parsed.plot)


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


def _board_data(board: Leaderboard, movements: Sequence[Movement]) -> dict[str, Any]:
    """The board; each standing of a controlled one carries its movement from raw."""
    data = board.to_dict()
    moved = {movement.contestant: movement for movement in movements}
    for row in data["standings"]:
        if movement := moved.get(row["contestant"]):
            row["moved_ranks"] = movement.ranks
            row["moved_rating"] = movement.rating
            row["moved_lower"], row["moved_upper"] = movement.lower, movement.upper
    return data


def _file_data(read: RowsRead) -> dict[str, Any]:
    return {
        "schema": read.schema,
        "rows": read.rows_read,
        "rejects": [reject._asdict() for reject in read.rejects],
    }
