"""What goes wrong between browser, arena and endpoints, as a visitor sees it."""

import asyncio
import json
import signal
import threading

import pytest
from aiohttp import web
from playwright.sync_api import Browser, Page, expect

from arena.battles.models import Battle, State, Vote
from arena.catalog.models import Kind
from tests import factories
from tests.processes import arenas
from tests.recorder import recording
from tests.site.visits import (
    BATTLE,
    WORDS,
    agree,
    ask,
    button,
    sides,
    slow,
    two_served,
    wait_for_vote,
    wait_for_word,
)
from tests.threads import in_thread
from tests.upstream import serving, stream, whole

pytestmark = pytest.mark.browser

HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


def test_a_failed_side_is_retried_and_the_other_is_not_asked_again(page: Page) -> None:
    calls = {"Wren": 0, "Kite": 0}

    async def once(request: web.Request) -> web.StreamResponse:
        model = json.loads(await request.read())["model"]
        calls[model] += 1
        if model == "Kite" and calls[model] == 1:
            await asyncio.sleep(1)
            return web.json_response({"error": "CANARY"}, status=400)
        return await stream(request, whole("The ", "sky ", "is ", "blue."), pause=0.02)

    with two_served(once):
        ask(page)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("One side stopped answering.")
        expect(button(page, "Tie")).to_be_hidden()
        shown = expect(page.locator("#turns"))
        shown.to_contain_text("No answer")
        shown.to_contain_text("The sky")

        button(page, "Retry").click()
        wait_for_vote(page)

        assert sides(page) == ["The sky is blue.", "The sky is blue."]
        expect(alert).to_be_empty()
        button(page, "A is better").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("You preferred")
    assert calls == {"Wren": 1, "Kite": 2}
    assert Battle.objects.get().attempt == 2


def test_a_failed_battle_can_be_retried_after_a_reload(page: Page) -> None:
    failing = threading.Event()
    failing.set()

    async def later(request: web.Request) -> web.StreamResponse:
        if failing.is_set():
            return web.json_response({"error": "CANARY"}, status=400)
        return await stream(request, whole("The ", "sky."))

    with two_served(later):
        ask(page)
        expect(page.get_by_role("alert")).to_contain_text("One side stopped answering.")
        page.reload()
        failing.clear()
        button(page, "Retry").click()
        wait_for_vote(page)

    assert sides(page) == ["The sky.", "The sky."]


def test_a_battle_is_stopped(page: Page) -> None:
    with two_served(slow):
        ask(page)
        wait_for_word(page, "word3")
        button(page, "Stop").click()
        expect(page.get_by_role("alert")).to_contain_text("You stopped this battle")
        shown = sides(page)
        page.reload()

        expect(page.get_by_role("alert")).to_contain_text("You stopped this battle")
        assert [text.split() for text in sides(page)] == [text.split() for text in shown]
        expect(button(page, "Tie")).to_be_hidden()
    assert Battle.objects.get().state == State.STOPPED


def test_a_lost_socket_comes_back_and_misses_nothing(browser: Browser, site: str) -> None:
    with in_thread(recording(site)) as recorder, two_served(slow):
        context = browser.new_context(base_url=recorder.address)
        page = context.new_page()
        ask(page)
        wait_for_word(page, "word2")
        recorder.cut()
        wait_for_word(page, "word20")
        recorder.cut()
        wait_for_vote(page)

        assert [text.split() for text in sides(page)] == [[*"".join(WORDS).split(), "end."]] * 2
        context.close()


def test_the_server_is_killed_and_started_again(browser: Browser, transactional_db: None) -> None:
    with two_served(slow), arenas(1, PACING="native") as (arena,):
        context = browser.new_context(base_url=arena.address)
        page = context.new_page()
        ask(page)
        wait_for_word(page, "word2")
        arena.kill()
        expect(page.get_by_role("alert")).to_contain_text("Connection lost")
        arena.start()

        expect(page.get_by_role("alert")).to_contain_text(
            "The server stopped while this battle was being written.", timeout=20_000
        )
        button(page, "Retry").click()
        wait_for_vote(page)
        button(page, "Tie").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("You called it a tie")
        context.close()
    assert Vote.objects.count() == 1


