"""Limits and retries, which hold for every provider alike."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence

import pytest
from aiohttp import web

from arena.providers import reading
from arena.providers.exceptions import (
    EmptyAnswer,
    Filtered,
    Overloaded,
    ProviderError,
    Rejected,
    TimedOut,
    TooLong,
    Truncated,
    Unreachable,
)
from arena.providers.protocol import Delta, Draft, Event, Finish, Reasoning, Request
from arena.providers.reading import read
from tests.providers.asking import answer, request
from tests.upstream import (
    ANTHROPIC,
    OPENAI,
    WORDS,
    Form,
    begun,
    chunk,
    error,
    recovering,
    serving,
    stream,
    streaming,
    torn_after,
    whole,
)

FORMS = {"openai": OPENAI, "anthropic": ANTHROPIC}
Step = Event | Exception | float


class Scripted:
    """A provider whose every request takes the next list of events, errors and pauses."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self.scripts = list(scripts)
        self.closed = 0

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            self.closed += 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAUSE_SECONDS", 0.01)


# -- Limits ----------------------------------------------------------------------------------


async def test_it_works() -> None:
    draft = Draft()
    before = asyncio.get_running_loop().time()
    script = [Reasoning("Hm."), 0.01, Delta("The "), Delta("sky."), Finish("stop", 1, 2, 3)]
    finish = await read(Scripted(script), request(""), draft)

    assert finish == Finish("stop", 1, 2, 3)
    assert (draft.text, draft.length, draft.reasoning) == ("The sky.", 8, ["Hm."])
    assert draft.first_at is not None
    assert 0.01 <= draft.first_at - before < 1
    assert draft.requests == 1


async def test_one_deadline_holds_for_the_whole_answer() -> None:
    provider = Scripted([Delta("word "), 0.04] * 50)
    draft = Draft()
    with pytest.raises(TimedOut):
        await read(provider, request("", total=0.1), draft)

    assert draft.text.startswith("word ")
    assert provider.closed == 1


@pytest.mark.parametrize("kind", [Delta, Reasoning])
async def test_a_long_answer_is_cut_off(kind: type[Delta] | type[Reasoning]) -> None:
    provider = Scripted([Delta("x"), *[kind("word ")] * 5, Finish("stop")])
    with pytest.raises(TooLong):
        await read(provider, request("", characters=25), Draft())

    assert provider.closed == 1


async def test_as_long_as_the_limit_is_not_too_long() -> None:
    provider = Scripted([Delta("word ")] * 5 + [Finish("stop")])

    assert await read(provider, request("", characters=25), Draft()) == Finish("stop")


@pytest.mark.parametrize("event", [Delta(" \n"), Reasoning("Hm.")])
async def test_an_answer_without_text_is_empty(event: Event) -> None:
    with pytest.raises(EmptyAnswer, match="finish reason length"):
        await read(Scripted([event, Finish("length")]), request(""), Draft())


async def test_a_provider_that_just_ends_has_not_answered() -> None:
    with pytest.raises(Truncated):
        await read(Scripted([Delta("The ")]), request(""), Draft())


