"""The pages behind the board in a browser: each of them, its figures, and everything that moves."""

import csv
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import Browser, Locator, Page, expect

from arena.battles.models import Answer, Vote
from arena.battles.services import vote_cast
from arena.catalog.models import Contestant, Kind
from arena.core.jobs import job_run_next
from arena.integrity.imports import votes_import
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_get
from arena.leaderboard.services import publish
from arena.reports import contestants
from arena.voters.models import Voter
from tests import factories
from tests.leaderboard.stylish import stylish
from tests.reports.market import cast_made
from tests.site.test_accessibility import faults

pytestmark = pytest.mark.browser

DESKTOP, PHONE = (1360, "light"), (390, "dark")
# The first chart of a process takes the server a few seconds.
PATIENCE = 20_000
ANSWER = "The **sky** is blue.\n\n```python\nprint('blue'" + ", 'blue'" * 40 + ")\n```"
PAGES = (
    *("/models/", "/models/wren/", "/models/swift/?revision=1", "/pairs/", "/pairs/wren/kite/"),
    *("/families/", "/families/family-of-swift/", "/categories/", "/organisations/"),
    *("/organisations/cedar/", "/prices/", "/history/", "/history/?rows=revisions"),
    *("/methodology/", "/methodology/drawn/", "/methodology/formulas/", "/archive/"),
)


@pytest.fixture
def board(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """The second publication of the market's six, with categories, and battles to be read."""
    monkeypatch.setattr(settings, "PUBLISH_TEXT", True)
    monkeypatch.setattr(settings, "ARCHIVE_VOTES", True)
    # Other tests publish the same votes under the same name.
    cache.clear()
    cast_made(Kind.OPENAI)
    published(about_something(stylish(tmp_path, 700, "first.csv")))
    voted_here()
    return published(about_something(stylish(tmp_path, 300, "second.csv")))


def published(path: Path) -> Snapshot:
    votes_import(path=path)
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def about_something(path: Path) -> Path:
    """The same votes: every third about code, half in French, few enough to be pooled in Thai."""
    rows = list(csv.DictReader(StringIO(path.read_text())))
    for number, row in enumerate(rows):
        row["is_code"] = str(number % 3 == 0).lower()
        row["language"] = "Thai" if number % 12 == 0 else "French" if number % 2 else "English"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def voted_here() -> None:
    """Battles of this arena, whose texts are published, and whose answers were timed."""
    voter = Voter.objects.create()
    for number in range(4):
        battle = factories.battle(factories.known("wren"), factories.known("kite"), voter)
        answers = Answer.objects.filter(turn__battle=battle)
        answers.update(text=ANSWER)
        for side, seconds in (("a", 0.5), ("b", 0.2)):
            answers.filter(side=side).update(first_token_seconds=seconds)
        vote_cast(
            battle_id=battle.pk,
            attempt=battle.attempt,
            voter=voter,
            outcome="model_a",
            key=f"key-of-{number}",
        )


@pytest.fixture
def few_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contestants, "OPPONENTS_AT_FIRST", 2)


def scrolled_through(page: Page) -> None:
    """Every figure has come into view and speaks; what comes later has come."""
    for room in page.locator(".figure-room").all():
        room.scroll_into_view_if_needed()
        expect(room.locator(".figure-live svg")).to_be_visible(timeout=PATIENCE)
    for later in page.locator("[hx-trigger=revealed]").all():
        later.scroll_into_view_if_needed()
        expect(later.locator("table").first).to_be_visible(timeout=PATIENCE)


def widest(page: Page) -> tuple[int, int]:
    """Widths of the page and of the window."""
    found: list[int] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return found[0], found[1]


def cells(table: Locator, column: int) -> list[str]:
    """First words of a column's cells."""
    found = table.locator(f"tbody tr > :nth-child({column})").all_inner_texts()
    return [text.split()[0] if text.split() else "" for text in found]


# -- Every page ------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "scheme"), [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_has_a_fault(page: Page, board: Snapshot, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found: list[str] = []
    battle = f"/pairs/wren/kite/?battle={Vote.objects.latest('pk').pk}"
    for address in (*PAGES, battle):
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, address
        scrolled_through(page)
        wide, window = widest(page)
        found += [f"{address} is {wide} wide"] * (wide != window)
        found += [f"{address} has {n} h1" for n in [page.locator("h1").count()] if n != 1]
        found += [f"{address}: {fault}" for fault in faults(page)]

    expect(page.locator("#battle pre").first).to_have_attribute("tabindex", "0")
    assert found == []


