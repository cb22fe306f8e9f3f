"""Conversations of several turns, battles by name, consent, and starts that are sent twice."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from asgiref.sync import sync_to_async
from django.conf import settings

from arena.battles.models import Battle, Mode, State, Turn, Vote
from arena.battles.services import vote_cast
from arena.catalog.models import Kind, Status
from arena.integrity.selectors import votes_all
from arena.providers import http
from arena.voters.models import Voter
from tests import factories
from tests.battles.test_socket import cookie, last_battle, socket, text_of, two_on_record, until_end
from tests.browsers import start
from tests.upstream import serving, stream, well, whole

pytestmark = pytest.mark.django_db(transaction=True)
database = sync_to_async(thread_sensitive=True)


@pytest.fixture(autouse=True)
async def no_client_left(no_connection_left: None) -> AsyncIterator[None]:
    yield
    await http.close()


@database
def two_named(endpoint: str) -> list[str]:
    """Slugs of two contestants, each served under its name as the remote model."""
    names = ("Wren", "Kite")
    return [
        factories.revision(name, Kind.OPENAI, endpoint=endpoint, remote_model=name).contestant.slug
        for name in names
    ]


def others_on_record() -> None:
    factories.on_record(factories.prompt(), Linnet="One.", Ostrel="Two.")


def go_on(started: dict[str, Any], turn: int, prompt: str) -> dict[str, Any]:
    return {
        "type": "battle.continue",
        "battle": started["battle"],
        "turn": turn,
        "prompt": prompt,
    }


class Parrot:
    """A server that keeps what it was asked, and answers with its model's name and the turn."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.failing: set[tuple[str, int]] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self.asked.append(body)
        turn = sum(message["role"] == "user" for message in body["messages"])
        if (body["model"], turn) in self.failing:
            return web.json_response({"error": "no"}, status=400)
        return await stream(request, whole(f"{body['model']} says {turn}."))


async def test_both_are_asked_on_each_with_its_own_answers_alone() -> None:
    parrot = Parrot()
    async with serving(parrot.answer) as endpoint:
        await two_named(endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="First?"))
            first = await until_end(browser)
            await browser.send_json_to(go_on(first[0], 2, "Second?"))
            second = await until_end(browser)

    said = {body["model"]: body["messages"] for body in parrot.asked[2:]}
    assert said == {
        name: [
            {"role": "user", "content": "First?"},
            {"role": "assistant", "content": f"{name} says 1."},
            {"role": "user", "content": "Second?"},
        ]
        for name in ("Wren", "Kite")
    }
    assert (second[0]["turn"], second[0]["prompt"]) == (2, "Second?")
    assert {text_of(second, side) for side in "ab"} == {"Wren says 2.", "Kite says 2."}
    assert second[-1] == {"type": "battle.complete"}


async def test_the_vote_is_on_the_last_turn() -> None:
    parrot = Parrot()
    async with serving(parrot.answer) as endpoint:
        await two_named(endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="First?"))
            first = await until_end(browser)
            await browser.send_json_to(go_on(first[0], 2, "Second?"))
            await until_end(browser)

    battle = await last_battle()
    vote = await database(vote_cast)(
        battle_id=battle.pk,
        attempt=2,
        voter=await Voter.objects.aget(),
        outcome="tie",
        key="key-for-test",
    )
    assert (await Turn.objects.aget(pk=vote.turn_id)).number == 2


async def test_a_side_that_fails_in_a_later_turn_is_asked_again_alone() -> None:
    parrot = Parrot()
    parrot.failing = {("Kite", 2)}
    async with serving(parrot.answer) as endpoint:
        await two_named(endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="First?"))
            first = await until_end(browser)
            await browser.send_json_to(go_on(first[0], 2, "Second?"))
            failed = await until_end(browser)
            parrot.failing.clear()
            await browser.send_json_to({"type": "battle.retry", "battle": first[0]["battle"]})
            retried = await until_end(browser)

    assert failed[-1] == {"type": "battle.failed", "can_retry": True}
    assert (retried[0]["turn"], retried[0]["attempt"]) == (2, 3)
    assert {text_of(retried, side) for side in "ab"} == {"Wren says 2.", "Kite says 2."}
    assert [body["model"] for body in parrot.asked].count("Wren") == 2
    assert [body["model"] for body in parrot.asked].count("Kite") == 3


