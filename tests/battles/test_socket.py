"""Whole battles over the socket: what reaches the browser, in success and in each fault."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.core import signing

from arena.battles.generation import drain
from arena.battles.models import Answer, Battle, State
from arena.catalog.models import Kind
from arena.config.asgi import application
from arena.providers import http
from arena.voters.models import new_key
from arena.voters.selectors import COOKIE_SALT
from tests import factories
from tests.browsers import ENDINGS, start
from tests.upstream import FAULTS, WORDS, Behaviour, chunk, serving, stream, well

pytestmark = pytest.mark.django_db(transaction=True)
database = sync_to_async(thread_sensitive=True)
CANARIES = ("canary", "wren", "kite", "linnet", "127.0.0.1", "tokens", "duration")


class Communicator(WebsocketCommunicator):
    """Channels' own keeps connections open, for tests that are one transaction."""

    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output


@pytest.fixture(autouse=True)
async def no_client_left(no_connection_left: None) -> AsyncIterator[None]:
    yield
    await http.close()


def cookie() -> bytes:
    return f"{settings.VOTER_COOKIE}={signing.dumps(new_key(), salt=COOKIE_SALT)}".encode()


@asynccontextmanager
async def socket(
    cookies: bytes | None = None, origin: bytes = b"http://localhost"
) -> AsyncIterator[WebsocketCommunicator]:
    headers = [(b"host", b"localhost"), (b"origin", origin)]
    if cookies is None:
        cookies = cookie()
    headers += [(b"cookie", cookies)] if cookies else []
    communicator = Communicator(application, "/ws/battle/", headers)
    connected, _ = await communicator.connect()
    assert connected
    try:
        yield communicator
    finally:
        await communicator.disconnect()
        # A battle left half-way would keep its connection to the test's database.
        await drain(10)


async def until_end(communicator: WebsocketCommunicator) -> list[dict[str, Any]]:
    """Every message up to the one that ends the battle."""
    messages: list[dict[str, Any]] = []
    while not messages or messages[-1].get("type") not in ENDINGS:
        messages.append(json.loads(await communicator.receive_from(timeout=8)))
    return messages


def text_of(messages: list[dict[str, Any]], side: str) -> str:
    return "".join(message.get(side, "") for message in messages)


@database
def two_on_record() -> None:
    factories.on_record(factories.prompt(), Wren="The sky *scatters* light.", Kite="Because.")


@database
def two_live(good: str, bad: str) -> None:
    factories.revision("Wren CANARY", Kind.OPENAI, endpoint=good, remote_model="linnet-3")
    factories.revision("Kite CANARY", Kind.OPENAI, endpoint=bad, remote_model="linnet-3")


@database
def last_battle() -> Battle:
    return Battle.objects.latest("created_at")


async def test_it_works() -> None:
    await two_on_record()
    async with socket() as browser:
        await browser.send_json_to(start())
        messages = await until_end(browser)

    battle = await last_battle()
    answers = {a.side: a async for a in Answer.objects.filter(turn__battle=battle)}
    assert messages[0] == {
        "type": "battle.started",
        "battle": str(battle.pk),
        "attempt": 1,
        "turn": 1,
        "prompt": "Why is the sky blue?",
        "images": [],
    }
    assert messages[-1] == {"type": "battle.complete"}
    assert [message["seq"] for message in messages[1:-1]] == list(range(1, len(messages) - 1))
    for side in "ab":
        assert text_of(messages, side) == answers[side].text
    assert battle.state == State.COMPLETE
    assert battle.draw_probability == 1.0
    assert {answer.tokens is not None for answer in answers.values()} == {True}


async def test_a_prompt_of_ones_own_reaches_both_servers() -> None:
    async with serving() as endpoint:
        await two_live(endpoint, endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="  Why blue? "))
            messages = await until_end(browser)

    assert messages[0]["prompt"] == "Why blue?"
    assert text_of(messages, "a") == text_of(messages, "b") == "".join(WORDS)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failing_side_ends_the_battle_and_names_nobody(
    fault: str, monkeypatch: Any
) -> None:
    behaviour: Behaviour = FAULTS[fault][0]
    monkeypatch.setattr(settings, "ANSWER_MAX_CHARACTERS", 100_000)
    async with serving(well) as good, serving(behaviour) as bad:
        await two_live(good, bad)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="Why blue?"))
            messages = await until_end(browser)

    battle = await last_battle()
    failed = [answer async for answer in Answer.objects.filter(turn__battle=battle)]
    assert messages[-1]["type"] == "battle.failed"
    assert messages[-1]["can_retry"]
    assert battle.state == State.FAILED
    # The other side goes on meanwhile, and is kept for a retry.
    assert {answer.error_kind for answer in failed} - {""} == {FAULTS[fault][1]}
    crossed = json.dumps(messages).lower()
    assert [canary for canary in CANARIES if canary in crossed] == []