# -- Figures ---------------------------------------------------------------------------------


def test_a_figure_speaks_once_it_is_in_view(page: Page, board: Snapshot) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 1360, "height": 200})
    page.goto("/methodology/", wait_until="networkidle")
    figure = page.locator("figure.figure").last
    chart = f"/methodology/{figure.get_attribute('id')}.vega"
    assert not any("vega" in address for address in asked)

    figure.scroll_into_view_if_needed()
    live = figure.locator(".figure-live svg")
    expect(live).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Theme: light").click()
    figure.scroll_into_view_if_needed()
    expect(live).to_have_css("background-color", "rgb(20, 22, 26)", timeout=PATIENCE)
    assert [chart in address for address in asked].count(True) == 2


def test_everything_that_is_offered_can_be_taken(page: Page, board: Snapshot) -> None:
    page.goto("/models/wren/")
    offered = page.locator("a[download]").evaluate_all("links => links.map((a) => a.href)")
    assert {address.split("?")[0].rpartition(".")[2] for address in offered} == {
        *("svg", "png", "csv", "json")
    }
    for address in offered:
        answer = page.request.get(address)
        assert answer.ok, address
        assert answer.body(), address
        assert "attachment" in answer.headers["content-disposition"], address


def test_pages_are_whole_without_scripts(browser: Browser, site: str, board: Snapshot) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/models/wren/")
    picture = page.locator("#why img")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#why img').naturalWidth > 0", timeout=PATIENCE)

    page.goto("/prices/")
    page.locator("#mix").fill("100")
    page.get_by_label("Raw").check()
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("mix=100&board=raw"))
    assert on_the_line(page) == at_the_address(page)

    page.goto("/pairs/wren/rook/")
    page.get_by_role("button", name="Work out what would turn it").click()
    expect(page.locator("#pair")).to_contain_text("Waiting for its turn")
    context.close()


# -- What moves ------------------------------------------------------------------------------


def on_the_line(page: Page) -> list[tuple[str, float, int]]:
    """Who is on the frontier of prices, at what price and rating, as the table says."""
    table = page.locator("#price-on + .scroll table")
    prices = [float(price.removeprefix("$")) for price in cells(table, 3)]
    ratings = [int(rating) for rating in cells(table, 4)]
    return list(zip(cells(table, 2), prices, ratings, strict=True))


def at_the_address(page: Page) -> Any:
    """The same by the file of the page's address."""
    query = page.url.partition("?")[2]
    rows = page.request.get(f"/prices/price.json?{query}").json()["rows"]
    # The page shows two figures of a price.
    return [
        (row["contestant"], pytest.approx(row["price"], rel=0.05), round(row["rating"]))
        for row in rows
        if row["frontier"]
    ]


def test_the_mix_and_the_board_move_the_frontier(page: Page, board: Snapshot) -> None:
    # Its output is dear: of more than some of it kite costs less.
    Contestant.objects.filter(slug="lark").update(price_in="0.5", price_out="6")
    page.goto("/prices/")
    usual = on_the_line(page)
    assert usual == at_the_address(page)
    assert names_of(usual) == ["rook", "lark", "kite", "wren"]
    assert page.locator("#price .frontier").count() == 2 * 4 - 1

    page.locator("#mix").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"\?mix=50$"))
    expect(page.locator("#price-title")).to_contain_text("50% output")
    expect(page.locator("#mix")).to_be_focused()
    dearer = on_the_line(page)
    assert dearer == at_the_address(page)
    assert names_of(dearer) == ["rook", "kite", "wren"]
    assert page.locator("#price .frontier").count() == 2 * 3 - 1
    expect(page.get_by_role("heading", level=1)).to_contain_text("3 of 4 priced contestants")

    page.get_by_label("Raw").check()
    expect(page.locator("#prices-view.on-raw")).to_be_attached()
    expect(page).to_have_url(re.compile("board=raw"))
    raw = on_the_line(page)
    assert raw == at_the_address(page)
    assert raw != dearer
    page.reload()
    assert on_the_line(page) == raw


def names_of(line: list[tuple[str, float, int]]) -> list[str]:
    return [name for name, _, _ in line]


