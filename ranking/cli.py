"""The command line: python -m ranking VERB FILE …"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from rich.text import Text

from ranking.commands import (
    run_calibrate,
    run_compare,
    run_fit,
    run_fragility,
    run_parts,
    run_path,
    run_simulate,
)
from ranking.covariates import CONTROLS, GROUPS
from ranking.display import wide_console
from ranking.errors import RankingError
from ranking.simulation import SimulationSpec
from ranking.spec import Model, Weighting
from ranking.verify import run_verify

FAILURE, INTERRUPTED = 2, 130

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
PLOT_KINDS = ("intervals", "slope", "heatmap")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, or 2 after an error told on standard error.

    It is 2 as well where standard output is closed before its end, and 130 after Ctrl-C. `verify`
    returns 1 for what it could check and what does not hold.
    """
    parsed = _parser().parse_args(arguments)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        code: int | None = parsed.run(parsed, wide_console(), errors)
        sys.stdout.flush()
    except RankingError as error:
        errors.print(Text(f"ranking: {error}"))
        return FAILURE
    except BrokenPipeError:
        # Nobody reads on, and Python would try again to write the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except KeyboardInterrupt:
        errors.print(Text("ranking: interrupted."))
        return INTERRUPTED
    return code or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ranking", description="Rankings from pairwise votes."
    )
    verbs = parser.add_subparsers(dest="command", required=True)
    _add_fit(verbs)
    _add_path(verbs)
    _add_compare(verbs)
    _add_fragility(verbs)
    _add_parts(verbs)
    _add_calibrate(verbs)
    _add_simulate(verbs)
    _add_verify(verbs)
    return parser


def _add_fit(verbs: Any) -> None:
    verb = verbs.add_parser("fit", help="fit a ranking to files of votes and print it")
    verb.set_defaults(run=run_fit)
    verb.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="votes as CSV, JSON, JSON Lines or Parquet, or a folder of Parquet files",
    )
    verb.add_argument(
        "--memory",
        type=_size,
        metavar="SIZE",
        help="fit out of core within so much memory, such as 2G (the default for several files)",
    )
    verb.add_argument(
        "--dask", metavar="ADDRESS", help="fit on the Dask cluster whose scheduler is there"
    )
    _add_model(verb)
    _add_spec(verb)
    verb.add_argument(
        "--no-floor", action="store_true", help="no least variance for contestants of few votes"
    )
    verb.add_argument(
        "--no-cluster", action="store_true", help="treat the votes of a voter as independent"
    )
    _add_outputs(verb, "the standings")
    verb.add_argument("--plot-kind", choices=PLOT_KINDS, help="which chart (intervals)")


