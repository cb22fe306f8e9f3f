"""axe-core on every page, light and dark, and the keyboard alone once through."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from arena.demo.services import seed
from arena.integrity.imports import votes_import
from arena.leaderboard.services import publish
from tests import factories
from tests.leaderboard.test_refit import cycle
from tests.site.visits import agree

pytestmark = pytest.mark.browser


def faults(page: Page) -> list[str]:
    """Serious and critical findings on the page as it stands."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:120]}"
        for fault in found
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    seed()
    for address in (
        "/",
        "/leaderboard/",
        "/leaderboard/?board=raw",
        "/archive/",
        "/planted/",
        "/api/v1/",
    ):
        page.goto(address)
        assert faults(page) == [], address

    page.goto("/")
    page.get_by_role("button", name="Surprise me").click()
    agree(page)
    expect(page.get_by_role("button", name="Tie")).to_be_enabled(timeout=30_000)
    assert faults(page) == [], "battle"
    page.get_by_role("button", name="Tie").click()
    expect(page.get_by_text(re.compile("Rank .*set")).first).to_be_visible()
    assert faults(page) == [], "voted"


def test_a_board_of_imported_votes_has_none_either(page: Page, tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    publish()
    page.goto("/leaderboard/")

    assert faults(page) == []


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    page.goto("/")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip().startswith("Surprise me"):
            break
    page.keyboard.press("Enter")
    # The dialog that asks for consent has the focus on what agrees.
    expect(page.get_by_role("button", name="Agree and go on")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Tie")).to_be_enabled(timeout=15_000)

    page.keyboard.press("t")

    expect(page.get_by_role("heading", level=1)).to_contain_text("You called it a tie")
