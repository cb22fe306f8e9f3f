"""`load.py battles`: so many battles at once, and how long every token takes to a page."""

from __future__ import annotations

import argparse
import asyncio
import os
from contextlib import closing
from dataclasses import dataclass, field
from socket import socket
from time import perf_counter

import numpy as np
import uvloop
from judging import (
    COMPLETE,
    Delivered,
    Window,
    against_rule,
    delivered,
    faults_of,
    gaps,
    starts,
    stored_faults,
)
from reports import Report, megabytes, milliseconds
from serving import Server, arena, contestants_add, served, voter_cookies
from sockets import Page, Site
from upstream import Upstream, listening
from usage import Meter, Profile, Reading, Used, no_collections, profiled, used

# Battles that each worker has had before anything is measured: what is imported late is then
# there, and connections are open.
WARM = 8
WARM_TOKENS = 40
# How long a run may take longer than the upstream needs, before it is given up.
PATIENCE = 120.0
# What py-spy may need besides its looking.
SPY_SECONDS = 3.0
# From these per cent on, a processor is no longer to be had.
FULL = 90.0


@dataclass
class Run:
    """What one run left to look at."""

    options: argparse.Namespace
    upstream: Upstream
    meter: Meter
    pages: list[Page] = field(default_factory=list)
    until: float = 0.0
    readings: list[Reading] = field(default_factory=list)
    profile: Profile | None = None

    @property
    def began(self) -> float:
        return self.readings[0].at

    @property
    def window(self) -> Window:
        """The steady state, between the second and the third reading."""
        return self.readings[1].at, self.readings[2].at


def battles(options: argparse.Namespace) -> Report:
    with listening() as bound, arena(options) as folder:
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        contestants_add(endpoint, options.contestants)
        cookies = list(voter_cookies(options.battles).values())
        with served(folder, options.workers) as server:
            upstream = Upstream(tokens=options.tokens, rate=options.rate)
            run = Run(options, upstream, Meter(server, os.environ["DATABASE_URL"], options.redis))
            with closing(run.meter):
                uvloop.run(play(run, server, bound, cookies))
        return report_of(run, server)


async def play(run: Run, server: Server, bound: socket, cookies: list[str]) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(run.upstream.connection, sock=bound)
    site = Site(server.port)
    await warm_up(run, site, cookies)
    run.meter.rest()
    sampling = asyncio.create_task(run.meter.sample())
    with no_collections():
        await measure(run, site, server, cookies)
    sampling.cancel()


async def warm_up(run: Run, site: Site, cookies: list[str]) -> None:
    run.upstream.tokens = WARM_TOKENS
    pages = [Page(cookie, "Are you there?") for cookie in cookies[: WARM * run.options.workers]]
    # One by one: of many connections at once one worker would take all.
    beginning = [asyncio.create_task(begin_later(page, site, k)) for k, page in enumerate(pages)]
    await asyncio.gather(*beginning)
    await asyncio.sleep(1.0)
    run.upstream.tokens = run.options.tokens


async def begin_later(page: Page, site: Site, number: int) -> None:
    await asyncio.sleep(number * 0.1)
    await page.start(site)


async def measure(run: Run, site: Site, server: Server, cookies: list[str]) -> None:
    """Voters come over the ramp, and have one battle after the other until the end."""
    options = run.options
    await take_reading(run)
    run.until = run.began + options.ramp + options.seconds
    voters = [
        asyncio.create_task(voter(run, site, cookie, number))
        for number, cookie in enumerate(cookies)
    ]
    await asyncio.sleep(options.ramp)
    await take_reading(run)
    if options.profile:
        run.profile = await profiled(server.workers()[0], max(options.seconds - SPY_SECONDS, 1.0))
    await asyncio.sleep(max(run.until - perf_counter(), 0.0))
    await take_reading(run)
    _, late = await asyncio.wait(voters, timeout=PATIENCE + options.tokens / options.rate)
    await take_reading(run)
    for task in late:
        task.cancel()
    await asyncio.gather(*voters, return_exceptions=True)


async def take_reading(run: Run) -> None:
    # In a thread: it asks PostgreSQL, and everything else here would wait meanwhile.
    run.readings.append(await asyncio.to_thread(run.meter.read))


async def voter(run: Run, site: Site, cookie: str, number: int) -> None:
    await asyncio.sleep(number * run.options.ramp / run.options.battles)
    while True:
        prompt = f"Question {len(run.pages)} of voter {number}: why is the sky blue? ☀"
        page = Page(cookie, prompt)
        run.pages.append(page)
        await page.start(site)
        if perf_counter() >= run.until:
            return
        if page.ending != COMPLETE:
            await asyncio.sleep(1.0)


# -- What came of it -------------------------------------------------------------------------


def report_of(run: Run, server: Server) -> Report:
    options, streams = run.options, run.upstream.streams
    report = Report(
        name=f"load_battles_{options.battles}_{options.pacing}",
        title=(
            f"{options.battles} battles at once, {options.pacing} pacing, "
            f"{options.workers} workers: {2 * options.battles} answers of {options.tokens} tokens "
            f"at {options.rate:g} tokens/s."
        ),
    )
    tokens = delivered(run.pages, streams)
    report.faults = faults_of(run.pages, streams) + stored_faults(run.pages)
    rows_of_tokens(report, run, tokens)
    if options.pacing == "native":
        rows_of_native_pacing(report, run, tokens)
    else:
        rows_of_equal_pacing(report, run)
    rows_of_processors(report, run, tokens)
    rows_of_bytes(report, run)
    rows_of_memory(report, run)
    report.notes = [f"The server logged: {line}" for line in server.complaints()[-20:]]
    if run.profile:
        report.notes.append(run.profile.tables())
    return report


