"""Whole chats over the socket: what is asked, what comes, and what is stored."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from django.conf import settings

from arena.battles import generation
from arena.battles.models import Battle, Vote
from arena.catalog.models import Circuit, Contestant
from arena.chats import services, writing
from arena.chats.models import Chat, ChatAnswer, ChatTurn, State
from arena.voters.models import Voter
from tests.chats.conftest import database, served, text_of
from tests.upstream import (
    FAULTS,
    WORDS,
    chunk,
    recovering,
    serving,
    stream,
    torn_after,
    well,
    whole,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "".join(WORDS)
LONG = [f"word{number} " for number in range(40)]


async def slow(request: web.Request) -> web.StreamResponse:
    return await stream(request, whole(*LONG), pause=0.05)


@database
def last_turn() -> ChatTurn:
    return ChatTurn.objects.select_related("chat", "revision").latest("pk")


@database
def answers() -> list[ChatAnswer]:
    return list(ChatAnswer.objects.order_by("turn__number", "attempt"))


async def test_it_works(visitors: Any) -> None:
    async with serving() as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start("  Why blue? ")
            messages = await alice.until_end()

    turn, (answer,) = await last_turn(), await answers()
    assert messages[0] == {
        "type": "chat.started",
        "chat": str(alice.chat),
        "turn": 1,
        "attempt": 1,
        "prompt": "Why blue?",
        "name": "Wren",
    }
    assert messages[-1] == {"type": "chat.complete"}
    assert text_of(messages) == answer.text == TEXT
    assert messages[-2]["seq"] == len(TEXT)
    assert turn.state == State.COMPLETE
    assert answer.first_token_seconds is not None
    assert answer.duration_seconds is not None
    assert not await Battle.objects.aexists()
    assert not await Vote.objects.aexists()


async def test_each_prompt_brings_the_conversation_so_far(visitors: Any) -> None:
    asked: list[Any] = []

    async def listening(request: web.Request) -> web.StreamResponse:
        asked.append((await request.json())["messages"])
        return await stream(request, whole(f"answer {len(asked)}"))

    async with serving(listening) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start("first")
            await alice.until_end()
            await alice.send("say", turn=2, prompt="second")
            messages = await alice.until_end()

    assert (messages[0]["turn"], text_of(messages)) == (2, "answer 2")
    assert asked[1] == [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "answer 1"},
        {"role": "user", "content": "second"},
    ]


async def test_a_new_socket_reads_on_where_the_last_one_stopped(visitors: Any) -> None:
    async with serving(slow) as endpoint:
        await served(endpoint)
        async with visitors() as before:
            await before.start()
            first = [await before.receive() for _ in range(3)]
            async with visitors(before.key) as after:
                after.chat = before.chat
                await after.send("attach", turn=1, attempt=1, after=first[-1]["seq"])
                rest = await after.until_end()

    assert text_of(first) + text_of(rest) == "".join(LONG)
    assert rest[-1] == {"type": "chat.complete"}


async def test_a_socket_that_closes_takes_no_answer_with_it(visitors: Any) -> None:
    async with serving(slow) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            await alice.receive()
        async with visitors(alice.key) as again:
            again.chat = alice.chat
            await again.send("attach")
            messages = await again.until_end()

    assert messages[0]["type"] == "chat.started"
    assert text_of(messages) == "".join(LONG)


async def test_what_another_process_writes_is_shown_when_it_is_finished(visitors: Any) -> None:
    async with serving(slow) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            await alice.until_end()
            turn = await last_turn()
            elsewhere = ChatTurn.objects.filter(pk=turn.pk)
            await elsewhere.aupdate(state=State.GENERATING, owner="another")
            await alice.send("attach", turn=1, attempt=1, after=10)
            told = await alice.receive()
            await elsewhere.aupdate(state=State.COMPLETE)
            messages = await alice.until_end()

    assert told == {"type": "chat.elsewhere"}
    assert [message.get("type") for message in messages] == [
        "chat.started",
        None,
        "chat.complete",
    ]
    assert text_of(messages) == "".join(LONG)


async def test_the_same_sent_again_is_one_chat_and_one_turn(visitors: Any) -> None:
    async with serving(slow) as endpoint:
        await served(endpoint)
        async with visitors() as alice, visitors(alice.key) as again:
            again.chat = alice.chat
            await asyncio.gather(alice.start(), again.start())
            both = await asyncio.gather(alice.until_end(), again.until_end())
            for visitor in (alice, again):
                await visitor.send("say", turn=2, prompt="And red?")
            both += await asyncio.gather(alice.until_end(), again.until_end())

    assert {messages[-1]["type"] for messages in both} == {"chat.complete"}
    assert {text_of(messages) for messages in both} == {"".join(LONG)}
    assert await ChatTurn.objects.acount() == 2
    assert await Chat.objects.acount() == 1


async def test_of_two_prompts_at_once_the_second_is_refused(visitors: Any) -> None:
    async with serving(slow) as endpoint:
        await served(endpoint)
        async with visitors() as alice, visitors(alice.key) as window:
            window.chat = alice.chat
            await alice.start("first")
            await alice.receive()
            await window.start("other")
            await window.send("say", turn=2, prompt="second")
            refusals = [await window.receive(), await window.receive()]
            await alice.until_end()

    assert "went on in another window" in refusals[0]["message"]
    assert "still being written" in refusals[1]["message"]
    assert await ChatTurn.objects.acount() == 1


async def test_stop_keeps_what_was_shown_and_the_chat_goes_on(visitors: Any) -> None:
    async with serving(recovering(slow, then=well)) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            first = [await alice.receive() for _ in range(4)]
            await alice.send("stop")
            first += await alice.until_end()
            await alice.send("stop")
            await alice.send("say", turn=2, prompt="Go on")
            rest = await alice.until_end()

    stopped, whole_one = await answers()
    assert first[-1] == {"type": "chat.stopped"}
    assert stopped.text == text_of(first) != ""
    assert len(stopped.text) < len("".join(LONG))
    assert rest[-1] == {"type": "chat.complete"}
    assert whole_one.text == TEXT


async def test_a_stop_in_another_process_is_heeded(visitors: Any) -> None:
    async with serving(slow) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            await alice.receive()
            await database(services.stop_ask)(turn=await last_turn())
            await database(writing.heed_wishes)()
            messages = await alice.until_end()

    assert messages[-1] == {"type": "chat.stopped"}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failure_is_told_without_its_details(
    fault: str, visitors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour, kind = FAULTS[fault]
    monkeypatch.setattr(settings, "ANSWER_MAX_CHARACTERS", 100_000)
    async with serving(behaviour) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            messages = await alice.until_end()

    (answer,) = await answers()
    told = [message for message in messages if message.get("type")]
    assert messages[-1] == {"type": "chat.failed", "can_retry": True}
    assert answer.error_kind == kind
    assert "canary" not in json.dumps(told).lower()


async def test_a_failed_answer_is_retried_up_to_a_limit(
    visitors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "BREAKER_FAILURES", 0)
    broken = torn_after(chunk("The "))
    async with serving(recovering(broken, broken, broken, then=well)) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            endings = [(await alice.until_end())[-1]]
            for _ in range(3):
                await alice.send("retry")
                endings.append((await alice.until_end())[-1])
            await alice.send("say", turn=2, prompt="Another one")
            last = await alice.until_end()

    assert [ending.get("can_retry") for ending in endings] == [True, True, False, None]
    assert "failed too often" in endings[-1]["message"]
    assert text_of(last) == TEXT
    assert [(a.attempt, a.text) for a in await answers()][:3] == [
        (1, "The "),
        (2, "The "),
        (3, "The "),
    ]


async def test_a_retry_shows_the_answer_from_its_start(visitors: Any) -> None:
    async with serving(recovering(torn_after(chunk("The ")), then=well)) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            await alice.until_end()
            await alice.send("retry")
            messages = await alice.until_end()

    assert (messages[0]["turn"], messages[0]["attempt"]) == (1, 2)
    assert text_of(messages) == TEXT


async def test_health_hears_of_failures_and_answers(visitors: Any) -> None:
    async with serving(recovering(FAULTS["500"][0], then=well)) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            await alice.until_end()
            failures = [circuit.failures async for circuit in Circuit.objects.all()]
            await alice.send("retry")
            await alice.until_end()

    assert failures == [1]
    assert [circuit.failures async for circuit in Circuit.objects.all()] == [0]


async def test_a_chat_has_an_end(visitors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CHAT_TURNS", 1)
    async with serving() as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            await alice.until_end()
            await alice.send("say", turn=2, prompt="More")
            refused = await alice.receive()

    assert refused == {
        "type": "chat.refused",
        "message": "A chat has at most 1 prompt, and this one has it. Start a new chat.",
    }


async def test_an_answer_erased_meanwhile_is_stored_nowhere(visitors: Any) -> None:
    async with serving(slow) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            await alice.receive()
            await database(services.chats_delete)(chats=Chat.objects.all())
            await database(writing.heed_wishes)()
            messages = await alice.until_end()

    assert messages[-1]["type"] == "chat.refused"
    assert "no such chat" in messages[-1]["message"]
    assert await answers() == []


async def test_another_persons_chat_does_not_exist(visitors: Any) -> None:
    async with serving() as endpoint:
        await served(endpoint)
        async with visitors() as alice, visitors() as bob:
            await alice.start()
            await alice.until_end()
            bob.chat = alice.chat
            said = []
            for kind in ("attach", "stop", "retry"):
                await bob.send(kind)
                said.append(await bob.receive())
            await bob.start()
            said.append(await bob.receive())
            await bob.send("say", turn=2, prompt="Mine now", consent=True)
            said.append(await bob.receive())

    assert {message["type"] for message in said} == {"chat.refused"}
    assert {message["message"][:21] for message in said} == {"There is no such chat"}
    assert await ChatTurn.objects.acount() == 1


async def test_nobody_is_asked_without_consent(visitors: Any) -> None:
    async with serving() as endpoint:
        wren = await served(endpoint)
        async with visitors() as alice:
            slug = (await Contestant.objects.aget(pk=wren.contestant_id)).slug
            await alice.send("start", contestant=slug, prompt="Why?")
            refused = await alice.receive()

    assert "agree" in refused["message"]
    assert not await Chat.objects.aexists()


async def test_without_the_cookie_there_is_no_chat(visitors: Any) -> None:
    async with serving() as endpoint:
        await served(endpoint)
        async with visitors(key="") as nobody:
            await nobody.start()
            refused = await nobody.receive()

    assert "one cookie" in refused["message"]
    assert not await Voter.objects.aexists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": "   "}, "nothing but spaces"),
        ({"prompt": "a" * 100_000}, "100,000 characters; 20,000 is the limit"),
        ({"prompt": "nul \x00"}, "not text"),
        ({"prompt": "half \ud800"}, "not text"),
        ({"prompt": 7}, "not text"),
        ({"contestant": "no-such"}, "cannot be asked"),
        ({"contestant": ["a"]}, "not text"),
        ({"chat": "x"}, "not the name of a chat"),
        ({"type": "chat.rig"}, "does not know this message"),
        ({"type": "chat.say", "turn": 1}, "no such chat"),
        ({"type": "chat.say", "turn": -1}, "not a number"),
        ({"type": "chat.say", "turn": 2**40}, "not a number"),
    ],
)
async def test_what_cannot_be_used_is_refused_in_words(
    fields: dict[str, Any], said: str, visitors: Any
) -> None:
    async with serving() as endpoint:
        wren = await served(endpoint)
        slug = (await Contestant.objects.aget(pk=wren.contestant_id)).slug
        message = {
            "type": "chat.start",
            "chat": str(uuid4()),
            "contestant": slug,
            "prompt": "Why?",
            "consent": True,
        }
        async with visitors() as alice:
            await alice.communicator.send_to(text_data=json.dumps(message | fields))
            answer = await alice.receive()

    assert answer["type"] == "chat.refused"
    assert said in answer["message"]
    assert not await Chat.objects.aexists()


@pytest.mark.parametrize("status", ["retired", "paused", "draft"])
async def test_who_is_not_served_cannot_be_asked(status: str, visitors: Any) -> None:
    async with serving() as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            await alice.until_end()
            await Contestant.objects.aupdate(status=status)
            await alice.send("say", turn=2, prompt="Still there?")
            first = await alice.receive()
            alice.chat = uuid4()
            await alice.start()
            second = await alice.receive()

    assert "cannot be asked at the moment" in first["message"]
    assert "cannot be asked at the moment" in second["message"]


async def test_one_person_has_so_many_answers_written_at_once(visitors: Any) -> None:
    async with serving(slow) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            for _ in range(settings.BATTLES_AT_ONCE):
                alice.chat = uuid4()
                await alice.start()
                await alice.receive()
            alice.chat = uuid4()
            await alice.start()
            while (message := await alice.receive()).get("type") != "chat.refused":
                continue

    assert "Wait until one is finished" in message["message"]


async def test_prompts_count_as_battles_do(visitors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "VOTER_RATE", (2, 3600))
    async with serving() as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            await alice.until_end()
            for turn in (2, 3):
                await alice.send("say", turn=turn, prompt="More")
                messages = await alice.until_end()

    assert messages[-1]["type"] == "chat.refused"
    assert messages[-1]["retry_after"] > 0
    assert await ChatTurn.objects.acount() == 2


async def test_work_is_asked_for_once_and_not_for_the_same_sent_again(
    visitors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ALTCHA", True)
    async with serving() as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            refused = await alice.receive()
            monkeypatch.setattr(settings, "ALTCHA", False)
            await alice.start()
            await alice.until_end()
            monkeypatch.setattr(settings, "ALTCHA", True)
            await alice.start()
            again = await alice.until_end()

    assert "some work" in refused["message"]
    assert (text_of(again), again[-1]["type"]) == (TEXT, "chat.complete")


async def test_a_prompt_that_moderation_flags_is_asked_of_nobody(
    visitors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def moderate(request: web.Request) -> web.Response:
        is_flagged = "bomb" in (await request.json())["input"]
        result = {"flagged": is_flagged, "categories": {"x": is_flagged}}
        return web.json_response({"results": [result]})

    async with serving() as endpoint, serving(moderate) as moderation:
        monkeypatch.setattr(settings, "MODERATION_URL", moderation)
        await served(endpoint)
        async with visitors() as alice:
            await alice.start("How is a bomb made?")
            refused = await alice.receive()
            await alice.start("How is bread made?")
            messages = await alice.until_end()

    assert "does not let this prompt pass" in refused["message"]
    assert messages[-1]["type"] == "chat.complete"


async def test_a_process_that_ends_takes_nothing_on(
    visitors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "_accepting", False)
    async with serving() as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            refused = await alice.receive()

    assert "being restarted" in refused["message"]


async def test_another_site_cannot_open_the_socket(visitors: Any) -> None:
    with pytest.raises(AssertionError):
        async with visitors(origin=b"http://elsewhere.example"):
            pass


async def test_halves_of_a_character_that_come_apart_are_shown_as_one(visitors: Any) -> None:
    def escaped(half: str) -> bytes:
        body = {"choices": [{"index": 0, "delta": {"content": half}, "finish_reason": None}]}
        return b"data: " + json.dumps(body).encode() + b"\n\n"

    async def torn(request: web.Request) -> web.StreamResponse:
        pieces = [escaped("a\ud83d"), escaped("\ude00b"), *whole()]
        return await stream(request, pieces, pause=0.12)

    async with serving(torn) as endpoint:
        await served(endpoint)
        async with visitors() as alice:
            await alice.start()
            messages = await alice.until_end()

    assert text_of(messages) == (await answers())[0].text == "a\U0001f600b"
