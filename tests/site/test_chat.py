"""A direct chat in the browser: asking, watching, stopping, retrying, deleting."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from aiohttp import web
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from arena.catalog.models import Kind
from arena.chats.models import Chat, ChatAnswer, ChatTurn, State
from tests import factories
from tests.processes import Arena, arenas
from tests.threads import in_thread
from tests.upstream import chunk, recovering, serving, stream, torn_after, whole

pytestmark = pytest.mark.browser

CHAT = re.compile(r"/chat/[0-9a-f-]{36}/")
WORDS = [f"word{number} " for number in range(40)]
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


PATIENT = {"PROVIDER_READ_SECONDS": 10, "PROVIDER_TOTAL_SECONDS": 60}


@pytest.fixture(autouse=True)
def patient(settings: object) -> None:
    """A browser on a busy machine may hold the endpoint up for longer than tests of it wait."""
    for name, seconds in PATIENT.items():
        setattr(settings, name, seconds)


def patient_arenas() -> AbstractContextManager[list[Arena]]:
    return arenas(**{name: str(seconds) for name, seconds in PATIENT.items()})


async def slow(request: web.Request) -> web.StreamResponse:
    return await stream(request, whole(*WORDS, "end."), pause=0.05)


async def quick(request: web.Request) -> web.StreamResponse:
    return await stream(request, whole("The ", "sky ", "is ", "**blue**."), pause=0.01)


@contextmanager
def served(behaviour: Callable[..., object] = quick, *names: str) -> Iterator[None]:
    with in_thread(serving(behaviour)) as endpoint:  # type: ignore[arg-type]
        for name in names or ("Wren", "Kite"):
            factories.revision(
                name, Kind.OPENAI, endpoint=endpoint, remote_model=name, stage="preview"
            )
        yield


def agree(page: Page) -> None:
    page.get_by_role("button", name="Agree and go on").click()


def begin(page: Page, prompt: str = "Why is the sky blue?", name: str = "Wren") -> None:
    page.goto("/chat/")
    page.get_by_role("radio", name=name).check()
    page.get_by_label("Your prompt").fill(prompt)
    page.keyboard.press("Enter")
    agree(page)
    page.wait_for_url(CHAT)


def say(page: Page, prompt: str) -> None:
    page.get_by_label("Your next prompt").fill(prompt)
    page.keyboard.press("Enter")


def button(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("button", name=name)


def wait_for(page: Page, state: str) -> None:
    expect(page.locator("#chat")).to_have_attribute("data-state", state, timeout=15_000)


def answers(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".answer").all_inner_texts()]


def faults(page: Page) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]


def test_ask_one_by_name_and_go_on(page: Page) -> None:
    with served():
        begin(page)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Wren")
        expect(page.get_by_text("Preview")).to_be_visible()
        wait_for(page, "complete")
        say(page, "And red?")
        expect(page.locator(".turn")).to_have_count(2)
        wait_for(page, "complete")

        assert answers(page) == ["The sky is blue.", "The sky is blue."]
        assert page.locator(".answer strong").all_inner_texts() == ["blue", "blue"]
        expect(page.get_by_label("Your next prompt")).to_have_value("")
        page.reload()
        assert answers(page) == ["The sky is blue.", "The sky is blue."]

        page.get_by_role("link", name="New chat").click()
        expect(page.get_by_role("radio", name="Wren")).to_be_checked()
        expect(page.get_by_role("link", name="Why is the sky blue?", exact=True)).to_be_visible()
    assert ChatTurn.objects.filter(state=State.COMPLETE).count() == 2


def test_a_reload_in_the_middle_loses_nothing(page: Page) -> None:
    with served(slow):
        begin(page)
        expect(page.locator(".answer")).to_contain_text("word3")
        page.reload()
        wait_for(page, "complete")

        assert answers(page) == ["".join([*WORDS, "end."])]


def test_stop_and_write_on(page: Page) -> None:
    with served(recovering(slow, then=quick)):
        begin(page)
        expect(page.locator(".answer")).to_contain_text("word3")
        expect(button(page, "Send")).to_be_hidden()
        button(page, "Stop").click()
        wait_for(page, "stopped")
        shown = answers(page)
        page.reload()
        assert answers(page) == shown
        assert "end." not in shown[0]

        say(page, "Go on")
        expect(page.locator(".turn")).to_have_count(2)
        wait_for(page, "complete")


def test_a_failed_answer_is_retried(page: Page) -> None:
    with served(recovering(torn_after(chunk("The ")), then=quick)):
        begin(page)
        expect(page.get_by_text("The answer did not come whole.").last).to_be_visible()
        page.reload()
        button(page, "Retry").click()
        wait_for(page, "complete")

        assert answers(page) == ["The sky is blue."]
        expect(button(page, "Retry")).to_have_count(0)


def test_what_is_refused_stays_in_its_field(page: Page) -> None:
    with served():
        begin(page)
        wait_for(page, "complete")
        factories.known("Wren").contestant.__class__.objects.update(status="retired")
        say(page, "One more thing")

        expect(page.get_by_role("alert")).to_contain_text("cannot be asked at the moment")
        expect(page.get_by_label("Your next prompt")).to_have_value("One more thing")


def test_whoever_does_not_agree_has_sent_nothing(page: Page) -> None:
    with served():
        page.goto("/chat/")
        page.get_by_role("radio", name="Wren").check()
        page.get_by_label("Your prompt").fill("A secret")
        page.keyboard.press("Enter")
        button(page, "Not now").click()

        expect(button(page, "Send")).to_be_enabled()
        expect(page.get_by_label("Your prompt")).to_have_value("A secret")
    assert not Chat.objects.exists()


def test_nobody_is_asked_whom_the_visitor_did_not_choose(page: Page) -> None:
    with served():
        page.goto("/chat/")
        page.get_by_label("Your prompt").fill("Why?")
        page.keyboard.press("Enter")

        whom = page.get_by_role("radiogroup", name="Whom do you ask?")
        expect(whom).to_contain_text("Choose whom you ask.")
        expect(whom.get_by_role("radio").first).to_be_focused()
        expect(page.get_by_role("dialog")).to_be_hidden()
    assert not Chat.objects.exists()


def test_many_names_are_searched(page: Page) -> None:
    with served(quick, *(f"Wren {n}" for n in range(1, 10)), "Kite"):
        page.goto("/chat/")
        search = page.get_by_role("searchbox")
        search.fill("kit")
        expect(page.get_by_role("radio")).to_have_count(1)
        expect(page.get_by_text("1 found")).to_be_visible()
        page.get_by_role("radio", name="Kite").check()
        search.fill("nobody")
        expect(page.get_by_text("Nobody is called so.")).to_be_visible()
        expect(page.get_by_role("radio", name="Kite")).to_be_checked()


def test_an_answer_cannot_run_anything(page: Page) -> None:
    async def hostile(request: web.Request) -> web.StreamResponse:
        return await stream(request, whole("Look: ", HOSTILE))

    with served(hostile):
        begin(page, prompt=HOSTILE)
        wait_for(page, "complete")
        page.reload()

        assert page.evaluate("window.hacked") is None
        assert "<script>" in answers(page)[0]
        expect(page.locator(".prompt")).to_have_text(HOSTILE)


def test_copy_gives_the_answer_as_it_was_written(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with served():
        begin(page)
        wait_for(page, "complete")
        for _ in range(2):
            page.locator("[data-copy]").click()
            expect(page.locator("[data-copy]")).to_have_text("Copied")
            copied = page.evaluate("navigator.clipboard.readText()")
            assert copied == "The sky is **blue**."
            page.reload()


def test_a_chat_is_deleted(page: Page) -> None:
    with served():
        begin(page)
        wait_for(page, "complete")
        page.get_by_role("link", name="Delete").click()
        button(page, "Delete").click()
        page.wait_for_url("**/chat/")

        expect(page.get_by_text("Your chats")).to_have_count(0)
    assert not Chat.objects.exists()
    assert not ChatAnswer.objects.exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto("/chat/")
    assert faults(page) == [], "nobody"
    with served(recovering(quick, torn_after(chunk("The ")), then=slow)):
        begin(page)
        wait_for(page, "complete")
        say(page, "And red?")
        wait_for(page, "failed")
        assert faults(page) == [], "failed"
        say(page, "And green?")
        expect(page.locator(".answer").last).to_contain_text("word3")
        assert faults(page) == [], "writing"
        page.goto("/chat/")
        assert faults(page) == [], "new"
        page.get_by_role("link", name=re.compile("Delete")).click()
        assert faults(page) == [], "delete"


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    with served():
        page.goto("/chat/")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "contestant":
                break
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.type("Why is the sky blue?")
        page.keyboard.press("Enter")
        expect(button(page, "Agree and go on")).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url(CHAT)
        wait_for(page, "complete")

        expect(page.get_by_role("heading", level=1)).to_contain_text("Wren")


def test_on_the_phone_nothing_stands_out_of_the_page(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    with served():
        page.goto("/chat/")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        begin(page, prompt="word" * 100)
        wait_for(page, "complete")

        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        expect(page.get_by_label("Your next prompt")).to_be_in_viewport()


@pytest.mark.django_db(transaction=True)
def test_after_a_killed_process_the_answer_can_be_retried(browser: Browser) -> None:
    with served(recovering(slow, then=quick)), patient_arenas() as (arena,):
        context = browser.new_context(base_url=arena.address)
        page = context.new_page()
        begin(page)
        expect(page.locator(".answer")).to_contain_text("word3")
        arena.kill()
        expect(page.get_by_role("alert")).to_contain_text("Connection lost.", timeout=10_000)
        arena.start()
        expect(page.get_by_text("The server stopped while").last).to_be_visible(timeout=30_000)
        button(page, "Retry").click()
        wait_for(page, "complete")

        assert answers(page) == ["The sky is blue."]
        context.close()


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_told_to_end_lets_an_answer_end(browser: Browser) -> None:
    with served(slow), patient_arenas() as (arena,):
        context = browser.new_context(base_url=arena.address)
        page = context.new_page()
        begin(page)
        expect(page.locator(".answer")).to_contain_text("word3")
        arena.end(signal.SIGTERM)

        wait_for(page, "complete")
        assert ChatAnswer.objects.get().text == "".join([*WORDS, "end."])
        context.close()