def test_what_a_cell_and_a_line_say_is_chosen(
    page: Page, board: Snapshot, few_at_first: None
) -> None:
    page.goto("/categories/")
    ways = page.get_by_role("navigation", name="What a cell says")
    ways.get_by_role("link", name="rank").click()
    expect(ways.get_by_role("link", name="rank")).to_have_attribute("aria-current", "true")
    part = part_get(board, "categories")
    assert part is not None
    table, code = page.locator("table.heatmap"), part["categories"].index("code")
    assert part["pooled"].count(True) == 1
    expect(table.get_by_role("columnheader", name="Thai pooled")).to_be_visible()
    ranks = dict(zip(part["contestants"], part["ranks"][code], strict=True))
    assert cells(table, 3 + code) == [str(ranks[name]) for name in cells(table, 1)]

    page.goto("/history/")
    page.get_by_role("navigation", name="Board").get_by_role("link", name="Raw").click()
    raw = {row["contestant"]: row["rank"] for row in standings(board, "raw")}
    places = page.locator("table").last
    named = dict(zip(cells(places, 1), cells(places, 3), strict=True))
    assert {name: int(rank) for name, rank in named.items()}.items() <= raw.items()
    page.get_by_text("Choose contestants").click()
    for name in ("lark", "rook"):
        page.get_by_label(name, exact=True).check()
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("board=raw&contestant=lark&contestant=rook$"))
    assert sorted(cells(page.locator("table").last, 1)) == ["lark", "rook"]

    page.goto("/models/wren/")
    meetings = page.locator("table.meetings tbody tr")
    expect(meetings).to_have_count(2)
    page.get_by_role("link", name="Show all 5 opponents").click()
    expect(meetings).to_have_count(5)


def standings(snapshot: Snapshot, name: str = "controlled") -> Any:
    return snapshot.content["boards"][name]["standings"]


def test_what_would_turn_a_pair_is_worked_out(page: Page, board: Snapshot) -> None:
    page.goto("/pairs/wren/rook/")
    page.get_by_role("button", name="Work out what would turn it").click()
    expect(page.locator("#pair")).to_contain_text("Waiting for its turn")
    page.goto("/pairs/wren/rook/")
    expect(page.locator("#turned")).to_contain_text("Waiting for its turn")
    assert faults(page) == []
    done = job_run_next()

    assert done is not None
    assert done.error == ""
    # The answer is where such answers are, and here.
    expect(page.locator("#pair")).to_contain_text("swaps #", timeout=PATIENCE)
    page.goto("/pairs/wren/rook/")
    expect(page.locator("#turned")).to_contain_text("swaps #")
    expect(page.get_by_role("button", name="Work out what would turn it")).to_have_count(0)


# -- Ways, and numbers -----------------------------------------------------------------------


def test_from_the_board_to_a_pair_and_back(page: Page, board: Snapshot) -> None:
    behind = page.get_by_role("navigation", name="Behind the board")
    here = behind.locator("[aria-current=page]")
    page.goto("/leaderboard/")
    expect(here).to_have_count(0)
    page.locator("tr[data-contestant=wren]").get_by_role("link", name="wren", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("wren")
    expect(here).to_have_text("Contestants")
    page.locator("table.meetings").get_by_role("link", name="lark").click()
    expect(page).to_have_url(re.compile("/pairs/wren/lark/$"))
    expect(here).to_have_text("Pairs")
    for name in ("Families", "Categories", "Organisations", "Price and speed", "Over time"):
        behind.get_by_role("link", name=name).click()
        expect(here).to_have_text(name)
    main = page.get_by_role("navigation", name="Pages", exact=True)
    main.get_by_role("link", name="Methodology").click()
    expect(main.locator("[aria-current=page]")).to_have_text("Methodology")
    page.get_by_role("main").get_by_role("link", name="The board", exact=True).click()
    expect(page).to_have_url(re.compile("/leaderboard/$"))


def test_a_contestants_numbers_are_those_published(page: Page, board: Snapshot) -> None:
    own = next(row for row in standings(board) if row["contestant"] == "wren")
    part = part_get(board, "categories")
    assert part is not None
    wren = part["contestants"].index("wren")
    page.goto("/models/wren/")

    told = page.locator("dl.numbers")
    expect(told.locator(".is-controlled")).to_have_text(str(round(own["rating"])))
    places = f"{own['rank_lower']}–{own['rank_upper']}"
    expect(told.locator(".place")).to_have_text(re.compile(rf"^{own['rank']}\s+{places}$"))
    rows = page.locator("table.divisions tbody tr:not(.overall)")
    shown = {
        tuple(rows.nth(i).locator("td.number").nth(k).inner_text().split()[0] for k in range(3))
        for i in range(rows.count())
    }
    published = {
        (str(round(ratings[wren])), str(ranks[wren]), str(votes[wren]))
        for ratings, ranks, votes in zip(part["ratings"], part["ranks"], part["votes"], strict=True)
    }
    assert shown == published
