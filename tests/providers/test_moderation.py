"""Asking a moderation endpoint, which answers, fails, or says something else."""

from typing import Any

import pytest
from aiohttp import web

from arena.providers.exceptions import ProviderError, Unauthorised, Unreadable
from arena.providers.moderation import flagged
from tests.providers.asking import LIMITS
from tests.upstream import BROKEN_ENDPOINTS, Behaviour, error, serving, silent, torn_after, web_page


def result(flagged: bool, **categories: bool) -> dict[str, object]:
    return {"flagged": flagged, "categories": categories}


def saying(body: object) -> Behaviour:
    async def behaviour(request: web.Request) -> web.StreamResponse:
        return web.json_response(body)

    return behaviour


async def asked(endpoint: str, **changes: str) -> list[str]:
    given = {"model": "", "api_key": "", **changes}
    return await flagged("Why?", endpoint=endpoint, limits=LIMITS, **given)


async def test_it_works() -> None:
    body = {"results": [result(True, violence=True, hate=False, harassment=True)]}
    async with serving(saying(body)) as endpoint:
        assert await asked(endpoint) == ["violence", "harassment"]


@pytest.mark.parametrize(
    ("results", "categories"),
    [
        ([result(False, violence=False)], []),
        ([result(False)], []),
        ([result(True)], ["flagged"]),
        ([result(True, violence=False)], ["flagged"]),
        ([result(False, violence=True)], ["violence"]),
        (
            [result(True, violence=True), result(True, hate=True, violence=True)],
            ["violence", "hate"],
        ),
    ],
)
async def test_what_is_flagged(results: list[object], categories: list[str]) -> None:
    async with serving(saying({"results": results})) as endpoint:
        assert await asked(endpoint) == categories


async def test_what_is_sent() -> None:
    seen: list[Any] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, request.headers.get("Authorization"), await request.json()))
        return web.json_response({"results": [result(False)]})

    async with serving(remember) as endpoint:
        await asked(endpoint + "/")
        await asked(endpoint, model="omni", api_key="secret")

    assert seen == [
        ("/v1/moderations", None, {"input": "Why?"}),
        ("/v1/moderations", "Bearer secret", {"input": "Why?", "model": "omni"}),
    ]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"results": []},
        {"results": 7},
        {"results": [7]},
        {"results": [{}]},
        {"results": [{"flagged": False}]},
        {"results": [{"categories": {}}]},
        {"results": [{"flagged": False, "categories": ["violence"]}]},
    ],
    ids=str,
)
async def test_another_answer_is_no_permission(body: object) -> None:
    async with serving(saying(body)) as endpoint:
        with pytest.raises(Unreadable):
            await asked(endpoint)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (error(401), "Unauthorised"),
        (error(503), "Overloaded"),
        (silent, "TimedOut"),
        (torn_after(), "Truncated"),
        (torn_after(b'{"results": ['), "Truncated"),
        (web_page, "Unreadable"),
    ],
)
async def test_every_fault_has_its_name(behaviour: Behaviour, kind: str) -> None:
    async with serving(behaviour) as endpoint:
        with pytest.raises(ProviderError) as raised:
            await asked(endpoint)

    assert raised.value.kind == kind


async def test_nobody_listening() -> None:
    broken, kind = BROKEN_ENDPOINTS["nobody listening"]
    async with broken() as endpoint:
        with pytest.raises(ProviderError) as raised:
            await asked(endpoint)

    assert raised.value.kind == kind


async def test_a_key_that_no_header_may_carry_is_not_accepted() -> None:
    with pytest.raises(Unauthorised):
        await asked("http://localhost/v1", api_key="é")
