"""The voter's own page in a browser: from the first vote on, without a fault, on any screen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.leaderboard.test_personal import judge
from tests.site.test_accessibility import faults

pytestmark = pytest.mark.browser


def begin_and_vote(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Surprise me").click()
    page.get_by_role("button", name="Agree and go on").click()
    expect(page.get_by_role("button", name="Tie")).to_be_enabled(timeout=30_000)
    page.get_by_role("button", name="Tie").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("You called it a tie")


@contextmanager
def downloading(page: Page, link: str) -> Iterator[list[str]]:
    lines: list[str] = []
    with page.expect_download() as waiting:
        page.get_by_role("link", name=link).click()
    lines += waiting.value.path().read_text().splitlines()
    yield lines


def test_a_vote_is_on_it_at_once_and_can_be_taken_along(page: Page) -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    page.goto("/mine/")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have voted in no battle yet.")
    begin_and_vote(page)
    page.goto("/mine/")

    expect(page.get_by_role("heading", level=1)).to_contain_text("does not settle yet")
    expect(page.get_by_text(re.compile("^You called it a tie between"))).to_be_visible()
    with downloading(page, "CSV") as lines:
        assert len(lines) == 2
    page.get_by_role("link", name="Why is the sky blue?").click()
    expect(page).to_have_url(re.compile("/battle/"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_no_serious_fault_and_fits_a_phone(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto("/battle/")
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    voter = factories.voter_from(cookies)
    wren, kite, lark = (factories.revision(name) for name in ("wren", "kite", "lark"))
    for _ in range(12):
        judge(voter, wren, kite, "model_a")
    judge(voter, kite, lark, "tie")
    factories.battle(wren, lark, voter)
    for width in (1360, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/mine/")
        expect(page.get_by_role("row", name=re.compile("wren"))).to_be_visible()
        assert faults(page) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
