"""Takes a picture of every state that visitors see, with the system's Chromium.

make screenshots             # all of them, into var/screenshots, and the README's two
make screenshots ARGS="--only reads_of_pairs reads_the_method"      # what these visitors see

It serves an arena of its own from a folder that is gone afterwards, with the demo's data, two
models that it plays itself and a collection to judge; and one in which nobody has voted yet. Each
state is taken on a desktop and on a phone, light and dark.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
ALL = ROOT / "var" / "screenshots"
README = ROOT / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
SIZES = {"desktop": (1360, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
PATIENCE = 60_000
BEAT_SECONDS = 0.02

QUESTION = "How do I find out why a nightly report has become slow?"
FOLLOW_UP = "It is slow on Mondays alone. What does that tell me?"
FAILING = "Answer this, and let one side break off."
ANSWERS = {
    "quick-sketch": """Measure before you change anything. **Where does the time go?**

```python
import cProfile
cProfile.run("report.main()", sort="cumtime")
```

If reading takes a share $p$ of the time, making it $k$ times as fast helps by at most

$$\\frac{1}{(1 - p) + p/k}$$

so begin with the largest share.
""",
    "long-brush": """## What to check first

1. **The input.** Has the file grown since the report was quick?
2. **The machine.** Does anything else run at that hour?
3. **The query.** Did its plan change when the table grew?

| Sign | Likely cause |
| --- | --- |
| processor busy | a loop over rows |
| disk busy | a missing index |
| neither | waiting for another system |

## Then

