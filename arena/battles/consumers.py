"""The battle socket: starts battles and follows their log."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from arena.battles import generation, protocol, selectors, services
from arena.battles.exceptions import NotYourBattle
from arena.battles.models import Battle
from arena.core.exceptions import ArenaError
from arena.voters.models import Voter
from arena.voters.services import voter_from


class BattleConsumer(AsyncJsonWebsocketConsumer):
    """One battle at a time; a new start or attach ends the following of the last."""

    following: asyncio.Task[None] | None = None

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        try:
            match protocol.parse(text_data):
                case protocol.Start() as message:
                    await self.start(message)
                case protocol.Attach() as message:
                    await self.attach(message)
        except ArenaError as error:
            await self.send_json(protocol.refused(error.message))

    async def disconnect(self, code: int) -> None:
        self.leave()

    async def start(self, message: protocol.Start) -> None:
        started = await database_sync_to_async(self.start_battle)(message)
        generation.own(started)
        await self.send_json(protocol.started(started.battle.pk, started.turn.prompt))
        self.follow(started.battle, after=0)

    async def attach(self, message: protocol.Attach) -> None:
        battle = await database_sync_to_async(self.own_battle)(message)
        if generation.live_battle(battle.pk) is None:
            await self.send_json(protocol.reload())
        else:
            self.follow(battle, message.after)

    def start_battle(self, message: protocol.Start) -> services.StartedTurn:
        return services.battle_start(
            voter=self.voter(),
            owner=generation.WORKER,
            prompt=message.prompt,
            recorded=message.recorded,
        )

    def own_battle(self, message: protocol.Attach) -> Battle:
        battle = selectors.battle_get(message.battle)
        if battle.voter_id != self.voter().pk:
            raise NotYourBattle
        return battle

    def voter(self) -> Voter:
        return voter_from(self.scope["cookies"])

    def follow(self, battle: Battle, after: int) -> None:
        self.leave()
        self.following = asyncio.create_task(self.send_frames(battle, after))

    def leave(self) -> None:
        if self.following is not None:
            self.following.cancel()

    async def send_frames(self, battle: Battle, after: int) -> None:
        live = generation.live_battle(battle.pk)
        if live is not None:
            async for message in live.follow(after):
                await self.send_json(message)
