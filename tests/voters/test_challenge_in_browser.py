"""The work done by a real browser: beside the page, and also where it has no crypto.subtle."""

import os
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import Browser, Page, sync_playwright

from arena.voters.challenges import challenge_check
from arena.voters.exceptions import ChallengeSpent
from arena.voters.models import Voter
from arena.voters.services import voter_from
from tests.conftest import missing
from tests.server import serving

pytestmark = pytest.mark.browser

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# A name that is not localhost, at which browsers give no crypto.subtle without https.
PLAIN = "arena.example"
SOLVE = "url => import('/static/core/js/challenge.js').then(module => module.solve(url))"
REFUSED = f"url => ({SOLVE})(url).then(() => 'solved', error => error.message)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        missing("browser", "no Chromium is installed")
    # Playwright keeps a loop in this thread, in which Django would refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    flags = ["--no-sandbox", "--disable-gpu", f"--host-resolver-rules=MAP {PLAIN} 127.0.0.1"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=flags)
        yield started
        started.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


Open = Callable[[str], Page]


@pytest.fixture
def at(browser: Browser, transactional_db: None) -> Iterator[Open]:
    """Opens the battle page at a host of that name."""
    hosts = [*settings.ALLOWED_HOSTS, PLAIN]
    with override_settings(ALTCHA=True, ALTCHA_COST=200, ALLOWED_HOSTS=hosts), serving() as address:
        context = browser.new_context()

        def opened(host: str) -> Page:
            page = context.new_page()
            page.goto(f"http://{host}:{urlsplit(address).port}/battle/")
            return page

        yield opened
        context.close()


def voter_of(page: Page) -> Voter:
    return voter_from({each["name"]: each["value"] for each in page.context.cookies()})  # type: ignore[typeddict-item]


@pytest.mark.parametrize(("host", "subtle"), [("127.0.0.1", True), (PLAIN, False)])
def test_it_works(at: Open, host: str, subtle: bool) -> None:
    page = at(host)
    assert page.evaluate("Boolean(crypto.subtle)") is subtle
    payload = page.evaluate(SOLVE, "/challenge/")

    challenge_check(voter=voter_of(page), payload=payload)
    with pytest.raises(ChallengeSpent):
        challenge_check(voter=voter_of(page), payload=payload)


def test_it_is_done_beside_the_page_and_nothing_goes_on_after(at: Open) -> None:
    page, begun = at("127.0.0.1"), []
    page.on("worker", lambda worker: begun.append(worker.url))
    page.evaluate(SOLVE, "/challenge/")

    own = page.url.removesuffix("/battle/")
    assert begun
    assert set(begun) == {f"{own}/static/core/js/challenge-worker.js"}
    page.wait_for_timeout(100)
    assert page.workers == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/nothing-here/", "gave your browser no work to do"),
        ("/battle/", "gave your browser no work to do"),
        ("http://127.0.0.1:1/", "could not be reached"),
    ],
)
def test_what_goes_wrong_is_said(at: Open, url: str, said: str) -> None:
    assert said in at("127.0.0.1").evaluate(REFUSED, url)


def test_the_arenas_own_words_come_through(at: Open) -> None:
    page = at("127.0.0.1")
    page.context.clear_cookies()

    assert "Voting needs one cookie" in page.evaluate(REFUSED, "/challenge/")


def test_a_browser_without_workers_is_told(at: Open) -> None:
    page = at("127.0.0.1")
    page.evaluate("window.Worker = undefined")

    assert "could not do the work" in page.evaluate(REFUSED, "/challenge/")
