"""The pages in French and Chinese in a real browser: choosing, scripts, room on a phone, axe."""

import pytest
from playwright.sync_api import Browser, Page, expect

from arena.demo.services import seed
from tests.site.test_accessibility import faults

pytestmark = pytest.mark.browser

PAGES = ("/", "/leaderboard/", "/archive/", "/privacy/", "/sign-in/", "/mine/")


def choose(page: Page, name: str) -> None:
    page.locator(".languages summary").click()
    page.get_by_role("button", name=name, exact=True).click()


def test_the_keyboard_alone_chooses_a_language(page: Page) -> None:
    page.goto("/archive/")
    summary = page.locator(".languages summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="English")).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Français")).to_be_hidden()
    expect(summary).to_be_focused()

    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Rien n’a encore été publié.")
    # A text of a script.
    expect(page.get_by_role("button", name="Thème\u202f: clair")).to_be_visible()
    page.goto("/privacy/")
    expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_no_script_is_needed_to_choose(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/privacy/")
    choose(page, "简体中文")

    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page).to_have_url(f"{site}/privacy/")
    context.close()


@pytest.mark.parametrize("name", ["Français", "简体中文"])
def test_no_page_has_a_fault_or_lacks_room(page: Page, name: str) -> None:
    seed()
    page.goto("/archive/")
    choose(page, name)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for address in PAGES:
            page.goto(address)
            page.locator(".languages summary").click()
            assert faults(page) == [], address
    for width in (1360, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        for address in PAGES:
            page.goto(address)
            room = page.evaluate("document.documentElement.clientWidth")
            assert page.evaluate("document.documentElement.scrollWidth") <= room, (address, width)