Time each step once with the clock, and only then with a profiler.
""",
}


# -- Models that answer ----------------------------------------------------------------------


async def models(request: web.Request) -> web.Response:
    return web.json_response({"data": [{"id": name} for name in ANSWERS]})


async def completion(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    breaks_off = asked["messages"][-1]["content"] == FAILING and asked["model"] == "long-brush"
    for number, piece in enumerate(re.findall(r"\S+\s*|\s+", ANSWERS[asked["model"]])):
        if breaks_off and number == 12:
            return response
        await response.write(event({"delta": {"content": piece}}))
        await asyncio.sleep(BEAT_SECONDS)
    await response.write(event({"delta": {}, "finish_reason": "stop"}))
    return response


def event(choice: dict[str, object]) -> bytes:
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()


@contextmanager
def played() -> Iterator[str]:
    """The address of a server of the OpenAI form that plays both models."""
    loop = asyncio.new_event_loop()
    application = web.Application()
    application.add_routes(
        [web.get("/v1/models", models), web.post("/v1/chat/completions", completion)]
    )
    runner = web.AppRunner(application)
    port = free_port()

    async def open_site() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    # In a thread of its own: Playwright keeps a loop in this one.
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(open_site(), loop).result()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


# -- The arena -------------------------------------------------------------------------------


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def arena(endpoint: str | None, *, is_new: bool = False) -> Iterator[str]:
    """The address of an arena with the demo's data, or of a new one without any; with an endpoint,
    of one that can be asked.
    """
    with tempfile.TemporaryDirectory() as var:
        surroundings = {**os.environ, "TILTYARD_VAR": var, "SECRET_KEY": "pictures"}

        def manage(*arguments: str) -> None:
            command = [sys.executable, "manage.py", *arguments]
            subprocess.run(command, cwd=ROOT, env=surroundings, check=True, capture_output=True)

        manage("migrate", "--no-input")
        manage("collectstatic", "--no-input")
        if not is_new:
            manage("demo")
        if endpoint:
            manage("add_endpoint", endpoint, "--images")
            manage("import_answers", str(collection(Path(var))), "--name", "Recipes, spring")
        port = free_port()
        command = [
            *(sys.executable, "-m", "uvicorn", "arena.config.asgi:application"),
            *("--port", str(port), "--lifespan", "on", "--log-level", "warning"),
        ]
        server = subprocess.Popen(command, cwd=ROOT, env=surroundings)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address)
            yield address
        finally:
            server.terminate()
            server.wait()


def collection(folder: Path) -> Path:
    rows = [
        {"prompt": prompt, "model": model, "answer": f"{answer} ({model} wrote this.)"}
        for prompt, answer in (
            ("What can I cook from leeks and potatoes?", "A soup: soften the leeks first."),
            ("How long does an egg take to boil?", "Seven minutes for a soft yolk."),
        )
        for model in ("Ladle", "Whisk", "Skillet")
    ]
    path = folder / "recipes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def wait_for(address: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/privacy/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{address} did not answer within a minute")


# -- What visitors do ------------------------------------------------------------------------


@dataclass
class Visit:
    """One visitor at one size and in one scheme, whose states are kept as pictures."""

    page: Page
    look: str

    def keep(self, state: str, *, whole: bool = False) -> None:
        self.page.wait_for_timeout(400)
        self.page.screenshot(path=ALL / f"{state}-{self.look}.png", full_page=whole)

    def read(self, state: str, address: str) -> None:
        """Goes there, down to the end so that every chart comes, and keeps the whole page."""
        self.page.goto(address)
        for figure in self.page.locator(".figure-room").all():
            figure.scroll_into_view_if_needed()
            picture = figure.locator("img")
            expect(picture).to_have_js_property("complete", True, timeout=PATIENCE)
            expect(figure).to_have_class(re.compile("is-live"), timeout=PATIENCE)
        self.page.evaluate("scrollTo(0, 0)")
        self.keep(state, whole=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def write(self, prompt: str) -> None:
        self.page.get_by_label("Your prompt").fill(prompt)
        self.page.keyboard.press("Enter")

    def agree(self) -> None:
        if self.page.locator("#consent").count():
            self.button("Agree and go on").click()

    def wait_for_vote(self) -> None:
        expect(self.button("Tie")).to_be_enabled(timeout=PATIENCE)


def finds_nothing_of_its_own(visit: Visit) -> None:
    visit.page.goto("/mine/")
    visit.keep("mine-empty")


def begins(visit: Visit) -> None:
    visit.page.goto("/")
    visit.keep("battle-begin")
    visit.write(QUESTION)
    visit.keep("battle-consent")
    visit.agree()
    visit.page.wait_for_url(re.compile("/battle/.+/"))
    visit.page.wait_for_timeout(700)
    visit.keep("battle-writing")
    visit.wait_for_vote()
    visit.keep("battle-finished")


def asks_on(visit: Visit) -> None:
    visit.button("Ask a follow-up").click()
    visit.page.get_by_label("Your next question to both").fill(FOLLOW_UP)
    visit.keep("battle-follow-up")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_timeout(1500)
    visit.keep("battle-second-turn")
    visit.wait_for_vote()
    visit.button("A is better").click()
    expect(visit.page.locator("#verdict-headline")).to_be_visible()
    visit.keep("battle-voted-not-on-board", whole=True)


def sees_the_board_after_the_vote(visit: Visit) -> None:
    visit.page.goto("/")
    visit.button("Surprise me").click()
    visit.wait_for_vote()
    visit.keep("recorded-finished")
    visit.button("B is better").click()
    expect(visit.page.get_by_text(re.compile("Rank .*set")).first).to_be_visible()
    visit.keep("battle-voted", whole=True)
    visit.button("Share").click()
    link = visit.page.locator("#share-link")
    expect(link).to_be_visible()
    visit.keep("battle-shared")
    visit.page.goto(visit.page.url.replace("/battle/", "/shared/"))
    visit.keep("shared", whole=True)


def meets_faults(visit: Visit) -> None:
    visit.page.goto("/")
    visit.write(FAILING)
    expect(visit.button("Retry")).to_be_visible(timeout=PATIENCE)
    visit.keep("battle-failed")
    visit.page.goto("/")
    visit.write(QUESTION)
    visit.page.wait_for_timeout(900)
    visit.button("Stop").click()
    expect(visit.page.get_by_role("alert")).to_contain_text("You stopped this battle")
    visit.keep("battle-stopped")
    visit.page.goto(visit.page.url.replace("/battle/", "/shared/"))
    visit.keep("shared-unfinished")
    visit.page.goto("/battle/00000000-0000-4000-8000-000000000000/")
    visit.keep("no-such-battle")
    visit.page.goto("/")
    visit.page.get_by_label("Your prompt").fill("Is \u202ethis\u202c safe? " + "word " * 5_000)
    visit.keep("battle-too-long")
    visit.page.get_by_label("Your prompt").fill("")


def chooses_by_name(visit: Visit) -> None:
    visit.page.goto("/battle/?mode=named")
    visit.keep("named-begin")
    for letter, name in (("A", "quick-sketch"), ("B", "long-brush")):
        option = visit.page.get_by_label(f"Contestant {letter}")
        option.select_option(label=name)
    visit.write(QUESTION)
    visit.wait_for_vote()
    visit.keep("named-finished")


def talks_to_one(visit: Visit) -> None:
    visit.page.goto("/chat/")
    visit.keep("chat-begin")
    visit.page.goto("/chat/?with=quick-sketch")
    visit.write(QUESTION)
    visit.agree()
    visit.page.wait_for_url(re.compile("/chat/.+/"))
    expect(visit.button("Send")).to_be_visible(timeout=PATIENCE)
    visit.keep("chat")


def judges(visit: Visit) -> None:
    visit.page.goto("/judge/recipes-spring/")
    visit.keep("collection")


def reads_the_board(visit: Visit) -> None:
    for name, query in (
        ("board-raw", "?controls=none"),
        ("board-length-alone", "?controls=length"),
        ("board-between", "?strength=0.5"),
        ("board-account", "?open=Lector+3+Large"),
        ("board-families", "?rows=families"),
        ("board-sorted", "?sort=-moved"),
        ("board-filtered", "?q=north&licence=proprietary"),
        ("board-nobody", "?q=nobody"),
        ("board-variant", "?variant=davidson"),
        ("board-category", "math/"),
        ("board-no-such-category", "poetry/"),
    ):
        visit.page.goto(f"/leaderboard/{query}")
        visit.keep(name, whole=name == "board-account")
    visit.page.goto("/leaderboard/")
    for sheet in ("Controls", "Filter"):
        opener = visit.button(sheet)
        if opener.is_visible():
            opener.click()
            visit.keep(f"board-{sheet.lower()}")
            visit.page.keyboard.press("Escape")


def reads_how_sure(visit: Visit) -> None:
    visit.page.goto("/how-sure/")
    visit.page.locator("#matrix").scroll_into_view_if_needed()
    expect(visit.page.locator("table.matrix")).to_be_visible()
    visit.keep("sure", whole=True)
    visit.page.goto("/how-sure/pairs/?from=21")
    visit.keep("sure-pairs")
    pair = "/how-sure/?a=Corvid+4&b=Tamar+1.5"
    visit.page.goto(pair)
    if visit.button("Work out").count():
        visit.keep("sure-pair")
        visit.button("Work out").click()
        visit.keep("sure-pair-asked")
        expect(visit.page.locator("#pair .answer")).to_contain_text("swaps", timeout=PATIENCE)
    visit.page.goto(pair)
    visit.keep("sure-pair-answered")
    visit.page.goto("/how-sure/?a=Corvid+4&b=Heron")
    visit.keep("sure-no-such-pair")


def reads_of_contestants(visit: Visit) -> None:
    for name, address in (
        ("contestants", "/models/"),
        ("contestants-found", "/models/?q=north"),
        ("contestant", "/models/lector-3-large/"),
        ("contestant-raw", "/models/lector-3-large/?board=raw"),
        ("contestant-preview", "/models/corvid-5-preview/"),
        ("contestant-experimental", "/models/vireo-2/?revision=1"),
        ("contestant-unplaced", "/models/quick-sketch/"),
    ):
        visit.read(name, address)


def reads_of_pairs(visit: Visit) -> None:
    for name, address in (
        ("pairs", "/pairs/"),
        ("pairs-raw", "/pairs/?board=raw"),
        ("pair", "/pairs/vireo-2/rook-instruct/?first=1"),
        ("pair-never-met", "/pairs/quick-sketch/corvid-4/"),
    ):
        visit.read(name, address)
    visit.page.goto("/pairs/corvid-4/osier-405b/")
    if visit.button("Work out what").count():
        visit.button("Work out what").scroll_into_view_if_needed()
        visit.keep("pair-to-ask")
        visit.button("Work out what").click()
        visit.page.wait_for_url(re.compile("/how-sure/"))
        visit.read("pair-asked", "/pairs/corvid-4/osier-405b/")
        # Once it has been worked out the page leads to the answer by itself.
        visit.page.wait_for_url(re.compile("/how-sure/"), timeout=PATIENCE)
    visit.read("pair-answered", "/pairs/corvid-4/osier-405b/")


def reads_of_groups(visit: Visit) -> None:
    for name, address in (
        ("families", "/families/"),
        ("family", "/families/vireo-2/"),
        ("categories", "/categories/"),
        ("categories-rank", "/categories/?cells=rank"),
        ("categories-sorted", "/categories/?sort=math"),
        ("category-thin", "/leaderboard/lang-de/"),
        ("organisations", "/organisations/"),
        ("organisation", "/organisations/meridel/"),
        ("prices", "/prices/"),
        ("prices-output", "/prices/?mix=100"),
        ("prices-raw", "/prices/?board=raw"),
        ("history", "/history/"),
        ("history-raw", "/history/?board=raw"),
        ("history-chosen", "/history/?contestant=vireo-2&contestant=corvid-4"),
    ):
        visit.read(name, address)


def reads_the_method(visit: Visit) -> None:
    for name, address in (
        ("methodology", "/methodology/"),
        ("formulas", "/methodology/formulas/"),
        ("archive-whole", "/archive/"),
    ):
        visit.read(name, address)
    visit.page.get_by_role("link", name="Check").first.click()
    visit.keep("publication", whole=True)


def asks_for_what_is_not_there(visit: Visit) -> None:
    for name, address in (
        ("no-such-contestant", "/models/nobody/"),
        ("no-such-contestant-near", "/models/vireo-3/"),
        ("no-such-revision", "/models/vireo-2/?revision=9"),
        ("no-such-pair", "/pairs/vireo-2/nobody/"),
        ("no-pair-of-one", "/pairs/vireo-2/vireo-2/"),
        ("no-such-family", "/families/nobody/"),
        ("no-such-organisation", "/organisations/nobody/"),
        ("no-such-cells", "/categories/?cells=nothing"),
        ("no-such-figure", "/prices/nothing.svg"),
        ("no-such-publication", "/methodology/?snapshot=000000000000"),
    ):
        visit.page.goto(address)
        visit.keep(name)


def comes_before_the_first_publication(visit: Visit) -> None:
    for name in (
        *("models", "pairs", "families", "categories", "organisations", "prices", "history"),
        *("methodology", "archive", "leaderboard", "moved", "how-sure"),
    ):
        visit.page.goto(f"/{name}/")
        visit.keep(f"new-{name}")
    for name, address in (
        ("new-contestant", "/models/quick-sketch/"),
        ("new-pair", "/pairs/quick-sketch/long-brush/"),
    ):
        visit.page.goto(address)
        visit.keep(name)


def reads(visit: Visit) -> None:
    for name, address in (
        ("mine", "/mine/"),
        ("board", "/leaderboard/"),
        ("moved", "/moved/"),
        ("moved-revisions", "/moved/?rows=revisions"),
        ("moved-table", "/moved/?as=table"),
        ("moved-log", "/moved/log/"),
        ("archive", "/archive/"),
        ("privacy", "/privacy/"),
        ("sign-in", "/sign-in/"),
        ("not-found", "/no-such-page/"),
    ):
        visit.page.goto(address)
        visit.keep(name)


def reads_in_other_languages(visit: Visit) -> None:
    for language in ("fr", "zh-hans"):
        visit.page.context.add_cookies(
            [{"name": "tiltyard-language", "value": language, "url": visit.page.url}]
        )
        for name, address in (("begin", "/"), ("board", "/leaderboard/"), ("mine", "/mine/")):
            visit.page.goto(address)
            visit.keep(f"{language}-{name}")
    visit.page.context.clear_cookies(name="tiltyard-language")


Step = Callable[[Visit], None]

# In an arena where nothing has been published yet, and in the demo's.
FIRST_STEPS: tuple[Step, ...] = (comes_before_the_first_publication,)
STEPS: tuple[Step, ...] = (
    finds_nothing_of_its_own,
    begins,
    asks_on,
    sees_the_board_after_the_vote,
    meets_faults,
    chooses_by_name,
    talks_to_one,
    judges,
    reads_the_board,
    reads_how_sure,
    reads_of_contestants,
    reads_of_pairs,
    reads_of_groups,
    reads_the_method,
    asks_for_what_is_not_there,
    reads,
    reads_in_other_languages,
)


def everything(browser: Browser, address: str, steps: Iterable[Step]) -> None:
    ALL.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        for scheme in SCHEMES:
            context = visitor(browser, address, size, scheme)
            visit = Visit(context.new_page(), f"{size}-{scheme}")
            for step in steps:
                step(visit)
            context.close()
            print(f"{size}, {scheme}: {len(list(ALL.glob(f'*-{visit.look}.png')))} pictures")


def visitor(browser: Browser, address: str, size: str, scheme: str) -> BrowserContext:
    width, height = SIZES[size]
    return browser.new_context(
        base_url=address,
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        has_touch=size == "phone",
    )


# -- The README's ----------------------------------------------------------------------------


def readme(browser: Browser, address: str) -> None:
    README.mkdir(parents=True, exist_ok=True)
    page = browser.new_context(
        base_url=address, viewport={"width": 1360, "height": 1000}
    ).new_page()
    page.goto("/leaderboard/")
    page.screenshot(path=README / "board.png")
    page.set_viewport_size({"width": 1360, "height": 860})
    page.goto("/")
    page.get_by_role("button", name="Why is 0.1 + 0.2").click()
    Visit(page, "").agree()
    expect(page.get_by_role("button", name="Tie")).to_be_enabled(timeout=PATIENCE)
    page.screenshot(path=README / "battle.png")
    print("docs/images/board.png, docs/images/battle.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readme", action="store_true", help="the README's two alone")
    parser.add_argument(
        *("--only", "-o"),
        nargs="+",
        choices=[step.__name__ for step in (*FIRST_STEPS, *STEPS)],
        help="what these visitors see alone",
    )
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("no chromium on this machine: install it first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        if not asked.only:
            with arena(None) as address:
                readme(browser, address)
        if asked.readme:
            return
        for steps, is_new in ((FIRST_STEPS, True), (STEPS, False)):
            wanted = [step for step in steps if not asked.only or step.__name__ in asked.only]
            if wanted:
                with played() as endpoint, arena(endpoint, is_new=is_new) as address:
                    everything(browser, address, wanted)


if __name__ == "__main__":
    main()
