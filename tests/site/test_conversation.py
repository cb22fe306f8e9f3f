"""A conversation with both sides, battles by name, and consent, as a visitor does it."""

import json
from typing import Any

import pytest
from aiohttp import web
from playwright.sync_api import Browser, Page, expect

from arena.battles.models import Battle, Image, Mode, Turn, Vote
from arena.catalog.models import Contestant
from arena.voters.models import Voter
from tests import factories
from tests.pictures import png
from tests.site.visits import (
    BATTLE,
    agree,
    ask,
    ask_on,
    button,
    sides,
    slow,
    surprise,
    two_served,
    wait_for_vote,
    wait_for_word,
)
from tests.upstream import stream, whole

pytestmark = pytest.mark.browser

SIZES = {"desktop": (1360, 900), "phone": (390, 844)}


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")])
def anywhere(page: Page, request: pytest.FixtureRequest) -> Page:
    """The page on a desktop and on a phone, light and dark."""
    size, scheme = request.param
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    return page


async def counting(request: web.Request) -> web.StreamResponse:
    """Answers with how many questions there were."""
    messages = json.loads(await request.read())["messages"]
    asked = sum(message["role"] == "user" for message in messages)
    return await stream(request, whole(f"Answer {asked}, ", "of ", "its ", "own."))


def test_both_are_asked_on_and_the_vote_closes_it(anywhere: Page) -> None:
    page = anywhere
    with two_served(counting):
        ask(page, "First?")
        wait_for_vote(page)
        ask_on(page, "Second?")
        expect(page.get_by_text("Second?")).to_be_visible()
        wait_for_vote(page)
        assert sides(page)[0] == "Answer 2, of its own."
        page.reload()
        wait_for_vote(page)
        shown = page.get_by_role("region", name="Answer A")
        expect(shown).to_have_count(2)
        expect(shown.first).to_contain_text("Answer 1")
        expect(shown.last).to_contain_text("Answer 2")

        button(page, "A is better").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("You preferred")
    assert Turn.objects.count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_a_question_that_is_refused_is_still_there(page: Page) -> None:
    with two_served(counting):
        ask(page, "First?")
        wait_for_vote(page)
        Battle.objects.update(state="interrupted")
        ask_on(page, "Second?")

        expect(page.get_by_role("alert")).to_contain_text("gone on in another window")
        field = page.get_by_label("Your next question to both")
        expect(field).to_have_value("Second?")
    assert Turn.objects.count() == 1


def test_a_window_left_open_is_told_that_the_battle_has_gone_on(page: Page) -> None:
    with two_served(counting):
        ask(page, "First?")
        wait_for_vote(page)
        left_open = page.context.new_page()
        left_open.goto(page.url)
        wait_for_vote(left_open)
        ask_on(page, "Second?")
        wait_for_vote(page)

        button(left_open, "A is better").click()
        expect(left_open.get_by_role("alert")).to_contain_text("gone on in another window")
        assert not Vote.objects.exists()
        left_open.reload()
        wait_for_vote(left_open)
        button(left_open, "A is better").click()
        expect(left_open.get_by_role("heading", level=1)).to_contain_text("You preferred")
    assert Vote.objects.get().turn.number == 2


def test_whoever_does_not_agree_keeps_the_prompt_and_nobody_is_asked(anywhere: Page) -> None:
    page = anywhere
    with two_served():
        page.goto("/")
        page.get_by_label("Your prompt").fill("Why is the sky blue?")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_contain_text("kept for 365 days")
        button(page, "Not now").click()
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page.get_by_label("Your prompt")).to_be_focused()
        expect(page.get_by_label("Your prompt")).to_have_value("Why is the sky blue?")
        assert not Voter.objects.exists()

        button(page, "Send").click()
        agree(page)
        wait_for_vote(page)
        page.goto("/")
        page.get_by_label("Your prompt").fill("And why red at night?")
        page.keyboard.press("Enter")
        wait_for_vote(page)
    assert Battle.objects.count() == 2