async def test_a_new_socket_reads_on_where_the_last_one_stopped(monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "RECORDED_CHARACTERS_PER_SECOND", 40)
    await two_on_record()
    cookies = cookie()
    async with socket(cookies) as browser:
        await browser.send_json_to(start())
        first = [json.loads(await browser.receive_from(timeout=5)) for _ in range(3)]
    async with socket(cookies) as browser:
        await browser.send_json_to(
            {
                "type": "battle.attach",
                "battle": first[0]["battle"],
                "attempt": 1,
                "after": first[-1]["seq"],
            }
        )
        rest = await until_end(browser)

    answers = {a.side: a.text async for a in Answer.objects.all()}
    assert rest[-1]["type"] == "battle.complete"
    for side in "ab":
        assert text_of(first, side) + text_of(rest, side) == answers[side]


async def test_other_peoples_battles_cannot_be_followed() -> None:
    await two_on_record()
    async with socket() as browser, socket() as stranger:
        await browser.send_json_to(start())
        started = json.loads(await browser.receive_from(timeout=5))
        await stranger.send_json_to(
            {"type": "battle.attach", "battle": started["battle"], "after": 0}
        )
        answer = json.loads(await stranger.receive_from(timeout=5))
        await until_end(browser)

    assert answer["type"] == "battle.refused"


async def test_without_the_cookie_there_is_no_battle() -> None:
    await two_on_record()
    async with socket(cookies=b"") as browser:
        await browser.send_json_to(start())
        answer = json.loads(await browser.receive_from(timeout=5))

    assert answer["type"] == "battle.refused"
    assert "one cookie" in answer["message"]
    assert not await Battle.objects.aexists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("not json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"type": "battle.rig"}', "does not know this message"),
        ('{"type": "battle.attach", "battle": "x", "after": 0}', "name of a battle"),
        (json.dumps(start(prompt="   ")), "Write a prompt first"),
        (json.dumps(start(prompt="a" * 20_001)), "20,000 is the limit"),
        (json.dumps(start(prompt="nul \x00")), "not text"),
        (json.dumps(start(prompt="half \ud800")), "not text"),
        (json.dumps(start(recorded="no-such")), "no such recorded prompt"),
        (json.dumps(start(prompt="Why?")), "No two contestants"),
    ],
)
async def test_what_cannot_be_used_is_refused_in_words(sent: str, said: str) -> None:
    await two_on_record()
    async with socket() as browser:
        await browser.send_to(text_data=sent)
        answer = json.loads(await browser.receive_from(timeout=5))

    assert answer["type"] == "battle.refused"
    assert said in answer["message"]


@pytest.mark.parametrize("origin", [b"http://evil.example", b"http://localhost:81", b"null"])
async def test_pages_from_elsewhere_get_no_socket(origin: bytes) -> None:
    headers = [(b"host", b"localhost"), (b"origin", origin), (b"cookie", cookie())]
    communicator = Communicator(application, "/ws/battle/", headers)

    assert (await communicator.connect())[0] is False


@pytest.mark.parametrize(
    "piece",
    [
        b'data: {"choices": ' + b"[" * 100_000 + b"\n\n",
        b'data: {"choices": [{"delta": {"content": ' + b"1" * 5000 + b"}}]}\n\n",
        b"data: " + b"a" * 3_000_000 + b"\n\n",
    ],
    ids=["deep", "number", "without line ends"],
)
async def test_whatever_a_server_sends_the_battle_ends(piece: bytes, monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "ANSWER_MAX_CHARACTERS", 100_000)

    async def hostile(request: Any) -> Any:
        return await stream(request, [piece])

    async with serving(well) as good, serving(hostile) as bad:
        await two_live(good, bad)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="Why blue?"))
            messages = await until_end(browser)

    assert messages[-1]["type"] == "battle.failed"
    assert (await last_battle()).state == State.FAILED


@pytest.mark.parametrize("reason", ["\\ud800", "\\u0000", "x" * 500])
async def test_odd_endings_are_stored(reason: str) -> None:
    end = f'data: {{"choices": [{{"delta": {{}}, "finish_reason": "{reason}"}}], '.encode()
    end += b'"usage": {"prompt_tokens": 1000000000000000000000000000000}}\n\n'

    async def odd(request: Any) -> Any:
        return await stream(request, [chunk("Blue. "), end])

    async with serving(odd) as endpoint:
        await two_live(endpoint, endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="Why blue?"))
            messages = await until_end(browser)

    assert messages[-1]["type"] == "battle.complete"
    assert (await last_battle()).state == State.COMPLETE


async def test_a_fault_of_ours_ends_the_battle_too(monkeypatch: Any) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("CANARY")

    monkeypatch.setattr("arena.battles.services.style_metrics", broken)
    await two_on_record()
    async with socket() as browser:
        await browser.send_json_to(start())
        messages = await until_end(browser)

    assert messages[-1]["type"] == "battle.failed"
    assert "CANARY" not in json.dumps(messages)
    assert (await last_battle()).state == State.FAILED


async def test_one_person_cannot_start_a_crowd_of_battles(monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "BATTLES_AT_ONCE", 1)
    monkeypatch.setattr(settings, "RECORDED_CHARACTERS_PER_SECOND", 40)
    await two_on_record()
    async with socket() as browser:
        await browser.send_json_to(start())
        first = json.loads(await browser.receive_from(timeout=5))
        await browser.send_json_to(start())
        messages = await until_end(browser)

    assert first["type"] == "battle.started"
    assert "battle.refused" in {message["type"] for message in messages}
    assert await Battle.objects.acount() == 1