async def test_each_turn_may_be_tried_as_often_as_the_first(monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "BATTLE_ATTEMPTS", 2)
    parrot = Parrot()
    parrot.failing = {("Kite", 2), ("Wren", 2)}
    async with serving(parrot.answer) as endpoint:
        await two_named(endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="First?"))
            first = await until_end(browser)
            await browser.send_json_to(go_on(first[0], 2, "Second?"))
            failed = await until_end(browser)
            await browser.send_json_to({"type": "battle.retry", "battle": first[0]["battle"]})
            again = await until_end(browser)

    assert failed[-1]["can_retry"]
    assert not again[-1]["can_retry"]


async def test_a_turn_sent_twice_is_one_turn() -> None:
    async with serving(Parrot().answer) as endpoint:
        await two_named(endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="First?"))
            first = await until_end(browser)
            await browser.send_json_to(go_on(first[0], 2, "Second?"))
            await until_end(browser)
            await browser.send_json_to(go_on(first[0], 2, "Second?"))
            again = await until_end(browser)

    assert (again[0]["turn"], again[-1]["type"]) == (2, "battle.complete")
    assert await Turn.objects.acount() == 2


async def test_what_cannot_be_asked_on_says_why_and_changes_nothing(monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "BATTLE_TURNS", 1)
    async with serving(Parrot().answer) as endpoint:
        await two_named(endpoint)
        await database(others_on_record)()
        async with socket() as browser:
            await browser.send_json_to(start())
            recorded = await until_end(browser)
            await browser.send_json_to(go_on(recorded[0], 2, "And?"))
            answers = [await until_end(browser)]
            await browser.send_json_to(start(prompt="First?"))
            first = await until_end(browser)
            for message in (go_on(first[0], 2, "And?"), go_on(first[0], 2, "   ")):
                await browser.send_json_to(message)
                answers.append(await until_end(browser))
            await Battle.objects.filter(pk=first[0]["battle"]).aupdate(state=State.STOPPED)
            monkeypatch.setattr(settings, "BATTLE_TURNS", 5)
            await browser.send_json_to(go_on(first[0], 2, "And?"))
            answers.append(await until_end(browser))

    said = [messages[-1]["message"] for messages in answers]
    assert "recorded" in said[0]
    assert "as many turns" in said[1]
    assert "nothing but spaces" in said[2]
    assert "gone on in another window" in said[3]
    assert await Turn.objects.acount() == 2


async def test_pictures_cannot_come_in_where_the_two_were_not_drawn_for_them() -> None:
    async with serving(Parrot().answer) as endpoint:
        await two_named(endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="First?"))
            first = await until_end(browser)
            message = go_on(first[0], 2, "And this?") | {"images": [str(uuid4())]}
            await browser.send_json_to(message)
            answer = await until_end(browser)

    assert "drawn for that" in answer[-1]["message"]
    assert await Turn.objects.acount() == 1


async def test_a_start_that_is_sent_twice_begins_one_battle() -> None:
    await two_on_record()
    cookies, message = cookie(), start()
    async with socket(cookies) as browser:
        await browser.send_json_to(message)
        first = await until_end(browser)
    async with socket(cookies) as browser:
        await browser.send_json_to(message)
        again = await until_end(browser)

    assert again[0]["battle"] == first[0]["battle"]
    assert text_of(again, "a") == text_of(first, "a")
    assert await Battle.objects.acount() == 1


async def test_what_is_sent_again_needs_no_other_proof_of_work(monkeypatch: Any) -> None:
    async with serving(Parrot().answer) as endpoint:
        await two_named(endpoint)
        async with socket() as browser:
            message = start(prompt="First?")
            await browser.send_json_to(message)
            first = await until_end(browser)
            await browser.send_json_to(go_on(first[0], 2, "Second?"))
            await until_end(browser)
            monkeypatch.setattr(settings, "ALTCHA", True)
            endings = []
            for again in (message, go_on(first[0], 2, " Second? "), start(prompt="New?")):
                await browser.send_json_to(again)
                endings.append((await until_end(browser))[-1]["type"])

    assert endings == ["battle.complete", "battle.complete", "battle.refused"]


async def test_another_persons_battle_is_not_begun_again() -> None:
    await two_on_record()
    async with socket() as browser, socket() as stranger:
        message = start()
        await browser.send_json_to(message)
        await until_end(browser)
        await stranger.send_json_to(message)
        answer = await until_end(stranger)

    assert [message["type"] for message in answer] == ["battle.refused"]


