"""The arena under load: battles at once, votes per second, and a worker that is killed.

    python benchmarks/load.py battles --battles 150 --pacing native --workers 2 [--profile]
    python benchmarks/load.py votes --rate 300 --seconds 60 --workers 2 [--no-kill]
    python benchmarks/load.py kill --battles 20

Serves an arena of its own with uvicorn, on a database of its own on the PostgreSQL that
DATABASE_URL names and on a Redis database that must be empty (--redis), and drops both
afterwards. Models are played by a server in this process, voters by its sockets and requests, so
one clock times the way of every token. Everything is on 127.0.0.1. Exits with 1 where anything
was lost, repeated, altered or counted wrongly.
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any

from ballots import votes
from battling import battles
from data import machine
from interrupting import kill
from serving import REDIS
from usage import profiler


def main() -> None:
    options = arguments()
    # Ended from outside, it ends its server and drops its database like otherwise.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.profile:
        profiler()
    report = options.scenario(options)
    report.title = f"{report.title} {machine()}."
    report.store()
    print(report)
    sys.exit(1 if report.faults else 0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    scenarios = parser.add_subparsers(required=True)
    for add in (add_battles, add_votes, add_kill):
        add(scenarios)
    return parser.parse_args()


def add_battles(scenarios: Any) -> None:
    parser = scenario(scenarios, "battles", battles)
    parser.add_argument("--battles", type=int, default=150, help="at once")
    parser.add_argument("--tokens", type=int, default=300, help="of an answer")
    parser.add_argument("--rate", type=float, default=50.0, help="tokens/s of an answer")
    parser.add_argument("--ramp", type=float, default=6.0, help="seconds over which they start")
    parser.add_argument("--seconds", type=float, default=24.0, help="measured after the ramp")
    add_profile(parser)


def add_votes(scenarios: Any) -> None:
    parser = scenario(scenarios, "votes", votes)
    parser.add_argument("--rate", type=float, default=300.0, help="votes/s")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--voters", type=int, default=3_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--no-kill", dest="kill", action="store_false", help="kill no worker")
    add_profile(parser)


def add_kill(scenarios: Any) -> None:
    parser = scenario(scenarios, "kill", kill)
    parser.add_argument("--battles", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=1_000, help="of an answer")
    parser.add_argument("--rate", type=float, default=50.0, help="tokens/s of an answer")


def scenario(scenarios: Any, name: str, run: Any) -> argparse.ArgumentParser:
    """A command with what all of them take."""
    parser: argparse.ArgumentParser = scenarios.add_parser(name)
    parser.set_defaults(scenario=run, profile=False)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pacing", choices=("native", "equal"), default="native")
    parser.add_argument("--contestants", type=int, default=6)
    parser.add_argument("--redis", default=REDIS)
    parser.add_argument("--seed", type=int, default=1)
    return parser


def add_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", action="store_true", help="of one worker, with py-spy")


if __name__ == "__main__":
    main()
