"""An OpenAI-compatible server, well-behaved and not, over a real socket."""

import pytest

from arena.providers.exceptions import ProviderError, Unreachable
from arena.providers.openai import OpenAIProvider, list_models
from arena.providers.protocol import Delta, Event, Finish, Limits, Message, Request
from arena.providers.reading import read
from tests.upstream import FAULTS, WORDS, serving

LIMITS = Limits(connect=1.0, read=0.3, total=2.0, characters=100_000)


def request(endpoint: str) -> Request:
    return Request(
        messages=(Message("user", "Why is the sky blue?"),),
        limits=LIMITS,
        endpoint=endpoint,
        model="linnet-3",
    )


async def answer(endpoint: str) -> list[Event]:
    return [event async for event in read(OpenAIProvider(), request(endpoint))]


async def test_it_works() -> None:
    async with serving() as endpoint:
        *deltas, finish = await answer(endpoint)

    assert "".join(event.text for event in deltas if isinstance(event, Delta)) == "".join(WORDS)
    assert finish == Finish("stop")


async def test_models_are_listed() -> None:
    async with serving() as endpoint:
        assert await list_models(endpoint, api_key="", limits=LIMITS) == [
            "linnet-3",
            "ostrel-prime",
        ]


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_has_its_name(fault: str) -> None:
    behaviour, kind = FAULTS[fault]
    async with serving(behaviour) as endpoint:
        with pytest.raises(ProviderError) as raised:
            await answer(endpoint)

    assert raised.value.kind == kind


async def test_nobody_listening() -> None:
    with pytest.raises(Unreachable):
        await answer("http://127.0.0.1:9/v1")
