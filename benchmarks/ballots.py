"""`load.py votes`: votes at a steady rate while a worker is killed, each counted once."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import uuid
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import aiohttp
import uvloop
from reports import Report, milliseconds
from serving import Server, arena, contestants_add, leases, served, voter_cookies
from upstream import vocabulary
from usage import Meter, Profile, Reading, no_collections, profiled, used

OUTCOMES = ("model_a", "model_b", "tie", "both_bad")
# What ballot.js waits for an answer, and how long a person takes to vote again.
PATIENCE, AGAIN = 20.0, 1.0
TRIES = 20
# When a server that cannot keep up is given up, after the last vote was due.
LATE_SECONDS = 300.0
# Visitors come and go: after so many votes a connection is closed and another one opened, so
# that a worker that was started again gets its share.
VOTES_PER_CONNECTION = 50
BATCH = 2_000
ANSWER_TOKENS = 300
# Who has never had a contestant's names drawn: nobody asks this address.
NOWHERE = "http://127.0.0.1:9/v1"


@dataclass(eq=False)
class Ballot:
    """One vote, from the moment at which it was due to its acknowledgement."""

    battle: str
    headers: dict[str, str]
    outcome: str
    key: str
    due: float = 0.0
    saved_at: float = 0.0
    status: int = 0
    tries: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def body(self) -> str:
        # Each battle here has one turn, written once.
        return f"outcome={self.outcome}&key={self.key}&attempt=1"


@dataclass
class Run:
    options: argparse.Namespace
    ballots: list[Ballot]
    server: Server
    meter: Meter
    session: aiohttp.ClientSession = field(init=False)
    readings: list[Reading] = field(default_factory=list)
    profile: Profile | None = None
    under_way: int = 0
    killed_after: float = 0.0
    under_way_then: int = 0
    back_after: float = 0.0


def votes(options: argparse.Namespace) -> Report:
    if options.kill and options.workers < 2:
        raise SystemExit(
            "Only with several workers is one started again: --workers 2, or --no-kill."
        )
    with arena(options) as folder:
        contestants_add(NOWHERE, options.contestants)
        count = int(options.rate * options.seconds) + options.connections
        ballots = ballots_for(count, options)
        with served(folder, options.workers) as server:
            meter = Meter(server, os.environ["DATABASE_URL"], options.redis)
            run = Run(options, ballots, server, meter)
            with closing(meter):
                uvloop.run(play(run))
        return report_of(run)


# -- Battles to vote on ----------------------------------------------------------------------


def ballots_for(count: int, options: argparse.Namespace) -> list[Ballot]:
    """Complete battles of many voters, and the vote that each will get."""
    from arena.catalog.models import Revision
    from arena.voters.models import Voter

    luck = random.Random(options.seed)
    cookies = voter_cookies(options.voters)
    voters = Voter.objects.bulk_create([Voter(key=key) for key in cookies], BATCH)
    revisions = list(Revision.objects.all())
    ballots = []
    for start in range(0, count, BATCH):
        drawn = [luck.choice(voters) for _ in range(start, min(start + BATCH, count))]
        for battle, voter in zip(battles_of(drawn, revisions, luck), drawn, strict=True):
            headers = headers_of(cookies[voter.key])
            key = str(uuid.UUID(int=luck.getrandbits(128), version=4))
            ballots.append(Ballot(battle, headers, luck.choice(OUTCOMES), key))
    analyze()
    return ballots


def battles_of(voters: list[Any], revisions: list[Any], luck: random.Random) -> list[str]:
    """A battle of each of the voters with both answers, written in one go; their ids."""
    from arena.battles.models import Answer, Battle, Side, State, Turn

    made = Battle.objects.bulk_create(
        Battle(
            voter=voter,
            revision_a=(pair := luck.sample(revisions, 2))[0],
            revision_b=pair[1],
            state=State.COMPLETE,
            draw_probability=0.01,
            owner="load",
        )
        for voter in voters
    )
    turns = Turn.objects.bulk_create(
        Turn(battle=battle, number=1, prompt="Why is the sky blue?") for battle in made
    )
    words = vocabulary()
    style = {"tokens": 300, "headers": 0, "lists": 4, "bold": 2, "code": 0, "emoji": 0}
    Answer.objects.bulk_create(
        Answer(turn=turn, side=side, text=text_from(words, luck), finish_reason="stop", **style)
        for turn in turns
        for side in Side
    )
    return [str(battle.pk) for battle in made]


def text_from(words: list[str], luck: random.Random) -> str:
    start = luck.randrange(len(words) - ANSWER_TOKENS)
    return "".join(words[start : start + ANSWER_TOKENS]).strip()


def headers_of(cookie: str) -> dict[str, str]:
    """What the page's request carries: the voter, and the token of the form in both places."""
    from django.conf import settings
    from django.utils.crypto import get_random_string

    token = get_random_string(32)
    return {
        "Cookie": f"{cookie}; {settings.CSRF_COOKIE_NAME}={token}",
        "X-CSRFToken": token,
        "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
        "Accept-Encoding": "gzip, deflate",
    }


