"""What the battle page weighs: requests and compressed bytes of a cold load in Chromium.

    make demo                                   # in one terminal
    python benchmarks/weight.py                 # in another

The first row is the page on which a battle begins; the second goes on through a battle to its end;
the third loads the page of that finished battle with an empty cache.
"""

import argparse
import re
import shutil

from playwright.sync_api import Browser, Page, expect, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


class Scale:
    """Counts what a page fetches, by what came over the wire."""

    def __init__(self, page: Page) -> None:
        self.requests: dict[str, str] = {}
        self.bytes = 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": False})
        session.on("Network.requestWillBeSent", self.sent)
        session.on("Network.loadingFinished", self.finished)

    def sent(self, event: dict) -> None:  # type: ignore[type-arg]
        if event["request"]["url"].startswith("http"):
            self.requests[event["requestId"]] = event["request"]["url"]

    def finished(self, event: dict) -> None:  # type: ignore[type-arg]
        if event["requestId"] in self.requests:
            self.bytes += int(event["encodedDataLength"])

    def row(self, what: str) -> str:
        return f"{what:44} {len(self.requests):3} requests {self.bytes / 1000:7.1f} kB"


def settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)


def weigh(browser: Browser, url: str, *, names: bool) -> None:
    context = browser.new_context(base_url=url)
    page = context.new_page()
    scale = Scale(page)
    page.goto("/")
    settle(page)
    print(scale.row("the page on which a battle begins"))
    page.get_by_role("button", name="Surprise me").click()
    page.get_by_role("button", name="Agree and go on").click()
    page.wait_for_url(re.compile("/battle/.+/"))
    expect(page.get_by_role("button", name="Tie")).to_be_enabled(timeout=120_000)
    settle(page)
    print(scale.row("the same, and a battle to its end"))
    finished = page.url
    fresh = browser.new_context(base_url=url, storage_state=context.storage_state())
    page = fresh.new_page()
    scale = Scale(page)
    page.goto(finished)
    settle(page)
    print(scale.row("the page of that finished battle"))
    if names:
        print(*sorted(scale.requests.values()), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000/")
    parser.add_argument("--names", action="store_true", help="list what was fetched")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("no chromium on this machine: install it first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        weigh(browser, arguments.url, names=arguments.names)


if __name__ == "__main__":
    main()
