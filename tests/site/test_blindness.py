"""The real page with all its scripts receives no name from the first request to the open vote."""

import pytest
from playwright.sync_api import Browser, expect

from tests.factories import canaries
from tests.recorder import recording
from tests.site.visits import agree
from tests.threads import in_thread
from tests.upstream import serving

pytestmark = pytest.mark.browser


def test_chromium_receives_no_name_before_the_vote(browser: Browser, site: str) -> None:
    with in_thread(recording(site)) as recorder, in_thread(serving()) as endpoint:
        canaries(endpoint, endpoint)
        context = browser.new_context(base_url=recorder.address)
        shown = context.new_page()
        shown.goto("/")
        shown.get_by_label("Your prompt").fill("Why is the sky blue?")
        shown.keyboard.press("Enter")
        agree(shown)
        expect(shown.get_by_role("button", name="Tie")).to_be_enabled(timeout=15_000)
        shown.reload()
        expect(shown.get_by_role("button", name="Tie")).to_be_enabled(timeout=15_000)

        assert b"The " in recorder.received
        assert recorder.found("canary") == []

        shown.get_by_role("button", name="Tie").click()
        expect(shown.get_by_role("heading", level=1)).to_contain_text("Canary-Wren")
        assert recorder.found("canary") == ["canary"]
        context.close()