# -- Asking again ----------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("status", [429, 500, 503, 529])
async def test_a_busy_endpoint_is_asked_again(
    kind: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    well = streaming(*FORMS[kind].whole(*WORDS))
    draft = Draft()
    with caplog.at_level(logging.WARNING, "arena.providers.reading"):
        async with serving(recovering(error(status), error(status), then=well)) as endpoint:
            await answer(kind, endpoint, draft, retries=2)

    assert draft.text == "".join(WORDS)
    assert draft.requests == 3
    assert [record.getMessage()[:14] for record in caplog.records] == [
        "asked 1 times;",
        "asked 2 times;",
    ]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_a_connection_that_breaks_before_the_first_text_is_tried_again(form: Form) -> None:
    kind = "openai" if form is OPENAI else "anthropic"
    draft = Draft()
    well = streaming(*form.whole("Blue."))
    async with serving(recovering(torn_after(), streaming(), then=well)) as endpoint:
        await answer(kind, endpoint, draft, retries=2)

    assert (draft.text, draft.requests) == ("Blue.", 3)


@pytest.mark.usefixtures("impatient")
async def test_no_more_often_than_allowed() -> None:
    draft = Draft()
    async with serving(error(503)) as endpoint:
        with pytest.raises(Overloaded):
            await answer("openai", endpoint, draft, retries=2)

    assert draft.requests == 3


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("first", [Delta("The "), Reasoning("Hm.")])
async def test_never_after_the_first_text_or_reasoning(first: Event) -> None:
    provider = Scripted([first, Truncated("torn")], [Delta("Blue."), Finish("stop")])
    draft = Draft()
    with pytest.raises(Truncated):
        await read(provider, request("", retries=2), draft)

    assert draft.requests == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", FORMS)
async def test_nor_over_a_socket(kind: str) -> None:
    draft = Draft()
    behaviour = recovering(
        torn_after(FORMS[kind].text("The ")), then=streaming(*FORMS[kind].whole("Blue."))
    )
    async with serving(behaviour) as endpoint:
        with pytest.raises(Truncated):
            await answer(kind, endpoint, draft, retries=2)

    assert (draft.text, draft.requests) == ("The ", 1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", [TimedOut, Filtered, Rejected, TooLong, EmptyAnswer])
async def test_not_where_it_cannot_help(kind: type[ProviderError]) -> None:
    draft = Draft()
    with pytest.raises(kind):
        await read(Scripted([kind("CANARY")]), request("", retries=2), draft)

    assert draft.requests == 1


async def test_as_late_as_the_endpoint_asks_for() -> None:
    clock = asyncio.get_running_loop().time
    asked: list[float] = []

    async def busy_once(request: web.Request) -> web.StreamResponse:
        asked.append(clock())
        if len(asked) == 1:
            return await error(429, **{"Retry-After": "1"})(request)
        return await stream(request, whole("Blue."))

    async with serving(busy_once) as endpoint:
        await answer("openai", endpoint, retries=1, total=5.0)

    assert 1.0 <= asked[1] - asked[0] < 2.5


@pytest.mark.parametrize(
    ("retry_after", "total"), [("21", 60.0), ("3", 2.0), ("Fri, 31 Dec 2100 23:59:59 GMT", 60.0)]
)
async def test_a_pause_that_is_too_long_fails_at_once(retry_after: str, total: float) -> None:
    clock = asyncio.get_running_loop().time
    before = clock()
    async with serving(error(503, **{"Retry-After": retry_after})) as endpoint:
        with pytest.raises(Overloaded):
            await answer("openai", endpoint, retries=2, total=total)

    assert clock() - before < 1


def test_pauses_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pauses(tries: int) -> list[float]:
        error = Unreachable("refused")
        return [reading.pause_after(error, tries, deadline=float("inf")) for _ in range(50)]

    first, third = asyncio.run(pauses(1)), asyncio.run(pauses(3))
    assert 0.25 <= min(first) < max(first) <= 0.5
    assert 1.0 <= min(third) < max(third) <= 2.0


# -- Giving up -------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [[], [chunk("The ")], [chunk("The "), chunk("sky ")]])
async def test_cancelling_closes_the_connection_at_once(pieces: list[bytes]) -> None:
    """Before the first token, and while it waits for the next or lets tokens gather."""
    waiting, closed = asyncio.Event(), asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.01)
        waiting.set()
        while request.transport is not None:
            await asyncio.sleep(0.005)
        closed.set()
        return response

    async with serving(endless) as endpoint:
        task = asyncio.create_task(answer("openai", endpoint, read=5.0, total=5.0))
        await waiting.wait()
        task.cancel()
        await asyncio.wait_for(closed.wait(), 1.0)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_so_does_cancelling_before_anything_was_answered() -> None:
    waiting, closed = asyncio.Event(), asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        waiting.set()
        while request.transport is not None:
            await asyncio.sleep(0.005)
        closed.set()
        return web.Response()

    async with serving(silent) as endpoint:
        task = asyncio.create_task(answer("openai", endpoint, read=5.0, total=5.0))
        await waiting.wait()
        task.cancel()
        await asyncio.wait_for(closed.wait(), 1.0)
        with pytest.raises(asyncio.CancelledError):
            await task
