"""What reading a large board costs: server time and queries, bytes, and a click on a control.

    python benchmarks/reading.py [--contestants M] [--votes N] [--categories K] [--rounds R]

Publishes N simulated votes of M contestants that carry style and K categories in an arena of its
own on SQLite, and asks for the board and the pages behind it in this process (first read: nothing
of the publication is in memory; rendered: its texts are; kept: from the cache), then in Chromium
over a server of its own: requests and compressed bytes of a cold load, and the time from a click on
a control to the frame in which the rows stand anew, without and with the pause in which a hand that
hovers lets the page ask ahead.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from playwright.sync_api import Page, sync_playwright
from serving import FLAGS as SERVER_FLAGS
from serving import ROOT, free_port
from weight import FLAGS, Scale, settle

METRICS = ("tokens", "headers", "lists", "bold", "code", "emoji")
MAKERS = 20

BEHIND = (
    *("/models/", "/models/contestant-007/", "/models/contestant-007/?show=all"),
    *("/pairs/", "/pairs/contestant-007/contestant-008/", "/categories/", "/categories/?rows=all"),
    *("/organisations/", "/organisations/maker-7/", "/prices/", "/history/", "/methodology/"),
)

# From the click to the second frame after the rows were exchanged: then they are painted.
REPAINT = """async (control) => {
  const view = document.querySelector("#board-view").parentElement;
  const before = performance.now();
  const done = new Promise((resolve) => {
    const watch = new MutationObserver(() => {
      watch.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - before)));
    });
    watch.observe(view, { childList: true, subtree: true });
  });
  document.getElementById(control).click();
  return done;
}"""


def votes_table(contestants: int, votes: int, categories: int) -> pa.Table:
    rng = np.random.default_rng(11)
    names = np.array([f"Contestant {number:03}" for number in range(contestants)])
    strength = rng.normal(0.0, 0.5, contestants)
    a = rng.integers(0, contestants, votes)
    b = (a + rng.integers(1, contestants, votes)) % contestants
    lead = strength[a] - strength[b]
    columns: dict[str, Any] = {}
    for number, metric in enumerate(METRICS):
        habit = rng.normal(2.0, 0.5, contestants)
        sides = [np.floor(np.exp(habit[side] + rng.normal(0.0, 0.5, votes))) for side in (a, b)]
        lead += (0.6 - 0.1 * number) * (sides[0] - sides[1]) / np.maximum(sides[0] + sides[1], 1.0)
        columns |= {f"{metric}_{end}": side for end, side in zip("ab", sides, strict=True)}
    won = rng.random(votes) < 1.0 / (1.0 + np.exp(-lead))
    tags = {
        f"category_tag.made.kind_{number}": rng.random(votes) < 0.5 / (1 + number)
        for number in range(categories)
    }
    return pa.table(
        {
            "model_a": names[a],
            "model_b": names[b],
            "winner": np.where(won, "model_a", "model_b"),
            "voter": np.char.add("v", rng.integers(0, votes // 10, votes).astype(str)),
            **columns,
            **tags,
        }
    )


def publish_made(folder: Path, contestants: int, votes: int, categories: int) -> float:
    """Seconds that the publication took."""
    from django.core.management import call_command

    from arena.leaderboard.services import publish

    path = folder / "votes.parquet"
    pq.write_table(votes_table(contestants, votes, categories), path)
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    call_command("import_votes", str(path), stdout=StringIO())
    state_catalog()
    start = time.perf_counter()
    publish()
    return time.perf_counter() - start


def state_catalog() -> None:
    """Organisations, licences, prices and dates of release."""
    from arena.catalog.models import Contestant, Organisation

    makers = [
        Organisation.objects.create(slug=f"maker-{number}", name=f"Maker {number:02}")
        for number in range(MAKERS)
    ]
    for number, contestant in enumerate(Contestant.objects.order_by("name")):
        contestant.organisation = makers[number % MAKERS]
        contestant.licence = ("open", "proprietary")[number % 2]
        contestant.price_in = Decimal(1 + number % 17) / 10
        contestant.price_out = Decimal(1 + number % 29) / 3
        contestant.released_on = date(2025, 1, 1) + timedelta(days=2 * number)
        contestant.save()


# -- On the server ---------------------------------------------------------------------------


def ask(client: Any, address: str) -> tuple[float, int, int]:
    """Seconds, queries and compressed bytes of a page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        start = time.perf_counter()
        response = client.get(address)
        seconds = time.perf_counter() - start
    assert response.status_code == 200, (address, response.status_code)
    return seconds, len(queries), len(gzip.compress(response.content))