def rows_of_tokens(report: Report, run: Run, tokens: Delivered) -> None:
    options = run.options
    asked = 2 * options.battles * options.rate
    sent, arrived = tokens.rates(run.window)
    complete = sum(page.ending == COMPLETE for page in run.pages)
    report.row(
        "battles complete, of those begun",
        f"{complete:,} of {len(run.pages):,}",
        battles=len(run.pages),
        complete=complete,
    )
    report.row(
        "tokens/s at most, sent by the upstream, shown",
        f"{asked:,.0f} / {sent:,.0f} / {arrived:,.0f}",
        tokens_per_second=[asked, sent, arrived],
    )
    said, figures = milliseconds(starts(run.pages, run.window))
    report.row("from the prompt to `battle.started`", said, start_ms=figures)


def rows_of_native_pacing(report: Report, run: Run, tokens: Delivered) -> None:
    said, figures = milliseconds(tokens.within(run.window))
    report.row("from the upstream's byte to the frame, p50/p95/p99/max", said, token_ms=figures)
    whole = (run.began, perf_counter())
    said, figures = milliseconds(tokens.within(whole))
    report.row("the same, ramp and end included", said, token_ms_whole_run=figures)


def rows_of_equal_pacing(report: Report, run: Run) -> None:
    streams, window = run.upstream.streams, run.window
    found = against_rule(run.pages, streams, window)
    said, figures = milliseconds(found.late)
    report.row("text shown later than the pacing's rule lets it go", said, late_ms=figures)
    said, figures = milliseconds(found.first)
    report.row("from both sides' first token to the first frame", said, first_ms=figures)
    said, figures = milliseconds(found.first_by_rule)
    report.row("the same by the rule alone", said, first_by_rule_ms=figures)
    said, figures = milliseconds(gaps(run.pages, streams, window))
    report.row("between two frames while 200 characters wait", said, gap_ms=figures)


def rows_of_processors(report: Report, run: Run, tokens: Delivered) -> None:
    """Per token in the steady state, per battle over the whole run."""
    steady = used(run.readings[1], run.readings[2])
    whole = used(run.readings[0], run.readings[3])
    shown = tokens.rates(run.window)[1] * (run.window[1] - run.window[0])
    for name in ("server", "postgres", "redis"):
        per_token = 1e6 * getattr(steady, name) / max(shown, 1.0)
        per_battle = getattr(whole, name) / max(len(run.pages), 1)
        report.row(
            f"processor time of {name}, per token and per battle",
            f"{per_token:,.1f} µs, {per_battle:.3f} s",
            **{f"{name}_us_per_token": per_token, f"{name}_s_per_battle": per_battle},
        )
    rows_of_shares(report, steady)
    report.row("what is full", full(steady, run.options.workers))
    report.row(
        "machine, mean and busiest second",
        f"{steady.machine:.0f} %, {run.meter.busiest:.0f} %",
        machine_percent=steady.machine,
        machine_busiest_percent=run.meter.busiest,
    )
    turned = np.array(run.upstream.turned)
    now = (turned >= run.window[0]) & (turned < run.window[1])
    said, figures = milliseconds(np.array(run.upstream.late)[now])
    report.row("the upstream's timer came late by", said, timer_late_ms=figures)


def rows_of_shares(report: Report, steady: Used) -> None:
    """Whose processor is the limit."""
    shares = {f"worker {k}": seconds for k, seconds in enumerate(steady.workers, 1)}
    shares |= {
        "postgres": steady.postgres,
        "redis": steady.redis,
        "generator": steady.generator,
        "others": steady.others,
    }
    percent = {name: round(steady.share(seconds), 1) for name, seconds in shares.items()}
    said = ", ".join(f"{name} {share:.0f}" for name, share in percent.items())
    report.row("per cent of one processor", said, percent_of_processor=percent)


def full(steady: Used, workers: int) -> str:
    """What limits: one process that fills a processor by itself, or all of them together."""
    found = [f"worker {k}" for k in range(1, workers + 1) if is_full(steady, steady.workers[k - 1])]
    found += [name for name in ("redis", "generator") if is_full(steady, getattr(steady, name))]
    if steady.machine >= FULL:
        found.append("all processors of the machine")
    return ", ".join(found) or "nothing"


def is_full(steady: Used, seconds: float) -> bool:
    return steady.share(seconds) >= FULL


def rows_of_bytes(report: Report, run: Run) -> None:
    complete = [page for page in run.pages if page.ending == COMPLETE]
    frames = sum(len(page.frames) for page in complete)
    payload = sum(page.payload for page in complete)
    text = sum(len((page.a.text + page.b.text).encode()) for page in complete)
    report.row(
        "frames per battle; their bytes per byte of answer",
        f"{frames / max(len(complete), 1):.0f}; {payload / max(text, 1):.2f}",
        frames=frames,
        payload_bytes=payload,
        answer_bytes=text,
    )


def rows_of_memory(report: Report, run: Run) -> None:
    """Per battle: of those at once, and of all, whose logs a worker keeps for a while."""
    meter, options = run.meter, run.options
    grown = meter.peak - meter.idle
    report.row(
        "memory of the workers at rest, at most, the largest's most",
        " / ".join(map(megabytes, (meter.idle, meter.peak, meter.peak_worker))),
        idle_bytes=meter.idle,
        peak_bytes=meter.peak,
        largest_peak_bytes=meter.peak_worker,
    )
    report.row(
        "more memory per battle at once, per battle of the run",
        f"{grown / options.battles / 1024:,.0f} KB, {grown / len(run.pages) / 1024:,.0f} KB",
        bytes_per_battle_at_once=grown / options.battles,
        bytes_per_battle=grown / len(run.pages),
    )