async def test_nothing_is_asked_before_consent() -> None:
    parrot = Parrot()
    async with serving(parrot.answer) as endpoint:
        await two_named(endpoint)
        cookies = cookie()
        async with socket(cookies) as browser:
            await browser.send_json_to(start(prompt="Why?", consent=False))
            refused = await until_end(browser)
            await browser.send_json_to(start(prompt="Why?"))
            agreed = await until_end(browser)
            await browser.send_json_to(start(prompt="Why?", consent=False))
            later = await until_end(browser)

    assert "agree with what is kept" in refused[-1]["message"]
    assert agreed[-1] == later[-1] == {"type": "battle.complete"}
    assert len(parrot.asked) == 4


async def test_other_terms_are_agreed_to_anew(monkeypatch: Any) -> None:
    await two_on_record()
    cookies = cookie()
    async with socket(cookies) as browser:
        await browser.send_json_to(start())
        await until_end(browser)
        monkeypatch.setattr(settings, "PUBLISH_TEXT", True)
        await browser.send_json_to(start(consent=False))
        answer = await until_end(browser)

    assert answer[-1]["type"] == "battle.refused"


async def test_other_terms_are_agreed_to_before_asking_on(monkeypatch: Any) -> None:
    async with serving(well) as endpoint:
        await two_named(endpoint)
        async with socket() as browser:
            message = start(prompt="Why?")
            await browser.send_json_to(message)
            await until_end(browser)
            monkeypatch.setattr(settings, "PUBLISH_TEXT", True)
            on = {
                "type": "battle.continue",
                "battle": message["battle"],
                "turn": 2,
                "prompt": "So?",
            }
            await browser.send_json_to(on)
            refused = await until_end(browser)
            await browser.send_json_to({**on, "consent": True})
            agreed = await until_end(browser)

    assert "agree with what is kept" in refused[-1]["message"]
    assert agreed[-1] == {"type": "battle.complete"}


# -- By name ---------------------------------------------------------------------------------


async def test_a_named_battle_is_voted_on_and_never_counted() -> None:
    async with serving(well) as endpoint:
        wren, kite = await two_named(endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="Why?", named=[kite, wren]))
            messages = await until_end(browser)

    battle = await Battle.objects.select_related("revision_a", "revision_b").aget()
    assert messages[-1] == {"type": "battle.complete"}
    assert (battle.mode, battle.draw_probability) == (Mode.NAMED, None)
    assert (battle.revision_a.name, battle.revision_b.name) == ("Kite", "Wren")
    await database(vote_cast)(
        battle_id=battle.pk,
        attempt=1,
        voter=await Voter.objects.aget(),
        outcome="tie",
        key="key-for-test",
    )
    votes, _ = await database(votes_all)()
    assert await Vote.objects.acount() == 1
    assert [votes.rules[index] for index in votes.excluded] == ["named"]


async def test_whom_nobody_can_ask_by_name() -> None:
    async with serving(well) as endpoint:
        wren, kite = await two_named(endpoint)
        async with socket() as browser:
            said = []
            for named in ([wren], [wren, wren], [wren, "nobody"], [wren, kite, kite]):
                await browser.send_json_to(start(prompt="Why?", named=named))
                said.append((await until_end(browser))[-1]["message"])
            await database(retire)("Kite")
            await browser.send_json_to(start(prompt="Why?", named=[wren, kite]))
            said.append((await until_end(browser))[-1]["message"])

    assert ["two different" in text for text in said] == [True, True, False, True, False]
    assert not await Battle.objects.aexists()


def retire(name: str) -> None:
    contestant = factories.known(name).contestant
    contestant.status = Status.RETIRED
    contestant.save()


@pytest.mark.parametrize("number", [-1, 2**63, "2", None])
async def test_a_hostile_turn_number_is_refused_in_words(number: Any) -> None:
    async with socket() as browser:
        await browser.send_json_to(go_on({"battle": str(uuid4())}, number, "Why?"))
        answer = await until_end(browser)

    assert answer[-1]["type"] == "battle.refused"


async def test_another_question_under_a_number_that_is_taken_is_not_swallowed() -> None:
    async with serving(Parrot().answer) as endpoint:
        await two_named(endpoint)
        async with socket() as browser:
            await browser.send_json_to(start(prompt="First?"))
            first = await until_end(browser)
            await browser.send_json_to(go_on(first[0], 2, "Second?"))
            await until_end(browser)
            await browser.send_json_to(go_on(first[0], 2, "Another?"))
            answer = await until_end(browser)

    assert "gone on in another window" in answer[-1]["message"]


@pytest.mark.parametrize("field", ["collection", "recorded"])
async def test_half_a_surrogate_is_refused_in_words(field: str) -> None:
    async with socket() as browser:
        await browser.send_json_to(start(**{field: "\ud800"}))
        answer = await until_end(browser)

    assert answer[-1]["type"] == "battle.refused"