def analyze() -> None:
    """Have the planner know what was loaded, as it would of an arena that grew."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


# -- Voting ----------------------------------------------------------------------------------


async def play(run: Run) -> None:
    options = run.options
    async with session_for(options) as run.session:
        warm, measured = run.ballots[: options.connections], run.ballots[options.connections :]
        await asyncio.gather(*(cast(run, ballot, perf_counter()) for ballot in warm))
        run.readings.append(run.meter.read())
        beside = [asyncio.create_task(coroutine) for coroutine in beside_of(run)]
        with no_collections():
            await vote_at_rate(run, measured)
        run.readings.append(run.meter.read())
        await asyncio.gather(*beside)


def session_for(options: argparse.Namespace) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=options.connections, keepalive_timeout=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        # A vote that waits for a connection is late, and not lost.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE, sock_read=PATIENCE),
    )


def beside_of(run: Run) -> Iterator[Coroutine[Any, Any, None]]:
    if run.options.kill:
        yield kill_one(run)
    if run.options.profile:
        yield profile(run)


async def profile(run: Run) -> None:
    # The last one: it is not killed in most runs, and one that is ends its profile early.
    run.profile = await profiled(run.server.workers()[-1], run.options.seconds)


async def vote_at_rate(run: Run, ballots: list[Ballot]) -> None:
    """Every vote when it is due, however the ones before it fare."""
    began, casting = perf_counter(), set()
    for number, ballot in enumerate(ballots):
        due = began + number / run.options.rate
        if (early := due - perf_counter()) > 0:
            await asyncio.sleep(early)
        task = asyncio.create_task(
            cast(run, ballot, due, is_last=number % VOTES_PER_CONNECTION == 0)
        )
        casting.add(task)
        task.add_done_callback(casting.discard)
    if casting:
        await asyncio.wait(casting, timeout=LATE_SECONDS)
    for task in casting:
        task.cancel()


async def cast(run: Run, ballot: Ballot, due: float, *, is_last: bool = False) -> None:
    """Post the vote until it is saved or refused, always under the same key."""
    ballot.due = due
    run.under_way += 1
    try:
        while ballot.tries < TRIES and not await is_settled(run, ballot, is_last):
            await asyncio.sleep(AGAIN)
    finally:
        run.under_way -= 1


async def is_settled(run: Run, ballot: Ballot, is_last: bool) -> bool:
    address = run.server.address
    headers = {**ballot.headers, "Origin": address, "Referer": f"{address}/battle/{ballot.battle}/"}
    if is_last:
        headers["Connection"] = "close"
    ballot.tries += 1
    try:
        url = f"{address}/battle/{ballot.battle}/vote/"
        async with run.session.post(url, data=ballot.body, headers=headers) as response:
            await response.read()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        ballot.troubles.append(type(error).__name__)
        return False
    ballot.status = response.status
    if response.status == 200:
        ballot.saved_at = perf_counter()
    elif response.status >= 500:
        ballot.troubles.append(f"status {response.status}")
    return response.status < 500


async def kill_one(run: Run) -> None:
    """Kill the worker with the most connections at a moment that the seed decides.

    Then wait for the one that replaces it.
    """
    luck = random.Random(f"kill {run.options.seed}")
    run.killed_after = luck.uniform(0.25, 0.75) * run.options.seconds
    before = await asyncio.to_thread(leases)
    await asyncio.sleep(run.killed_after)
    victim = run.server.busiest()
    run.under_way_then = run.under_way
    killed_at = perf_counter()
    os.kill(victim, signal.SIGKILL)
    while not await asyncio.to_thread(leases) - before:
        if perf_counter() - killed_at > 60:
            return
        await asyncio.sleep(0.05)
    run.back_after = perf_counter() - killed_at


# -- What came of it -------------------------------------------------------------------------


def report_of(run: Run) -> Report:
    options = run.options
    report = Report(
        name=f"load_votes_{options.rate:g}{'_kill' if options.kill else ''}",
        title=(
            f"{options.rate:g} votes/s for {options.seconds:g} s, {options.workers} workers, "
            f"{options.voters:,} voters over {options.connections} connections."
        ),
        faults=faults_of(run.ballots),
    )
    rows_of_votes(report, run)
    rows_of_kill(report, run)
    rows_of_processors(report, run)
    report.notes = [f"The server logged: {line}" for line in run.server.complaints()[-20:]]
    if run.profile:
        report.notes.append(run.profile.tables())
    return report


def faults_of(ballots: list[Ballot]) -> Counter[str]:
    """Votes that were acknowledged and not stored, stored twice or otherwise, or never settled."""
    from arena.battles.models import Battle, Vote

    found: Counter[str] = Counter()
    stored: dict[str, list[tuple[str, str]]] = {}
    for battle, outcome, key in Vote.objects.values_list("battle", "outcome", "idempotency_key"):
        stored.setdefault(str(battle), []).append((outcome, key))
    found["a battle has several votes"] = sum(len(votes) > 1 for votes in stored.values())
    found["stored, and nobody's"] = len(stored.keys() - {ballot.battle for ballot in ballots})
    for ballot in ballots:
        votes = stored.get(ballot.battle, [])
        if ballot.saved_at and not votes:
            found["acknowledged and not stored"] += 1
        if votes and votes != [(ballot.outcome, ballot.key)]:
            found["stored otherwise than cast"] += 1
        if not ballot.saved_at:
            found[f"never acknowledged: status {ballot.status}, {ballot.troubles[-1:]}"] += 1
    if Battle.objects.filter(state="voted").count() != len(stored):
        found["battles voted are not as many as votes"] += 1
    return +found


def rows_of_votes(report: Report, run: Run) -> None:
    measured = run.ballots[run.options.connections :]
    saved = [ballot for ballot in measured if ballot.saved_at]
    seconds = max((b.saved_at for b in saved), default=0.0) - min(b.due for b in measured)
    again = [ballot for ballot in saved if ballot.tries > 1]
    troubles = Counter(trouble for ballot in measured for trouble in ballot.troubles)
    rate = len(saved) / seconds
    report.row(
        "votes acknowledged, of those cast; per second",
        f"{len(saved):,} of {len(measured):,}; {rate:,.1f}",
        votes=len(measured),
        acknowledged=len(saved),
        per_second=rate,
    )
    said, figures = milliseconds([ballot.saved_at - ballot.due for ballot in saved])
    report.row("from when it was due to acknowledged, p50/p95/p99/max", said, vote_ms=figures)
    said, figures = milliseconds([b.saved_at - b.due for b in saved if b.tries == 1])
    report.row("the same of votes that were sent once", said, vote_sent_once_ms=figures)
    why = ", ".join(f"{count} {trouble}" for trouble, count in troubles.items()) or "-"
    report.row("sent again; for what", f"{len(again)}; {why}", again=len(again), why=troubles)


def rows_of_kill(report: Report, run: Run) -> None:
    if not run.options.kill:
        return
    report.row(
        "a worker was killed after, with votes under way",
        f"{run.killed_after:.2f} s (seed {run.options.seed}), {run.under_way_then}",
        killed_after_seconds=run.killed_after,
        under_way_then=run.under_way_then,
    )
    back = f"{run.back_after:.1f} s" if run.back_after else "not within 60 s"
    report.row("the next worker had its lease after", back, back_after_seconds=run.back_after)


def rows_of_processors(report: Report, run: Run) -> None:
    spent = used(run.readings[0], run.readings[1])
    saved = sum(ballot.saved_at > 0 for ballot in run.ballots[run.options.connections :])
    for name in ("server", "postgres", "redis"):
        per_vote = 1000 * getattr(spent, name) / max(saved, 1)
        key = f"{name}_ms_per_vote"
        report.row(f"processor time of {name} per vote", f"{per_vote:.2f} ms", **{key: per_vote})
    shares = {"server": spent.server, "postgres": spent.postgres, "redis": spent.redis}
    shares |= {"generator": spent.generator, "others": spent.others}
    percent = {name: round(spent.share(seconds), 1) for name, seconds in shares.items()}
    said = ", ".join(f"{name} {share:.0f}" for name, share in percent.items())
    report.row("per cent of one processor", said, percent_of_processor=percent)
    report.row("machine", f"{spent.machine:.0f} %", machine_percent=spent.machine)