def test_a_battle_is_two_clicks_away(anywhere: Page) -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    surprise(anywhere)
    wait_for_vote(anywhere)


def test_a_suggestion_fills_the_field(page: Page) -> None:
    with two_served():
        page.goto("/")
        suggested = page.locator("[data-suggestion]").first
        text = suggested.inner_text()
        suggested.click()
        expect(page.get_by_label("Your prompt")).to_have_value(text)
        expect(page.get_by_label("Your prompt")).to_be_focused()


def test_two_are_chosen_by_name_and_the_vote_is_not_counted(anywhere: Page) -> None:
    page = anywhere
    with two_served():
        page.goto("/")
        page.get_by_role("link", name="By name").click()
        page.get_by_label("Contestant A").select_option(label="Kite")
        page.get_by_label("Contestant B").select_option(label="Wren")
        page.get_by_label("Your prompt").fill("Why is the sky blue?")
        page.keyboard.press("Enter")
        agree(page)
        wait_for_vote(page)
        for _ in range(2):
            expect(page.get_by_text("the vote is kept but not counted")).to_be_visible()
            expect(page.locator(".side-a")).to_contain_text("Kite")
            page.reload()
            wait_for_vote(page)

        button(page, "Tie").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("You called it a tie")
        expect(page.get_by_text("this vote is kept and not counted")).to_be_visible()
    assert Vote.objects.get().battle.mode == Mode.NAMED


def test_escape_stops_and_keys_vote(page: Page) -> None:
    with two_served(slow):
        ask(page)
        wait_for_word(page, "word3")
        page.keyboard.press("Escape")
        expect(page.get_by_text("Press Esc again to stop.")).to_be_visible()
        wait_for_word(page, "word8")
        page.keyboard.press("Escape")
        expect(page.get_by_role("alert")).to_contain_text("You stopped this battle")
        page.keyboard.press("n")
        expect(page.get_by_label("Your prompt")).to_be_visible()


def test_a_picture_goes_with_the_prompt(anywhere: Page, tmp_path: Any) -> None:
    page = anywhere
    seen = []

    async def looking(request: web.Request) -> web.StreamResponse:
        content = json.loads(await request.read())["messages"][-1]["content"]
        seen.append([part["type"] for part in content])
        return await stream(request, whole("A ", "picture."))

    (tmp_path / "red.png").write_bytes(png())
    with two_served(looking):
        Contestant.objects.update(accepts_images=True)
        page.goto("/")
        page.locator("#ask").get_by_label("Add picture").set_input_files(tmp_path / "red.png")
        agree(page)
        expect(page.get_by_role("img", name="red.png")).to_be_visible()
        page.get_by_label("Your prompt").fill("What is this?")
        page.keyboard.press("Enter")
        wait_for_vote(page)
        shown = page.get_by_role("img", name="Picture 1 of this question")
        expect(shown).to_be_visible()
        page.reload()
        expect(shown).to_be_visible()
        assert shown.evaluate("image => image.naturalWidth") > 0
        button(page, "Ask a follow-up").click()
        page.locator("#follow-up").get_by_label("Add picture").set_input_files(tmp_path / "red.png")
        expect(page.get_by_role("img", name="red.png")).to_be_visible()
        page.get_by_label("Your next question to both").fill("And this?")
        page.keyboard.press("Enter")
        expect(shown).to_have_count(2)
        wait_for_vote(page)
    assert [sorted(parts) for parts in seen] == [["image_url", "text"]] * 4
    assert [image.turns.get().number for image in Image.objects.order_by("created_at")] == [1, 2]


