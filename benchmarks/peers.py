"""Side by side with other packages on the same votes: times, memory and answers in one table.

    make bench
    .venv/bin/python benchmarks/peers.py [--rounds R] [--votes N] [--contestants M] [--voters G]

Needs the peers' environment: .venv-peers, which `make bench` creates from requirements-peers.txt.

Every fit runs in a fresh process, its columns read into memory before the clock starts; the
contestants take turns, so that other work on the machine slows all alike. A process fits twice:
the first run compiles and warms caches, the second is the one compared, for us as for the peers.
Ratios are of medians over the rounds. Memory is the largest resident set of the process that fits.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bootstrap
import numpy as np
from data import CONTROLS, add_sizes, columns_of, machine, make_elsewhere, names, votes_of
from fit import clustered
from measuring import OUTCOMES, Answer, Run, Stopwatch, run_and_print

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

PEERS_PYTHON = HERE.parent / ".venv-peers" / "bin" / "python"
RESULTS = HERE / "results"
ELO = 400.0 / np.log(10.0)
# The dense matrix has 2 rows per vote and a column per parameter; scikit-learn keeps little else.
DENSE_BYTES = 1.15 * 16


def ours_controlled(columns: dict[str, Any], **settings: Any) -> Run:
    """Bradley-Terry with style columns: what each part of a single fit takes."""
    from ranking import RankingSpec
    from ranking.inference import bread, sandwich, vote_meat
    from ranking.newton import residuals, solve
    from ranking.selection import prepare

    # The peers have no position term.
    spec = RankingSpec(controls=CONTROLS, position=False, **settings)

    def run(watch: Stopwatch) -> Answer:
        with watch("prepare"):
            prepared = prepare(votes_of(columns), spec)
        design: Any = prepared.design
        with watch("fit"):
            solution = solve(design)
        with watch("clustered sandwich"):
            clustered(prepared, design, solution)
        with watch("sandwich"):
            residual = residuals(design, solution.theta, solution.gamma)
            sandwich(bread(design, solution), vote_meat(design, residual))
        return Answer(solution.theta, -solution.loss)

    return run


def ours_plain(columns: dict[str, Any]) -> Run:
    """Bradley-Terry with intervals from lists of labels."""
    from ranking import RankingSpec, Votes
    from ranking.fitting import covariance_of, estimate
    from ranking.selection import prepare

    labels, spec = names(columns), RankingSpec(position=False)
    a, b = ([labels[i] for i in columns[side].tolist()] for side in "ab")
    winner = [OUTCOMES[i] for i in columns["outcome"].tolist()]

    def run(watch: Stopwatch) -> Answer:
        with watch("encode labels"):
            votes = Votes.from_columns(a, b, winner)
        with watch("prepare"):
            prepared = prepare(votes, spec)
        design: Any = prepared.design
        with watch("fit and sandwich"):
            fitted = estimate(prepared, design)
            covariance_of(fitted, fitted.meat)
        return Answer(fitted.solution.theta)

    return run


OURS: dict[str, Callable[[dict[str, Any]], Run]] = {
    "controlled": ours_controlled,
    "weighted": lambda columns: ours_controlled(columns, weights="inverse_pair"),
    "plain": ours_plain,
}


@dataclass(frozen=True)
class Peer:
    """A fit of peer_fits.py: name in the tables, and our fit (of OURS) of the same model."""

    shown: str
    ours: str
    once: bool = False


PEERS = {
    "arena-rank controlled": Peer("arena-rank", "controlled"),
    "arena-rank exact": Peer("arena-rank without ridge, gradient < 1e-9", "controlled", once=True),
    "arena-rank weighted": Peer("arena-rank, pairs weighted as by its default", "weighted"),
    "fastchat controlled": Peer("FastChat's repository (L-BFGS)", "controlled"),
    "fastchat dense": Peer("FastChat's notebook (dense, scikit-learn)", "controlled", once=True),
    "arena-rank plain": Peer("arena-rank", "plain"),
    "evalica plain": Peer("evalica, scores alone", "plain"),
    "evalica bootstrap": Peer("evalica, scores and 10 bootstrap resamples", "plain", once=True),
}


@dataclass(frozen=True)
class Comparison:
    """What of a peer's figures is held against what of ours.

    phases: those of ours that count (none: all); the peer's all do. target:
    what their figure over ours should be at least, None for information.
    """

    what: str
    peer: str
    phases: tuple[str, ...] = ()
    target: float | None = None
    warm: bool = True
    memory: bool = False


CLUSTERED = ("prepare", "fit", "clustered sandwich")
PER_VOTE = ("prepare", "fit", "sandwich")
COMPARISONS = (
    Comparison(
        "prepare, fit, sandwich by voter (peer: per vote)", "arena-rank controlled", CLUSTERED, 25.0
    ),
    Comparison("prepare, fit, sandwich per vote", "arena-rank controlled", PER_VOTE),
    Comparison(
        "the same in a new process (peer: with compiling)",
        "arena-rank controlled",
        PER_VOTE,
        warm=False,
    ),
    Comparison("peak memory", "arena-rank controlled", target=4.0, memory=True),
    Comparison("prepare, fit, sandwich by voter (peer: per vote)", "arena-rank exact", CLUSTERED),
    Comparison(
        "prepare, fit, sandwich by voter (peer: per vote)", "arena-rank weighted", CLUSTERED
    ),
    Comparison("prepare and fit (peer: fit)", "fastchat dense", ("prepare", "fit"), 50.0),
    Comparison("prepare and fit (peer: fit)", "fastchat controlled", ("prepare", "fit"), 50.0),
    Comparison("fit", "fastchat controlled", ("fit",)),
    Comparison("plain, with intervals, from lists of labels", "evalica plain", target=3.0),
    Comparison("plain, with intervals, from lists of labels", "evalica bootstrap", target=3.0),
    Comparison("plain, with intervals, from lists of labels", "arena-rank plain"),
)


@dataclass(frozen=True)
class Fits:
    """The figures of one fit's processes, a round each, as measuring.run_and_print has them."""

    processes: tuple[dict[str, Any], ...]

    def seconds(self, phases: tuple[str, ...] = (), *, warm: bool = True) -> float:
        """Median seconds of the named phases together, of all without names."""
        return float(np.median([_total(one, phases, warm) for one in self.processes]))

    @property
    def peak_mb(self) -> float:
        return float(np.median([one["peak_mb"] for one in self.processes]))

    @property
    def theta(self) -> Any:
        """(M,) strengths, centred at their mean."""
        theta = np.array(self.processes[0]["theta"])
        return theta - theta.mean()

    @property
    def log_likelihood(self) -> float | None:
        found: float | None = self.processes[0]["log_likelihood"]
        return found


