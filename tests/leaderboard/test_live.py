"""Votes since the publication, told to open boards."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from asgiref.sync import sync_to_async

from arena.battles.models import Battle, Mode
from arena.battles.services import vote_cast
from arena.integrity.imports import votes_import
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from tests import factories
from tests.leaderboard.test_refit import cycle
from tests.server import serving

pytestmark = pytest.mark.django_db(transaction=True)

database = sync_to_async(thread_sensitive=True)


@database
def seeded(folder: Path) -> str:
    votes_import(path=cycle(folder))
    return published()


def published() -> str:
    snapshot = publish()
    assert snapshot is not None
    return snapshot.short


@database
def cast(**fields: Any) -> None:
    sides = (factories.known("wren"), factories.known("kite"))
    battle: Battle = factories.battle(*sides, Voter.objects.create(), **fields)
    vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=battle.voter,
        outcome="model_a",
        key=f"key-{battle.pk}",
    )


@asynccontextmanager
async def boards() -> AsyncIterator[Any]:
    """Opens as many boards as are asked for, on one server."""
    with serving() as address:
        async with aiohttp.ClientSession() as session:
            url = f"{address.replace('http', 'ws', 1)}/ws/board/"
            yield lambda: session.ws_connect(url, headers={"Origin": address})


async def told(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    news: dict[str, Any] = json.loads(await socket.receive_str(timeout=15))
    return news


async def test_it_works(tmp_path: Path) -> None:
    snapshot = await seeded(tmp_path)
    async with boards() as opened, opened() as one, opened() as other:
        first = await told(one)
        assert (first["snapshot"], first["votes"]) == (snapshot, 0)
        await told(other)

        await cast()
        for socket in (one, other):
            news = await told(socket)
            assert (news["snapshot"], news["votes"]) == (snapshot, 1)
            assert (len(news["hours"]), sum(news["hours"])) == (24, 1)

        newer = await database(published)()
        assert (await told(one))["snapshot"] == newer != snapshot


async def test_what_never_counts_is_not_counted(tmp_path: Path) -> None:
    await seeded(tmp_path)
    await cast(mode=Mode.NAMED, draw_probability=None)
    await cast()
    async with boards() as opened, opened() as socket:
        assert (await told(socket))["votes"] == 1


async def test_before_the_first_publication() -> None:
    async with boards() as opened, opened() as socket:
        assert await told(socket) == {"snapshot": "", "votes": 0, "hours": [0] * 24}


async def test_a_board_has_nothing_to_say() -> None:
    async with boards() as opened, opened() as socket:
        await told(socket)
        await socket.send_str("anything")
        assert (await socket.receive(timeout=15)).type == aiohttp.WSMsgType.CLOSE