def settle_server() -> None:
    from arena.config import lifespan

    lifespan.settle()


def asked(what: str, address: str, rounds: int, before: Callable[[], Any]) -> str:
    from django.test import Client

    client = Client(headers={"Host": "127.0.0.1"})
    ask(client, address)
    found = []
    for _ in range(rounds):
        before()
        found.append(ask(client, address))
    seconds, (_, queries, size) = median(each[0] for each in found), found[-1]
    return f"{what:50} {1000 * seconds:6.1f} ms {queries:3} queries {size / 1000:6.1f} kB"


# -- In the browser --------------------------------------------------------------------------


@contextmanager
def server() -> Any:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "arena.config.asgi:application"]
    process = subprocess.Popen([*command, "--port", str(port), *SERVER_FLAGS.split()], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(150):
            time.sleep(0.2)
            if answers(address):
                break
        yield address
    finally:
        process.terminate()
        process.wait(30)


def answers(address: str) -> bool:
    import httpx

    try:
        return httpx.get(f"{address}/leaderboard/", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def repaints(page: Page, pause: float, rounds: int) -> list[float]:
    taken = []
    for number in range(rounds):
        control = f"control-{('length', 'markdown', 'code', 'emoji')[number % 4]}"
        if pause:
            page.locator(f"label[for={control}]").hover()
            page.wait_for_timeout(1000 * pause)
        taken.append(page.evaluate(REPAINT, control))
        page.wait_for_timeout(600)
        page.mouse.move(0, 0)
    return taken


def in_browser(address: str) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no chromium on this machine: the rest is not measured")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(base_url=address, viewport={"width": 1360, "height": 900})
        page = context.new_page()
        scale = Scale(page)
        page.goto("/leaderboard/")
        settle(page)
        print(scale.row("a cold load"))
        # Eight clicks lead through eight sets of controls and back.
        for what, pause in (
            ("a click at once, the first to ask", 0.0),
            ("a click at once, others asked before", 0.0),
            ("a click after hovering for 0.3 s", 0.3),
        ):
            taken = repaints(page, pause, 8)
            print(f"{what:50} {median(taken):6.1f} ms, at most {max(taken):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contestants", type=int, default=300)
    parser.add_argument("--votes", type=int, default=200_000)
    parser.add_argument("--categories", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=12)
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "TILTYARD_VAR": folder,
            "SECRET_KEY": "benchmark",
            "DJANGO_SETTINGS_MODULE": "arena.config.settings",
            "ALLOWED_HOSTS": "127.0.0.1",
            "REFIT_SECONDS": "0",
        }
        import django

        django.setup()
        from django.core.cache import cache

        from arena.leaderboard.models import TEXTS

        seconds = publish_made(Path(folder), given.contestants, given.votes, given.categories)
        print(f"{given.votes:,} votes of {given.contestants}: published in {seconds:.1f} s")
        # As the server does, see arena/config/lifespan.py.
        settle_server()
        board, nothing = "/leaderboard/", lambda: None

        def forget() -> None:
            cache.clear()
            TEXTS.clear()

        for what, address, before in (
            ("the board, first read", board, forget),
            ("the board, rendered", board, cache.clear),
            ("the board, kept", board, nothing),
            ("all rows, rendered", f"{board}?show=all", cache.clear),
            ("two controls, rendered", f"{board}?controls=length,code", cache.clear),
            ("a category, rendered", f"{board}kind_0/", cache.clear),
            ("how sure, rendered", "/how-sure/", cache.clear),
            *((f"{address}, first read", address, forget) for address in BEHIND),
            *((f"{address}, rendered", address, cache.clear) for address in BEHIND),
        ):
            print(asked(what, address, given.rounds, before))
        with server() as address:
            in_browser(address)


if __name__ == "__main__":
    main()
