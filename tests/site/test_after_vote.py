"""What a voter does after the vote, in a browser."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from arena.battles.models import Reasons, Share
from arena.demo.services import seed
from tests import factories
from tests.site.test_accessibility import faults
from tests.site.visits import button, surprise, wait_for_vote

pytestmark = pytest.mark.browser


def vote(page: Page, name: str = "A is better") -> None:
    surprise(page)
    wait_for_vote(page)
    button(page, name).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("You")


def vote_without_a_board(page: Page, name: str = "A is better") -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    vote(page, name)


def test_the_board_answers_and_leads_to_the_rows(page: Page) -> None:
    seed()
    vote(page)
    # The focus is where the vote put it, whatever the board says in the headline.
    expect(page.locator("#verdict-headline")).to_be_focused()
    for title in ("How likely was this?", "What would style alone have said?"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator(".interval-chart")).to_have_count(2)
    assert faults(page) == []

    name = page.locator(".contestant h2 bdi").first.inner_text()
    page.get_by_role("link", name=re.compile(f"Rank .*{re.escape(name)}")).click()
    expect(page.locator("tr:target")).to_contain_text(name)


def test_nothing_above_moves_when_the_board_answers(page: Page) -> None:
    seed()
    surprise(page)
    wait_for_vote(page)
    held = []
    page.route("**/reveal/", lambda route: held.append(route))
    button(page, "A is better").click()
    expect(page.get_by_text("Asking the board where they stand.")).to_be_visible()
    places = """() => [".metrics", ".reasons", ".board-view"].map(
        (part) => document.querySelector(part).offsetTop)"""
    before = page.evaluate(places)

    held[0].continue_()
    expect(page.get_by_role("heading", name="How likely was this?")).to_be_visible()
    assert page.evaluate(places) == before


def test_reasons_are_kept_as_they_are_chosen(page: Page) -> None:
    vote_without_a_board(page, "Both are bad")
    button(page, "Not accurate").click()
    button(page, "Not clear").press("Enter")
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(button(page, "Not clear")).to_have_attribute("aria-pressed", "true")

    page.reload()
    expect(button(page, "Not accurate")).to_have_attribute("aria-pressed", "true")
    button(page, "Not accurate").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert Reasons.objects.get().given == ["clear"]


def test_a_link_is_shared_read_and_ended(page: Page, browser: Browser, site: str) -> None:
    vote_without_a_board(page)
    expect(button(page, "Share")).to_be_enabled()
    button(page, "Share").press("Enter")
    link = page.get_by_label("Whoever has this link")
    expect(link).to_be_focused()
    address = link.input_value()
    assert address.startswith(f"{site}/shared/")
    assert faults(page) == []

    reader = browser.new_context().new_page()
    reader.goto(address)
    expect(reader.get_by_role("heading", level=1)).to_contain_text("Somebody preferred")
    expect(reader.get_by_text("Another answer.")).to_be_visible()
    assert faults(reader) == []
    assert reader.context.cookies() == []

    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(button(page, "Share")).to_be_focused()

    page.reload()
    button(page, "Share").click()
    expect(link).to_have_value(address)
    button(page, "Stop sharing").click()
    expect(page.get_by_text("No longer shared.")).to_be_visible()
    expect(link).to_be_hidden()
    reader.reload()
    expect(reader.get_by_text("No battle is shared at this address.")).to_be_visible()
    assert not Share.objects.exists()
    reader.context.close()


def test_the_link_can_be_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    vote_without_a_board(page)
    button(page, "Share").click()
    button(page, "Copy").last.click()
    expect(button(page, "Copied")).to_be_visible()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.get_by_label("Whoever has this link").input_value()


def test_what_cannot_be_saved_is_said_and_shown_as_it_was(browser: Browser, site: str) -> None:
    # A page of its own: a browser reports every request that fails on its console.
    context = browser.new_context(base_url=site)
    page = context.new_page()
    vote_without_a_board(page)
    expect(button(page, "Clearer")).to_be_enabled()
    context.set_offline(True)
    button(page, "Clearer").click()

    expect(page.get_by_text("The arena could not be reached. Try again.")).to_be_visible()
    expect(button(page, "Clearer")).to_have_attribute("aria-pressed", "false")
    assert not Reasons.objects.exists()
    context.close()


def test_all_of_it_on_the_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    seed()
    vote(page)
    expect(page.get_by_role("heading", name="How likely was this?")).to_be_visible()
    button(page, "Share").click()
    expect(page.get_by_label("Whoever has this link")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
