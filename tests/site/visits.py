"""What visitors of the battle page do, and see."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web
from playwright.sync_api import Locator, Page, expect

from arena.catalog.models import Kind
from tests import factories
from tests.threads import in_thread
from tests.upstream import serving, stream, whole

BATTLE = re.compile(r"/battle/[0-9a-f-]{36}/")
WORDS = [f"word{number} " for number in range(60)]


async def slow(request: web.Request) -> web.StreamResponse:
    return await stream(request, whole(*WORDS, "end."), pause=0.05)


async def quick(request: web.Request) -> web.StreamResponse:
    return await stream(request, whole("The ", "sky ", "is ", "blue."))


@contextmanager
def two_served(behaviour: Callable[[web.Request], object] = quick) -> Iterator[None]:
    with in_thread(serving(behaviour)) as endpoint:  # type: ignore[arg-type]
        for name in ("Wren", "Kite"):
            factories.revision(name, Kind.OPENAI, endpoint=endpoint, remote_model=name)
        yield


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def agree(page: Page) -> None:
    """To what is kept, as everybody must before their first prompt."""
    button(page, "Agree and go on").click()


def ask(page: Page, prompt: str = "Why is the sky blue?") -> None:
    page.goto("/")
    page.get_by_label("Your prompt").fill(prompt)
    page.keyboard.press("Enter")
    agree(page)
    page.wait_for_url(BATTLE)


def ask_on(page: Page, prompt: str) -> None:
    button(page, "Ask a follow-up").click()
    page.get_by_label("Your next question to both").fill(prompt)
    page.keyboard.press("Enter")


def surprise(page: Page) -> None:
    """Begin a recorded battle."""
    page.goto("/")
    button(page, "Surprise me").click()
    agree(page)


def wait_for_vote(page: Page) -> None:
    expect(button(page, "Tie")).to_be_enabled(timeout=20_000)


def wait_for_word(page: Page, word: str) -> None:
    for letter in "AB":
        expect(page.get_by_role("region", name=f"Answer {letter}")).to_contain_text(
            word, timeout=10_000
        )


def sides(page: Page) -> list[str]:
    """Texts of the last turn."""
    turn = page.locator("#turns .turn").last
    return [turn.locator(f'[data-answer="{side}"]').inner_text() for side in "ab"]
