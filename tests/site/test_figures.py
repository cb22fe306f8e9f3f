"""Charts in a browser: drawn by the server, made to speak once they are in view."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from arena.integrity.imports import votes_import
from arena.leaderboard.services import publish
from tests.leaderboard.stylish import stylish
from tests.site.test_accessibility import faults

pytestmark = pytest.mark.browser

MOST_REQUESTS = 20
# The first chart of a process takes the server a few seconds.
PATIENCE = 20_000


@pytest.fixture
def asked(page: Page, tmp_path: Path) -> list[str]:
    """What the browser asked for; it is at the top of the page, with the charts out of view."""
    votes_import(path=stylish(tmp_path, 600))
    publish()
    found: list[str] = []

    def note(request: Request) -> None:
        found.append(request.url)

    page.on("request", note)
    page.set_viewport_size({"width": 1360, "height": 300})
    page.goto("/pairs/", wait_until="networkidle")
    return found


def test_charts_out_of_view_cost_nothing(page: Page, asked: list[str]) -> None:
    assert len(asked) <= MOST_REQUESTS
    assert not any("vega" in address for address in asked)

    page.locator("#observed").scroll_into_view_if_needed()
    expect(page.locator("#observed .figure-live svg")).to_be_visible(timeout=PATIENCE)
    assert sum("vendor/vega/vega.js" in address for address in asked) == 1


def test_a_mark_says_what_it_is_and_nothing_moves(page: Page, asked: list[str]) -> None:
    figure = page.locator("#observed")
    before = page.evaluate("document.documentElement.scrollHeight")
    figure.scroll_into_view_if_needed()
    expect(figure.locator(".figure-live svg")).to_be_visible(timeout=PATIENCE)
    cells = figure.locator(".figure-live .mark-rect.role-mark path")
    cells.first.hover(force=True)

    expect(page.locator("#vg-tooltip-element")).to_contain_text("Observed score")
    after = page.evaluate("document.documentElement.scrollHeight")
    assert after == pytest.approx(before, rel=0.03)


def test_charts_follow_the_theme(page: Page, asked: list[str]) -> None:
    figure = page.locator("#observed")
    figure.scroll_into_view_if_needed()
    expect(figure.locator(".figure-live svg")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Theme: light").click()
    figure.scroll_into_view_if_needed()

    live = figure.locator(".figure-live svg")
    expect(live).to_have_css("background-color", "rgb(20, 22, 26)", timeout=PATIENCE)
    shown = figure.locator("img").evaluate("image => image.currentSrc")
    assert "theme=dark" in shown


def test_a_chart_that_cannot_be_drawn_says_so(page: Page, asked: list[str]) -> None:
    page.route("**/pairs/*.svg*", lambda route: route.fulfill(status=204))
    page.reload()
    page.locator("#votes").scroll_into_view_if_needed()

    note = page.locator("#votes .figure-failed")
    expect(note).to_contain_text("could not be drawn", timeout=PATIENCE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_that_axe_finds(page: Page, asked: list[str], scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.locator("#observed .figure-told summary").click()
    page.locator("#votes").scroll_into_view_if_needed()
    expect(page.locator("#votes .figure-live svg")).to_be_visible(timeout=PATIENCE)

    assert faults(page) == []


def test_no_page_is_wider_than_a_phone(page: Page, asked: list[str]) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    for address in ("/pairs/", "/archive/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, address
