"""The board in a browser: every control, the keyboard, and without scripts."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from arena.integrity.imports import votes_import
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from ranking import RankingSpec, fit
from ranking.io import read_votes
from ranking.votes import Votes
from tests.leaderboard.stylish import stylish
from tests.site.test_accessibility import faults

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def votes(site: str, tmp_path: Path) -> Votes:
    """Votes of the publication that the site shows."""
    path = stylish(tmp_path)
    votes_import(path=path)
    assert publish() is not None
    return Votes.from_arrow(read_votes(path).table)


def rows(page: Page) -> list[tuple[int, str, int]]:
    """Rank, contestant and rating of each row, as they are read."""
    found = page.locator("tbody tr[data-contestant]").evaluate_all(
        """rows => rows.map((row) => [
            row.querySelector("td.rank b").textContent,
            row.querySelector(".name").textContent,
            row.querySelector("td.rating b").textContent.replace("\u2212", "-"),
        ])"""
    )
    return [(int(rank), name, int(rating)) for rank, name, rating in found]


def fitted(votes: Votes, controls: tuple[str, ...]) -> list[tuple[int, str, int]]:
    spec = RankingSpec.from_dict(
        Snapshot.objects.get().content["boards"]["controlled"]["spec"] | {"scales": None}
    ).to_dict()
    board = fit(votes, RankingSpec.from_dict(spec | {"controls": list(controls)}))
    return [(one.rank, one.contestant, round(one.rating)) for one in board.standings]


def settled(page: Page) -> None:
    expect(page.locator(".htmx-request, .htmx-settling, .htmx-swapping")).to_have_count(0)


def switch(page: Page, name: str) -> None:
    box = page.locator(f"#control-{name}")
    was = box.is_checked()
    with page.expect_response(re.compile("/leaderboard/")):
        page.locator(f"label[for=control-{name}]").click()
    expect(page.locator(f"#control-{name}")).to_be_checked(checked=not was)
    settled(page)


@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
def test_every_control_gives_the_board_that_the_votes_give(
    page: Page, votes: Votes, size: Any
) -> None:
    if size:
        page.set_viewport_size(size)
    page.goto("/leaderboard/")
    assert rows(page) == fitted(votes, ("length", "bold", "code"))
    if size:
        page.get_by_role("button", name="Controls").click()

    switch(page, "length")
    expect(page).to_have_url(re.compile(r"\?controls=markdown,code$"))
    assert rows(page) == fitted(votes, ("bold", "code"))
    switch(page, "markdown")
    switch(page, "code")
    expect(page).to_have_url(re.compile(r"\?controls=none$"))
    assert rows(page) == fitted(votes, ())
    switch(page, "length")
    assert rows(page) == fitted(votes, ("length",))
    # What was switched has the focus still, and an open sheet stays open.
    expect(page.locator("#control-length")).to_be_focused()
    if size:
        expect(page.locator("#controls-sheet")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?controls=none$"))
    # The address is back before the page is.
    page.wait_for_function("document.querySelector('#control-length')?.checked === false")
    assert rows(page) == fitted(votes, ())


def test_the_slider_moves_the_rows_before_the_server_does(page: Page, votes: Votes) -> None:
    page.goto("/leaderboard/")
    slider = page.get_by_role("slider", name="Strength of control")
    slider.focus()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#lambda")).to_have_value("0.00")
    expect(page.locator("#board-view.moving")).to_be_attached()
    assert [url for url in asked if "path.json" in url] == asked[:1]
    expect(page).to_have_url(re.compile(r"\?controls=none$"))
    settled(page)
    assert rows(page) == fitted(votes, ())
    expect(page.locator("#strength")).to_be_focused()

    page.locator("#lambda").fill("0.5")
    expect(page).to_have_url(re.compile(r"\?strength=0\.5$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("At strength 0.50")
    assert page.locator("tbody .band").count() == 0
    # What the page made of the path is what the server makes of it.
    by_server = rows(page)
    page.goto("/leaderboard/")
    page.locator("#lambda").fill("0.5")
    expect(page.locator("#board-view.moving")).to_be_attached()
    assert rows(page) == by_server


def test_a_toggle_repaints_at_once_and_rows_travel(page: Page, votes: Votes) -> None:
    page.goto("/leaderboard/")
    label = page.locator("label[for=control-length]")
    with page.expect_response(re.compile("controls=markdown,code")):
        label.hover()
    page.wait_for_timeout(300)
    page.evaluate(
        """() => {
            label = document.querySelector("label[for=control-length]");
            label.addEventListener("click", () => { window.clicked = performance.now(); });
            document.addEventListener("htmx:afterSettle", ({ target }) => {
                if (target.id !== "board-view") return;
                window.travelling ??= document.getAnimations().length;
            });
            document.addEventListener("htmx:afterSwap", () => {
                window.painted ??= performance.now();
            });
        }"""
    )
    label.click()
    page.wait_for_function("() => window.travelling !== undefined")

    # Generous: the machine of a test may be busy.
    assert page.evaluate("window.painted - window.clicked") < 400
    assert page.evaluate("window.travelling") > 0


def test_nothing_travels_where_motion_is_reduced(page: Page, votes: Votes) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto("/leaderboard/")
    page.evaluate(
        """() => document.addEventListener("htmx:afterSettle", ({ target }) => {
            if (target.id !== "board-view") return;
            window.travelling ??= document.getAnimations().length;
        })"""
    )
    page.locator("label[for=control-length]").click()
    page.wait_for_function("() => window.travelling !== undefined")

    assert page.evaluate("window.travelling") == 0


def test_search_and_sort_by_keyboard(page: Page, votes: Votes) -> None:
    page.goto("/leaderboard/")
    page.locator("#q").focus()
    page.keyboard.type("roo")
    expect(page.get_by_role("status").first).to_contain_text("1 of 6 shown")
    expect(page.locator("#q")).to_be_focused()
    page.get_by_role("link", name="Clear filters").click()
    expect(page.locator("tbody tr[data-contestant]")).to_have_count(6)

    page.locator("#sort-votes").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Votes")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Votes")).to_have_attribute(
        "aria-sort", "ascending"
    )


def test_a_row_says_why_it_moved(page: Page, votes: Votes) -> None:
    page.goto("/leaderboard/")
    link = page.locator("tr[data-contestant=finch] .why")
    link.focus()
    page.keyboard.press("Enter")

    account = page.locator("#account-finch")
    expect(account).to_contain_text("Its answers are")
    figures = account.locator(".terms b").all_inner_texts()
    *terms, total = [int(figure.replace("\u2212", "-")) for figure in figures]
    assert sum(terms) == total
    expect(page.locator("#why-finch")).to_be_focused()
    page.keyboard.press("Enter")
    expect(account).to_have_count(0)


def test_it_works_without_scripts(browser: Browser, site: str, votes: Votes) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/leaderboard/")
    page.locator("label[for=control-length]").click()
    page.locator("#controls").get_by_role("button", name="Show").click()
    assert rows(page) == fitted(votes, ("bold", "code"))
    page.locator("#lambda").fill("0.25")
    page.locator(".strength").get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("At strength 0.25")
    page.get_by_role("link", name="Raw", exact=True).click()
    assert rows(page) == fitted(votes, ())
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(page: Page, votes: Votes, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for width in (1360, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for query in ("", "?controls=none", "?strength=0.5", "?open=finch", "?q=nobody"):
            page.goto(f"/leaderboard/{query}")
            assert faults(page) == [], f"{query} at {width}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("Controls", "Filter"):
        page.goto("/leaderboard/")
        page.get_by_role("button", name=name).click()
        assert faults(page) == [], name


def test_a_cold_load_is_light(page: Page, votes: Votes) -> None:
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    loaded: list[float] = []
    client.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    page.goto("/leaderboard/", wait_until="networkidle")

    assert len(loaded) <= 20
    assert sum(loaded) < 350_000
