"""`load.py kill`: a worker is killed while battles are being written, and what becomes of them."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from time import perf_counter
from typing import Any

import numpy as np
import uvloop
from judging import COMPLETE, delivered, faults_of, stored_faults
from reports import Report, milliseconds
from serving import Server, arena, contestants_add, leases, served, voter_cookies
from sockets import Page, Site, until_complete
from upstream import Upstream, listening

# They start within so many seconds; the worker is killed a random moment later.
RAMP_SECONDS = 2.0
KILLED_BETWEEN = (1.0, 4.0)
# Frames after which each page loses its connection, twice.
LEAVES_BETWEEN = ((10, 60), (70, 250))
POLL_SECONDS = 0.02
PATIENCE = 150.0


@dataclass
class Run:
    """holders: when each of a page's sockets was opened, and the worker that it was at."""

    options: argparse.Namespace
    upstream: Upstream
    server: Server
    luck: random.Random
    pages: list[Page] = field(default_factory=list)
    holders: dict[Page, list[tuple[float, int]]] = field(default_factory=dict)
    victim: int = 0
    victims: list[Page] = field(default_factory=list)
    killed_after: float = 0.0
    interrupted_after: dict[str, float] = field(default_factory=dict)
    back_after: float = 0.0


def kill(options: argparse.Namespace) -> Report:
    if options.workers < 2:
        raise SystemExit("With one worker there is no other to go on: --workers 2.")
    with listening() as bound, arena(options) as folder:
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        contestants_add(endpoint, options.contestants)
        cookies = list(voter_cookies(options.battles).values())
        with served(folder, options.workers) as server:
            upstream = Upstream(tokens=options.tokens, rate=options.rate)
            run = Run(options, upstream, server, random.Random(options.seed))
            uvloop.run(play(run, bound, cookies))
        return report_of(run)


async def play(run: Run, bound: socket, cookies: list[str]) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(run.upstream.connection, sock=bound)
    site = Site(run.server.port, lambda page, port: note_holder(run, page, port))
    voters = [
        asyncio.create_task(voter(run, site, cookie, number))
        for number, cookie in enumerate(cookies)
    ]
    run.killed_after = RAMP_SECONDS + run.luck.uniform(*KILLED_BETWEEN)
    await asyncio.sleep(run.killed_after)
    await kill_one(run)
    _, late = await asyncio.wait(voters, timeout=PATIENCE)
    for task in late:
        task.cancel()
    await asyncio.gather(*voters, return_exceptions=True)


async def voter(run: Run, site: Site, cookie: str, number: int) -> None:
    leaves = [run.luck.randint(*between) for between in LEAVES_BETWEEN]
    page = Page(cookie, f"Question {number}: why is the sky blue?", leaves)
    run.pages.append(page)
    await asyncio.sleep(number * RAMP_SECONDS / run.options.battles)
    await until_complete(page, site, lambda battle: asyncio.to_thread(state_of, battle))


def state_of(battle: str) -> str:
    from arena.battles.models import Battle

    return Battle.objects.values_list("state", flat=True).get(pk=battle)


async def kill_one(run: Run) -> None:
    """Kill the busiest worker; watch what the database says of the battles that it was writing."""
    before = await asyncio.to_thread(leases)
    run.victim = run.server.busiest()
    run.victims = [
        page for page in run.pages if owner_of(run, page) == run.victim and not page.ending
    ]
    killed_at = perf_counter()
    os.kill(run.victim, signal.SIGKILL)
    waiting = {page.battle for page in run.victims}
    while (waiting or not run.back_after) and perf_counter() - killed_at < 30:
        await asyncio.sleep(POLL_SECONDS)
        alive = await asyncio.to_thread(leases)
        for battle in await asyncio.to_thread(interrupted, waiting):
            waiting.discard(battle)
            run.interrupted_after[battle] = perf_counter() - killed_at
        if alive - before and not run.back_after:
            run.back_after = perf_counter() - killed_at


def interrupted(battles: set[str]) -> list[str]:
    from arena.battles.models import Battle, State

    found = Battle.objects.filter(pk__in=battles, state=State.INTERRUPTED)
    return [str(battle) for battle in found.values_list("pk", flat=True)]


# -- Which worker a socket is at -------------------------------------------------------------


def note_holder(run: Run, page: Page, port: int) -> None:
    holder = holder_of(run.server, port)
    run.holders.setdefault(page, []).append((perf_counter(), holder))


