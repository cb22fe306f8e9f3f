"""The product's main job, as a visitor sees it: battle, vote, names, and the board that moves."""

import re

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from arena.battles.models import Battle, Vote
from arena.demo.services import seed
from arena.leaderboard.models import Snapshot
from tests import factories
from tests.site.visits import agree

pytestmark = pytest.mark.browser


def side(page: Page, letter: str) -> str:
    return page.get_by_role("region", name=f"Answer {letter}").inner_text()


def rank_of(page: Page, board: str, name: str) -> int:
    page.goto(f"/leaderboard/?board={board}")
    row = page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))
    return int(re.findall(r"\d+", row.inner_text())[0])


def test_vote_in_the_browser_and_see_the_board_move(page: Page) -> None:
    seed()
    counted = Snapshot.objects.latest("id").counted

    page.goto("/")
    expect(page.get_by_text("Simulated demo data.")).to_be_visible()
    page.get_by_role("button", name="Surprise me").click()
    agree(page)
    expect(page.get_by_role("button", name="A is better")).to_be_disabled()
    page.wait_for_url(re.compile(r"/battle/[0-9a-f-]{36}/"))

    # Two answers, streaming: both have begun and at least one grows.
    begun = wait_for_text(page)
    expect(page.get_by_role("button", name="A is better")).to_be_enabled(timeout=15_000)
    finished = (side(page, "A"), side(page, "B"))
    assert sum(map(len, finished)) > sum(map(len, begun))

    battle = Battle.objects.get()
    names = (battle.revision_a.name, battle.revision_b.name)
    shown = page.get_by_role("main").inner_text()
    assert not any(name in shown for name in names)

    page.keyboard.press("b")
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        f"You preferred {names[1]} to {names[0]}"
    )
    expect(page.get_by_text(re.compile("Rank .*set")).first).to_be_visible()
    assert Vote.objects.get().outcome == "model_b"

    call_command("publish")
    page.goto("/leaderboard/")
    expect(page.get_by_text(f"{counted + 1:,} votes counted")).to_be_visible()

    raw, controlled = (rank_of(page, board, "Vireo 2 chat-exp") for board in ("raw", "controlled"))
    assert raw <= 6
    assert controlled >= 22


def wait_for_text(page: Page) -> tuple[str, str]:
    """Both sides' text as soon as both have some."""
    for letter in "AB":
        expect(page.get_by_role("region", name=f"Answer {letter}")).to_contain_text(
            re.compile(r"\w{3,}.*\w{3,}", re.DOTALL)
        )
    return side(page, "A"), side(page, "B")


def test_a_reload_in_the_middle_loses_nothing(
    page: Page, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    monkeypatch.setattr(settings, "RECORDED_CHARACTERS_PER_SECOND", 150)
    long = " ".join(f"word{number}" for number in range(60))
    factories.on_record(factories.prompt(), Wren=f"{long} end.", Kite=f"{long} fin.")
    page.goto("/")
    page.get_by_role("button", name="Surprise me").click()
    agree(page)
    page.wait_for_url(re.compile(r"/battle/[0-9a-f-]{36}/"))
    wait_for_text(page)

    page.reload()

    expect(page.get_by_role("button", name="Tie")).to_be_enabled(timeout=15_000)
    texts = side(page, "A") + side(page, "B")
    assert texts.count("word0 ") == texts.count("word59 ") == 2
    assert "end." in texts
    assert "fin." in texts


def test_the_page_of_a_finished_battle_still_takes_the_vote(page: Page) -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    page.goto("/")
    page.get_by_role("button", name="Surprise me").click()
    agree(page)
    expect(page.get_by_role("button", name="Tie")).to_be_enabled(timeout=15_000)
    page.reload()

    page.get_by_role("button", name="Both are bad").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("You found neither")
    assert Vote.objects.get().outcome == "both_bad"


def test_a_vote_on_the_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    page.goto("/")
    page.get_by_role("button", name="Surprise me").click()
    agree(page)

    page.get_by_role("button", name="A is better").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("You preferred")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
