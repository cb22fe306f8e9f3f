"""Judging a collection in a real browser, from the link that judges get."""

import pytest
from playwright.sync_api import Page, expect

from arena.battles.collections import collection_create, collection_open
from arena.battles.files import answers_keep
from arena.battles.models import Battle, Collection, Mode, Vote

pytestmark = pytest.mark.browser
NAMES = ("Canary-Wren", "Canary-Kite")
ROWS = "".join(f"Why {n}?,{name},Answer {n}.\n" for n in (1, 2) for name in NAMES)


@pytest.fixture
def collection(transactional_db: None) -> Collection:
    """Two prompts with two answers each: two cells."""
    digest = answers_keep(pieces=[f"prompt,model,answer\n{ROWS}".encode()])
    return collection_create(digest=digest, name="Why questions", votes_per_cell=2)


def judge(page: Page) -> None:
    page.get_by_role("link", name="Judge the next pair").click()
    tie, terms = page.get_by_role("button", name="Tie"), page.get_by_role("button", name="Agree")
    expect(tie.or_(terms).first).to_be_visible()
    if terms.is_visible():
        terms.click()
    expect(tie).to_be_enabled(timeout=20_000)
    assert not any(name in page.content() for name in NAMES)
    tie.click()
    expect(page.get_by_text("Canary-Wren").first).to_be_visible()


def test_a_judge_judges_all_there_is(page: Page, collection: Collection) -> None:
    page.goto("/judge/why-questions/")
    expect(page.get_by_role("heading", name="Why questions")).to_be_visible()
    expect(page.get_by_text("0 of 4 votes are in.")).to_be_visible()
    expect(page.get_by_role("progressbar", name="0 of 4 votes are in.")).to_be_visible()
    assert not any(name in page.content() for name in NAMES)

    for _ in range(2):
        judge(page)
        page.goto("/judge/why-questions/")
    expect(page.get_by_text("You have judged all 2 pairs here")).to_be_visible()
    expect(page.get_by_role("link", name="Judge the next pair")).to_have_count(0)
    battles = list(Battle.objects.all())
    assert Vote.objects.count() == 2
    assert {battle.mode for battle in battles} == {Mode.RECORDED}
    assert {battle.recorded_prompt.collection for battle in battles} == {collection}


def test_a_closed_collection_offers_no_pair(page: Page, collection: Collection) -> None:
    collection_open(collection=collection, is_open=False, reason="enough", actor=None)
    page.goto("/judge/why-questions/")

    expect(page.get_by_text("their collection is closed")).to_be_visible()
    expect(page.get_by_role("link", name="Judge the next pair")).to_have_count(0)


@pytest.mark.parametrize("width", [1360, 320])
def test_the_page_fits_and_is_used_by_keyboard(
    page: Page, collection: Collection, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/judge/why-questions/")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    link = page.get_by_role("link", name="Judge the next pair")
    for _ in range(20):
        page.keyboard.press("Tab")
        if link.evaluate("element => element === document.activeElement"):
            break
    expect(link).to_be_focused()
    assert link.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"


def test_an_address_of_no_collection(page: Page, site: str) -> None:
    response = page.request.get("/judge/no-such/")

    assert response.status == 404
    assert "There is no such collection" in response.text()