def holder_of(server: Server, port: int) -> int:
    """The worker that has accepted the connection from `port`; 0 where it is gone already."""
    inode = inode_of(server.port, port)
    for worker in server.workers():
        for file in Path(f"/proc/{worker}/fd").iterdir():
            with suppress(OSError):
                if str(file.readlink()) == f"socket:[{inode}]":
                    return worker
    return 0


def inode_of(local: int, remote: int) -> str:
    """Of the server's end of a connection on this machine."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ports = [int(address.rpartition(":")[2], 16) for address in fields[1:3]]
        if ports == [local, remote]:
            return fields[9]
    return ""


def owner_of(run: Run, page: Page) -> int:
    """The worker that took the battle on: that of its first socket."""
    return run.holders[page][0][1] if page in run.holders else 0


# -- What came of it -------------------------------------------------------------------------


def report_of(run: Run) -> Report:
    options = run.options
    report = Report(
        name=f"load_kill_{options.battles}",
        title=(
            f"{options.battles} battles, {options.pacing} pacing, {options.workers} workers, one "
            f"of them killed after {run.killed_after:.2f} s (seed {options.seed})."
        ),
        faults=faults_of(run.pages, run.upstream.streams) + stored_faults(run.pages),
    )
    report.faults += kill_faults(run)
    rows_of_kill(report, run)
    rows_of_sockets(report, run)
    report.notes = [f"The server logged: {line}" for line in run.server.complaints()[-20:]]
    return report


def kill_faults(run: Run) -> Counter[str]:
    found: Counter[str] = Counter()
    for page in run.pages:
        was_owned = page in run.victims
        if was_owned and page.battle not in run.interrupted_after:
            found["a battle of the killed worker never read `interrupted`"] += 1
        if not was_owned and page.attempt > 1:
            found["a battle of a living worker had to be tried again"] += 1
    return found


def rows_of_kill(report: Report, run: Run) -> None:
    after = sorted(run.interrupted_after.values())
    report.row(
        "battles of the killed worker; they read `interrupted` after",
        f"{len(run.victims)}; {after[0]:.1f} to {after[-1]:.1f} s" if after else "0",
        owned=len(run.victims),
        interrupted_after_seconds=after,
    )
    back = f"{run.back_after:.1f} s" if run.back_after else "not within 30 s"
    report.row("the next worker had its lease after", back, back_after_seconds=run.back_after)
    complete = [page for page in run.pages if page.ending == COMPLETE]
    tried = [page for page in complete if page in run.victims]
    others = [page for page in complete if page not in run.victims]
    report.row(
        "complete: of the others; of the killed worker's, tried again",
        f"{len(others)} of {len(run.pages) - len(run.victims)}; {len(tried)} of {len(run.victims)}",
        others_complete=len(others),
        tried_again_complete=len(tried),
    )


def rows_of_sockets(report: Report, run: Run) -> None:
    """Where pages attached again, and how long tokens were under way to them there."""
    attached = [
        holder == owner_of(run, page)
        for page in run.pages
        for _, holder in run.holders.get(page, [])[1:]
        if page.attempt == 1
    ]
    repeated = sum(page.repeated for page in run.pages)
    report.row(
        "attached again: at the owner, at another worker; frames repeated by it",
        f"{sum(attached)}, {len(attached) - sum(attached)}; {repeated}",
        attached_at_owner=sum(attached),
        attached_elsewhere=len(attached) - sum(attached),
        frames_repeated=repeated,
    )
    at_owner, elsewhere = under_way(run)
    said, figures = milliseconds(at_owner)
    report.row("from the upstream's byte to the frame at the owner", said, owner_ms=figures)
    said, figures = milliseconds(elsewhere)
    report.row("the same at another worker", said, elsewhere_ms=figures)


def under_way(run: Run) -> tuple[Any, Any]:
    """Seconds from token to frame on sockets of the owner, and on those of other workers.

    Of battles that were not tried again, and of tokens that were sent while the socket that
    brought them was open: what a page had missed says how long it was away.
    """
    found: dict[bool, list[Any]] = {True: [np.empty(0)], False: [np.empty(0)]}
    for page in run.pages:
        if page.attempt != 1 or page not in run.holders:
            continue
        opened, holders = (np.array(column) for column in zip(*run.holders[page], strict=True))
        tokens = delivered([page], run.upstream.streams)
        at = np.searchsorted(opened, tokens.arrived, "right") - 1
        followed = tokens.sent >= opened[at]
        is_owner = holders[at] == holders[0]
        seconds = tokens.arrived - tokens.sent
        for where, chosen in found.items():
            chosen.append(seconds[followed & (is_owner == where)])
    return np.concatenate(found[True]), np.concatenate(found[False])