def test_what_is_no_picture_is_refused_in_words_and_the_prompt_stays(
    browser: Browser, site: str, tmp_path: Any
) -> None:
    (tmp_path / "tool.png").write_bytes(b"MZ\x90\x00" + bytes(400))
    (tmp_path / "tool.exe").write_bytes(b"MZ\x90\x00" + bytes(400))
    (tmp_path / "huge.png").write_bytes(png() + bytes(20_000_000))
    with two_served():
        Contestant.objects.update(accepts_images=True)
        page = browser.new_context(base_url=site).new_page()
        page.goto("/")
        page.get_by_label("Your prompt").fill("What is this?")
        for file, said in (
            ("tool.exe", "tool.exe is no PNG, JPEG or WebP picture"),
            ("tool.png", "That is no PNG, JPEG or WebP picture"),
            ("huge.png", "this one is larger"),
        ):
            page.locator("#ask").get_by_label("Add picture").set_input_files(tmp_path / file)
            if file == "tool.png":
                agree(page)  # the first that is sent at all
            expect(page.locator("#ask .pictures").get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_label("Your prompt")).to_have_value("What is this?")
        page.context.close()
    assert not Image.objects.exists()


def test_no_picture_can_be_added_where_nobody_looks_at_one(page: Page) -> None:
    with two_served():
        page.goto("/")
        expect(page.get_by_label("Your prompt")).to_be_visible()
        expect(page.locator("#ask").get_by_label("Add picture")).to_have_count(0)


def test_an_answer_is_copied_as_it_was_written(browser: Browser, site: str) -> None:
    factories.on_record(factories.prompt(), Wren="**One** answer.", Kite="**One** answer.")
    context = browser.new_context(base_url=site)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    surprise(page)
    wait_for_vote(page)
    for _ in range(2):
        button(page, "Copy").first.click()
        assert page.evaluate("navigator.clipboard.readText()") == "**One** answer."
        page.evaluate("navigator.clipboard.writeText('')")
        page.reload()
    context.close()


# -- Bad input -------------------------------------------------------------------------------


def test_a_prompt_that_is_too_long_says_by_how_much(page: Page) -> None:
    with two_served():
        page.goto("/")
        page.get_by_label("Your prompt").fill("a" * 100_000)
        expect(page.get_by_text("100,000 of 20,000 characters: 80,000 too many")).to_be_visible()
        expect(button(page, "Send")).to_be_disabled()
        page.get_by_label("Your prompt").fill(" \n ")
        expect(button(page, "Send")).to_be_disabled()


def test_marks_that_turn_text_around_are_told_and_removed(page: Page) -> None:
    with two_served():
        page.goto("/")
        page.get_by_label("Your prompt").fill("Is \u202eevil\u202c safe?")
        expect(page.get_by_text("It holds 2 invisible marks")).to_be_visible()
        button(page, "Remove them").click()
        expect(page.get_by_label("Your prompt")).to_have_value("Is evil safe?")


def test_pasted_html_is_text(page: Page) -> None:
    with two_served():
        ask(page, "<b onclick='x'>Is this</b> bold?")
        wait_for_vote(page)
        expect(page.locator("[data-prompt]")).to_have_text("<b onclick='x'>Is this</b> bold?")


def test_back_after_the_vote_shows_the_beginning_and_forward_the_names(page: Page) -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    surprise(page)
    page.wait_for_url(BATTLE)
    wait_for_vote(page)
    button(page, "Tie").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("You called it a tie")
    page.go_back()
    expect(button(page, "Surprise me")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_contain_text("You called it a tie")
    assert Vote.objects.count() == 1


def test_two_must_be_chosen_and_differ(page: Page) -> None:
    with two_served():
        page.goto("/?mode=named")
        page.get_by_label("Your prompt").fill("Why?")
        first, second = page.get_by_label("Contestant A"), page.get_by_label("Contestant B")
        button(page, "Send").click()
        expect(page.get_by_text("Choose two contestants.")).to_be_visible()
        expect(first).to_be_focused()
        expect(first).to_have_attribute("aria-invalid", "true")

        first.select_option(label="Wren")
        second.select_option(label="Wren")
        button(page, "Send").click()
        expect(page.get_by_text("Choose two that differ.")).to_be_visible()
        expect(second).to_be_focused()
        second.select_option(label="Kite")
        expect(page.get_by_text("Choose two that differ.")).to_be_hidden()