def test_a_server_that_is_told_to_end_lets_the_battle_end(
    browser: Browser, transactional_db: None
) -> None:
    with two_served(slow), arenas(1, PACING="native") as (arena,):
        context = browser.new_context(base_url=arena.address)
        page, late = context.new_page(), context.new_page()
        ask(page)
        wait_for_word(page, "word2")
        late.goto("/")
        assert arena.process is not None
        arena.process.send_signal(signal.SIGTERM)
        late.get_by_label("Your prompt").fill("Why?")
        late.keyboard.press("Enter")
        expect(late.get_by_role("alert")).to_contain_text("being restarted")
        expect(late.get_by_label("Your prompt")).to_have_value("Why?")

        wait_for_vote(page)
        assert [text.split() for text in sides(page)] == [[*"".join(WORDS).split(), "end."]] * 2
        assert arena.process.wait(10) in {0, -signal.SIGTERM}
        context.close()
    assert Battle.objects.get().state == State.COMPLETE


def test_scripts_in_prompt_answer_and_names_stay_text(page: Page) -> None:
    async def hostile(request: web.Request) -> web.StreamResponse:
        pieces = [HOSTILE[:9], HOSTILE[9:], "\n\n[x](javascript:alert(1)) ![i](http://evil/i.png)"]
        return await stream(request, whole(*pieces))

    with in_thread(serving(hostile)) as endpoint:
        for name in ("Wren", "Kite"):
            factories.revision(
                f"{name} {HOSTILE}", Kind.OPENAI, endpoint=endpoint, remote_model=HOSTILE
            )
        ask(page, f"Is {HOSTILE} safe?")
        wait_for_vote(page)
        page.reload()
        wait_for_vote(page)
        button(page, "A is better").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
        page.reload()

        assert page.evaluate("window.hacked") is None
        assert page.locator("main img, main script, main a[href^=javascript]").count() == 0


def test_double_clicks_make_one_battle_and_one_vote(page: Page) -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    page.goto("/")
    button(page, "Surprise me").dblclick()
    agree(page)
    wait_for_vote(page)
    button(page, "A is better").dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text("You preferred")

    assert Battle.objects.count() == 1
    assert [vote.outcome for vote in Vote.objects.all()] == ["model_a"]


def test_two_tabs_on_one_battle_cast_one_vote(page: Page) -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    page.goto("/")
    button(page, "Surprise me").click()
    agree(page)
    page.wait_for_url(BATTLE)
    wait_for_vote(page)
    second = page.context.new_page()
    second.goto(page.url)
    wait_for_vote(second)

    button(page, "A is better").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("You preferred")
    button(second, "B is better").click()
    expect(second.get_by_role("alert")).to_contain_text("This battle has its vote.")
    second.reload()

    expect(second.get_by_role("heading", level=1)).to_contain_text("You preferred")
    assert [vote.outcome for vote in Vote.objects.all()] == ["model_a"]


def test_the_back_button_loses_nothing(page: Page) -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    page.goto("/")
    button(page, "Surprise me").click()
    agree(page)
    page.wait_for_url(BATTLE)
    wait_for_vote(page)
    page.go_back()
    expect(button(page, "Surprise me")).to_be_visible()
    page.go_forward()
    wait_for_vote(page)
    button(page, "Tie").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("You called it a tie")
    page.goto("/leaderboard/")
    page.go_back()

    expect(page.get_by_role("heading", level=1)).to_contain_text("You called it a tie")
    assert Vote.objects.count() == 1


def test_without_cookies_the_page_says_what_voting_needs(page: Page) -> None:
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    page.goto("/")
    page.context.clear_cookies()
    button(page, "Surprise me").click()
    agree(page)

    expect(page.get_by_role("alert")).to_contain_text("Voting needs one cookie")
    expect(button(page, "Surprise me")).to_be_enabled()
    assert not Battle.objects.exists()


@pytest.mark.parametrize("year", [2001, 2093])
def test_a_browser_whose_clock_is_wrong_votes_like_any_other(page: Page, year: int) -> None:
    page.clock.install(time=f"{year}-06-01T12:00:00Z")
    factories.on_record(factories.prompt(), Wren="One answer.", Kite="Another answer.")
    page.goto("/")
    button(page, "Surprise me").click()
    agree(page)
    wait_for_vote(page)
    button(page, "Tie").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("You called it a tie")