def _total(process: dict[str, Any], phases: tuple[str, ...], warm: bool) -> float:
    run = process["runs"][-1 if warm else 0]
    return float(sum(run[phase] for phase in phases or run))


def measured(folder: Path, rounds: int, left_out: dict[str, str]) -> dict[str, Fits]:
    """The fits of everybody but those left out, in turns."""
    processes: dict[str, list[dict[str, Any]]] = {}
    for turn in range(rounds):
        for what in (*OURS, *PEERS):
            if what in left_out or (turn and what in PEERS and PEERS[what].once):
                continue
            print(f"  round {turn + 1} of {rounds}: {what}", file=sys.stderr)
            processes.setdefault(what, []).append(in_fresh_process(what, folder))
    return {what: Fits(tuple(figures)) for what, figures in processes.items()}


def in_fresh_process(what: str, folder: Path) -> dict[str, Any]:
    script = [sys.executable, __file__, "--measure"]
    if what in PEERS:
        script = [str(PEERS_PYTHON), str(HERE / "peer_fits.py")]
    done = subprocess.run([*script, what, str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"The fit {what!r} failed:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def speed_row(comparison: Comparison, fits: dict[str, Fits]) -> str:
    peer = PEERS[comparison.peer]
    ours, theirs = fits[peer.ours], fits[comparison.peer]
    if comparison.memory:
        figures = ours.peak_mb, theirs.peak_mb
        cells = [f"{figure:,.0f} MB" for figure in figures]
    else:
        warm = comparison.warm
        figures = ours.seconds(comparison.phases, warm=warm), theirs.seconds(warm=warm)
        cells = [f"{figure:.2f} s" for figure in figures]
    ratio = figures[1] / figures[0]
    return _row(
        comparison.what,
        cells[0],
        peer.shown,
        cells[1],
        f"{ratio:.1f}",
        verdict(ratio, comparison.target),
    )


def verdict(ratio: float, target: float | None) -> str:
    if target is None:
        return ""
    return f">= {target:g}: {'reached' if ratio >= target else 'not reached'}"


def bootstrap_row(folder: Path) -> str:
    """What the bootstrap costs in single fits."""
    figures = bootstrap.in_fresh_process(folder)
    single, each = (float(np.median(figures[name])) for name in ("single fit", "replicate"))
    ratio = bootstrap.TARGET * each / single
    kept = "reached" if ratio <= bootstrap.LIMIT else "not reached"
    return _row(
        f"{bootstrap.TARGET} voter-block bootstrap replicates",
        f"{bootstrap.TARGET * each:.1f} s",
        "our single fit",
        f"{single:.2f} s",
        f"{ratio:.0f} fits",
        f"<= {bootstrap.LIMIT:g}: {kept}",
    )


def answer_row(what: str, fits: dict[str, Fits]) -> str:
    """How far a peer's ratings are from ours, and how much likelihood it misses."""
    peer, ours, theirs = PEERS[what], fits[PEERS[what].ours], fits[what]
    apart, missed = ELO * float(np.abs(ours.theta - theirs.theta).max()), ""
    if ours.log_likelihood is not None and theirs.log_likelihood is not None:
        missed = f"{ours.log_likelihood - theirs.log_likelihood:,.2f}"
    return _row(peer.shown, peer.ours, f"{apart:.2g}", missed)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def report(title: str, fits: dict[str, Fits], of_bootstrap: str, left_out: dict[str, str]) -> str:
    """The tables in Markdown."""
    lines = [title, "", _row("what", "ours", "peer", "theirs", "ratio", "target")]
    lines.append(_row(*["---"] * 6))
    lines += [speed_row(one, fits) for one in COMPARISONS if one.peer in fits]
    lines += [of_bootstrap, "", *(f"Left out: {reason}" for reason in left_out.values())]
    lines += [_row("answers of", "model", "largest difference of ratings", "log-likelihood missed")]
    lines += [_row(*["---"] * 4), *(answer_row(what, fits) for what in PEERS if what in fits)]
    return "\n".join(lines) + "\n"


def phases(fits: dict[str, Fits]) -> dict[str, list[dict[str, Any]]]:
    """Seconds of every phase of every run and the peak memory of every process."""
    kept = ("runs", "peak_mb")
    return {
        what: [{name: process[name] for name in kept} for process in found.processes]
        for what, found in fits.items()
    }


def without_room(votes: int, contestants: int) -> dict[str, str]:
    """Why the dense fit is left out, where its matrix does not fit into the free memory."""
    needed = DENSE_BYTES * votes * (contestants + len(CONTROLS))
    free = available_bytes()
    if free >= needed:
        return {}
    reason = f"its matrix needs {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free."
    return {"fastchat dense": f"{PEERS['fastchat dense'].shown}: {reason}"}


def available_bytes() -> int:
    """Memory that a new process can have without swapping, as Linux estimates it."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", nargs=2, metavar=("WHAT", "DIR"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        what, folder = given.measure
        run_and_print(OURS[what](columns_of(Path(folder), mapped=False)), 2)
        return
    if not PEERS_PYTHON.exists():
        raise SystemExit(f"{PEERS_PYTHON} is absent. Run `make bench`, which installs the peers.")
    title = (
        f"{given.votes:,} votes x {given.contestants} contestants x {len(CONTROLS)} covariates, "
        f"{given.voters:,} voters. {machine()}. Medians of {given.rounds} rounds."
    )
    left_out = without_room(given.votes, given.contestants)
    with tempfile.TemporaryDirectory() as name:
        make_elsewhere(Path(name), given)
        fits = measured(Path(name), given.rounds, left_out)
        written = report(title, fits, bootstrap_row(Path(name)), left_out)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "peers.md").write_text(written)
    (RESULTS / "peers.json").write_text(json.dumps(phases(fits), indent=1) + "\n")
    print(written)


if __name__ == "__main__":
    main()
