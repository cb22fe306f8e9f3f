"""The page on certainty in a browser: on a desktop and a phone, with and without scripts."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from arena.core.jobs import job_run_next
from arena.integrity.imports import votes_import
from arena.leaderboard.services import publish
from tests.leaderboard.test_sure import ladder
from tests.site.test_accessibility import faults

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def published(tmp_path: Path, transactional_db: None) -> None:
    votes_import(path=ladder(tmp_path, voters=60))
    publish()


def reads_whole(page: Page) -> None:
    """Down to the matrix, which comes when it is seen."""
    page.goto("/how-sure/")
    page.locator("#matrix").scroll_into_view_if_needed()
    expect(page.locator("table.matrix")).to_be_visible()


def is_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize(("one", "other"), [("Avocet", "Dunlin"), ("Dunlin", "Avocet")])
def test_a_pair_is_asked_for_and_answered(
    published: None, page: Page, one: str, other: str
) -> None:
    page.goto("/how-sure/")
    page.get_by_label("Contestant", exact=True).select_option(one)
    page.get_by_label("compared with", exact=True).select_option(other)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#pair")).to_contain_text("Avocet is better than Dunlin with probability")

    page.get_by_role("button", name="Work out what would turn it").click()
    expect(page.locator("#pair")).to_contain_text("Waiting for its turn")
    job_run_next()
    expect(page.locator("#pair")).to_contain_text("swaps #1 and #4", timeout=20_000)
    expect(page.locator("#pair")).to_contain_text("would lift Dunlin over Avocet")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_no_serious_fault(published: None, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    reads_whole(page)
    assert faults(page) == []
    page.goto("/how-sure/?a=Avocet&b=Bittern")
    assert faults(page) == []


def test_a_phone_shows_it_all(published: None, page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    reads_whole(page)

    assert not is_wider_than_the_screen(page)
    assert faults(page) == []


def test_it_works_without_scripts(published: None, browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/how-sure/?a=Avocet&b=Bittern")
    expect(page.locator("#pair")).to_contain_text("Avocet is better than Bittern")
    page.get_by_role("link", name="Show the chances of every pair").click()
    expect(page.locator("table.matrix")).to_be_visible()
    context.close()
