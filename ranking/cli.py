"""The command line: python -m ranking VERB FILE …"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from rich.text import Text

from ranking.commands import run_calibrate, run_compare, run_fit, run_fragility, run_path
from ranking.covariates import CONTROLS, GROUPS
from ranking.display import wide_console
from ranking.errors import RankingError
from ranking.spec import Model, Weighting

FAILURE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, or 2 after an error told on standard error."""
    parsed = _parser().parse_args(arguments)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        parsed.run(parsed, wide_console(), errors)
    except RankingError as error:
        errors.print(Text(f"ranking: {error}"))
        return FAILURE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ranking", description="Rankings from pairwise votes."
    )
    verbs = parser.add_subparsers(dest="command", required=True)
    _add_fit(verbs)
    _add_path(verbs)
    _add_compare(verbs)
    _add_fragility(verbs)
    _add_calibrate(verbs)
    return parser


def _add_fit(verbs: Any) -> None:
    verb = verbs.add_parser("fit", help="fit a ranking to a file of votes and print it")
    verb.set_defaults(run=run_fit)
    _add_file(verb)
    _add_model(verb)
    _add_spec(verb)
    verb.add_argument(
        "--no-floor", action="store_true", help="no least variance for contestants of few votes"
    )
    verb.add_argument(
        "--no-cluster", action="store_true", help="treat the votes of a voter as independent"
    )
    _add_json(verb)
    verb.add_argument("--csv", type=Path, metavar="OUT", help="write the standings as CSV")
    verb.add_argument("--parquet", type=Path, metavar="OUT", help="write them as Parquet")


def _add_path(verbs: Any) -> None:
    verb = verbs.add_parser("path", help="what control of style moves, feature by feature")
    verb.set_defaults(run=run_path)
    _add_file(verb)
    _add_model(verb)
    _add_spec(verb)
    _add_json(verb)


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
    _add_json(verb)


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
    _add_json(verb)


def _add_calibrate(verbs: Any) -> None:
    verb = verbs.add_parser("calibrate", help="how well earlier votes predict later ones")
    verb.set_defaults(run=run_calibrate)
    _add_file(verb)
    verb.add_argument("--folds", type=int, default=5, metavar="N", help="blocks predicted (5)")
    verb.add_argument("--bins", type=int, default=10, metavar="N", help="of the curve (10)")
    _add_model(verb)
    _add_spec(verb)
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


def _add_json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", type=Path, metavar="OUT", help="write the result (- for stdout)")