def _size(text: str) -> int:
    """Bytes of a size such as 2G, 512M or 1000000."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "")
    try:
        size = int(float(number) * _UNITS.get(unit, 1))
    except (ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 512M or 2G, for example")
    return size


def _add_path(verbs: Any) -> None:
    verb = verbs.add_parser("path", help="what control of style moves, feature by feature")
    verb.set_defaults(run=run_path)
    _add_file(verb)
    _add_model(verb)
    _add_spec(verb)
    _add_outputs(verb, "the movements")


def _add_compare(verbs: Any) -> None:
    verb = verbs.add_parser("compare", help="what moved since, cause by cause")
    verb.set_defaults(run=run_compare)
    verb.add_argument("before", type=Path, help="votes of the earlier board")
    verb.add_argument("after", type=Path, help="votes of the later one; may be the same file")
    _add_model(verb)
    for side in ("before", "after"):
        verb.add_argument(
            f"--spec-{side}",
            type=Path,
            metavar="FILE",
            help=f"settings of the board {side} as JSON; flags go first, on both boards",
        )
    _add_outputs(verb, "the ledger")


def _add_fragility(verbs: Any) -> None:
    verb = verbs.add_parser("fragility", help="how few votes hold contestants in their order")
    verb.set_defaults(run=run_fragility)
    _add_file(verb)
    verb.add_argument(
        "--pair",
        nargs=2,
        action="append",
        metavar=("A", "B"),
        help="contestants whose order is questioned; repeatable (default: all neighbours)",
    )
    verb.add_argument("--voters", action="store_true", help="take out voters with all their votes")
    _add_model(verb)
    _add_spec(verb)
    _add_outputs(verb, "the pairs")


def _add_parts(verbs: Any) -> None:
    verb = verbs.add_parser("parts", help="everything that a publication of these votes says")
    verb.set_defaults(run=run_parts)
    _add_file(verb)
    verb.add_argument(
        "--before", type=Path, metavar="FILE", help="votes of the publication before, for a ledger"
    )
    verb.add_argument("--skip-bad", action="store_true", help="leave malformed rows out")
    _add_json(verb)


def _add_calibrate(verbs: Any) -> None:
    verb = verbs.add_parser("calibrate", help="how well earlier votes predict later ones")
    verb.set_defaults(run=run_calibrate)
    _add_file(verb)
    verb.add_argument("--folds", type=int, default=5, metavar="N", help="blocks predicted (5)")
    verb.add_argument("--bins", type=int, default=10, metavar="N", help="of the curve (10)")
    _add_model(verb)
    _add_spec(verb)
    _add_outputs(verb, "the curve")


def _add_simulate(verbs: Any) -> None:
    verb = verbs.add_parser("simulate", help="write votes whose truth is known")
    verb.set_defaults(run=run_simulate)
    verb.add_argument("file", type=Path, help="where the votes go: .parquet, .csv or .jsonl")
    usual = SimulationSpec()
    for name, told in _SIMULATED.items():
        value = getattr(usual, name)
        verb.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(value),
            default=value,
            metavar="N" if isinstance(value, int) else "X",
            help=f"{told} ({value:,})",
        )
    effects = ",".join(f"{name}={value:g}" for name, value in usual.style.items())
    verb.add_argument(
        "--style",
        metavar="EFFECTS",
        help=f"what typical differences are worth on the log-odds, or none ({effects})",
    )
    _add_json(verb)


_SIMULATED = {
    "contestants": "contestants, best first",
    "votes": "votes",
    "voters": "voters, few of them very active",
    "seed": "the same seed gives the same votes",
    "position": "what being shown first is worth on the log-odds",
    "ties": "a tie has the probability X p (1 - p)",
    "both_bad": "share of ties that find both bad",
    "correlation": "of a voter's votes",
    "spread": "standard deviation of the strengths on the log-odds",
}


def _add_verify(verbs: Any) -> None:
    verb = verbs.add_parser("verify", help="compute a publication again from its votes")
    verb.set_defaults(run=run_verify)
    verb.add_argument(
        "snapshots", type=Path, nargs="+", metavar="SNAPSHOT", help="publications as JSON"
    )
    verb.add_argument(
        "--votes", type=Path, required=True, metavar="DIR", help="folder of their files of votes"
    )
    verb.add_argument("--all", action="store_true", help="every published number, not one board")
    verb.add_argument(
        "--parts", type=Path, metavar="DIR", help="folder of the parts' files (that of the votes)"
    )
    verb.add_argument("--head", type=Path, metavar="FILE", help="statements kept elsewhere")
    verb.add_argument("--key", type=Path, metavar="FILE", help="public key that signed them (PEM)")
    _add_json(verb)


def _add_file(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("file", type=Path, help="votes as CSV, JSON, JSON Lines or Parquet")


def _add_model(verb: argparse.ArgumentParser) -> None:
    """Flags of every verb that say what is fitted, and to which rows."""
    verb.add_argument(
        "--controls",
        metavar="NAMES",
        help=f"style to control for, separated by commas: {', '.join([*CONTROLS, *GROUPS])}",
    )
    verb.add_argument("--likelihood", choices=get_args(Model), help="how ties and both bad count")
    verb.add_argument(
        "--weights", choices=("none", *get_args(Weighting)), help="how much each vote counts"
    )
    verb.add_argument(
        "--half-life",
        type=float,
        metavar="DAYS",
        help="a vote that much older than the newest counts half",
    )
    verb.add_argument("--no-position", action="store_true", help="no term for being shown first")
    verb.add_argument("--skip-bad", action="store_true", help="leave malformed rows out")


def _add_spec(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--spec", type=Path, metavar="FILE", help="settings as JSON; flags go first")


def _add_outputs(verb: argparse.ArgumentParser, table: str) -> None:
    """Flags of every verb whose result is a table and a chart."""
    _add_json(verb)
    verb.add_argument("--csv", type=Path, metavar="OUT", help=f"write {table} as CSV")
    verb.add_argument("--parquet", type=Path, metavar="OUT", help="the same as Parquet")
    verb.add_argument("--plot", type=Path, metavar="OUT", help="draw a .svg, .png or .html")
    verb.add_argument("--plot-theme", choices=("light", "dark"), help="its colours (light)")


def _add_json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", type=Path, metavar="OUT", help="write the result (- for stdout)")
