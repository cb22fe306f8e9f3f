"""Takes the README's pictures from a running demo with the system's Chromium.

make demo            # in one terminal
make screenshots     # in another
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
BATTLE = "Why is 0.1 + 0.2"


def board(page: Page) -> None:
    page.set_viewport_size({"width": 1360, "height": 1000})
    page.goto("/leaderboard/")
    page.screenshot(path=IMAGES / "board.png")


def battle(page: Page) -> None:
    page.set_viewport_size({"width": 1360, "height": 860})
    page.goto("/")
    page.get_by_role("button", name=BATTLE).click()
    expect(page.get_by_role("button", name="Tie")).to_be_enabled(timeout=60_000)
    page.screenshot(path=IMAGES / "battle.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000/")
    url = parser.parse_args().url
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("no chromium on this machine: install it first")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for picture in (board, battle):
            picture(browser.new_context(base_url=url).new_page())
            print(f"docs/images/{picture.__name__}.png")


if __name__ == "__main__":
    main()
